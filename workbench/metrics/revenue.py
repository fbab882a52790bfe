"""Revenue: what a customer's orders in the window after the first exposure brought, less refunds."""

from __future__ import annotations

from typing import Any

from workbench.metrics.exposure import within_window
from workbench.segments import net_revenue


def per_customer(orders: Any, people: Any, window_days: int) -> Any:
    """Rows of `customer_id`, `value` in the project's currency; those without an order have no row."""
    inside = within_window(orders.mutate(money_=net_revenue(orders)), people, window_days)
    return inside.group_by("customer_id").aggregate(value=inside.money_.sum())
