"""Dynamic Yield's Daily Activity Stream: raw data as Parquet, one day a folder, kept there for 30 days.

Document: https://support.dynamicyield.com/hc/en-us/articles/360033761153 names the data and some columns
(`eventType`, `interactionId`, `contextType`, `contextData`); the list of all columns is not public, and is
known here from the names that Dynamic Yield uses elsewhere. Columns that are missing are empty, and unknown
ones are kept. The properties of events are documented: https://dy.dev/docs/purchase,
/reference/identify-user1. The second data set, attributions, is not read: it repeats what the vendor credits,
not what happened.

Time: `timestamp`, in milliseconds since 1970 or as a Parquet time, UTC.

Repeats: `interactionId` tells an interaction from others; where it is missing, who did what, when and where.

What becomes what: UIA is a page view; DPX an event, and an order when its `dyType` is `purchase-v1`;
VARIATION_ENGAGEMENT an exposure when it is an impression, else an event such as `variation_click`. The stream
does not say whether chance, a rule or a model chose the variation: the assignment is unknown until the
analyst says it.

Money: `value` in an event's properties is in the currency's unit and in the currency of the payment. The
column `eventValue`, whose unit is not documented, is kept, but not used.

Identity: the customer is the DYID, a browser. Login, sign-up and identification events say which person it is
(`cuid`, else the hash of an e-mail address). Where several people signed in on one browser it is the first
one's: rows of the stream carry the DYID only, and later people cannot be told from the first.
"""

from __future__ import annotations

from typing import Final

from workbench.locale import say
from workbench.tables.vendors import Vendor

_CART: Final = '[{"productId":"VARCHAR","quantity":"VARCHAR","itemPrice":"VARCHAR"}]'


def _joined(cell: str) -> str:
    """SQL for a list as one text; what is no list stays as it is."""
    listed = f"array_to_string(from_json(TRY_CAST({cell} AS JSON), '[\"VARCHAR\"]'), ' + ')"
    return f"nullif(coalesce({listed}, {cell}), '')"


# Of the names of a variation and its number the name is taken: it says which arm is the control.
_VARIANT: Final = f"""coalesce({_joined('"variationNames"')}, "variationName", {_joined('"variationIds"')},
            "variationId")"""

_READ: Final = f"""
WITH cells AS (
    SELECT "@line", upper("eventType") AS kind, nullif(trim(dyid), '') AS customer_id, timestamp AS ts,
        "interactionId", "eventName", "uniqueTransactionId", url, "urlClean", "contextType", "contextData",
        device, "trafficSource",
        "sessionId" AS session_id, TRY_CAST("eventProperties" AS JSON) AS properties,
        lower("engagementType") AS engagement,
        coalesce("experienceId", "experienceName", "campaignId", "campaignName") AS experience_id,
        {_VARIANT} AS variant
    FROM raw
), read AS (
    SELECT *, properties->>'$.dyType' AS dy_type,
        kind = 'VARIATION_ENGAGEMENT' AND coalesce(contains(engagement, 'imp'), false) AS shown,
        keyed(CAST(to_json(CASE WHEN "interactionId" IS NOT NULL THEN [kind, "interactionId"]
            ELSE [kind, customer_id, ts, "eventName", engagement, experience_id, variant, url] END)
            AS VARCHAR)) AS event_id,
        coalesce(dy_type = 'purchase-v1', false) AS bought
    FROM cells
)
"""

_EVENTS: Final = f"""{_READ}
SELECT "@line", event_id, customer_id, session_id, ts,
    CASE kind WHEN 'UIA' THEN 'page_view' WHEN 'DPX' THEN coalesce("eventName", dy_type)
        WHEN 'VARIATION_ENGAGEMENT' THEN 'variation_' || engagement ELSE lower(kind) END AS name,
    -- an address may carry what a visitor typed, or who they are, behind its question mark
    regexp_replace(coalesce("urlClean", url), '[?#].*$', '') AS page,
    CASE WHEN upper("contextType") = 'PRODUCT' THEN {_joined('"contextData"')}
        ELSE properties->>'$.productId' END AS item,
    TRY_CAST(properties->>'$.value' AS DOUBLE) AS value, lower(device) AS device,
    "trafficSource" AS source, experience_id, variant
FROM read WHERE NOT coalesce(shown, false)
"""

_EXPOSURES: Final = f"""{_READ}
SELECT "@line", customer_id, experience_id, variant, ts, 'unknown' AS assignment, 'true' AS delivered
FROM read WHERE shown
"""

_ORDER_ID: Final = """coalesce(properties->>'$.uniqueTransactionId', "uniqueTransactionId", event_id)"""

_ORDERS: Final = f"""{_READ}
SELECT "@line", {_ORDER_ID} AS order_id, customer_id, ts, properties->>'$.value' AS revenue,
    properties->>'$.currency' AS currency
FROM read WHERE bought
"""

# Of a purchase that was sent twice the first counts; lines of the same product are put together.
_ORDER_ITEMS: Final = f"""{_READ}
SELECT "@line", order_id, item."productId" AS sku,
    sum(coalesce(TRY_CAST(item.quantity AS DOUBLE), 1)) AS quantity, item."itemPrice" AS price
FROM (
    SELECT "@line", order_id, unnest(from_json(properties->'$.cart', '{_CART}')) AS item FROM (
        SELECT "@line", properties, {_ORDER_ID} AS order_id FROM read WHERE bought AND customer_id IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY {_ORDER_ID} ORDER BY "@line") = 1
    )
)
GROUP BY ALL ORDER BY "@line"
"""

_ALIASES: Final = f"""{_READ}
SELECT min("@line") AS "@line", customer_id AS alias_id, person AS customer_id, min(ts) AS ts FROM (
    SELECT "@line", customer_id, ts, coalesce(properties->>'$.cuid', properties->>'$.hashedEmail') AS person
    FROM read WHERE dy_type IN ('login-v1', 'signup-v1', 'identify-v1')
)
WHERE customer_id IS NOT NULL AND person IS NOT NULL
GROUP BY ALL ORDER BY "@line"
"""

DYNAMIC_YIELD: Final = Vendor(
    name="dynamic-yield",
    title="Dynamic Yield (Daily Activity Stream)",
    source="https://support.dynamicyield.com/hc/en-us/articles/360033761153",
    about=say(
        "Times are UTC. Interactions with the same interactionId count once. Impressions of variations become"
        " exposures whose assignment is unknown: say how the variations were allocated. A browser belongs to"
        " the first person who was identified on it. The list of all columns is not public; unknown ones are"
        " kept."
    ),
    columns=(
        "eventType",
        "interactionId",
        "dyid",
        "timestamp",
        "sessionId",
        "eventName",
        "eventProperties",
        "uniqueTransactionId",
        "url",
        "urlClean",
        "contextType",
        "contextData",
        "engagementType",
        "experienceId",
        "experienceName",
        "campaignId",
        "campaignName",
        "variationIds",
        "variationNames",
        "variationId",
        "variationName",
        "device",
        "trafficSource",
    ),
    required=("eventType", "interactionId"),
    tables={
        "events": _EVENTS,
        "exposures": _EXPOSURES,
        "orders": _ORDERS,
        "order_items": _ORDER_ITEMS,
        "aliases": _ALIASES,
    },
    extras="events",
    spread={"eventProperties": "object"},
    personal=(
        "cuid",
        "cuidType",
        "hashedEmail",
        "plainTextEmail",
        "phoneNumber",
        "userAgent",
        "landingPage",
    ),
    timezone="UTC",
    synonyms={"dyid": ("DYID", "dy id"), "sessionId": ("session", "session id")},
)
