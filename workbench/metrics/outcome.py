"""An outcome that came with the file, one number a customer, however it was measured there."""

from __future__ import annotations

from typing import Any


def per_customer(outcomes: Any, experiment: str, name: str) -> Any:
    """Rows of `customer_id`, `value`; null where the file had no value."""
    rows = outcomes.filter((outcomes.experience_id == experiment) & (outcomes.name == name))
    return rows.group_by("customer_id").aggregate(value=rows.value.max())
