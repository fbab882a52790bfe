"""What customers of each group bought, paid, and were shown: sums over customers, as Ibis expressions.

A customer is the unit: orders of one person are not independent, so what is counted per order or per item is
kept as a ratio of two sums over customers, Σ y / Σ x, with the squares and products that its uncertainty
needs. Only sums by group leave the engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import ibis
import numpy as np

from workbench.engines import Engine, table, whole_seconds
from workbench.metrics.cells import ask
from workbench.segments import NOT_KNOWN, is_credit, label, net_revenue, zero

OTHERS: Final = "(others)"
MOST_GROUPS: Final = 12
"""Groups that are told apart: the largest ones, the others are one."""
_BANDS = 5
_FEW_VALUES = 12
"""Numbers with more values than these are cut into bands of about as many people each."""


def grouped(engine: Engine, attribute: str) -> Any:
    """Rows of `customer_id` and `group`, one a customer, never null; numbers of many values in bands."""
    customers = table(engine, "customers")
    column = customers[attribute]
    name = label(column)
    if column.type().is_numeric():
        edges = _edges(engine, customers, column)
        if edges:
            name = _band(column, edges)
    people = customers.select("customer_id", group=ibis.coalesce(name, NOT_KNOWN))
    sizes = ask(engine, people.group_by("group").aggregate(n=people.count())).to_pylist()
    largest = sorted(sizes, key=lambda row: (-row["n"], row["group"]))
    kept = [row["group"] for row in largest[:MOST_GROUPS]]
    if len(largest) > MOST_GROUPS + 1:
        people = people.mutate(group=ibis.ifelse(people.group.isin(kept), people.group, OTHERS))
    return people


def _edges(engine: Engine, customers: Any, column: Any) -> list[float]:
    """Where the bands of a number begin; none when it has few values."""
    shares = [place / _BANDS for place in range(_BANDS + 1)]
    asked = {f"q{place}": column.cast("float64").quantile(share) for place, share in enumerate(shares)}
    row = ask(engine, customers.aggregate(values=column.nunique(), **asked)).to_pylist()[0]
    if int(row["values"] or 0) <= _FEW_VALUES:
        return []
    found = [float(row[f"q{place}"]) for place in range(_BANDS + 1)]
    if column.type().is_integer():
        found = [float(np.floor(value)) for value in found]
    return sorted(set(found))


def _band(column: Any, edges: Sequence[float]) -> Any:
    """The band of a number, in words: “18–29”; the last one holds its upper end."""
    whole = column.type().is_integer()
    cases = []
    for place, (low, high) in enumerate(pairwise(edges)):
        last = place == len(edges) - 2
        inside = (column >= low) & ((column <= high) if last else (column < high))
        end = high if last or not whole else high - 1
        words = f"{low:g}–{end:g}" if end > low else f"{low:g}"
        cases.append((inside, ibis.literal(words)))
    return ibis.cases(*cases, else_=ibis.null("string"))


def bought(engine: Engine, people: Any, since: int | None = None) -> Any:
    """Sums by group over the customers: `n` people, `buyers`, what they brought, and ratios of their orders.

    Args:
        engine: Where the orders are.
        people: What `grouped` gives.
        since: Orders before this second (since 1970) do not count.
    """
    orders = _since(table(engine, "orders"), since)
    placed = ibis.ifelse(is_credit(orders), zero(), _one())
    discount = ibis.coalesce(orders.discount.cast("float64"), zero())
    cut = ibis.ifelse((discount > 0) & (placed > 0), _one(), zero())
    rows = orders.select(
        "customer_id", placed=placed, revenue=net_revenue(orders), cut=cut, discount=discount * cut
    )
    each = rows.group_by("customer_id").aggregate(
        **{name: rows[name].sum() for name in ("placed", "revenue", "cut", "discount")}
    )
    all_ = _with(people, each, ("placed", "revenue", "cut", "discount"))
    paid = all_.revenue != 0
    return all_.group_by("group").aggregate(
        n=all_.count(),
        buyers=ibis.ifelse(all_.placed > 0, 1, 0).sum(),
        paying=ibis.ifelse(paid, 1, 0).sum(),
        paid_mean=all_.revenue.mean(where=paid),
        paid_variance=all_.revenue.var(how="pop", where=paid),
        **_ratio(all_, "order_value", "placed", "revenue"),
        **_ratio(all_, "discounted", "placed", "cut"),
        **_ratio(all_, "discount", "cut", "discount"),
    )


def priced(engine: Engine, people: Any, since: int | None = None) -> Any:
    """Sums by group of what customers paid for articles, over what these articles cost all customers.

    The usual price of an article is the mean price of a piece over all that were sold; articles that one
    group alone bought say nothing and are left out.
    """
    items, orders = table(engine, "order_items"), _since(table(engine, "orders"), since)
    pieces = ibis.coalesce(items.quantity.cast("float64"), _one())
    price = items.price.cast("float64")
    lines = items.select("order_id", "sku", pieces=pieces, paid=price * pieces, price=price)
    lines = lines.filter((lines.price > 0) & (lines.pieces > 0))
    lines = lines.inner_join(orders.select("order_id", "customer_id"), "order_id")
    lines = lines.inner_join(people.select(person="customer_id", group="group"), [("customer_id", "person")])
    lines = lines.select("customer_id", "group", "sku", "pieces", "paid")
    usual = lines.group_by("sku").aggregate(
        price=lines.paid.sum() / lines.pieces.sum(), groups=lines.group.nunique()
    )
    usual = usual.filter(usual.groups > 1).select("price", article="sku")
    lines = lines.inner_join(usual, [("sku", "article")])
    each = lines.group_by("customer_id", "group").aggregate(
        paid=lines.paid.sum(), usual=(lines.price * lines.pieces).sum()
    )
    return each.group_by("group").aggregate(n=each.count(), **_ratio(each, "price", "usual", "paid"))


def shown(engine: Engine, people: Any, controls: Mapping[str, str], since: int | None = None) -> Any:
    """Sums by group: `n` people, those `exposed` to an experience, and those `treated` by one.

    Args:
        engine: Where the exposures are.
        people: What `grouped` gives.
        controls: Experience → its variant that personalises nothing, where it has one.
        since: Exposures before this second do not count; those without a time always do.
    """
    rows = table(engine, "exposures")
    if since is not None:
        rows = rows.filter(rows.ts.isnull() | (whole_seconds(rows.ts) >= since))
    plain = ibis.literal(value=False)
    for name, variant in controls.items():
        plain = plain | ((rows.experience_id == name) & (rows.variant == variant))
    personal = ibis.ifelse(rows.level.notnull(), rows.level != "none", ~plain)
    got = ibis.ifelse(personal & ibis.coalesce(rows.delivered, ibis.literal(value=True)), _one(), zero())
    rows = rows.select("customer_id", exposed=_one(), treated=got)
    each = rows.group_by("customer_id").aggregate(exposed=rows.exposed.max(), treated=rows.treated.max())
    all_ = _with(people, each, ("exposed", "treated"))
    return all_.group_by("group").aggregate(
        n=all_.count(), exposed=all_.exposed.sum(), treated=all_.treated.sum()
    )


def _with(people: Any, each: Any, names: Sequence[str]) -> Any:
    """People with what they did; nothing where they did nothing."""
    joined = people.left_join(each, "customer_id")
    return joined.select("group", **{name: ibis.coalesce(joined[name], zero()) for name in names})


def _ratio(rows: Any, name: str, x: str, y: str) -> dict[str, Any]:
    """The sums of Σ y / Σ x over the customers with some x."""
    some = rows[x] > 0
    sums = {
        "x": rows[x],
        "y": rows[y],
        "xx": rows[x] * rows[x],
        "yy": rows[y] * rows[y],
        "xy": rows[x] * rows[y],
    }
    return {
        f"{name}_n": ibis.ifelse(some, 1, 0).sum(),
        **{f"{name}_{part}": value.sum(where=some) for part, value in sums.items()},
    }


def _since(rows: Any, since: int | None) -> Any:
    return rows if since is None else rows.filter(whole_seconds(rows.ts) >= since)


def _one() -> Any:
    return ibis.literal(1, "int8").cast("float64")
