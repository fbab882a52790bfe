"""Klaviyo: events and people as a warehouse has them, and the pages of its events API.

Documents: https://github.com/fivetran/dbt_klaviyo_source/blob/main/models/src_klaviyo.yml (the warehouse's
tables `event` and `person`), https://developers.klaviyo.com/en/reference/get_events (the API; a page is one
JSON object with `data`, and `included` where `include=metric,profile` was asked for; without it the names of
the events are not in it).

Times: UTC, or counted seconds since 1970.

Repetition: an event by its id; a message by its campaign (else the message of the flow, else the flow) and
its person. The API names the batch a message was sent in, so there a flow's message sent twice is two; a
warehouse does not, and there it is one.

Identity: the e-mail where it is known (people, and profiles of the API), with the person's id as an alias.

The table `campaign` fills no standard table: a campaign is known by the messages that bear its id.
"""

from __future__ import annotations

from typing import Final

from workbench.locale import say
from workbench.tables.vendors import FILLED, Vendor

_SENT = "('Received Email', 'Received SMS', 'Bounced Email')"
_ANSWERS = {
    "Opened Email": "open",
    "Clicked Email": "click",
    "Clicked SMS": "click",
    "Bounced Email": "bounce",
    "Marked Email as Spam": "complaint",
    "Unsubscribed": "unsubscribe",
    "Unsubscribed from Email Marketing": "unsubscribe",
    "Unsubscribed from SMS Marketing": "unsubscribe",
}
_ANSWER = (
    "CASE type " + " ".join(f"WHEN '{name}' THEN '{type_}'" for name, type_ in _ANSWERS.items()) + " END"
)
_CHANNEL = "CASE WHEN type LIKE '%SMS%' THEN 'sms' ELSE 'email' END"
_CHANGE = """CASE WHEN type LIKE 'Subscribed to %' THEN 'subscribe'
                  WHEN type = 'Unsubscribed' OR type LIKE 'Unsubscribed from %' THEN 'unsubscribe' END"""


def _tables(events: str) -> dict[str, str]:
    """The standard tables of events.

    Args:
        events: SQL for rows of `"@line"`, id, type, person, ts, message (what was sent), send (one sending of
            it to the person), variation, value and link.
    """
    return {
        "events": f"""
            SELECT "@line", id AS event_id, person AS customer_id, ts, type AS name, value, message AS item
            FROM {events}
        """,
        # what bounced was sent but never received
        "sends": f"""
            SELECT "@line", send AS send_id, message AS campaign_id, person AS customer_id,
                {_CHANNEL} AS channel, ts,
                CASE WHEN type = 'Bounced Email' THEN 'no' ELSE 'yes' END AS delivered
            FROM {events} WHERE type IN {_SENT} ORDER BY type = 'Bounced Email', "@line"
        """,
        # who unsubscribes on a page unsubscribes from no message
        "send_events": f"""
            SELECT "@line", send AS send_id, {_ANSWER} AS type, ts, link, {_CHANNEL} AS medium
            FROM {events} WHERE {_ANSWER} <> 'unsubscribe' OR ({_ANSWER} = 'unsubscribe' AND send IS NOT NULL)
        """,
        "subscriptions": f"""
            SELECT "@line", person AS customer_id, ts, {_CHANGE} AS action, {_CHANNEL} AS medium,
                'Klaviyo event ' || id AS evidence
            FROM {events} WHERE {_CHANGE} IS NOT NULL
        """,
        "consents": f"""
            SELECT "@line", person AS customer_id, {_CHANNEL} || ' marketing' AS purpose,
                CASE WHEN {_CHANGE} = 'subscribe' THEN 'yes' ELSE 'no' END AS granted, ts,
                'Klaviyo' AS source
            FROM {events} WHERE type LIKE '%ubscribed % Marketing' OR type = 'Unsubscribed'
        """,
        # only those who were sent it: openers are no sample of them
        "exposures": f"""
            SELECT "@line", person AS customer_id, message AS experience_id, variation AS variant, ts,
                'unknown' AS assignment, {_CHANNEL} AS type
            FROM {events} WHERE variation IS NOT NULL AND type IN {_SENT}
        """,
    }


_ABOUT = say(
    "A row is an event; times are in UTC. All become events; messages received or bounced become"
    " sends, and opened, clicked, bounced, reported or unsubscribed what came of them; subscriptions"
    " become changes and consents; variations of those who were sent a message become exposures. How"
    " Klaviyo picked a variation is not in the file: it is random only until a winner is sent to the"
    " rest, so say it when you know it. Placed orders stay events: load orders from the shop."
)

KLAVIYO_EVENTS: Final = Vendor(
    name="klaviyo-events",
    title="Klaviyo events (warehouse)",
    source="https://github.com/fivetran/dbt_klaviyo_source/blob/main/models/src_klaviyo.yml",
    about=_ABOUT,
    columns=(
        "id",
        "uuid",
        "type",
        "metric_id",
        "person_id",
        "campaign_id",
        "flow_id",
        "flow_message_id",
        "_variation",
        "datetime",
        "timestamp",
        "property_value",
        "property_url",
        "_fivetran_deleted",
        "_fivetran_synced",
    ),
    required=("uuid", "type", "metric_id", "person_id"),
    tables=_tables(f"""
        (SELECT "@line", coalesce(id, uuid) AS id, type, person_id AS person,
            coalesce("timestamp", "datetime") AS ts, property_value AS value, property_url AS link,
            _variation AS variation, coalesce(campaign_id, flow_message_id, flow_id) AS message,
            message || ':' || person_id AS send
        FROM {FILLED} WHERE lower(_fivetran_deleted) IS DISTINCT FROM 'true')
    """),
    extras="events",
    personal=("property_recipient_email_address", "property_email", "property_ip", "property_from_email"),
    timezone="UTC",
)

_PAGES = f"""
    (SELECT "@line", coalesce(from_json(TRY_CAST(data AS JSON), '["JSON"]'), [NULL]) AS data,
        from_json(TRY_CAST(included AS JSON), '["JSON"]') AS included
    FROM {FILLED})
"""
_IN_PAGES = f"""
    (SELECT "@line", event->>'$.id' AS id, event->'$.attributes' AS attributes,
        event->'$.relationships' AS relationships
    FROM (SELECT "@line", unnest(data) AS event FROM {_PAGES}))
"""
_BESIDE = f"""
    (SELECT other->>'$.type' AS kind, other->>'$.id' AS id,
        any_value(coalesce(other->>'$.attributes.name', other->>'$.attributes.email')) AS name
    FROM (SELECT unnest(included) AS other FROM {_PAGES}) GROUP BY ALL)
"""
_ALONE = f"""
    (SELECT "@line", id, TRY_CAST(attributes AS JSON) AS attributes,
        TRY_CAST(relationships AS JSON) AS relationships
    FROM {FILLED} WHERE type = 'event')
"""


def _events(rows: str, beside: str) -> str:
    """SQL for the rows that `_tables` wants.

    Args:
        rows: SQL for events of the API: `"@line"`, id, and JSON of attributes and relationships.
        beside: SQL for kind, id and name of the metrics and profiles that the events point to.
    """
    return f"""
        (WITH beside AS (FROM {beside}),
        events AS (
            SELECT *, attributes->'$.event_properties' AS properties,
                relationships->>'$.profile.data.id' AS profile, relationships->>'$.metric.data.id' AS metric
            FROM {rows})
        SELECT "@line", e.id, coalesce(m.name, metric) AS type, profile, p.name AS email,
            coalesce(p.name, profile) AS person,
            coalesce(attributes->>'$.timestamp', attributes->>'$.datetime') AS ts,
            properties->>'$."$value"' AS value, properties->>'$.URL' AS link,
            properties->>'$."$variation"' AS variation,
            coalesce(properties->>'$."$message"', properties->>'$."$flow"') AS message,
            coalesce(properties->>'$."$_cohort$message_send_cohort"', message) || ':' || profile AS send
        FROM events AS e LEFT JOIN beside AS m ON m.kind = 'metric' AND m.id = metric
            LEFT JOIN beside AS p ON p.kind = 'profile' AND p.id = profile)
    """


KLAVIYO_API_EVENTS: Final = Vendor(
    name="klaviyo-api-events",
    title="Klaviyo events (API)",
    source="https://developers.klaviyo.com/en/reference/get_events",
    about=_ABOUT,
    columns=("data", "included"),
    required=("data", "included", "links"),
    tables={
        **_tables(_events(_IN_PAGES, _BESIDE)),
        "aliases": f"""
            SELECT min("@line") AS "@line", profile AS alias_id, email AS customer_id
            FROM {_events(_IN_PAGES, _BESIDE)}
            WHERE profile IS NOT NULL AND email IS NOT NULL GROUP BY ALL
        """,
    },
    timezone="UTC",
)

KLAVIYO_API_RECORDS: Final = Vendor(
    name="klaviyo-api-records",
    title="Klaviyo events (API, without what they point to)",
    source="https://developers.klaviyo.com/en/reference/get_events",
    about=say(
        "Events of the API one by one bear the number of their metric but not its name, so they become"
        " events named by that number, and no messages. For messages save whole pages of the API, one"
        " a line, asked for with include=metric,profile."
    ),
    columns=("type", "id", "attributes", "relationships"),
    required=("type", "id", "attributes", "relationships"),
    tables={
        "events": _tables(_events(_ALONE, "(SELECT NULL AS kind, NULL AS id, NULL AS name)"))["events"],
    },
    timezone="UTC",
)

KLAVIYO_PEOPLE: Final = Vendor(
    name="klaviyo-people",
    title="Klaviyo people (warehouse)",
    source="https://github.com/fivetran/dbt_klaviyo_source/blob/main/models/src_klaviyo.yml",
    about=say(
        "A row is a person, known by the e-mail, with Klaviyo's id as an alias so that its events"
        " find them. The newest cells win. Names, telephones and addresses are not kept; further"
        " columns become attributes."
    ),
    columns=(
        "id",
        "email",
        "created",
        "country",
        "region",
        "city",
        "updated",
        "_fivetran_deleted",
        "_fivetran_synced",
    ),
    required=(
        "id",
        "email",
        "created",
        "first_name",
        "last_name",
        "phone_number",
        "organization",
        "timezone",
    ),
    tables={
        "customers": f"""
            SELECT "@line", coalesce(email, id) AS customer_id, created AS first_seen, country, region, city
            FROM {FILLED} WHERE lower(_fivetran_deleted) IS DISTINCT FROM 'true' ORDER BY updated, "@line"
        """,
        "aliases": f"""
            SELECT "@line", id AS alias_id, email AS customer_id
            FROM {FILLED}
            WHERE id IS NOT NULL AND email IS NOT NULL AND lower(_fivetran_deleted) IS DISTINCT FROM 'true'
        """,
    },
    extras="customers",
    personal=(
        "address_1",
        "address_2",
        "zip",
        "first_name",
        "last_name",
        "latitude",
        "longitude",
        "organization",
        "phone_number",
        "title",
        "image",
        "external_id",
    ),
    timezone="UTC",
)
