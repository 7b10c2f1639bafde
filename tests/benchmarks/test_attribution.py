"""The benchmark of the engine: its metrics against worked examples, and the whole table on a handful of persons."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks.attribution import metrics
from benchmarks.attribution.__main__ import main
from benchmarks.attribution.persons import Course, Examined, Task, draw, examine
from benchmarks.attribution.table import BASELINES, ENGINE, bootstrap, estimate

BARE = {"seed": 0, "generator": "additive", "chain_gap": 0.0, "sweeps": 4000, "failed": {}, "seconds": {}}


def person(p: list[float], cause: list[bool], *, null: bool = False, **more: object) -> Examined:
    """Return an examined person with k exposures and as many episodes as `parent` has."""
    k, parent = len(p), np.array(more.pop("parent", []), dtype=int)
    table = np.array(more.pop("p_source", np.full((parent.size, k + 2), 1 / (k + 2))))
    given = {
        "ids": tuple("abcdefgh"[:k]), "explained": np.zeros((k, 3)), "share": np.zeros((k, 3)),
        "share_if_cause": np.full((k, 3), np.nan), "realised": np.zeros(k),
        "unlikely": np.zeros(k, dtype=bool), "p_source": table, "oracle_true": table,
        "oracle_logged": table, "parent": parent, "course": None, "scores": {},
    } | more  # fmt: skip
    return Examined(p=np.array(p), cause=np.array(cause), null=null, **BARE, **given)


def test_auroc_and_average_precision_of_scikit_learns_worked_example():
    """scikit-learn's user guide gives 0.75 and 0.83 for these four."""
    true, score = np.array([False, False, True, True]), np.array([0.1, 0.4, 0.35, 0.8])
    assert metrics.auroc(score, true) == pytest.approx(0.75)
    assert metrics.average_precision(score, true) == pytest.approx(0.83, abs=0.005)
    # Equal scores say nothing: the mean over their orders, and the precision of the tie.
    assert metrics.auroc(np.zeros(4), true) == pytest.approx(0.5)
    assert metrics.average_precision(np.zeros(4), true) == pytest.approx(0.5)
    assert np.isnan(metrics.auroc(score, np.ones(4, dtype=bool)))


def test_ranking_metrics_agree_with_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics", reason="scikit-learn (extra 'bench') is not installed")
    rng = np.random.default_rng(0)
    for _ in range(20):
        score, true = rng.integers(0, 8, 30) / 8, rng.random(30) < 0.3
        assert metrics.auroc(score, true) == pytest.approx(sklearn.roc_auc_score(true, score))
        assert metrics.average_precision(score, true) == pytest.approx(sklearn.average_precision_score(true, score))


def test_calibration_error_by_hand():
    # Two bins: 0.15 and 0.17 said of what never was (gap 0.32 of 4), 0.9 and 1.0 of what half was (gap 0.9 of 4).
    said, was = np.array([0.15, 0.17, 0.9, 1.0]), np.array([0, 0, 1, 0])
    assert metrics.calibration_error(said, was) == pytest.approx((0.32 + 0.9) / 4)
    assert metrics.calibration_error(said, was, np.array([1.0, 0, 0, 0])) == pytest.approx(0.15)


def test_causes_that_could_not_be_fitted_are_not_found_and_not_held_to_a_probability():
    found = [
        person([0.95, np.nan, 0.2], [True, True, False]),
        person([0.55, 0.85, 0.1], [True, False, False]),
        person([0.85, 0.0], [False, False], null=True),
    ]
    assert metrics.causes_found(0.5)(found) == pytest.approx(2 / 3)
    assert metrics.persons_found(0.8)(found) == pytest.approx(1 / 2)
    assert metrics.not_fitted(found) == pytest.approx(1 / 3)
    assert metrics.null_flagged(0.8)(found) == 1
    assert metrics.false_share(0.8)(found) == pytest.approx(1 / 2)
    # 0.95 (a cause) and 0.85 (none) weigh 0.8 / 5 each, the null person's 0.85 weighs 0.2 / 2.
    assert metrics.said_was(0.8)(found) == pytest.approx(0.16 / (0.16 + 0.16 + 0.1))
    assert metrics.person_auroc(found) == pytest.approx(0.5)  # 0.95 above 0.2, 0 below it; 0.55 between 0.85 and 0.1


def test_causes_found_when_one_null_person_in_ten_is_flagged():
    nulls = [person([score, 0.0], [False, False], null=True) for score in np.linspace(0, 1, 11)]
    some = [person([0.85, 0.95, 0.0], [True, True, False])]
    assert metrics.found_at_flagged(lambda f: f.rank)(nulls + some) == pytest.approx(0.5)


def test_episodes_are_judged_by_their_parents():
    p_source = [[0.7, 0.1, 0.2, 0.0], [0.3, 0.2, 0.5, 0.0], [0.2, 0.65, 0.15, 0.0], [0.0, 0.1, 0.9, 0.0]]
    found = [person([0.9, 0.1], [True, False], parent=[0, 0, 2, 2], p_source=p_source)]
    assert metrics.top_source("p_source")(found) == pytest.approx(2 / 4)
    assert metrics.right_trigger("p_source")(found) == 1
    assert metrics.always_background(found) == pytest.approx(2 / 4)
    assert metrics.named_right(found) == pytest.approx(1 / 2)
    assert metrics.named_share(found) == pytest.approx(2 / 4)
    assert metrics.top_said("trigger", was=False)(found) == pytest.approx(0.675)
    assert metrics.top_said("trigger", was=True)(found) == pytest.approx(1 / 2)
    errors = [0.3**2 + 0.1**2 + 0.2**2, 0.7**2 + 0.2**2 + 0.5**2, 0.2**2 + 0.65**2 + 0.85**2, 0.1**2 + 0.1**2]
    assert metrics.brier(found) == pytest.approx(sum(errors) / 16)


def test_the_share_given_that_it_is_a_cause_is_asked_of_true_causes_only():
    said = np.array([[0.5, 0.25, 0.75], [0.5, 0.3, 0.75], [0.1, 0.05, 0.2], [np.nan] * 3])
    found = [
        person([0.9, 0.8, 0.1, 0.0], [True, True, False, True], parent=[0, 1, 4, 4], share_if_cause=said,
               realised=np.array([1, 1, 0, 0])),
        person([0.1], [False], null=True),
    ]  # fmt: skip
    # One of four episodes each: within 0.25 to 0.75, but not within 0.3 to 0.75. Of the last cause nothing was said.
    assert metrics.coverage_if_cause(found) == pytest.approx(1 / 2)
    assert np.isnan(metrics.coverage_if_cause(found[1:]))


def test_treatments_are_judged_on_the_log_scale():
    right, wrong = Course(0.5, 0.5, 0.4, 0.6, 0.25), Course(1.0, 0.8, 0.6, 0.95, 1.0)
    found = [person([0.1], [False], course=c) for c in (right, wrong)]
    assert metrics.treatment_error(found) == pytest.approx(abs(np.log(0.8)) / np.sqrt(2))
    assert metrics.crude_error(found) == pytest.approx(np.log(2) / np.sqrt(2))
    assert metrics.treatment_coverage(found) == pytest.approx(0.5)
    assert metrics.works_falsely(found) == 1
    assert metrics.works_rightly(found) == 1


def test_the_bootstrap_gives_the_standard_error_of_a_mean():
    rng = np.random.default_rng(1)
    found = [person([float(p), 0.5], [True, False]) for p in rng.random(200)]
    value, error = estimate(metrics.persons_found(0.5), found, bootstrap(found, 2, 400))
    assert error == pytest.approx(np.sqrt(value * (1 - value) / 200), rel=0.15)


def test_an_examined_person_is_held_to_the_truth():
    task = Task(seed=20_003, null=False, baselines=False)
    truth, found = draw(task), examine(task)
    assert {name for name, is_cause in zip(found.ids, found.cause, strict=True) if is_cause} == set(
        truth.truth.shown_causes
    )
    for table in (found.p_source, found.oracle_true, found.oracle_logged):
        assert table.shape == (found.n, len(found.ids) + 2)
        assert table.sum(axis=1) == pytest.approx(np.ones(found.n))
    for k, name in enumerate(found.ids):
        assert found.realised[k] == truth.parents.count(name)


# shap colours its plots with calls that matplotlib is about to drop.
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("options", [["--no-baselines"], ["--misspecified", "--no-baselines"], []])
def test_the_whole_table_is_printed(options, capsys, tmp_path):
    if not options and find_spec("shap") is None:
        pytest.skip("the other methods (extra 'bench') are not installed: their part of the table was not run")
    arguments = [
        "--persons",
        "2",
        "--null",
        "1",
        "--seed",
        "20000",
        "--workers",
        "1",
        "--keep",
        str(tmp_path),
        *options,
    ]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert "3 of 3 persons" in printed.err
    assert "2 persons with causes" in printed.out
    assert "| Brier score of all P(k → i) |" in printed.out
    assert all((f"| {name} |" in printed.out) == (not options) for name in BASELINES if name != ENGINE)
    assert len(list(tmp_path.rglob("*.pickle"))) == 3
    assert main(arguments) == 0
    assert capsys.readouterr().out == printed.out
