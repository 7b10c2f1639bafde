"""Whatever is wrong with a folder, the rest is kept and the person is told what to do."""

from __future__ import annotations

import tempfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unaji.errors import InputError, OutputError
from unaji.records.folder import read_folder, write_folder
from unaji.records.timeline import Beats, Episode, Person, Series, Timeline, Zones

ONE_EPISODE = "start\n2024-05-01T08:00\n"


def told(timeline: Timeline) -> list[str]:
    return [str(problem) for problem in timeline.problems]


def rejected(timeline: Timeline) -> list[str]:
    return [str(problem) for problem in timeline.problems if problem.rejected]


# -- nothing there -----------------------------------------------------------------------------------------------------


def test_an_empty_folder_says_what_may_be_put_into_it(tmp_path):
    with pytest.raises(InputError, match=r"holds no records; put at least one of these into it: episodes\.csv"):
        read_folder(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nobody: is not a folder"):
        read_folder(tmp_path / "nobody")


def test_a_folder_of_only_strange_files_says_so(read):
    with pytest.raises(InputError, match=r"no record that can be used \(holiday\.jpg: the file is not one that unaji"):
        read({"holiday.jpg": b"\xff\xd8\xff\xe0 picture"})


def test_a_folder_whose_only_rows_are_wrong_says_which(read):
    with pytest.raises(InputError, match=r"episodes\.csv, line 2: found 'yesterday': is not a time; write it like"):
        read({"episodes.csv": "start\nyesterday\n"})


def test_one_episode_is_enough_to_read(read):
    timeline = read({"episodes.csv": ONE_EPISODE})
    assert timeline.episodes == (Episode(datetime(2024, 4, 30, 23, tzinfo=UTC)),)
    assert timeline.problems == ()


def test_no_signals_is_no_problem(read):
    timeline = read({"episodes.csv": ONE_EPISODE, "ratings.csv": "time,quantity,value\n2024-05-01 09:00,stress,7\n"})
    assert timeline.series == ()
    assert timeline.beats is None
    assert timeline.problems == ()


def test_no_episodes_is_no_problem(read):
    timeline = read({"episodes.csv": "start\n", "series/hr.csv": "time,hr_bpm\n2024-05-01T08:00,60\n"})
    assert timeline.episodes == ()
    assert len(timeline.of("hr_bpm")) == 1
    assert timeline.problems == ()


def test_hidden_files_and_the_truth_of_a_simulated_person_are_passed_over_in_silence(read):
    timeline = read({"episodes.csv": ONE_EPISODE, ".DS_Store": b"\0", "truth.toml": "x = 1", ".git/config": "x"})
    assert timeline.problems == ()


def test_a_list_of_what_is_unsafe_that_cannot_be_read_stops_the_reading(read):
    with pytest.raises(InputError, match=r'unsafe must be a list of exposures such as \["exercise"'):
        read({"episodes.csv": ONE_EPISODE, "person.toml": 'timezone = "UTC"\nunsafe = "exercise"\n'})


def test_readme_is_remarked_on_and_nothing_is_rejected(read):
    timeline = read({"episodes.csv": ONE_EPISODE, "README.md": "# my notes\n"})
    assert told(timeline) == ["README.md: the file is not one that unaji reads; it was left alone"]
    assert rejected(timeline) == []


# -- wrong values ------------------------------------------------------------------------------------------------------


def test_a_column_without_any_value_is_remarked_on(read):
    timeline = read({"series/hr.csv": "time,hr_bpm,steps\n2024-05-01T08:00,60,NaN\n2024-05-01T08:01,61,\n"})
    assert timeline.of("steps") is None
    assert told(timeline) == ["series/hr.csv: found 'steps': the column has no value"]


def test_rr_in_seconds_is_one_clear_problem(read):
    rows = "".join(f"2024-05-01T08:00:{i:02d},0.8{i:02d}\n" for i in range(50))
    timeline = read({"episodes.csv": ONE_EPISODE, "beats.csv": f"time,rri_ms\n{rows}"})
    assert timeline.beats is None
    (problem,) = rejected(timeline)
    assert problem.startswith("beats.csv: found '0.8': 50 of 50 values of rri_ms lie outside 250 to 3000 ms")
    assert "values near 1 are seconds: multiply by 1000" in problem


def test_a_single_implausible_interval_is_told_and_kept_for_the_signals_to_judge(read):
    rows = "".join(f"2024-05-01T08:00:{i:02d},{800 + i}\n" for i in range(9))
    timeline = read({"beats.csv": f"time,rri_ms\n{rows}2024-05-01T08:00:09,0.84\n"})
    assert timeline.beats.rri_ms[-1] == 0.84
    (problem,) = told(timeline)
    assert problem.startswith("beats.csv, line 11: found '0.84': rri_ms lies outside 250 to 3000 ms; values near 1 are")


def test_pressure_in_pascal_is_one_clear_problem(read):
    rows = "".join(f"2024-05-01T{h:02d}:00,{101_000 + h},20\n" for h in range(24))
    timeline = read({"series/weather.csv": f"time,station_pressure_hpa,air_temp_c\n{rows}"})
    assert timeline.of("station_pressure_hpa") is None
    assert len(timeline.of("air_temp_c")) == 24
    (problem,) = rejected(timeline)
    assert "24 of 24 values of station_pressure_hpa lie outside" in problem
    assert "values near 100000 are Pa: divide by 100" in problem


def test_fahrenheit_is_told_with_line_and_hint_while_the_rest_is_kept(read):
    rows = "".join(f"2024-05-01T{h:02d}:00,33.{h}\n" for h in range(9))
    timeline = read({"series/skin.csv": f"time,neck_skin_temp_c\n{rows}2024-05-01T09:00,92.3\n"})
    assert len(timeline.of("neck_skin_temp_c")) == 9
    (problem,) = rejected(timeline)
    assert problem.startswith("series/skin.csv, line 11: found '92.3': neck_skin_temp_c lies outside 20 to 43 °C")
    assert "Fahrenheit" in problem


@pytest.mark.parametrize(("lowest", "kept"), [(45, False), (36, False), (35, True)])
def test_air_in_fahrenheit_of_a_cool_climate_is_known_by_its_median(read, lowest, kept):
    rows = "".join(f"2024-05-{d:02d}T{h:02d}:00,{lowest + h}\n" for d in range(1, 31) for h in range(20))
    timeline = read({"episodes.csv": ONE_EPISODE, "series/air.csv": f"time,air_temp_c\n{rows}"})
    assert (timeline.of("air_temp_c") is not None) == kept
    if not kept:
        (problem,) = timeline.problems
        assert "Fahrenheit: (F − 32) / 1.8. The whole column was left out" in problem.rule
        assert problem.count == 600


def test_a_word_where_a_number_belongs_is_told_with_its_line(read):
    timeline = read({"series/hr.csv": "time,hr_bpm\n2024-05-01T08:00,sixty\n2024-05-01T08:01,61\n"})
    assert timeline.of("hr_bpm").value.tolist() == [61]
    assert rejected(timeline) == ["series/hr.csv, line 2: found 'sixty': hr_bpm must be a number"]


def test_ratings_outside_the_scale_and_of_unknown_feelings_are_rejected(read):
    rows = "2024-05-01T08:00,stress,11\n2024-05-01T08:00,joy,3\n2024-05-01T08:00,Neck Stiffness,4\n"
    timeline = read({"ratings.csv": f"time,quantity,value\n{rows}"})
    assert [(r.quantity, r.value) for r in timeline.ratings] == [("neck_stiffness", 4.0)]
    unknown, outside = rejected(timeline)
    assert "line 3: found 'joy': quantity is none of stress, anger" in unknown
    assert "line 2: found '11': a rating must lie between 0 and 10" in outside


def test_an_unknown_exposure_is_kept_because_an_article_may_name_it(read):
    timeline = read({"exposures.csv": "start,kind\n2024-05-01T08:00,cofeine\n2024-05-01T08:00,stiff_collar\n"})
    assert {e.kind for e in timeline.exposures} == {"cofeine", "stiff_collar"}
    assert rejected(timeline) == []
    assert (
        "line 2: found 'cofeine': did you mean caffeine? unaji does not know this kind; it was kept"
        in told(timeline)[0]
    )
    assert [problem.value for problem in timeline.problems] == ["cofeine", "stiff_collar"]


def test_an_unknown_quantity_names_the_nearest_one(read):
    timeline = read({"series/hr.csv": "time,hr_bmp,hr_bpm\n2024-05-01T08:00,60,60\n"})
    (problem,) = told(timeline)
    assert "line 1: found 'hr_bmp': did you mean hr_bpm" in problem
    assert "GLOSSARY.md lists the names it knows" in problem


@pytest.mark.parametrize(
    ("written", "meant"),
    [("heart_rate", "hr_bpm"), ("air_temperature", "air_temp_c"), ("humidity", "rel_humidity_pct")],
)
def test_an_unknown_quantity_is_understood_by_its_english_name(read, written, meant):
    rows = "2024-05-01T08:00,60,1\n2024-05-01T09:00,61,\n"
    (problem,) = read({"series/x.csv": f"time,{written},steps\n{rows}"}).problems
    assert meant in problem.rule.partition("?")[0]
    assert problem.count == 2


def test_an_intensity_off_the_scale_costs_the_intensity_but_not_the_episode(read):
    timeline = read({"episodes.csv": "start,intensity\n2024-05-01T08:00,70\n"})
    assert timeline.episodes[0].intensity is None
    assert "intensity must be between 0 and 10; the row was kept without it" in told(timeline)[0]


def test_exact_repeats_are_counted_once_and_told(read):
    timeline = read(
        {
            "episodes.csv": "start,note\n2024-05-01T08:00,hot\n2024-05-01T08:00,hot\n2024-05-01T08:00,other\n",
            "series/hr.csv": "time,hr_bpm\n2024-05-01T08:00,60\n2024-05-01T08:00,60\n2024-05-01T08:00,61\n",
        }
    )
    assert len(timeline.episodes) == 2
    assert timeline.of("hr_bpm").value.tolist() == [60, 61]
    assert rejected(timeline) == [
        "episodes.csv, line 3: the row repeats an earlier one exactly and was counted once",
        "series/hr.csv: found '1': rows of hr_bpm repeat an earlier one exactly and were counted once",
    ]


# -- wrong times -------------------------------------------------------------------------------------------------------


def test_dates_in_the_future_and_before_1990_are_rejected(read):
    rows = "2052-05-01T08:00\n1970-01-01T09:00\n2025-06-02T08:00\n"
    timeline = read({"episodes.csv": f"start\n{rows}"})
    assert len(timeline.episodes) == 1  # tomorrow is let pass: clocks of devices differ
    assert rejected(timeline) == [
        "episodes.csv, line 3: found '1970-01-01T09:00': lies before 1990: was the clock of the device set?",
        "episodes.csv, line 2: found '2052-05-01T08:00': lies in the future: is the year right?",
    ]


def test_an_end_before_its_start_is_rejected(read):
    timeline = read(
        {"exposures.csv": "start,end,kind\n2024-05-01T08:00,2024-05-01T07:00,phone\n2024-05-01T08:00,,phone\n"}
    )
    assert len(timeline.exposures) == 1
    assert rejected(timeline) == ["exposures.csv, line 2: found '2024-05-01T07:00': the end lies before the start"]


def test_what_lasts_days_is_rejected_only_where_it_cannot(read):
    rows = "2024-05-01,2024-05-20,desk_work\n2024-05-01,2024-05-20,medication\n2024-05-01,2024-05-20,new_pillow\n"
    timeline = read({"exposures.csv": f"start,end,kind\n{rows}"})
    assert {e.kind for e in timeline.exposures} == {"medication", "new_pillow"}
    assert rejected(timeline) == [
        "exposures.csv, line 2: found '2024-05-20': lasts more than 36 h: is the date of the end right?"
    ]


def test_an_episode_of_days_keeps_its_onset_and_loses_its_end(read):
    timeline = read({"episodes.csv": "start,end\n2024-05-01T08:00,2024-05-11T08:00\n"})
    assert timeline.episodes[0].end is None
    assert "The episode was kept without its end" in told(timeline)[0]


def test_a_clock_that_goes_back_is_told_and_the_rows_sorted(read):
    rows = "2024-05-01T08:00,60\n2024-05-01T08:02,62\n2024-05-01T08:01,61\n2024-05-01T08:03,63\n2024-05-01T07:59,59\n"
    timeline = read(
        {
            "series/hr.csv": f"time,hr_bpm\n{rows}",
            "beats.csv": "time,rri_ms\n2024-05-01T08:00:01,800\n2024-05-01T08:00:00,810\n",
        }
    )
    assert timeline.of("hr_bpm").value.tolist() == [59, 60, 61, 62, 63]
    assert timeline.beats.rri_ms.tolist() == [810, 800]
    rule = "times here and after go back (first one: this line); the rows were sorted by time"
    assert told(timeline) == [f"beats.csv, line 3: found '1': {rule}", f"series/hr.csv, line 4: found '2': {rule}"]


def test_two_sites_written_below_each_other_are_no_clock_going_back(read):
    rows = "2024-05-01T08:00,nape,33\n2024-05-01T09:00,nape,34\n2024-05-01T08:00,wrist,31\n"
    timeline = read({"series/skin.csv": f"time,site,skin_temp_c\n{rows}"})
    assert timeline.problems == ()
    assert [(s.site, len(s)) for s in timeline.series] == [("nape", 2), ("wrist", 1)]


def test_problems_of_one_kind_are_not_a_flood(read):
    rows = "".join(f"2052-05-01T08:{i % 60:02d}\n" for i in range(100))
    timeline = read({"episodes.csv": f"start\n{rows}2024-05-01T08:00\n"})
    assert len(timeline.problems) == 21
    assert sum(problem.count for problem in timeline.problems) == 100
    assert str(timeline.problems[-1]).startswith("episodes.csv: 80 more rows like these: lies in the future")


# -- wrong files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty; its first line must name the columns"),
        (b"begin\n2024-05-01T08:00\n", "the first line must name the columns start; the file was left out"),
        (b"start\n\x81\xff\xff\n", "neither UTF-8 nor Shift_JIS"),
        (ONE_EPISODE.encode("utf-16"), "the text is UTF-16 ('Unicode text'); save the file as 'CSV UTF-8'"),
        (b"\xfe\xff" + ONE_EPISODE.encode("utf-16-be"), "the text is UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_while_the_others_are_used(read, content, said):
    timeline = read({"episodes.csv": content, "series/hr.csv": "time,hr_bpm\n2024-05-01T08:00,60\n"})
    assert timeline.episodes == ()
    assert any(said in problem for problem in rejected(timeline))


def test_a_broken_parquet_file_is_told(read):
    timeline = read({"episodes.csv": ONE_EPISODE, "series/hr.parquet": b"PAR1 not really"})
    assert rejected(timeline) == ["series/hr.parquet: the file is not a readable Parquet file; write it again"]


def test_shift_jis_from_japanese_excel_is_read_with_a_remark(read):
    timeline = read({"episodes.csv": "start,note\n2024/5/1 8:05,首が熱い\n".encode("cp932")})
    assert timeline.episodes[0].note == "首が熱い"
    assert timeline.episodes[0].start == datetime(2024, 4, 30, 23, 5, tzinfo=UTC)
    assert rejected(timeline) == []
    assert "Shift_JIS" in told(timeline)[0]


def test_full_width_digits_and_signs_are_read_as_plain_ones(read):
    timeline = read(
        {
            "episodes.csv": "start,end,intensity,note\n"
            "２０２４／０５／０１　０９：３０,２０２４-０５-０１　１０：００,７．５,ｆｕｌｌ\n",
            "ratings.csv": "time,quantity,value\n2024-05-01T08:00,stress,７\n2024-05-01T09:00,stress,－\n",
            "series/air.csv": "time,air_temp_c\n2024-05-01T08:00,－３．５\n2024-05-01T09:00,４\n",
        }
    )
    at = datetime(2024, 5, 1, 0, 30, tzinfo=UTC)
    assert timeline.episodes == (Episode(at, at + timedelta(minutes=30), 7.5, "ｆｕｌｌ"),)
    assert [r.value for r in timeline.ratings] == [7]
    assert timeline.of("air_temp_c").value.tolist() == [-3.5, 4]
    assert rejected(timeline) == ["ratings.csv, line 3: found '－': value must be a number"]


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(read):
    timeline = read({"episodes.csv": b'\xef\xbb\xbfStart,Note\r\n2024-05-01 08:00,"a, b"\r\n'})
    assert timeline.episodes[0].note == "a, b"
    assert timeline.problems == ()


def test_a_broken_person_file_stops_since_a_guess_would_shift_every_time(read):
    with pytest.raises(InputError, match=r"person\.toml.*'Asia/Tokio' is not a time zone; write an IANA name"):
        read({"person.toml": 'timezone = "Asia/Tokio"', "episodes.csv": ONE_EPISODE})
    with pytest.raises(InputError, match=r"person\.toml: cannot be read as TOML"):
        read({"person.toml": "timezone = Tokyo", "episodes.csv": ONE_EPISODE})


def test_values_of_the_person_that_cannot_be_are_left_out(read):
    timeline = read(
        {"person.toml": 'height_cm = 1.62\nbirth_year = 1988\nname = "x"\ntimezone="UTC"', "episodes.csv": ONE_EPISODE}
    )
    assert (timeline.person.height_cm, timeline.person.birth_year) == (None, 1988)
    assert timeline.person.id == "hana"
    assert "height_cm must be a number from 40 to 250" in rejected(timeline)[0]


# -- which zone --------------------------------------------------------------------------------------------------------


def test_a_wall_clock_without_any_zone_says_how_to_name_one(read):
    with pytest.raises(InputError, match=r'episodes\.csv: its times are wall clock .* timezone = "Asia/Tokyo"'):
        read({"person.toml": None, "episodes.csv": ONE_EPISODE})


def test_the_callers_zone_serves_where_the_folder_names_none(read):
    timeline = read({"person.toml": None, "episodes.csv": ONE_EPISODE}, timezone="Europe/Berlin")
    assert timeline.person.timezone == "Europe/Berlin"
    assert timeline.episodes[0].start == datetime(2024, 5, 1, 6, tzinfo=UTC)


def test_the_folders_zone_holds_against_the_callers(read):
    timeline = read({"episodes.csv": ONE_EPISODE}, timezone="Europe/Berlin")
    assert timeline.person.timezone == "Asia/Tokyo"
    assert "person.toml says Asia/Tokyo, which holds" in told(timeline)[0]


def test_where_only_the_times_offsets_speak_they_name_a_zone(read):
    timeline = read({"person.toml": None, "episodes.csv": "start\n2024-05-01T08:00+08:00\n"})
    assert timeline.person.timezone == "Etc/GMT-8"
    assert timeline.zones.local(timeline.episodes[0].start).hour == 8
    assert "nobody has said in which time zone" in told(timeline)[0]


# -- writing -----------------------------------------------------------------------------------------------------------


def small_timeline(note: str = "") -> Timeline:
    episode = Episode(datetime(2024, 5, 1, tzinfo=UTC), note=note)
    return Timeline(Person("hana", "Asia/Tokyo"), Zones(("Asia/Tokyo",)), episodes=(episode,))


def test_the_written_files_are_plain(tmp_path):
    start = np.datetime64("2024-05-01T00:00", "ms")
    timeline = Timeline(
        Person("hana", "Asia/Tokyo", height_cm=162.5),
        Zones(("Asia/Tokyo", "Europe/Paris"), (datetime(2024, 5, 2, tzinfo=UTC),)),
        series=(Series("skin_temp_c", start + np.array([0, 1500]), [33.1, 33.25], site="nape", source="ibutton:7"),),
        beats=Beats(start + np.array([800, 1700]), [800.0, np.nan], [True, False], origin="ecg"),
        episodes=(
            Episode(datetime(2024, 4, 30, 15, tzinfo=UTC), whole_day=True),
            Episode(datetime(2024, 5, 3, 6, 0, 0, 250_000, tzinfo=UTC), intensity=7, note='hot, "very"'),
        ),
    )
    write_folder(timeline, tmp_path / "hana")
    text = {f.relative_to(tmp_path / "hana").as_posix(): f.read_text() for f in (tmp_path / "hana").rglob("*.*")}
    assert text == {
        "person.toml": 'id = "hana"\ntimezone = "Asia/Tokyo"\nheight_cm = 162.5\n',
        "zones.csv": "from,zone\n2024-05-02T02:00:00+02:00,Europe/Paris\n",
        "episodes.csv": 'start,end,intensity,note\n2024-05-01,,,\n2024-05-03T08:00:00.250+02:00,,7.0,"hot, ""very"""\n',
        "beats.csv": "time,rri_ms,gap,origin\n2024-05-01T09:00:00.800+09:00,800.0,1,ecg\n"
        "2024-05-01T09:00:01.700+09:00,,0,ecg\n",
        "series/skin_temp_c-nape-ibutton_7.csv": "time,site,source,skin_temp_c\n"
        "2024-05-01T09:00:00+09:00,nape,ibutton:7,33.1\n2024-05-01T09:00:01.500+09:00,nape,ibutton:7,33.25\n",
    }


def test_writing_into_a_folder_leaves_strange_files_and_keeps_the_former_ones(folder):
    place = folder(
        {"episodes.csv": "start\n2024-05-01T08:00\nyesterday\n", "series/old.csv": "time,hr_bpm\n", "my.txt": "x"}
    )
    write_folder(small_timeline("new"), place)
    assert (place / "my.txt").read_text() == "x"
    assert not (place / "series" / "old.csv").exists()
    assert [e.note for e in read_folder(place).episodes] == ["new"]
    write_folder(small_timeline("newer"), place)
    assert "yesterday" in (place / ".previous" / "1" / "episodes.csv").read_text()
    assert "new" in (place / ".previous" / "2" / "episodes.csv").read_text()


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_failed_write_leaves_the_former_files(folder, monkeypatch, fails_at):
    place = folder({"episodes.csv": ONE_EPISODE, "ratings.csv": "time,quantity,value\n2024-05-01T08:00,stress,1\n"})
    before = {f.name: f.read_bytes() for f in place.iterdir()}
    moves = 0
    replace = Path.replace

    def full_disk(self, target):
        nonlocal moves
        moves += 1
        if moves == fails_at + 2:
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OutputError, match="No space left on device"):
        write_folder(small_timeline(), place)
    assert {f.name: f.read_bytes() for f in place.iterdir()} == before


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        write_folder(small_timeline(), tmp_path / "file")
    with pytest.raises(OutputError, match="cannot be written"):
        write_folder(small_timeline(), tmp_path / "file" / "hana")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


# -- archives ----------------------------------------------------------------------------------------------------------


def test_a_broken_archive_is_told_and_a_hidden_member_not_read(folder):
    place = folder({"episodes.csv": ONE_EPISODE, "broken.zip": b"PK\x03\x04 and no more"})
    with zipfile.ZipFile(place / "fine.zip", "w") as archive:
        archive.writestr("__MACOSX/._tags.csv", "1646305200\n")
        archive.writestr("a/notes.txt", "hello")
    problems = told(read_folder(place))
    assert any(
        p.startswith("broken.zip: found 'File is not a zip file': the archive cannot be opened") for p in problems
    )
    assert any(p.startswith("fine.zip/a/notes.txt: the file is not one") for p in problems)
    assert len(problems) == 2


def test_a_member_that_unpacks_to_far_more_than_its_size_is_refused(folder, monkeypatch):
    monkeypatch.setattr("unaji.records.archive.RATIO_FROM", 1000)
    place = folder({"episodes.csv": ONE_EPISODE})
    with zipfile.ZipFile(place / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("EDA.csv", "1646305200.0\n4.0\n" + "0" * 10_000_000)
    timeline = read_folder(place)
    assert timeline.series == ()
    assert rejected(timeline) == ["bomb.zip: found '1': the archive unpacks to far more than its size; it was not read"]


def test_observed_time_is_read_and_a_day_means_all_of_it(read):
    timeline = read(
        {"observed.csv": "start,end\n2024-05-01,2024-05-02\n2024-05-03T09:00,\n", "episodes.csv": ONE_EPISODE}
    )
    (interval,) = timeline.observed
    assert interval.end - interval.start == timedelta(days=2)
    assert "line 3: an observed stretch needs an end after its start" in rejected(timeline)[0]


# -- anything at all ---------------------------------------------------------------------------------------------------

FILES = {
    "person.toml": 'timezone = "Asia/Tokyo"\nheight_cm = 160\n',
    "zones.csv": "from,zone\n2024-05-03T09:00,Europe/Paris\n",
    "episodes.csv": 'start,end,intensity,note\n2024-05-01,,3,"a, ""b"""\n2024-05-01T08:00,2024-05-01T09:00,,\n',
    "exposures.csv": "start,end,kind,amount\n2024-05-01T08:00,,caffeine,1\n",
    "beats.csv": "time,rri_ms,gap\n2024-05-01T08:00:00.8,800,1\n2024-05-01T08:00:01.6,800,0\n",
    "series/hr.csv": "time,end,site,hr_bpm\n2024-05-01T08:00Z,2024-05-01T08:01Z,wrist,60\n",
    "IBI.csv": "1646305200.0, IBI\n1.0,0.75\n1.75,0.75\n",
    "x_skin.csv": "about\n\nDate/Time,Unit,Value\n3/14/21 3:38:14 PM,C,28.25\n",
    "jma.csv": "ダウンロードした時刻：\n\n,東京,東京\n年月日,平均気温(℃),平均気温(℃)\n,,品質情報\n2024/5/1,15,8\n",
    "votes.csv": "time,fitbit.thermal\n2024-05-01T08:00,11\n",
    "fitbit.csv": "time,fitbit_api.HR,fitbit_api.Steps\n2024-05-01T08:00,60,\n2024-05-01T08:00,,4\n",
    "air.csv": "time,purpleair.humidity,purpleair.pressure,purpleair.temperature\n2024-05-01T08:00,56,1006.7,27\n",
    "daily.csv": "Year,Month,Day,Hour,Minute,Location,Latitude (°),Longitude (°),Headache,Severity\n"
    "2024,5,1,21,7,A,35.7,139.7,1,4\n2024,5,2,21,7,B,34.7,139.7,0,\n",
}
DAMAGE = st.tuples(st.sampled_from(sorted(FILES)), st.floats(0, 1), st.binary(max_size=6), st.integers(0, 8))


@settings(max_examples=60, deadline=None)
@given(st.lists(DAMAGE, min_size=1, max_size=4))
def test_no_damage_to_any_file_ends_in_more_than_a_clear_error(damages):
    content = {name: text.encode() for name, text in FILES.items()}
    for name, where, put, cut in damages:
        at = int(where * len(content[name]))
        content[name] = content[name][:at] + put + content[name][at + cut :]
    with tempfile.TemporaryDirectory() as place:
        for name, data in content.items():
            (Path(place) / name).parent.mkdir(exist_ok=True)
            (Path(place) / name).write_bytes(data)
        try:
            timeline = read_folder(Path(place), now=datetime(2025, 6, 1, tzinfo=UTC))
        except InputError as error:
            said = str(error)
        else:
            said = "time zone" if timeline.episodes or timeline.exposures or timeline.series else "nothing"
        assert "person.toml" in said or "time zone" in said
