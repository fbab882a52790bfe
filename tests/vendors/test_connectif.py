"""Connectif: contacts with their own fields, purchases, and what became of its e-mails."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.vendors.commerce_files import ask, every_text, names, new_project, orders_each, table_sizes, write
from workbench.tables.vendors import recognise


def contacts() -> list[dict[str, Any]]:
    """Contacts of an account in Spanish, whose fields are its own."""
    return [
        {
            "ID de contacto": f"k{who}",
            "Email": f"contacto{who}@correo.es",
            "Nombre": "Begoña",
            "Apellidos": "Núñez",
            "Teléfono móvil": "+34600111222",
            "Estado de suscripción a la newsletter": ["subscribed", "unsubscribed", "none"][who % 3],
            "Fecha de creación": "2026-01-10",
            "Fecha de la última suscripción a la newsletter": "2026-01-11T09:00:00Z" if who % 3 < 2 else "",
            "IP de la última suscripción a la newsletter": "203.0.113.77",
            "Origen de la última suscripción a la newsletter": "Formulario web" if who % 3 < 2 else "",
            "Fecha de la última baja de la newsletter": "2026-05-02T09:00:00Z" if who % 3 == 1 else "",
            "Origen de la última baja de la newsletter": "Enlace del correo" if who % 3 == 1 else "",
            "preferencia_contenido": "moda|hogar" if who % 2 else "moda",
            "preferencia_frecuencia": "semanal",
            "resuscrito": "true" if who == 4 else "false",
        }
        for who in range(12)
    ]


@pytest.mark.requirement("D11")
@pytest.mark.requirement("Y11")
def test_contacts_keep_their_own_fields_and_lose_their_names(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    rows = contacts()
    newer = rows[0] | {"preferencia_frecuencia": "mensual"}
    path = write(tmp_path / "contactos.csv", list(rows[0]), [*rows, newer])
    report = project.load(path)
    assert report.rejected_count == 0
    assert ask(
        project,
        "SELECT preferencia_contenido, preferencia_frecuencia, count(*) AS n FROM customers"
        " GROUP BY ALL ORDER BY n",
    ) == [("moda", "mensual", 1), ("moda", "semanal", 5), ("moda|hogar", "semanal", 6)]
    assert ask(project, "SELECT count(*) AS n FROM customers WHERE resuscrito") == [(1,)]
    assert ask(
        project,
        "SELECT action, medium, count(*) AS n, min(ts) AS t FROM subscriptions GROUP BY ALL ORDER BY action",
    ) == [
        ("subscribe", "Formulario web", 8, datetime(2026, 1, 11, 9)),
        ("unsubscribe", "Enlace del correo", 4, datetime(2026, 5, 2, 9)),
    ]
    assert ask(project, "SELECT granted, count(*) AS n FROM consents GROUP BY granted ORDER BY granted") == [
        (False, 4),
        (True, 4),
    ]
    before = table_sizes(project)
    project.load(path)
    assert table_sizes(project) == before
    text = every_text(project)
    assert not any(word in text for word in ("Begoña", "Núñez", "600111222", "203.0.113.77", "@correo.es"))


@pytest.mark.parametrize(
    "header",
    [
        ["Contact ID", "Email", "Newsletter subscription status", "Last unsubscribed date", "talla"],
        ["id", "_email", "_newsletterSubscriptionStatus", "_emailLastUnsubscribedDate", "talla"],
        [
            "ID de contacto",
            "EMAIL",
            "Estado de suscripcion a la newsletter",
            "Fecha de la última baja de la newsletter",
        ],
    ],
)
def test_versions_and_languages_mean_the_same(tmp_path: Path, header: list[str]) -> None:
    vendor = recognise(header)
    assert vendor is not None
    assert vendor.name == "connectif-contacts"
    project = new_project(tmp_path)
    row = dict(zip(header, ("k1", "a@correo.es", "unsubscribed", "2026-05-02"), strict=False))
    project.load(write(tmp_path / "contacts.csv", header, [row]))
    assert ask(project, "SELECT action, ts FROM subscriptions") == [("unsubscribe", datetime(2026, 5, 1, 22))]


@pytest.mark.requirement("D08")
def test_purchases_are_orders_and_keep_what_they_are_credited_to(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    header = names("Purchase ID,Purchase date,Contact ID,Email,Total price,Content name,Workflow name")
    header += ["Attribution confidence", "Attribution scenario"]
    rows = [
        {
            "Purchase ID": f"p{number}",
            "Purchase date": f"2026-03-{1 + number:02d}T10:00:00Z",
            "Contact ID": f"k{number % 4}",
            "Email": f"contacto{number % 4}@correo.es" if number < 8 else "",
            "Total price": f"{10 + number:.2f}",
            "Content name": "Carrito abandonado",
            "Workflow name": "Recuperación",
            "Attribution confidence": "high" if number % 2 else "low",
        }
        for number in range(12)
    ]
    bad = [
        rows[0] | {"Purchase ID": "x", "Purchase date": ""},
        rows[0] | {"Purchase ID": "y", "Total price": "?"},
    ]
    report = project.load(write(tmp_path / "purchases.csv", header, [*rows, rows[3], *bad]))
    assert {14, 15, 16} >= {rejection.line for rejection in report.rejected} >= {15, 16}
    # the last four name nobody but the contact, whose e-mail other rows tell
    assert orders_each(project) == sorted(
        (3, float(sum(10 + number for number in range(who, 12, 4)))) for who in range(4)
    )
    credited = ask(
        project,
        "SELECT \"Attribution confidence\" AS c, sum(value) AS s FROM events WHERE campaign = 'Recuperación'"
        " GROUP BY ALL ORDER BY c",
    )
    assert credited == [("high", 6 * 10 + 36.0), ("low", 6 * 10 + 30.0)]


@pytest.mark.requirement("D10")
@pytest.mark.requirement("D12")
def test_activities_tell_what_became_of_newsletters(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    header = names("Activity type,Activity date,Contact ID,Email,Previous contact ID,Content ID,Content name")
    header += ["Email type", "Purchase ID", "Total price", "Workflow name"]

    def did(kind: str, who: int, minute: int, **cells: str) -> dict[str, str]:
        about = {"Content ID": "boletin-1", "Content name": "Boletín de otoño", "Email type": "newsletter"}
        return {
            "Activity type": kind,
            "Activity date": f"2026-05-04T10:{minute:02d}:00Z",
            "Contact ID": f"k{who}",
            "Email": f"contacto{who}@correo.es",
            **(about if kind.startswith("email-") else {}),
            **cells,
        }

    rows = [did("email-sent", who, 0) for who in range(10)]
    rows += [did("email-opened", who, minute) for who in range(6) for minute in (1, 2)]
    rows += [did("email-link-clicked", who, 3) for who in range(3)]
    rows += [did("email-unsubscribed", 5, 4), did("email-bounce", 9, 1), did("email-spam-report", 4, 5)]
    rows += [did("newsletter-subscribe", 7, 6)]
    rows += [did("purchase", 1, 30, **{"Purchase ID": "p1", "Total price": "25.00"})]
    rows += [did("web-page-visited", 1, 29)]
    rows += [did("contact-merged", 2, 40, **{"Previous contact ID": "anónimo-7"})]
    rows += [did("web-page-visited", 0, 20, **{"Contact ID": "anónimo-7", "Email": ""})]
    path = write(tmp_path / "activities.csv", header, [*rows, rows[12]])
    project.load(path)
    assert ask(project, "SELECT kind, topic, count(*) AS n FROM sends GROUP BY ALL") == [
        ("commercial", "Boletín de otoño", 10)
    ]
    assert ask(
        project,
        "SELECT e.type, count(*) AS n, count(DISTINCT s.customer_id) AS people FROM send_events AS e"
        " JOIN sends AS s ON e.send_id = s.send_id GROUP BY e.type ORDER BY e.type",
    ) == [("bounce", 1, 1), ("click", 3, 3), ("complaint", 1, 1), ("open", 12, 6), ("unsubscribe", 1, 1)]
    assert ask(
        project, "SELECT action, count(*) AS n FROM subscriptions GROUP BY action ORDER BY action"
    ) == [
        ("subscribe", 1),
        ("unsubscribe", 1),
    ]
    assert orders_each(project) == [(1, 25.0)]
    # the visit of whom nobody knew is the visit of the contact it was merged into
    merged = "SELECT DISTINCT customer_id FROM events WHERE name = 'contact-merged'"
    visits = f"SELECT count(*) AS n FROM events WHERE name = 'web-page-visited' AND customer_id IN ({merged})"
    assert ask(project, visits) == [(1,)]
    before = table_sizes(project)
    project.load(path)
    assert table_sizes(project) == before
