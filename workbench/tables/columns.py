"""The columns of a file: what they are called, and what their cells look like."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from workbench.tables.evidence import look_at
from workbench.tables.money import currency_code
from workbench.tables.names import NAMES, TABLE_NAMES
from workbench.tables.order_lines import LINE_COLUMNS
from workbench.tables.schema import TABLES, Column

_NEARLY_ALL = 0.9
_MOST_VARIANTS = 50


class Columns:
    """What the columns of a file are called and look like, by its first rows."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows
        self.names = tuple(rows.column_names)
        self.evidence = look_at(rows)

    def find(self, name: str, table: str = "", taken: Iterable[str] = ()) -> str | None:
        """The file's column that is called as `name` may be called, and looks like it."""
        known = TABLE_NAMES.get(table, {}).get(name) or NAMES[name]
        free = [column for column in self.names if column not in taken]
        for alias in (name, *known):
            for column in free:
                if same_name(column, alias) and self._suits(column, name, table):
                    return column
        return None

    def measures(self, column: str, *, blank: bool = False) -> bool:
        """Whether the cells are numbers that are no identifiers, or yes and no; or, with `blank`, empty."""
        evidence = self.evidence[column]
        if not evidence.filled:
            return blank
        return (evidence.mostly(evidence.numbers) and not evidence.padded) or evidence.mostly(evidence.yes_no)

    def one_row_each(self, column: str, share: float = _NEARLY_ALL) -> bool:
        """Whether nearly every row has another value in that column."""
        return self._distinct(column) >= share * self.rows.num_rows

    def middle(self, column: str) -> float | None:
        """The median of its numbers, written with a point or a comma."""
        texts = [str(text).strip().replace(",", ".") for text in self.rows[column].to_pylist() if text]
        numbers = sorted(float(text) for text in texts if re.fullmatch(r"\d+(\.\d+)?", text))
        return numbers[len(numbers) // 2] if numbers else None

    def _distinct(self, column: str) -> int:
        return int(pc.count_distinct(self.rows[column]).as_py())

    def _suits(self, column: str, name: str, table: str) -> bool:
        evidence = self.evidence[column]
        declared = (TABLES[table].column(name) if table in TABLES else None) or _UNDECLARED.get(name)
        if name == "variant" and self._distinct(column) > _MOST_VARIANTS:
            return False
        if name == "currency" and evidence.filled:
            known = [currency_code(text) for text in pc.unique(self.rows[column]).to_pylist() if text]
            return any(known)
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


_UNDECLARED = {
    column.name: column
    for column in (
        *(Column(name, "int64", required=True) for name in ("n", "successes")),
        *(
            Column(name, "float64", required=True)
            for name in ("sum", "sum_of_squares", "mean", "variance", "standard_deviation")
        ),
        Column("ts", "timestamp", required=True),
        *(replace(column, required=column.name == "sku") for column in LINE_COLUMNS),
    )
}
"""What the columns of a summary, the time of a unit file and the lines of orders have to look like."""


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
    """Whether two names are the same words, in any order or written together.

    What the first says in parentheses makes no difference, nor what follows a slash.

    >>> same_name("Created (UTC)", "created"), same_name("Country/Region", "country")
    (True, True)
    """
    theirs = words(known)
    return any(
        sorted(mine) == sorted(theirs) or "".join(mine) == "".join(theirs)
        for mine in map(words, _forms(name))
    )


@lru_cache(maxsize=4096)
def _forms(name: str) -> tuple[str, ...]:
    """A name, the name without what it says in parentheses, and the first of two that share a column.

    Odoo writes `Order Lines/Product` for the product of a line: there the last is meant.
    """
    plain = re.sub(r"\s*[(\[].*?[)\]]", "", name)
    parts = plain.split("/")
    part = parts[-1] if {"lines", "lineas"} & set(words(parts[0])) else parts[0]
    return tuple(form for form in dict.fromkeys((name, plain, part)) if form.strip())


def plain_name(column: str) -> str:
    """A column's name as an identifier.

    >>> plain_name("Gasto (€)")
    'gasto'
    """
    return "_".join(words(column)) or column
