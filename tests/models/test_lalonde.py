"""LaLonde's job training: a randomised answer that is known, beside the comparison that is not random.

Of men in the National Supported Work programme, assigned at random, those trained earned 1,794 dollars more
in 1978 (standard error 633). Held against men of the Current Population Survey they earned 8,498 less:
LaLonde 1986, American Economic Review 76:604; Dehejia & Wahba 1999, JASA 94:1053. Data: `causaldata`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from causaldata import cps_mixtape, nsw_mixtape

from tests.models.populations import compressed
from workbench import Project
from workbench.analyses.not_random import analyse
from workbench.models.adjustment import as_seen
from workbench.models.overlap import adjust
from workbench.records import Association, AssociationRecord, NotRandomSettings, Refused
from workbench.records.association import Randomised

RANDOMISED, NAIVE = 1794.34, -8497.52
COVARIATES = ("age", "educ", "black", "hisp", "marr", "re74", "re75")


@pytest.fixture(scope="module")
def trial() -> pd.DataFrame:
    return nsw_mixtape.load_pandas().data


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    return cps_mixtape.load_pandas().data


def classes(rows: pd.DataFrame) -> np.ndarray:
    """Covariates in fifths, zero apart."""
    columns = []
    for name in COVARIATES:
        value = rows[name].to_numpy(float)
        if len(np.unique(value)) <= 12:
            columns.append(np.unique(value, return_inverse=True)[1])
            continue
        edges = np.unique(np.quantile(value[value > 0], [0.2, 0.4, 0.6, 0.8]))
        columns.append(np.where(value > 0, 1 + np.digitize(value, edges), 0))
    return np.column_stack(columns)


def test_the_randomised_part_as_published(trial: pd.DataFrame) -> None:
    found = as_seen(compressed(classes(trial), trial.treat, trial.re78, binary=False))
    assert found.difference == pytest.approx(RANDOMISED, abs=0.05)
    assert found.sd == pytest.approx(671, abs=3)  # 633 with one variance for both groups, 671 with two
    n1, n0 = trial.treat.sum(), (1 - trial.treat).sum()
    spread = trial.groupby("treat").re78.var()
    one = ((n1 - 1) * spread[1] + (n0 - 1) * spread[0]) / (n1 + n0 - 2)
    assert np.sqrt(one * (1 / n1 + 1 / n0)) == pytest.approx(633, abs=0.5)


def test_against_the_survey_the_naive_number_is_far_off_and_adjustment_comes_near(
    trial: pd.DataFrame, survey: pd.DataFrame
) -> None:
    rows = pd.concat([trial[trial.treat == 1], survey], ignore_index=True)
    people = compressed(classes(rows), rows.treat, rows.re78, binary=False, names=COVARIATES)
    found = adjust(people)
    assert found.seen.difference == pytest.approx(NAIVE, abs=0.5)
    assert found.overlap.alone[0] < 0.05
    assert found.overlap.alone[1] > 0.5  # most of the survey is unlike anybody who was trained
    assert {one.covariate for one in found.lost} >= {"re74", "re75"}  # those who had earned well
    overlap = found.answers["overlap"]
    assert overlap.refused is None
    assert overlap.means is not None
    low, high = overlap.means.interval(0.95)
    assert low < RANDOMISED < high
    assert overlap.means.difference > 500
    assert "everybody" in str(found.answers["everybody"].refused)
    treated = found.answers["treated"]
    assert treated.refused is not None or abs(treated.means.difference - RANDOMISED) < 1000  # type: ignore[union-attr] # there is a number where it is not refused


# --- through a project ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def project(trial: pd.DataFrame, survey: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two files, one experiment each: the trial, and the trained men beside the survey."""
    folder = tmp_path_factory.mktemp("lalonde")
    made = Project.create(folder / "project", name="Job training", currency="USD")
    men = {
        "trial": (trial, "random", "a"),
        "survey": (pd.concat([trial[trial.treat == 1], survey], ignore_index=True), "self", "b"),
    }
    for name, (rows, assignment, letter) in men.items():
        file = folder / f"{name}.csv"
        _as_export(rows, assignment, letter).to_csv(file, index=False)
        mapping = {name: name for name in ("customer_id", "variant", "assignment")}
        mapping |= {"outcomes": {"re78": "re78"}, "attributes": {name: name for name in COVARIATES}}
        assert made.load(file, grain="unit", experiment=name, mapping=mapping).rows_kept == len(rows)
    return made


def _as_export(rows: pd.DataFrame, assignment: str, letter: str) -> pd.DataFrame:
    out = pd.DataFrame(
        {
            "customer_id": [f"{letter}{at}" for at in range(len(rows))],
            "variant": np.where(rows.treat == 1, "trained", "untrained"),
            "assignment": assignment,
        }
    )
    for name in COVARIATES:
        out[name] = rows[name].to_numpy()
    out["re78"] = rows.re78.to_numpy()
    return out


def asked(project: Project, **settings: Any) -> AssociationRecord:
    given = {"name": "survey", "metric": "re78", "control": "untrained", "covariates": COVARIATES}
    return analyse(project, NotRandomSettings(**{**given, **settings}))


@pytest.mark.requirement("T1")
def test_the_ladder_of_a_project_goes_from_the_naive_number_to_the_randomised_one(project: Project) -> None:
    view = asked(project, randomised="trial", planned_split={"trained": 185, "untrained": 260})
    steps = {step.rung: step.answer for step in view.summary.ladder}
    seen, overlap, randomised = (steps[name] for name in ("seen", "overlap", "randomised"))
    assert isinstance(seen, Association)
    assert seen.difference == pytest.approx(NAIVE, abs=0.5)
    assert isinstance(randomised, Randomised)
    assert randomised.word == "effect"
    assert randomised.difference == pytest.approx(RANDOMISED, abs=0.05)
    assert isinstance(overlap, Association)
    assert abs(overlap.difference - RANDOMISED) < 1_200 < abs(seen.difference - RANDOMISED)
    assert all(
        step.answer.word == "association"
        for step in view.summary.ladder
        if isinstance(step.answer, Association)
    )
    assert isinstance(steps["everybody"], Refused)
    assert "not an effect" in str(view.verdict)
    assert view.summary.overlap is not None
    assert view.summary.overlap.alone[1] > 0.5


def test_earnings_before_the_training_are_a_placebo(project: Project) -> None:
    """Nothing earned in 1975 was made by a training in 1976: that the groups differ in it is a warning.

    Imbens & Wooldridge 2009, Journal of Economic Literature 47:5, section 5.11.1, on pseudo-outcomes.
    """
    view = asked(project, placebo="re75", covariates=tuple(name for name in COVARIATES if name != "re75"))
    assert view.summary.placebo is not None
    assert isinstance(view.summary.placebo.seen, Association)
    assert view.summary.placebo.seen.difference == pytest.approx(-12_119, abs=5)  # 1,532 against 13,651
    assert isinstance(view.summary.placebo.answer, Association)
    low, high = view.summary.placebo.answer.interval
    assert 0.2 * view.summary.placebo.seen.difference < low < high < 0
    assert next(check for check in view.checks if check.name == "placebo").status == "warn"
    assert "Do not lean on it" in str(view.verdict)


@pytest.mark.requirement("T1")
def test_of_the_randomised_men_it_says_only_that_the_results_say_it(project: Project) -> None:
    view = asked(project, name="trial")
    assert isinstance(view.summary.answer, Refused)
    assert view.summary.ladder == []
    assert "at random" in str(view.verdict)
