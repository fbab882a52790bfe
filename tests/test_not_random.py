"""What can honestly be said where people were not assigned at random: shops whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit

from tests.shops import binary, unit_level
from workbench import Project
from workbench.analyses.not_random import analyse
from workbench.analyses.second_opinion import available
from workbench.errors import DataError, ModelError, WorkbenchError
from workbench.records import Association, AssociationRecord, NotRandomSettings, Refused
from workbench.records.association import NOBODY, Encouraged
from workbench.simulate import HOME, OFFERS, simulate

START = datetime(2026, 1, 1)
TIME, TEXT = pa.timestamp("us"), pa.string()


def asked(project: Project, **settings: Any) -> AssociationRecord:
    return analyse(project, NotRandomSettings(**settings))


def answered(view: AssociationRecord, rung: str) -> Association:
    found = next(step.answer for step in view.summary.ladder if step.rung == rung)
    assert isinstance(found, Association), found
    return found


@pytest.fixture(scope="module")
def offers(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A shop whose offers do nothing and go to the keener of those who visit."""
    project = Project.create(tmp_path_factory.mktemp("offers") / "shop")
    project.commit(simulate(customers=12_000, seed=3, confounding=2.0).tables)
    return project


@pytest.mark.requirement("T1")
def test_offers_that_do_nothing_look_good_and_are_found_to_do_nothing(offers: Project) -> None:
    view = asked(offers, name=OFFERS)
    seen, alike = answered(view, "seen"), answered(view, "overlap")
    assert view.summary.assignment == "self"
    assert seen.interval[0] > 0
    assert alike.interval[0] < 0 < alike.interval[1]
    assert abs(alike.difference) < 0.4 * seen.difference
    assert "not an effect" in str(view.verdict)
    assert {"association"} == {
        step.answer.word for step in view.summary.ladder if isinstance(step.answer, Association)
    }


@pytest.mark.requirement("T1")
def test_what_nobody_recorded_stays_in_the_number_and_the_placebo_tells(offers: Project) -> None:
    """Without the visits, which say how keen somebody is, the adjusted difference is far from the truth."""
    view = asked(offers, name=OFFERS, metric="orders", covariates=("country", "device", "tenure"))
    assert answered(view, "overlap").interval[0] > 0
    assert view.summary.placebo is not None
    assert isinstance(view.summary.placebo.answer, Association)
    assert view.summary.placebo.answer.interval[0] > 0
    assert "Do not lean on it" in str(view.verdict)


@pytest.mark.requirement("I02")
def test_who_was_assigned_at_random_is_sent_to_the_results(offers: Project) -> None:
    view = asked(offers, name=HOME)
    assert view.summary.assignment == "random"
    assert isinstance(view.summary.answer, Refused)
    assert (view.summary.ladder, view.summary.sensitivity, view.summary.balance) == ([], None, [])
    said = asked(offers, name=OFFERS, assignment="random")
    assert said.summary.assignment == "self"  # an analyst's word does not make chance of choice
    claimed = asked(offers, treatment="column", name="device", arm="mobile", assignment="random")
    assert isinstance(claimed.summary.answer, Refused)
    assert "exposures" in str(claimed.verdict)


def test_the_order_of_rows_changes_nothing(offers: Project, tmp_path: Path) -> None:
    turned = Project.create(tmp_path / "turned")
    for name in ("customers", "events", "orders", "exposures"):
        turned.commit({name: offers.engine.query(f"SELECT * FROM {name} ORDER BY hash(customer_id)")})
    one, other = (asked(project, name=OFFERS) for project in (offers, turned))
    assert one.summary.ladder == other.summary.ladder
    assert one.summary.balance == other.summary.balance
    assert one.summary.placebo == other.summary.placebo


def test_customers_in_no_arm_can_be_the_others(offers: Project) -> None:
    view = asked(offers, name=OFFERS, arm="personalised", control=NOBODY)
    assert str(view.summary.groups[1].who) == "customers in no arm"
    first, other = view.summary.groups[0].customers, view.summary.groups[1].customers
    assert first < other


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"name": "nothing"}, "no experiment “nothing”"),
        ({"name": OFFERS, "metric": "nps"}, "no metric “nps”"),
        ({"treatment": "event", "name": "purchase", "metric": "nps"}, "has no times"),
        ({"name": OFFERS, "arm": "blue"}, "no arm “blue”"),
        ({"name": OFFERS, "landmark": date(2030, 1, 1)}, "within the data"),
        ({"name": OFFERS, "landmark": date(2025, 7, 1)}, "before the landmark"),
        ({"name": OFFERS, "covariates": ("shoe",)}, "no covariate “shoe”"),
        ({"treatment": "event", "name": "flight"}, "no event “flight”"),
        ({"treatment": "column", "name": "shoe"}, "no column “shoe”"),
        ({"name": OFFERS, "level": 95.0}, "level"),
        ({"name": OFFERS, "encouragement": OFFERS}, "no encouragement"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(offers: Project, settings: Any, words: str) -> None:
    with pytest.raises(WorkbenchError, match=words):
        asked(offers, **settings)


# --- a file with outcomes -------------------------------------------------------------------------------


def test_outcomes_from_a_file_are_adjusted_by_what_the_file_says(tmp_path: Path) -> None:
    """Fans buy more and have it more often; within fans and others it changes nothing."""
    arms = {
        "with": [*binary(240, 800), *binary(20, 200)],  # fans 30 %, others 10 %
        "without": [*binary(60, 200), *binary(80, 800)],
    }
    fans = ["fan"] * 800 + ["other"] * 200 + ["fan"] * 200 + ["other"] * 800
    project = unit_level(tmp_path / "shop", arms, assignment="self", attributes={"kind": fans})
    view = asked(project, name="home", control="without", covariates=("kind",))
    assert answered(view, "seen").difference == pytest.approx(0.12)
    assert answered(view, "overlap").difference == pytest.approx(0, abs=2e-3)
    assert view.summary.sensitivity is not None
    assert view.summary.sensitivity.strongest is not None
    assert view.summary.sensitivity.strongest.covariate == "kind"
    assert abs(view.summary.sensitivity.strongest.imbalance) == pytest.approx(0.6)
    assert abs(view.summary.sensitivity.strongest.outcome_difference) == pytest.approx(0.2)


@pytest.mark.requirement("T1")
def test_a_rule_that_left_no_choice_has_no_answer(tmp_path: Path) -> None:
    arms = {"with": binary(300, 1_000), "without": binary(100, 1_000)}
    vip = ["yes"] * 1_000 + ["no"] * 1_000
    project = unit_level(tmp_path / "shop", arms, assignment="rule", attributes={"vip": vip})
    view = asked(project, name="home", control="without", covariates=("vip",))
    assert isinstance(view.summary.answer, Refused)
    assert "cannot be answered" in str(view.verdict)
    assert view.summary.sensitivity is None
    assert [check.name for check in view.checks if check.status == "fail"] == ["overlap"]
    assert all(isinstance(step.answer, Refused) for step in view.summary.ladder if step.rung != "seen")


def test_a_handful_is_refused(tmp_path: Path) -> None:
    project = unit_level(
        tmp_path / "shop", {"with": binary(5, 20), "without": binary(9, 900)}, assignment="self"
    )
    with pytest.raises(ModelError, match="20 customers"):
        asked(project, name="home", control="without", covariates=())
    with pytest.raises(DataError, match="only one arm"):
        asked(unit_level(tmp_path / "one", {"with": binary(5, 200)}), name="home", covariates=())


# --- encouragement and a second opinion -----------------------------------------------------------------


def shop_with_choice(folder: Path, n: int, rng: np.random.Generator) -> Project:
    """A banner at random moves people to open the advice, which adds one order; the keen open it anyway."""
    keen = rng.random(n) < 0.3
    banner = rng.random(n) < 0.5
    opened = rng.random(n) < np.where(keen, 0.6, 0.05 + 0.4 * banner)
    orders = rng.poisson(np.where(keen, 2.0, 0.5) + 1.0 * opened)
    names = [f"c{i}" for i in range(n)]
    who = np.repeat(np.arange(n), orders)
    project = Project.create(folder)

    def times(days: Sequence[float]) -> pa.Array:
        return pa.array([START + timedelta(days=float(day)) for day in days], TIME)

    project.commit(
        {
            "customers": pa.table({"customer_id": names, "first_seen": times([0.0] * n)}),
            "exposures": pa.table(
                {
                    "customer_id": names,
                    "experience_id": ["banner"] * n,
                    "variant": np.where(banner, "banner", "none"),
                    "ts": times([30.0] * n),
                    "assignment": ["random"] * n,
                }
            ),
            "events": pa.table(
                {
                    "event_id": [f"e{i}" for i in range(int(opened.sum()))],
                    "customer_id": [names[i] for i in np.flatnonzero(opened)],
                    "ts": times([40.0] * int(opened.sum())),
                    "name": ["advice"] * int(opened.sum()),
                }
            ),
            "orders": pa.table(
                {
                    "order_id": [f"o{i}" for i in range(len(who))],
                    "customer_id": [names[i] for i in who],
                    "ts": times(rng.uniform(51, 79, len(who)).tolist()),
                    "revenue": np.full(len(who), 20.0),
                }
            ),
        }
    )
    return project


def test_a_random_encouragement_finds_what_hidden_keenness_covers(tmp_path: Path) -> None:
    project = shop_with_choice(tmp_path / "shop", 8_000, np.random.default_rng(1))
    view = asked(
        project,
        treatment="event",
        name="advice",
        metric="orders",
        since=date(2026, 1, 31),
        landmark=date(2026, 2, 20),
        covariates=("tenure",),
        encouragement="banner",
    )
    alike = answered(view, "overlap")
    assert alike.interval[0] > 1.3  # nothing that is recorded tells the keen from the others
    found = next(step.answer for step in view.summary.ladder if step.rung == "encouraged")
    assert isinstance(found, Encouraged)
    assert found.interval[0] < 1.0 < found.interval[1]
    assert abs(found.difference - 1.0) < 0.25
    assert found.moved == pytest.approx(0.7 * 0.4, abs=0.03)
    assert found.strength > 100


def test_doubleml_agrees_with_the_doubly_robust_answer(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    n = 3_000
    loyal, mobile = rng.integers(0, 3, n), rng.random(n) < 0.6
    treated = rng.random(n) < expit(0.8 * loyal - 0.5 * mobile - 0.6)
    value = 10 + 4 * loyal - 2 * mobile + 1.5 * treated + rng.gamma(2, 2, n)
    order = np.argsort(~treated, kind="stable")
    arms = {"with": value[treated].tolist(), "without": value[~treated].tolist()}
    attributes = {"loyal": [str(x) for x in loyal[order]], "mobile": [str(x) for x in mobile[order]]}
    project = unit_level(tmp_path / "shop", arms, metric="spent", assignment="self", attributes=attributes)
    assert available()
    view = asked(
        project,
        name="home",
        control="without",
        metric="spent",
        target="treated",
        covariates=("loyal", "mobile"),
        second_opinion=True,
    )
    ours, theirs = answered(view, "treated"), answered(view, "doubleml")
    assert theirs.customers == ours.customers
    assert ours.interval[0] < 1.5 < ours.interval[1]
    assert theirs.difference == pytest.approx(ours.difference, abs=0.5 * ours.sd)
    assert theirs.sd == pytest.approx(ours.sd, rel=0.15)
    assert abs(answered(view, "seen").difference - 1.5) > 8 * ours.sd
