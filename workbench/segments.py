"""Segments: rules over what is known of a customer, compiled to Ibis.

A rule is written like a condition in Python:

    country == "ES" and orders_12m >= 3
    device in ["mobile", "tablet"] or revenue > 200
    source is None or not (days_since_last_order < 90)

Names are columns of `customers`, or taken from the order history:

    orders, orders_12m, orders_30d, orders_8w     how many, ever or in the last months, days, weeks
    revenue, revenue_12m, …                       their revenue less refunds
    average_order_value                           revenue by order
    days_since_first_order, days_since_last_order empty for somebody without orders

History is what had happened *before* a moment that is given for each customer: the first exposure in an
experiment, so that a segment is never an outcome of what is being tested; the end of the data otherwise.
A comparison with something unknown is not true; `is None` finds it.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import ibis

from workbench.clock import DAY
from workbench.engines import Engine, fetch, has, table, whole_seconds
from workbench.errors import DataError, RuleError
from workbench.locale import Message, say

REST = "(rest)"
NOT_KNOWN = "(unknown)"
_DAYS = {"d": 1.0, "w": 7.0, "m": 30.4375, "y": 365.25}
_WINDOWED = re.compile(r"(orders|revenue)(?:_(\d{1,4})([dwmy]))?")
_PLAIN = ("average_order_value", "days_since_first_order", "days_since_last_order")
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def history_columns() -> list[str]:
    """The names a rule may take from the order history, windows as examples."""
    return ["orders", "orders_12m", "orders_90d", "revenue", "revenue_12m", *_PLAIN]


def is_history(name: str) -> bool:
    """Whether a rule takes this name from the order history."""
    return name in _PLAIN or _WINDOWED.fullmatch(name) is not None


def parse(name: str, rule: str) -> ast.expr:
    """The rule's syntax tree.

    Raises:
        RuleError: when it does not parse, with the place.
    """
    try:
        return ast.parse(rule.strip(), mode="eval").body
    except SyntaxError as error:
        raise RuleError(
            "The rule of segment “{name}” does not parse at character {place}: {rule} — write it like "
            "country == 'ES' and orders_12m >= 3.",
            name=name,
            place=error.offset or 1,
            rule=rule.strip(),
        ) from error
    except ValueError as error:
        raise RuleError(
            "The rule of segment “{name}” holds a character that cannot be read.", name=name
        ) from error


def names_in(tree: ast.expr) -> set[str]:
    """The columns a parsed rule asks for."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def check_rule(engine: Engine, name: str, rule: str) -> None:
    """Make sure that a rule can be compiled.

    Raises:
        RuleError: when it does not parse, names an unknown column, or compares what cannot be compared.
    """
    if not name.strip() or name != name.strip():
        raise RuleError("A segment needs a name without spaces around it.")
    customers = table(engine, "customers")
    if name in customers.columns:
        raise RuleError("“{name}” is a column of customers; give the segment another name.", name=name)
    members(engine, {name: rule}, _everybody(engine, as_of=0))


def members(engine: Engine, rules: Mapping[str, str], people: Any) -> Any:
    """`people` with one boolean column for each rule.

    Args:
        engine: Where `customers` and `orders` are.
        rules: Rule by name.
        people: Expression with `customer_id` and `as_of` (int64 seconds since 1970), one row each.

    Returns:
        Expression with the columns of `people` and one boolean column a rule, never null.
    """
    trees = {name: parse(name, rule) for name, rule in rules.items()}
    wanted = sorted(set().union(*(names_in(tree) for tree in trees.values())) if trees else set())
    customers = table(engine, "customers")
    attributes = [name for name in wanted if name in customers.columns]
    history = [name for name in wanted if name not in attributes and is_history(name)]
    unknown = [name for name in wanted if name not in attributes and name not in history]
    if unknown:
        for name, tree in trees.items():
            if unknown[0] in names_in(tree):
                raise RuleError(
                    "The rule of segment “{name}” names “{column}”, which is not there; there are: {known}.",
                    name=name,
                    column=unknown[0],
                    known=", ".join(
                        [*(c for c in customers.columns if c != "customer_id"), *history_columns()]
                    ),
                )
    described = people
    extra = [column for column in attributes if column not in people.columns]
    if extra:
        described = described.left_join(customers.select("customer_id", *extra), "customer_id")
        described = described.drop("customer_id_right")
    if history:
        described = described.left_join(_history(engine, people, history), "customer_id")
        described = described.drop("customer_id_right")
        described = described.mutate(
            **{name: described[name].fill_null(0) for name in history if _WINDOWED.fullmatch(name)}
        )
    flags = {name: _compile(name, tree, described) for name, tree in trees.items()}
    return described.select(*people.columns, **flags)


def assign(engine: Engine, rules: Mapping[str, str], people: Any) -> Any:
    """`people` with a column `segment`: the first rule, in their order, that is true, else “(rest)”."""
    flagged = members(engine, rules, people)
    cases = [(flagged[name], ibis.literal(name)) for name in rules]
    return flagged.select(*people.columns, segment=ibis.cases(*cases, else_=REST))


def sizes(engine: Engine, rules: Mapping[str, str], as_of: int) -> dict[str, tuple[int, int]]:
    """For each rule how many customers it holds at `as_of`, and how many there are."""
    flagged = members(engine, rules, _everybody(engine, as_of))
    counts = {name: flagged[name].ifelse(1, 0).sum() for name in rules}
    row = fetch(engine, flagged.aggregate(everybody_=flagged.count(), **counts))[0]
    return {name: (int(row[name] or 0), int(row["everybody_"])) for name in rules}


def _everybody(engine: Engine, as_of: int) -> Any:
    customers = table(engine, "customers")
    return customers.select("customer_id", as_of=ibis.literal(as_of, "int64"))


def _history(engine: Engine, people: Any, names: list[str]) -> Any:
    if not has(engine, "orders"):
        raise DataError(
            "The rule asks for “{column}”, but this project has no orders yet; load a file with them first.",
            column=names[0],
        )
    orders = table(engine, "orders")
    money = net_revenue(orders)
    joined = people.select("customer_id", "as_of").inner_join(
        orders.select(
            "customer_id",
            money_=money,
            at_=whole_seconds(orders.ts),
            placed_=ibis.ifelse(is_credit(orders), 0, 1).cast("float64"),
        ),
        "customer_id",
    )
    past = joined.filter(joined.at_ < joined.as_of)
    columns: dict[str, Any] = {}
    for name in names:
        found = _WINDOWED.fullmatch(name)
        if found:
            inside = past.at_.notnull()
            if found[2]:
                window = int(int(found[2]) * _DAYS[found[3]] * DAY)
                inside = past.at_ >= past.as_of - window
            counted = past.placed_ if found[1] == "orders" else past.money_
            columns[name] = ibis.ifelse(inside, counted, zero()).sum()
        elif name == "average_order_value":
            columns[name] = past.money_.sum() / past.placed_.sum().nullif(0)
        else:
            placed = past.placed_ > 0
            first = name == "days_since_first_order"
            edge = past.at_.min(where=placed) if first else past.at_.max(where=placed)
            columns[name] = (past.as_of.max() - edge).cast("float64") / float(DAY)
    return past.group_by("customer_id").aggregate(**columns)


def net_revenue(orders: Any) -> Any:
    """Revenue of an order less what was given back, as float64; unknown amounts count as nothing."""
    revenue = ibis.coalesce(orders.revenue.cast("float64"), zero())
    if "refund" in orders.columns:
        revenue = revenue - ibis.coalesce(orders.refund.cast("float64"), zero())
    return revenue


def is_credit(orders: Any) -> Any:
    """Whether a row gives money back rather than takes it: it is no purchase."""
    return ibis.coalesce(orders.revenue.cast("float64"), zero()) < zero()


def zero() -> Any:
    """A true DOUBLE nought; a bare 0.0 is NUMERIC on PostgreSQL and Spark."""
    return ibis.literal(0, "int8").cast("float64")


def label(column: Any) -> Any:
    """A column as the name of a group: text, null where it is unknown.

    Whole numbers have no decimals; a plain cast writes 2.0 as “2.0” on DuckDB and Spark, “2” on PostgreSQL.
    """
    if not column.type().is_floating():
        return column.cast("string")
    whole = (column == column.floor()) & (column.abs() < 1e15)  # which no number that is not one is either
    return ibis.ifelse(whole, column.floor().cast("int64").cast("string"), column.cast("string"))


def _compile(name: str, tree: ast.expr, rows: Any) -> Any:
    def refuse(node: ast.AST) -> RuleError:
        return RuleError(
            "The rule of segment “{name}” holds “{part}”, which a rule cannot use; it may compare columns "
            "with values, and join that with and, or, not, in, is None.",
            name=name,
            part=ast.unparse(node),
        )

    def value(node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            return rows[node.id]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = value(node.operand)
            if isinstance(inner, int | float):
                return -inner
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | bool):
            return node.value
        raise refuse(node)

    def compare(left: ast.expr, op: ast.cmpop, right: ast.expr) -> Any:
        if isinstance(op, ast.Is | ast.IsNot):
            if not (isinstance(right, ast.Constant) and right.value is None):
                raise refuse(right)
            missing = _column(value(left)).isnull()
            return missing if isinstance(op, ast.Is) else ~missing
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.List | ast.Tuple | ast.Set) or not right.elts:
                raise refuse(right)
            members_ = [value(item) for item in right.elts]
            for member in members_:
                _same_kind(name, left, value(left), member)
            found = ibis.coalesce(_column(value(left)).isin(members_), False)
            return found if isinstance(op, ast.In) else ~found & _column(value(left)).notnull()
        if type(op) not in _COMPARE:
            raise refuse(left)
        one, other = value(left), value(right)
        _same_kind(name, left, one, other)
        return ibis.coalesce(_COMPARE[type(op)](_column(one), other), False)

    def condition(node: ast.expr) -> Any:
        if isinstance(node, ast.BoolOp):
            parts = [condition(part) for part in node.values]
            joined = parts[0]
            for part in parts[1:]:
                joined = joined & part if isinstance(node.op, ast.And) else joined | part
            return joined
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~condition(node.operand)
        if isinstance(node, ast.Compare):
            left, result = node.left, None
            for op, right in zip(node.ops, node.comparators, strict=True):
                step = compare(left, op, right)
                result = step if result is None else result & step
                left = right
            return result
        if isinstance(node, ast.Name) and rows[node.id].type().is_boolean():
            return ibis.coalesce(rows[node.id], False)
        raise refuse(node)

    return condition(tree)


def _column(value: Any) -> Any:
    return value if isinstance(value, ibis.Expr) else ibis.literal(value)


def _same_kind(name: str, node: ast.expr, left: Any, right: Any) -> None:
    """Refuse `country > 3` and `orders == "three"` before an engine does, in its own words."""

    def kind(value: Any) -> Message:
        type_ = _column(value).type()
        if type_.is_boolean():
            return say("yes or no")
        return (
            say("a number") if type_.is_numeric() else say("a time") if type_.is_temporal() else say("text")
        )

    kinds = kind(left), kind(right)
    if kinds[0] == kinds[1] or {str(part) for part in kinds} == {"a time", "text"}:
        return
    raise RuleError(
        "The rule of segment “{name}” compares “{column}”, which is {left}, with {right}.",
        name=name,
        column=ast.unparse(node),
        left=kinds[0],
        right=kinds[1],
    )
