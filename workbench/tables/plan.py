"""What to read from a file: a mapping, checked against the file and the standard tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import DataError
from workbench.tables.convert import CellType, Field
from workbench.tables.read import Source
from workbench.tables.report import NO_VALUE
from workbench.tables.schema import TABLES, Column, Grain, Table, standard

_UNIT = ("customer_id", "variant", "ts", "assignment")
MOMENTS: tuple[tuple[str, ...], ...] = (
    ("successes",),
    ("sum", "sum_of_squares"),
    ("mean", "variance"),
    ("mean", "standard_deviation"),
)
"""What a summary may say of a metric beside the number of customers, best first."""


@dataclass(frozen=True)
class Plan:
    """What to read from a file.

    Attributes:
        table: The standard table, or the main one of the grain.
        grain: `event`, `unit` or `summary`.
        fields: The columns to make.
        attributes: Those of them that are further attributes, read as text at first.
        outcomes: Those of them that are outcomes of the unit grain.
        moments: What the summary grain says of its metric; one of `MOMENTS`.
    """

    table: Table
    grain: Grain
    fields: tuple[Field, ...]
    attributes: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, str]:
        """Standard name → column of the file."""
        return {field.name: field.column for field in self.fields if field.column is not None}


def grain_of(mapping: Mapping[str, Any], table: str | None) -> Grain:
    """The grain that a mapping is of."""
    if table == "outcomes" or "outcomes" in mapping:
        return "unit"
    if table == "summaries" or ("n" in mapping and "customer_id" not in mapping):
        return "summary"
    return "event"


def plan(
    source: Source,
    mapping: Mapping[str, Any],
    *,
    grain: Grain,
    table: Table | None = None,
    experiment: str | None = None,
) -> Plan:
    """Check a mapping and turn it into the columns to make.

    Args:
        source: The file.
        mapping: See `load.read_tables`.
        grain: The grain.
        table: The table of the event grain; found from the names in the mapping when None.
        experiment: The experience, or the column that holds it; goes before what the mapping says.

    Raises:
        DataError: when the mapping names a column that is not there, or leaves out one that is needed.
    """
    wishes = _Wishes(source, mapping, experiment)
    if grain == "unit":
        return _unit(wishes)
    if grain == "summary":
        return _summary(wishes)
    return _event(wishes, table or _table_of(wishes))


class _Wishes:
    """A mapping and the file it is about."""

    def __init__(self, source: Source, mapping: Mapping[str, Any], experiment: str | None) -> None:
        self.source = source
        self.mapped_experiment = mapping.get("experience_id") or mapping.get("experiment")
        self.experiment = experiment or self.mapped_experiment or source.name
        self.attributes = _named(mapping.get("attributes") or ())
        self.outcomes = _named(mapping.get("outcomes") or ())
        single = ("attributes", "outcomes", "experiment", "experience_id")
        self.columns = {name: column for name, column in mapping.items() if column and name not in single}

    def column(self, name: str) -> str:
        """A column of the file, which has to exist."""
        if name not in self.source.columns:
            raise DataError(
                "There is no column “{column}” in {file}; its columns are: {columns}.",
                column=name,
                file=self.source.path.name,
                columns=", ".join(self.source.columns),
            )
        return name

    def field(self, declared: Column, *, may_be_text: bool = False) -> Field:
        """The field of a declared column; `may_be_text` where what is no column is the value itself."""
        wish = self.columns[declared.name]
        if may_be_text and wish not in self.source.columns:
            return Field.of(declared, None, str(wish))
        return Field.of(declared, self.column(wish))

    def experience(self, declared: Column) -> Field:
        """The experience: a column of the file, or a name."""
        if self.experiment in self.source.columns:
            return Field.of(declared, self.experiment)
        return Field.of(declared, None, str(self.experiment))

    def need(self, names: Sequence[str], table: Table) -> None:
        """Refuse a mapping without one of these."""
        if missing := [name for name in names if name not in self.columns]:
            raise DataError(
                "The table {table} needs {missing}, and no column of {file} was named for it;"
                " the file has: {columns}.",
                table=table.name,
                missing=", ".join(missing),
                file=self.source.path.name,
                columns=", ".join(self.source.columns),
            )

    def know(self, names: Sequence[str], table: Table, *, of: Iterable[str] | None = None) -> None:
        """Refuse names in the mapping that are not among these."""
        if unknown := [name for name in (self.columns if of is None else of) if name not in names]:
            raise DataError(
                "There is no column “{column}” in the table {table}; its columns are: {columns}.",
                column=unknown[0],
                table=table.name,
                columns=", ".join(names),
            )


def _named(columns: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    """Name → column of the file; in a list a column keeps its own name."""
    if isinstance(columns, Mapping):
        return dict(columns)
    return {column: column for column in columns}


def _table_of(wishes: _Wishes) -> Table:
    """The table that knows most of the names in the mapping, and needs no more than them."""
    names = {*wishes.columns, *(["experience_id"] if wishes.mapped_experiment else [])}
    able = [
        table
        for table in TABLES.values()
        if names | {"experience_id"} >= set(table.required)
        and (table.attributes or names <= set(table.names))
    ]
    if not able:
        raise DataError(
            "No table has just the columns {columns}; say which table {file} is.",
            columns=", ".join(sorted(names)),
            file=wishes.source.path.name,
        )
    return max(able, key=lambda table: len(names & set(table.names)))


def _event(wishes: _Wishes, table: Table) -> Plan:
    declared = {column.name: column for column in table.columns}
    further = {name: column for name, column in wishes.columns.items() if name not in declared}
    if not table.attributes:
        wishes.know(table.names, table, of=[*wishes.columns, *wishes.attributes])
    wishes.need([name for name in table.required if name != "experience_id"], table)
    fields = []
    for column in table.columns:
        if column.name == "experience_id" and (column.required or wishes.mapped_experiment):
            fields.append(wishes.experience(column))
        elif column.name in wishes.columns:
            fields.append(wishes.field(column, may_be_text=column.name == "assignment"))
    attributes = {**further, **wishes.attributes}
    fields += _further(attributes, wishes, taken=table.names)
    return Plan(table, "event", tuple(fields), tuple(attributes))


def _further(columns: Mapping[str, str], wishes: _Wishes, *, taken: Iterable[str]) -> list[Field]:
    """Fields of further attributes, whose names have to differ from each other and from those taken.

    Capitals do not make a difference: databases do not see it.
    """
    seen = {name.lower() for name in taken}
    fields = []
    for name, column in columns.items():
        if name.lower() in seen:
            raise DataError(
                "The attribute “{name}” has the name of another column; give it another name.", name=name
            )
        seen.add(name.lower())
        fields.append(Field(name, "string", wishes.column(column)))
    return fields


def _unit(wishes: _Wishes) -> Plan:
    table = standard("exposures")
    wishes.know(_UNIT, table)
    wishes.need(("customer_id", "variant"), table)
    fields = [
        wishes.experience(column)
        if column.name == "experience_id"
        else wishes.field(column, may_be_text=column.name == "assignment")
        for column in table.columns
        if column.name == "experience_id" or column.name in wishes.columns
    ]
    customers = standard("customers")
    attributes = dict(wishes.attributes)
    for column in customers.columns:
        if column.name in attributes and column.name != "customer_id":
            fields.append(Field.of(column, wishes.column(attributes.pop(column.name))))
    fields += _further(attributes, wishes, taken=[*customers.names, *table.names])
    taken = {*table.names, *(name.lower() for name in wishes.attributes)}
    for name, column_name in wishes.outcomes.items():
        if name.lower() in taken:
            raise DataError(
                "The outcome “{name}” has the name of another column; give it another name.", name=name
            )
        fields.append(Field(name, "measure", wishes.column(column_name)))
    return Plan(table, "unit", tuple(fields), tuple(wishes.attributes), tuple(wishes.outcomes))


def _summary(wishes: _Wishes) -> Plan:
    table = standard("summaries")
    known = dict.fromkeys(name for moments in MOMENTS for name in moments)
    wishes.know(("variant", "metric", "n", *known), table)
    wishes.need(("variant", "metric", "n"), table)
    moments = next((moments for moments in MOMENTS if all(name in wishes.columns for name in moments)), None)
    if moments is None:
        raise DataError(
            "A summary needs beside n either successes, or sum and sum_of_squares, or mean and variance (or"
            " standard_deviation); {file} has: {columns}.",
            file=wishes.source.path.name,
            columns=", ".join(wishes.source.columns),
        )
    fields = []
    for column in table.columns:
        if column.name == "experience_id":
            fields.append(wishes.experience(column))
        elif column.name in ("variant", "metric", "n"):
            fields.append(wishes.field(column, may_be_text=column.name == "metric"))
    for name in moments:
        kind: CellType = "int64" if name == "successes" else "float64"
        fields.append(Field(name, kind, wishes.column(wishes.columns[name]), blank=NO_VALUE))
    fields += _further(wishes.attributes, wishes, taken=[*table.names, *moments])
    return Plan(table, "summary", tuple(fields), tuple(wishes.attributes), moments=moments)
