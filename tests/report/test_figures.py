from __future__ import annotations

import math
import re
import statistics
from dataclasses import replace

import numpy as np
import pytest

from unaji.report.figures.causes import causes_figure
from unaji.report.figures.days import days_figure, hours, tints
from unaji.report.figures.examples import examples, examples_figure
from unaji.report.figures.one_episode import one_episode_figure, pick, stack
from unaji.report.figures.rises import RISE, measured_episodes, rises_figure
from unaji.report.figures.svg import PHONE, grid_step, nice_top, text_width, wrap
from unaji.report.figures.time_axis import Calendar
from unaji.report.figures.weeks import by_week, weeks_figure
from unaji.report.figures.whole import signal_rows, whole_figure
from unaji.report.story.factors import candidates
from unaji.report.story.warmth import Warmth, warmth_of
from unaji.report.words import catalogue, signed

JA, EN = catalogue("ja"), catalogue("en")


@pytest.fixture
def rich(people):
    return people["rich"]()


def test_an_axis_ends_at_an_even_number_with_at_most_four_lines():
    assert [nice_top(value) for value in (0, 3, 5, 8.2, 13)] == [4, 4, 6, 10, 16]
    for top in (2, 4, 6, 8, 10, 12, 16, 20, 24):
        assert top % grid_step(top) == 0
        assert top // grid_step(top) <= 4


def test_wide_characters_take_twice_the_room():
    assert text_width("熱い", 12) == 24
    assert text_width("hot", 12) == pytest.approx(20.16)


def test_a_long_name_is_wrapped_and_never_cut():
    assert wrap("a sudden change of air temperature", 110, 14) == ["a sudden", "change of air", "temperature"]
    assert "".join(wrap("ストレス・緊張(自分で感じる)", 100, 14)) == "ストレス・緊張(自分で感じる)"
    assert wrap("ストレス・緊張(自分で感じる)", 190, 14) == ["ストレス・緊張", "(自分で感じる)"]


def test_days_figure_marks_every_timed_episode_and_session(rich):
    figure = days_figure(rich, candidates(rich, JA).factors[0], JA)
    assert figure is not None
    for drawing in (figure.phone, figure.desktop):
        assert drawing.count('class="heat"') == len(rich.episodes)
        assert drawing.count('class="session"') == len(rich.timeline.treatments) + 1  # and the legend's
    assert len(figure.table.rows) == len(rich.episodes)


def test_a_day_without_diary_is_hatched_whole(rich):
    _, recorded = hours(rich, rich.design.triggers[0], Calendar(rich))
    assert not recorded[18:20].any()
    assert recorded[0].all()


def test_an_hour_shows_its_highest_level_and_the_sum_of_its_doses(rich):
    calendar = Calendar(rich)
    level, dose = rich.design.triggers[0], rich.design.triggers[2]
    assert hours(rich, level, calendar)[0][3, 10] == level.value[(3 * 24 + 10) * 12 : (3 * 24 + 11) * 12].max()
    assert hours(rich, dose, calendar)[0][3, 10] == dose.value[(3 * 24 + 10) * 12 : (3 * 24 + 11) * 12].sum()


def test_tints_are_four_steps_of_the_persons_own_hours_and_nothing_where_constant():
    level = tints(np.arange(100.0).reshape(10, 10), "level")
    assert (np.bincount(level.ravel()) == [60, 15, 12, 8, 5]).all()
    assert not tints(np.full((2, 24), 3.0), "level").any()
    assert not tints(np.zeros((2, 24)), "dose").any()


def test_a_factor_without_exposure_on_the_grid_has_no_days_figure(rich):
    stress = next(one for one in candidates(rich, JA).factors if one.id == "stress")
    assert days_figure(rich, stress, JA) is None


def test_cause_figure_frames_what_cannot_be_compared_and_dots_the_rest(rich):
    chosen = candidates(rich, JA)
    figure = causes_figure(chosen, "答え", JA)
    for drawing in (figure.phone, figure.desktop):
        assert drawing.count('class="reach"') == 2
        assert len(re.findall(r'class="mean', drawing)) == 7
        assert drawing.count('class="badge"') == len(chosen.factors)
    assert [row[0] for row in figure.table.rows] == [one.name for one in chosen.factors]


def test_the_stack_of_one_episode_adds_up_to_its_intensity(rich):
    finding = pick(rich)
    assert finding is not None
    layers, observed = stack(rich, finding, candidates(rich, JA), JA)
    assert sum(one.p for one in layers) == pytest.approx(1)
    grid = rich.design.grid
    usual = rich.attribution.intensity[rich.attribution.episodes.sources.index("background")][grid.observed].mean()
    total = sum(one.height for one in layers)
    assert total.size == observed.size == 13 * 12
    assert total.max() <= rich.attribution.intensity.sum(axis=0).max() / usual + 1e-6
    assert layers[0].name == "ふだん"
    assert one_episode_figure(rich, candidates(rich, JA), JA) is not None


def test_without_fitted_episodes_there_is_no_episode_to_draw(people):
    nothing = people["no_episodes"]()
    assert one_episode_figure(nothing, candidates(nothing, JA), JA) is None


def test_rises_figure_draws_one_circle_an_episode_that_was_measured(rich):
    figure = rises_figure(rich, JA)
    assert figure is not None
    measured = [one for one in rich.episodes if "neck_skin_rise_k" in one.measured]
    assert len(figure.table.rows) == len(measured)
    assert len(re.findall(r'class="dot-(warm|felt)"', figure.phone)) == len(measured)
    assert figure.phone.count('class="band"') == 1
    warm = figure.phone.count('class="dot-warm"')
    for drawing in (figure.phone, figure.desktop):
        assert f'class="label">{warm}回<' in drawing
        assert f'class="label">{len(measured) - warm}回<' in drawing


def test_without_temperature_there_is_no_rises_figure(people):
    assert rises_figure(people["no_signals"](), JA) is None


def test_weeks_count_every_episode_once_and_leave_fever_out(people):
    findings = people["fever"]()
    weeks = by_week(findings, Calendar(findings))
    assert len(weeks) == 12
    assert sum(week.count for week in weeks) == len(findings.episodes) - 1


def test_expected_episodes_of_all_weeks_are_those_the_model_explains(rich):
    weeks = by_week(rich, Calendar(rich))
    observed = rich.design.grid.observed
    assert sum(week.expected for week in weeks) == pytest.approx(
        rich.attribution.intensity[:, observed].sum(), rel=1e-4
    )
    assert weeks[2].recorded == pytest.approx(5 / 7)  # days 18 and 19 have no diary


def test_the_line_without_treatment_is_drawn_from_the_first_session_on(rich):
    drawing = weeks_figure(rich, JA).desktop
    for look in ("pred", "band", "model"):
        assert drawing.count(f'class="{look}"') == 2  # the line or area and its legend
    assert len(points(drawing, "pred")) == 7  # weeks 6 to 12
    assert len(points(drawing, "band")) == 14
    assert len(points(drawing, "model")) == 12


def test_without_treatment_there_is_the_computed_line_alone(people):
    figure = weeks_figure(people["null"](), JA)
    assert 'class="model"' in figure.desktop
    assert 'class="pred"' not in figure.desktop
    assert 'class="band"' not in figure.desktop
    assert "点線" not in figure.caption


def test_a_week_without_record_breaks_every_line_and_one_alone_is_still_seen(rich):
    """Without the eighth and the tenth week there are three stretches of treated weeks, one of a single week."""
    broken = replace(rich, weeks=tuple(one for one in rich.weeks if one.number not in (8, 10)))
    drawing = weeks_figure(broken, JA).desktop
    assert [len(one) for one in all_points(drawing, "pred")] == [2, 2, 2]
    assert [len(one) for one in all_points(drawing, "band")] == [4, 4, 4]
    assert [len(one) for one in all_points(drawing, "model")] == [7, 2, 2]
    single = all_points(drawing, "pred")[1]
    assert single[0][1] == single[1][1]
    assert weeks_figure(broken, EN).table.rows[7][2:5] == (EN("unknown"),) * 3


def test_the_sentence_for_the_ear_says_how_many_later_weeks_lie_in_the_band(rich):
    weeks = by_week(rich, Calendar(rich))[5:]
    inside = sum(one.low <= one.count <= one.high for one in weeks)
    aria = weeks_figure(rich, EN).aria
    assert f"In 7 weeks from the first treatment on: {sum(one.count for one in weeks)} episodes." in aria
    assert f"about {sum(one.expected for one in weeks):.0f} would have been expected" in aria
    assert aria.endswith(f"{inside} weeks.")


def test_each_kind_of_treatment_has_a_row_of_its_own(rich):
    first, *others = rich.timeline.treatments
    timeline = replace(
        rich.timeline, treatments=(replace(first, kind="a very long bath in a far away spring"), *others)
    )
    figure = weeks_figure(replace(rich, timeline=timeline), JA)
    for drawing in (figure.phone, figure.desktop):
        rows = re.findall(r'd="M[\d.]+ ([\d.]+) [^"]*" class="session"', drawing)
        assert len(rows) == 6
        assert len(set(rows)) == 2
        assert "鍼</text>" in drawing
        assert "a very long bath" in drawing


def all_points(drawing: str, look: str) -> list[list[tuple[float, float]]]:
    """Return the corners of each path of a look."""
    found = re.findall(rf'<path d="M([-\d. ]+)Z?" class="{look}"', drawing)
    numbers = [[float(one) for one in path.split()] for path in found]
    return [list(zip(path[::2], path[1::2], strict=True)) for path in numbers]


def points(drawing: str, look: str) -> list[tuple[float, float]]:
    (only,) = all_points(drawing, look)
    return only


def test_the_examples_are_the_middle_ones_of_those_that_warmed_and_those_that_did_not(rich):
    chosen = examples(rich)
    assert [one.warmth for one in chosen] == [Warmth.WARM, Warmth.FELT]
    for one in chosen:
        rises = sorted(e.measured[RISE] for e in measured_episodes(rich) if warmth_of(e) is one.warmth)
        assert one.rise_k == rises[(len(rises) - 1) // 2] == statistics.median_low(rises)
    assert len(examples_figure(rich, JA).table.rows) == 2 * 24


def test_an_example_is_drawn_with_its_expected_course_and_band(rich):
    figure = examples_figure(rich, JA)
    for drawing in (figure.phone, figure.desktop):
        assert drawing.count('class="onset"') == drawing.count('class="heat"') == 2
        assert drawing.count('class="pred"') == drawing.count('class="band"') == 2
        assert "測った温度" in drawing
        for one in examples(rich):
            assert f"差 {signed(one.rise_k, 1)}℃" in drawing
    for _, _, _, expected, interval in examples_figure(rich, EN).table.rows:
        low, high = map(float, interval.split("–"))
        assert high - low == pytest.approx(2 * 1.645 * 0.2, abs=0.011)  # 90 % of a normal of 0.2 K
        assert float(expected) == pytest.approx((low + high) / 2, abs=0.011)


def with_course(findings, change):
    """Return the person with another course of the nape around every onset."""
    return replace(
        findings,
        episodes=tuple(
            replace(one, skin=change(one.skin)) if one.skin is not None else one for one in findings.episodes
        ),
    )


def without(skin, steps):
    return replace(skin, measured_c=tuple(math.nan if i in steps else v for i, v in enumerate(skin.measured_c)))


def test_a_gap_of_the_sensor_is_a_gap_in_the_line_and_a_slow_sensor_has_none(rich):
    pieces = examples(with_course(rich, lambda skin: without(skin, range(16, 19))))[0].pieces
    assert [len(one) for one in pieces] == [16, 5]
    slow = examples(with_course(rich, lambda skin: without(skin, range(1, 24, 2))))[0].pieces
    assert [len(one) for one in slow] == [12]
    drawing = examples_figure(with_course(rich, lambda skin: without(skin, range(16, 19))), JA).desktop
    assert [len(one) for one in all_points(drawing, "model")] == [16, 5, 16, 5]


def test_what_was_not_followed_on_both_sides_of_the_onset_is_no_example(rich):
    assert examples(with_course(rich, lambda skin: without(skin, range(12, 24)))) == ()
    assert examples_figure(with_course(rich, lambda skin: without(skin, range(12, 24))), JA) is None


def test_with_one_group_alone_there_is_one_example(rich):
    warm = replace(rich, episodes=tuple(one for one in rich.episodes if warmth_of(one) is Warmth.WARM))
    figure = examples_figure(warm, JA)
    assert figure.desktop.count('class="onset"') == 1
    assert figure.title == JA("warm.example")


def test_without_the_nape_measured_there_is_no_example(people):
    assert examples_figure(people["no_signals"](), JA) is None


def test_a_gap_in_a_signal_is_a_gap_in_its_line(rich):
    rows = {row.name: row for row in signal_rows(rich, JA)}
    heart = rows["心拍数"]
    assert np.isnan(heart.mean).any()
    assert list(rows) == ["交感神経のめやす", "うなじの皮膚温", "心拍数", "気圧"]
    figure = whole_figure(rich, candidates(rich, JA), JA)
    pieces = figure.desktop.count('class="measured"')
    assert pieces > len(rows)  # more than one piece a line, since days 18, 19 and 40 were not worn


def test_means_of_a_signal_agree_with_a_slow_average(rich):
    pressure = rich.timeline.of("station_pressure_hpa")
    step = int(np.ceil(84 * 24 / 400))
    slow = [pressure.value[i : i + step].mean() for i in range(0, 84 * 24, step)]
    row = next(row for row in signal_rows(rich, JA) if row.name == "気圧")
    np.testing.assert_allclose(row.mean, slow)


def test_without_signals_the_whole_record_still_shows_the_episodes(people):
    findings = people["no_signals"]()
    assert signal_rows(findings, JA) == []
    drawing = whole_figure(findings, candidates(findings, JA), JA).phone
    assert drawing.count('class="heat"') == len(findings.episodes)


def test_the_two_counts_over_the_circles_never_touch(people, language):
    """Also where all that did not warm lie at the left edge, and those that did begin close beside them."""
    words = catalogue(language)
    person = people["rich"]()
    rise = {Warmth.FELT: -0.4, Warmth.WARM: -0.3}
    close = [
        replace(one, measured={**one.measured, RISE: rise.get(warmth_of(one), 0.0)})
        for one in measured_episodes(person)
    ]
    figure = rises_figure(replace(person, episodes=tuple(close)), words)
    labels = re.findall(r'<text x="([\d.]+)" y="32"[^>]*>([^<]+)</text>', figure.phone)
    assert len(labels) == 2
    (left, name), (right, other) = ((float(x), told) for x, told in labels)
    assert left >= 0
    assert left + text_width(name, 12) + 8 <= right
    assert right + text_width(other, 12) <= PHONE
