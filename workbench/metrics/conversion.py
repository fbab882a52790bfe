"""Conversion: whether a customer ordered at least once in the window after the first exposure.

Per customer, never per visit: visits of one person are not independent, and their number may itself depend
on the arm.
"""

from __future__ import annotations

from typing import Any

import ibis

from workbench.metrics.exposure import within_window


def per_customer(orders: Any, people: Any, window_days: int) -> Any:
    """Rows of `customer_id`, `value` = 1 for those who ordered; the others have no row."""
    buyers = within_window(orders, people, window_days).select("customer_id").distinct()
    return buyers.mutate(value=ibis.literal(1, "float64"))
