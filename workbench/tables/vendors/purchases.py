"""Finding purchases where a system leaves the names of events and properties to its users.

Mixpanel, Kissmetrics and Algonomy have no field for revenue. What their own guides and most shops call a
purchase, its amount, its number and its currency is looked for here, in English and Spanish, whatever the
capitals and the marks between words. An event with another name stays an event and becomes no order.
"""

from __future__ import annotations

from typing import Final

EVENTS: Final = (
    "purchase",
    "purchased",
    "purchasecomplete",
    "purchasecompleted",
    "completepurchase",
    "completedpurchase",
    "order",
    "ordered",
    "ordercomplete",
    "ordercompleted",
    "completedorder",
    "orderplaced",
    "placedorder",
    "checkoutcompleted",
    "completedcheckout",
    "billed",
    "compra",
    "compracompletada",
    "compraconfirmada",
    "comprarealizada",
    "pedido",
    "pedidocompletado",
    "pedidoconfirmado",
    "pedidorealizado",
)
AMOUNTS: Final = (
    "revenue",
    "ordertotal",
    "ordervalue",
    "orderamount",
    "totalprice",
    "purchaseamount",
    "purchasevalue",
    "billingamount",
    "ingresos",
    "importe",
    "total",
    "amount",
    "value",
)
NUMBERS: Final = (
    "orderid",
    "ordernumber",
    "transactionid",
    "purchaseid",
    "invoiceid",
    "numeropedido",
    "idpedido",
)


def is_purchase(name: str) -> str:
    """SQL for whether the name of an event says that somebody bought."""
    return f"{_bare(name)} IN ({', '.join(f"'{event}'" for event in EVENTS)})"


def entries(properties: str) -> str:
    """SQL for a JSON object as a list of its filled properties, `key` and `value` as text.

    Keys are reduced to their letters and digits. NULL where the cell is no object.
    """
    pairs = f"map_entries(TRY_CAST({properties} AS MAP(VARCHAR, VARCHAR)))"
    key = _bare('"@p".key')
    # a plain name in the place of "@p" could be that of a column
    return f"""list_filter(list_transform({pairs}, lambda "@p": struct_pack(key := {key},
            value := nullif(trim("@p".value), ''))), lambda "@p": "@p".value IS NOT NULL)"""


def first(entries: str, *keys: str) -> str:
    """SQL for the value of the first of these keys that is there; `entries` as made by `entries`."""
    found = (f'list_filter({entries}, lambda "@p": "@p".key = \'{key}\')[1].value' for key in keys)
    return f"coalesce({', '.join(found)})"


def _bare(text: str) -> str:
    return f"regexp_replace(strip_accents(lower({text})), '[^a-z0-9]', '', 'g')"
