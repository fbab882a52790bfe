"""Mailchimp: recipients, activity, unsubscribes and members of a warehouse, and the export of an audience.

Documents: https://github.com/fivetran/dbt_mailchimp_source/blob/main/models/src_mailchimp.yml (the
warehouse's tables), https://mailchimp.com/help/view-export-contacts/ (the audience: one file each of
subscribed, unsubscribed and cleaned contacts). The headers of the audience in capitals were seen in several
public importers; those of its own fields are whatever the audience calls them.

Times: UTC in the warehouse. The audience's files do not say which zone theirs are in; give it when you load.

Repetition: a message by campaign and member; what came of it is left out where every cell is the same.

Identity: a member is the MD5 of the e-mail in lower case
(https://mailchimp.com/developer/marketing/docs/methods-parameters/). Members and the audience have both, so
they give the alias that ties the two.

`campaign_recipient` has no time, and a message needs one: export it with the campaign's, `SELECT r.*,
c.send_time FROM campaign_recipient r JOIN campaign c ON c.id = r.campaign_id`. The table `campaign` by itself
fills no standard table.
"""

from __future__ import annotations

from typing import Final

from workbench.locale import say
from workbench.tables.vendors import FILLED, Vendor

_WAREHOUSE = "https://github.com/fivetran/dbt_mailchimp_source/blob/main/models/src_mailchimp.yml"
_ALIVE = "lower(_fivetran_deleted) IS DISTINCT FROM 'true'"
_SEND = "keyed(campaign_id || ':' || member_id)"

MAILCHIMP_RECIPIENTS: Final = Vendor(
    name="mailchimp-recipients",
    title="Mailchimp recipients (warehouse)",
    source=_WAREHOUSE,
    about=say(
        "A row is a message sent. The table has no time: export it joined with the send_time of its"
        " campaign, or its rows are left out as messages. A combination becomes an exposure to a"
        " variant of the campaign. How it was picked is not in the file: it is random only until a"
        " winner is sent to the rest, so say it when you know it."
    ),
    columns=(
        "campaign_id",
        "member_id",
        "combination_id",
        "list_id",
        "send_time",
        "subject_line",
        "_fivetran_synced",
    ),
    required=("campaign_id", "member_id", "combination_id", "list_id"),
    tables={
        "sends": f"""
            SELECT "@line", {_SEND} AS send_id, campaign_id, member_id AS customer_id, 'email' AS channel,
                send_time AS ts, subject_line AS topic
            FROM {FILLED}
        """,
        "exposures": f"""
            SELECT "@line", member_id AS customer_id, campaign_id AS experience_id, combination_id AS variant,
                send_time AS ts, 'unknown' AS assignment, 'email' AS type
            FROM {FILLED} WHERE combination_id IS NOT NULL
        """,
    },
    timezone="UTC",
    synonyms={
        "send_time": ("send_timestamp", "campaign send time", "sent_at"),
        "subject_line": ("subject", "title"),
    },
)

MAILCHIMP_ACTIVITY: Final = Vendor(
    name="mailchimp-activity",
    title="Mailchimp activity (warehouse)",
    source=_WAREHOUSE,
    about=say(
        "A row is an open, a click or a bounce of a message, which is known by its campaign and"
        " member. Rows that are equal are one. Combinations are taken from the recipients only: those"
        " who act are no sample of those who were sent it."
    ),
    columns=("campaign_id", "member_id", "list_id", "action", "timestamp", "url"),
    required=("campaign_id", "member_id", "action", "timestamp"),
    tables={
        "send_events": f"""
            SELECT "@line", {_SEND} AS send_id, action AS type, "timestamp" AS ts, url AS link,
                'email' AS medium
            FROM {FILLED}
        """,
    },
    personal=("ip",),
    timezone="UTC",
)

MAILCHIMP_UNSUBSCRIBES: Final = Vendor(
    name="mailchimp-unsubscribes",
    title="Mailchimp unsubscribes (warehouse)",
    source=_WAREHOUSE,
    about=say(
        "A row is a member who left, with the reason. It becomes a change of subscription, a consent"
        " withdrawn and, where a campaign is named, something that came of its message."
    ),
    columns=("campaign_id", "member_id", "list_id", "reason", "timestamp"),
    required=("member_id", "list_id", "reason", "timestamp"),
    tables={
        "send_events": f"""
            SELECT "@line", {_SEND} AS send_id, 'unsubscribe' AS type, "timestamp" AS ts, 'email' AS medium
            FROM {FILLED} WHERE campaign_id IS NOT NULL
        """,
        "subscriptions": f"""
            SELECT "@line", member_id AS customer_id, "timestamp" AS ts, 'unsubscribe' AS action, reason,
                'email' AS medium, 'Mailchimp list ' || list_id AS evidence
            FROM {FILLED}
        """,
        "consents": f"""
            SELECT "@line", member_id AS customer_id, 'email marketing' AS purpose, 'no' AS granted,
                "timestamp" AS ts, 'Mailchimp' AS source
            FROM {FILLED}
        """,
    },
    timezone="UTC",
)

_MEMBER = 'md5(lower("Email Address"))'

MAILCHIMP_AUDIENCE: Final = Vendor(
    name="mailchimp-audience",
    title="Mailchimp audience (CSV)",
    source="https://mailchimp.com/help/view-export-contacts/",
    about=say(
        "A row is a contact of a file of subscribed, unsubscribed or cleaned contacts; load all"
        " three. Its own fields, rating and tags become attributes of the customer. Opting in, leaving"
        " (with the reason) and bouncing become changes of subscription, consents and what came of the"
        " campaign that is named. Times bear no zone."
    ),
    columns=(
        "Email Address",
        "OPTIN_TIME",
        "CONFIRM_TIME",
        "CC",
        "REGION",
        "UNSUB_TIME",
        "UNSUB_CAMPAIGN_ID",
        "UNSUB_REASON",
        "UNSUB_REASON_OTHER",
        "CLEAN_TIME",
        "CLEAN_CAMPAIGN_ID",
    ),
    required=("Email Address", "MEMBER_RATING", "OPTIN_TIME", "LEID", "EUID"),
    tables={
        "customers": f"""
            SELECT "@line", "Email Address" AS customer_id, coalesce(OPTIN_TIME, CONFIRM_TIME) AS signed_up,
                CC AS country, REGION AS region
            FROM {FILLED}
        """,
        "subscriptions": f"""
            SELECT "@line", "Email Address" AS customer_id, coalesce(CONFIRM_TIME, OPTIN_TIME) AS ts,
                'subscribe' AS action, NULL AS reason, NULL AS medium,
                CASE WHEN CONFIRM_TIME IS NULL THEN 'Mailchimp opt-in'
                     ELSE 'Mailchimp confirmation' END AS evidence
            FROM {FILLED} WHERE coalesce(CONFIRM_TIME, OPTIN_TIME) IS NOT NULL
            UNION ALL
            SELECT "@line", "Email Address", UNSUB_TIME, 'unsubscribe',
                coalesce(UNSUB_REASON_OTHER, UNSUB_REASON),
                CASE WHEN UNSUB_CAMPAIGN_ID IS NOT NULL THEN 'email' END, 'Mailchimp'
            FROM {FILLED} WHERE UNSUB_TIME IS NOT NULL
        """,
        "consents": f"""
            SELECT "@line", "Email Address" AS customer_id, 'email marketing' AS purpose, 'yes' AS granted,
                coalesce(CONFIRM_TIME, OPTIN_TIME) AS ts, 'Mailchimp' AS source
            FROM {FILLED} WHERE coalesce(CONFIRM_TIME, OPTIN_TIME) IS NOT NULL
            UNION ALL
            SELECT "@line", "Email Address", 'email marketing', 'no', UNSUB_TIME, 'Mailchimp'
            FROM {FILLED} WHERE UNSUB_TIME IS NOT NULL
        """,
        "send_events": f"""
            SELECT "@line", keyed(UNSUB_CAMPAIGN_ID || ':' || {_MEMBER}) AS send_id, 'unsubscribe' AS type,
                UNSUB_TIME AS ts, 'email' AS medium
            FROM {FILLED} WHERE UNSUB_CAMPAIGN_ID IS NOT NULL AND UNSUB_TIME IS NOT NULL
            UNION ALL
            SELECT "@line", keyed(CLEAN_CAMPAIGN_ID || ':' || {_MEMBER}), 'bounce', CLEAN_TIME, 'email'
            FROM {FILLED} WHERE CLEAN_CAMPAIGN_ID IS NOT NULL AND CLEAN_TIME IS NOT NULL
        """,
        "aliases": f"""
            SELECT "@line", {_MEMBER} AS alias_id, "Email Address" AS customer_id
            FROM {FILLED} WHERE "Email Address" IS NOT NULL
        """,
    },
    extras="customers",
    personal=(
        "First Name",
        "Last Name",
        "Name",
        "Address",
        "Phone Number",
        "Birthday",
        "Nombre",
        "Apellidos",
        "Dirección",
        "Teléfono",
        "OPTIN_IP",
        "CONFIRM_IP",
        "LATITUDE",
        "LONGITUDE",
        "LEID",
        "EUID",
        "NOTES",
    ),
)

MAILCHIMP_MEMBERS: Final = Vendor(
    name="mailchimp-members",
    title="Mailchimp members (warehouse)",
    source=_WAREHOUSE,
    about=say(
        "A row is a member of a list, known by the e-mail, with Mailchimp's id as an alias so that"
        " its messages find it. The status becomes a consent. Rating, language and fields of the"
        " audience become attributes."
    ),
    columns=(
        "id",
        "email_address",
        "status",
        "list_id",
        "timestamp_signup",
        "timestamp_opt",
        "last_changed",
        "country_code",
        "_fivetran_deleted",
        "_fivetran_synced",
    ),
    required=("id", "email_address", "status", "list_id", "timestamp_opt"),
    tables={
        "customers": f"""
            SELECT "@line", coalesce(email_address, id) AS customer_id,
                coalesce(timestamp_signup, timestamp_opt) AS signed_up, country_code AS country
            FROM {FILLED} WHERE {_ALIVE} ORDER BY last_changed, "@line"
        """,
        "consents": f"""
            SELECT "@line", coalesce(email_address, id) AS customer_id, 'email marketing' AS purpose,
                CASE status WHEN 'subscribed' THEN 'yes' ELSE 'no' END AS granted,
                CASE status WHEN 'subscribed' THEN timestamp_opt ELSE last_changed END AS ts,
                'Mailchimp' AS source
            FROM {FILLED} WHERE {_ALIVE} AND status IN ('subscribed', 'unsubscribed')
        """,
        "aliases": f"""
            SELECT "@line", id AS alias_id, email_address AS customer_id
            FROM {FILLED} WHERE {_ALIVE} AND id IS NOT NULL AND email_address IS NOT NULL
        """,
    },
    extras="customers",
    personal=(
        "ip_opt",
        "ip_signup",
        "latitude",
        "longitude",
        "unique_email_id",
        "web_id",
        "merge_fname",
        "merge_lname",
        "merge_address",
        "merge_phone",
        "merge_birthday",
    ),
    timezone="UTC",
)
