"""The record of processing: for what and on what ground each table is kept, and for how long.

A row is as old as the time in its table's own column; a customer as old as the last thing that is known of
them in any table. What hangs on orders and on messages goes with them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from workbench.engines.duckdb import scan
from workbench.errors import ProjectError
from workbench.locale import Message, say
from workbench.tables.privacy.erasure import LINKS, Files, holding_any, links_of
from workbench.tables.privacy.rewriting import Rewritten, chosen_rows, rewrite
from workbench.tables.schema import TABLES, standard

LegalBasis = Literal[
    "consent", "contract", "legal obligation", "vital interests", "public task", "legitimate interests"
]


_CUSTOMER_TIMES = ("first_seen", "signed_up")


class Processing(BaseModel):
    """What is written down about one table (GDPR, articles 5, 6 and 30).

    Attributes:
        purpose: What its rows are used for, in words.
        legal_basis: The ground of article 6(1).
        retention_days: Rows are kept so many days after they happened (customers: after they were last
            seen); None keeps them.
        note: Anything else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    purpose: str
    legal_basis: LegalBasis
    retention_days: int | None = Field(default=None, ge=1)
    note: str = ""


def read_processing(file: Path) -> dict[str, Processing]:
    """Table → what is written down about it, from `processing.toml`; empty when there is no such file.

    Raises:
        ProjectError: when the file is damaged, or what it says does not go with a standard table.
    """
    try:
        sections = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError("{path} cannot be read: {reason}.", path=str(file), reason=str(error)) from error
    try:
        records = {name: Processing.model_validate(section) for name, section in sections.items()}
    except ValidationError as error:
        first = error.errors()[0]
        raise ProjectError(
            "{path}: the setting “{setting}” is wrong: {reason}.",
            path=str(file),
            setting=".".join(str(part) for part in first["loc"]),
            reason=first["msg"],
        ) from error
    _check(records)
    return records


@dataclass(frozen=True)
class Due:
    """A table that holds rows older than they may be.

    Attributes:
        table: The table.
        retention_days: How long its rows are kept.
        oldest: When the oldest row happened (UTC).
        limit: Rows before this time should go (UTC).
    """

    table: str
    retention_days: int
    oldest: datetime
    limit: datetime

    @property
    def note(self) -> Message:
        """It in a sentence."""
        return say(
            "{table} has rows from {oldest:date} on, though they are to be kept for {days:count} days only;"
            " remove those before {limit:date}.",
            table=self.table,
            oldest=self.oldest,
            days=self.retention_days,
            limit=self.limit,
        )


def retention_due(
    records: Mapping[str, Processing], oldest: Mapping[str, datetime], now: datetime
) -> list[Due]:
    """Tables with rows that are older than allowed.

    Args:
        records: What `read_processing` gives.
        oldest: What `oldest_rows` gives.
        now: UTC, without a zone, as times in the tables are.
    """
    due = []
    for table, record in records.items():
        if record.retention_days is not None and table in oldest:
            limit = now - timedelta(days=record.retention_days)
            if oldest[table] < limit:
                due.append(Due(table, record.retention_days, oldest[table], limit))
    return due


def oldest_rows(tables: Files) -> dict[str, datetime]:
    """When each table's oldest row happened (UTC); of customers, when the one longest unseen was seen."""
    found = {}
    with duckdb.connect() as database:
        for name, files in tables.items():
            time = standard(name).time
            if name == "customers":
                sql = f"SELECT min(seen) FROM ({_last_seen(tables)})"
            elif time is not None:
                sql = f"SELECT min({time}) FROM {scan(files)}"
            else:
                continue
            (oldest,) = database.execute(sql).fetchone() or (None,)
            if oldest is not None:
                found[name] = oldest
    return found


def without_older(tables: Files, table: str, limit: datetime) -> list[Rewritten]:
    """New files without the rows of `table` before `limit`, and without what hangs on these.

    Rows without a time stay, since their age is not known. The caller names the new files in the manifest,
    then deletes the old ones at once.

    Args:
        tables: All tables.
        table: The one whose rows have become too old.
        limit: UTC, without a zone.

    Raises:
        ProjectError: when the rows of the table have no age of their own, or a file cannot be written.
    """
    time = _age(table)
    files = tables.get(table, [])
    if time is None:
        with duckdb.connect() as database:
            seen = database.execute(f"SELECT customer_id FROM ({_last_seen(tables)}) WHERE seen < ?", [limit])
            gone = frozenset(row[0] for row in seen.fetchall())
        return rewrite(table, files, ["customer_id"], partial(holding_any, {"customer_id": gone}))

    def old(rows: pa.Table) -> pa.ChunkedArray:
        return pc.less(rows[time], pa.scalar(limit, pa.timestamp("us")))

    made = rewrite(table, files, [time], old)
    for column in [column for column, owner in LINKS.items() if owner == table]:
        going = chosen_rows(files, [time], old)
        values = frozenset([] if going is None else going[column].drop_null().to_pylist())
        for name, others in tables.items():
            if column in links_of(name):
                made += rewrite(name, others, [column], partial(holding_any, {column: values}))
    return made


def _check(records: Mapping[str, Processing]) -> None:
    for name, record in records.items():
        if name not in TABLES or record.retention_days is not None:
            _age(name)


def _last_seen(tables: Files) -> str:
    """SQL for when each customer was last seen in any table: `customer_id`, `seen`."""
    seen = [
        f"SELECT TRY_CAST(customer_id AS BIGINT) AS customer_id, {time} AS seen FROM {scan(files)}"
        for name, files in tables.items()
        if "customer_id" in standard(name).persons
        for time in (_CUSTOMER_TIMES if name == "customers" else filter(None, [standard(name).time]))
    ]
    return (
        f"SELECT customer_id, max(seen) AS seen FROM ({' UNION ALL '.join(seen)})"
        f" SEMI JOIN {scan(tables['customers'])} AS known USING (customer_id) GROUP BY customer_id"
    )


def _age(table: str) -> str | None:
    """The column that says how old a row is; None for customers, whose age is when they were last seen.

    Raises:
        ProjectError: when rows of the table have no age.
    """
    if table not in TABLES:
        raise ProjectError(
            "There is no table “{table}” to keep a record of; the tables are: {known}.",
            table=table,
            known=", ".join(TABLES),
        )
    time = standard(table).time
    if time is None and table != "customers":
        raise ProjectError(
            "Rows of {table} have no time of their own, so no retention can be set for them; they go with"
            " what they belong to.",
            table=table,
        )
    return time
