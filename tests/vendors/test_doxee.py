"""Personalised videos and micro-sites: who saw what, how far, and what they did then."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from tests.vendors.commerce_files import ask, every_text, names, new_project, table_sizes, write

HEADER = names(
    "recipient_id,content_id,content_type,event,event_time,position,device,variant,email,plantilla"
)


def watched(people: range) -> list[dict[str, Any]]:
    """Everyone starts a film, most leave it at some quarter, some act on it."""
    made: list[dict[str, Any]] = []
    for who in people:
        chance = Random(who)
        reached = chance.choice([0, 25, 50, 75, 100])

        def note(event: str, second: int, position: str = "", who: int = who) -> None:
            made.append(
                {
                    "recipient_id": f"R{who}",
                    "content_id": "factura-mayo",
                    "content_type": "video",
                    "event": event,
                    "event_time": f"2026-05-{1 + who % 28:02d}T10:00:{second:02d}+02:00",
                    "position": position,
                    "device": "móvil",
                    "variant": "personalizado" if who % 2 else "genérico",
                    "email": "persona@correo.es",
                    "plantilla": "otoño",
                }
            )

        note("Play", 0, "0")
        for quarter in range(25, reached + 1, 25):
            note("progress", quarter // 4, f"{quarter}%")
        if reached == 100:
            note("Completed", 30, "100")
            if chance.random() < 0.5:
                note("CTA click", 40)
                note("form-submit", 50)
    return made


NAMES = {
    "Play": "video_start",
    "progress": "video_progress",
    "Completed": "video_complete",
    "CTA click": "cta_click",
    "form-submit": "form_submit",
}


def test_views_and_completion_are_those_of_the_file(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    rows = watched(range(60))
    path = write(tmp_path / "doxee.csv", HEADER, [*rows, *rows[:11]])
    project.load(path)
    named = Counter(NAMES[row["event"]] for row in rows)
    assert ask(project, "SELECT name, count(*) AS n FROM events GROUP BY name ORDER BY name") == sorted(
        named.items()
    )
    furthest = Counter(
        max(int(row["position"].rstrip("%") or 0) for row in rows if row["recipient_id"] == f"R{who}")
        for who in range(60)
    )
    assert ask(
        project,
        "SELECT reached, count(*) AS n FROM (SELECT max(value) AS reached FROM events GROUP BY customer_id)"
        " GROUP BY reached ORDER BY reached",
    ) == sorted(furthest.items())
    arms = "SELECT variant, count(DISTINCT customer_id) AS n FROM exposures GROUP BY variant ORDER BY variant"
    assert ask(project, arms) == [("genérico", 30), ("personalizado", 30)]
    assert ask(project, "SELECT DISTINCT plantilla FROM events") == [("otoño",)]
    assert "@correo.es" not in every_text(project)
    before = table_sizes(project)
    project.load(path)
    assert table_sizes(project) == before
    project.load(write(tmp_path / "later.csv", HEADER, watched(range(50, 70))))
    assert ask(project, "SELECT count(*) AS n FROM events") == [(len(watched(range(70))),)]


def test_broken_rows_are_named_and_columns_may_be_missing(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    header = ["Destinatario", "content_id", "Evento", "Fecha evento"]
    rows = [
        dict(zip(header, row, strict=True))
        for row in [
            ("R1", "web", "Visita", "2026-05-01T10:00:00Z"),
            ("", "web", "Visita", "2026-05-01T10:00:00Z"),
            ("R1", "web", "Documento", "ayer"),
            ("R1", "web", "chat", "2026-05-01T10:01:00Z"),
            ("R1", "web", "gira el móvil", "2026-05-01T10:02:00Z"),
        ]
    ]
    report = project.load(write(tmp_path / "site.csv", header, rows))
    assert {rejection.line for rejection in report.rejected} == {3, 4}
    assert ask(project, "SELECT name FROM events ORDER BY ts") == [
        ("page_view",),
        ("chat_start",),
        ("gira el móvil",),
    ]
