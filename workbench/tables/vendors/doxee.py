"""Events of personalised videos and micro-sites, such as Doxee's: one row something a recipient did.

No format of Doxee's is public, and none was found. This is the plain form that such events take when they are
asked for as a table; columns of other names are mapped once by hand and kept as a recipe. Whatever further
columns there are (campaign, template, segment) become attributes of the events.

Times: with an offset, as counted seconds, or in the zone given when loading.

Repetition: an event is known by `event_id`; where that is missing, by recipient, content, time and what was
done, so that the same file loaded twice adds nothing.

Identity: `recipient_id` is whatever the sender named its recipients by: a customer number or an e-mail.
"""

from __future__ import annotations

from typing import Final

from workbench.locale import say
from workbench.tables.vendors import FILLED, Vendor

_NAMES = {
    "video_start": "video_start start started play played view viewed inicio reproduccion",
    "video_progress": "video_progress progress quartile milestone avance progreso",
    "video_complete": "video_complete complete completed finish finished end ended fin completado",
    "page_view": "page_view pageview open opened visit visita pagina",
    "cta_click": "cta_click cta click clicked clic",
    "form_submit": "form_submit form submit submitted formulario",
    "doc_view": "doc_view document document_view invoice_view documento factura",
    "chat_start": "chat_start chat chat_started",
    "chat_resolved": "chat_resolved chat_solved chat_resuelto",
}
_NAME = (
    "CASE translate(lower(strip_accents(\"event\")), ' -', '__') "
    + " ".join(f"WHEN '{word}' THEN '{name}'" for name, words in _NAMES.items() for word in words.split())
    + ' ELSE "event" END'
)

DOXEE_EVENTS: Final = Vendor(
    name="doxee-events",
    title="Doxee: videos and micro-sites",
    source="",
    about=say(
        "Doxee publishes no format, so this is a plain one: recipient_id, content_id, content_type,"
        " event, event_time, and if there are event_id, session_id, position (seconds or share seen),"
        " page, link, device, experiment and variant. Events are named video_start, video_progress,"
        " video_complete, page_view, cta_click, form_submit, doc_view, chat_start and chat_resolved;"
        " others keep their name. Other columns become attributes of the events."
    ),
    columns=(
        "event_id",
        "recipient_id",
        "content_id",
        "content_type",
        "event",
        "event_time",
        "session_id",
        "position",
        "page",
        "device",
        "experiment",
        "variant",
    ),
    required=("recipient_id", "content_id", "event", "event_time"),
    tables={
        "events": f"""
            SELECT "@line",
                coalesce(event_id, 'doxee:' || keyed(concat_ws(chr(31), recipient_id, content_id,
                         event_time, "event", coalesce(position, '')))) AS event_id,
                recipient_id AS customer_id, session_id, event_time AS ts, {_NAME} AS name, page,
                content_id AS item, rtrim(position, '% ') AS value, device, content_type AS medium,
                coalesce(experiment, CASE WHEN variant IS NOT NULL THEN content_id END) AS experience_id,
                variant
            FROM {FILLED}
        """,
        # who was shown which: nothing is said of how they were chosen
        "exposures": f"""
            SELECT "@line", recipient_id AS customer_id, coalesce(experiment, content_id) AS experience_id,
                variant, event_time AS ts, 'unknown' AS assignment, content_type AS type
            FROM {FILLED} WHERE variant IS NOT NULL AND {_NAME} IN ('video_start', 'page_view', 'doc_view')
        """,
    },
    extras="events",
    personal=("name", "first_name", "last_name", "email", "phone", "address", "ip", "ip_address"),
    synonyms={
        "recipient_id": ("recipient", "id destinatario", "destinatario"),
        "content_id": ("id contenido", "video id", "microsite id", "template id"),
        "content_type": ("tipo contenido",),
        "event": ("event type", "evento", "tipo evento"),
        "event_time": ("event timestamp", "fecha evento", "fecha hora evento"),
        "session_id": ("id sesion",),
        "position": ("playhead", "seconds", "posicion", "segundos"),
        "page": ("pagina", "scene", "escena"),
        "device": ("dispositivo", "device type"),
        "experiment": ("experimento", "experience id"),
        "variant": ("variante", "version"),
    },
)
