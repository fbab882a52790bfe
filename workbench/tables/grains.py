"""From converted rows to standard tables, grain by grain.

Rows that repeat others are named here, by line, with the reason why they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.locale import Message, say
from workbench.tables.cells import DecimalMark, open_database
from workbench.tables.convert import tighten
from workbench.tables.merge import merge
from workbench.tables.plan import Plan
from workbench.tables.report import IMPOSSIBLE, SAME_ROW, SECOND_IN_ARM, SECOND_OF_KEY
from workbench.tables.schema import Table, conform, standard

LINE: Final = "@line"
"""The column of converted rows that says where they stand in the file."""


@dataclass(frozen=True)
class LeftOut:
    """Rows that are left out although each of their cells is sound.

    Attributes:
        lines: Where they begin.
        reason: Why.
        column: The standard column at fault, if it is one.
    """

    lines: NDArray[np.int64]
    reason: Message
    column: str | None = None


@dataclass(frozen=True)
class Shaped:
    """The standard tables of a file.

    Attributes:
        tables: Name → rows.
        left_out: Rows that did not go into them.
        notes: What else there is to know.
    """

    tables: dict[str, pa.Table]
    left_out: LeftOut
    notes: tuple[Message, ...] = ()


def shape(rows: pa.Table, plan: Plan, decimal: DecimalMark, fingerprint: Callable[[], str]) -> Shaped:
    """The standard tables of converted rows.

    Args:
        rows: The fields of the plan, and `LINE`.
        plan: What they are.
        decimal: The decimal mark of numbers in further attributes.
        fingerprint: The file's, asked for when identifiers have to be made.
    """
    if plan.grain == "unit":
        return _unit(rows, plan, decimal)
    if plan.grain == "summary":
        return _summary(rows, plan)
    return _event(rows, plan, decimal, fingerprint)


def _event(rows: pa.Table, plan: Plan, decimal: DecimalMark, fingerprint: Callable[[], str]) -> Shaped:
    table = plan.table
    notes: list[Message] = []
    key: tuple[str, ...] = table.key
    left_out = LeftOut(_NO_LINES, SECOND_OF_KEY)
    rows = tighten(rows, plan.attributes, decimal)
    if table.name == "orders" and "revenue" in rows.column_names:
        rows = _with_refunds(rows, notes)
    if table.made_key:
        rows = _with_key(rows, table, fingerprint, notes)
    if table.repeat == "newest":
        made = merge(None, rows.drop_columns([LINE]), table.name)
        if made.num_rows < rows.num_rows:
            notes.append(
                say(
                    "Rows that repeat a {key}: {n:count}; the last filled value of each column was kept.",
                    n=rows.num_rows - made.num_rows,
                    key=table.key[0],
                )
            )
        return Shaped({table.name: made}, left_out, tuple(notes))
    if table.repeat == "distinct":
        key = tuple(name for name in rows.column_names if name != LINE)
        left_out = LeftOut(_later_rows(rows, key), SAME_ROW)
    elif table.repeat in ("first", "fill"):
        left_out = LeftOut(_later_rows(rows, key), SECOND_OF_KEY, key[0])
    kept = _without(rows, left_out.lines).drop_columns([LINE])
    return Shaped({table.name: conform(kept, table)}, left_out, tuple(notes))


def _with_key(rows: pa.Table, table: Table, fingerprint: Callable[[], str], notes: list[Message]) -> pa.Table:
    """The rows, with an identifier made of the file and the line where there is none."""
    key = table.key[0]
    given = rows[key] if key in rows.column_names else pa.nulls(rows.num_rows, pa.string())
    lacking = given.null_count
    if not lacking:
        return rows
    notes.append(
        say(
            "Rows without {key}: {n:count}; one was made from the file and the line. Loading the same file"
            " again adds nothing, but a longer version of it would add these rows once more.",
            n=lacking,
            key=key,
        )
    )
    made = pc.binary_join_element_wise(fingerprint(), rows[LINE].cast(pa.string()), "-")
    filled = pc.coalesce(given, made)
    if key not in rows.column_names:
        return rows.append_column(key, filled)
    return rows.set_column(rows.column_names.index(key), key, filled)


def _with_refunds(rows: pa.Table, notes: list[Message]) -> pa.Table:
    """The orders, with rows of negative revenue taken as refunds of the order whose number they bear.

    A refund whose order is not in the file stays as an order without revenue, for `merge` to find its order.
    """
    negative = int(pc.sum(pc.less(rows["revenue"], 0)).as_py() or 0)
    if not negative:
        return rows
    for name, kind in (("order_id", pa.string()), ("refund", pa.float64())):
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.nulls(rows.num_rows, kind))
    folded = _ask(
        rows,
        f"""
        WITH back AS (
            SELECT order_id, sum(coalesce(refund, 0) - revenue) AS amount, min("{LINE}") AS line
            FROM rows WHERE revenue < 0 AND order_id IS NOT NULL GROUP BY order_id),
        sold AS (
            SELECT DISTINCT order_id FROM rows
            WHERE order_id IS NOT NULL AND (revenue IS NULL OR revenue >= 0))
        SELECT r.* REPLACE (
            CASE WHEN r.order_id IS NULL OR r.revenue >= 0 THEN r.revenue END AS revenue,
            CASE WHEN b.amount IS NULL THEN r.refund
                 ELSE b.amount + CASE WHEN r.revenue < 0 THEN 0 ELSE coalesce(r.refund, 0) END END AS refund)
        FROM rows AS r LEFT JOIN back AS b ON r.order_id = b.order_id
        WHERE r.order_id IS NULL OR r.revenue IS NULL OR r.revenue >= 0
           OR (r."{LINE}" = b.line AND r.order_id NOT IN (FROM sold))
        ORDER BY r."{LINE}"
        """,
    )
    untied = int(pc.sum(pc.less(folded["revenue"], 0)).as_py() or 0)
    if negative > untied:
        notes.append(
            say(
                "Rows of negative revenue taken as refunds of their orders: {n:count}.",
                n=negative - untied,
            )
        )
    if untied:
        notes.append(
            say("Rows of negative revenue without an order number, left as they are: {n:count}.", n=untied)
        )
    return folded


def _unit(rows: pa.Table, plan: Plan, decimal: DecimalMark) -> Shaped:
    notes: list[Message] = []
    exposures, customers, outcomes = (standard(name) for name in ("exposures", "customers", "outcomes"))
    pair = ("customer_id", "experience_id")
    left_out = LeftOut(_later_rows(rows, (*pair, "variant")), SECOND_IN_ARM, "customer_id")
    kept = _without(rows, left_out.lines)
    later = _later_rows(kept, pair)
    firsts = _without(kept, later)
    if len(later):
        crossed = pc.count_distinct(kept.filter(pc.is_in(kept[LINE], pa.array(later)))["customer_id"]).as_py()
        notes.append(
            say(
                "Customers in more than one variant: {n:count}; their outcomes are those of their first row,"
                " and an analysis leaves them out.",
                n=crossed,
            )
        )
    values = []
    for name in plan.outcomes:
        blank = firsts[name].null_count
        if blank:
            notes.append(
                say(
                    "Customers without a value of “{outcome}”: {n:count}; it is missing, not zero.",
                    n=blank,
                    outcome=name,
                )
            )
        values.append(
            firsts.select(pair)
            .append_column("name", _constant(name, firsts))
            .append_column("value", firsts[name])
        )
    about = tighten(
        kept.select(["customer_id", *plan.attributes]),
        [name for name in plan.attributes if customers.column(name) is None],
        decimal,
    )
    tables = {
        "exposures": conform(
            kept.select([name for name in kept.column_names if name in exposures.names]), exposures
        ),
        "customers": merge(None, about, "customers"),
    }
    if values:
        tables["outcomes"] = conform(pa.concat_tables(values), outcomes)
    return Shaped(tables, left_out, tuple(notes))


_SUMMARY_MOMENTS = {
    ("successes",): ("successes / n", "successes * (n - successes) / n", "successes BETWEEN 0 AND n"),
    ("sum", "sum_of_squares"): (
        "sum / n",
        "greatest(0, sum_of_squares - sum * sum / n)",
        "sum_of_squares >= 0 AND sum * sum <= n * sum_of_squares * (1 + 1e-9)",
    ),
    ("mean", "variance"): ("mean", "variance * (n - 1)", "variance >= 0"),
    ("mean", "standard_deviation"): (
        "mean",
        "standard_deviation * standard_deviation * (n - 1)",
        "standard_deviation >= 0",
    ),
}
"""Columns of the file → mean, sum of squared deviations from it, and what has to hold of them."""


def _summary(rows: pa.Table, plan: Plan) -> Shaped:
    table = standard("summaries")
    mean, m2, possible = _SUMMARY_MOMENTS[plan.moments]
    kind = "binary" if plan.moments == ("successes",) else "mean"
    further = "".join(f', "{name.replace('"', '""')}"' for name in plan.attributes)
    made = _ask(
        rows,
        f"""
        SELECT "{LINE}", n >= 0 AND {possible} AS possible,
               experience_id, variant, metric, '{kind}' AS kind, n,
               CASE WHEN n > 0 THEN {mean} ELSE 0 END AS mean,
               CASE WHEN n > 0 THEN {m2} ELSE 0 END AS m2{further}
        FROM rows ORDER BY "{LINE}"
        """,
    )
    sound = made["possible"]
    left_out = LeftOut(made.filter(pc.invert(sound))[LINE].to_numpy(), IMPOSSIBLE)
    kept = made.filter(sound).drop_columns([LINE, "possible"])
    return Shaped({"summaries": conform(kept, table)}, left_out)


_NO_LINES = np.array([], np.int64)


def _ask(rows: pa.Table, sql: str) -> pa.Table:
    """The answer of DuckDB about `rows`."""
    database = open_database()
    database.register("rows", rows)
    return database.sql(sql).to_arrow_table()


def _later_rows(rows: pa.Table, key: Sequence[str]) -> NDArray[np.int64]:
    """Lines of the rows that have the key of an earlier one; blank cells are equal to each other."""
    columns = rows.select([*key, LINE]).rename_columns([*(f"c{place}" for place in range(len(key))), "line"])
    keys = ", ".join(columns.column_names[:-1])
    found = _ask(
        columns,
        f"""
        SELECT line FROM rows
        ANTI JOIN (SELECT min(line) AS line FROM rows GROUP BY {keys}) AS firsts USING (line)
        ORDER BY line
        """,
    )
    return found["line"].to_numpy()


def _without(rows: pa.Table, lines: NDArray[np.int64]) -> pa.Table:
    return rows.filter(pc.invert(pc.is_in(rows[LINE], pa.array(lines)))) if len(lines) else rows


def _constant(text: str, rows: pa.Table) -> pa.Array:
    return pa.array(np.repeat(text, rows.num_rows), pa.string())
