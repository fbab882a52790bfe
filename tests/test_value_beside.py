"""What stands beside a lifetime value, against sums by hand over the simulated shop's own rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from workbench import Project
from workbench.analyses.estimates import Needs
from workbench.analyses.value_beside import ValueBeside
from workbench.analyses.value_rise import Rise
from workbench.simulate import HOME, simulate

TIME = pa.timestamp("us")
_KEPT = "SELECT * FROM orders WHERE revenue > coalesce(refund, 0)"
_PEOPLE = f"""people AS (
    SELECT customer_id, min(variant) AS arm, min(ts) AS seen
    FROM exposures WHERE experience_id = '{HOME}' GROUP BY ALL HAVING count(DISTINCT variant) = 1
)"""
CATEGORIES = ("dresses", "shoes", "bags", "coats")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A simulated shop with lines of orders and referrals."""
    project = Project.create(tmp_path_factory.mktemp("beside") / "shop")
    tables = dict(simulate(customers=5_000, seed=9, with_events=False).tables)
    orders = tables["orders"].to_pylist()
    rng = np.random.default_rng(1)
    lines = [
        (row["order_id"], f"p{line}", CATEGORIES[rng.integers(4)], bool(rng.random() < 0.3))
        for row in orders
        for line in range(1 + int(rng.integers(3)))
    ]
    names = ("order_id", "sku", "category", "from_recommendation")
    tables["order_items"] = pa.table({name: [row[at] for row in lines] for at, name in enumerate(names)})
    buyers = sorted({row["customer_id"] for row in orders})
    start = datetime(2025, 3, 1)
    claims = [
        (buyers[0], buyers[10], start),
        (buyers[1], buyers[10], start + timedelta(days=1)),  # claimed a second time
        (buyers[0], buyers[11], start),
        (buyers[2], buyers[2], start),  # brought themselves
        (buyers[3], "nobody", start),  # never bought
        ("stranger", buyers[12], start),  # brought by somebody who is no customer
    ]
    tables["referrals"] = pa.table(
        {
            "referrer_id": [row[0] for row in claims],
            "referred_id": [row[1] for row in claims],
            "ts": pa.array([row[2] for row in claims], TIME),
        }
    )
    project.commit({name: rows for name, rows in tables.items() if rows.num_rows})
    return project


@pytest.fixture(scope="module")
def found(shop: Project) -> ValueBeside:
    answer = shop.value_beside(by=HOME, margin=0.4, first_purchase=True, credited=0.25)
    assert isinstance(answer, ValueBeside)
    return answer


def rows(shop: Project, sql: str) -> list[dict[str, Any]]:
    """Rows of a query over purchases: days of customers with an order that was not given back."""
    return shop.engine.query(
        f"""
        WITH days AS (
            SELECT customer_id, CAST(ts AS DATE) AS day, sum(revenue - coalesce(refund, 0)) AS money
            FROM ({_KEPT}) GROUP BY ALL
        )
        {sql}
        """
    ).to_pylist()


@pytest.mark.requirement("V05")
def test_the_rise_within_customers_is_a_regression_with_a_level_for_each(
    shop: Project, found: ValueBeside
) -> None:
    """Against least squares with one intercept a customer, arm by arm."""
    assert isinstance(found.rise, Rise)
    bought = rows(
        shop,
        f", {_PEOPLE}, firsts AS (SELECT customer_id, min(day) AS begin FROM days GROUP BY 1) "
        "SELECT customer_id, arm, date_diff('day', begin, day) / 365.25 AS age, money FROM days "
        "JOIN people USING (customer_id) JOIN firsts USING (customer_id) WHERE begin >= CAST(seen AS DATE)",
    )
    for group in found.rise.groups:
        own = [row for row in bought if row["arm"] == group.group]
        _, who = np.unique([row["customer_id"] for row in own], return_inverse=True)
        age, money = (np.array([row[name] for row in own]) for name in ("age", "money"))
        count = np.bincount(who)
        within = [column - (np.bincount(who, column) / count)[who] for column in (age, money)]
        slope = np.linalg.lstsq(within[0][:, None], within[1], rcond=None)[0][0]
        assert group.order == pytest.approx(money.mean(), rel=0.02)
        assert group.customers == pytest.approx((count > 1).sum(), rel=0.02)
        assert group.seen is not None
        assert group.seen.value == pytest.approx(
            slope / money.mean(), abs=0.1 * (group.seen.high - group.seen.low)
        )
        # pooling moves no rise away from the typical one
        assert abs(group.rise.value - found.rise.typical.value) <= abs(
            group.seen.value - found.rise.typical.value
        )
        assert group.rise.high - group.rise.low < group.seen.high - group.seen.low


@pytest.mark.requirement("V05")
def test_who_stays_is_told_apart_from_what_people_change(shop: Project, found: ValueBeside) -> None:
    """Third purchases by hand; mix and rise make up the whole gap to everybody's first."""
    assert not isinstance(found.numbers, Needs)
    third = next(one for one in found.numbers if one.number == 3)
    (row,) = rows(
        shop,
        "SELECT avg(money) AS money, avg(begin) AS begin, count(*) AS n FROM (SELECT *, row_number() OVER "
        "one AS k, "
        "first(money) OVER one AS begin FROM days WINDOW one AS (PARTITION BY customer_id ORDER BY day)) "
        "WHERE k = 3",
    )
    assert third.customers == row["n"]
    assert third.value.value == pytest.approx(row["money"])
    assert third.first.value == pytest.approx(row["begin"])
    mix = third.first.value - found.numbers[0].value.value
    assert mix + third.rise.value == pytest.approx(third.value.value - found.numbers[0].value.value)
    assert third.rise.low < third.rise.value < third.rise.high


@pytest.mark.requirement("I04")
def test_months_count_those_who_have_gone(shop: Project, found: ValueBeside) -> None:
    """The second month by hand: money of those watched for all of it, over all of them."""
    assert not isinstance(found.months, Needs)
    second = found.months[1]
    (row,) = rows(
        shop,
        ", ends AS (SELECT max(CAST(ts AS DATE)) AS last FROM orders), firsts AS (SELECT customer_id, "
        "min(day) AS "
        "first FROM days GROUP BY ALL), old AS (SELECT customer_id, first FROM firsts, ends WHERE last - "
        "first >= 60) "
        "SELECT (SELECT count(*) FROM old) AS acquired, count(DISTINCT customer_id) AS buyers, sum(money) "
        "AS money FROM days JOIN old USING (customer_id) WHERE day - first BETWEEN 30 AND 59",
    )
    assert second.acquired == row["acquired"]
    assert second.buying == pytest.approx(row["buyers"] / row["acquired"])
    assert second.of_acquired.value == pytest.approx(0.4 * row["money"] / row["acquired"])
    assert second.of_buyers.value == pytest.approx(0.4 * row["money"] / row["buyers"])
    assert found.months[0].buying == 1.0  # everybody bought in the month of their first purchase
    summed = sum(one.of_acquired.value for one in found.months)
    assert found.months[-1].to_date.value == pytest.approx(summed)


@pytest.mark.requirement("V13")
def test_categories_are_counted_in_the_first_orders_of_each_variant(
    shop: Project, found: ValueBeside
) -> None:
    assert not isinstance(found.breadth, Needs)
    assert found.breadth.word == "effect"
    by_hand = shop.engine.query(
        f"""
        WITH {_PEOPLE}, ranked AS (
            SELECT o.*, arm, row_number() OVER (PARTITION BY customer_id ORDER BY epoch(ts), order_id) AS k
            FROM ({_KEPT}) o JOIN people USING (customer_id) WHERE ts >= seen
        ), enough AS (SELECT customer_id FROM ranked WHERE k = 3)
        SELECT arm, avg(c) AS mean, count(*) AS n FROM (
            SELECT arm, customer_id, count(DISTINCT category) AS c
            FROM ranked JOIN enough USING (customer_id) JOIN order_items USING (order_id)
            WHERE k <= 3 GROUP BY ALL
        ) GROUP BY arm
        """
    ).to_pylist()
    assert len(by_hand) == 2
    for row in by_hand:
        one = next(group for group in found.breadth.groups if group.group == row["arm"])
        assert (one.customers, one.value.value) == (row["n"], pytest.approx(row["mean"]))


@pytest.mark.requirement("V06")
def test_orders_with_a_recommendation_are_counted_over_the_time_of_exposure(
    shop: Project, found: ValueBeside
) -> None:
    """Three in ten lines are recommended in both arms; the mean rate is orders over months watched."""
    assert not isinstance(found.recommended, Needs)
    (end,) = shop.engine.query("SELECT max(ts) AS last FROM orders").to_pylist()
    last = f"TIMESTAMP '{end['last']}'"
    by_hand = shop.engine.query(
        f"""
        WITH {_PEOPLE}, chosen AS (SELECT DISTINCT order_id FROM order_items WHERE from_recommendation),
        bought AS (
            SELECT customer_id, count(*) AS n
            FROM ({_KEPT}) JOIN chosen USING (order_id) JOIN people USING (customer_id)
            WHERE ts >= seen GROUP BY ALL
        )
        SELECT arm, sum(coalesce(n, 0)) AS orders,
            sum(date_diff('second', seen, {last}) // 86400 + 1) / 30.4375 AS months
        FROM people LEFT JOIN bought USING (customer_id) WHERE seen <= {last} GROUP BY arm
        """
    ).to_pylist()
    assert len(by_hand) == 2
    for row in by_hand:
        one = next(group for group in found.recommended.groups if group.group == row["arm"])
        assert one.value.value == pytest.approx(float(row["orders"]) / row["months"], rel=0.06)
        assert one.value.low < float(row["orders"]) / row["months"] < one.value.high


@pytest.mark.requirement("V11")
def test_nobody_is_brought_twice_and_nobody_brings_themselves(found: ValueBeside) -> None:
    assert not isinstance(found.referrals, Needs)
    one = found.referrals
    assert (one.brought, one.referrers, one.twice) == (2, 1, 1)
    worth = found.referrals.for_each.value * one.customers / (0.25 * 2)
    assert found.referrals.for_each.low < found.referrals.for_each.value < found.referrals.for_each.high
    assert 5 < worth < 200  # the value of a new customer


@pytest.mark.requirement("V14")
def test_the_months_of_new_customers_add_up_to_all(shop: Project, found: ValueBeside) -> None:
    assert not isinstance(found.sources, Needs)
    (row,) = rows(
        shop,
        "SELECT count(DISTINCT customer_id) AS n, count(DISTINCT CASE WHEN medium = 'organic' THEN "
        "customer_id END) AS free FROM days JOIN customers USING (customer_id)",
    )
    assert sum(month.customers for month in found.sources.months) == row["n"]
    assert found.sources.share.value == pytest.approx(row["free"] / row["n"])
    assert found.sources.referred == 5
    assert found.sources.bought is not None
    assert found.sources.bought.value == pytest.approx(4 / 5)


@pytest.mark.requirement("A04")
def test_keeping_a_customer_has_a_price_only_where_somebody_is_kept(
    shop: Project, found: ValueBeside
) -> None:
    assert isinstance(found.keeping, Needs)
    asked = {
        "by": HOME,
        "margin": 0.4,
        "acquisition_cost": 12.0,
        "treatment_cost": 0.5,
        "first_purchase": True,
    }
    one = shop.value_beside(**asked).keeping
    assert not isinstance(one, Needs)
    assert (one.cost_of_keeping is None) == (one.kept.low <= 0)


@pytest.mark.requirement("V08")
def test_tenths_hold_everything(found: ValueBeside) -> None:
    shares = [tenth.share.value for tenth in found.spread.tenths]
    assert sum(shares) == pytest.approx(1.0)
    assert shares == sorted(shares, reverse=True)
    total = sum(tenth.mean for tenth in found.spread.tenths) / 10 * found.spread.customers
    assert total == pytest.approx(found.spread.total.value, rel=0.02)


def test_what_is_not_loaded_is_asked_for(tmp_path: Path, shop: Project) -> None:
    bare = Project.create(tmp_path / "bare")
    bare.commit({"orders": shop.engine.query("SELECT * FROM orders")})
    found = bare.value_beside()
    for part, word in (
        (found.breadth, "order_items"),
        (found.recommended, "order_items"),
        (found.referrals, "referrals"),
        (found.sources, "medium"),
    ):
        assert isinstance(part, Needs)
        assert word in str(part.sentence)
