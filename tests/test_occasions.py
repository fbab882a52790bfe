"""Occasions from tables: what counts as one, what is foretold, what groups differ by, and what is refused."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner

from tests.sample_shop import EXPERIMENT
from workbench import Project
from workbench.analyses.occasion_rows import ahead_of
from workbench.analyses.occasions import period_begin
from workbench.analyses.occasions_found import OccasionsView
from workbench.cli import main
from workbench.clock import offsets
from workbench.demo import load_sample
from workbench.engines import span, table
from workbench.errors import DataError, ModelError, WorkbenchError
from workbench.metrics import occasions as counting
from workbench.metrics.cells import ask
from workbench.models import bg_bb
from workbench.models.bg_bb import OpportunityDraws, OpportunityRows

TIME = pa.timestamp("us")
MADRID = ZoneInfo("Europe/Madrid")


def shop(folder: Path, rows: list[tuple[str, datetime, float]]) -> Project:
    """A project of these orders."""
    project = Project.create(folder, timezone="Europe/Madrid")
    names, times, money = zip(*rows, strict=True)
    orders = {
        "order_id": [f"o{i}" for i in range(len(rows))],
        "customer_id": list(names),
        "ts": pa.array(times, TIME),
        "revenue": list(money),
    }
    project.commit({"orders": pa.table(orders)})
    return project


def month(number: int, day: int = 15) -> datetime:
    """Noon of a day of the month that is so many after January 2024."""
    return datetime(2024 + number // 12, number % 12 + 1, day, 12)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample shop; not to be changed."""
    project = Project.create(tmp_path_factory.mktemp("sample") / "p", timezone="Europe/Madrid")
    load_sample(project)
    return project


def asked(project: Project, **settings: object) -> OccasionsView:
    found = project.occasions(**settings)
    assert isinstance(found, OccasionsView)
    return found


def test_whole_periods_on_the_shops_clock_count_and_the_running_one_does_not(tmp_path: Path) -> None:
    """Begun in January; March taken twice, a minute past midnight in Madrid is April, May is running."""
    midnight = datetime(2024, 4, 1, 0, 1, tzinfo=MADRID).astimezone(UTC).replace(tzinfo=None)
    rows = [
        ("a", month(0), 9.0), ("a", month(0, 20), 9.0), ("a", month(2), 9.0), ("a", month(2, 20), 9.0),
        ("a", midnight, 9.0), ("a", month(4), 9.0),
        ("b", month(0), 9.0), ("b", month(1), -9.0),
        ("c", month(3), 9.0), ("d", month(4), 9.0), ("d", month(4, 20), 9.0),
    ]  # fmt: skip
    found = asked(shop(tmp_path / "p", rows), held_periods=1)
    assert (found.first, found.until) == (date(2024, 2, 1), date(2024, 4, 30))
    one = found.groups[0]
    # a had three and took two; b had three, its credit is no purchase; c and d had no whole month yet
    assert (one.customers, one.occasions, one.taken, found.unseen) == (2, 6, 2, 2)
    places = {(cell.taken.low, cell.silent.low): cell.customers for cell in found.cells}
    assert places == {(2, 0): 1, (0, 3): 1}


def test_counts_are_those_of_the_rows_one_by_one(sample: Project) -> None:
    """Every customer's history made in plain Python from the orders, against the one query."""
    project = sample
    rows = project.engine.query('select customer_id, ts, revenue from "orders"').to_pylist()
    months: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        if (row["revenue"] or 0) >= 0:
            local = row["ts"].replace(tzinfo=UTC).astimezone(MADRID)
            months[row["customer_id"]].add(local.year * 12 + local.month - 1)
    last, split = 2025 * 12 + 11, 2025 * 12 + 8
    expected: Counter[tuple[int, ...]] = Counter()
    for taken in months.values():
        begin = min(taken)
        if begin < last:
            at = sorted(one - begin for one in taken if begin < one <= last)
            known = [one for one in at if one <= split - begin]
            key = (last - begin, len(at), max(at, default=0), len(known), max(known, default=0))
            expected[key] += 1
    seconds = span(project.engine, "orders")
    assert seconds is not None
    acts = counting.ordered(table(project.engine, "orders"), clock=offsets("Europe/Madrid", *seconds))
    people = counting.first_days(acts).mutate(group=ibis.literal(""))
    each = counting.customers(people, acts, period="month", last=last, split=split)
    found = ask(project.engine, counting.counted(each), counting.KEYS).to_pylist()
    assert {tuple(row[name] for name in counting.KEYS[1:]): row["count"] for row in found} == expected


TRUTH = (1.2, 2.5, 0.9, 6.0)


def lives(rng: np.random.Generator, count: int, n: int, truth: tuple[float, ...] = TRUTH) -> tuple[Any, Any]:
    """Who does it at which of n occasions, shape (count, n), and how many of them each is there for."""
    p, leave = rng.beta(truth[0], truth[1], count), rng.beta(truth[2], truth[3], count)
    stays = np.minimum(rng.geometric(np.maximum(leave, 1e-12)) - 1, n)
    return (rng.random((count, n)) < p[:, None]) & (np.arange(n) < stays[:, None]), stays


def simulated(folder: Path, seed: int, count: int, months: int = 14) -> tuple[Project, Any, Any]:
    """A shop of customers of a known kind, and what they do after the data end."""
    rng = np.random.default_rng(seed)
    begins = rng.integers(0, months - 1, count)
    did, stays = lives(rng, count, months + 6)
    rows = []
    for i, begin in enumerate(begins):
        rows.append((f"c{i}", month(int(begin)), 10.0))
        rows += [
            (f"c{i}", month(int(begin + 1 + k)), 10.0) for k in np.flatnonzero(did[i, : months - 1 - begin])
        ]
    rows.append(("c0", month(months, 1), 10.0))  # so that the last month is whole
    had = months - 1 - begins
    later = np.array([did[i, n : n + 6].sum() for i, n in enumerate(had)])
    return shop(folder, rows), stays > had, later


def test_the_truth_lies_in_the_intervals(tmp_path: Path) -> None:
    """3,000 customers of a known kind: who is still there, what they take next, and what was held back."""
    project, there, later = simulated(tmp_path / "p", 5, 3000)
    found = asked(project, level=0.99)
    one = found.groups[0]
    assert one.customers == 3000
    assert one.active.low < there.mean() < one.active.high
    assert one.total.low < later.sum() < one.total.high
    assert one.ahead.value == pytest.approx(one.total.value / 3000, rel=0.02)
    assert found.foretold is not None
    assert found.foretold.total.low < found.foretold.came < found.foretold.total.high
    assert found.foretold.came == sum(held.came for held in found.foretold.periods)
    assert all(held.foretold.low <= held.came <= held.foretold.high for held in found.foretold.periods)
    errors = found.foretold.root_errors
    assert errors["model"] < min(errors["same-rate"], errors["nobody"])
    assert sum(cell.customers for cell in found.cells) == 3000
    weighted = sum(cell.customers * cell.active for cell in found.cells) / 3000
    assert weighted == pytest.approx(one.active.value, abs=0.005)
    for name, true in zip(bg_bb.PARAMETERS, TRUTH, strict=True):
        assert found.parameters[name] == pytest.approx(true, rel=0.6)


def test_what_the_model_says_is_what_simulated_customers_with_that_history_do() -> None:
    """Half a million lives; of those with one history the share still there, and what they do next."""
    n, ahead = 5, 4
    did, stays = lives(np.random.default_rng(8), 500_000, n + ahead)
    x = did[:, :n].sum(axis=1)
    t_x = np.where(x > 0, n - np.argmax(did[:, n - 1 :: -1], axis=1), 0)
    draws = OpportunityDraws.point(*TRUTH)
    for history in [(0, 0), (1, 1), (2, 5), (3, 4), (5, 5)]:
        like = (x == history[0]) & (t_x == history[1])
        rows = OpportunityRows(*(np.array([float(one)]) for one in (*history, n, like.sum())))
        found = ahead_of(rows, draws, ahead)
        noise = 4 / np.sqrt(like.sum())
        assert found.active[0] == pytest.approx((stays[like] > n).mean(), abs=noise)
        assert found.taken[0] == pytest.approx(did[like, n:].mean(axis=0), abs=noise)
        again = OpportunityDraws(*np.repeat([TRUTH], 20, axis=0).T)
        there, taken = bg_bb.futures(again, ahead, rows, 3)
        assert there.mean() / like.sum() == pytest.approx(found.active[0], abs=noise)
        assert taken.mean(axis=0) / like.sum() == pytest.approx(found.taken[0], abs=noise)


@pytest.mark.requirement("R02")
def test_arms_of_an_experiment_are_compared_from_their_first_exposure_on(sample: Project) -> None:
    found = asked(sample, by=EXPERIMENT)
    assert [one.group for one in found.groups] == ["generic", "personalised"]
    (difference,) = found.differences
    assert difference.word == "effect"
    exposed = sample.engine.query(
        f"""select variant, count(distinct customer_id) as n from "exposures"
        where experience_id = '{EXPERIMENT}' and ts < '2025-12-01' group by variant order by variant"""
    ).to_pylist()
    # all who were exposed before December in Madrid, whether they ever bought or not
    assert [one.customers for one in found.groups] == pytest.approx([row["n"] for row in exposed], rel=0.02)
    one, other = found.groups
    assert difference.new.value == pytest.approx(other.new.value - one.new.value)
    # what 8,000 occasions of either arm show; the sample is made so
    assert 0 < other.taken / other.occasions - one.taken / one.occasions < difference.new.high
    assert difference.probability_positive > 0.9


def test_groups_that_were_not_made_at_random_are_associations(sample: Project) -> None:
    found = asked(sample, of="product_view", by="device")
    assert {one.word for one in found.differences} == {"association"}
    assert {check.name: check.status for check in found.checks}["assignment"] == "warn"
    assert found.groups == asked(sample, of="event:product_view", by="device").groups


def test_little_is_said_where_little_is_known(tmp_path: Path) -> None:
    """Thirty customers; a single occasion: answers that are wide, with a word of care."""
    few, _, _ = simulated(tmp_path / "few", 3, 30)
    found = asked(few)
    assert found.groups[0].active.high - found.groups[0].active.low > 0.3
    assert "few_customers" in {check.name for check in found.checks}
    rows = [(f"c{i}", month(0), 5.0) for i in range(200)] + [(f"c{i}", month(1), 5.0) for i in range(60)]
    found = asked(shop(tmp_path / "one", [*rows, ("c0", month(2, 1), 5.0)]))
    assert found.most == 1
    assert found.foretold is None
    assert {"few_periods", "holdout"} <= {check.name for check in found.checks if check.status == "warn"}
    assert found.groups[0].active.high - found.groups[0].active.low > 0.3


def test_what_cannot_be_answered_is_one_sentence(tmp_path: Path, sample: Project) -> None:
    with pytest.raises(DataError, match="no orders"):
        asked(Project.create(tmp_path / "e"))
    once = shop(tmp_path / "once", [(f"c{i}", month(i % 5), 5.0) for i in range(50)])
    with pytest.raises(ModelError, match=r"None of .* did it again"):
        asked(once)
    with pytest.raises(DataError, match="no whole quarter"):
        asked(shop(tmp_path / "short", [("a", month(0), 5.0), ("a", month(1), 5.0)]), period="quarter")
    with pytest.raises(DataError, match="no messages"):
        asked(sample, of="opened")
    with pytest.raises(DataError, match=r"no event “wave”; there are: .*product_view"):
        asked(sample, of="wave")
    with pytest.raises(DataError, match="no column, segment or experiment"):
        asked(sample, by="star sign")
    for wrong in ({"period": "year"}, {"horizon": 0}, {"held_periods": 0}, {"level": 1.0}):
        with pytest.raises(WorkbenchError):
            asked(sample, **wrong)


def test_openings_count_from_the_first_message_on(tmp_path: Path) -> None:
    """Sent to forty in January, February and March; thirty open in February, ten of them in March again."""
    project = Project.create(tmp_path / "p", timezone="Europe/Madrid")
    sends = [(f"s{k}-{i}", f"c{i}", month(k, 3)) for k in range(3) for i in range(40)]
    opens = [(f"s1-{i}", "open", month(1, 9)) for i in range(30)]
    opens += [(f"s2-{i}", "click", month(2, 9)) for i in range(10)]
    opens += [("s2-39", "bounce", month(3, 1)), ("s0-39", "open", month(0, 9))]
    project.commit(
        {
            "sends": pa.table(
                {
                    "send_id": [one[0] for one in sends],
                    "customer_id": [one[1] for one in sends],
                    "ts": pa.array([one[2] for one in sends], TIME),
                }
            ),
            "send_events": pa.table(
                {
                    "send_id": [one[0] for one in opens],
                    "type": [one[1] for one in opens],
                    "ts": pa.array([one[2] for one in opens], TIME),
                }
            ),
        }
    )
    one = asked(project, of="opened").groups[0]
    assert (one.customers, one.occasions, one.taken) == (40, 80, 40)


def test_the_command_line_says_the_same(tmp_path: Path) -> None:
    project, _, _ = simulated(tmp_path / "p", 2, 300)
    words = ["occasions", str(project.path), "--period", "quarter"]
    result = CliRunner().invoke(main, [*words, "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    found = asked(project, period="quarter")
    assert told["groups"][0]["ahead"]["value"] == found.groups[0].ahead.value
    plain = CliRunner().invoke(main, words)
    assert project.texts()(found.sentence) in plain.output
    # how well it foretold comes before any number
    assert plain.output.index("they took") < plain.output.index("still active")


def test_periods_of_the_calendar() -> None:
    for period in counting.PERIODS:
        for day in range(0, 40_000, 13):
            number = counting.period_number(day, period)
            begin, after = (period_begin(number + k, period) for k in (0, 1))
            assert begin <= date(1970, 1, 1) + timedelta(days=day) < after
