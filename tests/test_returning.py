"""When customers come back, by arm: counted by hand, in worlds with a known ratio, and what may be said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
import sqlglot

from tests.shops import START, TIME, event_level
from workbench import Project
from workbench.analyses.returning_answer import Against, ArmCurve, Curves, Returning
from workbench.engines import table
from workbench.errors import DataError, WorkbenchError
from workbench.metrics import exposure
from workbench.metrics.cells import ask
from workbench.metrics.returning import KEYS, lives

END = 100.0
NEW, CONTROL = "personalised", "generic"


def status(found: Returning, name: str) -> str:
    """The status of a check; empty where it was not made."""
    return next((check.status for check in found.checks if check.name == name), "")


def curve(curves: Curves, arm: str) -> ArmCurve:
    return next(one for one in curves.arms if one.arm == arm)


def pair(found: Returning) -> Against:
    return found.main.against(found.arm)


def shop(
    folder: Path,
    *,
    ratio: float = 1.5,
    n: int = 1500,
    assignment: str = "random",
    latest: float = 70.0,
    ordered_until: float = END,
    seed: int = 1,
) -> Project:
    """A first order at a rate of 1 % a day, `ratio` times that in one arm, and for all a second at 2 % a day.

    Exposures are spread evenly until day `latest`; the data end on day 100.
    """
    rng = np.random.default_rng(seed)
    shown, bought = [("last", CONTROL, END)], []
    for i in range(n):
        arm, begin = (NEW, CONTROL)[i % 2], rng.uniform(0, latest)
        shown.append((f"u{i}", arm, begin))
        first = begin + rng.exponential(100 / (ratio if arm == NEW else 1.0))
        second = first + rng.exponential(50)
        bought += [(f"u{i}", day, 20.0) for day in (first, second) if day < ordered_until]
    return event_level(folder, shown, bought, assignment=assignment)


@pytest.mark.requirement("C07")
def test_counts_are_those_counted_by_hand(tmp_path: Path) -> None:
    """Orders before the exposure and credit notes are none; days that the data cover in part do not count."""
    shown = [
        ("a", "x", 0.0),
        ("b", "x", 1.25),
        ("c", "y", 2.0),
        ("d", "y", 3.0),
        ("d", "x", 4.0),
        ("e", "x", 8.5),
    ]
    bought = [
        ("a", -3.0, 9.0),
        ("a", 2.5, 9.0),  # on day 2
        ("a", 2.75, -5.0),  # gives back
        ("a", 6.0, 9.0),  # on day 6, and 3 whole days after the first
        ("b", 1.25, 9.0),  # at the moment of the exposure: day 0
        ("c", 9.5, 9.0),  # on day 7
        ("e", 9.75, 9.0),  # on day 1, of which only half was seen
        ("z", 10.0, 9.0),
    ]
    project = event_level(tmp_path / "shop", shown, bought)
    everyone = exposure.assigned(table(project.engine, "exposures"), "home")
    until = int((START + timedelta(days=10)).replace(tzinfo=UTC).timestamp())
    asked = lives(everyone, table(project.engine, "orders"), None, until=until, days=9)
    rows = {
        (row["about"], row["arm"], row["event"], row["day"]): row["n"]
        for row in ask(project.engine, asked, KEYS).to_pylist()
        if row["arm"] is not None
    }
    assert rows == {
        ("people", "x", 0, 0): 3,
        ("people", "y", 0, 0): 1,
        ("order", "x", 1, 2): 1,
        ("order", "x", 1, 0): 1,
        ("order", "x", 0, 1): 1,
        ("order", "y", 1, 7): 1,
        ("second", "x", 1, 6): 1,
        ("second", "x", 0, 8): 1,
        ("second", "x", 0, 1): 1,
        ("second", "y", 0, 8): 1,
        ("repeat", "x", 1, 3): 1,
        ("repeat", "x", 0, 8): 1,
        ("repeat", "x", 0, 0): 1,
        ("repeat", "y", 0, 0): 1,
    }


def test_the_question_is_sql_for_every_engine(tmp_path: Path) -> None:
    project = event_level(tmp_path / "shop", [("a", "x", 0.0)], [("a", 1.0, 2.0)])
    everyone = exposure.assigned(table(project.engine, "exposures"), "home")
    ends = ibis.table({"customer_id": "string", "ts": "timestamp", "reason": "string"}, name="churn")
    asked = lives(everyone, table(project.engine, "orders"), ends, until=1_800_000_000, days=180)
    for dialect in ("duckdb", "postgres", "databricks", "snowflake", "bigquery", "trino", "clickhouse"):
        parsed = sqlglot.parse_one(ibis.to_sql(asked, dialect=dialect), read=dialect)
        assert isinstance(parsed, sqlglot.exp.Query)


@pytest.mark.requirement("R06", "C07")
def test_a_known_ratio_is_found_again(tmp_path: Path) -> None:
    found = shop(tmp_path / "shop").returning("home", days=(10, 30, 60), level=0.99)
    assert (found.arm, found.control, found.main.word) == (NEW, CONTROL, "effect")
    against = pair(found)
    ratio = against.hazard_ratio
    assert ratio is not None
    assert ratio.interval[0] < 1.5 < ratio.interval[1]
    assert ratio.probability_below < 0.005
    for one in against.by_day:
        truth = np.exp(-one.day / 100) - np.exp(-1.5 * one.day / 100)
        assert one.interval[0] < truth < one.interval[1]
    days = 100 * (1 - np.exp(-0.6)) - 100 / 1.5 * (1 - np.exp(-0.9))
    assert against.days_interval[0] < days < against.days_interval[1]
    assert status(found, "proportional") == "ok"
    assert "leads more customers to an order" in str(found.verdict)


@pytest.mark.requirement("C07")
def test_buying_again_is_no_effect_and_twice_of_all_customers_is(tmp_path: Path) -> None:
    """Who bought buys again at the same rate in both arms; more have bought twice where more have bought."""
    found = shop(tmp_path / "shop", ratio=2.0).returning("home", outcome="repeat", days=(30, 60), level=0.99)
    assert found.main.word == "association"
    assert "not an effect" in str(found.verdict)
    assert status(found, "conditional") == "warn"
    ratio = pair(found).hazard_ratio
    assert ratio is not None
    assert ratio.interval[0] < 1 < ratio.interval[1]
    for one in pair(found).by_day:
        truth = 1 - np.exp(-one.day / 50)
        shares = {curve_.arm: curve_.points[one.day].interval for curve_ in found.main.arms}
        assert all(low < truth < high for low, high in shares.values())
    assert found.beside is not None
    assert found.beside.word == "effect"
    assert found.beside.against(NEW).by_day[-1].interval[0] > 0


@pytest.mark.requirement("C07")
def test_those_exposed_late_are_censored_not_counted_as_lost(tmp_path: Path) -> None:
    """Most could not be seen for 60 days; the share after 60 days stays that of the rate."""
    project = shop(tmp_path / "shop", ratio=1.0, n=3000, latest=95.0, seed=4)
    found = project.returning("home", days=(60,), level=0.99)
    truth = 1 - np.exp(-0.6)
    for arm in (NEW, CONTROL):
        low, high = curve(found.main, arm).points[60].interval
        assert low < truth < high
        naive = curve(found.main, arm).events / curve(found.main, arm).people
        assert naive < low - 0.05
    assert "No clear difference yet" in str(found.verdict)


@pytest.mark.parametrize(("assignment", "why"), [("self", "left to chance"), ("unknown", "not known who")])
def test_only_chance_makes_an_effect(tmp_path: Path, assignment: str, why: str) -> None:
    found = shop(tmp_path / "shop", assignment=assignment).returning("home", days=(30,))
    assert found.main.word == "association"
    assert why in str(found.verdict)
    assert "sure" not in str(found.verdict)


def contracts(folder: Path, rates: dict[str, float], ends: Sequence[tuple[str, float]] = ()) -> Project:
    """Customers who leave at these rates a day, 700 an arm; `ends` are further ones."""
    rng = np.random.default_rng(9)
    shown, left = [], list(ends)
    for arm, rate in rates.items():
        for i in range(700):
            begin = rng.uniform(0, 60)
            shown.append((f"{arm}{i}", arm, begin))
            end = begin + rng.exponential(1 / rate)
            if end < END:
                left.append((f"{arm}{i}", end))
    shown += [(name, next(iter(rates)), 50.0) for name, _ in ends]
    project = event_level(folder, shown, [("last", END, 1.0)])
    rows = pa.table(
        {
            "customer_id": [name for name, _ in left],
            "ts": pa.array([START + timedelta(days=day) for _, day in left], TIME),
            "reason": pa.array([None] * len(left), pa.string()),
        }
    )
    project.commit({"churn": rows})
    return project


@pytest.mark.requirement("R06")
def test_contracts_are_followed_to_their_end(tmp_path: Path) -> None:
    project = contracts(tmp_path / "shop", {CONTROL: 0.01, "care": 0.006}, [("gone", 20.0), ("today", 50.0)])
    found = project.returning("home", outcome="churn", days=(30, 60), level=0.99)
    against = pair(found)
    assert against.hazard_ratio is not None
    low, high = against.hazard_ratio.interval
    assert low < 0.6 < high < 1
    low, high = curve(found.main, "care").points[60].interval
    assert low < np.exp(-0.36) < high
    assert against.days_less < 0  # longer with us
    assert "keeps more customers" in str(found.verdict)
    gone = next(check for check in found.checks if check.name == "gone")
    assert str(gone.detail).startswith("1 customers")  # who left on the day itself is counted
    assert sum(one.people for one in found.main.arms) == 1401


def test_what_nobody_has_seen_yet_is_not_drawn(tmp_path: Path) -> None:
    found = shop(tmp_path / "shop").returning("home", days=(30, 365))
    assert [one.day for one in pair(found).by_day] == [30]
    assert curve(found.main, NEW).end < 100
    assert curve(found.main, NEW).points[-2].at_risk >= 30
    assert status(found, "followed") == "warn"


def test_too_few_events_are_no_verdict(tmp_path: Path) -> None:
    found = shop(tmp_path / "shop", n=90).returning("home", days=(5,))
    assert found.failed
    assert str(found.verdict).startswith("No verdict.")


@pytest.mark.requirement("R06")
def test_a_table_that_ends_early_is_noticed_and_a_last_day_heals_it(tmp_path: Path) -> None:
    project = shop(tmp_path / "shop", ratio=1.0, ordered_until=70.0)
    found = project.returning("home", days=(30,))
    assert status(found, "fresh") == "warn"
    healed = project.returning("home", days=(30,), level=0.99, until=date(2026, 5, 9))
    assert status(healed, "fresh") == ""
    truth = 1 - np.exp(-0.3)
    assert curve(found.main, NEW).points[30].interval[1] < truth
    low, high = curve(healed.main, NEW).points[30].interval
    assert low < truth < high


def ramp(
    folder: Path, *, ratio: float, n: int = 3000, arms: int = 2, seed: int = 2, given: bool = True
) -> Project:
    """Five weeks in which the new arm's share rises from 10 to 90 %; who comes later orders less readily.

    With a third arm it is a copy of the new one, and they share what the new one would get.
    """
    rng = np.random.default_rng(seed)
    shown, bought, p, countries = [("last", CONTROL, END)], [], [0.1], {}
    for i in range(n):
        week = int(rng.integers(0, 5))
        share, begin = (0.1, 0.3, 0.5, 0.7, 0.9)[week], 7 * week + rng.uniform(0, 7)
        new = rng.random() < share
        names = [NEW, "third"][: arms - 1]
        arm = names[int(rng.integers(0, arms - 1))] if new else CONTROL
        shown.append((f"u{i}", arm, begin))
        p.append(share / len(names) if new else 1 - share)
        rate = (0.03, 0.022, 0.015, 0.01, 0.006)[week] * (ratio if new else 1.0)
        first = begin + rng.exponential(1 / rate)
        bought += [(f"u{i}", first, 20.0)] if first < END else []
        countries[f"u{i}"] = ("ES", "FR")[i % 2]
    project = event_level(folder, shown, bought, countries=countries)
    if given:
        exposures = pa.table(
            {
                "customer_id": [row[0] for row in shown],
                "experience_id": ["home"] * len(shown),
                "variant": [row[1] for row in shown],
                "ts": pa.array([START + timedelta(days=row[2]) for row in shown], TIME),
                "assignment": ["random"] * len(shown),
                "p_assign": p,
            }
        )
        project.commit({"exposures": exposures})
    return project


@pytest.mark.requirement("R06", "C07")
def test_where_shares_moved_everybody_counts_with_their_probability(tmp_path: Path) -> None:
    """The shares are those of all customers under either arm, the ratio the true one; plainly neither is."""
    asked = {"days": (15, 30, 60), "level": 0.99}
    found = ramp(tmp_path / "shop", ratio=1.5).returning("home", **asked)
    assert found.main.word == "effect"
    rates = np.array([0.03, 0.022, 0.015, 0.01, 0.006])
    for one in pair(found).by_day:
        own, other = (1 - np.exp(-rates * factor * one.day) for factor in (1.5, 1.0))
        assert one.interval[0] < (own - other).mean() < one.interval[1]
        for name, truth in ((NEW, own.mean()), (CONTROL, other.mean())):
            low, high = curve(found.main, name).points[one.day].interval
            assert low < truth < high
    ratio = pair(found).hazard_ratio
    assert ratio is not None
    assert 1 < ratio.interval[0] < 1.5 < ratio.interval[1]
    assert {status(found, name) for name in ("sample_ratio", "propensities", "proportional")} == {"ok"}
    assert sum(one.people for one in found.main.arms) == 3001  # people, not weights
    plainly = ramp(tmp_path / "plain", ratio=1.5, given=False).returning("home", **asked)
    misled = pair(plainly).hazard_ratio
    assert misled is not None
    assert misled.interval[1] < 1


def test_of_three_arms_shares_are_compared_but_no_ratio(tmp_path: Path) -> None:
    found = ramp(tmp_path / "shop", ratio=1.5, arms=3).returning("home", days=(30,), level=0.99)
    assert len(found.main.comparisons) == 2
    rates = np.array([0.03, 0.022, 0.015, 0.01, 0.006])
    truth = (np.exp(-rates * 30) - np.exp(-rates * 45)).mean()
    for against in found.main.comparisons:
        assert against.by_day[0].interval[0] < truth < against.by_day[0].interval[1]
        assert against.hazard_ratio is None
    check = next(check for check in found.checks if check.name == "propensities")
    assert "no hazard ratio is given" in str(check.detail)


def test_shares_that_moved_without_probabilities_are_refused(tmp_path: Path) -> None:
    project = shop(tmp_path / "shop", assignment="adaptive")
    with pytest.raises(DataError, match="adaptive"):
        project.returning("home")


def split(folder: Path, ratios: dict[str, float], n: int = 1600, seed: int = 6) -> Project:
    """Countries of the same size, each with its own ratio; and 40 people in a small one."""
    rng = np.random.default_rng(seed)
    shown, bought, countries = [("last", CONTROL, END)], [], {}
    for country, ratio in ratios.items():
        for i in range(40 if country == "small" else n):
            name, arm, begin = f"{country}{i}", (NEW, CONTROL)[i % 2], rng.uniform(0, 70)
            shown.append((name, arm, begin))
            countries[name] = country
            first = begin + rng.exponential(100 / (ratio if arm == NEW else 1.0))
            bought += [(name, first, 20.0)] if first < END else []
    return event_level(folder, shown, bought, countries=countries)


@pytest.mark.requirement("R06", "C07", "C03")
def test_by_group_each_has_its_own_ratio_and_they_are_drawn_together(tmp_path: Path) -> None:
    truth = {"ES": 1.0, "FR": 1.4, "IT": 2.0, "small": 1.0}
    project = split(tmp_path / "shop", truth)
    found = project.returning("home", days=(30, 60), level=0.99, by="country")
    alone = project.returning("home", days=(30, 60), level=0.99)
    assert found.main == alone.main  # splitting changes nothing of the whole
    assert {one.group for one in found.groups} == {"ES", "FR", "IT"}
    for one in found.groups:
        assert one.people == 1600
        ratio, pooled = one.against.hazard_ratio, one.pooled
        assert ratio is not None
        assert pooled is not None
        assert ratio.interval[0] < truth[one.group] < ratio.interval[1]
        assert pooled.interval[1] / pooled.interval[0] < ratio.interval[1] / ratio.interval[0]
        for mark in one.against.by_day:
            difference = np.exp(-mark.day / 100) - np.exp(-truth[one.group] * mark.day / 100)
            assert mark.interval[0] < difference < mark.interval[1]
    raw = [one.against.hazard_ratio.value for one in found.groups if one.against.hazard_ratio]
    drawn = [one.pooled.value for one in found.groups if one.pooled]
    assert max(drawn) / min(drawn) < max(raw) / min(raw)
    check = next(check for check in found.checks if check.name == "small_segments")
    assert "small" in str(check.detail)


@pytest.mark.requirement("C07")
def test_a_group_is_as_an_experiment_of_its_own(tmp_path: Path) -> None:
    """What is said of a country is what a project that has only this country says."""
    ratios = {"ES": 1.0, "FR": 1.6}
    whole = split(tmp_path / "whole", ratios, n=500)
    there = whole.returning("home", days=(30,), by="country", arm=NEW, control=CONTROL)
    rng = np.random.default_rng(6)
    shown, bought = [("last", CONTROL, END)], []
    for i in range(500):  # the first country of the same generator
        arm, begin = (NEW, CONTROL)[i % 2], rng.uniform(0, 70)
        shown.append((f"ES{i}", arm, begin))
        first = begin + rng.exponential(100)
        bought += [(f"ES{i}", first, 20.0)] if first < END else []
    own = event_level(tmp_path / "own", shown, bought).returning("home", days=(30,), arm=NEW)
    spanish = next(one for one in there.groups if one.group == "ES").against
    assert spanish.hazard_ratio == pair(own).hazard_ratio
    assert spanish.by_day == pair(own).by_day


def test_by_group_where_shares_moved_too(tmp_path: Path) -> None:
    found = ramp(tmp_path / "shop", ratio=1.5, n=4000).returning("home", days=(30,), level=0.99, by="country")
    assert {one.group for one in found.groups} == {"ES", "FR"}
    for one in found.groups:
        ratio = one.against.hazard_ratio
        assert ratio is not None
        assert ratio.interval[0] < 1.5 < ratio.interval[1]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"days": (0,)}, "number of days"),
        ({"level": 1.0}, "level"),
        ({"control": "nobody"}, "no arm"),
        ({"outcome": "churn"}, "no outcome"),
        ({"until": date(2020, 1, 1)}, "later last day"),
    ],
)
def test_what_cannot_be_asked_is_said(tmp_path: Path, asked: dict[str, Any], words: str) -> None:
    project = shop(tmp_path / "shop", n=200)
    with pytest.raises(WorkbenchError, match=words):
        project.returning("home", **asked)
    with pytest.raises(WorkbenchError, match="experiment with times"):
        project.returning("away")
