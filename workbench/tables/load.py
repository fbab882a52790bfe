"""Reading a file into standard tables, with a report on every row that was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.errors import DataError, check_choice
from workbench.locale import Message, say
from workbench.tables.cells import DateOrder, DecimalMark
from workbench.tables.convert import Converted, Converter
from workbench.tables.evidence import (
    Choice,
    Evidence,
    choose_date_order,
    choose_decimal,
    look_at,
    look_through,
)
from workbench.tables.grains import LINE, LeftOut, shape
from workbench.tables.guess import Proposal, propose
from workbench.tables.plan import Plan, grain_of, plan
from workbench.tables.read import Source, open_source
from workbench.tables.records import Batch
from workbench.tables.report import LISTED_AT_MOST, LoadReport, Question, Rejection
from workbench.tables.schema import GRAINS, Grain, standard, type_name

_SAMPLE_ROWS = 5_000
_SAMPLE_BLOCK = 1 << 20


@dataclass(frozen=True)
class Loaded:
    """A file as standard tables.

    Attributes:
        tables: Name → rows: one table of the event grain; `exposures`, `customers` and `outcomes` of the unit
            grain; `summaries` of the summary grain.
        report: What was kept, what was left out and why, what was guessed.
    """

    tables: Mapping[str, pa.Table]
    report: LoadReport


@dataclass(frozen=True)
class Preview:
    """The beginning of a file, to choose its columns by.

    Attributes:
        columns: Its column names.
        rows: Its first rows as they stand.
        proposal: What it seems to hold; None when nothing fits.
        encoding: How its text is written; None for Parquet.
        delimiter: What separates its fields; None for Parquet.
        notes: What was odd.
    """

    columns: tuple[str, ...]
    rows: pa.Table
    proposal: Proposal | None
    encoding: str | None
    delimiter: str | None
    notes: tuple[Message, ...]


def preview(path: str | Path, *, rows: int = 20) -> Preview:
    """The first rows of a file, and what it seems to hold.

    Raises:
        DataError: when there is nothing that could be read as a table.
    """
    source = open_source(path)
    sample = _sample(source).rows
    return Preview(
        source.columns,
        sample.slice(0, rows),
        propose(sample),
        source.encoding,
        source.delimiter,
        source.notes,
    )


def read_tables(
    path: str | Path,
    *,
    table: str | None = None,
    grain: str | None = None,
    mapping: Mapping[str, Any] | None = None,
    timezone: str = "UTC",
    date_order: str | None = None,
    decimal: str | None = None,
    experiment: str | None = None,
) -> Loaded:
    """Read a CSV, TSV or Parquet file, packed with gzip or not, into standard tables.

    Every row of the file is either kept or counted in the report with its line and the reason.

    Args:
        path: The file.
        table: The standard table it holds, at the event grain; guessed when None.
        grain: `event`, `unit` (a row a customer, with a variant and outcomes) or `summary` (a row an arm);
            guessed when None.
        mapping: Standard column → column of the file; guessed when None. Beside the columns of the table
            there may be `attributes` (a list of columns, or name → column). Unit grain: `customer_id`,
            `variant`, `outcomes` (name → column), `attributes`, `ts`, `assignment`, `experiment`. Summary
            grain: `variant`, `n`, `metric`, and `successes`, or `sum` and `sum_of_squares`, or `mean` and
            `variance` (or `standard_deviation`), `attributes`, `experiment`. Of these `experiment`, `metric`
            and `assignment` may be a column or the value itself.
        timezone: IANA name of the zone of times that have no offset.
        date_order: `dmy` or `mdy`, how `03/04/2026` is read; found from the file when None.
        decimal: `.` or `,`, the decimal mark; found from the file when None.
        experiment: The experience of every row, or the column that holds it; by default what the mapping
            says, else the name of the file without its ending.

    Raises:
        DataError: when the file cannot be read as a table, or does not have what the table needs.
    """
    source = open_source(path)
    sample = _sample(source)
    declared = None if table is None else standard(table)
    asked = None if grain is None else cast(Grain, check_choice(grain, GRAINS, say("grain")))
    guessed: list[str] = []
    if mapping is None:
        if asked is None and table in ("outcomes", "summaries"):
            asked = grain_of({}, table)
        proposal = propose(sample.rows, declared, asked)
        if proposal is None:
            raise DataError(
                "It is not clear what {file} holds; say which table it is, and what its columns are:"
                " {columns}.",
                file=source.path.name,
                columns=", ".join(source.columns),
            )
        guessed += [name for name, given in (("table", table), ("grain", grain)) if given is None]
        guessed += [name for name in proposal.mapping if not (experiment and name == "experiment")]
        mapping, asked, declared = proposal.mapping, proposal.grain, standard(proposal.table)
    asked = asked or grain_of(mapping, table)
    what = plan(source, mapping, grain=asked, table=declared, experiment=experiment)
    manner = _manner(source, sample, what, date_order, decimal)
    gathered = _gather(source, what, timezone, manner)
    return _loaded(source, what, timezone, manner, gathered, guessed)


@dataclass(frozen=True)
class _Sample:
    """The first rows of a file; `whole` when there are no others."""

    rows: pa.Table
    whole: bool


@dataclass(frozen=True)
class _Manner:
    """How numbers and dates are read, and what had to be assumed or is worth saying about it."""

    decimal: DecimalMark
    date_order: DateOrder
    questions: tuple[Question, ...]
    notes: tuple[Message, ...]
    guessed: tuple[str, ...]


@dataclass
class _Gathered:
    """What reading a file through brought."""

    rows: pa.Table = None
    read: int = 0
    rejected: int = 0
    listed: list[Rejection] = field(default_factory=list)
    clock_changes: int = 0


def _sample(source: Source) -> _Sample:
    blocks, count = [], 0
    batches = source.batches(block=_SAMPLE_BLOCK)
    for batch in batches:
        blocks.append(batch.rows)
        count += batch.rows.num_rows
        if count >= _SAMPLE_ROWS:
            break
    if not blocks:
        raise DataError("{file} has column names but no rows.", file=source.path.name)
    return _Sample(pa.concat_tables(blocks), next(batches, None) is None)


def _manner(
    source: Source, sample: _Sample, what: Plan, date_order: str | None, decimal: str | None
) -> _Manner:
    """How to read numbers and dates: as told, else as the first rows show, else as the whole file does."""

    def columns(*types: str) -> list[str]:
        return [wish.column for wish in what.fields if wish.column is not None and wish.type in types]

    times = columns("timestamp", "day")
    numbers = [*columns("float64", "int64", "measure"), *(what.columns[name] for name in what.attributes)]
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
    return _Manner(
        cast(DecimalMark, check_choice(decimal or choices["decimal"].value, (".", ","), say("decimal mark"))),
        cast(
            DateOrder,
            check_choice(date_order or choices["date_order"].value, ("dmy", "mdy"), say("date order")),
        ),
        tuple(choice.question for choice in choices.values() if choice.question),
        tuple(choice.note for choice in choices.values() if choice.note),
        tuple(name for name, choice in choices.items() if choice.note),
    )


def _gather(source: Source, what: Plan, timezone: str, manner: _Manner) -> _Gathered:
    """Read the file through: sound rows with their line, and what is wrong with the others."""
    converter = Converter(
        what.fields, timezone=timezone, date_order=manner.date_order, decimal=manner.decimal
    )
    names = list(dict.fromkeys(what.columns.values()))
    gathered = _Gathered()
    blocks = []
    for batch in source.batches(names):
        made = converter(batch.rows)
        bad = np.zeros(len(batch.lines), bool)
        for marks in (*made.blank.values(), *made.faulty.values()):
            bad |= marks
        rows = made.values.append_column(LINE, pa.array(batch.lines))
        blocks.append(rows.filter(pa.array(~bad)) if bad.any() else rows)
        gathered.read += len(batch.lines) + len(batch.faults)
        gathered.rejected += int(bad.sum()) + len(batch.faults)
        if len(gathered.listed) < LISTED_AT_MOST:
            gathered.listed += _rejections(batch, what, made, np.flatnonzero(bad)[:LISTED_AT_MOST])
        gathered.clock_changes += sum(int(marks[~bad].sum()) for marks in made.clock_changes.values())
    if not gathered.read:
        raise DataError("{file} has column names but no rows.", file=source.path.name)
    gathered.rows = pa.concat_tables(blocks)
    return gathered


def _rejections(batch: Batch, what: Plan, made: Converted, bad: NDArray[np.intp]) -> list[Rejection]:
    """What is wrong with these rows of a batch, cell by cell, and with what could not be taken apart."""
    found = [
        Rejection(line=fault.line, column=None, reason=fault.reason.text, text=fault.text)
        for fault in batch.faults[:LISTED_AT_MOST]
    ]
    for row in map(int, bad):
        for wish in what.fields:
            blank, faulty = (marks.get(wish.name) for marks in (made.blank, made.faulty))
            reason = wish.blank if blank is not None and blank[row] else None
            if faulty is not None and faulty[row]:
                reason = wish.fault
            if reason is not None:
                value = None if wish.column is None else batch.rows[wish.column][row].as_py()
                found.append(
                    Rejection(
                        line=int(batch.lines[row]),
                        column=wish.column,
                        reason=reason.text,
                        text=batch.text(row),
                        value=None if value is None else str(value),
                    )
                )
    return sorted(found, key=lambda rejection: rejection.line)


def _repeated(source: Source, what: Plan, left_out: LeftOut) -> list[Rejection]:
    """Rows that are left out for repeating others."""
    lines = [int(line) for line in left_out.lines[:LISTED_AT_MOST]]
    texts = source.texts(lines)
    column = None if left_out.column is None else what.columns.get(left_out.column)
    return [
        Rejection(line=line, column=column, reason=left_out.reason.text, text=texts[line]) for line in lines
    ]


def _loaded(
    source: Source, what: Plan, timezone: str, manner: _Manner, gathered: _Gathered, guessed: Sequence[str]
) -> Loaded:
    shaped = shape(gathered.rows, what, manner.decimal, source.fingerprint)
    listed = sorted([*gathered.listed, *_repeated(source, what, shaped.left_out)], key=lambda one: one.line)
    rejected = gathered.rejected + len(shaped.left_out.lines)
    notes = [*source.notes, *manner.notes]
    unused = [column for column in source.columns if column not in what.columns.values()]
    if unused:
        notes.append(say("Columns of the file that were not used: {columns}.", columns=", ".join(unused)))
    if any(wish.type == "timestamp" for wish in what.fields):
        notes.append(say("Times without an offset were taken to be in {zone}.", zone=timezone))
    if gathered.clock_changes:
        notes.append(
            say(
                "Times in the hour in which the clocks change: {n:count}; one that they show twice was taken"
                " to be the later, one that they skip was moved on by an hour.",
                n=gathered.clock_changes,
            )
        )
    types = {
        name: type_name(table.schema.field(name).type)
        for table in shaped.tables.values()
        for name in table.column_names
        if name in what.columns
    }
    types |= dict.fromkeys(what.outcomes, "float64")
    report = LoadReport(
        table=what.table.name,
        grain=what.grain,
        rows_read=gathered.read,
        rows_kept=gathered.read - rejected,
        rejected=tuple(listed[:LISTED_AT_MOST]),
        rejected_count=rejected,
        columns=what.columns,
        types=types,
        timezone=timezone,
        encoding=source.encoding,
        guessed=(*guessed, *manner.guessed),
        notes=(*notes, *shaped.notes),
        questions=manner.questions,
    )
    return Loaded(shaped.tables, report)
