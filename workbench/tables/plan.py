"""What to read from a file: a mapping, checked against the file and the standard tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.errors import DataError, check_choice
from workbench.locale import say
from workbench.tables.convert import CellType, Field
from workbench.tables.money import currency_code
from workbench.tables.options import OPTIONS, Exclusion, base_currency, exclusion, scales
from workbench.tables.order_lines import LINE_COLUMNS
from workbench.tables.report import NO_VALUE
from workbench.tables.schema import TABLES, Column, Grain, Table, standard
from workbench.tables.sources import Source

_UNIT = ("customer_id", "variant", "ts", "assignment")
MOMENTS: tuple[tuple[str, ...], ...] = (
    ("successes",),
    ("sum", "sum_of_squares"),
    ("mean", "variance"),
    ("mean", "standard_deviation"),
)
"""What a summary may say of a metric beside the number of customers, best first."""

_VALUES = ("assignment", "currency", "instrument", "trigger", "scale_min", "scale_max", "network", "purpose")
_VALUES_OF = {"spend": "channel", "events": "name", "subscriptions": "action"}
"""Columns, of any table and of one, that may be given as the value of every row: what names no column of the
file is the value itself."""


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
        items: Those of the fields whose cells become rows of their own: the questions of a survey, the
            currencies of a table of rates.
        scale: Item → its least and greatest score; the item `""` stands for all of about ten points.
        inverse: A rate is how much of its currency was given for one unit of this one (an ISO code, or
            `""` for the project's); None when it is what one unit of its currency was worth.
        split: Name → what separates the values in one cell of it.
        exclude: Rows to leave out.
        lines: Rows are lines of orders, not orders.
    """

    table: Table
    grain: Grain
    fields: tuple[Field, ...]
    attributes: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    scale: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    inverse: str | None = None
    split: Mapping[str, str] = field(default_factory=dict)
    exclude: tuple[Exclusion, ...] = ()
    lines: bool = False

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
        found = _unit(wishes)
    elif grain == "summary":
        found = _summary(wishes)
    else:
        found = _event(wishes, table or _table_of(wishes))
    fields, exclude = _exclusions(wishes, mapping.get("exclude") or ())
    return replace(
        found,
        fields=(*found.fields, *fields),
        exclude=exclude,
        split=_split(mapping.get("split") or {}, found),
    )


class _Wishes:
    """A mapping and the file it is about."""

    def __init__(self, source: Source, mapping: Mapping[str, Any], experiment: str | None) -> None:
        self.source = source
        self.mapped_experiment = mapping.get("experience_id") or mapping.get("experiment")
        self.experiment = experiment or self.mapped_experiment or source.name
        self.attributes = _named(mapping.get("attributes") or ())
        self.outcomes = _named(mapping.get("outcomes") or ())
        self.items = _named(mapping.get("items") or ())
        self.scale = mapping.get("scale") or {}
        self.inverse = mapping.get("inverse") or False
        self.columns = {name: column for name, column in mapping.items() if column and name not in OPTIONS}

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
        return self.named(declared, wish) if may_be_text else Field.of(declared, self.column(wish))

    def experience(self, declared: Column) -> Field:
        """The experience: a column of the file, or a name."""
        return self.named(declared, self.experiment)

    def named(self, declared: Column, wish: Any) -> Field:
        """The field of a declared column: a column of the file, or else the value itself."""
        if wish in self.source.columns:
            return Field.of(declared, wish)
        return Field.of(declared, None, str(wish))

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
    if wishes.items:
        return standard("surveys" if "customer_id" in names else "rates")
    able = [
        table
        for table in TABLES.values()
        if names | {"experience_id"} >= set(table.required)
        and (table.attributes or names <= {column.name for column in columns_for(table)})
    ]
    if not able:
        raise DataError(
            "No table has just the columns {columns}; say which table {file} is.",
            columns=", ".join(sorted(names)),
            file=wishes.source.path.name,
        )
    return max(able, key=lambda table: len(names & set(table.names)))


def _event(wishes: _Wishes, table: Table) -> Plan:
    items = _items(wishes, table)
    if table.name == "orders":
        return _orders(wishes, table)
    declared = {column.name: column for column in table.columns}
    further = {name: column for name, column in wishes.columns.items() if name not in declared}
    if not table.attributes:
        wishes.know(table.names, table, of=[*wishes.columns, *wishes.attributes])
    given = ("experience_id", "instrument", *(_GIVEN_BY_ITEMS.get(table.name, ()) if items else ()))
    wishes.need([name for name in table.required if name not in given], table)
    fields = []
    for column in table.columns:
        if column.name == "experience_id" and (column.required or wishes.mapped_experiment):
            fields.append(wishes.experience(column))
        elif column.name == "instrument":
            fields.append(wishes.named(column, wishes.columns.get("instrument", wishes.source.name)))
        elif items and column.name in given:
            continue
        elif column.name in wishes.columns:
            value = column.name in _VALUES or column.name == _VALUES_OF.get(table.name)
            fields.append(wishes.field(column, may_be_text=value))
    attributes = {**further, **wishes.attributes}
    fields += _further(attributes, wishes, taken=table.names)
    return Plan(
        table,
        "event",
        (*fields, *items),
        tuple(attributes),
        items=tuple(item.name for item in items),
        scale=scales(wishes.scale),
        inverse=base_currency(wishes.inverse),
    )


def columns_for(table: Table) -> tuple[Column, ...]:
    """The columns that a mapping for a table may name.

    Beside its own they are for `orders` those of their lines, and those that describe the customer.
    """
    if table.name != "orders":
        return table.columns
    names = {column.name for column in (*table.columns, *LINE_COLUMNS)}
    of_customers = (column for column in standard("customers").columns if column.name not in names)
    return (*table.columns, *LINE_COLUMNS, *of_customers)


def _orders(wishes: _Wishes, table: Table) -> Plan:
    """Orders or, where an article is named, lines of orders; beside them what describes the customer."""
    columns = columns_for(table)
    names = [column.name for column in columns]
    wishes.know(names, table, of=[*wishes.columns, *wishes.attributes])
    lines = any(column.name in wishes.columns for column in LINE_COLUMNS)
    wishes.need((*table.required, "sku") if lines else table.required, table)
    fields = [
        wishes.field(column, may_be_text=column.name in _VALUES)
        for column in columns
        if column.name in wishes.columns
    ]
    if lines:  # what is said of an order need not stand on each of its lines, and not each names an article
        fields = [replace(made, blank=None) for made in fields]
    of_orders = {column.name for column in (*table.columns, *LINE_COLUMNS)}
    about = tuple(made.name for made in fields if made.name not in of_orders)
    return Plan(table, "event", tuple(fields), about, lines=lines)


def _items(wishes: _Wishes, table: Table) -> list[Field]:
    """The fields whose cells become rows."""
    if not wishes.items:
        return []
    if table.name not in _GIVEN_BY_ITEMS:
        raise DataError(
            "Only the tables surveys and rates have items; leave them out for the table {table}.",
            table=table.name,
        )
    if table.name == "surveys":
        return _further(wishes.items, wishes, taken=table.names)
    if unknown := [name for name in wishes.items if currency_code(name) is None]:
        raise DataError(
            "“{name}” is no currency; call this column of {file} by an ISO code such as USD.",
            name=unknown[0],
            file=wishes.source.path.name,
        )
    return [Field(name, "float64", wishes.column(column)) for name, column in wishes.items.items()]


_GIVEN_BY_ITEMS = {"surveys": ("item", "score", "text"), "rates": ("currency", "rate")}
"""What items fill, so that no columns are needed for it."""


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


def _split(wish: Mapping[str, str], found: Plan) -> dict[str, str]:
    texts = [made.name for made in found.fields if made.type == "string" and not made.allowed]
    for name in wish:
        check_choice(name, texts, say("column of text to split"))
    return dict(wish)


def _exclusions(
    wishes: _Wishes, rules: Sequence[Mapping[str, Any]]
) -> tuple[tuple[Field, ...], tuple[Exclusion, ...]]:
    """The fields that rules of what to leave out look at, and the rules."""
    fields = {}
    for rule in rules:
        column = wishes.column(str(rule.get("column")))
        fields[column] = Field(f"exclude: {column}", "string", column)
    return tuple(fields.values()), tuple(exclusion(rule, fields[rule["column"]].name) for rule in rules)
