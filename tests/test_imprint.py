"""What stands at the foot of a page is that page's own: its day, version, rule, packages and records."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from workbench.locale import Texts
from workbench.publish.bundle import Page
from workbench.publish.imprint import data_until, imprint
from workbench.records.base import Header

EVE = datetime(2026, 3, 31, 20, 30, tzinfo=UTC)  # the first of April in Tokyo


def page(**more: Any) -> Page:
    known: dict[str, Any] = {
        "title": "Does it work?",
        "slug": "does-it-work",
        "version": 3,
        "project": Header(name="Shop", timezone="Asia/Tokyo", currency="EUR", language="en"),
        "published": EVE,
        "language": "en",
        "least": 25,
        "until": EVE,
        "made_with": {"personalization-workbench": "0.1.0", "duckdb": "2.0.1"},
        "records": ["abc", "def"],
        "files": {},
    }
    return Page(**known | more)


@pytest.mark.requirement("U05")
@pytest.mark.parametrize(
    ("language", "until", "foot"),
    [
        (
            "en",
            "data until 1 Apr 2026",
            [
                "Published on 1 Apr 2026, version 3 of this page. Groups of fewer than 25 people are not "
                "shown and counts are rounded.",
                "Made with personalization-workbench 0.1.0, duckdb 2.0.1.",
                "Records: abc, def.",
            ],
        ),
        (
            "es",
            "datos hasta el 1 abr 2026",
            [
                "Publicada el 1 abr 2026; versión 3 de esta página. No se muestran los grupos de menos de 25 "
                "personas y los recuentos están redondeados.",
                "Hecho con personalization-workbench 0.1.0, duckdb 2.0.1.",
                "Registros: abc, def.",
            ],
        ),
    ],
)
def test_the_foot_of_a_page(language: str, until: str, foot: list[str]) -> None:
    t = Texts(language)
    assert data_until(page(), t) == until
    assert imprint(page(), t) == foot
    assert data_until(page(until=None), t) == ""
    first, *rest = imprint(page(ask="Ana Muñoz"), t)
    assert "Ana Muñoz" in first
    assert rest == foot
