"""Files into a project: read, made pseudonymous, put together with what is there, and only then in force.

A load is one draft: when anything fails or somebody stops it, the tables are what they were.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import Cancelled
from workbench.locale import Message, say
from workbench.store import Draft
from workbench.tables.identity import Identities
from workbench.tables.load import read_tables
from workbench.tables.merge import merge
from workbench.tables.money import Exchange, settle
from workbench.tables.privacy.erasure import ErasedList, links_of
from workbench.tables.privacy.freetext import mask_text
from workbench.tables.privacy.identifiers import kind_name
from workbench.tables.privacy.names import Kind
from workbench.tables.privacy.pseudonyms import pseudonyms
from workbench.tables.recipe import Recipe
from workbench.tables.report import LoadReport, together
from workbench.tables.schema import TABLES, standard

_FREE_TEXT: Final = (
    "page",
    "item",
    "link",
    "text",
    "reason",
    "evidence",
    "user_agent",
    "topic",
    "source",
    "medium",
    "campaign",
)
"""Declared columns in which people write, or addresses that may hold what they wrote."""
_READING: Final = 0.55
"""The share of the progress that reading a file is taken to be; the rest is putting it in its place."""


@dataclass(frozen=True)
class Setting:
    """What a project says of its data.

    Attributes:
        key: The key of its pseudonyms.
        erased: The people who may not come back.
        timezone: The zone of times without an offset, and of its days.
        currency: The currency of its money.
    """

    key: bytes
    erased: ErasedList
    timezone: str
    currency: str


def take_in(
    draft: Draft,
    files: Sequence[Path],
    recipe_of: Callable[[Path], Recipe],
    setting: Setting,
    *,
    progress: Callable[[float], None] | None = None,
    cancel: Event | None = None,
) -> LoadReport:
    """Read files and add what they hold to a draft of the tables.

    Args:
        draft: The draft; the caller lets it take effect.
        files: The files, in order.
        recipe_of: How to read each.
        setting: What the project says of its data.
        progress: Told the share that is done.
        cancel: Stops the reading once it is set.

    Raises:
        DataError: when a file cannot be read, naming it.
        Cancelled: when `cancel` was set.
    """
    reports = []
    for number, file in enumerate(files):

        def share(done: float, number: int = number) -> None:
            if progress is not None:
                progress((number + _READING * done) / len(files))

        loaded = read_tables(
            file,
            recipe_of(file),
            timezone=setting.timezone,
            exchange=Exchange(
                setting.currency, draft.read("rates") if "rates" in draft else None, setting.timezone
            ),
            salt=hmac.digest(setting.key, b"rows", "sha256").hex(),
            progress=share,
            cancel=cancel,
        )
        notes: list[Message] = []
        tables = {name: _discreet(rows, name, setting, notes) for name, rows in loaded.tables.items()}
        before = {name: draft.rows(name) for name in tables}
        if cancel is not None and cancel.is_set():
            raise Cancelled("Stopped; nothing has changed.")
        _add(draft, tables, file.name)
        added = {name: draft.rows(name) - rows for name, rows in before.items()}
        known = sum(rows.num_rows for rows in tables.values()) - sum(added.values())
        if known > 0:
            notes.append(say("Rows that were there already: {n:count}; they add nothing.", n=known))
        report = loaded.report
        reports.append(report.model_copy(update={"added": added, "notes": (*report.notes, *notes)}))
        share(1 / _READING)
    return together(reports)


def _discreet(rows: pa.Table, table_name: str, setting: Setting, notes: list[Message]) -> pa.Table:
    """The rows under pseudonyms, without those who were erased, and without what names people in texts."""
    table = standard(table_name)
    hashed = pseudonyms(setting.key)
    for name in table.persons:
        if name in rows.column_names and rows[name].type != pa.int64():
            ids = hashed(rows[name].cast(pa.string()))
            rows = rows.set_column(rows.column_names.index(name), name, ids)
    erased = None
    for name in (*table.persons, *links_of(table_name)):
        if name in rows.column_names:
            gone = setting.erased.erased(setting.key, rows[name])
            erased = gone if erased is None else pc.or_(erased, gone)
    if erased is not None and (count := pc.sum(erased).as_py()):
        rows = rows.filter(pc.invert(erased))
        notes.append(
            say(
                "{table}: rows of people who were erased from this project: {n:count}; they stay out.",
                table=table_name,
                n=count,
            )
        )
    masked: dict[Kind, int] = {}
    for field in rows.schema:
        free = field.name in _FREE_TEXT or table.column(field.name) is None
        if free and pa.types.is_string(field.type):
            column, found = mask_text(rows[field.name])
            if found:
                rows = rows.set_column(rows.column_names.index(field.name), field.name, column)
                for kind, count in found.items():
                    masked[kind] = masked.get(kind, 0) + count
    for kind, count in masked.items():
        notes.append(
            say(
                "{table}: cells in whose text {kind} was masked: {n:count}.",
                table=table_name,
                kind=kind_name(kind),
                n=count,
            )
        )
    return rows


def _add(draft: Draft, tables: Mapping[str, pa.Table], source: str) -> None:
    """Merge tables into the draft: identities first, since they say who is who in the others."""
    new_names = "aliases" in tables and draft.add("aliases", tables["aliases"], source) > 0
    identities = Identities(draft.read("aliases")) if "aliases" in draft else None
    for name, rows in tables.items():
        if name != "aliases":
            draft.add(name, identities.merged(rows, name) if identities else rows, source)
    if identities and new_names:
        _rename(draft, identities)
    if {"orders", "refunds"} & set(tables) and {"orders", "refunds"} <= set(draft.manifest):
        _settle(draft)


def _rename(draft: Draft, identities: Identities) -> None:
    """Give the rows that were there to the customers they are now known to belong to."""
    for name in [name for name in draft.manifest if name in TABLES and name != "aliases"]:
        table = standard(name)
        persons = [column for column in table.persons if column in table.names]
        if persons and identities.touched(draft.read(name, persons), name):
            rows = identities.merged(draft.read(name), name)
            draft.put(name, merge(None, rows, name) if table.key else rows)


def _settle(draft: Draft) -> None:
    """Let orders know what was given back for them."""
    orders = draft.read("orders")
    settled = settle(orders, draft.read("refunds"))
    if not settled["refund"].equals(orders["refund"]):
        draft.put("orders", settled)
