"""What the cells of a column look like, counted: the ground on which guesses are made.

Whether `1.034` is a thousand or a little more than one, and whether `03/04/2026` is in March or in April, is
decided by trying both on every cell: a cell that only one of them can read speaks for it, a cell that both
read differently speaks for neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
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
        both = zip(astuple(self), astuple(other), strict=True)
        return Evidence(*(a + b if isinstance(a, int) else a or b for a, b in both))

    def mostly(self, count: int) -> bool:
        """Whether more than half of the filled cells are so."""
        return 2 * count > self.filled


def look_at(rows: pa.Table) -> dict[str, Evidence]:
    """The evidence of every column of a block."""
    database = cells.open_database()
    found = {}
    for name in rows.column_names:
        kind = rows.schema.field(name).type
        database.register("block", pa.table({"b": rows[name]}))
        trimmed = cells.trimmed(cells.text_of("b", kind))
        point = cells.number("s", ".")
        comma = cells.number("s", ",") if cells.is_text(kind) else point
        query = f"""
            WITH trimmed AS (SELECT {trimmed} AS c FROM block),
                 texts AS (SELECT {cells.filled("c", text=False)} AS s FROM trimmed),
                 tried AS (
                     SELECT s, {point} AS point, {comma} AS comma, {cells.yes_or_no("s")} AS yes_no,
                            {cells.iso_order("s", "dmy")} AS dmy, {cells.iso_order("s", "mdy")} AS mdy
                     FROM texts),
                 times AS (
                     SELECT *, {cells.local_time("s", "dmy")} AS day,
                            {cells.local_time("s", "mdy")} AS month,
                            {cells.moment("s", "dmy")} AS moment
                     FROM tried)
            SELECT count(s), count(coalesce(point, comma)),
                   count(*) FILTER (floor(coalesce(point, comma)) = coalesce(point, comma)),
                   count(point) FILTER (comma IS NULL), count(comma) FILTER (point IS NULL),
                   count(*) FILTER (point <> comma),
                   count(coalesce(day, month, moment)),
                   count(day) FILTER (month IS NULL), count(month) FILTER (day IS NULL),
                   count(*) FILTER (day <> month),
                   count(yes_no), count(*) FILTER ({cells.matches("s", r"0\d+")}),
                   any_value(s) FILTER (point <> comma), any_value(s) FILTER (day <> month)
            FROM times"""
        found[name] = Evidence(*database.sql(query).fetchall()[0])
    return found


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
