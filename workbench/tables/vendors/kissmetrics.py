"""Kissmetrics' data export: files `revisions/N.json`, one JSON object a line.

Documents: https://support.kissmetrics.io/docs/data-export (files),
/docs/json-files-as-an-external-data-source-1 (`_p` identity, `_n` event, `_t` time, `_p2` alias; every other
key is a property), /docs/detecting-duplicates, /docs/identities. No record of the export itself is shown in
public; the names are those of the import.

Time: `_t` counts seconds since 1970 in UTC.

Repeats: two rows are the same whose identity, event, time and properties all agree.

Identity: `_p2` is another name of `_p`. Names that Kissmetrics made for somebody unknown (base64, ending in
`=`) become those of the person they are tied to, whichever of the two comes first; two known names are tied
as they stand.
"""

from __future__ import annotations

from typing import Final

from workbench.locale import say
from workbench.tables.vendors import Vendor
from workbench.tables.vendors.purchases import AMOUNTS, NUMBERS, entries, first, is_purchase

_MADE: Final = "'[A-Za-z0-9+/]{16,}={1,2}'"
# The whole row, in an order that does not depend on what other rows of the file hold. Properties may have any
# name: those that SQL needs begin with a sign that none has.
_CONTENT: Final = """list_sort(list_filter(map_entries(TRY_CAST(to_json("@row") AS MAP(VARCHAR, VARCHAR))),
            lambda "@p": "@p".key <> '@line' AND "@p".value IS NOT NULL))"""

_READ: Final = f"""
WITH read AS (
    SELECT "@line", _t AS ts, nullif(trim(_p), '') AS customer_id, nullif(trim(_p2), '') AS other_id,
        nullif(trim(_n), '') AS name, keyed(CAST(to_json({_CONTENT}) AS VARCHAR)) AS event_id,
        {entries('to_json("@row")')} AS found
    FROM raw AS "@row"
)
"""

# A row without an event sets properties of a person: it is kept, since they say what they were from then on.
_EVENTS: Final = f"""{_READ}
SELECT "@line", event_id, customer_id, ts, coalesce(name, 'Set properties') AS name,
    -- an address may carry what a visitor typed, or who they are, behind its question mark
    regexp_replace({first("found", "viewedurl", "url")}, '[?#].*$', '') AS page,
    {first("found", "productid", "sku", "item")} AS item,
    {first("found", "campaignsource")} AS source, {first("found", "campaignmedium")} AS medium,
    {first("found", "campaignname")} AS campaign
FROM read WHERE name IS NOT NULL OR other_id IS NULL
"""

_ORDERS: Final = f"""{_READ}
SELECT "@line", coalesce({first("found", *NUMBERS)}, event_id) AS order_id, customer_id, ts,
    {first("found", *AMOUNTS)} AS revenue, {first("found", "currency", "moneda")} AS currency
FROM read WHERE {is_purchase("name")}
"""

_ALIASES: Final = f"""{_READ}
SELECT "@line", CASE WHEN turned THEN customer_id ELSE other_id END AS alias_id,
    CASE WHEN turned THEN other_id ELSE customer_id END AS customer_id, ts
FROM (
    SELECT *, regexp_full_match(customer_id, {_MADE}) AND NOT regexp_full_match(other_id, {_MADE}) AS turned
    FROM read WHERE other_id IS NOT NULL
)
"""

KISSMETRICS: Final = Vendor(
    name="kissmetrics",
    title="Kissmetrics (data export)",
    source="https://support.kissmetrics.io/docs/data-export",
    about=say(
        "Times count seconds in UTC. Rows with the same person, event, time and properties count once."
        " _p2 ties two names of a person. The export's fields are not documented in public: those of the"
        " import are read. Events called Purchased, Billed or the like become orders, with the amount in"
        " revenue, order total, billing amount, total, amount or value."
    ),
    columns=("_p", "_n", "_t", "_p2"),
    required=("_p", "_t"),
    tables={"events": _EVENTS, "orders": _ORDERS, "aliases": _ALIASES},
    extras="events",
    personal=(
        "url",
        "Viewed URL",
        "Referrer",
        "Email",
        "Email Address",
        "Name",
        "First Name",
        "Last Name",
        "Phone",
    ),
    timezone="UTC",
)
