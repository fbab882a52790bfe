"""A small shop as Google Analytics 4 exports it, and the truth about it.

Visitors come in the morning and buy in the evening. Some sign in to buy, some of those on a second device.
Duplicates, a reloaded receipt and late rows are among them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

DAY = 86_400_000_000
START = 1_772_352_000_000_000  # 2026-03-01 08:00 UTC
VISITORS = 120
EXPERIMENT, ARMS = "ABC-home", ("generic", "personal")

_VALUE = pa.struct(
    [
        ("string_value", pa.string()),
        ("int_value", pa.int64()),
        ("float_value", pa.float64()),
        ("double_value", pa.float64()),
    ]
)
_PAIRS = pa.list_(pa.struct([("key", pa.string()), ("value", _VALUE)]))
_ITEM = pa.struct(
    [
        ("item_id", pa.string()),
        ("item_name", pa.string()),
        ("item_category", pa.string()),
        ("price", pa.float64()),
        ("quantity", pa.int64()),
    ]
)
SCHEMA = pa.schema(
    [
        ("event_date", pa.string()),
        ("event_timestamp", pa.int64()),
        ("event_name", pa.string()),
        ("event_params", _PAIRS),
        ("event_bundle_sequence_id", pa.int64()),
        ("user_id", pa.string()),
        ("user_pseudo_id", pa.string()),
        ("privacy_info", pa.struct([("analytics_storage", pa.string()), ("ads_storage", pa.string())])),
        ("user_properties", _PAIRS),
        ("user_first_touch_timestamp", pa.int64()),
        ("device", pa.struct([("category", pa.string()), ("language", pa.string())])),
        ("geo", pa.struct([("country", pa.string()), ("region", pa.string()), ("city", pa.string())])),
        (
            "traffic_source",
            pa.struct([("name", pa.string()), ("medium", pa.string()), ("source", pa.string())]),
        ),
        ("platform", pa.string()),
        (
            "ecommerce",
            pa.struct([("transaction_id", pa.string()), ("purchase_revenue", pa.float64())]),
        ),
        ("items", pa.list_(_ITEM)),
        ("is_active_user", pa.bool_()),
    ]
)


@dataclass
class Truth:
    """What happened.

    Attributes:
        arm: Person → arm.
        spent: Person → what they paid within the experiment.
        sold: Product → pieces.
        sessions: How many visits there were.
    """

    arm: dict[str, str] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    sold: dict[str, int] = field(default_factory=dict)
    sessions: int = 0

    def arms(self, *, money: bool) -> dict[str, tuple[int, float]]:
        """Arm → people, and buyers or money."""
        found = {}
        for arm in ARMS:
            people = [person for person, theirs in self.arm.items() if theirs == arm]
            bought = [self.spent[person] for person in people if person in self.spent]
            found[arm] = (len(people), round(sum(bought), 2) if money else float(len(bought)))
        return found


def pairs(**values: str | int | float) -> list[dict[str, Any]]:
    """Event parameters, each with the kind of value it has."""
    kinds = {str: "string_value", int: "int_value", float: "double_value"}
    return [{"key": key, "value": {kinds[type(value)]: value}} for key, value in values.items()]


def event(
    device: str | None, ts: int | None, name: str, user: str | None = None, **more: Any
) -> dict[str, Any]:
    """A row of the export."""
    params = {"ga_session_id": (ts or START) // (DAY // 4) * 21_600, **more.pop("params", {})}
    return {
        "event_date": "20260301",
        "event_timestamp": ts,
        "event_name": name,
        "event_params": pairs(**params),
        "event_bundle_sequence_id": 7,
        "user_id": user,
        "user_pseudo_id": device,
        "privacy_info": {"analytics_storage": "Yes", "ads_storage": "No"},
        "user_properties": pairs(member="gold" if user else "none"),
        "user_first_touch_timestamp": START,
        "device": {"category": "Mobile" if device and device.endswith("1") else "desktop", "language": "es"},
        "geo": {"country": "Spain", "region": "Madrid", "city": "(not set)"},
        "traffic_source": {"name": "spring", "medium": "cpc", "source": "google"},
        "platform": "WEB",
        "is_active_user": True,
        **more,
    }


def purchase(
    device: str | None, ts: int, user: str | None, number: str | None, lines: list[tuple[str, int, float]]
) -> dict[str, Any]:
    """A receipt of lines of product, pieces and price."""
    return event(
        device,
        ts,
        "purchase",
        user,
        params={"currency": "EUR", "page_location": "https://shop.example/thanks?mail=ana@example.com"},
        ecommerce={
            "transaction_id": number or "(not set)",
            "purchase_revenue": sum(pieces * price for _, pieces, price in lines),
        },
        items=[
            {"item_id": sku, "item_category": "soap", "price": price, "quantity": pieces}
            for sku, pieces, price in lines
        ],
    )


def shop() -> tuple[list[dict[str, Any]], list[dict[str, Any]], Truth]:
    """The rows of two days, those that come three days late, and the truth about both."""
    rows, late, truth = [], [], Truth()
    for i in range(VISITORS):
        device, arm = f"{1000 + i}.17723{i:05d}", ARMS[i % 2]
        user = f"u{i}" if i % 3 == 0 else None
        person = user or device
        at = START + i * 60_000_000
        truth.arm[person] = arm
        truth.sessions += 1
        rows += [
            event(device, at, "session_start", params={"source": "newsletter", "medium": "email"}),
            event(
                device, at, "page_view", params={"page_location": f"https://shop.example/p/{i % 5}?u=1#top"}
            ),
            event(device, at + 1, "experience_impression", params={"exp_variant_string": f"ABC-home-{arm}"}),
        ]
        if i % 4 < 2:  # half of each arm buys, and the personal arm a little more
            lines = [("s1", 1 + i % 2, 12.5), ("s2", 1, 4.25), ("s2", 1, 4.25)]
            # every sixth buys signed in on a second device: only the identity ties it to the first
            second = f"2{device}" if user and i % 6 == 0 else device
            number = None if i == 1 else f"T{i}"
            bought = purchase(second, at + DAY // 2, user, number, lines)
            (late if i % 10 == 1 else rows).append(bought)
            truth.sessions += 1
            truth.spent[person] = sum(pieces * price for _, pieces, price in lines)
            for sku, pieces, _ in lines:
                truth.sold[sku] = truth.sold.get(sku, 0) + pieces
            if second != device:
                rows.append(event(device, at + 2 * DAY, "login", user))
                truth.sessions += 1
    reloaded = next(row for row in rows if row["event_name"] == "purchase")
    rows.append({**reloaded, "event_timestamp": reloaded["event_timestamp"] + 5_000_000})
    rows += [dict(row) for row in rows[:10]]  # sent twice
    return rows, late, truth


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    """The row as BigQuery writes it: whole numbers as text, and nothing where there is nothing."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items() if inner is not None}
        if isinstance(value, list):
            return [plain(inner) for inner in value]
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    made: dict[str, Any] = plain(row)
    return made
