"""Walking through a file once, and what it brings: sound rows, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.errors import Cancelled, DataError, check_choice
from workbench.locale import Message, say
from workbench.tables.cells import DateOrder, DecimalMark
from workbench.tables.convert import Converted, Converter, Field
from workbench.tables.evidence import (
    Choice,
    Evidence,
    choose_date_order,
    choose_decimal,
    look_at,
    look_through,
)
from workbench.tables.grains import LINE
from workbench.tables.plan import Plan
from workbench.tables.privacy.identifiers import direct_identifiers
from workbench.tables.report import LISTED_AT_MOST, Question, Rejection
from workbench.tables.schema import Table
from workbench.tables.sources import Batch, Source
from workbench.tables.vendors import RAW_LINE, Vendor

_SAMPLE_ROWS = 5_000
_SAMPLE_BLOCK = 1 << 20


@dataclass(frozen=True)
class Sample:
    """The first rows of a file; `whole` when there are no others."""

    rows: pa.Table
    whole: bool


@dataclass(frozen=True)
class Manner:
    """How numbers and dates are read, and what had to be assumed or is worth saying about it."""

    decimal: DecimalMark
    date_order: DateOrder
    questions: tuple[Question, ...] = ()
    notes: tuple[Message, ...] = ()
    guessed: tuple[str, ...] = ()


@dataclass
class Part:
    """One standard table that is made of a file.

    Attributes:
        table: The table.
        plan: Its columns; of a vendor's export known once the file has been read.
        vendor: The vendor whose mapping makes it.
        rows: Its sound rows, with the column `grains.LINE`; None when there is none.
    """

    table: Table
    plan: Plan | None = None
    vendor: Vendor | None = None
    rows: pa.Table | None = None
    _blocks: list[pa.Table] = field(default_factory=list)

    def fields_for(self, rows: pa.Table) -> tuple[Field, ...]:
        """What to make of a block of rows."""
        if self.vendor is None:
            assert self.plan is not None
            return self.plan.fields
        declared = [
            Field.of(column, column.name) for column in self.table.columns if column.name in rows.column_names
        ]
        further = [name for name in rows.column_names if name not in (*self.table.names, RAW_LINE)]
        return (*declared, *(Field(name, "string", name) for name in further))

    def finish(self) -> None:
        """Put the blocks together; further attributes of an export are kept unless they name people."""
        if not self._blocks:
            return
        rows = pa.concat_tables(self._blocks, promote_options="default")
        self._blocks = []
        if self.vendor is not None:
            further = [name for name in rows.column_names if name not in (*self.table.names, LINE)]
            personal = direct_identifiers(rows.slice(0, _SAMPLE_ROWS), further) if further else {}
            rows = rows.drop_columns(list(personal))
            kept = tuple(name for name in further if name not in personal)
            self.plan = Plan(self.table, "event", self.fields_for(rows.drop_columns([LINE])), kept)
        self.rows = rows if rows.num_rows or self.vendor is None else None


@dataclass
class Gathered:
    """What reading a file through brought, beside the rows of its parts.

    Attributes:
        read: Rows of the file.
        faults: Rows that could not be taken apart.
        lost: Lines of rows that are left out for a cell of theirs.
        unused: Rows of an export that no table of its mapping takes anything of.
        listed: What is wrong with them, in order.
        clock_changes: Times in an hour in which the clocks change.
    """

    read: int = 0
    faults: int = 0
    lost: set[int] = field(default_factory=set)
    unused: int = 0
    listed: list[Rejection] = field(default_factory=list)
    clock_changes: int = 0


def sample_of(source: Source) -> Sample:
    """The first rows of a file.

    Raises:
        DataError: when there are none.
    """
    blocks, count = [], 0
    batches = source.batches(block=_SAMPLE_BLOCK)
    for batch in batches:
        blocks.append(batch.rows)
        count += batch.rows.num_rows
        if count >= _SAMPLE_ROWS:
            break
    if not blocks:
        raise DataError("{file} has column names but no rows.", file=source.path.name)
    return Sample(pa.concat_tables(blocks), next(batches, None) is None)


def manner_of(
    source: Source, sample: Sample, plan: Plan, date_order: str | None, decimal: str | None
) -> Manner:
    """How to read numbers and dates: as told, else as the first rows show, else as the whole file does."""

    def columns(*types: str) -> list[str]:
        return [wish.column for wish in plan.fields if wish.column is not None and wish.type in types]

    times = columns("timestamp", "day")
    numbers = [*columns("float64", "int64", "measure"), *(plan.columns[name] for name in plan.attributes)]
    seen = look_at(sample.rows.select(list(dict.fromkeys([*times, *numbers]))))

    def settle(names: Sequence[str], choose: Callable[[Iterable[Evidence]], Choice]) -> Choice:
        choice = choose(seen[name] for name in names)
        if choice.question is None or sample.whole:
            return choice
        blocks = (batch.rows for batch in source.batches(names))
        return choose(look_through(blocks, names).values())

    choices = {}
    if decimal is None:
        assumed: DecimalMark = "," if source.delimiter == ";" else "."
        choices["decimal"] = settle(numbers, lambda found: choose_decimal(found, assumed))
    if date_order is None:
        choices["date_order"] = settle(times, lambda found: choose_date_order(found, "dmy"))
    return Manner(
        cast(DecimalMark, check_choice(decimal or choices["decimal"].value, (".", ","), say("decimal mark"))),
        cast(
            DateOrder,
            check_choice(date_order or choices["date_order"].value, ("dmy", "mdy"), say("date order")),
        ),
        tuple(choice.question for choice in choices.values() if choice.question),
        tuple(choice.note for choice in choices.values() if choice.note),
        tuple(name for name, choice in choices.items() if choice.note),
    )


def gather(
    source: Source,
    parts: Sequence[Part],
    manner: Manner,
    *,
    timezone: str,
    salt: str = "",
    progress: Callable[[float], None] | None = None,
    cancel: Event | None = None,
) -> Gathered:
    """Read a file through, once for all parts.

    Raises:
        DataError: when it has no rows.
        Cancelled: when `cancel` was set.
    """
    vendor = parts[0].vendor
    columns: list[str] | None = None
    if vendor is None:
        assert parts[0].plan is not None
        columns = list(dict.fromkeys(parts[0].plan.columns.values()))
    elif vendor.extras is None:
        known = zip(source.columns, vendor.recognised(source.columns), strict=True)
        columns = [name for name, called in known if called in vendor.columns]
    gathered = Gathered()
    for batch in source.batches(columns):
        if cancel is not None and cancel.is_set():
            raise Cancelled("Stopped; nothing has changed.")
        gathered.read += len(batch.lines) + len(batch.faults)
        gathered.faults += len(batch.faults)
        made = {part.table.name: batch.rows for part in parts}
        if vendor is not None:
            made = vendor.translate(batch.rows, batch.lines, salt=salt)
        used = np.zeros(len(batch.lines), bool)
        found = [
            Rejection(line=fault.line, column=None, reason=fault.reason.text, text=fault.text)
            for fault in batch.faults[:LISTED_AT_MOST]
        ]
        for part in parts:
            rows = made[part.table.name]
            lines = batch.lines if vendor is None else rows[RAW_LINE].to_numpy()
            place = np.searchsorted(batch.lines, lines)
            used[place] = True
            found += _convert(part, rows, lines, place, batch, manner, timezone, gathered)
        gathered.unused += int((~used).sum())
        if len(gathered.listed) < LISTED_AT_MOST:
            gathered.listed += sorted(found, key=lambda rejection: rejection.line)
        if progress is not None:
            progress(batch.done)
    if not gathered.read:
        raise DataError("{file} has column names but no rows.", file=source.path.name)
    for part in parts:
        part.finish()
    return gathered


def _convert(
    part: Part,
    rows: pa.Table,
    lines: NDArray[np.int64],
    place: NDArray[np.intp],
    batch: Batch,
    manner: Manner,
    timezone: str,
    gathered: Gathered,
) -> list[Rejection]:
    """Add the sound rows of a block to a part, and say what is wrong with the others.

    Args:
        part: The part.
        rows: Its rows of this block, as they stand in the file or as the vendor's mapping made them.
        lines: Their lines.
        place: The row of `batch` that each was made of.
        batch: The block as it stands in the file.
        manner: How numbers and dates are read.
        timezone: The zone of times without an offset.
        gathered: Where lost lines and changes of the clock are counted.
    """
    fields = part.fields_for(rows)
    converter = Converter(fields, timezone=timezone, date_order=manner.date_order, decimal=manner.decimal)
    made = converter(rows)
    bad = np.zeros(len(lines), bool)
    for marks in (*made.blank.values(), *made.faulty.values()):
        bad |= marks
    sound = made.values.append_column(LINE, pa.array(lines, pa.int64()))
    part._blocks.append(sound.filter(pa.array(~bad)) if bad.any() else sound)
    gathered.lost.update(map(int, lines[bad]))
    gathered.clock_changes += sum(int(marks[~bad].sum()) for marks in made.clock_changes.values())
    listed = []
    for row in np.flatnonzero(bad)[:LISTED_AT_MOST]:
        text = batch.text(int(place[row]))
        listed += _faults(fields, made, rows, int(row), int(lines[row]), text)
    return listed


def _faults(
    fields: Sequence[Field], made: Converted, rows: pa.Table, row: int, line: int, text: str
) -> list[Rejection]:
    """What is wrong with a row, cell by cell."""
    found = []
    for wish in fields:
        blank, faulty = (marks.get(wish.name) for marks in (made.blank, made.faulty))
        reason = wish.blank if blank is not None and blank[row] else None
        if faulty is not None and faulty[row]:
            reason = wish.fault
        if reason is not None:
            value = None if wish.column is None else rows[wish.column][row].as_py()
            found.append(
                Rejection(
                    line=line,
                    column=wish.column,
                    reason=reason.text,
                    text=text,
                    value=None if value is None else str(value),
                )
            )
    return found
