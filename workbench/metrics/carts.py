"""From a look at a product to an order, as sums over customers (Ibis expressions); see `metrics.engagement`.

A visit counts where a product was looked at, or something was put into the cart. An order counts where it
comes within so many hours of the first time that the visit put something into the cart, whichever visit it
comes in. Where the data end before those hours are over nobody knows yet: such visits are recent, not left.
"""

from __future__ import annotations

from typing import Any

import ibis

from workbench.engines import whole_seconds
from workbench.metrics.engagement import ORDER, pairs, purchases
from workbench.metrics.hours import HOUR
from workbench.metrics.sessions import in_sessions


def carts(
    events: Any,
    orders: Any,
    *,
    gap_minutes: int,
    looked: str,
    carted: str,
    success: str,
    hours: int,
    until: int,
) -> Any:
    """One row a visit with a look or a cart.

    Args:
        events: The table.
        orders: The table, needed where success is an order.
        gap_minutes: A visit without a name ends when nothing happens for longer.
        looked, carted: Names of events: a product was looked at, something was put into the cart.
        success: `ORDER` or `event:NAME`.
        hours: So long after the cart an order counts.
        until: The last second of the data, since 1970.

    Returns:
        `customer_id`, `session`; `looks`, `added` (a cart after a look), `carts` (a cart at all), `ordered`
        (after a cart), `known` (all hours are over), 0 or 1.
    """
    rows = in_sessions(events, gap_minutes)
    rows = rows.filter(rows.name.isin([looked, carted]))
    nothing = ibis.null("int64")
    whole = ibis.window(group_by=["customer_id", "session"])
    rows = rows.mutate(look=ibis.ifelse(rows.name == looked, rows.at, nothing).min().over(whole))
    into = ibis.ifelse(rows.name == carted, rows.at, nothing)
    each = rows.group_by("customer_id", "session").aggregate(
        look=rows.look.min(),
        cart=into.min(),
        after=ibis.ifelse(into >= rows.look, into, nothing).min(),
    )
    within = hours * HOUR
    if success == ORDER:
        bought = purchases(orders)
    else:
        named = events.filter(events.name == success.partition(":")[2])
        bought = named.select("customer_id", at=whole_seconds(named.ts))
    met = each.filter(each.cart.notnull()).select("customer_id", "session", "cart")
    met = met.inner_join(bought, "customer_id")
    met = met.filter((met.at >= met.cart) & (met.at <= met.cart + within))
    met = met.select("customer_id", "session").distinct().mutate(met=ibis.literal(1, "int64"))
    both = each.left_join(met, ["customer_id", "session"])
    return both.select(
        *("customer_id", "session"),
        looks=_flag(both.look.notnull()),
        added=_flag(both.after.notnull()),
        carts=_flag(both.cart.notnull()),
        ordered=_flag(both.met.notnull()),
        known=_flag(ibis.coalesce(both.cart, both.look) + within <= until),
    )


def of_carts(rows: Any) -> Any:
    """`pairs` over customers by `known`, of `carts`.

    `added` and `ended` (with an order) of visits with a look; `ordered` of those that put something into the
    cart after it; `left` of all carts: those without an order.
    """
    rows = rows.mutate(ended=rows.added * rows.ordered, left=rows.carts * (1 - rows.ordered))
    names = ("looks", "added", "ended", "carts", "left")
    each = rows.group_by("customer_id", "known").aggregate(**{name: rows[name].sum() for name in names})
    return pairs(
        each,
        ["known"],
        {
            "added": ("added", "looks"),
            "ended": ("ended", "looks"),
            "ordered": ("ended", "added"),
            "left": ("left", "carts"),
        },
    )


def _flag(condition: Any) -> Any:
    return ibis.ifelse(condition, 1, 0).cast("int64")
