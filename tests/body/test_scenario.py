"""Scenario files: what people write, what is refused and how, and the scenarios that come along."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from unaji.body.scenario_file import SHIPPED, find_scenario, read_scenario, shipped_scenarios
from unaji.body.scenario_values import SPOKEN, clock_hour, length_of, seconds, values_of
from unaji.errors import InputError

WHOLE = """
[title]
ja = "題"
en = "title"
[shows]
ja = "何か"
en = "something"
[time]
duration = "2 h"
baseline = "30 min"
[room]
air_temp = "24 °C"
humidity = "50 %"
clothing = "light"
[[events]]
name = { ja = "一", en = "one" }
from = "30 min"
to = "1 h"
ramp = "2 min"
set = { stress = 0.5, neck_flexion = "30 deg" }
[[events]]
name = { ja = "二", en = "two" }
from = "1 h 30 min"
set = { air_temp = "30 °C" }
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return file


def at(forcing, name, minute):
    """Value of an input in the step that ends at this minute."""
    return forcing[name][np.argmin(np.abs(forcing.end_s - 60 * minute))]


def test_events_move_inputs_on_ramps_and_the_room_holds_before_and_after(tmp_path):
    scenario = read_scenario(written(tmp_path, WHOLE))
    forcing = scenario.forcing()
    found = [at(forcing, "stress", minute) for minute in (30, 31, 32, 60, 61, 62, 120)]
    assert found == pytest.approx([0.0, 0.25, 0.5, 0.5, 0.25, 0.0, 0.0])
    assert at(forcing, "flexion_deg", 45) == 30.0
    assert [at(forcing, "air_temp_c", minute) for minute in (1, 90, 91, 120)] == [24.0, 24.0, 30.0, 30.0]
    assert at(forcing, "clothing_clo_chest", 5) == 1.14
    assert np.isnan(at(forcing, "hour", 60))
    assert forcing.dt_s.sum() == 7200
    fine = forcing.dt_s[(forcing.end_s > 1800) & (forcing.end_s < 1800 + 720)]
    assert fine.max() <= 10.0


def test_events_that_repeat_are_written_out(tmp_path):
    text = WHOLE.replace('ramp = "2 min"', 'every = "40 min"\ntimes = 2').replace('to = "1 h"', 'to = "40 min"')
    scenario = read_scenario(written(tmp_path, text))
    assert [(e.start_s, e.end_s) for e in scenario.events if "stress" in e.values] == [(1800, 2400), (4200, 4800)]


def test_neighbours_pass_the_value_on_without_going_back_to_the_room(tmp_path):
    more = '[[events]]\nname = { ja = "三", en = "three" }\nfrom = "1 h"\nto = "70 min"\nset = { stress = 0.8 }\n'
    forcing = read_scenario(written(tmp_path, WHOLE.replace('ramp = "2 min"\n', "") + more)).forcing()
    after = forcing.end_s > 1800 + 1
    assert set(forcing["stress"][after & (forcing.end_s < 3600 + 601)]) == {0.5, 0.8}
    assert at(forcing, "stress", 60) == 0.5


def test_what_has_no_halves_jumps_in_spite_of_a_ramp(tmp_path):
    text = WHOLE.replace('neck_flexion = "30 deg"', 'posture = "lying", asleep = true, neck_air_temp = "15 °C"')
    forcing = read_scenario(written(tmp_path, text)).forcing()
    assert set(forcing["posture"]) == {1.0, 2.0}
    assert set(forcing["asleep"]) == {0.0, 1.0}
    inside = (forcing.end_s > 1801) & (forcing.end_s < 3601)
    assert set(forcing["neck_air_temp_c"][inside]) == {15.0}
    assert np.isnan(forcing["neck_air_temp_c"][~inside]).all()


def test_a_person_may_be_described_with_traits(tmp_path):
    text = WHOLE + '[person]\nheight = "158 cm"\nweight = "54 kg"\nsex = "female"\n[person.traits]\nflush_gain = 2.5\n'
    person = read_scenario(written(tmp_path, text)).persons
    assert (person.height_m[0], person.weight_kg[0], bool(person.female[0])) == (1.58, 54.0, True)
    assert person.trait("flush_gain", 1.0).tolist() == [2.5]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("air_temp", "24 °C", {"air_temp_c": 24}),
        ("air_temp", "−5 C", {"air_temp_c": -5}),
        ("air_temp", "77 °F", {"air_temp_c": 25}),
        ("neck_flexion", "30 deg", {"flexion_deg": 30}),
        ("head_forward", "3 cm", {"forward_m": 0.03}),
        ("pressure", "101.3 kPa", {"pressure_hpa": 1013}),
        ("air_speed", "3.6 km/h", {"air_speed_m_s": 1}),
        ("collar", "1 clo", {"collar_m2k_w": 0.155}),
        ("arm_load", "14 %", {"arm_load": 0.14}),
        ("needle", "deep", {"needle": 2}),
        ("posture", "lying", {"posture": 2}),
        ("antipyretic", True, {"antipyretic": 1}),
        ("stress", 1, {"stress": 1}),
        ("clothing", {"chest": "1 clo"}, {"clothing_clo_chest": 1}),
    ],
)
def test_values_are_read_as_people_write_them(name, text, expected):
    assert values_of(name, text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("air_temp", "240 °C", "'240 °C' is not possible: air temperature lies within -30 to 60 °C"),
        ("air_temp", "24 K", "'K' is not a unit of this; write it such as '1 °C'"),
        ("air_temp", 24, "the unit is missing"),
        ("air_temp", "warm", "is not a number with its unit"),
        ("neck_flexion", "30 rad", "'rad' is not a unit"),
        ("needle", "deap", "did you mean 'deep'"),
        ("posture", 1, "unknown word 1; known here: standing, sitting, lying"),
        ("stress", 1.5, "mental stress lies within 0 to 1"),
        ("stress", True, "is not a number"),
        ("clothing", "lite", "did you mean 'light'"),
        ("clothing", {"chst": "1 clo"}, "did you mean 'chest'"),
        ("clothing", {"chest": 1}, "the unit is missing"),
        ("strss", 1, "did you mean 'stress'"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(name, text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        values_of(name, text)


def test_lengths_of_time():
    assert [seconds(text) for text in ("45 s", "1 h 30 min", "1h30min", "2 weeks", "4.3 min")] == [
        45, 5400, 5400, 1_209_600, pytest.approx(258),
    ]  # fmt: skip
    for wrong in ("", "5", "five min", "5 min later", "1 hour", 300):
        with pytest.raises(ValueError, match="is not a length of time"):
            seconds(wrong)
    for time_s in (0, 1, 59.5, 60, 5400, 86_400, 1_209_600 + 90_061):
        assert seconds(length_of(time_s)) == time_s
    assert length_of(5400) == "1 h 30 min"
    assert clock_hour("09:30") == 9.5
    with pytest.raises(ValueError, match="time of day"):
        clock_hour("25:00")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('air_temp = "24 °C"', 'air_tmp = "24 °C"', "room.air_tmp: unknown input 'air_tmp'; did you mean 'air_temp'?"),
        ('air_temp = "24 °C"', 'air_temp = "75 °C"', "room.air_temp: '75 °C' is not possible"),
        ('duration = "2 h"', 'duraton = "2 h"', "time.duration: missing; unknown key 'duraton'; did you mean"),
        ('duration = "2 h"', 'duration = "0 s"', "time.duration: '0 s' lies outside 1 s to 52 weeks 2 days"),
        ('duration = "2 h"', 'duration = "2 h"\nspeed = 1', "time.speed: unknown key 'speed'"),
        ('duration = "2 h"', 'duration = "9999 weeks"', "time.duration: '9999 weeks' lies outside"),
        ('duration = "2 h"', 'duration = "2 h"\nstep = "2 days"', "time.step: '2 days' lies outside"),
        ('to = "1 h"', 'too = "1 h"', "events[1].too: unknown key 'too'; did you mean 'to'?"),
        ('to = "1 h"', 'to = "20 min"', "events[1].to: ends at 20 min, but begins at 30 min"),
        ('to = "1 h"', 'to = "3 h"', "events[1].to: 3 h is after the end of the scenario (2 h)"),
        ('ramp = "2 min"', 'ramp = "40 min"', "events[1].ramp: takes 40 min, but the event lasts only 30 min"),
        ('from = "30 min"', 'from = "20 min"', "events[1].from: begins 20 min after the start, within the steady"),
        ('ramp = "2 min"', 'every = "10 min"\ntimes = 2', "'one' (from 40 min) overlap, and both set stress"),
        ('ramp = "2 min"', 'every = "2 h"\ntimes = 2', "events[1].times: the last of 2 times would end at 3 h"),
        ('ramp = "2 min"', "times = 2", "events[1]: 'every' and 'times' go together"),
        ('air_temp = "30 °C"', "stress = 0.1", None),
        ('from = "1 h 30 min"\nset = { air_temp = "30 °C"', 'from = "50 min"\nset = { stress = 1', "overlap"),
        ("stress = 0.5, ", 'needle = "deep", ', "set.needle: a needle goes in at one moment"),
        ('humidity = "50 %"', 'needle = "deep"', "room.needle: a needle is an event"),
        ('en = "title"', "", "title.en: missing"),
        ('set = { air_temp = "30 °C" }', "set = {}", "events[2].set: sets nothing"),
        ("[room]", "[room", "not valid TOML"),
        ("[room]", "[person]\nheight = '1.72 cm'\n[room]", "'1.72 cm' is not possible: it lies within 1.2 to 2.3 m"),
        ("[room]", "[person]\nheigth = '172 cm'\n[room]", "person.heigth: unknown key 'heigth'; did you mean 'height'"),
        ("[room]", "[person]\nsex = 'x'\n[room]", "person.sex: must be 'male' or 'female'"),
        ("[room]", "[person.traits]\nflush_gian = 1\n[room]", "traits.flush_gian: unknown parameter 'flush_gian'; did"),
        ("[room]", "[person.traits]\nflush_gain = 99\n[room]", "flow multiplier less 1, 0 to 4"),
        ("[time]", "[tme]", "time: missing; unknown key 'tme'; did you mean 'time'?"),
        ('air_temp = "24 °C"', f"activity = {'9' * 400}", "is not possible: metabolic rate over basal lies within"),
        ("[room]", f"[room]\nstress = {'9' * 5000}", "not valid TOML: Exceeds the limit"),
        ("[room]", f"[room]\nstress = {'[' * 5000}", "not valid TOML: maximum recursion depth"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_key_and_what_is_allowed(tmp_path, old, new, said):
    assert old in WHOLE
    file = written(tmp_path, WHOLE.replace(old, new, 1))
    if said is None:
        assert read_scenario(file).events  # another input at the same time is no overlap
        return
    with pytest.raises(InputError, match=re.escape(said)) as told:
        read_scenario(file)
    assert str(told.value).startswith(str(file))
    assert not str(told.value).endswith(" 1")  # a range without unit


MEANINGLESS = ["x", "[]", "{}", "3", "-1", "true", "nan", "1979-05-27", '"x"', '["x"]', "{ ja = 1 }", '{ x = "y" }']
KEYS = [
    "duration", "baseline", "air_temp", "humidity", "clothing", "name", "from", "to", "ramp", "set", "ja", "en",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_whatever_stands_there_the_file_is_read_or_refused_by_name(tmp_path, key):
    told = []
    for value in MEANINGLESS:
        file = written(tmp_path, re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", WHOLE, count=1))
        try:
            read_scenario(file)
        except InputError as error:
            told.append(str(error))
    assert len(told) >= len(MEANINGLESS) - 2  # a text may well be "x"
    assert all(one.startswith(f"{file}: ") for one in told)


@pytest.mark.parametrize("table", ["title", "shows", "time", "room", "events", "person", "sources"])
def test_a_table_that_is_none_is_refused(tmp_path, table):
    rest = re.sub(rf"(?ms)^\[+{table}\]+\n.*?(?=^\[)", "", WHOLE + "[last]\n")
    with pytest.raises(InputError, match=table):
        read_scenario(written(tmp_path, f"{table} = 3\n" + rest))


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_scenario(tmp_path / "none.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_scenario(binary)
    with pytest.raises(InputError, match="unknown scenario 'scraf'; did you mean 'scarf'"):
        find_scenario("scraf")


# -- those that come along ---------------------------------------------------------------------------------------------

TWELVE = {
    "desk_day", "sudden_anger", "cold_front", "hot_room", "scarf", "fever", "hot_flash", "blush", "trapezius_task",
    "chronic_stress", "needling", "nothing",
}  # fmt: skip


def test_the_twelve_come_along():
    assert set(shipped_scenarios()) >= TWELVE


@pytest.mark.parametrize("name", sorted(file.stem for file in SHIPPED.glob("*.toml")))
def test_a_shipped_scenario_is_whole_and_starts_from_a_steady_room(name):
    scenario = find_scenario(name)
    japanese = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
    for words in (scenario.title, scenario.shows, *(event.name for event in scenario.events)):
        assert japanese.search(words.ja)
        assert not japanese.search(words.en)
    forcing = scenario.forcing()
    assert forcing.dt_s.sum() == pytest.approx(scenario.duration_s)
    assert scenario.baseline_s >= 1200
    quiet = forcing.end_s <= scenario.baseline_s + 1e-6
    for name_ in (known for known in forcing.values if known != "hour"):
        before = forcing[name_][quiet]
        assert np.array_equal(before, np.full_like(before, before[0]), equal_nan=True), name_
    assert bool(scenario.events) == (name != "nothing")


def test_shipped_scenarios_have_the_inputs_that_were_published():
    interview = find_scenario("sudden_anger").events[0]  # 4 min, as in Dimsdale et al. 1987
    assert interview.end_s - interview.start_s == 240
    assert interview.values["stress"] + 0.5 * interview.values["emotion"] == pytest.approx(1.0)
    arms, work = find_scenario("trapezius_task").events  # Larsson et al. 1993; Flodgren et al. 2010
    assert arms.end_s - arms.start_s == pytest.approx(4.3 * 60)
    assert work.end_s - work.start_s == 1800
    assert find_scenario("trapezius_task").duration_s - work.end_s >= 3600
    sums = find_scenario("mental_arithmetic").events[0]  # Muller, Sauder & Ray 2013
    assert sums.end_s - sums.start_s == 180
    front = find_scenario("cold_front")
    fall = front.events[0]
    assert (front.room["pressure_hpa"] - fall.values["pressure_hpa"], fall.ramp_s) == (20.0, 86_400.0)
    scarf = find_scenario("scarf")
    assert scarf.room["air_temp_c"] == 22.0
    assert find_scenario("fever").events[0].values == {"pyrogen_k": 2.0}
    assert sum(e.end_s - e.start_s for e in find_scenario("desk_day").events) == 8 * 3600


def test_a_superficial_and_a_deep_needle_each_last_one_step():
    forcing = find_scenario("needling").forcing()
    assert sorted(forcing["needle"][forcing["needle"] > 0]) == [1.0, 2.0]


def test_every_input_that_people_may_write_reaches_a_channel():
    for name, spoken in SPOKEN.items():
        assert spoken.units or spoken.words, name
