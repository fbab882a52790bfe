"""Proposing what a file holds: the grain, the table, and which column is which.

A proposal only. It looks at the names of the columns, in English and Spanish, and at whether their cells look
like what the name promises.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.tables.evidence import Evidence, look_at
from workbench.tables.names import ATTRIBUTE_WORDS, NAMES, OUTCOME_WORDS, TABLE_NAMES
from workbench.tables.schema import TABLES, Column, Grain, Table

_UNIT_COLUMNS = ("customer_id", "variant", "experience_id", "ts", "assignment")
_NEARLY_ALL = 0.9
_SIGNALS = {"orders": ("order_id", "revenue"), "churn": ("ts",)}
"""Tables that are only proposed when one of these was found by name, beyond what they require."""


@dataclass(frozen=True)
class Proposal:
    """What a file seems to hold.

    Attributes:
        table: The standard table, or the main one of the grain.
        grain: `event`, `unit` or `summary`.
        mapping: As `read_tables` takes it.
        missing: Required columns that were not found.
    """

    table: str
    grain: Grain
    mapping: Mapping[str, Any]
    missing: tuple[str, ...] = ()


class Sample:
    """The first rows of a file and what its columns look like."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows
        self.evidence = look_at(rows)

    def numeric(self, column: str) -> bool:
        """Most cells are numbers, and none has leading zeros."""
        evidence = self.evidence[column]
        return evidence.mostly(evidence.numbers) and not evidence.padded

    def suits(self, column: str, declared: Column) -> bool:
        """Whether the cells look like what the standard column holds; an empty column may be anything."""
        evidence = self.evidence[column]
        if not evidence.filled:
            return not declared.required
        if declared.allowed:
            words = pc.utf8_lower(pc.utf8_trim_whitespace(self.rows[column].cast(pa.string())))
            known = pc.sum(pc.is_in(words, pa.array(declared.allowed))).as_py() or 0
            return evidence.mostly(known)
        counts = {
            "timestamp": evidence.times,
            "float64": evidence.numbers,
            "int64": evidence.numbers,
            "bool": evidence.yes_no,
        }
        return evidence.mostly(counts.get(declared.type, evidence.filled))

    def mostly_distinct(self, column: str) -> bool:
        """Whether nearly every row has another value."""
        return pc.count_distinct(self.rows[column]).as_py() >= _NEARLY_ALL * self.rows.num_rows


def words(name: str) -> tuple[str, ...]:
    """A column's name as plain words, without accents, case and filling words.

    >>> words("idCliente"), words("Fecha de creación")
    (('id', 'cliente'), ('fecha', 'creacion'))
    """
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    plain = unicodedata.normalize("NFKD", split).encode("ascii", "ignore").decode().lower()
    return tuple(word for word in re.findall(r"[a-z0-9]+", plain) if word not in ("de", "del", "la", "the", "of"))


def same_name(name: str, known: str) -> bool:
    """Whether two names are the same words, in any order or written together."""
    mine, theirs = words(name), words(known)
    return sorted(mine) == sorted(theirs) or "".join(mine) == "".join(theirs)


def propose(rows: pa.Table, table: Table | None = None, grain: Grain | None = None) -> Proposal | None:
    """What a file seems to hold; None when no table fits.

    Args:
        rows: Its first rows.
        table: The table, where it is known.
        grain: The grain, where it is known.
    """
    sample = Sample(rows)
    if grain in (None, "summary") and table is None or grain == "summary":
        summary = _summary(sample)
        if summary and (grain == "summary" or not summary.missing):
            return summary
    if grain in (None, "unit") and table is None or grain == "unit":
        unit = _unit(sample)
        if grain == "unit" or (unit and _is_unit(sample, unit)):
            return unit
    return _event(sample, [table] if table else _EVENT_TABLES, known=table is not None)


_EVENT_TABLES = [table for name, table in TABLES.items() if name not in ("outcomes", "summaries")]
