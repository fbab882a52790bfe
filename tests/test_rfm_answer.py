"""Customers by recency, frequency and money: against pandas, by hand, and against lives that are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sqlglot

from tests import rfm_shop
from tests.rfm_shop import on
from workbench import Project, report
from workbench.analyses.estimates import Needs
from workbench.analyses.rfm import Rfm
from workbench.analyses.rfm_model import ModelView
from workbench.analyses.rfm_moves import Moves, by_tier
from workbench.analyses.rfm_tables import tables
from workbench.errors import DataError, WorkbenchError
from workbench.metrics.cells import ask

ORDERS = rfm_shop.many()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return rfm_shop.make(tmp_path_factory.mktemp("rfm") / "shop", ORDERS)


@pytest.fixture(scope="module")
def found(shop: Project) -> Rfm:
    answer = shop.rfm(as_of=on(260), before=on(150))
    assert isinstance(answer, Rfm)
    return answer


@pytest.mark.requirement("F01")
def test_segments_are_those_of_pandas(found: Rfm) -> None:
    each = rfm_shop.scored(ORDERS, 260)
    for one in found.segments:
        theirs = each[each.segment == one.named.name]
        assert one.customers == len(theirs)
        assert one.share == pytest.approx(len(theirs) / len(each))
        assert one.orders == theirs.orders.sum()
        assert one.revenue == pytest.approx(theirs.money.sum(), abs=1e-6)
        assert one.share_of_revenue == pytest.approx(theirs.money.sum() / each.money.sum())
        if len(theirs):
            assert one.days_since == pytest.approx(theirs.recency.mean())
            assert one.average_order == pytest.approx(theirs.money.sum() / theirs.orders.sum())
    counts = each.groupby(["r", "f"]).agg(n=("money", "size"), money=("money", "sum"))
    assert {(cell.r, cell.f): cell.customers for cell in found.cells} == counts.n.to_dict()
    assert {(c.r, c.f): c.money for c in found.cells} == pytest.approx(counts.money.to_dict())


@pytest.mark.requirement("F02")
def test_moves_are_those_of_pandas_and_nobody_is_lost(found: Rfm) -> None:
    before, after = rfm_shop.scored(ORDERS, 150), rfm_shop.scored(ORDERS, 260)
    both = before.join(after, suffixes=("", "_after"))
    moves = found.moves
    assert isinstance(moves, Moves)
    order = [one.named.name for one in found.segments]
    place = {name: number for number, name in enumerate(order)}
    assert set(before.index) <= set(after.index)
    for row in moves.rows:
        theirs = both[both.segment == row.segment]
        went = theirs.segment_after.value_counts()
        assert dict(row.to) == {name: int(went.get(name, 0)) for name in order}
        assert row.customers == len(theirs) == sum(row.to.values())
        steps = theirs.segment_after.map(place) - place[row.segment]
        assert (row.up, row.down) == ((steps < 0).sum(), (steps > 0).sum())
        assert row.silent == (theirs.frequency_after == theirs.frequency).sum()
    assert moves.customers == len(before)
    for name in order:
        there = sum(row.to[name] for row in moves.rows) + moves.new[name]
        assert there == (after.segment == name).sum()
        assert moves.silent[name] <= there
    flows = by_tier(moves, {one.named.name: one.named.tier for one in found.segments}.__getitem__)
    assert sum(flows.values()) == len(after)
    assert sum(n for (tier, _), n in flows.items() if tier is None) == len(after) - len(before)


@pytest.mark.requirement("F02")
def test_moves_by_hand_and_the_probability_to_move_up(tmp_path: Path) -> None:
    """By fixed cut points: three of four who were lost come back and are new; the fourth stays."""
    orders = [(n, 0, 10.0) for n in range(4)] + [(n, 200, 10.0) for n in range(3)] + [(9, 150, 10.0)]
    project = rfm_shop.make(tmp_path / "s", rfm_shop.rows(orders))
    cuts = {"recency": (10, 20, 30, 40), "frequency": (2, 3, 4, 5), "money": (100, 200, 300, 400)}
    moves = project.rfm(cuts=cuts, same_cuts=True, before=on(100)).moves
    rows = {row.segment: row for row in moves.rows}
    lost = rows["lost"]
    assert (lost.customers, lost.up, lost.down, lost.silent) == (4, 3, 0, 1)
    assert {name: n for name, n in lost.to.items() if n} == {"new": 3, "lost": 1}
    # Beta(4, 2): mean 2/3; its 2.5 % point solves 5x⁴ - 4x⁵ = 0.025
    assert lost.improves.value == pytest.approx(2 / 3)
    assert 5 * lost.improves.low**4 - 4 * lost.improves.low**5 == pytest.approx(0.025)
    assert {name: n for name, n in moves.new.items() if n} == {"lost": 1}
    assert {name: n for name, n in moves.silent.items() if n} == {"lost": 1}
    assert rows["champions"].improves is None


@pytest.mark.requirement("F01")
def test_cut_points_of_ones_own_are_taken_as_they_are(shop: Project) -> None:
    each = rfm_shop.scored(ORDERS, 300)
    cuts = {"recency": (30, 60, 90, 150), "frequency": (1, 2, 3, 4), "money": (10, 25.5, 60, 119.99)}
    cells: dict[tuple[int, int], int] = {}
    for recency, frequency in zip(each.recency, each.frequency, strict=True):
        r = 5 - sum(recency >= cut for cut in cuts["recency"])
        f = 1 + sum(frequency > cut for cut in cuts["frequency"])
        cells[r, f] = cells.get((r, f), 0) + 1
    answer = shop.rfm(cuts=cuts)
    assert {(cell.r, cell.f): cell.customers for cell in answer.cells} == cells
    assert answer.scale.cuts["money"] == cuts["money"]
    only = shop.rfm(cuts={"money": cuts["money"]})
    assert only.scale.cuts["recency"] == shop.rfm().scale.cuts["recency"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"cuts": {"recency": (10, 30, 60)}}, "recency are “10 30 60”; write four growing numbers"),
        ({"cuts": {"money": (1, 3, 2, 4)}}, "money are “1 3 2 4”"),
        ({"cuts": {"money": (1, 2, 3, float("inf"))}}, "money are “1 2 3 inf”"),
        ({"cuts": {"frequency": (1, 2, 2.5, 4)}}, "whole ones for days"),
        ({"cuts": {"age": (1, 2, 3, 4)}}, "no measure “age”"),
        ({"as_of": on(900)}, "orders from 1 Jan 2025 to 28 Oct 2025; 20 Jun 2027 is outside"),
        ({"as_of": on(100), "before": on(100)}, "not before 11 Apr 2025"),
        ({"money": "profit"}, "no kind of money"),
        ({"level": 1.0}, "level"),
        ({"gone_below": 0.0}, "below which a customer is gone"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    shop: Project, settings: dict[str, Any], says: str
) -> None:
    with pytest.raises(WorkbenchError, match=says):
        shop.rfm(**settings)


@pytest.mark.requirement("F01")
def test_money_as_margin(shop: Project) -> None:
    kept = np.where(ORDERS.revenue > 0, (ORDERS.revenue - ORDERS.refund) / ORDERS.revenue, 1.0)
    each = rfm_shop.scored(ORDERS, 300)
    margin = (ORDERS.margin * kept).groupby(ORDERS.customer).sum().reindex(each.index)
    answer = shop.rfm(money="margin")
    assert sum(one.margin for one in answer.segments) == pytest.approx(margin.sum(), abs=0.01 * len(each))
    revenue = {one.named.name: one.revenue for one in shop.rfm().segments}
    assert sum(one.revenue for one in answer.segments) == pytest.approx(sum(revenue.values()))
    worse = margin.round(2).rank(method="min") - 1
    scores = 1 + (worse * 5 // len(each)).astype(int)
    champions = (each.r == 5) & ((each.f + scores + 1) // 2 >= 4)
    assert answer.segments[0].customers == champions.sum()


def test_without_margin_or_orders_it_says_so(tmp_path: Path) -> None:
    project = rfm_shop.make(tmp_path / "s", rfm_shop.rows([(1, 0, 5.0), (2, 3, 5.0)]))
    with pytest.raises(DataError, match="orders have no margin"):
        project.rfm(money="margin")
    answer = project.rfm()
    assert isinstance(answer.model, Needs)
    assert "has bought again" in str(answer.model.sentence)
    assert [check.status for check in answer.checks].count("warn") == 1
    with pytest.raises(DataError, match="no orders yet"):
        Project.create(tmp_path / "empty").rfm()


# --- the model's view -----------------------------------------------------------------------------------

UNTIL, ALL = 400, 490


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Any, Rfm]:
    """Four thousand lives by the model, seen at day 400; the data go on for ninety days."""
    orders, gone = rfm_shop.lives(4000, UNTIL, ALL, seed=11)
    project = rfm_shop.make(tmp_path_factory.mktemp("lived") / "shop", orders)
    return orders, gone, project.rfm(as_of=on(UNTIL))


def known(lived: tuple[pd.DataFrame, Any, Rfm]) -> pd.DataFrame:
    """Each customer at day 400: recency, whether truly alive, whether they bought within ninety days."""
    orders, gone, _ = lived
    past = orders[orders.day <= UNTIL].groupby("customer").day.agg(["max", "nunique"])
    later = orders[(orders.day > UNTIL) & (orders.day <= UNTIL + 90)].customer.unique()
    return pd.DataFrame(
        {
            "recency": UNTIL - past["max"],
            "once": past["nunique"] == 1,
            "alive": gone[past.index] > UNTIL,
            "back": past.index.isin(later),
        }
    )


@pytest.mark.requirement("R02")
def test_both_ways_of_being_gone_against_the_truth(lived: tuple[pd.DataFrame, Any, Rfm]) -> None:
    truth, model = known(lived), lived[2].model
    assert isinstance(model, ModelView)
    n = len(truth)
    assert model.customers == n
    assert model.quiet == pytest.approx((truth.recency >= 90).mean())
    noise = 3 / np.sqrt(n)
    assert model.gone.value == pytest.approx(1 - truth.alive.mean(), abs=noise)
    assert model.silent.value == pytest.approx(1 - truth.back.mean(), abs=noise)
    assert model.gone.low < model.gone.value < model.gone.high
    # the rule calls many gone who are not; the model's own share is near the truth
    assert abs(model.quiet - (1 - truth.alive.mean())) > 5 * abs(model.gone.value - (1 - truth.alive.mean()))


@pytest.mark.requirement("R02")
def test_where_rule_and_model_disagree_and_who_came_back(lived: tuple[pd.DataFrame, Any, Rfm]) -> None:
    truth, model = known(lived), lived[2].model
    assert isinstance(model, ModelView)
    quiet = [row for row in model.table if row.quiet]
    assert sum(row.customers for row in quiet) == (truth.recency >= 90).sum()
    assert sum(row.returned or 0 for row in quiet) == truth[truth.recency >= 90].back.sum()
    assert sum(row.returned or 0 for row in model.table) == truth.back.sum()
    wrong = next(row for row in model.table if row.quiet and not row.gone)
    assert wrong.customers > 100
    for row in model.table:
        spread = 4 * np.sqrt(row.buyers.value) + 4
        assert row.returned == pytest.approx(row.buyers.value, abs=spread)
    assert wrong.alive.value > 0.5 * wrong.customers


@pytest.mark.requirement("F03")
def test_cells_add_up_to_all_and_hold_the_customers_of_one_order(
    lived: tuple[pd.DataFrame, Any, Rfm],
) -> None:
    truth, answer = known(lived), lived[2]
    model = answer.model
    assert isinstance(model, ModelView)
    assert {(c.r, c.f): c.customers for c in model.cells} == {(c.r, c.f): c.customers for c in answer.cells}
    whole = sum(cell.customers for cell in model.cells)
    alive = sum(cell.customers * cell.alive.value for cell in model.cells) / whole
    assert 1 - alive == pytest.approx(model.gone.value)
    ahead = sum(cell.customers * cell.purchases.value for cell in model.cells)
    assert ahead == pytest.approx(model.purchases.value)
    silent = sum(cell.customers * cell.silent for cell in model.cells) / whole
    assert silent == pytest.approx(model.silent.value)
    assert model.once == truth.once.sum() > 500
    assert all(0 <= low <= half <= high <= 1 for low, half, high in (cell.spread for cell in model.cells))


@pytest.mark.requirement("F03")
def test_purchases_to_come_are_those_that_came(lived: tuple[pd.DataFrame, Any, Rfm]) -> None:
    orders, _, answer = lived
    known_then = orders[orders.day <= UNTIL].customer.unique()
    later = orders[(orders.day > UNTIL) & (orders.day <= UNTIL + 90) & orders.customer.isin(known_then)]
    came = len(later.drop_duplicates(["customer", "day"]))
    assert isinstance(answer.model, ModelView)
    assert answer.model.purchases.value == pytest.approx(came, rel=0.08)


@pytest.mark.requirement("F03")
def test_equal_scores_of_equal_customers_leave_nothing_within_cells(tmp_path: Path) -> None:
    """Two kinds of customers, each alike: cells explain all. Parted by age alone, they explain less."""
    alike = [(n, day, 10.0) for n in range(40) for day in (0, 20, 40)]
    alike += [(n, day, 10.0) for n in range(40, 80) for day in (0, 80)]
    alike.append((80, 120, 10.0))
    same = rfm_shop.make(tmp_path / "a", rfm_shop.rows(alike)).rfm().model
    assert same.explained == pytest.approx(1.0)
    assert all(cell.spread[0] == pytest.approx(cell.spread[2]) for cell in same.cells)
    older = [(n, 70 if n % 2 and day == 0 else day, 10.0) for n, day, _ in alike[120:]]
    mixed = rfm_shop.make(tmp_path / "b", rfm_shop.rows([*alike[:120], *older])).rfm().model
    assert mixed.explained < 0.999
    assert any(cell.spread[2] - cell.spread[0] > 0.001 for cell in mixed.cells)


# --- what leaves the engine, and files ------------------------------------------------------------------


@pytest.mark.requirement("D18")
def test_no_customer_leaves_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = rfm_shop.make(tmp_path / "s", ORDERS)
    asked: list[pa.Table] = []
    kept = type(project.engine).answer

    def watched(self: Any, sql: str, keys: Any = ()) -> pa.Table:
        asked.append(kept(self, sql, keys))
        return asked[-1]

    monkeypatch.setattr(type(project.engine), "answer", watched)
    monkeypatch.setattr(type(project.engine), "query", lambda *_: pytest.fail("rows were asked for"))
    project.rfm()
    assert asked
    assert all("customer_id" not in answer.column_names for answer in asked)


def test_it_is_sql_for_every_engine_and_warehouse(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def watched(engine: Any, sums: Any, keys: Any = ()) -> pa.Table:
        asked.append(sums)
        return ask(engine, sums, keys)

    monkeypatch.setattr("workbench.analyses.rfm.ask", watched)
    shop.rfm(as_of=on(200), money="margin")
    assert len(asked) == 4
    for dialect in ("postgres", "databricks", "bigquery", "snowflake", "trino", "clickhouse"):
        for expression in asked:
            parsed = sqlglot.parse_one(ibis.to_sql(expression, dialect=dialect), read=dialect)
            assert parsed.is_star or tuple(parsed.named_selects) == tuple(expression.columns), dialect


@pytest.mark.requirement("U07")
def test_the_tables_are_files_with_all_digits(found: Rfm) -> None:
    made = tables(found)
    assert set(made) == {"segments", "grid", "moves", "gone"}
    segments = pd.read_csv(pd.io.common.StringIO(report.rows_as_csv(made["segments"])))
    assert segments.revenue.to_list() == [one.revenue for one in found.segments]
    assert segments.customers.sum() == found.scale.customers
    moves = pd.read_csv(pd.io.common.StringIO(report.rows_as_csv(made["moves"]))).set_index("from")
    to = moves[[name for name in moves.columns if name.startswith("to ")]]
    assert to.sum(axis=1).to_list() == moves.customers.to_list()
    assert to.drop("(bought nothing in between)").to_numpy().sum() == found.scale.customers
