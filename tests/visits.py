"""Small projects of events, made by hand or by a seed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from workbench import Project

Rows = list[dict[str, Any]]
START = datetime(2026, 3, 2)  # a Monday
KINDS = {
    "ts": pa.timestamp("us"),
    "date": pa.timestamp("us"),
    "count": pa.int64(),
    "reach": pa.int64(),
    "revenue": pa.float64(),
    "engagement_time_msec": pa.int64(),
}


def at(seconds: float, customer: str = "a", **event: Any) -> dict[str, Any]:
    return {"customer_id": customer, "ts": START + timedelta(seconds=seconds), "name": "view", **event}


def typed(rows: Rows) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    schema = pa.schema({name: KINDS.get(name, pa.string()) for name in names})
    return pa.Table.from_pylist(rows, schema=schema)


def project(folder: Path, *, timezone: str = "UTC", **tables: Rows) -> Project:
    """A project with these rows; customers are named by letters."""
    made = Project.create(folder / "shop", timezone=timezone)
    made.commit({name: typed(rows) for name, rows in tables.items()})
    return made


def wander(seed: int) -> Rows:
    """Customers who look at pages, now and then buy, on two devices."""
    chance = np.random.default_rng(seed)
    events = []
    for customer in range(30):
        second = float(chance.integers(0, 10**6))
        for place in range(int(chance.integers(1, 30))):
            second += float(chance.choice([0, 1, 7, 40, 300, 1900, 90_000]))
            page = str(chance.choice(["/", "/list/a?x=1", "/list/b", "/cart"]))
            name = "purchase" if page == "/cart" and chance.random() < 0.5 else "view"
            device = str(chance.choice(["mobile", "desktop"], p=[0.9, 0.1]))
            event_id = f"{customer}-{place:03d}"
            events.append(at(second, str(customer), page=page, name=name, device=device, event_id=event_id))
    return events
