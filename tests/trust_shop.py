"""A shop with a list of subscribers whose truth is set: who joined, left, agreed, and what they were sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from workbench import Project
from workbench.tables.schema import standard

START = datetime(2026, 1, 5)  # a Monday
Row = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]


def made(folder: Path, /, *, timezone: str = "UTC", **tables: Rows) -> Project:
    """A project with these rows, whose times may be days after START; without rows a table is not there."""
    project = Project.create(folder, name="Trust shop", timezone=timezone)
    project.commit({name: _table(name, rows) for name, rows in tables.items() if rows})
    return project


def _table(name: str, rows: Rows) -> pa.Table:
    declared, columns = standard(name), {}
    for column in declared.columns:
        values = [row.get(column.name) for row in rows]
        if column.type == "timestamp":
            columns[column.name] = pa.array([moment(value) for value in values], pa.timestamp("us"))
        elif column.type == "id":
            columns[column.name] = pa.array(values, pa.int64())
        else:
            columns[column.name] = pa.array(values, _TYPES[column.type])
    return pa.table(columns)


_TYPES = {"string": pa.string(), "float64": pa.float64(), "bool": pa.bool_(), "int64": pa.int64()}


def moment(days: float | datetime | None) -> datetime | None:
    """So many days after START, to the second."""
    if days is None or isinstance(days, datetime):
        return days
    return START + timedelta(seconds=round(days * 86_400))


def said(customer: int, day: float | None, granted: bool, purpose: str = "personalisation") -> Row:
    """A consent given or withdrawn."""
    return {"customer_id": customer, "ts": day, "granted": granted, "purpose": purpose}


def change(customer: int, day: float, action: str, **more: Any) -> Row:
    """A change of a subscription."""
    return {"customer_id": customer, "ts": day, "action": action, **more}


def send(customer: int, day: float, **more: Any) -> Row:
    """A message."""
    return {
        "send_id": f"{customer}@{day}",
        "customer_id": customer,
        "ts": day,
        "channel": "email",
        "campaign_id": "news",
        "delivered": True,
        "kind": "commercial",
        **more,
    }


def came(sent: Row, kind: str, after: float = 0.1) -> Row:
    """What came of a message, days after it."""
    return {"send_id": sent["send_id"], "type": kind, "ts": sent["ts"] + after}


def until(day: float) -> Row:
    """Something that happens last, so that the data go on until then."""
    return {"customer_id": 99_999, "ts": day, "granted": True, "purpose": "other"}


def living(
    folder: Path,
    *,
    days: int = 210,
    people: int = 6_000,
    leaving: float = 0.0012,
    joining: float = 3.0,
    rise: tuple[int, float] | None = None,
    after_optout: int = 0,
    seed: int = 7,
) -> Project:
    """A list that lives: people join, get a message a week, leave, complain, agree and withdraw.

    Args:
        days: How long.
        people: Who is on the list at first.
        leaving: Of those who get a message, who leaves by it.
        joining: For each who leaves, so many join.
        rise: From this day on, so many times as many leave, by the campaign “sale”.
        after_optout: So many messages go to somebody who has left.
        seed: Of all draws.
    """
    random = np.random.default_rng(seed)
    on_list, customers = list(range(1, people + 1)), []
    tables: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("customers", "subscriptions", "sends", "send_events", "consents", "churn")
    }
    wishes = ["shoes", "shoes; offers", "offers", "garden"]
    often = ["weekly", "monthly", "every 14 days"]
    for one in on_list:
        customers.append(one)
        tables["customers"].append({"customer_id": one, "first_seen": -random.uniform(0, 300)})
        said = -random.uniform(0, 100)
        if random.random() < 0.8:
            agreed = bool(random.random() < 0.7)
            tables["consents"].append(
                {"customer_id": one, "purpose": "personalisation", "granted": agreed, "ts": said}
            )
            if agreed and random.random() < 0.1:
                tables["consents"].append(
                    {
                        "customer_id": one,
                        "purpose": "personalisation",
                        "granted": False,
                        "ts": random.uniform(0, days),
                    }
                )
        if random.random() < 0.3:
            tables["subscriptions"].append(
                {
                    "customer_id": one,
                    "ts": -0.5,
                    "action": "preferences",
                    "pref_content": wishes[int(random.integers(4))],
                    "pref_frequency": often[int(random.integers(3))],
                }
            )
    gone: list[int] = []
    for day in range(days):
        risen = rise is not None and day >= rise[0]
        campaign = "sale" if risen else f"news {day // 7 + 1}"
        factor = rise[1] if rise is not None and risen else 1.0
        there = np.array(on_list)
        sent = there[there % 7 == day % 7]
        topics = random.choice(["shoes", "offers", "garden"], sent.size, p=[0.5, 0.4, 0.1])
        leaves = random.random(sent.size) < leaving * factor
        complains = random.random(sent.size) < 0.0004
        for one, topic, left, unhappy in zip(sent.tolist(), topics.tolist(), leaves, complains, strict=True):
            name = f"{day}:{one}"
            tables["sends"].append(
                {
                    "send_id": name,
                    "campaign_id": campaign,
                    "customer_id": one,
                    "channel": "email",
                    "ts": day + 0.4,
                    "delivered": True,
                    "topic": topic,
                    "kind": "commercial",
                }
            )
            if left:
                on_list.remove(one)
                gone.append(one)
                at = day + 0.4 + random.uniform(0.01, 0.5)
                tables["send_events"].append({"send_id": name, "type": "unsubscribe", "ts": at})
                tables["subscriptions"].append({"customer_id": one, "ts": at, "action": "unsubscribe"})
            if unhappy:
                tables["send_events"].append({"send_id": name, "type": "complaint", "ts": day + 0.6})
        for _ in range(int(random.poisson(joining * leaving * people / 7))):
            one = len(customers) + 1
            customers.append(one)
            on_list.append(one)
            tables["customers"].append({"customer_id": one, "first_seen": float(day)})
            tables["subscriptions"].append(
                {"customer_id": one, "ts": day + random.uniform(0.0, 0.3), "action": "subscribe"}
            )
            if random.random() < 0.8:
                tables["consents"].append(
                    {
                        "customer_id": one,
                        "purpose": "personalisation",
                        "granted": bool(random.random() < 0.7),
                        "ts": day + 0.3,
                    }
                )
        if random.random() < 0.4:
            tables["churn"].append({"customer_id": int(random.integers(1, people)), "ts": day + 0.5})
    for place in range(after_optout):
        tables["sends"].append(
            {
                "send_id": f"late {place}",
                "campaign_id": "sale",
                "customer_id": gone[place % max(1, len(gone))],
                "channel": "email",
                "ts": days - 0.2,
                "delivered": True,
                "topic": "offers",
                "kind": "commercial",
            }
        )
    churned = {row["customer_id"]: row for row in tables["churn"]}
    tables["churn"] = list(churned.values())
    return made(folder, timezone="UTC", **tables)
