"""The pictures that personalisation is talked about with: each is there, from data whose truth is known.

The map of the week and what becomes of carts are in `test_engagement_when.py`, which plants their truths.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests import sample_shop
from workbench import Project, report
from workbench.analyses.customer import analyse, example
from workbench.analyses.engagement import Visits
from workbench.analyses.rfm_moves import Moves
from workbench.charts import engagement, rfm_moves, timeline
from workbench.charts.picture import Picture
from workbench.locale import Texts

pytestmark = pytest.mark.requirement("U08")
T = Texts("en")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return sample_shop.make(tmp_path_factory.mktemp("checklist") / "shop")


def one(project: Project, sql: str) -> Any:
    (row,) = project.engine.query(sql).to_pylist()
    return next(iter(row.values()))


def drawn(picture: Picture) -> list[dict[str, Any]]:
    """All rows of a chart, wherever its specification keeps them."""
    spec = picture.chart.to_dict()
    parts = [spec, *spec.get("layer", [])]
    named = [row for rows in spec.get("datasets", {}).values() for row in rows]
    return named + [row for part in parts for row in part.get("data", {}).get("values", [])]


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def test_a_scorecard_holds_the_shares_that_are_counted_by_hand(shop: Project) -> None:
    """First orders within 14 days of the first exposure, by the arm of that exposure."""
    figures = report.figures(shop.effect(sample_shop.EXPERIMENT, "conversion", keep=False), T)
    assert 1 <= len(figures) <= 3
    assert all(figure.value and figure.detail for figure in figures)
    lift = 100 * one(
        shop,
        "WITH first AS (SELECT customer_id, min(ts) AS began, min_by(variant, ts) AS arm FROM exposures"
        f" WHERE experience_id = '{sample_shop.EXPERIMENT}' GROUP BY ALL),"
        " seen AS (SELECT first.*, EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = first.customer_id"
        " AND o.ts >= began AND o.ts < began + INTERVAL 14 DAY) AS bought FROM first"
        " WHERE began + INTERVAL 14 DAY <= (SELECT max(ts) FROM orders))"
        " SELECT avg(bought::INT) FILTER (arm = 'personalised') - avg(bought::INT) FILTER (arm = 'generic')"
        " FROM seen",
    )
    said = float(re.findall(r"[-−+]?([\d.]+) points", figures[0].value)[0])
    assert said == pytest.approx(lift, abs=0.15)


def test_a_trend_has_every_week_and_all_visits(shop: Project) -> None:
    visits = shop.engagement().visits
    assert isinstance(visits, Visits)
    picture = engagement.visit_pictures(visits, T)[0]
    rows = {row["day"]: row["visits"] for row in drawn(picture)}
    assert sum(rows.values()) == one(
        shop, "SELECT count(DISTINCT session_id) FROM events WHERE page IS NOT NULL"
    )
    assert len(rows) == len(visits.weeks) == len(engagement.week_rows(visits, T)) >= 52
    assert picture.description


def test_a_flow_loses_nobody(shop: Project) -> None:
    found = shop.rfm()
    assert isinstance(found.moves, Moves)
    picture = rfm_moves.move_pictures(found.moves, found, T)[1]
    flows = [number(part.split(" from ")[0]) for part in picture.description.split("; ")[1:]]
    first = number(picture.description.split("; ")[0].rsplit(". ", 1)[1].split(" from ")[0])
    assert first + sum(flows) == sum(segment.customers for segment in found.segments)
    assert len(rfm_moves.matrix_rows(found.moves, T)) > 1


def test_a_profile_shows_all_orders_of_one_customer(shop: Project) -> None:
    customer = analyse(shop, example(shop, "most"))
    picture = timeline.picture(customer, T)
    assert picture is not None
    orders = one(
        shop,
        f"SELECT count(*) FROM orders WHERE customer_id = {customer.pseudonym}"
        " AND customer_id IN (SELECT customer_id FROM orders GROUP BY ALL HAVING count(*) > 1)",
    )
    assert sum(mark.lane == "orders" for mark in customer.marks) == orders > 5
    assert f"Orders: {orders}" in picture.description
    assert sum(T("Order") in str(row.values()) for row in timeline.rows(customer, T)) >= orders
