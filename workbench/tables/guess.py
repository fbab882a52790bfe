"""Proposing what a file holds: the grain, the table, and which column is which.

A proposal only. It looks at the names of the columns, in English and Spanish, and at whether their cells look
like what the name promises.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from workbench.tables.columns import Columns, plain_name, same_name, words
from workbench.tables.money import currency_code
from workbench.tables.names import ATTRIBUTE_WORDS, NAMES, OUTCOME_WORDS, SURVEY_WORDS
from workbench.tables.plan import MOMENTS
from workbench.tables.rows import ask, taken_once
from workbench.tables.schema import TABLES, Grain, Table

__all__ = ["Proposal", "plain_name", "propose", "same_name", "words"]

_MOSTLY_SINGLE = 0.7
"""The share of rows with an order number of their own from which rows are orders, not lines of orders."""
_NEARLY_AS_GOOD = 1.5
_OWN_KEY = 2.0
_LENT_COSTS = 1.5
_MOST_FOR_FURTHER = 1.0
"""What counts beside each column that is found: that it identifies the rows of just this table, that a
required one is lacking, and columns that the table has no place for."""
_LEAVING = {"unsubscribed", "unsubscribe", "unsub", "optout"}
_SIGNALS = {"surveys": (("score", "text"), ("item", "instrument", "text"))}
"""A table is only proposed when one column of each group is there, beyond what it requires."""
_SAYS = {
    "refunds": "refund refunds refunded devolucion devuelto reembolso abono",
    "churn": "churn churned baja cancelled cancellation cancelacion",
    "aliases": "alias previous old merged anterior",
}
"""A table is only proposed when one of these words is in the name of a column that it takes."""
_LENT = {"spend": ("channel", "campaign"), "events": ("name", "session_id", "page")}
"""Table → a required column that may be lacking, since one value can be said for the whole file, when one of
the others is there."""
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
        alternatives: Tables of the event grain that fit nearly as well; a person should choose.
    """

    table: str
    grain: Grain
    mapping: Mapping[str, Any]
    missing: tuple[str, ...] = ()
    score: float = 0.0
    alternatives: tuple[str, ...] = ()


def propose(rows: pa.Table, table: Table | None = None, grain: Grain | None = None) -> Proposal | None:
    """What a file seems to hold; None when nothing fits.

    Args:
        rows: Its first rows.
        table: The standard table, where it is known.
        grain: The grain, where it is known.
    """
    columns = Columns(rows)
    if grain == "summary":
        return _summary(columns)
    if grain == "unit":
        return _unit(columns)
    special = (_wide_survey(columns), _wide_rates(columns), _order_lines(columns))
    forms = [found for found in special if found is not None]
    if table is not None:
        possible = [_event(columns, table), *(found for found in forms if found.table == table.name)]
        return max(possible, key=lambda found: (not found.missing, found.score))
    fitting = [
        found
        for candidate in TABLES.values()
        if candidate.name not in _MADE and _fits(columns, found := _event(columns, candidate))
    ]
    fitting += forms
    if grain is None:
        summary, unit = _summary(columns), _unit(columns)
        if not summary.missing and "customer_id" not in unit.mapping:
            return summary
        if not unit.missing and _is_unit(columns, unit, fitting):
            return unit
    if not fitting:
        return None
    best = max(fitting, key=lambda found: found.score)
    near = {found.table for found in fitting if found.score > best.score - _NEARLY_AS_GOOD} - {best.table}
    return replace(best, alternatives=tuple(sorted(near)))


def _event(columns: Columns, table: Table) -> Proposal:
    mapping: dict[str, Any] = {}
    for column in sorted(table.columns, key=lambda column: not column.required):
        if found := columns.find(column.name, table.name, mapping.values()):
            mapping[column.name] = found
    if table.name == "subscriptions" and set(words(mapping.get("ts", ""))) & _LEAVING:
        mapping.setdefault("action", "unsubscribe")
    missing = tuple(name for name in table.required if name not in mapping and name not in _FROM_FILE_NAME)
    required = sum(name in mapping for name in table.required)
    further = [column for column in columns.names if column not in mapping.values()]
    penalty = 0.0 if table.attributes else min(_MOST_FOR_FURTHER, 0.25 * len(further))
    own = table.key[0] if table.key and table.key[0] not in table.persons else ""
    named = own.endswith("_id") and own in mapping and words(mapping[own]) not in (("id",), ("uuid",))
    score = required + len(mapping) - penalty + (_OWN_KEY if named else 0.0) - _LENT_COSTS * len(missing)
    mapping = {name: mapping[name] for name in table.names if name in mapping}
    if table.name == "spend" and "cost" in mapping and "currency" not in mapping:
        in_name = re.search(r"\((\w{3}|\W)\)", mapping["cost"])
        if in_name and (code := currency_code(in_name[1])):
            mapping["currency"] = code
    if table.attributes and further:
        of_visits = {}
        if table.name == "events" and (campaign := columns.find("campaign", "events", mapping.values())):
            of_visits["campaign"] = campaign
        others = [column for column in further if column not in of_visits.values()]
        mapping["attributes"] = of_visits | taken_once(others, [*table.names, *of_visits])
    if table.name == "orders":
        mapping |= _places(columns, mapping.values())
    return Proposal(table.name, "event", mapping, missing, score)


def _places(columns: Columns, taken: Iterable[str]) -> dict[str, str]:
    """Where the customer of an order is."""
    found = {name: columns.find(name, "customers", taken) for name in ("country", "region", "city")}
    return {name: column for name, column in found.items() if column is not None}


_OF_LINES = ("order_id", "customer_id", "ts", "currency", "channel", "sku", "category", "quantity", "price")


def _order_lines(columns: Columns) -> Proposal | None:
    """A row a line of an order: somebody buys so many of an article at a price."""
    mapping: dict[str, Any] = {}
    for of_lines in _OF_LINES:
        if found := columns.find(of_lines, "orders", mapping.values()):
            mapping[of_lines] = found
    if not {"customer_id", "ts", "sku"} <= set(mapping) or not {"quantity", "price"} & set(mapping):
        return None
    event = columns.find("name", "events", mapping.values())
    if event is not None and words(event) not in _OF_THINGS:
        return None  # somebody did something with an article, which may have been to buy it
    name = columns.find("sku", "orders", mapping.values())
    if name and columns.evidence[mapping["sku"]].filled < columns.rows.num_rows / 2:
        mapping["sku"] = name  # most articles have a name, not all a number
    amount = columns.find("amount", "orders", mapping.values())
    if same_name(mapping.get("order_id", ""), "amazon order id") and amount is None and "price" in mapping:
        amount = mapping.pop("price")  # Amazon's item price is that of all pieces of the line
    if amount is not None:
        mapping["revenue" if _of_whole_orders(columns, amount, mapping) else "amount"] = amount
    if "order_id" not in mapping and not ("quantity" in mapping and {"price", "amount"} & set(mapping)):
        return None
    further = len(columns.names) - len(mapping)
    score = 3 + len(mapping) - min(_MOST_FOR_FURTHER, 0.25 * further) + _OWN_KEY * ("order_id" in mapping)
    return Proposal("orders", "event", mapping | _places(columns, mapping.values()), (), score)


_OF_THINGS = (("name",), ("nombre",))


def _of_whole_orders(columns: Columns, amount: str, mapping: Mapping[str, str]) -> bool:
    """Whether an amount is that of the order rather than of its line.

    It is when it is the same on all lines of an order or stands on one of them only and, where there are
    prices, is nearer to the sum of the lines than to a line.
    """
    if "order_id" not in mapping:
        return False
    rows = columns.rows
    parts = {"number": mapping["order_id"], "amount": amount}
    parts |= {name: mapping[name] for name in ("price", "quantity") if name in mapping}
    cells = pa.table({name: rows[column].cast(pa.string()) for name, column in parts.items()})
    cells = ask("SELECT nullif(trim(COLUMNS(*)), '') FROM cells", cells=cells).rename_columns(list(parts))
    cells = cells.append_column("row", pa.array(range(rows.num_rows)))

    def value(name: str) -> str:
        return f"TRY_CAST(replace({name}, ',', '.') AS DOUBLE)" if name in parts else "1"

    worth = f"{value('price')} * {value('quantity')}" if "price" in parts else "NULL"
    found = ask(
        f"""
        WITH numbered AS (SELECT * REPLACE (last_value(number IGNORE NULLS) OVER (ORDER BY row) AS number),
                                 {value("amount")} AS paid, {worth} AS worth FROM cells),
             lines AS (SELECT *, count(*) OVER same AS lines, count(DISTINCT amount) OVER same AS amounts,
                              sum(worth) OVER same AS whole
                       FROM numbered WINDOW same AS (PARTITION BY number))
        SELECT count(*) AS several, count(*) FILTER (amounts > 1) AS unlike,
               coalesce(sum(abs(paid - whole)) <= sum(abs(paid - worth)), true) AS nearer
        FROM lines WHERE lines > 1
        """,
        cells=cells,
    ).to_pylist()[0]
    return bool(found["several"] and not found["unlike"] and found["nearer"])


_FROM_FILE_NAME = ("experience_id", "instrument")


def _wide_survey(columns: Columns) -> Proposal | None:
    """A sheet of answers a row: columns that are called as questions are asked, or as what is asked for."""
    mapping: dict[str, Any] = {}
    asks = any(name.endswith("?") and len(words(name)) >= 3 for name in columns.names)
    items = [name for name in columns.names if asks and (name.endswith("?") or len(words(name)) >= 6)]
    about = [name for name in columns.names if set(words(name)) & SURVEY_WORDS and name not in items]
    if not items and len(about) < 2:
        return None
    for name in ("customer_id", "ts"):
        if found := columns.find(name, "surveys", [*items, *mapping.values()]):
            mapping[name] = found
    mapping["items"] = tuple(name for name in columns.names if name in (*items, *about))
    missing = () if "customer_id" in mapping else ("customer_id",)
    return Proposal("surveys", "event", mapping, missing, len(mapping) + 2.0 * len(items) + len(about))


_OFTEN_SMALL = "JPY HUF KRW IDR ISK CLP COP PHP INR CZK THB RUB MXN SEK"
"""Currencies of which one unit of the euro or the dollar has bought several for decades."""


def _wide_rates(columns: Columns) -> Proposal | None:
    """A column a currency, when it is clear whose unit is priced in whose."""
    date = columns.find("date", "rates")
    items = tuple(name for name in columns.names if re.fullmatch("[A-Z]{3}", name) and currency_code(name))
    if date is None or len(items) < 2 or not all(columns.measures(name, blank=True) for name in items):
        return None
    small = [columns.middle(name) for name in items if name in _OFTEN_SMALL.split()]
    several = {value > 1 for value in small if value is not None}
    if len(several) != 1:
        return None
    mapping: dict[str, Any] = {"date": date, "items": items}
    if several == {True}:
        base = next((code for code in ("EUR", "USD") if code not in items), None)
        if base is None:
            return None
        mapping["inverse"] = base
    return Proposal("rates", "event", mapping, (), 2.0 + len(items))


def _fits(columns: Columns, found: Proposal) -> bool:
    """Whether a table may be proposed: what tells it from others is there, and rows repeat as they may."""
    mapping = found.mapping
    lent, *beside = _LENT.get(found.table, ("",))
    if found.missing and not (found.missing == (lent,) and any(name in mapping for name in beside)):
        return False
    if not all(any(name in mapping for name in group) for group in _SIGNALS.get(found.table, ())):
        return False
    said = {word for column in mapping.values() if isinstance(column, str) for word in words(column)}
    if found.table in _SAYS and not said & set(_SAYS[found.table].split()):
        return False
    if found.table == "customers":
        return columns.one_row_each(mapping["customer_id"])
    if found.table == "orders":
        return _are_orders(columns, mapping)
    if found.table == "events" and words(mapping.get("name", "")) in _OF_THINGS:
        return any(name in mapping for name in ("event_id", "session_id", "page", "item"))  # not of a person
    return True


def _are_orders(columns: Columns, mapping: Mapping[str, Any]) -> bool:
    """Whether rows are orders: not lines of orders, which repeat their number, and not refunds."""
    number = mapping.get("order_id")
    if number and not columns.one_row_each(number, _MOSTLY_SINGLE):
        return False
    named = number is not None and any(same_name(number, alias) for alias in NAMES["order_id"])
    return "revenue" in mapping or (named and "refund" not in mapping)


def _unit(columns: Columns) -> Proposal:
    mapping: dict[str, Any] = {}
    for name in ("customer_id", "variant", "experience_id", "ts"):
        if found := columns.find(name, taken=mapping.values()):
            mapping[_AS_MAPPED.get(name, name)] = found
    customers = TABLES["customers"]
    attributes: dict[str, str] = {}
    outcomes: dict[str, str] = {}
    further: list[str] = []
    taken = set(mapping.values())
    for column in customers.columns[1:]:
        if found := columns.find(column.name, customers.name, taken):
            attributes[column.name] = found
            taken.add(found)
    for column in columns.names:
        if column in taken:
            continue
        said = set(words(column))
        if columns.measures(column) and (said & OUTCOME_WORDS or not said & ATTRIBUTE_WORDS):
            outcomes[_outcome_name(column, outcomes)] = column
        else:
            further.append(column)
    taken_names = [*customers.names, *TABLES["exposures"].names, *outcomes]
    attributes |= taken_once(further, taken_names)
    if outcomes:
        mapping["outcomes"] = outcomes
    if attributes:
        mapping["attributes"] = attributes
    missing = tuple(name for name in ("customer_id", "variant", "outcomes") if name not in mapping)
    return Proposal("exposures", "unit", mapping, missing)


_AS_MAPPED = {"experience_id": "experiment"}


def _is_unit(columns: Columns, unit: Proposal, others: Sequence[Proposal]) -> bool:
    """Whether rows stand for customers: they have no time, or one row each that is no order and no event."""
    if "ts" not in unit.mapping:
        return True
    one_each = columns.one_row_each(unit.mapping["customer_id"])
    return one_each and not any(
        (other.table == "events" and not other.missing)
        or (other.table == "orders" and "order_id" in other.mapping)
        for other in others
    )


def _outcome_name(column: str, taken: Container[str]) -> str:
    for name in ("conversion", "revenue"):
        if name not in taken and any(same_name(column, alias) for alias in NAMES[name]):
            return name
    return plain_name(column)


def _summary(columns: Columns) -> Proposal:
    mapping: dict[str, Any] = {}
    for name in ("variant", "experience_id", "metric", "n"):
        if found := columns.find(name, taken=mapping.values()):
            mapping[_AS_MAPPED.get(name, name)] = found
    moments = _moments(columns, mapping.values())
    mapping.update(moments)
    if "metric" not in mapping and moments:
        first, column = next(iter(moments.items()))
        mapping["metric"] = "conversion" if first == "successes" else _metric_name(column)
    rest = [column for column in columns.names if column not in mapping.values()]
    attributes = [column for column in rest if not columns.measures(column)]
    if attributes:
        mapping["attributes"] = taken_once(attributes, [*TABLES["summaries"].names, *moments])
    missing = [name for name in ("variant", "n") if name not in mapping]
    return Proposal("summaries", "summary", mapping, (*missing, *([] if moments else ["successes"])))


def _moments(columns: Columns, taken: Iterable[str]) -> dict[str, str]:
    """The columns that say most of the metric; none when they are not complete."""
    for moments in MOMENTS:
        found: dict[str, str] = {}
        for name in moments:
            if column := columns.find(name, taken=[*taken, *found.values()]):
                found[name] = column
        if len(found) == len(moments):
            return found
    return {}


def _metric_name(column: str) -> str:
    """The metric whose sum or mean the column holds: `revenue` for anything that sounds like money."""
    said = set(words(column))
    money = {word for alias in NAMES["revenue"] for word in words(alias)} - {"total", "value", "valor"}
    return "revenue" if said & (money | {"arpu"}) else plain_name(column)
