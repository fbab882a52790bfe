"""What a file seems to hold: its columns are found under the names people give them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow as pa
import pytest

from tests.tables.exports import EXPORTS, Export
from tests.tables.order_exports import ORDER_EXPORTS
from workbench.tables.guess import Proposal, propose, same_name, words
from workbench.tables.schema import standard
from workbench.tables.sources.source import unique_names


def proposed(text: str, table: str | None = None) -> Proposal | None:
    """What is proposed for a file, whose delimiter is the one its header has most of."""
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    header, *rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    names = unique_names(header)
    columns = {
        name: pa.array([row[place] or None for row in rows], pa.string()) for place, name in enumerate(names)
    }
    return propose(pa.table(columns), standard(table) if table else None)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("idCliente", "id cliente"),
        ("CLIENTE_ID", "id cliente"),
        ("Fecha de creación", "fecha creacion"),
        ("userID", "user id"),
        ("País", "pais"),
        ("Nº pedido", "no pedido"),
        ("customerid", "customer id"),
    ],
)
def test_names_are_the_same_whatever_their_accents_capitals_and_order(mine: str, theirs: str) -> None:
    assert same_name(mine, theirs)
    assert not same_name(mine, "importe")


def test_names_fall_into_words() -> None:
    assert words("fechaDeCompra (UTC)") == ("fecha", "compra", "utc")


@pytest.mark.parametrize(
    ("text", "table", "grain", "mapping"),
    [
        (
            "user_id,group,converted,revenue,country\n1,A,1,9.5,ES\n2,B,0,0,FR\n",
            "exposures",
            "unit",
            {
                "customer_id": "user_id",
                "variant": "group",
                "outcomes": {"conversion": "converted", "revenue": "revenue"},
                "attributes": {"country": "country"},
            },
        ),
        (
            "usuario,grupo,convertido,gasto,pais,dispositivo,edad,cp\n1,A,sí,9.5,ES,móvil,33,08001\n2,B,no,0,FR,pc,44,28001\n",
            "exposures",
            "unit",
            {
                "customer_id": "usuario",
                "variant": "grupo",
                "outcomes": {"conversion": "convertido", "revenue": "gasto"},
                "attributes": {"country": "pais", "device": "dispositivo", "edad": "edad", "cp": "cp"},
            },
        ),
        (
            "Visitor ID,Experiment,Variation Name,Purchased?,Order Value,Country\n"
            "v1,Checkout v2,Original,Yes,9.5,Spain\nv2,Checkout v2,Variation 1,No,0,France\n",
            "exposures",
            "unit",
            {
                "customer_id": "Visitor ID",
                "experiment": "Experiment",
                "variant": "Variation Name",
                "outcomes": {"conversion": "Purchased?", "revenue": "Order Value"},
                "attributes": {"country": "Country"},
            },
        ),
        (
            "user_id,timestamp,group,landing_page,converted\n1,2017-01-21 22:11:48,control,old,0\n"
            "2,2017-01-12 08:01:45,new,x,1\n",
            "exposures",
            "unit",
            {
                "customer_id": "user_id",
                "variant": "group",
                "ts": "timestamp",
                "outcomes": {"conversion": "converted"},
                "attributes": {"landing_page": "landing_page"},
            },
        ),
        (
            "variante,usuarios,conversiones,dispositivo\nA,1000,50,móvil\nB,1000,60,móvil\n",
            "summaries",
            "summary",
            {
                "variant": "variante",
                "n": "usuarios",
                "successes": "conversiones",
                "metric": "conversion",
                "attributes": {"dispositivo": "dispositivo"},
            },
        ),
        (
            "arm,n,revenue,sum of squares\nA,10,50,300\nB,10,60,400\n",
            "summaries",
            "summary",
            {
                "variant": "arm",
                "n": "n",
                "sum": "revenue",
                "sum_of_squares": "sum of squares",
                "metric": "revenue",
            },
        ),
        (
            "Nº pedido,Id Cliente,Fecha pedido,Importe\n1,007,25/12/2025,12.5\n",
            "orders",
            "event",
            {
                "order_id": "Nº pedido",
                "customer_id": "Id Cliente",
                "ts": "Fecha pedido",
                "revenue": "Importe",
            },
        ),
        (
            "customer_id,date,quantity,amount\n1,1997-01-01,1,11.77\n1,1997-01-18,1,8\n",
            "orders",
            "event",
            {"customer_id": "customer_id", "ts": "date", "revenue": "amount"},
        ),
        (
            "visitor,event,time,Url,screen\na,view,2026-01-01T10:00:00Z,/x,big\na,buy,2026-01-02T10:00:00Z,/y,small\n",
            "events",
            "event",
            {
                "customer_id": "visitor",
                "ts": "time",
                "name": "event",
                "page": "Url",
                "attributes": {"screen": "screen"},
            },
        ),
        (
            "cliente,país,fecha alta,puntos\n1,ES,2025-01-01,4\n2,FR,2025-01-02,5\n",
            "customers",
            "event",
            {
                "customer_id": "cliente",
                "signed_up": "fecha alta",
                "country": "país",
                "attributes": {"puntos": "puntos"},
            },
        ),
        (
            "visitor_id,experiment,arm,exposed_at\na,home,A,2026-01-01\nb,home,B,2026-01-01\n",
            "exposures",
            "event",
            {
                "customer_id": "visitor_id",
                "experience_id": "experiment",
                "variant": "arm",
                "ts": "exposed_at",
            },
        ),
        (
            "fecha,canal,gasto\n2026-01-01,email,10.5\n",
            "spend",
            "event",
            {"date": "fecha", "channel": "canal", "cost": "gasto"},
        ),
    ],
)
@pytest.mark.requirement("D01")
def test_a_file_is_recognised(text: str, table: str, grain: str, mapping: dict[str, Any]) -> None:
    found = proposed(text)
    assert found is not None
    assert (found.table, found.grain, dict(found.mapping)) == (table, grain, mapping)
    assert not found.missing


@pytest.mark.parametrize(
    "export", [*EXPORTS.values(), *ORDER_EXPORTS.values()], ids=[*EXPORTS, *ORDER_EXPORTS]
)
@pytest.mark.requirement("D01")
def test_an_export_is_recognised_by_its_columns_or_asked_about(export: Export) -> None:
    found = proposed(export.text)
    if export.table is None or found is None:
        assert found is export.table
        return
    assert (found.table, found.grain, found.missing) == (export.table, export.grain, export.missing)
    assert {name: found.mapping.get(name) for name in export.mapping} == export.mapping
    assert not found.alternatives


@pytest.mark.parametrize(
    ("further", "table", "other"),
    [
        ("medium,city,country", "customers", "leads"),
        ("medium,country", "leads", "customers"),
    ],
)
def test_a_table_that_fits_nearly_as_well_is_named(further: str, table: str, other: str) -> None:
    blank = "," * (further.count(",") + 1)
    rows = "".join(f"{i},{i}@mail.example,2026-01-01,web,spring{blank}\n" for i in range(3))
    found = proposed(f"lead id,email,created at,source,campaign,{further}\n{rows}")
    assert found is not None
    assert (found.table, found.alternatives) == (table, (other,))


def test_a_list_of_people_who_left_says_what_they_did() -> None:
    found = proposed("Email,Unsubscribed at,Reason\na@m.example,2026-01-01,often\nb@m.example,2026-01-02,\n")
    assert found is not None
    assert (found.table, found.mapping["action"], found.missing) == ("subscriptions", "unsubscribe", ())


def test_a_sheet_of_answers_stays_one_when_its_table_is_known() -> None:
    export = EXPORTS["Google Forms in Spanish"]
    found = proposed(export.text, "surveys")
    assert found is not None
    assert found.mapping["items"] == export.mapping["items"]


def test_long_names_of_a_contact_list_are_no_questions() -> None:
    found = proposed(
        "Record ID,Email,Date of last meeting booked in meetings tool,Number of sales activities this month\n"
        "1,a@mail.example,2026-01-01,3\n2,b@mail.example,,0\n"
    )
    assert found is not None
    assert found.table == "customers"


def test_which_way_rates_go_is_not_guessed_without_a_sign() -> None:
    assert proposed("Date,USD,GBP\n2026-01-01,1.1,0.9\n2026-01-02,1.1,0.9\n") is None
    direct = proposed("Date,USD,JPY\n2026-01-01,0.91,0.0063\n2026-01-02,0.91,0.0062\n")
    assert direct is not None
    assert "inverse" not in direct.mapping


@pytest.mark.requirement("D07")
def test_page_views_and_searches_are_events() -> None:
    found = proposed("usuario,evento,fecha,página\n1,search,2026-01-01,/s\n1,view,2026-01-01,/p\n")
    assert found is not None
    assert (found.table, found.mapping["page"]) == ("events", "página")


def test_a_column_that_does_not_look_like_its_name_is_not_taken() -> None:
    found = proposed("user,date,total\n1,soon,much\n2,late,little\n", table="orders")
    assert found is not None
    assert found.mapping == {"customer_id": "user"}
    assert found.missing == ("ts",)


def test_nothing_is_proposed_for_columns_without_meaning() -> None:
    assert proposed("a,b,c\n1,2,3\n") is None


def test_customers_are_not_proposed_when_their_identifiers_repeat() -> None:
    assert proposed("cliente,nota\n1,a\n1,b\n1,c\n") is None


def test_an_attribute_never_has_the_name_of_a_standard_column() -> None:
    found = proposed("user,country,Country,ts\n1,ES,España,x\n2,FR,Francia,y\n", table="customers")
    assert found is not None
    assert found.mapping["attributes"] == {"Country 2": "Country", "ts": "ts"}
