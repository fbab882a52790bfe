"""The numbers of `project.rfm()` as tables, with all their digits: for spreadsheets and data frames."""

from __future__ import annotations

from typing import Any

from workbench.analyses.estimates import Estimate, Needs
from workbench.analyses.rfm import Rfm

type Table = list[dict[str, Any]]


def tables(found: Rfm) -> dict[str, Table]:
    """`segments`, `grid`, and where they are there `moves` and `gone`; a list of rows each."""
    made = {"segments": _segments(found), "grid": _grid(found)}
    if not isinstance(found.moves, Needs):
        made["moves"] = _moves(found)
    if not isinstance(found.model, Needs):
        made["gone"] = _gone(found)
    return {name: rows for name, rows in made.items() if rows}


def _segments(found: Rfm) -> Table:
    return [
        {
            "segment": one.named.name,
            "tier": one.named.tier,
            "rule": one.named.rule,
            "customers": one.customers,
            "share": one.share,
            "orders": one.orders,
            "revenue": one.revenue,
            "share_of_revenue": one.share_of_revenue,
            "margin": one.margin,
            "average_order": one.average_order,
            "days_since": one.days_since,
        }
        for one in found.segments
    ]


def _grid(found: Rfm) -> Table:
    seen = {} if isinstance(found.model, Needs) else {(cell.r, cell.f): cell for cell in found.model.cells}
    rows = []
    for cell in found.cells:
        row: dict[str, Any] = {"r": cell.r, "f": cell.f, "customers": cell.customers, "money": cell.money}
        model = seen.get((cell.r, cell.f))
        if model is not None:
            tenth, half, most = model.spread
            row |= _ends("alive", model.alive)
            row |= {"alive_tenth": tenth, "alive_median": half, "alive_nine_tenths": most}
            row |= {**_ends("purchases", model.purchases), "silent": model.silent}
        rows.append(row)
    return rows


def _moves(found: Rfm) -> Table:
    moves = found.moves
    assert not isinstance(moves, Needs)
    rows: Table = []
    for row in moves.rows:
        sums = {"customers": row.customers, "silent": row.silent, "up": row.up, "down": row.down}
        told = {**_ends("improves", row.improves), **_ends("holds", row.holds)}
        rows.append({"from": row.segment, **sums, **told, **_to(row.to)})
    blank = dict.fromkeys(list(rows[0])[1 : -len(moves.new)])
    for name, to in (("(new)", moves.new), ("(bought nothing in between)", moves.silent)):
        rows.append({"from": name, **blank, "customers": sum(to.values()), **_to(to)})
    return rows


def _to(counts: Any) -> dict[str, Any]:
    return {f"to {name}": n for name, n in counts.items()}


def _gone(found: Rfm) -> Table:
    model = found.model
    assert not isinstance(model, Needs)
    return [
        {
            "rule": "gone" if row.quiet else "there",
            "model": "gone" if row.gone else "there",
            "customers": row.customers,
            **_ends("alive", row.alive),
            **_ends("buyers", row.buyers),
            "returned": row.returned,
        }
        for row in model.table
    ]


def _ends(name: str, one: Estimate | None) -> dict[str, Any]:
    if one is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
