"""One person in the tables: who is meant by an identifier, and the rows about them that may be analysed.

Where the tables hold pseudonyms, an identifier is turned into one with the project's key; a pseudonym may be
given as well. Where they hold text, as some databases do, it is taken as it stands. A device or an earlier
contact leads to the customer that the table `aliases` gives it to, by the first statement about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from workbench.engines import Engine, fetch, has, table, whole_seconds
from workbench.errors import DataError
from workbench.tables.privacy.consent import consented
from workbench.tables.privacy.erasure import LINKS, erased_mark, links_of
from workbench.tables.privacy.freetext import mask_text
from workbench.tables.privacy.names import named_identifier
from workbench.tables.privacy.pseudonyms import pseudonym
from workbench.tables.schema import TABLES, standard

if TYPE_CHECKING:
    from workbench.project import Project

_LARGEST = 2**63 - 1
_LONGEST_CHAIN = 20  # of aliases
_NOT_ABOUT = ("aliases",)  # only says who is who


@dataclass(frozen=True)
class Held:
    """What a table holds of a person: rows, and their first and last moment in seconds since 1970."""

    rows: int
    first: int | None = None
    last: int | None = None


class Person:
    """A person that is in the tables.

    Args:
        project: The project.
        name: What they are called in the columns that name persons.
        mark: How the access log names them.
        held: Table → what it holds of them, whatever they agreed to.

    Attributes:
        purpose: What they have to have agreed to for a row to be analysed; None for all rows.
    """

    def __init__(self, project: Project, name: int | str, mark: str, held: Mapping[str, Held]) -> None:
        self.name, self.mark, self.held = name, mark, held
        self.purpose = project.settings.consent_purpose
        self._engine = project.everything
        self._elsewhere = project.in_place

    @property
    def pseudonym(self) -> str:
        """What may be shown of their name: a number, never a text, which might be an e-mail address."""
        return str(self.name) if isinstance(self.name, int) else ""

    def rows(self, name: str) -> Any:
        """The rows of a table that are about the person and may be analysed, as an Ibis expression.

        Rows without a person belong to whom their order or their message belongs to.
        """
        known = table(self._engine, name)
        if not standard(name).persons:
            column = links_of(name)[0]
            return known.semi_join(self.rows(LINKS[column]).select(column).distinct(), column)
        rows = known.filter(_names(known, name, self.name))
        if self.purpose is None or name == "consents":
            return rows
        customer = next(column for column in standard(name).persons if column in known.columns)
        return consented(rows, self.rows("consents"), self.purpose, standard(name).time, customer)

    @cached_property
    def permitted(self) -> Mapping[str, Held]:
        """Table → what may be analysed of what it holds of them."""
        if self.purpose is None:
            return self.held
        return _held(self._engine, {name: self.rows(name) for name in self.held})

    def newest(self, name: str, most: int) -> pa.Table:
        """The newest rows of a table that may be analysed, without what says directly who somebody is."""
        if not self.has(name):
            return pa.table({})
        rows, known = self.rows(name), standard(name)
        if known.time is not None:
            rows = rows.order_by(rows[known.time].desc())
        kept = [
            column
            for column in rows.columns
            if column not in known.persons and (column in known.names or named_identifier(column) is None)
        ]
        return self.fetch(rows.select(*kept).limit(most))

    def fetch(self, rows: Any) -> pa.Table:
        """Rows of an expression, their texts masked where that was not done when they were loaded."""
        found = self._engine.query(ibis.to_sql(rows, dialect=self._engine.dialect))
        for place, field in enumerate(found.schema if self._elsewhere else ()):
            if pa.types.is_string(field.type):
                found = found.set_column(place, field.name, mask_text(found[field.name])[0])
        return found

    def has(self, name: str) -> bool:
        """Whether there may be rows of that table about the person that may be analysed."""
        if standard(name).persons:
            return name in self.permitted
        owners = [LINKS[column] for column in links_of(name)]
        return has(self._engine, name) and any(owner in self.permitted for owner in owners)


def find(project: Project, identifier: str) -> Person:
    """Who is meant.

    Args:
        project: Where they are.
        identifier: Theirs, as the shop's own systems have it; or their pseudonym.

    Raises:
        DataError: when nobody of that name is there, or they were erased.
        ProjectError: when the key of the pseudonyms is not on this computer.
    """
    text = identifier.strip()
    people, engine = project.people, project.everything
    key = people.key()
    hashed = pseudonym(key, text)
    if hashed is None:
        raise DataError("Type the identifier of a customer as your shop has it, or a pseudonym.")
    numbers = [hashed]
    if text.isascii() and text.isdigit() and int(text) <= _LARGEST:
        numbers.append(int(text))
    names: list[int | str] = [*numbers, text]
    for name in names:
        owner = _owner(engine, name)
        held = _held(engine, _about(engine, owner))
        if held:
            return Person(project, owner, erased_mark(key, owner), held)
    erased = people.erased.marks()
    days = [erased[mark] for mark in (erased_mark(key, number) for number in numbers) if mark in erased]
    if days:
        raise DataError(
            "This customer was erased from the project on {day:date}: nothing is kept of them, and files that"
            " are loaded later leave them out.",
            day=datetime.fromisoformat(days[0]).date(),
        )
    raise DataError(
        "There is no customer with this identifier here; give it as the loaded files have it, or give a"
        " pseudonym."
    )


def tables_of_persons(engine: Engine) -> list[str]:
    """The tables that name persons."""
    return [
        name for name in TABLES if has(engine, name) and standard(name).persons and name not in _NOT_ABOUT
    ]


def _about(engine: Engine, name: int | str) -> dict[str, Any]:
    everything = {one: table(engine, one) for one in tables_of_persons(engine)}
    return {one: rows.filter(_names(rows, one, name)) for one, rows in everything.items()}


def _names(rows: Any, table_name: str, name: int | str) -> Any:
    """Whether a row names a person; nobody is named by a number where names are text, or the reverse."""
    columns = [rows[column] for column in standard(table_name).persons if column in rows.columns]
    fitting = [column == name for column in columns if column.type().is_string() == isinstance(name, str)]
    return reduce(or_, fitting) if fitting else ibis.literal(False)


def _held(engine: Engine, about: Mapping[str, Any]) -> dict[str, Held]:
    """What each of some expressions holds; those without rows are left out."""
    parts = []
    for name, rows in about.items():
        time = standard(name).time
        edge = whole_seconds(rows[time]) if time is not None else ibis.null("int64")
        sums = rows.mutate(at_=edge)
        sums = sums.aggregate(n=sums.count(), first=sums.at_.min(), last=sums.at_.max())
        parts.append(sums.select("n", "first", "last", name_=ibis.literal(name)))
    found = fetch(engine, ibis.union(*parts)) if len(parts) > 1 else fetch(engine, parts[0]) if parts else []
    return {row["name_"]: Held(int(row["n"]), row["first"], row["last"]) for row in found if row["n"]}


def _owner(engine: Engine, name: int | str) -> int | str:
    """Whom an identifier belongs to; itself where nothing is said about it."""
    if not has(engine, "aliases"):
        return name
    aliases = table(engine, "aliases")
    seen = [name]
    for _ in range(_LONGEST_CHAIN):
        if aliases.alias_id.type().is_string() != isinstance(name, str):
            break
        said = aliases.filter(aliases.alias_id == name)
        first = said.order_by(said.ts.isnull(), said.ts).limit(1).select("customer_id")
        found = [row["customer_id"] for row in fetch(engine, first)]
        if not found or found[0] is None or found[0] in seen:
            break
        name = found[0]
        seen.append(name)
    return name
