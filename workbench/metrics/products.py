"""What customers buy: how many categories in their first orders, and orders with something recommended."""

from __future__ import annotations

from typing import Any

import ibis

from workbench.clock import DAY
from workbench.engines import whole_seconds


def breadth(orders: Any, items: Any, people: Any, first: int) -> Any:
    """Distinct categories in the first orders, by group: `group`, `n`, `categories` and their square.

    Args:
        orders: Those that count, with `order_id`, `customer_id`, `ts`.
        items: Lines with `order_id`, `category`.
        people: Rows of `customer_id`, `group` and perhaps `as_of`, from which second on orders count.
        first: So many orders; customers with fewer are not among them.
    """
    joined = orders.select("order_id", "customer_id", at=whole_seconds(orders.ts)).inner_join(
        people, "customer_id"
    )
    if "as_of" in people.columns:
        joined = joined.filter(joined["at"] >= joined.as_of)
    one = ibis.window(group_by=joined.customer_id, order_by=[joined["at"], joined.order_id])
    ranked = joined.mutate(rank_=ibis.row_number().over(one) + 1)
    early = ranked.filter(ranked.rank_ <= first)
    counted = early.group_by("customer_id").aggregate(orders_=early.count())
    enough = counted.filter(counted.orders_ == first).select("customer_id")
    lines = early.semi_join(enough, "customer_id").inner_join(
        items.filter(items.category.notnull()).select("order_id", "category"), "order_id"
    )
    each = lines.group_by(["customer_id", "group"]).aggregate(categories_=lines.category.nunique())
    number = each.categories_.cast("float64")
    return each.group_by("group").aggregate(
        n=each.count(), categories=number.sum(), categories_square=(number * number).sum()
    )


def recommended(orders: Any, items: Any, people: Any, *, until: int) -> Any:
    """Orders that contain something recommended, counted: `arm`, `days` watched, `orders` and `n` customers.

    Args:
        orders: Those that count, with `order_id`, `customer_id`, `ts`.
        items: Lines with `order_id`, `from_recommendation`.
        people: Rows of `customer_id`, `arm`, `as_of`: the first exposure, in seconds since 1970.
        until: The last second of the data.
    """
    some = items.filter(items.from_recommendation).select("order_id").distinct()
    bought = orders.semi_join(some, "order_id").select("customer_id", at=whole_seconds(orders.ts))
    after = bought.inner_join(people.select("customer_id", "as_of"), "customer_id")
    after = after.filter(after["at"] >= after.as_of)
    counted = after.group_by("customer_id").aggregate(orders_=after.count())
    days = (ibis.literal(until, "int64") - people.as_of) // DAY + 1
    each = people.mutate(days=days.cast("int64")).left_join(counted, "customer_id")
    each = each.mutate(orders=ibis.coalesce(each.orders_, ibis.literal(0, "int64")).cast("int64"))
    return each.group_by(["arm", "days", "orders"]).aggregate(n=each.count())
