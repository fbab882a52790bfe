"""A sheet holds what it is made of, in both languages, and nothing that it does not need."""

from __future__ import annotations

import re

import pytest

from tests.test_still import HOSTILE, Reader
from workbench.charts.picture import Drawing, Picture
from workbench.locale import LANGUAGES, Texts
from workbench.publish.blocks import Block
from workbench.publish.content import Folded
from workbench.publish.markup import table
from workbench.publish.sheet import Sheet, document

CHART = Picture(
    HOSTILE[1],
    Drawing({"mark": "point", "data": {"name": "rows"}}, {"rows": [{"x": 1, "y": HOSTILE[0]}]}),
    "A point at one.",
)


def made(*blocks: Block) -> str:
    def sheet(t: Texts) -> Sheet:
        rows = [{t("Arm"): HOSTILE[0], t("Mean"): t.percent(0.125)}]
        pages: list[list[Block]] = [[table(rows), Folded(t("The numbers as a table")), *blocks], ["<p>2</p>"]]
        return Sheet(HOSTILE[0], [HOSTILE[1], ""], pages, foot=[HOSTILE[4]])

    return document(sheet, "es", "EUR")


@pytest.mark.requirement("U06", "G02")
def test_names_are_text_and_numbers_are_in_each_language() -> None:
    page = made((CHART,))
    read = Reader(page)
    said = "".join(read.text)
    for name in (HOSTILE[0], HOSTILE[1], HOSTILE[4]):
        assert said.count(name) >= len(LANGUAGES)
    assert ("12.5\xa0%" in said, "12,5\xa0%" in said) == (True, True)
    assert {tag for tag, _ in read.elements if tag in ("img", "iframe", "form", "link")} == set()
    assert not [name for _, given in read.elements for name in given if name.startswith("on")]
    policy = re.search(r'content="([^"]*script-src[^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'")
    assert "unsafe" not in policy[1].split("script-src ")[1].split(";")[0]
    assert '<html lang="es"' in page


def test_vega_is_in_it_only_where_there_is_a_chart() -> None:
    assert len(made((CHART,))) > 800_000
    assert len(made()) < 60_000
