"""Fairness: what groups buy, pay and get, against sums by hand, a bootstrap, and a shop with a known gap."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.shops import START, TEXT, TIME
from workbench import Project
from workbench.analyses.fairness import Fairness, GroupResult, Measure, attributes
from workbench.errors import DataError, WorkbenchError

DEAR = 1.10
"""What women pay for the same articles, over what men do."""


def shop(folder: Path, *, customers: int = 1500, seed: int = 3) -> tuple[Project, dict[str, pa.Table]]:
    """A shop in which women pay a tenth more for the same articles, and nothing else differs."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["woman", "man"], customers, p=[0.6, 0.4])
    sex[:4] = "diverse"
    orders = rng.poisson(rng.gamma(0.6, 1.2, customers))
    who = np.repeat(np.arange(customers), orders)
    n = who.size
    sku = rng.integers(0, 20, n)
    price = (10.0 + sku) * np.where(sex[who] == "woman", DEAR, 1.0) * rng.choice([0.95, 1.0, 1.05], n)
    off = np.where(rng.random(n) < 0.2, rng.uniform(1, 5, n), 0.0)
    ids, order_ids = [f"c{i}" for i in range(customers)], [f"o{i}" for i in range(n)]
    seen = rng.random(customers) < 0.7
    when = [START + timedelta(days=float(day)) for day in rng.uniform(0, 100, n)]
    tables = {
        "customers": pa.table({"customer_id": ids, "sex": sex, "age": rng.integers(18, 80, customers)}),
        "orders": pa.table(
            {
                "order_id": order_ids,
                "customer_id": [ids[i] for i in who],
                "ts": pa.array(when, TIME),
                "revenue": price - off,
                "discount": off,
            }
        ),
        "order_items": pa.table(
            {
                "order_id": order_ids,
                "sku": [f"s{i}" for i in sku],
                "category": ["a"] * n,
                "quantity": [1.0] * n,
                "price": price,
                "from_recommendation": pa.array([None] * n, pa.bool_()),
            }
        ),
        "exposures": pa.table(
            {
                "customer_id": [name for name, there in zip(ids, seen, strict=True) if there],
                "experience_id": ["home"] * int(seen.sum()),
                "variant": rng.choice(["control", "personal"], int(seen.sum())),
                "ts": pa.array([START] * int(seen.sum()), TIME),
                "level": pa.array([None] * int(seen.sum()), TEXT),
                "delivered": pa.array([None] * int(seen.sum()), pa.bool_()),
            }
        ),
    }
    project = Project.create(folder)
    project.commit(tables)
    return project, tables


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, pa.Table]]:
    return shop(tmp_path_factory.mktemp("fair") / "shop")


@pytest.fixture(scope="module")
def by_sex(made: tuple[Project, dict[str, pa.Table]]) -> Fairness:
    return made[0].fairness("sex")  # type: ignore[no-any-return]  # the project says Any


def measure(found: Fairness, name: str) -> Measure:
    return next(one for one in found.measures if one.name == name)


def group(found: Fairness, name: str, which: str) -> GroupResult:
    return next(item for item in measure(found, name).groups if item.group == which)


@pytest.mark.requirement("G08")
def test_values_are_those_of_sums_by_hand(
    made: tuple[Project, dict[str, pa.Table]], by_sex: Fairness
) -> None:
    tables = {name: rows.to_pandas() for name, rows in made[1].items()}
    women = tables["customers"].query("sex == 'woman'")
    orders = tables["orders"].merge(women, "left", on="customer_id").query("sex == 'woman'")
    exposed = tables["exposures"].merge(women, on="customer_id")
    wanted = {
        "conversion": orders.customer_id.nunique() / len(women),
        "revenue": orders.revenue.sum() / len(women),
        "order_value": orders.revenue.mean(),
        "discounted": (orders.discount > 0).mean(),
        "discount": orders.discount.mean(),
        "exposed": len(exposed) / len(women),
        "treated": (exposed.variant == "personal").mean(),
    }
    for name, value in wanted.items():
        item = group(by_sex, name, "woman")
        assert item.value == pytest.approx(value), name
        assert item.interval is not None
        assert item.interval[0] < value < item.interval[1]
    assert set(wanted) | {"price"} == {one.name for one in by_sex.measures}


@pytest.mark.requirement("G08")
def test_a_gap_in_prices_is_found_and_nothing_that_does_not_follow_from_it(by_sex: Fairness) -> None:
    woman, man = group(by_sex, "price", "woman"), group(by_sex, "price", "man")
    assert woman.differs
    assert man.differs
    assert woman.against_rest_interval is not None
    low, high = woman.against_rest_interval
    assert low < DEAR - 1 < high
    assert high - low < 0.03
    differing = [one.name for one in by_sex.measures if any(item.differs for item in one.groups)]
    assert set(differing) <= {"price", "order_value", "revenue"}  # who pays more for each spends more in all
    assert [one.name for one in by_sex.measures[: len(differing)]] == differing
    assert "association" in str(by_sex.verdict)
    assert "woman" in str(by_sex.verdict) or "man" in str(by_sex.verdict)


@pytest.mark.requirement("G08")
def test_groups_that_are_alike_seldom_seem_to_differ(
    made: tuple[Project, dict[str, pa.Table]], tmp_path: Path
) -> None:
    rng = np.random.default_rng(8)
    customers = made[1]["customers"]
    columns = {f"lot_{i}": rng.choice(["a", "b", "c", "d"], customers.num_rows) for i in range(8)}
    project = Project.create(tmp_path / "lots")
    rest = {name: rows for name, rows in made[1].items() if name != "customers"}
    project.commit({**rest, "customers": pa.table({"customer_id": customers["customer_id"], **columns})})
    found = [one for name in columns for one in project.fairness(name).measures]
    flagged = sum(any(item.differs for item in one.groups) for one in found)
    assert len(found) == 64
    assert flagged <= 3  # 64 measures of four groups that are alike


def test_the_interval_of_an_order_value_is_as_wide_as_a_bootstrap_over_customers(
    made: tuple[Project, dict[str, pa.Table]], by_sex: Fairness
) -> None:
    orders = made[1]["orders"].to_pandas().merge(made[1]["customers"].to_pandas(), on="customer_id")
    each = orders.query("sex == 'woman'").groupby("customer_id").revenue.agg(["sum", "count"]).to_numpy()
    rng = np.random.default_rng(0)
    chosen = rng.integers(0, len(each), (2000, len(each)))
    again = each[chosen].sum(axis=1)
    spread = np.quantile(again[:, 0] / again[:, 1], [0.025, 0.975])
    interval = group(by_sex, "order_value", "woman").interval
    assert interval is not None
    assert interval == pytest.approx(spread, abs=0.15 * (spread[1] - spread[0]))


@pytest.mark.requirement("G10")
def test_a_small_group_is_neither_shown_nor_found_by_subtraction(by_sex: Fairness) -> None:
    assert by_sex.hidden == 1  # four people
    assert set(by_sex.sizes) == {"woman", "man"}
    assert by_sex.customers == sum(by_sex.sizes.values()) == 1496
    assert {item.group for one in by_sex.measures for item in one.groups} == {"woman", "man"}
    (check,) = [check for check in by_sex.checks if check.name == "small_groups"]
    assert check.count == 1


def test_numbers_of_many_values_are_cut_into_bands_of_like_size(
    made: tuple[Project, dict[str, pa.Table]],
) -> None:
    found = made[0].fairness("age")
    sizes = list(found.sizes.values())
    assert len(sizes) == 5
    assert sum(sizes) == found.customers == 1500
    assert max(sizes) < 1.4 * min(sizes)
    ends = sorted(tuple(map(int, name.split("–"))) for name in found.sizes)
    assert ends[0][0] == 18
    assert ends[-1][1] == 79
    assert all(high + 1 == low for (_, high), (low, _) in pairwise(ends))


def test_only_the_last_days_count_where_asked(made: tuple[Project, dict[str, pa.Table]]) -> None:
    project, tables = made
    orders = tables["orders"].to_pandas()
    end = orders.ts.max().floor("s") + timedelta(seconds=1)
    recent = orders[orders.ts >= end - timedelta(days=30)]
    found = project.fairness("age", days=30)
    buyers = sum(item.value * item.people for item in measure(found, "conversion").groups)
    assert round(buyers) == recent.customer_id.nunique()


@pytest.mark.requirement("G08")
def test_a_segment_by_what_is_sensitive_is_flagged(tmp_path: Path) -> None:
    project, _ = shop(tmp_path / "shop", customers=300)
    assert [check.status for check in project.fairness("age").checks if check.name == "targeting"] == ["ok"]
    project.segments["young women"] = "sex == 'woman' and age < 30"
    project.segments["buyers"] = "orders >= 1"
    found = project.fairness("age")
    assert found.flagged == {"young women": ["age", "sex"]}
    (check,) = [check for check in found.checks if check.name == "targeting"]
    assert check.status == "warn"
    assert "young women" in str(check.detail)


def test_what_cannot_be_asked_is_refused_in_a_sentence(
    made: tuple[Project, dict[str, pa.Table]], tmp_path: Path
) -> None:
    project = made[0]
    assert attributes(project.engine) == ["sex", "age"]
    with pytest.raises(WorkbenchError, match="no attribute of customers"):
        project.fairness("shoe_size")
    with pytest.raises(WorkbenchError, match="level"):
        project.fairness("sex", level=95)
    alone = Project.create(tmp_path / "alone")
    alone.commit({"customers": pa.table({"customer_id": ["a", "b"], "sex": ["woman", "man"]})})
    with pytest.raises(DataError, match="does not tell groups"):
        alone.fairness("sex")
