"""Shops whose customers' scores, segments and lives are known without the workbench."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from workbench import Project

START = datetime(2025, 1, 1, 12)  # noon, so that ages are whole days


def make(folder: Path, orders: pd.DataFrame, *, described: bool = True) -> Project:
    """A project of orders: `customer`, `day` since START, `revenue`, and perhaps `refund` and `margin`.

    With a table of customers where they are `described`.
    """
    project = Project.create(folder)
    columns = {
        name: orders[name].to_numpy(float) for name in ("revenue", "refund", "margin") if name in orders
    }
    ts = [START + timedelta(days=int(day)) for day in orders.day]
    customers = pa.table({"customer_id": pa.array(sorted(set(orders.customer)), pa.int64())})
    project.commit(
        {
            **({"customers": customers} if described else {}),
            "orders": pa.table(
                {
                    "order_id": [str(n) for n in range(len(orders))],
                    "customer_id": pa.array(orders.customer.to_numpy(), pa.int64()),
                    "ts": pa.array(ts, pa.timestamp("us")),
                    **columns,
                }
            ),
        }
    )
    return project


def rows(orders: Sequence[tuple[int, int, float]]) -> pd.DataFrame:
    """Orders by hand: customer, day, revenue."""
    return pd.DataFrame(orders, columns=["customer", "day", "revenue"])


def on(day: int) -> date:
    """A day of the shop as a date."""
    return (START + timedelta(days=day)).date()


def many(customers: int = 900, days: int = 300, seed: int = 5) -> pd.DataFrame:
    """Orders of few prices, with refunds and credits: ties everywhere; one order a day at most."""
    chance = np.random.default_rng(seed)
    found = []
    for customer in range(customers):
        count = 1 + chance.poisson(1.2)
        for day in sorted(set(chance.integers(0, days, count).tolist())):
            price = [9.95, 19.9, 19.9, 30.05, 120.0][chance.integers(5)]
            refund = price if chance.random() < 0.04 else 2.0 if chance.random() < 0.05 else 0.0
            found.append((customer, day, price, refund, round(price * chance.uniform(0.1, 0.6), 2)))
    found.append((0, days, 20.0, 0.0, 5.0))  # so that the last day has an order
    found += [(n, 40 + n, -5.0, 0.0, -2.0) for n in range(20)]
    return pd.DataFrame(found, columns=["customer", "day", "revenue", "refund", "margin"])


def scored(orders: pd.DataFrame, until: int) -> pd.DataFrame:
    """Scores by pandas: one and the fifths of the customers that are strictly worse."""
    known = orders[orders.day <= until].copy()
    known["net"] = known.revenue - known.refund
    bought = known[~(((known.revenue > 0) & (known.net <= 0)) | (known.revenue < 0))]
    each = bought.groupby("customer").agg(last=("day", "max"), frequency=("day", "nunique"))
    each["recency"] = until - each["last"]
    each["money"] = known.groupby("customer").net.sum().round(2)
    each["orders"] = known[known.revenue >= 0].groupby("customer").size()
    for score, value in (("r", -each.recency), ("f", each.frequency), ("m", each.money)):
        worse = value.rank(method="min") - 1
        each[score] = 1 + (worse * 5 // len(each)).astype(int)
    each["segment"] = [segment(r, f, m) for r, f, m in zip(each.r, each.f, each.m, strict=True)]
    return each


def segment(r: int, f: int, m: int) -> str:
    """The standard grid, read cell by cell: a row of it for each recency, from fm 1 to fm 5."""
    grid = {
        5: ("new", "potential loyalists", "potential loyalists", "champions", "champions"),
        4: ("promising", "potential loyalists", "potential loyalists", "loyal", "loyal"),
        3: ("about to sleep", "about to sleep", "need attention", "loyal", "loyal"),
        2: ("hibernating", "hibernating", "at risk", "at risk", "cannot lose"),
        1: ("lost", "lost", "at risk", "at risk", "cannot lose"),
    }
    return grid[r][int(np.floor((f + m) / 2 + 0.5)) - 1]


def lives(customers: int, until: int, days: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Orders of customers who live by MBG/NBD, and until which day each is alive (a day without an end: inf).

    Customers come over the first half of `until`; orders go on to `days`.
    """
    chance = np.random.default_rng(seed)
    born = chance.uniform(0, until / 2, customers)
    rate = chance.gamma(1.2, 1 / 40, customers)  # a day
    leaves = chance.beta(1.0, 4.0, customers)
    found, gone = [], np.full(customers, np.inf)
    for customer in range(customers):
        at = born[customer]
        while at <= days:
            found.append((customer, int(at), 20.0))
            if chance.random() < leaves[customer]:
                gone[customer] = at
                break
            at += chance.exponential(1 / rate[customer])
    orders = rows([*found, (0, days, 20.0)] if all(day < days for _, day, _ in found) else found)
    return orders, gone
