"""Google Analytics 4, as its daily or intraday tables leave BigQuery: nested Parquet or JSON lines.

Document: https://support.google.com/analytics/answer/7029846 (the columns of `events_YYYYMMDD`), and
https://developers.google.com/analytics/devguides/collection/ga4/integration (`exp_variant_string`).

Time: `event_timestamp` counts microseconds since 1970 in UTC; `event_date` is a day of the property's zone
and is not used. BigQuery writes whole numbers as text into JSON and as numbers into Parquet: both read alike.

Repeats: the export has no identifier of an event, and a day's table is rewritten for up to three days as late
events come in. An event is told from others by device, time, name and its place in the batch it was sent in;
where the batch has no numbers (older exports, or events sent by a server), by its parameters. A purchase is
told by its `transaction_id`, so that a reloaded receipt is one order.

Identity: the customer is `user_id`, else `user_pseudo_id`. A row with both says that the device is the
user's, which gives the device's other rows to that user. Where several people signed in on one device, rows
with a `user_id` stay with it, and those without go to who was there first.
"""

from __future__ import annotations

from typing import Final

from workbench.locale import say
from workbench.tables.vendors import Vendor

_PAIRS: Final = (
    '[{"key":"VARCHAR","value":{"string_value":"VARCHAR","int_value":"VARCHAR","double_value":"VARCHAR",'
    '"float_value":"VARCHAR"}}]'
)
_ITEMS: Final = (
    '[{"item_id":"VARCHAR","item_name":"VARCHAR","item_category":"VARCHAR","price":"VARCHAR",'
    '"quantity":"VARCHAR"}]'
)


def _param(key: str) -> str:
    """SQL for the text of an event parameter."""
    return f"list_filter(params, lambda p: p.key = '{key}')[1].value"


def _known(cell: str) -> str:
    """SQL for a cell without what Google writes where it knows nothing."""
    return f"nullif(nullif({cell}, ''), '(not set)')"


def _origin(column: str, path: str, source: str, medium: str, campaign: str) -> str:
    """SQL for where a visit came from, as one record of the export says it."""
    cells = (_known(f"{column}->>'$.{path}{name}'") for name in (source, medium, campaign))
    return "struct_pack(source := {}, medium := {}, campaign := {})".format(*cells)


# Records of the visit's last click come before those of the event: Google's own reports count by them.
_ORIGINS: Final = ", ".join(
    [
        _origin("last_click", "cross_channel_campaign.", "source", "medium", "campaign_name"),
        _origin("last_click", "manual_campaign.", "source", "medium", "campaign_name"),
        _origin("collected", "", "manual_source", "manual_medium", "manual_campaign_name"),
        f"struct_pack(source := {_param('source')}, medium := {_param('medium')},"
        f" campaign := {_param('campaign')})",
    ]
)

_READ: Final = f"""
WITH cells AS (
    SELECT "@line", event_timestamp AS ts, event_name AS name,
        nullif(trim(user_id), '') AS user_id, nullif(trim(user_pseudo_id), '') AS device_id,
        coalesce(nullif(trim(user_id), ''), nullif(trim(user_pseudo_id), '')) AS customer_id,
        user_first_touch_timestamp, event_bundle_sequence_id, batch_page_id, batch_ordering_id,
        batch_event_index,
        list_transform(from_json(TRY_CAST(event_params AS JSON), '{_PAIRS}'), lambda "@p": struct_pack(
            key := "@p".key, value := coalesce("@p".value.string_value, "@p".value.int_value, CAST(TRY_CAST(
                coalesce("@p".value.double_value, "@p".value.float_value) AS DOUBLE) AS VARCHAR))
        )) AS params,
        from_json(TRY_CAST(items AS JSON), '{_ITEMS}') AS items,
        TRY_CAST(device AS JSON) AS device, TRY_CAST(geo AS JSON) AS geo,
        TRY_CAST(ecommerce AS JSON) AS ecommerce, TRY_CAST(privacy_info AS JSON) AS privacy,
        TRY_CAST(traffic_source AS JSON) AS first_click,
        TRY_CAST(collected_traffic_source AS JSON) AS collected,
        TRY_CAST(session_traffic_source_last_click AS JSON) AS last_click
    FROM raw
), read AS (
    SELECT *,
        keyed(CAST(to_json([coalesce(device_id, user_id), ts, name, event_bundle_sequence_id, batch_page_id,
            batch_ordering_id, coalesce(batch_event_index, CAST(list_sort(list_transform(params,
                lambda p: concat(p.key, '=', p.value))) AS VARCHAR))]) AS VARCHAR)) AS event_id,
        {_param("exp_variant_string")} AS exp_variant,
        lower({_known("device->>'$.category'")}) AS category,
        list_filter([{_ORIGINS}], lambda o: o.source IS NOT NULL)[1] AS origin,
        coalesce({_known("ecommerce->>'$.transaction_id'")}, {_known(_param("transaction_id"))}) AS paid_id
    FROM cells
)
"""

# The recommended form is TOOL-EXPERIENCE-VARIANT; what follows the last dash is the variant.
_EXPERIENCE: Final = "nullif(regexp_extract(exp_variant, '^(.+)-([^-]+)$', 1), '')"
_VARIANT: Final = "coalesce(nullif(regexp_extract(exp_variant, '^(.+)-([^-]+)$', 2), ''), exp_variant)"
_SKU: Final = f"coalesce({_known('item.item_id')}, {_known('item.item_name')})"

_EVENTS: Final = f"""{_READ}
SELECT "@line", event_id, customer_id, ts, name,
    CASE WHEN {_param("ga_session_id")} IS NOT NULL
        THEN keyed(concat(coalesce(device_id, user_id), '/', {_param("ga_session_id")})) END AS session_id,
    -- an address may carry what a visitor typed, or who they are, behind its question mark
    coalesce(regexp_replace({_param("page_location")}, '[?#].*$', ''), {_param("firebase_screen")}) AS page,
    CASE WHEN len(items) = 1 THEN coalesce({_known("items[1].item_id")}, {_known("items[1].item_name")}) END
        AS item,
    TRY_CAST({_param("value")} AS DOUBLE) AS value,
    category AS device, origin.source AS source, origin.medium AS medium, origin.campaign AS campaign,
    {_EXPERIENCE} AS experience_id, {_VARIANT} AS variant
FROM read
"""

_ORDERS: Final = f"""{_READ}
SELECT "@line", coalesce(paid_id, event_id) AS order_id, customer_id, ts,
    coalesce(ecommerce->>'$.purchase_revenue', {_param("value")}) AS revenue,
    {_param("currency")} AS currency,
    {_known("last_click->>'$.cross_channel_campaign.default_channel_group'")} AS channel
FROM read WHERE name = 'purchase'
"""

# Of a purchase that was sent twice the first counts; lines of the same product are put together.
_ORDER_ITEMS: Final = f"""{_READ}
SELECT "@line", order_id, {_SKU} AS sku, {_known("item.item_category")} AS category,
    sum(coalesce(TRY_CAST(item.quantity AS DOUBLE), 1)) AS quantity, item.price AS price
FROM (
    SELECT "@line", order_id, unnest(items) AS item FROM (
        SELECT "@line", items, coalesce(paid_id, event_id) AS order_id FROM read
        WHERE name = 'purchase' AND customer_id IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY coalesce(paid_id, event_id) ORDER BY "@line") = 1
    )
)
GROUP BY ALL ORDER BY "@line"
"""

_REFUNDS: Final = f"""{_READ}
SELECT "@line", event_id AS refund_id, paid_id AS order_id, ts,
    coalesce(ecommerce->>'$.refund_value', {_param("value")}) AS amount, {_param("currency")} AS currency
FROM read WHERE name = 'refund'
"""

_CUSTOMERS: Final = f"""{_READ}
SELECT min("@line") AS "@line", customer_id, min(user_first_touch_timestamp) AS first_seen,
    arg_max({_known("geo->>'$.country'")}, ts) AS country,
    arg_max({_known("geo->>'$.region'")}, ts) AS region,
    arg_max({_known("geo->>'$.city'")}, ts) AS city,
    arg_max(category, ts) AS device,
    arg_min({_known("first_click->>'$.source'")}, ts) AS source,
    arg_min({_known("first_click->>'$.medium'")}, ts) AS medium,
    arg_min({_known("first_click->>'$.name'")}, ts) AS campaign
FROM read WHERE customer_id IS NOT NULL AND ts IS NOT NULL GROUP BY customer_id ORDER BY "@line"
"""

# An impression says what was shown, not how it was chosen: the analyst says whether chance did it.
_EXPOSURES: Final = f"""{_READ}
SELECT "@line", customer_id, {_EXPERIENCE} AS experience_id, {_VARIANT} AS variant, ts,
    'unknown' AS assignment, 'true' AS delivered
FROM read WHERE exp_variant IS NOT NULL
"""

# Every event repeats the consent; only its changes are kept.
_CONSENTS: Final = f"""{_READ}
SELECT "@line", customer_id, purpose, granted, ts, 'Google Analytics' AS source FROM (
    SELECT "@line", customer_id, ts, 'analytics_storage' AS purpose,
        lower(privacy->>'$.analytics_storage') AS granted FROM read
    UNION ALL
    SELECT "@line", customer_id, ts, 'ads_storage', lower(privacy->>'$.ads_storage') FROM read
)
WHERE granted IN ('yes', 'no') AND customer_id IS NOT NULL
QUALIFY lag(granted) OVER (PARTITION BY customer_id, purpose ORDER BY ts, "@line") IS DISTINCT FROM granted
ORDER BY "@line"
"""

_ALIASES: Final = f"""{_READ}
SELECT min("@line") AS "@line", device_id AS alias_id, user_id AS customer_id, min(ts) AS ts
FROM read WHERE device_id IS NOT NULL AND user_id <> device_id
GROUP BY device_id, user_id ORDER BY "@line"
"""

GA4: Final = Vendor(
    name="ga4",
    title="Google Analytics 4 (BigQuery)",
    source="https://support.google.com/analytics/answer/7029846",
    about=say(
        "Times count microseconds in UTC. Daily tables change for up to three days: load them again, and only"
        " what is new is added. Devices are given to the user who first signed in on them; rows without"
        " user_id and user_pseudo_id belong to nobody and are left out. In-app purchases are events, not"
        " orders."
    ),
    columns=(
        "event_timestamp",
        "event_name",
        "event_params",
        "event_bundle_sequence_id",
        "batch_page_id",
        "batch_ordering_id",
        "batch_event_index",
        "user_id",
        "user_pseudo_id",
        "user_first_touch_timestamp",
        "user_properties",
        "privacy_info",
        "device",
        "geo",
        "traffic_source",
        "collected_traffic_source",
        "session_traffic_source_last_click",
        "ecommerce",
        "items",
    ),
    required=("event_timestamp", "event_name", "event_params", "user_pseudo_id"),
    tables={
        "events": _EVENTS,
        "orders": _ORDERS,
        "order_items": _ORDER_ITEMS,
        "refunds": _REFUNDS,
        "customers": _CUSTOMERS,
        "exposures": _EXPOSURES,
        "consents": _CONSENTS,
        "aliases": _ALIASES,
    },
    extras="events",
    spread={"event_params": "pairs", "user_properties": "pairs"},
    # Addresses and click identifiers lead to a person.
    personal=(
        "page_location",
        "page_referrer",
        "gclid",
        "dclid",
        "wbraid",
        "gbraid",
        "srsltid",
        "email",
        "phone",
    ),
    timezone="UTC",
)
