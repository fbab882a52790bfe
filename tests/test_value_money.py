"""What a value means: margin, costs, the price of a customer, and what old records say without all that."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from workbench import Project
from workbench.errors import DataError, WorkbenchError
from workbench.records import ValueRecord, ValueSettings, from_json
from workbench.report import text, value_definition
from workbench.simulate import HOME, simulate

TIME = pa.timestamp("us")
DAYS = 200
A_DAY = {"google": 30.0, "instagram": 20.0}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A simulated shop whose margin is exactly two fifths of revenue, with money spent on two channels."""
    project = Project.create(tmp_path_factory.mktemp("money") / "shop")
    tables = dict(simulate(customers=5_000, seed=8, with_events=False).tables)
    orders = tables["orders"]
    place = orders.column_names.index("margin")
    tables["orders"] = orders.set_column(place, "margin", pc.multiply(orders["revenue"], 0.4))
    begin = datetime(2025, 4, 1)
    spent = [
        (begin + timedelta(days=day), channel, cost) for day in range(DAYS) for channel, cost in A_DAY.items()
    ]
    tables["spend"] = pa.table(
        {
            "date": pa.array([row[0] for row in spent], TIME),
            "channel": [row[1] for row in spent],
            "campaign": [""] * len(spent),
            "cost": [row[2] for row in spent],
        }
    )
    project.commit({name: rows for name, rows in tables.items() if rows.num_rows})
    return project


def worth(shop: Project, **settings: object) -> ValueRecord:
    return shop.lifetime_value(keep=False, **settings)


@pytest.mark.requirement("T5", "V01")
def test_a_net_value_is_the_margin_less_each_cost_and_never_more(shop: Project) -> None:
    margin = worth(shop, margin=0.4).summary.value[0]
    assert worth(shop, margin=0.4, definition="net").summary.value[0].mean == margin.mean
    per_order = worth(shop, margin=0.4, cost_per_order=2.0).summary.value[0]
    service = worth(shop, margin=0.4, service_cost_per_year=5.0).summary.value[0]
    won = worth(shop, margin=0.4, acquisition_cost=7.0).summary.value[0]
    assert won.mean == pytest.approx(margin.mean - 7.0)
    # two a purchase: what the discounted purchases are, less than the whole ones
    assert margin.purchases is not None
    assert 1.9 * margin.purchases < margin.mean - per_order.mean < 2.0 * margin.purchases
    assert 0 < margin.mean - service.mean < 5.0
    assert won.acquisition is not None
    assert won.acquisition.ratio == pytest.approx(margin.mean / 7.0)


@pytest.mark.requirement("T5")
def test_the_currency_does_not_matter(shop: Project, tmp_path: Path) -> None:
    """The same orders in cents are worth a hundred times as much, and their order is the same."""
    orders = shop.engine.query(
        "SELECT * REPLACE (revenue * 100 AS revenue, refund * 100 AS refund) FROM orders"
    )
    cents = Project.create(tmp_path / "cents")
    cents.commit({"orders": orders})
    euros, hundredths = (worth(one).summary.value[0] for one in (shop, cents))
    assert hundredths.mean == pytest.approx(100 * euros.mean, rel=1e-3)
    assert hundredths.sd == pytest.approx(100 * euros.sd, rel=0.02)


@pytest.mark.requirement("V01")
def test_a_margin_can_be_measured_from_the_orders(shop: Project) -> None:
    """Where every order leaves two fifths, the measured margin is two fifths, of the first purchase too."""
    for first in (False, True):
        given = worth(shop, margin=0.4, first_purchase=first).summary.value[0]
        measured = worth(shop, margin="measured", first_purchase=first).summary.value[0]
        assert measured.margin is not None
        assert measured.margin.mean == pytest.approx(0.4)
        assert measured.margin.sd < 1e-6
        assert measured.mean == pytest.approx(given.mean, rel=1e-6)


@pytest.mark.requirement("V01", "T5")
def test_the_first_purchase_is_worth_what_it_brought(shop: Project) -> None:
    without, counted = worth(shop), worth(shop, first_purchase=True)
    (row,) = shop.engine.query(
        "SELECT avg(money) AS mean FROM (SELECT customer_id, arg_min(money, day) AS money FROM (SELECT "
        "customer_id, date_trunc('day', ts) AS day, sum(revenue - coalesce(refund, 0)) AS money FROM orders "
        "WHERE revenue > coalesce(refund, 0) GROUP BY ALL) GROUP BY ALL)"
    ).to_pylist()
    gap = counted.summary.value[0].mean - without.summary.value[0].mean
    assert gap == pytest.approx(row["mean"], rel=0.01)


@pytest.mark.requirement("T8", "A04")
def test_the_cost_of_a_customer_is_what_was_spent_by_who_came(shop: Project) -> None:
    (row,) = shop.engine.query(
        "SELECT count(*) AS n FROM (SELECT min(ts) AS first FROM orders WHERE revenue > coalesce(refund, 0) "
        f"GROUP BY customer_id) WHERE first >= '2025-04-01' AND first < DATE '2025-04-01' + {DAYS}"
    ).to_pylist()
    found = worth(shop, margin=0.4, acquisition_cost="measured", first_purchase=True).summary.value[0]
    assert found.acquisition is not None
    expected = DAYS * sum(A_DAY.values()) / row["n"]
    assert found.acquisition.mean == pytest.approx(expected, rel=0.01)
    low, high = found.acquisition.interval
    assert low < expected < high
    assert high - low == pytest.approx(2 * 1.96 * expected / row["n"] ** 0.5, rel=0.1)
    by_source = worth(shop, by="source", margin=0.4, acquisition_cost="measured", first_purchase=True)
    costs = {group.group: group.acquisition for group in by_source.summary.value}
    assert costs["google"] is not None
    assert costs["instagram"] is not None
    assert costs["direct"] is None
    assert any(
        "No cost of winning a customer is known for" in str(check.detail) for check in by_source.checks
    )


@pytest.mark.requirement("V01")
def test_each_group_may_cost_something_else_and_the_difference_says_so(shop: Project) -> None:
    costs = {"generic": 10.0, "personalised": 13.0}
    record = worth(shop, by=HOME, margin=0.4, acquisition_cost=costs, first_purchase=True)
    parts = {part.name: part for part in record.summary.differences[0].parts}
    assert parts["acquisition"].mean == pytest.approx(-3.0)
    assert sum(part.mean for part in parts.values()) == pytest.approx(record.summary.differences[0].mean)


@pytest.mark.requirement("S05", "V12")
def test_one_group_is_worth_most_in_each_draw(shop: Project) -> None:
    groups = worth(shop, by="device").summary.value
    assert sum(group.top or 0.0 for group in groups) == pytest.approx(1.0)
    best = max(groups, key=lambda group: group.top or 0.0)
    assert best.mean == max(group.mean for group in groups)
    for group in groups:
        assert group.rank is not None
        assert 1 <= group.rank[0] <= group.rank[1] <= len(groups)


@pytest.mark.requirement("T5")
def test_the_definition_stands_beside_every_value(shop: Project) -> None:
    t = shop.texts("en")
    record = worth(
        shop,
        margin=0.4,
        cost_per_order=2.0,
        service_cost_per_year=5.0,
        acquisition_cost=9.0,
        first_purchase=True,
        horizon_weeks=None,
    )
    said = t(value_definition(record.settings))
    assert said == (
        "Value here is a margin of 40 % of revenue from the first purchase and all that follow, without an "
        "end, discounted by 10 % a year, less €2.00 a purchase, €5.00 a year of service and what it cost to "
        "win the customer."
    )
    assert said in text(record, t)
    assert t(value_definition(ValueSettings(discount_per_year=0.0))) == (
        "Value here is revenue from repeat purchases in the 52 weeks after the first, not discounted."
    )


def test_a_definition_that_contradicts_itself_is_refused(shop: Project, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="Costs are taken off a net value only"):
        worth(shop, definition="margin", margin=0.4, cost_per_order=1.0)
    with pytest.raises(WorkbenchError, match="Revenue has no margin"):
        worth(shop, definition="revenue", margin=0.4)
    with pytest.raises(WorkbenchError, match="needs a discount"):
        worth(shop, horizon_weeks=None, discount_per_year=0.0)
    bare = Project.create(tmp_path / "bare")
    bare.commit({"orders": shop.engine.query("SELECT * EXCLUDE (margin) FROM orders")})
    with pytest.raises(DataError, match="no order carries one"):
        worth(bare, margin="measured")
    with pytest.raises(DataError, match="load what was spent a day and channel"):
        worth(bare, margin=0.4, acquisition_cost="measured")


@pytest.mark.requirement("O08")
def test_a_record_from_before_there_were_definitions_can_be_read(shop: Project) -> None:
    record = worth(shop, by=HOME, margin=0.4)
    old = json.loads(record.model_dump_json())
    for name in (
        *("definition", "cost_per_order", "service_cost_per_year", "acquisition_cost", "first_purchase"),
    ):
        del old["settings"][name]
    for group in old["summary"]["value"]:
        for name in ("margin", "curve", "acquisition", "top", "rank"):
            del group[name]
    for item in old["summary"]["differences"]:
        del item["parts"]
    read = from_json(json.dumps(old))
    assert isinstance(read, ValueRecord)
    assert read.id == record.id
    assert (read.settings.definition, read.settings.margin) == ("margin", 0.4)
    assert text(read, shop.texts("en")).splitlines()[:2] == text(record, shop.texts("en")).splitlines()[:2]
    del old["settings"]["margin"]
    plain = from_json(json.dumps(old))
    assert isinstance(plain, ValueRecord)
    assert plain.settings.definition == "revenue"
