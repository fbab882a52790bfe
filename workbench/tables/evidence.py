"""What the cells of a column look like, counted: the ground on which guesses are made.

Whether `1.034` is a thousand or a little more than one, and whether `03/04/2026` is in March or in April, is
decided by trying both on every cell: a cell that only one of them can read speaks for it, a cell that both
read differently speaks for neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from operator import add
from typing import NamedTuple

import pyarrow as pa

from workbench.locale import Message, say
from workbench.tables import cells
from workbench.tables.cells import DateOrder, DecimalMark
from workbench.tables.report import Question


@dataclass(frozen=True)
class Evidence:
    """Counts over the cells of a column; those of two parts of a file add up.

    Attributes:
        filled: Cells that are not blank.
        numbers: That can be a number.
        whole: That can be a whole number.
        point: That can only be a number if the decimal mark is a point.
        comma: That can only be a number if it is a comma.
        either_mark: That are another number under each.
        times: That can be a day or a time.
        day_first: That can only be one if the day comes before the month.
        month_first: That can only be one if the month comes first.
        either_order: That are another day under each.
        yes_no: That are yes or no, or 1 or 0.
        padded: Numbers with leading zeros, as identifiers have.
        mark_example: A cell that is another number under each mark.
        order_example: A cell that is another day under each order.
    """

    filled: int = 0
    numbers: int = 0
    whole: int = 0
    point: int = 0
    comma: int = 0
    either_mark: int = 0
    times: int = 0
    day_first: int = 0
    month_first: int = 0
    either_order: int = 0
    yes_no: int = 0
    padded: int = 0
    mark_example: str | None = None
    order_example: str | None = None

    def __add__(self, other: Evidence) -> Evidence:
        *mine, mark, order = astuple(self)
        *yours, other_mark, other_order = astuple(other)
        return replace(
            Evidence(*map(add, mine, yours)),
            mark_example=min(filter(None, (mark, other_mark)), default=None),
            order_example=min(filter(None, (order, other_order)), default=None),
        )

    def mostly(self, count: int) -> bool:
        """Whether more than half of the filled cells are so."""
        return 2 * count > self.filled


def look_at(rows: pa.Table) -> dict[str, Evidence]:
    """The evidence of every column of a block."""
    if not rows.num_columns:
        return {}
    kinds = [field.type for field in rows.schema]
    block = rows.rename_columns([f"b{place}" for place in range(rows.num_columns)])
    each = " UNION ALL ".join(
        f"SELECT {place} AS place, {cells.is_text(kind)} AS text, {cells.text_of(f'b{place}', kind)} AS b"
        " FROM block"
        for place, kind in enumerate(kinds)
    )
    database = cells.open_database()
    database.register("block", block)
    counted = database.sql(f"""
        WITH trimmed AS (SELECT place, text, {cells.trimmed("b")} AS c FROM ({each})),
             texts AS (SELECT place, text, {cells.filled("c", text=False)} AS s FROM trimmed),
             tried AS (
                 SELECT *, {cells.number("s", ".")} AS point,
                        CASE WHEN text THEN {cells.number("s", ",")} ELSE point END AS comma,
                        {cells.iso_order("s", "dmy")} AS dmy, {cells.iso_order("s", "mdy")} AS mdy
                 FROM texts WHERE s IS NOT NULL),
             times AS (
                 SELECT *, {cells.local_time("s", "dmy")} AS day, {cells.local_time("s", "mdy")} AS month,
                        {cells.moment("s", "dmy")} AS moment
                 FROM tried)
        SELECT place, count(*), count(coalesce(point, comma)),
               count(*) FILTER (floor(coalesce(point, comma)) = coalesce(point, comma)),
               count(point) FILTER (comma IS NULL), count(comma) FILTER (point IS NULL),
               count(*) FILTER (point <> comma),
               count(coalesce(day, month, moment)),
               count(day) FILTER (month IS NULL), count(month) FILTER (day IS NULL),
               count(*) FILTER (day <> month),
               count({cells.yes_or_no("s")}), count(*) FILTER ({cells.matches("s", r"0\d+")}),
               min(s) FILTER (point <> comma), min(s) FILTER (day <> month)
        FROM times GROUP BY place""").fetchall()
    seen = {place: Evidence(*counts) for place, *counts in counted}
    return {name: seen.get(place, Evidence()) for place, name in enumerate(rows.column_names)}


def look_through(blocks: Iterable[pa.Table], columns: Sequence[str]) -> dict[str, Evidence]:
    """The evidence of some columns over a whole file."""
    total = dict.fromkeys(columns, Evidence())
    for rows in blocks:
        for name, evidence in look_at(rows.select(list(columns))).items():
            total[name] += evidence
    return total


class Choice(NamedTuple):
    """One way of reading cells, chosen from their evidence.

    Attributes:
        value: The way.
        question: What to ask, when the cells leave it open.
        note: What to tell of it, when they spoke for it.
    """

    value: str
    question: Question | None = None
    note: Message | None = None


def choose_decimal(columns: Iterable[Evidence], assumed: DecimalMark) -> Choice:
    """The decimal mark of columns."""
    seen = sum((column for column in columns if column.mostly(column.numbers)), Evidence())
    if seen.comma > seen.point:
        return Choice(",", note=say("Numbers were read with a decimal comma."))
    if seen.point > seen.comma:
        return Choice(".")
    if seen.mark_example is None:
        return Choice(assumed)
    asked = say(
        "Which is the decimal mark in a number such as {example}: the point or the comma?",
        example=seen.mark_example,
    )
    question = Question(id="decimal", question=asked, choices=(".", ","), assumed=assumed)
    return Choice(assumed, question)


def choose_date_order(columns: Iterable[Evidence], assumed: DateOrder) -> Choice:
    """The order of day and month in columns."""
    seen = sum((column for column in columns if column.mostly(column.times)), Evidence())
    if seen.day_first > seen.month_first:
        return Choice("dmy", note=say("Dates were read with the day before the month."))
    if seen.month_first > seen.day_first:
        return Choice("mdy", note=say("Dates were read with the month before the day."))
    if seen.order_example is None:
        return Choice(assumed)
    asked = say(
        "Which comes first in a date such as {example}: the day or the month?", example=seen.order_example
    )
    question = Question(id="date_order", question=asked, choices=("dmy", "mdy"), assumed=assumed)
    return Choice(assumed, question)
