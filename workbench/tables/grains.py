"""From converted rows to standard tables, grain by grain.

Rows that are left out on the way are named here, by line, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.locale import Message, say
from workbench.tables import money, order_lines, surveys
from workbench.tables.campaigns import with_campaigns
from workbench.tables.cells import DecimalMark, literal, number
from workbench.tables.convert import tighten
from workbench.tables.labels import labelled, split_values
from workbench.tables.merge import merge
from workbench.tables.money import Exchange
from workbench.tables.options import Exclusion
from workbench.tables.plan import Plan
from workbench.tables.report import IMPOSSIBLE, SAME_ROW, SECOND_IN_ARM, SECOND_OF_KEY, Question
from workbench.tables.rows import LINE, LeftOut, ask, later_lines, lines_where, with_key, without
from workbench.tables.schema import Table, conform, standard

__all__ = ["LINE", "LeftOut", "Shaped", "shape"]

EXCLUDED = say("left out by a rule of yours")


@dataclass(frozen=True)
class Shaped:
    """The standard tables of a file.

    Attributes:
        tables: Name → rows.
        left_out: Rows that did not go into them, reason by reason; no line is in two.
        notes: What else there is to know.
        questions: What was left open, and should be asked.
    """

    tables: dict[str, pa.Table]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[Message, ...] = ()
    questions: tuple[Question, ...] = ()


def shape(
    rows: pa.Table,
    plan: Plan,
    decimal: DecimalMark,
    *,
    exchange: Exchange | None = None,
    salt: str = "",
) -> Shaped:
    """The standard tables of converted rows.

    Args:
        rows: The fields of the plan, and `LINE`.
        plan: What they are.
        decimal: The decimal mark of numbers in further attributes.
        exchange: The project's money and the rates of other money; None leaves amounts as they are.
        salt: Goes into identifiers that are made from cells, so that the cells cannot be guessed from them.

    Raises:
        DataError: when rates cannot be turned into rates of the project's currency.
    """
    rows, excluded = _excluded(rows, plan.exclude, decimal)
    if plan.grain == "unit":
        made = _unit(split_values(rows, plan.split), plan, decimal)
    elif plan.grain == "summary":
        made = _summary(split_values(rows, plan.split), plan)
    else:
        made = _Event(plan, decimal, exchange, salt).shape(rows)
    notes = list(made.notes)
    tables = {
        name: labelled(with_campaigns(table, name, notes), standard(name), notes)
        for name, table in made.tables.items()
    }
    left_out = tuple(one for one in (*excluded, *made.left_out) if len(one.lines))
    return Shaped(tables, left_out, tuple(notes), made.questions)


def _excluded(
    rows: pa.Table, rules: tuple[Exclusion, ...], decimal: DecimalMark
) -> tuple[pa.Table, list[LeftOut]]:
    """The rows that no rule leaves out, without the columns that only rules look at."""
    left_out = []
    for rule in rules:
        cells = pa.table({"row": np.arange(rows.num_rows), "cell": rows[rule.field]})
        value = literal(str(rule.value).lower())
        test = {
            "has": f"contains(lower(cell), {value})",
            "is": f"lower(cell) = {value}",
            "above": f"{number('cell', decimal)} > {value}::DOUBLE",
            "below": f"{number('cell', decimal)} < {value}::DOUBLE",
        }[rule.test]
        chosen = ask(f"SELECT {test} AS chosen FROM cells ORDER BY row", cells=cells)["chosen"]
        left_out.append(LeftOut(lines_where(rows, chosen), EXCLUDED, rule.field))
        rows = without(rows, left_out[-1].lines)
    return rows.drop_columns(list({rule.field for rule in rules})), left_out


@dataclass(frozen=True)
class _Event:
    """Rows that are rows of one table, or nearly."""

    plan: Plan
    decimal: DecimalMark
    exchange: Exchange | None
    salt: str

    def shape(self, rows: pa.Table) -> Shaped:
        plan, table = self.plan, self.plan.table
        notes: list[Message] = []
        if table.name == "surveys":
            return self._surveys(rows)
        if table.name == "rates":
            own = None if self.exchange is None else self.exchange.currency
            rows, left_out = money.read_rates(rows, plan.items, plan.inverse, own)
            return Shaped({"rates": _one_each(rows, table, notes)}, tuple(left_out), tuple(notes))
        if plan.lines:
            return self._lines(rows)
        back, customers = None, None
        if table.name == "orders":
            customers = self._customers(rows)
            rows = rows.drop_columns(list(plan.attributes))
            rows, back = money.split_refunds(rows, notes, salt=self.salt)
        elif table.name == "refunds":
            rows = money.positive(rows, notes)
        rows, left_out = self._as_rows_of(table, rows, notes)
        tables = {table.name: rows}
        if back is not None:
            tables["refunds"], more = self._as_rows_of(standard("refunds"), back, notes)
            left_out += more
        if customers is not None:
            tables["customers"] = customers
        return Shaped(tables, tuple(left_out), tuple(notes))

    def _lines(self, rows: pa.Table) -> Shaped:
        notes: list[Message] = []
        left_out: list[LeftOut] = []
        if self.exchange is not None:
            rows, left_out = money.convert(rows, "orders", self.exchange, notes)
        made = order_lines.put_together(rows, notes, salt=self.salt)
        tables = {"orders": made.orders}
        if made.items.num_rows:
            tables["order_items"] = made.items
        if made.refunds.num_rows:
            tables["refunds"] = made.refunds
        about = made.lines.select(["customer_id", "ts"])
        kept = rows.filter(pc.is_in(rows[LINE], made.lines["line"]))
        for name in self.plan.attributes:
            about = about.append_column(name, kept[name])
        if (customers := self._customers(about)) is not None:
            tables["customers"] = customers
        return Shaped(tables, (*left_out, *made.left_out), tuple(notes))

    def _customers(self, rows: pa.Table) -> pa.Table | None:
        """What orders say of who placed them; the newest holds."""
        if not self.plan.attributes:
            return None
        about = rows.select(["customer_id", *self.plan.attributes])
        about = about.take(pc.sort_indices(rows, [("ts", "ascending")]))
        return merge(None, split_values(about, self.plan.split), "customers")

    def _as_rows_of(
        self, table: Table, rows: pa.Table, notes: list[Message]
    ) -> tuple[pa.Table, list[LeftOut]]:
        """The rows as the table stores them: each with a key, none twice, in the project's money."""
        if table.made_key:  # first of all, so that nothing that may change gets into it
            rows = with_key(rows, table.key[0], notes, salt=self.salt)
        further = [name for name in self.plan.attributes if name in rows.column_names]
        rows = tighten(split_values(rows, self.plan.split), further, self.decimal)
        if table.repeat == "newest":
            return _one_each(rows, table, notes), []
        left_out = []
        if table.repeat == "distinct":
            every = [name for name in rows.column_names if name != LINE]
            left_out.append(LeftOut(later_lines(rows, every), SAME_ROW))
        elif table.repeat in ("first", "fill"):
            left_out.append(LeftOut(later_lines(rows, table.key), SECOND_OF_KEY, table.key[0]))
        rows = without(rows, left_out[0].lines) if left_out else rows
        if table.name in money.AMOUNTS and self.exchange is not None:
            rows, unknown = money.convert(rows, table.name, self.exchange, notes)
            left_out += unknown
        return conform(rows.drop_columns([LINE]), table), left_out

    def _surveys(self, rows: pa.Table) -> Shaped:
        table, notes = self.plan.table, list[Message]()
        asked = pc.count_distinct(rows["customer_id"]).as_py()
        every = [name for name in rows.column_names if name != LINE]
        left_out = [LeftOut(later_lines(rows, every), SAME_ROW)]
        rows = split_values(without(rows, left_out[0].lines), self.plan.split)
        if self.plan.items:
            rows, unanswered = surveys.answers(rows, self.plan.items, self.decimal)
            left_out.append(unanswered)
        questions: tuple[Question, ...] = ()
        if "score" in rows.column_names:
            rows, questions = surveys.with_scale(rows, self.plan.scale, notes)
        tables = {}
        customers = surveys.attributes(rows, asked, self.decimal, notes)
        if customers is not None:
            tables["customers"] = conform(customers, standard("customers"))
        tables[table.name] = conform(rows.drop_columns([LINE]), table)
        return Shaped(tables, tuple(left_out), tuple(notes), questions)


def _one_each(rows: pa.Table, table: Table, notes: list[Message]) -> pa.Table:
    """The rows of each key put together."""
    made = merge(None, rows.drop_columns([LINE]), table.name)
    if made.num_rows < rows.num_rows:
        notes.append(
            say(
                "Rows that repeat a {key}: {n:count}; the last filled value of each column was kept.",
                n=rows.num_rows - made.num_rows,
                key=table.key[0],
            )
        )
    return made


def _unit(rows: pa.Table, plan: Plan, decimal: DecimalMark) -> Shaped:
    notes: list[Message] = []
    exposures, customers, outcomes = (standard(name) for name in ("exposures", "customers", "outcomes"))
    pair = ("customer_id", "experience_id")
    left_out = LeftOut(later_lines(rows, (*pair, "variant")), SECOND_IN_ARM, "customer_id")
    kept = without(rows, left_out.lines)
    later = later_lines(kept, pair)
    firsts = without(kept, later)
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
    return Shaped(tables, (left_out,), tuple(notes))


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
    made = ask(
        f"""
        SELECT "{LINE}", n >= 0 AND {possible} AS possible,
               experience_id, variant, metric, '{kind}' AS kind, n,
               CASE WHEN n > 0 THEN {mean} ELSE 0 END AS mean,
               CASE WHEN n > 0 THEN {m2} ELSE 0 END AS m2{further}
        FROM rows ORDER BY "{LINE}"
        """,
        rows=rows,
    )
    sound = made["possible"]
    left_out = LeftOut(made.filter(pc.invert(sound))[LINE].to_numpy(), IMPOSSIBLE)
    kept = made.filter(sound).drop_columns([LINE, "possible"])
    return Shaped({"summaries": conform(kept, table)}, (left_out,))


def _constant(text: str, rows: pa.Table) -> pa.Array:
    return pa.array(np.repeat(text, rows.num_rows), pa.string())
