"""Optimizely's Experimentation Events Export: decisions and conversions, each in its own Parquet files.

Documents: https://docs.developers.optimizely.com/experimentation-data/docs/
(experimentation-events-data-specification, bigquery-data-specification, example-bigquery-queries); for
amounts https://docs.developers.optimizely.com/web/docs/event: the tag `revenue` is a whole number of
hundredths of the currency's unit ("$75.02" is 7502), and the column `revenue` holds that tag. It is divided
by 100 here; the column `value` is a number of the shop's own and stays as it is.

Time: `timestamp` is UTC, as a Parquet time or in milliseconds since 1970; `process_timestamp`, by which the
files are parted, is when a server saw the event, and is not used.

Repeats: `uuid` tells an event from others.

Held back: a decision with `is_holdback` says which variation a visitor would have had, but was not shown. The
results page leaves such visitors out. Here they are an arm of their own, `holdback`, not delivered: chance
put them there, so that they can be held against those who were shown something, and they stand in nobody's
way.

Decisions without an experiment count a campaign's reach and are left out. The experiments that a conversion
names are not read as exposures: who did not convert would be missing among them.
"""

from __future__ import annotations

from typing import Final

from workbench.locale import say
from workbench.tables.vendors import Vendor

_SPECIFICATION: Final = "https://docs.developers.optimizely.com/experimentation-data/docs/experimentation-events-data-specification"
# What all files have, the names of the folders they lie in included; not all of it is of use.
_HEAD: Final = (
    "uuid",
    "timestamp",
    "process_timestamp",
    "visitor_id",
    "session_id",
    "account_id",
    "attributes",
    "revision",
    "client_engine",
    "client_version",
    "type",
    "date",
)
_NEVER: Final = ("user_ip", "user_agent", "referer")

_HELD_BACK: Final = "coalesce(lower(is_holdback) IN ('true', '1'), false)"

_EXPOSURES: Final = f"""
SELECT "@line", visitor_id AS customer_id, experiment_id AS experience_id,
    CASE WHEN {_HELD_BACK} THEN 'holdback' ELSE variation_id END AS variant,
    timestamp AS ts, 'random' AS assignment, CASE WHEN {_HELD_BACK} THEN 'false' ELSE 'true' END AS delivered
FROM raw WHERE nullif(experiment_id, '') IS NOT NULL OR nullif(campaign_id, '') IS NULL
"""

# Attributes of a visitor are kept with the visitor.
_CUSTOMERS: Final = """
SELECT "@line", visitor_id AS customer_id FROM raw WHERE nullif(trim(visitor_id), '') IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY visitor_id ORDER BY timestamp DESC, "@line" DESC) = 1
ORDER BY "@line"
"""

_EVENTS: Final = """
SELECT "@line", uuid AS event_id, visitor_id AS customer_id, session_id, timestamp AS ts, event_name AS name,
    value, quantity
FROM raw
"""

# What is no number stays as it is, to be refused by its line.
_ORDERS: Final = """
SELECT "@line", coalesce(tags->>'$.order_id', tags->>'$.transaction_id', uuid) AS order_id, customer_id, ts,
    coalesce(CAST(TRY_CAST(revenue AS DOUBLE) / 100 AS VARCHAR), revenue) AS revenue,
    tags->>'$.currency' AS currency
FROM (
    SELECT "@line", uuid, visitor_id AS customer_id, timestamp AS ts, nullif(trim(revenue), '') AS revenue,
        TRY_CAST(tags AS JSON) AS tags
    FROM raw
)
WHERE revenue IS NOT NULL AND TRY_CAST(revenue AS DOUBLE) IS DISTINCT FROM 0
"""

OPTIMIZELY_DECISIONS: Final = Vendor(
    name="optimizely-decisions",
    title="Optimizely (decisions)",
    source=_SPECIFICATION,
    about=say(
        "Times are UTC. Each decision is an exposure, put there by chance. Visitors who were held back are an"
        " arm of their own, “holdback”. Load the conversions, too."
    ),
    columns=(*_HEAD, "campaign_id", "experiment_id", "variation_id", "is_holdback", "experiment"),
    required=("uuid", "visitor_id", "experiment_id", "variation_id", "is_holdback"),
    tables={"exposures": _EXPOSURES, "customers": _CUSTOMERS},
    extras="customers",
    spread={"attributes": "pairs"},
    personal=_NEVER,
    timezone="UTC",
)

OPTIMIZELY_CONVERSIONS: Final = Vendor(
    name="optimizely-conversions",
    title="Optimizely (conversions)",
    source=_SPECIFICATION,
    about=say(
        "Times are UTC. Events with the same uuid count once. Revenue is given in hundredths and divided by"
        " 100; every event with revenue is an order, too. Load the decisions, too: they say who saw what."
    ),
    columns=(
        *_HEAD,
        "experiments",
        "entity_id",
        "event_name",
        "revenue",
        "value",
        "quantity",
        "tags",
        "event",
    ),
    required=("uuid", "visitor_id", "entity_id", "event_name"),
    tables={"events": _EVENTS, "orders": _ORDERS},
    extras="events",
    spread={"tags": "object"},
    personal=_NEVER,
    timezone="UTC",
)
