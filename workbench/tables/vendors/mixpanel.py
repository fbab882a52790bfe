"""Mixpanel's raw export: one JSON object a line, `event` and `properties`.

Documents: https://docs.mixpanel.com/reference/raw-event-export, /reference/event-deduplication,
/docs/data-structure/property-reference/default-properties, /docs/tracking-methods/id-management.

Time: `time` counts seconds since 1970, or milliseconds where the export was asked for them (`time_in_ms`).
Projects made before 2023 may give the clock of the project's zone as if it were UTC; nothing in the file says
so.

Repeats: the export holds duplicates. Two events are the same whose name, `distinct_id`, `time` and
`$insert_id` agree. The `distinct_id` of a person changes once identifiers are merged; what the event was sent
with (`$distinct_id_before_identity`) does not, and is what is compared, so that an export from after a merge
adds nothing to one from before.

Identity: the customer is `$user_id`, else `distinct_id`. A device and what an event was sent with are the
customer's, too; `$identify`, `$create_alias` and `$merge` tie identifiers and are no events. `$device:` in
front of an identifier is dropped. A device belongs to the user who first signed in on it, as in Mixpanel.
"""

from __future__ import annotations

from typing import Final

from workbench.locale import say
from workbench.tables.vendors import Vendor
from workbench.tables.vendors.purchases import AMOUNTS, NUMBERS, entries, first, is_purchase

_READ_KEYS: Final = (
    "time",
    "distinct_id",
    "$insert_id",
    "$distinct_id_before_identity",
    "$user_id",
    "$device_id",
    "$identified_id",
    "$anon_id",
    "alias",
    "$current_url",
    "$device",
    "mp_country_code",
    "$country_code",
    "$region",
    "$city",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "product_id",
    "sku",
    "value",
)
_SHAPE: Final = "{" + ",".join(f'"{key}":"VARCHAR"' for key in _READ_KEYS) + ',"$distinct_ids":["VARCHAR"]}'
# Identifiers made by Mixpanel's libraries: hexadecimal groups with dashes between them.
_MADE: Final = "'[0-9a-fA-F]{8,}(-[0-9a-fA-F]+){3,}'"


def _person(cell: str) -> str:
    """SQL for an identifier without the mark of a device."""
    return rf"nullif(regexp_replace(trim({cell}), '^(\$device:)+', ''), '')"


_READ: Final = f"""
WITH cells AS (
    SELECT "@line", nullif(trim(event), '') AS name, properties,
        from_json(TRY_CAST(properties AS JSON), '{_SHAPE}') AS given
    FROM raw
), read AS (
    SELECT *, given."time" AS ts, {_person('given."$user_id"')} AS user_id,
        {_person('given."$device_id"')} AS device_id,
        {_person("given.distinct_id")} AS distinct_id,
        {_person('coalesce(given."$distinct_id_before_identity", given.distinct_id)')} AS sent_id,
        coalesce(user_id, distinct_id, device_id) AS customer_id,
        -- whole seconds, so that an export with milliseconds adds nothing to one without
        keyed(CAST(to_json([name, sent_id, left(ts, 10), given."$insert_id"]) AS VARCHAR)) AS event_id,
        coalesce(name IN ('$identify', '$create_alias', '$merge'), false) AS ties
    FROM cells
)
"""

_EVENTS: Final = f"""{_READ}
SELECT "@line", event_id, customer_id, ts, name,
    -- an address may carry what a visitor typed, or who they are, behind its question mark
    regexp_replace(given."$current_url", '[?#].*$', '') AS page,
    coalesce(given.product_id, given.sku) AS item, TRY_CAST(given."value" AS DOUBLE) AS value,
    lower(given."$device") AS device,
    given.utm_source AS source, given.utm_medium AS medium, given.utm_campaign AS campaign
FROM read WHERE NOT ties
"""

_ORDERS: Final = f"""{_READ}
SELECT "@line", coalesce({first("found", *NUMBERS)}, event_id) AS order_id, customer_id, ts,
    {first("found", *AMOUNTS)} AS revenue, {first("found", "currency", "moneda")} AS currency
FROM (SELECT *, {entries("TRY_CAST(properties AS JSON)")} AS found FROM read WHERE {is_purchase("name")})
"""

_CUSTOMERS: Final = f"""{_READ}
SELECT min("@line") AS "@line", customer_id,
    arg_max(coalesce(given.mp_country_code, given."$country_code"), ts) AS country,
    arg_max(given."$region", ts) AS region,
    arg_max(given."$city", ts) AS city, arg_max(lower(given."$device"), ts) AS device
FROM read WHERE customer_id IS NOT NULL AND ts IS NOT NULL AND NOT ties GROUP BY customer_id ORDER BY "@line"
"""

# What a merge names first is the customer, unless only that one was made by a library.
_ALIASES: Final = f"""{_READ}
SELECT "@line", {_person('given."$anon_id"')} AS alias_id,
    {_person('given."$identified_id"')} AS customer_id, ts
FROM read WHERE name = '$identify'
UNION ALL
SELECT "@line", {_person("given.alias")}, sent_id, ts FROM read WHERE name = '$create_alias'
UNION ALL
SELECT "@line", CASE WHEN turned THEN one ELSE other END, CASE WHEN turned THEN other ELSE one END, ts
FROM (
    SELECT "@line", ts, {_person('given."$distinct_ids"[1]')} AS one,
        {_person('given."$distinct_ids"[2]')} AS other,
        regexp_full_match(one, {_MADE}) AND NOT regexp_full_match(other, {_MADE}) AS turned
    FROM read WHERE name = '$merge'
)
UNION ALL
SELECT min("@line"), alias_id, customer_id, min(ts) FROM (
    SELECT "@line", unnest([distinct_id, sent_id, device_id]) AS alias_id, customer_id, ts
    FROM read WHERE NOT ties
)
WHERE alias_id <> customer_id GROUP BY alias_id, customer_id
ORDER BY "@line"
"""

MIXPANEL: Final = Vendor(
    name="mixpanel",
    title="Mixpanel (raw export)",
    source="https://docs.mixpanel.com/reference/raw-event-export",
    about=say(
        "Times count seconds or milliseconds in UTC; a project made before 2023 may give its own clock"
        " instead. Events with the same name, sender, time and $insert_id count once. Identifiers are"
        " merged as Mixpanel does. Mixpanel has no field for revenue: events called Purchase, Order"
        " Completed or the like become orders, with the amount in revenue, order total, total, amount or"
        " value."
    ),
    columns=("event", "properties"),
    required=("event", "properties"),
    tables={"events": _EVENTS, "orders": _ORDERS, "customers": _CUSTOMERS, "aliases": _ALIASES},
    extras="events",
    spread={"properties": "object"},
    personal=(
        "distinct_id",
        "$distinct_id",
        "$distinct_id_before_identity",
        "$user_id",
        "$device_id",
        "$anon_distinct_id",
        "$insert_id",
        "$current_url",
        "$referrer",
        "$initial_referrer",
        "gclid",
        "fbclid",
        "$ip",
        "ip",
        "$email",
        "email",
        "e-mail",
        "$name",
        "$first_name",
        "$last_name",
        "first_name",
        "last_name",
        "$phone",
        "phone",
        "token",
    ),
    timezone="UTC",
)
