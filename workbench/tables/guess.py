"""Proposing what a file holds: the grain, the table, and which column is which.

A proposal only. It looks at the names of the columns, in English and Spanish, and at whether their cells look
like what the name promises.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.tables.evidence import look_at
from workbench.tables.names import ATTRIBUTE_WORDS, NAMES, OUTCOME_WORDS, TABLE_NAMES
from workbench.tables.plan import MOMENTS
from workbench.tables.schema import TABLES, Column, Grain, Table

_NEARLY_ALL = 0.9
_MOST_VARIANTS = 50
_SIGNALS = {"orders": ("order_id", "revenue")}
"""A table is only proposed when one of these columns is there, beyond what it requires."""
_MADE = ("outcomes", "summaries")
"""Tables that are made from the other grains, never read as they are."""


@dataclass(frozen=True)
class Proposal:
    """What a file seems to hold.

    Attributes:
        table: The standard table, or the main one of the grain.
        grain: `event`, `unit` or `summary`.
        mapping: As `read_tables` takes it.
        missing: Required columns that were not found.
        score: How much of the table was found; compares proposals of the event grain.
    """

    table: str
    grain: Grain
    mapping: Mapping[str, Any]
    missing: tuple[str, ...] = ()
    score: float = 0.0


class Sample:
    """The first rows of a file, and what its columns look like."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows
        self.columns = tuple(rows.column_names)
        self.evidence = look_at(rows)

    def find(self, name: str, table: str = "", taken: Iterable[str] = ()) -> str | None:
        """The file's column that is called as `name` may be called, and looks like it."""
        known = TABLE_NAMES.get(table, {}).get(name) or NAMES[name]
        free = [column for column in self.columns if column not in taken]
        for alias in (name, *known):
            for column in free:
                if same_name(column, alias) and self._suits(column, name, table):
                    return column
        return None

    def measures(self, column: str) -> bool:
        """Whether the cells are numbers that are no identifiers, or yes and no."""
        evidence = self.evidence[column]
        return (evidence.mostly(evidence.numbers) and not evidence.padded) or evidence.mostly(evidence.yes_no)

    def one_row_each(self, column: str) -> bool:
        """Whether nearly every row has another value in that column."""
        return self._distinct(column) >= _NEARLY_ALL * self.rows.num_rows

    def _distinct(self, column: str) -> int:
        return int(pc.count_distinct(self.rows[column]).as_py())

    def _suits(self, column: str, name: str, table: str) -> bool:
        evidence = self.evidence[column]
        declared = TABLES[table].column(name) if table in TABLES else _SUMMARY.get(name)
        if name == "variant" and self._distinct(column) > _MOST_VARIANTS:
            return False
        if declared is None:
            return True
        if not evidence.filled:
            return not declared.required
        if declared.allowed:
            text = pc.utf8_lower(pc.utf8_trim_whitespace(self.rows[column].cast(pa.string())))
            known = pc.sum(pc.is_in(text, pa.array(declared.allowed))).as_py()
            return evidence.mostly(known or 0)
        counts = {
            "timestamp": evidence.times,
            "float64": evidence.numbers,
            "int64": evidence.whole,
            "bool": evidence.yes_no,
        }
        return evidence.mostly(counts.get(declared.type, evidence.filled))


_SUMMARY = {
    column.name: column
    for column in (
        Column("n", "int64", required=True),
        Column("successes", "int64", required=True),
        *(
            Column(name, "float64", required=True)
            for name in ("sum", "sum_of_squares", "mean", "variance", "standard_deviation")
        ),
        Column("ts", "timestamp", required=True),
    )
}
"""What the columns of a summary, and the time of a unit file, have to look like."""


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """A column's name as plain words, without accents, case and filling words.

    >>> words("idCliente"), words("Fecha de creación")
    (('id', 'cliente'), ('fecha', 'creacion'))
    """
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    plain = unicodedata.normalize("NFKD", split).encode("ascii", "ignore").decode().lower()
    return tuple(
        word for word in re.findall(r"[a-z0-9]+", plain) if word not in ("de", "del", "la", "the", "of")
    )


def same_name(name: str, known: str) -> bool:
    """Whether two names are the same words, in any order or written together."""
    mine, theirs = words(name), words(known)
    return sorted(mine) == sorted(theirs) or "".join(mine) == "".join(theirs)


def plain_name(column: str) -> str:
    """A column's name as an identifier.

    >>> plain_name("Gasto (€)")
    'gasto'
    """
    return "_".join(words(column)) or column


def propose(rows: pa.Table, table: Table | None = None, grain: Grain | None = None) -> Proposal | None:
    """What a file seems to hold; None when nothing fits.

    Args:
        rows: Its first rows.
        table: The standard table, where it is known.
        grain: The grain, where it is known.
    """
    sample = Sample(rows)
    if grain == "summary":
        return _summary(sample)
    if grain == "unit":
        return _unit(sample)
    if table is not None:
        return _event(sample, table)
    fitting = [
        found
        for candidate in TABLES.values()
        if candidate.name not in _MADE and _fits(sample, found := _event(sample, candidate))
    ]
    if grain is None:
        summary, unit = _summary(sample), _unit(sample)
        if not summary.missing and "customer_id" not in unit.mapping:
            return summary
        if not unit.missing and _is_unit(sample, unit, fitting):
            return unit
    return max(fitting, key=lambda found: found.score, default=None)


def _event(sample: Sample, table: Table) -> Proposal:
    mapping: dict[str, Any] = {}
    for column in sorted(table.columns, key=lambda column: not column.required):
        if found := sample.find(column.name, table.name, mapping.values()):
            mapping[column.name] = found
    missing = tuple(name for name in table.required if name not in mapping and name != "experience_id")
    required = sum(name in mapping for name in table.required)
    further = [column for column in sample.columns if column not in mapping.values()]
    score = required + len(mapping) - (0.0 if table.attributes else 0.25 * len(further))
    mapping = {name: mapping[name] for name in table.names if name in mapping}
    if table.attributes and further:
        mapping["attributes"] = _free_names(further, table.names)
    return Proposal(table.name, "event", mapping, missing, score)


def _free_names(columns: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Name → column: its own name, numbered where it is taken; capitals make no difference."""
    seen = {name.lower() for name in taken}
    named = {}
    for column in columns:
        name, count = column, 1
        while name.lower() in seen:
            count += 1
            name = f"{column} {count}"
        seen.add(name.lower())
        named[name] = column
    return named


def _fits(sample: Sample, found: Proposal) -> bool:
    """Whether a table may be proposed: customers only where each has one row."""
    signals = _SIGNALS.get(found.table, ())
    if found.missing or (signals and not any(name in found.mapping for name in signals)):
        return False
    return found.table != "customers" or sample.one_row_each(found.mapping["customer_id"])


def _unit(sample: Sample) -> Proposal:
    mapping: dict[str, Any] = {}
    for name in ("customer_id", "variant", "experience_id", "ts"):
        if found := sample.find(name, taken=mapping.values()):
            mapping[_AS_MAPPED.get(name, name)] = found
    customers = TABLES["customers"]
    attributes: dict[str, str] = {}
    outcomes: dict[str, str] = {}
    further: list[str] = []
    taken = set(mapping.values())
    for column in customers.columns[1:]:
        if found := sample.find(column.name, customers.name, taken):
            attributes[column.name] = found
            taken.add(found)
    for column in sample.columns:
        if column in taken:
            continue
        said = set(words(column))
        if sample.measures(column) and (said & OUTCOME_WORDS or not said & ATTRIBUTE_WORDS):
            outcomes[_outcome_name(column, outcomes)] = column
        else:
            further.append(column)
    taken_names = [*customers.names, *TABLES["exposures"].names, *outcomes]
    attributes |= _free_names(further, taken_names)
    if outcomes:
        mapping["outcomes"] = outcomes
    if attributes:
        mapping["attributes"] = attributes
    missing = tuple(name for name in ("customer_id", "variant", "outcomes") if name not in mapping)
    return Proposal("exposures", "unit", mapping, missing)


_AS_MAPPED = {"experience_id": "experiment"}


def _is_unit(sample: Sample, unit: Proposal, others: Sequence[Proposal]) -> bool:
    """Whether rows stand for customers: they have no time, or one row each that is no order and no event."""
    if "ts" not in unit.mapping:
        return True
    one_each = sample.one_row_each(unit.mapping["customer_id"])
    return one_each and not any(
        other.table == "events" or (other.table == "orders" and "order_id" in other.mapping)
        for other in others
    )


def _outcome_name(column: str, taken: Container[str]) -> str:
    for name in ("conversion", "revenue"):
        if name not in taken and any(same_name(column, alias) for alias in NAMES[name]):
            return name
    return plain_name(column)


def _summary(sample: Sample) -> Proposal:
    mapping: dict[str, Any] = {}
    for name in ("variant", "experience_id", "metric", "n"):
        if found := sample.find(name, taken=mapping.values()):
            mapping[_AS_MAPPED.get(name, name)] = found
    moments = _moments(sample, mapping.values())
    mapping.update(moments)
    if "metric" not in mapping and moments:
        first, column = next(iter(moments.items()))
        mapping["metric"] = "conversion" if first == "successes" else _metric_name(column)
    rest = [column for column in sample.columns if column not in mapping.values()]
    attributes = [column for column in rest if not sample.measures(column)]
    if attributes:
        mapping["attributes"] = _free_names(attributes, [*TABLES["summaries"].names, *moments])
    missing = [name for name in ("variant", "n") if name not in mapping]
    return Proposal("summaries", "summary", mapping, (*missing, *([] if moments else ["successes"])))


def _moments(sample: Sample, taken: Iterable[str]) -> dict[str, str]:
    """The columns that say most of the metric; none when they are not complete."""
    for moments in MOMENTS:
        found: dict[str, str] = {}
        for name in moments:
            if column := sample.find(name, taken=[*taken, *found.values()]):
                found[name] = column
        if len(found) == len(moments):
            return found
    return {}


def _metric_name(column: str) -> str:
    """The metric whose sum or mean the column holds: `revenue` for anything that sounds like money."""
    said = set(words(column))
    money = {word for alias in NAMES["revenue"] for word in words(alias)} - {"total", "value", "valor"}
    return "revenue" if said & (money | {"arpu"}) else plain_name(column)
