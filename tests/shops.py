"""Small projects whose answers are known by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa

from workbench import Project

START = datetime(2026, 3, 1)
TEXT, TIME = pa.string(), pa.timestamp("us")


def unit_level(
    folder: Path,
    arms: Mapping[str, Sequence[float]],
    *,
    metric: str = "conversion",
    assignment: str | None = None,
    attributes: Mapping[str, Sequence[str]] | None = None,
    twice: Sequence[str] = (),
) -> Project:
    """A project with one experiment, `home`, and one outcome a customer.

    Args:
        arms: Outcomes of each arm's customers.
        attributes: Columns of customers, one value a customer in the order of the arms.
        twice: Customers that are also seen in an arm of their own, `other`.
    """
    values = [(arm, float(value)) for arm, outcomes in arms.items() for value in outcomes]
    ids = [f"u{i}" for i in range(len(values))]
    shown = [(name, arm) for name, (arm, _) in zip(ids, values, strict=True)]
    shown += [(name, "other") for name in twice]
    project = Project.create(folder)
    project.commit(
        {
            "customers": pa.table({"customer_id": ids, **(attributes or {})}),
            "exposures": pa.table(
                {
                    "customer_id": [name for name, _ in shown],
                    "experience_id": ["home"] * len(shown),
                    "variant": [arm for _, arm in shown],
                    "ts": pa.array([None] * len(shown), TIME),
                    "assignment": pa.array([assignment] * len(shown), TEXT),
                }
            ),
            "outcomes": pa.table(
                {
                    "customer_id": ids,
                    "experience_id": ["home"] * len(ids),
                    "name": [metric] * len(ids),
                    "value": [value for _, value in values],
                }
            ),
        }
    )
    return project


def binary(successes: int, n: int) -> list[float]:
    """Outcomes of `n` customers of whom `successes` converted."""
    return [1.0] * successes + [0.0] * (n - successes)


def event_level(
    folder: Path,
    exposures: Sequence[tuple[str, str, float]],
    orders: Sequence[tuple[str, float, float]],
    *,
    assignment: str = "random",
    refunds: Mapping[int, float] | None = None,
    countries: Mapping[str, str] | None = None,
) -> Project:
    """A project with exposures (customer, arm, day) and orders (customer, day, revenue), days since START."""
    project = Project.create(folder)
    names = sorted({row[0] for row in exposures} | {row[0] for row in orders})
    project.commit(
        {
            "customers": pa.table(
                {
                    "customer_id": names,
                    "country": pa.array([(countries or {}).get(name) for name in names], TEXT),
                }
            ),
            "exposures": pa.table(
                {
                    "customer_id": [row[0] for row in exposures],
                    "experience_id": ["home"] * len(exposures),
                    "variant": [row[1] for row in exposures],
                    "ts": pa.array([START + timedelta(days=row[2]) for row in exposures], TIME),
                    "assignment": [assignment] * len(exposures),
                }
            ),
            "orders": pa.table(
                {
                    "order_id": [str(i) for i in range(len(orders))],
                    "customer_id": [row[0] for row in orders],
                    "ts": pa.array([START + timedelta(days=row[1]) for row in orders], TIME),
                    "revenue": [float(row[2]) for row in orders],
                    "refund": [(refunds or {}).get(i, 0.0) for i in range(len(orders))],
                }
            ),
        }
    )
    return project
