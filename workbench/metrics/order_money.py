"""What purchases bring and what they leave: revenue and margin of the first purchase and of later ones.

Sums over customers, so that means and ratios over customers have standard errors. A purchase is a day with an
order, as in `purchases`.
"""

from __future__ import annotations

from typing import Any

import ibis

from workbench.metrics.purchases import Clock, order_day
from workbench.segments import net_revenue, zero

SUMS = (
    *("n", "first", "first_square"),
    *(f"{when}_{of}" for when in ("first", "later") for of in ("m", "k", "mm", "mk", "kk")),
)
"""Of customers: how many; the first purchase's revenue and its square. Of the first purchase and later ones:
the margin m, the revenue k of the orders whose margin is known, their squares and product."""


def purchase_orders(orders: Any, *, clock: Clock, end_day: int) -> Any:
    """Orders that are purchases, with `day_`, `left_` (revenue kept) and `margin_` (null where not known).

    What was given back as a whole is no purchase; of what was given back in part, the same part of the margin
    is left.

    Args:
        orders: Orders with `customer_id`, `ts`, `revenue` and perhaps `margin` and `refund`.
        clock: What `clock.offsets` gives for the time of the orders.
        end_day: Last day that is used.
    """
    paid = ibis.coalesce(orders.revenue.cast("float64"), zero())
    left = net_revenue(orders)
    margin = orders.margin.cast("float64") if "margin" in orders.columns else ibis.null("float64")
    kept = orders.mutate(
        day_=order_day(orders, clock),
        paid_=paid,
        left_=left,
        margin_=margin * ibis.coalesce(left / paid.nullif(zero()), ibis.literal(1, "int8").cast("float64")),
    )
    return kept.filter(~(((kept.paid_ > 0) & (kept.left_ <= 0)) | (kept.paid_ < 0)) & (kept.day_ <= end_day))


def money(each: Any, bought: Any, *, end_day: int) -> Any:
    """One row a group: `group` and `SUMS`.

    Args:
        each: Rows of `customer_id`, `group`, `tenure_days`.
        bought: What `purchase_orders` gives.
        end_day: Last day that is used.
    """
    lines = bought.inner_join(each.select("customer_id", "group", "tenure_days"), "customer_id")
    first = lines.day_ == ibis.literal(end_day, "int64") - lines.tenure_days
    known = lines.margin_.notnull()

    def total(value: Any, where: Any) -> Any:
        return ibis.ifelse(where, ibis.coalesce(value, zero()), zero()).sum()

    one = lines.group_by(["customer_id", "group"]).aggregate(
        first=total(lines.left_, first),
        first_m=total(lines.margin_, first),
        first_k=total(lines.left_, first & known),
        later_m=total(lines.margin_, ~first),
        later_k=total(lines.left_, ~first & known),
    )
    sums = {
        "n": one.count(),
        "first": one["first"].sum(),
        "first_square": (one["first"] * one["first"]).sum(),
    }
    for when in ("first", "later"):
        m, k = one[f"{when}_m"], one[f"{when}_k"]
        sums |= {f"{when}_m": m.sum(), f"{when}_k": k.sum()}
        sums |= {f"{when}_mm": (m * m).sum(), f"{when}_mk": (m * k).sum(), f"{when}_kk": (k * k).sum()}
    return one.group_by("group").aggregate(**sums)


def with_margin(orders: Any) -> Any:
    """How many orders carry a margin: `n`."""
    return orders.aggregate(n=orders.margin.count())
