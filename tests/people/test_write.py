"""Simulated people as folders: the truth beside the records, the same bytes again, and the committed example."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from unaji.errors import OutputError
from unaji.people.truth import Truth
from unaji.people.write import (
    EXAMPLE_LOGGED,
    EXAMPLE_SHARES,
    example_person,
    is_typical,
    simulate_person_folder,
    write_example,
)
from unaji.records.folder import read_folder

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "person"
EXAMPLE_SEED = 1


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path):
    for name, seed in (("one", 5), ("again", 5), ("other", 6)):
        simulate_person_folder(tmp_path / name, seed=seed, weeks=4)
    assert content(tmp_path / "one") == content(tmp_path / "again")
    assert content(tmp_path / "one") != content(tmp_path / "other")


def test_the_folder_reads_back_without_a_problem_and_says_that_it_is_simulated(tmp_path: Path):
    truth = simulate_person_folder(tmp_path / "p", seed=8, weeks=6, causes=["caffeine", "humidity"], fever=True)
    timeline = read_folder(tmp_path / "p")
    stated = tomllib.loads((tmp_path / "p" / "truth.toml").read_text(encoding="utf-8"))
    assert isinstance(truth, Truth)
    assert timeline.problems == ()
    assert timeline.person.simulated
    assert stated["simulated"] is True
    assert [e.start.timestamp() for e in timeline.episodes] == [
        np.datetime64(e["start"][:-6], "m").astype("datetime64[s]").astype(int) - 9 * 3600 for e in stated["episodes"]
    ]
    assert [c["id"] for c in stated["causes"]] == ["caffeine", "humidity"]
    assert stated["fever"]["start"] < stated["fever"]["end"]


def test_the_stated_counts_add_up(tmp_path: Path):
    for seed in range(4):
        simulate_person_folder(tmp_path / str(seed), seed=seed, weeks=5)
        stated = tomllib.loads((tmp_path / str(seed) / "truth.toml").read_text(encoding="utf-8"))
        by_source = [c["logged_episodes"] for c in stated.get("causes", [])]
        by_source += [stated["background"]["logged_episodes"], stated.get("echo", {}).get("logged_episodes", 0)]
        assert sum(by_source) == stated["logged_episodes"] == len(stated.get("episodes", []))


def test_a_person_without_causes_states_none(tmp_path: Path):
    truth = simulate_person_folder(tmp_path / "p", seed=1, weeks=4, null=True)
    assert truth.causes == ()
    assert "causes" not in tomllib.loads((tmp_path / "p" / "truth.toml").read_text(encoding="utf-8"))


def test_a_folder_with_files_is_left_alone(tmp_path: Path):
    (tmp_path / "diary.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="already holds files"):
        simulate_person_folder(tmp_path, seed=1, weeks=4)
    assert content(tmp_path) == {"diary.txt": b"mine"}


def test_the_example_is_the_first_typical_seed():
    people = {seed: example_person(np.random.default_rng(seed).spawn(2)[0]) for seed in range(1, EXAMPLE_SEED + 1)}
    assert [seed for seed, person in people.items() if is_typical(person)] == [EXAMPLE_SEED]
    with pytest.raises(ValueError, match="next seed"):
        write_example(Path("never-written"), EXAMPLE_SEED + 1)


def test_the_committed_example_is_what_the_script_writes(tmp_path: Path):
    write_example(tmp_path / "person", EXAMPLE_SEED)
    fresh, committed = content(tmp_path / "person"), content(EXAMPLE)
    assert fresh.keys() == committed.keys()
    # The bytes of Parquet change with the version of its writer; what is in it does not.
    for name in fresh:
        if not name.endswith(".parquet"):
            assert fresh[name] == committed[name], name
    one, other = read_folder(tmp_path / "person"), read_folder(EXAMPLE)
    assert one.episodes == other.episodes
    for made, kept in zip(one.series, other.series, strict=True):
        assert made.quantity == kept.quantity
        assert np.array_equal(made.value, kept.value)
    assert np.array_equal(one.beats.rri_ms, other.beats.rri_ms)


def test_the_committed_example_is_small_and_shows_every_part():
    files = content(EXAMPLE)
    sizes = {name: len(data) for name, data in files.items()}
    assert sum(sizes.values()) <= 1_500_000
    assert max(sizes.values()) <= 600_000
    timeline = read_folder(EXAMPLE)
    stated = tomllib.loads((EXAMPLE / "truth.toml").read_text(encoding="utf-8"))
    assert timeline.person.simulated
    assert timeline.problems == ()
    assert len(timeline.episodes) in EXAMPLE_LOGGED
    assert {c["id"]: c["share"] for c in stated["causes"]} == EXAMPLE_SHARES
    assert timeline.of("body_temp_c").value.max() >= 38.0
    assert timeline.treatments
    middle = timeline.span.start + (timeline.span.end - timeline.span.start) * 0.45
    assert timeline.treatments[0].time > middle
