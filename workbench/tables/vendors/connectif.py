"""Connectif's exports: contacts, purchases and activities.

Documents: https://support.connectif.ai/hc/en-us/articles/23243787114524-Versions-of-the-Contact-Export-API
(what each version added), https://api-docs.connectif.cloud/connectif-api/resources/contact and …/purchase
(the fields), https://support.connectif.ai/hc/en-us/articles/360016806179 (the types of activities). None of
them lists the headers of the files, and these change with the language of the account. The names here are
those documents', with the API's identifiers and a Spanish wording as synonyms; any other header is mapped
once by hand and kept as a recipe.

Times: ISO 8601; days as `yyyy-mm-dd`. Several values in one cell are parted by `|` and stay so.

Repetition: a contact by its identity, the newest cells win; a purchase by its number; a message by its
content and contact, so a content that a workflow sends twice to somebody is one message; an activity by
contact, type and time.

Identity: the e-mail, else Connectif's contact id. Where a row has both, and where contacts were merged, the
other identifier becomes an alias.
"""

from __future__ import annotations

from typing import Final

from workbench.locale import say
from workbench.tables.vendors import FILLED, Vendor

_SOURCE = "https://support.connectif.ai/hc/en-us/articles/23243787114524-Versions-of-the-Contact-Export-API"
_CUSTOMER = 'coalesce("Email", "Contact ID")'

_WHO = {
    "Contact ID": ("id", "_id", "ID de contacto", "Identificador del contacto", "contactId"),
    "Email": ("_email", "Correo electrónico", "E-mail", "contactEmail", "Email del contacto"),
}
_PRIVATE = {
    "First name": ("_name", "Name", "Nombre"),
    "Last name": ("_surname", "Surname", "Apellidos", "Apellido"),
    "Date of birth": ("_birthdate", "Birthdate", "Fecha de nacimiento"),
    "Mobile phone": ("_mobilePhone", "Phone", "Teléfono móvil", "Móvil", "Teléfono"),
    "IP of the last newsletter subscription": ("IP de la última suscripción a la newsletter",),
    "IP of the last newsletter unsubscription": (
        "_emailLastUnsubscribedIp",
        "Last unsubscribed IP",
        "IP de la última baja de la newsletter",
    ),
}
_SALE = {
    "Purchase ID": ("purchaseId", "ID de compra", "Número de compra"),
    "Total price": ("totalPrice", "Total amount", "Precio total", "Importe total"),
    "Currency": ("Moneda", "Divisa"),
    "Workflow name": ("workflowName", "Nombre del workflow"),
}

_ALIASES = f"""
    SELECT min("@line") AS "@line", "Contact ID" AS alias_id, "Email" AS customer_id
    FROM {FILLED} WHERE "Contact ID" IS NOT NULL AND "Email" IS NOT NULL GROUP BY ALL
"""


def _orders(ts: str, of: str = "true") -> str:
    """The orders of an export whose purchases are the rows `of`, with their time in the column `ts`."""
    return f"""
        SELECT "@line", "Purchase ID" AS order_id, {_CUSTOMER} AS customer_id, {ts} AS ts,
            "Total price" AS revenue, "Currency" AS currency
        FROM {FILLED} WHERE {of}
    """


def _status(column: str, purpose: str, since: str, until: str, source: str) -> str:
    """The consent that a status of subscription states."""
    return f"""
        SELECT "@line", {_CUSTOMER} AS customer_id, '{purpose}' AS purpose,
            CASE WHEN given THEN 'yes' ELSE 'no' END AS granted,
            CASE WHEN given THEN {since} ELSE {until} END AS ts, {source} AS source
        FROM (SELECT *, CASE WHEN lower("{column}") IN ('subscribed', 'suscrito', 'suscrita') THEN true
                             WHEN lower("{column}") IN ('unsubscribed', 'baja', 'dado de baja') THEN false
                        END AS given
              FROM {FILLED})
        WHERE given IS NOT NULL
    """


_SUBSCRIBED = '"Date of last newsletter subscription"'
_UNSUBSCRIBED = '"Date of last newsletter unsubscription"'
_SUBSCRIBED_BY = '"Origin of the last newsletter subscription"'
_UNSUBSCRIBED_BY = '"Origin of the last newsletter unsubscription"'

CONNECTIF_CONTACTS: Final = Vendor(
    name="connectif-contacts",
    title="Connectif contacts",
    source=_SOURCE,
    about=say(
        "A row is a contact; all of its own fields become attributes of the customer, several values"
        " in one cell parted by | as they are. The last subscription and the last unsubscription"
        " become changes of subscription, with their origin as the medium; the status becomes a"
        " consent. Customers are known by the e-mail, else by Connectif's id. The headers of the file"
        " change with the language of the account and no list of them is public: map those that are"
        " not recognised once, and keep that as a recipe."
    ),
    columns=(
        "Contact ID",
        "Email",
        "Newsletter subscription status",
        "SMS subscription status",
        "Created at",
        "Date of last newsletter subscription",
        "Origin of the last newsletter subscription",
        "Date of last newsletter unsubscription",
        "Origin of the last newsletter unsubscription",
        "Country",
        "Region",
        "City",
    ),
    required=("Email", "Newsletter subscription status"),
    tables={
        "customers": f"""
            SELECT "@line", {_CUSTOMER} AS customer_id, "Created at" AS first_seen, "Country" AS country,
                "Region" AS region, "City" AS city
            FROM {FILLED}
        """,
        "subscriptions": f"""
            SELECT "@line", {_CUSTOMER} AS customer_id, {_SUBSCRIBED} AS ts, 'subscribe' AS action,
                {_SUBSCRIBED_BY} AS medium, 'Connectif' AS evidence
            FROM {FILLED} WHERE {_SUBSCRIBED} IS NOT NULL
            UNION ALL
            SELECT "@line", {_CUSTOMER}, {_UNSUBSCRIBED}, 'unsubscribe', {_UNSUBSCRIBED_BY}, 'Connectif'
            FROM {FILLED} WHERE {_UNSUBSCRIBED} IS NOT NULL
        """,
        "consents": _status(
            "Newsletter subscription status",
            "newsletter",
            _SUBSCRIBED,
            _UNSUBSCRIBED,
            f"coalesce(CASE WHEN given THEN {_SUBSCRIBED_BY} ELSE {_UNSUBSCRIBED_BY} END, 'Connectif')",
        )
        + " UNION ALL "
        + _status("SMS subscription status", "sms", "NULL", "NULL", "'Connectif'"),
        "aliases": _ALIASES,
    },
    extras="customers",
    personal=tuple(_PRIVATE),
    synonyms={
        **_WHO,
        **_PRIVATE,
        "Newsletter subscription status": (
            "_newsletterSubscriptionStatus",
            "Estado de suscripción a la newsletter",
            "Estado de la suscripción a newsletter",
        ),
        "SMS subscription status": ("_smsSubscriptionStatus", "Estado de suscripción a SMS"),
        "Created at": ("_createdAt", "Creation date", "Fecha de creación"),
        "Date of last newsletter subscription": (
            "_emailLastSubscribedDate",
            "Fecha de la última suscripción a la newsletter",
        ),
        "Origin of the last newsletter subscription": ("Origen de la última suscripción a la newsletter",),
        "Date of last newsletter unsubscription": (
            "_emailLastUnsubscribedDate",
            "Last unsubscribed date",
            "Fecha de la última baja de la newsletter",
            "Fecha de la última desuscripción de la newsletter",
        ),
        "Origin of the last newsletter unsubscription": (
            "Origen de la última baja de la newsletter",
            "Origen de la última desuscripción de la newsletter",
        ),
        "Country": ("País",),
        "Region": ("Provincia", "Región"),
        "City": ("Ciudad",),
    },
)

CONNECTIF_PURCHASES: Final = Vendor(
    name="connectif-purchases",
    title="Connectif purchases",
    source=_SOURCE,
    about=say(
        "A row is a purchase. It becomes an order and an event of the name purchase, which keeps what"
        " Connectif credits it to (content, workflow, confidence, scenario). Purchases are known by"
        " their number; customers by the e-mail, else by Connectif's id. The products of a purchase"
        " are not read, since the form that they have in the file is not documented."
    ),
    columns=(
        "Contact ID",
        "Email",
        "Purchase ID",
        "Purchase date",
        "Total price",
        "Currency",
        "Workflow name",
    ),
    required=("Purchase ID", "Purchase date", "Total price"),
    tables={
        "orders": _orders('"Purchase date"'),
        "events": f"""
            SELECT "@line", 'connectif:purchase:' || "Purchase ID" AS event_id, {_CUSTOMER} AS customer_id,
                "Purchase date" AS ts, 'purchase' AS name, "Purchase ID" AS item, "Total price" AS value,
                "Workflow name" AS campaign
            FROM {FILLED}
        """,
        "aliases": _ALIASES,
    },
    extras="events",
    personal=tuple(_PRIVATE),
    synonyms={
        **_WHO,
        **_PRIVATE,
        **_SALE,
        "Purchase date": ("purchaseDate", "Fecha de compra", "Date", "Fecha"),
    },
)

_ANSWERS = {
    "email-opened": "open",
    "email-link-clicked": "click",
    "email-unsubscribed": "unsubscribe",
    "email-bounce": "bounce",
    "email-spam-report": "complaint",
}
_ANSWER = (
    'CASE lower("Activity type") '
    + " ".join(f"WHEN '{activity}' THEN '{answer}'" for activity, answer in _ANSWERS.items())
    + " END"
)
_SEND = """keyed("Content ID" || ':' || coalesce("Contact ID", "Email"))"""
_CHANGED = """lower("Activity type") IN ('newsletter-subscribe', 'email-unsubscribed')"""
_JOINED = """lower("Activity type") = 'newsletter-subscribe'"""

CONNECTIF_ACTIVITIES: Final = Vendor(
    name="connectif-activities",
    title="Connectif activities",
    source="https://support.connectif.ai/hc/en-us/articles/360016806179-Events-that-use-up-your-Activity-allowance",
    about=say(
        "A row is an activity of a contact. All become events; purchases become orders too, e-mails"
        " sent, opened, clicked, bounced, reported or unsubscribed from become messages and what came"
        " of them, subscriptions become changes and consents, and merged contacts become aliases. The"
        " types are those Connectif documents; its documents list only some of the columns of the"
        " file."
    ),
    columns=(
        "Activity type",
        "Activity date",
        "Contact ID",
        "Email",
        "Previous contact ID",
        "Purchase ID",
        "Total price",
        "Currency",
        "Content ID",
        "Content name",
        "Email type",
        "Link",
        "Workflow name",
    ),
    required=("Activity type", "Activity date", "Contact ID"),
    tables={
        "events": f"""
            SELECT "@line",
                CASE WHEN lower("Activity type") = 'purchase' AND "Purchase ID" IS NOT NULL
                     THEN 'connectif:purchase:' || "Purchase ID"
                     ELSE 'connectif:' || keyed(concat_ws(chr(31), "Activity type", "Activity date",
                              coalesce("Contact ID", "Email"), coalesce("Content ID", ''), "Link")) END
                    AS event_id,
                {_CUSTOMER} AS customer_id, "Activity date" AS ts, lower("Activity type") AS name,
                coalesce("Content ID", "Purchase ID") AS item, "Total price" AS value,
                "Workflow name" AS campaign
            FROM {FILLED}
        """,
        "orders": _orders('"Activity date"', """lower("Activity type") = 'purchase'"""),
        "sends": f"""
            SELECT "@line", {_SEND} AS send_id, "Content ID" AS campaign_id, {_CUSTOMER} AS customer_id,
                'email' AS channel, "Activity date" AS ts, "Content name" AS topic,
                CASE WHEN lower("Email type") = 'newsletter' THEN 'commercial'
                     WHEN lower("Email type") IN ('transactional', 'transaccional') THEN 'informational'
                END AS kind
            FROM {FILLED} WHERE lower("Activity type") IN ('email-sent', 'email-sent-alert')
        """,
        "send_events": f"""
            SELECT "@line", {_SEND} AS send_id, {_ANSWER} AS type, "Activity date" AS ts, "Link" AS link,
                'email' AS medium
            FROM {FILLED} WHERE {_ANSWER} IS NOT NULL
        """,
        "subscriptions": f"""
            SELECT "@line", {_CUSTOMER} AS customer_id, "Activity date" AS ts,
                CASE WHEN {_JOINED} THEN 'subscribe' ELSE 'unsubscribe' END AS action,
                CASE WHEN {_JOINED} THEN NULL ELSE 'email' END AS medium, 'Connectif' AS evidence
            FROM {FILLED} WHERE {_CHANGED}
        """,
        "consents": f"""
            SELECT "@line", {_CUSTOMER} AS customer_id, 'newsletter' AS purpose,
                CASE WHEN {_JOINED} THEN 'yes' ELSE 'no' END AS granted, "Activity date" AS ts,
                'Connectif' AS source
            FROM {FILLED} WHERE {_CHANGED}
        """,
        "aliases": f"""
            {_ALIASES}
            UNION ALL
            SELECT "@line", "Previous contact ID", {_CUSTOMER}
            FROM {FILLED} WHERE lower("Activity type") IN ('contact-merged', 'entity-merged')
        """,
    },
    extras="events",
    personal=tuple(_PRIVATE),
    synonyms={
        **_WHO,
        **_PRIVATE,
        **_SALE,
        "Activity type": ("Type", "activityType", "Tipo de actividad", "Tipo"),
        "Activity date": ("Date", "createdAt", "Fecha de la actividad", "Fecha"),
        "Previous contact ID": ("previousContactId", "ID de contacto anterior"),
        "Content ID": ("contentId", "ID de contenido"),
        "Content name": ("contentName", "Nombre del contenido"),
        "Email type": ("Tipo de email",),
        "Link": ("URL", "Enlace"),
    },
)
