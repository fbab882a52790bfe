"""Algonomy (RichRelevance): behaviour data as JSON, one object a line.

Document: https://help.richrelevance.com/Personalization_Cloud/Relevance_Cloud%3A_Core_APIs/Core_APIs/
RR_to__Manthan_transfer_of_behavior_data. It names the head of each object (`datetime`, `viewGuid`,
`channelId`, `site`, `visitor`) and three kinds (view, purchase, customer preference), but what a purchase
holds is not public: its number, amount and currency are looked for under the usual names, and its lines are
not read. Strategy and placement reports are summaries; load them as such.

Time: `datetime` counts seconds or milliseconds since 1970 in UTC.

Repeats: `viewGuid` tells an event from others.

Identity: the customer is `visitor.userId`, else `visitor.deviceId`. A row with both says that the device is
the user's; a device belongs to the user who was first seen on it.
"""

from __future__ import annotations

from typing import Final

from workbench.locale import say
from workbench.tables.vendors import Vendor
from workbench.tables.vendors.purchases import AMOUNTS, NUMBERS, entries, first, is_purchase

_READ: Final = f"""
WITH cells AS (
    SELECT "@line", datetime AS ts, nullif(trim("viewGuid"), '') AS event_id, "channelId" AS channel,
        nullif(trim(coalesce(TRY_CAST(visitor AS JSON)->>'$.userId', "visitor.userId")), '') AS user_id,
        nullif(trim(coalesce(TRY_CAST(visitor AS JSON)->>'$.deviceId', "visitor.deviceId")), '') AS device_id,
        {entries("TRY_CAST(purchase AS JSON)")} AS found,
        coalesce("eventType", type, CASE WHEN purchase IS NOT NULL THEN 'purchase'
            WHEN preference IS NOT NULL THEN 'preference' WHEN "view" IS NOT NULL THEN 'view' END,
            "channelId") AS name
    FROM raw
), read AS (
    SELECT *, coalesce(user_id, device_id) AS customer_id FROM cells
)
"""

_EVENTS: Final = f"""{_READ}
SELECT "@line", event_id, customer_id, ts, name, channel FROM read
"""

_ORDERS: Final = f"""{_READ}
SELECT "@line", coalesce({first("found", *NUMBERS)}, event_id) AS order_id, customer_id, ts,
    {first("found", *AMOUNTS)} AS revenue, {first("found", "currency", "currencycode")} AS currency
FROM read WHERE {is_purchase("name")}
"""

_ALIASES: Final = f"""{_READ}
SELECT min("@line") AS "@line", device_id AS alias_id, user_id AS customer_id, min(ts) AS ts
FROM read WHERE device_id IS NOT NULL AND user_id <> device_id
GROUP BY device_id, user_id ORDER BY "@line"
"""

ALGONOMY: Final = Vendor(
    name="algonomy",
    title="Algonomy (RichRelevance behaviour data)",
    source=(
        "https://help.richrelevance.com/Personalization_Cloud/Relevance_Cloud%3A_Core_APIs/Core_APIs/"
        "RR_to__Manthan_transfer_of_behavior_data"
    ),
    about=say(
        "Times count seconds or milliseconds in UTC. Events with the same viewGuid count once. What a"
        " purchase holds is not documented in public: its number, amount and currency are read under the"
        " usual names, and its lines are not read. A device belongs to the user who was first seen on it."
    ),
    columns=(
        "datetime",
        "viewGuid",
        "channelId",
        "visitor",
        "visitor.userId",
        "visitor.deviceId",
        "view",
        "purchase",
        "preference",
        "eventType",
        "type",
    ),
    required=("datetime", "viewGuid"),
    tables={"events": _EVENTS, "orders": _ORDERS, "aliases": _ALIASES},
    extras="events",
    spread={"view": "object"},
    # `site` holds the key of the shop's account.
    personal=("site", "userId", "deviceId"),
    timezone="UTC",
)
