"""Reading a file into standard tables, with a report on every row that was left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pyarrow as pa

from workbench.errors import DataError, check_choice
from workbench.locale import Message, say
from workbench.tables.grains import Shaped, shape
from workbench.tables.guess import Proposal, propose
from workbench.tables.money import Exchange
from workbench.tables.plan import Plan, grain_of, plan
from workbench.tables.privacy.identifiers import direct_identifiers, kind_name
from workbench.tables.reading import Gathered, Manner, Part, Sample, gather, manner_of, sample_of
from workbench.tables.recipe import Recipe
from workbench.tables.report import LISTED_AT_MOST, SAME_ROW, SECOND_OF_KEY, LoadReport, Rejection
from workbench.tables.rows import without
from workbench.tables.schema import standard, type_name
from workbench.tables.sources import Source, open_source
from workbench.tables.vendors import Vendor, known_vendors, recognise


@dataclass(frozen=True)
class Loaded:
    """A file as standard tables.

    Attributes:
        tables: Name → rows: one table of the event grain; `exposures`, `customers` and `outcomes` of the unit
            grain; `summaries` of the summary grain; of a vendor's export all that it fills.
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
        vendor: The system whose export it seems to be.
        encoding: How its text is written; None where it is no text.
        delimiter: What separates its fields; None where nothing does.
        notes: What was odd.
        sheets: The sheets of a workbook.
        sheet: The one that was looked at.
        personal: Columns that say who somebody is, with what they hold; they are not kept unless asked for.
    """

    columns: tuple[str, ...]
    rows: pa.Table
    proposal: Proposal | None
    vendor: Vendor | None
    encoding: str | None
    delimiter: str | None
    notes: tuple[Message, ...]
    sheets: tuple[str, ...] = ()
    sheet: str | None = None
    personal: Mapping[str, Message] | None = None


def preview(
    path: str | Path, *, rows: int = 20, sheet: str | None = None, encoding: str | None = None
) -> Preview:
    """The first rows of a file, and what it seems to hold.

    Raises:
        DataError: when there is nothing that could be read as a table.
    """
    source = open_source(path, sheet=sheet, encoding=encoding)
    sample = sample_of(source).rows
    personal = direct_identifiers(sample)
    proposal = propose(sample)
    return Preview(
        columns=source.columns,
        rows=sample.slice(0, rows),
        proposal=None if proposal is None else _discreet(proposal, personal),
        vendor=recognise(source.columns),
        encoding=source.encoding,
        delimiter=source.delimiter,
        notes=source.notes,
        sheets=source.sheets,
        sheet=source.sheet,
        personal={name: kind_name(kind) for name, kind in personal.items()},
    )


def read_tables(
    path: str | Path,
    recipe: Recipe | None = None,
    *,
    timezone: str = "UTC",
    exchange: Exchange | None = None,
    salt: str = "",
    progress: Callable[[float], None] | None = None,
    cancel: Event | None = None,
    **settings: Any,
) -> Loaded:
    """Read a file into standard tables: CSV, TSV, Excel, JSON or Parquet, packed or not.

    Every row of the file is either kept or counted in the report with its line and the reason.

    Args:
        path: The file.
        recipe: How to read it; what it leaves open is found from the file.
        timezone: IANA name of the zone of times that have no offset, where the recipe names none.
        exchange: The project's money and the rates of other money; None leaves amounts as they are.
        salt: Goes into identifiers that are made from cells, so that the cells cannot be guessed from them.
        progress: Told the share that has been read.
        cancel: Stops the reading once it is set.
        settings: Those of `Recipe`, in place of one or beside it. The `mapping` goes from standard column to
            column of the file. Beside the columns of the table there may be `attributes` (a list of columns,
            or name → column). Unit grain: `customer_id`, `variant`, `outcomes` (name → column), `attributes`,
            `ts`, `assignment`, `experiment`. Summary grain: `variant`, `n`, `metric`, and `successes`, or
            `sum` and `sum_of_squares`, or `mean` and `variance` (or `standard_deviation`), `attributes`,
            `experiment`. Of these `experiment`, `metric` and `assignment` may be a column or the value
            itself. The experience of every row is what the mapping says, else the name of the file.

    Raises:
        DataError: when the file cannot be read as a table, or does not have what the table needs.
        Cancelled: when `cancel` was set.
    """
    given = (recipe or Recipe()).with_settings(settings)
    source = open_source(path, sheet=given.sheet, encoding=given.encoding)
    sample = sample_of(source)
    vendor = _vendor(given, source)
    zone = given.timezone or (vendor and vendor.timezone) or timezone
    told = _Told(given, source, zone, exchange, salt, progress, cancel)
    if vendor is not None:
        return _export(told, vendor)
    return _table(told, sample)


@dataclass(frozen=True)
class _Told:
    """What reading a file was told."""

    recipe: Recipe
    source: Source
    timezone: str
    exchange: Exchange | None
    salt: str
    progress: Callable[[float], None] | None
    cancel: Event | None

    def shape(self, part: Part, manner: Manner) -> Shaped:
        assert part.plan is not None
        return shape(part.rows, part.plan, manner.decimal, exchange=self.exchange, salt=self.salt)

    def gather(self, parts: Sequence[Part], manner: Manner) -> Gathered:
        return gather(
            self.source,
            parts,
            manner,
            timezone=self.timezone,
            salt=self.salt,
            progress=self.progress,
            cancel=self.cancel,
        )


def _vendor(recipe: Recipe, source: Source) -> Vendor | None:
    """The system whose export the file is: as told, else by its columns where nothing else was told."""
    if recipe.vendor is not None:
        vendors = known_vendors()
        vendor = vendors[check_choice(recipe.vendor, vendors, say("export"))]
        there = vendor.recognised(source.columns)
        if not vendor.fits(source.columns):
            raise DataError(
                "{file} is no export of {vendor}: it lacks {missing}.",
                file=source.path.name,
                vendor=vendor.title,
                missing=", ".join(name for name in vendor.required if name not in there),
            )
        return vendor
    if recipe.table or recipe.grain or recipe.mapping:
        return None
    return recognise(source.columns)


def _export(told: _Told, vendor: Vendor) -> Loaded:
    """The export of a vendor as standard tables."""
    recipe, source = told.recipe, told.source
    manner = Manner(recipe.decimal or ".", recipe.date_order or vendor.date_order or "dmy")
    parts = [Part(standard(name), vendor=vendor) for name in vendor.tables]
    gathered = told.gather(parts, manner)
    notes = [vendor.about]
    if gathered.unused:
        notes.append(
            say(
                "Rows that hold nothing for the tables of this export: {n:count}; they were passed over.",
                n=gathered.unused,
            )
        )
    shaped: dict[str, Shaped] = {}
    for part in sorted(parts, key=lambda part: part.table.name == "order_items"):  # orders come first
        if part.rows is not None:
            if part.table.name == "order_items" and "orders" in shaped:
                part.rows = _once(part.rows, shaped["orders"])
            shaped[part.table.name] = told.shape(part, manner)
    if not shaped:
        raise DataError(
            "{file} holds no row that {vendor} would write; is it that export?",
            file=source.path.name,
            vendor=vendor.title,
        )
    return _loaded(
        told,
        manner,
        gathered,
        list(shaped.values()),
        main=shaped.get(parts[0].table.name),
        recipe=Recipe(vendor=vendor.name),
        columns={},
        guessed=() if recipe.vendor else ("vendor",),
        notes=notes,
        table=parts[0].table.name,
    )


def _once(items: pa.Table, orders: Shaped) -> pa.Table:
    """The lines of orders, without those that came with a repetition of their order."""
    again = [left_out.lines for left_out in orders.left_out if left_out.reason in (SECOND_OF_KEY, SAME_ROW)]
    return without(items, np.concatenate(again)) if again else items


def _table(told: _Told, sample: Sample) -> Loaded:
    """A file of one grain as standard tables."""
    recipe, source = told.recipe, told.source
    declared = None if recipe.table is None else standard(recipe.table)
    grain, experiment = recipe.grain, recipe.experiment
    mapping: Mapping[str, Any] | None = recipe.mapping
    guessed: list[str] = []
    notes: list[Message] = []
    if mapping is None:
        if grain is None and recipe.table in ("outcomes", "summaries"):
            grain = grain_of({}, recipe.table)
        proposal = propose(sample.rows, declared, grain)
        if proposal is None:
            raise DataError(
                "It is not clear what {file} holds; say which table it is, and what its columns are:"
                " {columns}.",
                file=source.path.name,
                columns=", ".join(source.columns),
            )
        personal = direct_identifiers(sample.rows)
        proposal = _discreet(proposal, personal)
        guessed += [name for name, was in (("table", declared), ("grain", grain)) if was is None]
        guessed += [name for name in proposal.mapping if not (experiment and name == "experiment")]
        mapping, grain, declared = proposal.mapping, proposal.grain, standard(proposal.table)
        left = [name for name in personal if name not in _columns_in(mapping)]
        if left:
            notes.append(
                say(
                    "Columns that say who somebody is were not kept: {columns}; name them in the mapping if"
                    " they have to be.",
                    columns=", ".join(left),
                )
            )
    grain = grain or grain_of(mapping, recipe.table)
    what = plan(source, mapping, grain=grain, table=declared, experiment=experiment)
    manner = manner_of(source, sample, what, recipe.date_order, recipe.decimal)
    part = Part(what.table, plan=what)
    gathered = told.gather([part], manner)
    shaped = told.shape(part, manner)
    unused = [column for column in source.columns if column not in what.columns.values()]
    if unused:
        notes.append(say("Columns of the file that were not used: {columns}.", columns=", ".join(unused)))
    if any(wish.type == "timestamp" for wish in what.fields):
        notes.append(say("Times without an offset were taken to be in {zone}.", zone=told.timezone))
    return _loaded(
        told,
        manner,
        gathered,
        [shaped],
        main=shaped,
        recipe=Recipe(
            table=what.table.name if grain == "event" else None,
            grain=grain,
            mapping=dict(mapping),
            experiment=experiment,
            timezone=recipe.timezone,
            date_order=recipe.date_order,
            decimal=recipe.decimal,
        ),
        columns=what.columns,
        guessed=(*guessed, *manner.guessed),
        notes=notes,
        table=what.table.name,
        plan=what,
    )


def _loaded(
    told: _Told,
    manner: Manner,
    gathered: Gathered,
    shaped: Sequence[Shaped],
    *,
    main: Shaped | None,
    recipe: Recipe,
    columns: dict[str, str],
    guessed: Sequence[str],
    notes: Sequence[Message],
    table: str,
    plan: Plan | None = None,
) -> Loaded:
    """The tables, and the report on how they came about; only what `main` left out counts as left out."""
    source, tables = told.source, {}
    for one in shaped:
        tables.update(one.tables)
    listed = list(gathered.listed)
    lost = set(gathered.lost)
    for left_out in main.left_out if main else ():
        lost.update(map(int, left_out.lines))
        if len(listed) < LISTED_AT_MOST:
            lines = [int(line) for line in left_out.lines[:LISTED_AT_MOST]]
            texts = source.texts(lines)
            column = None if left_out.column is None else columns.get(left_out.column)
            listed += [
                Rejection(line=line, column=column, reason=left_out.reason.text, text=texts[line])
                for line in lines
            ]
    listed.sort(key=lambda rejection: rejection.line)
    types = {
        name: type_name(rows.schema.field(name).type)
        for rows in tables.values()
        for name in rows.column_names
        if name in columns
    }
    types |= dict.fromkeys(plan.outcomes if plan else (), "float64")
    said = [*source.notes, *manner.notes, *notes]
    if gathered.clock_changes:
        said.append(
            say(
                "Times in the hour in which the clocks change: {n:count}; one that they show twice was taken"
                " to be the later, one that they skip was moved on by an hour.",
                n=gathered.clock_changes,
            )
        )
    report = LoadReport(
        files=(source.path.name,),
        table=table,
        grain=plan.grain if plan else "event",
        vendor=recipe.vendor,
        rows_read=gathered.read,
        rows_kept=gathered.read - gathered.faults - len(lost),
        rejected=tuple(listed[:LISTED_AT_MOST]),
        rejected_count=gathered.faults + len(lost),
        columns=columns,
        types=types,
        timezone=told.timezone,
        encoding=source.encoding,
        guessed=tuple(guessed),
        notes=(*said, *(note for one in shaped for note in one.notes)),
        questions=(*manner.questions, *(question for one in shaped for question in one.questions)),
        recipe=recipe.model_copy(
            update={"columns": source.columns, "sheet": told.recipe.sheet, "encoding": told.recipe.encoding}
        ),
    )
    return Loaded(tables, report)


def _discreet(proposal: Proposal, personal: Mapping[str, Any]) -> Proposal:
    """The proposal without further attributes that say who somebody is."""
    attributes = proposal.mapping.get("attributes")
    if not attributes:
        return proposal
    kept = {name: column for name, column in dict(attributes).items() if column not in personal}
    mapping = {**proposal.mapping, "attributes": kept}
    if not kept:
        del mapping["attributes"]
    return replace(proposal, mapping=mapping)


def _columns_in(mapping: Mapping[str, Any]) -> set[str]:
    """The columns that a mapping names, at any depth."""
    found: set[str] = set()
    for value in mapping.values():
        if isinstance(value, Mapping):
            found |= _columns_in(value)
        elif isinstance(value, str):
            found.add(value)
        elif isinstance(value, Sequence):
            found |= {part for part in value if isinstance(part, str)}
    return found
