"""A shop that knows everything about its customers: visits, orders, messages, surveys, consents, the end."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from workbench import Project
from workbench.engines.duckdb import DuckDBEngine
from workbench.simulate import simulate
from workbench.tables.privacy.pseudonyms import pseudonyms
from workbench.tables.schema import TABLES, conform

TIME = pa.timestamp("us")
CUSTOMERS = 1_200
_CAMPAIGNS = ("spring", "summer sale", "new arrivals")


def make(folder: Path, **settings: Any) -> Project:
    """A project with pseudonyms, as a load leaves it; `c000001` and so on are the identifiers.

    Args:
        folder: Where it is made.
        settings: Of the project.
    """
    project = Project.create(folder, name="A shop", timezone="Europe/Madrid")
    shop = simulate(customers=CUSTOMERS, seed=4, first_order_rate=0.15).tables
    tables = {**shop, **_further(shop)}
    tables["customers"] = tables["customers"].append_column(
        "age", pa.array(np.random.default_rng(1).integers(18, 80, CUSTOMERS), pa.int64())
    )
    hashed = pseudonyms(project.people.key())
    for name, rows in tables.items():
        tables[name] = conform(rows, TABLES[name])
        for column in TABLES[name].persons:
            place = tables[name].column_names.index(column)
            tables[name] = tables[name].set_column(place, column, hashed(tables[name][column]))
    project.commit(tables)
    if settings:
        project.change(**settings)
    return project


def _further(shop: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """Messages to those who bought, what came of them, answers, agreements, refunds, ends."""
    random = np.random.default_rng(2)
    first: dict[str, datetime] = {}
    for row in shop["orders"].to_pylist():
        first.setdefault(row["customer_id"], row["ts"])
    end = max(shop["orders"]["ts"].to_pylist())
    sends, events, surveys, consents, changes = [], [], [], [], []
    for customer, since in first.items():
        consents.append((customer, "analysis", bool(random.random() < 0.9), since, "checkout"))
        if random.random() < 0.3:
            continue
        consents.append((customer, "newsletter", True, since, "checkout"))
        changes.append((customer, since, "subscribe", None))
        at, number = since + timedelta(days=3), 0
        while at < end:
            send = f"{customer}-{number}"
            sends.append((send, _CAMPAIGNS[number % 3], customer, "email", at, True))
            if random.random() < 0.4:
                events.append((send, "open", at + timedelta(hours=float(random.integers(1, 30)))))
                if random.random() < 0.3:
                    events.append((send, "click", at + timedelta(hours=float(random.integers(31, 40)))))
            if random.random() < 0.02:
                events.append((send, "unsubscribe", at + timedelta(hours=41)))
                changes.append((customer, at + timedelta(hours=41), "unsubscribe", "too many"))
                consents.append((customer, "newsletter", False, at + timedelta(hours=41), "link"))
                break
            at, number = at + timedelta(days=float(random.uniform(12, 25))), number + 1
        if random.random() < 0.5:
            asked = since + timedelta(days=float(random.uniform(5, 200)))
            if asked < end:
                surveys.append((customer, asked, "NPS", float(random.integers(0, 11)), 0.0, 10.0))
    orders = shop["orders"].to_pylist()
    refunded = [row for row in orders if row["refund"]]
    return {
        "sends": _table("send_id campaign_id customer_id channel ts delivered", sends),
        "send_events": _table("send_id type ts", events),
        "surveys": _table("customer_id ts instrument score scale_min scale_max", surveys),
        "consents": _table("customer_id purpose granted ts source", consents),
        "subscriptions": _table("customer_id ts action reason", changes),
        "refunds": _table(
            "refund_id order_id ts amount",
            [
                (f"r{n}", row["order_id"], row["ts"] + timedelta(days=6), row["refund"])
                for n, row in enumerate(refunded)
            ],
        ),
    }


def _table(names: str, rows: list[tuple[Any, ...]]) -> pa.Table:
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(names.split())})


def own(shop: Project, folder: Path, **settings: Any) -> Project:
    """A copy that a test may change."""
    shutil.copytree(shop.path, folder)
    project = Project.open(folder)
    if settings:
        project.change(**settings)
    return project


def small(folder: Path, orders: list[tuple[str, datetime, float]], **tables: pa.Table) -> Project:
    """A project whose names are as they stand in the tables."""
    project = Project.create(folder)
    bought = pa.table(
        {
            "order_id": [str(n) for n in range(len(orders))],
            "customer_id": [row[0] for row in orders],
            "ts": pa.array([row[1] for row in orders], TIME),
            "revenue": [row[2] for row in orders],
        }
    )
    project.commit({"orders": bought, **tables})
    return project


def elsewhere(project: Project) -> Project:
    """The project as if its tables were in a database: read in place, nothing remembered."""
    settings = project.settings.model_copy(update={"engine": "postgresql://shop.example/db"})
    other = Project(project.path, settings)
    other._engine = DuckDBEngine(project.store.files)
    return other
