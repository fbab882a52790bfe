"""One person: everything about them, and everything without them.

A person's rows are those that name them in any column that names persons, under any of the identifiers that
the table `aliases` says are theirs; and the rows that hang on their orders and on messages to them.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench import storage
from workbench.errors import DataError, ProjectError
from workbench.tables.identity import Identities
from workbench.tables.privacy.rewriting import Choice, Rewritten, blocks, chosen_rows, rewrite
from workbench.tables.schema import standard

Files = Mapping[str, Sequence[Path]]
"""Table → its Parquet files."""

LINKS: Mapping[str, str] = {"order_id": "orders", "send_id": "sends"}
"""Column → the table that says whose it is; a table with that column and no person's hangs on it."""


def erased_mark(key: bytes, value: int | str) -> str:
    """What is remembered of an erased person: HMAC-SHA256(key, "erased:<pseudonym>") as hex.

    It says whether a pseudonym is on the list, and is no pseudonym. The access log names persons so too, and
    the list keeps the numbers of their orders and messages so.
    """
    return hmac.digest(key, f"erased:{value}".encode(), "sha256").hex()


class ErasedList:
    """`erased.json` of a project: marks of the people who may not come back.

    Args:
        project: The project's folder.
    """

    def __init__(self, project: Path) -> None:
        self._file = project / "erased.json"

    def marks(self) -> dict[str, str]:
        """Mark → when it was put there (ISO 8601, UTC).

        Raises:
            ProjectError: when the file is damaged; as long as it is, nothing can be loaded safely.
        """
        try:
            marks = json.loads(self._file.read_text(encoding="utf-8"))["erased"]
            return {str(mark): str(when) for mark, when in marks.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProjectError(
                "{path} is damaged: put a copy of it in its place, or erased people would come back.",
                path=str(self._file),
            ) from error

    def add(self, key: bytes, values: Iterable[int | str]) -> None:
        """Put pseudonyms, and numbers of orders and messages, on the list.

        The caller holds the project's lock.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        marks = {erased_mark(key, value): now for value in values} | self.marks()
        storage.write_text(self._file, json.dumps({"erased": marks}, indent=1))

    def erased(self, key: bytes, column: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
        """True where a pseudonym (int64), or the number of an order or a message, is on the list."""
        if isinstance(column, pa.Array):
            column = pa.chunked_array([column])
        marks = self.marks()
        values = pc.unique(column).drop_null().to_pylist() if marks else []
        gone = pa.array([value for value in values if erased_mark(key, value) in marks], column.type)
        return pc.is_in(column, value_set=gone)


@dataclass(frozen=True)
class Person:
    """How one person is named in the tables.

    Attributes:
        ids: Their pseudonyms.
        links: `order_id` and `send_id` → the numbers of their orders and of messages to them.
    """

    ids: frozenset[int]
    links: Mapping[str, frozenset[str]]

    @property
    def marked(self) -> list[int | str]:
        """All of it, for `ErasedList.add`."""
        return [*sorted(self.ids), *(value for values in self.links.values() for value in sorted(values))]


def find_person(tables: Files, pseudonym: int) -> Person:
    """How a person is named in the tables.

    Raises:
        DataError: when a table holds ids that are no pseudonyms.
    """
    ids = person_ids(tables, pseudonym)
    links = {}
    for column, owner in LINKS.items():
        rows = chosen_rows(tables.get(owner, []), standard(owner).persons, _naming(owner, ids))
        links[column] = frozenset([] if rows is None else rows[column].drop_null().to_pylist())
    return Person(ids, links)


def person_ids(tables: Files, pseudonym: int) -> frozenset[int]:
    """The pseudonyms of the same person: this one, and those that the table `aliases` ties to it.

    A device that two people used belongs to the one who was named first, as in `identity`.
    """
    pieces = list(blocks(tables.get("aliases", []), standard("aliases").names))
    if not pieces:
        return frozenset([pseudonym])
    identities = Identities(pa.concat_tables(pieces, promote_options="permissive"))
    owner = dict(zip(identities.aliases.to_pylist(), identities.customers.to_pylist(), strict=True))
    customer = owner.get(pseudonym, pseudonym)
    return frozenset([customer, pseudonym, *(alias for alias, whose in owner.items() if whose == customer)])


def person_rows(tables: Files, pseudonym: int) -> dict[str, pa.Table]:
    """All rows about a person, by table; tables without one are not there.

    Raises:
        DataError: when a table holds ids that are no pseudonyms.
    """
    person = find_person(tables, pseudonym)
    rows = {name: chosen_rows(files, *_about(name, person)) for name, files in tables.items()}
    return {name: about for name, about in rows.items() if about is not None}


def without_person(tables: Files, pseudonym: int) -> list[Rewritten]:
    """New files without the person, for those files only that hold a row about them.

    The caller names the new files in the manifest, then deletes the old ones at once.

    Raises:
        DataError: when a table holds ids that are no pseudonyms.
        ProjectError: when a file cannot be written.
    """
    person = find_person(tables, pseudonym)
    return [made for name, files in tables.items() for made in rewrite(name, files, *_about(name, person))]


def links_of(table: str) -> list[str]:
    """The columns by which the rows of a table belong to a person that they do not name."""
    known = standard(table)
    return [] if known.persons else [column for column in LINKS if column in known.names]


def _about(table: str, person: Person) -> tuple[Sequence[str], Choice]:
    """The columns of a table that tell whose a row is, and the rows of that person."""
    persons, links = standard(table).persons, links_of(table)
    if persons:
        return persons, _naming(table, person.ids)
    return links, partial(holding_any, {column: person.links[column] for column in links})


def _naming(table: str, ids: Collection[int]) -> Choice:
    """The rows that name one of these people."""

    def naming(rows: pa.Table) -> pa.ChunkedArray:
        filled = [name for name in rows.column_names if rows[name].null_count < rows.num_rows]
        for name in filled:
            if rows[name].type != pa.int64():
                raise DataError(
                    "The column {column} of {table} does not hold pseudonyms; load the files of this project"
                    " into a new one.",
                    column=name,
                    table=table,
                )
        return holding_any(dict.fromkeys(filled, ids), rows)

    return naming


def holding_any(values: Mapping[str, Collection[Any]], rows: pa.Table) -> pa.ChunkedArray:
    """The rows that hold one of the values of a column, in any of these columns."""
    found = pa.chunked_array([np.zeros(rows.num_rows, bool)])
    for name in values.keys() & set(rows.column_names):
        if values[name]:
            wanted = pa.array(sorted(values[name]), rows[name].type)
            found = pc.or_(found, pc.is_in(rows[name], value_set=wanted))
    return found
