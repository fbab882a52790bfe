"""Long tables: every row is in them, sorted by what it means, and nothing in it is markup or a formula."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.test_still import HOSTILE
from workbench.locale import Texts
from workbench.screens.download import Download
from workbench.screens.long_table import FEW, LongTable, data_table

AMOUNTS = [(n * 7919) % 5000 - 1000.25 for n in range(3000)]
"""No two are alike: 7919 is prime."""


def rows(t: Texts, amounts: list[float]) -> list[dict[str, str]]:
    names = [*HOSTILE, *(f"customer {n}" for n in range(len(amounts)))]
    return [{"Who": name, "Amount": t.number(one)} for name, one in zip(names, amounts, strict=False)]


def data(table: Any) -> list[list[Any]]:
    found = json.loads(table._dt_args["data_json"])
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("language", ["en", "es"])
def test_all_rows_are_there_and_are_sorted_as_their_numbers_are(language: str) -> None:
    """Three thousand rows are more than itables shows unless it is told to."""
    t = Texts(language)
    found = data(data_table(rows(t, AMOUNTS), t, values={"Amount": AMOUNTS}))
    assert len(found) == len(AMOUNTS)
    by_place = [written for _, written, _ in sorted(found, key=lambda row: row[2])]
    assert by_place == [t.number(one) for one in sorted(AMOUNTS)]


def test_what_is_not_known_comes_before_what_is() -> None:
    t = Texts()
    listed = [{"Who": name, "Amount": said} for name, said in (("a", "10"), ("b", "–"), ("c", "9"))]
    found = data(data_table(listed, t, values={"Amount": [10.0, None, 9.0]}))
    assert [who for who, _, _ in sorted(found, key=lambda row: row[2])] == ["b", "c", "a"]


def test_no_cell_is_markup_and_no_part_of_the_table_is_code() -> None:
    """Text that names what JavaScript is to be made of would need `eval`, which pages forbid."""
    t = Texts()
    table = data_table(rows(t, AMOUNTS[:50]), t, values={"Amount": AMOUNTS[:50]})
    names = [who for who, *_ in data(table)]
    assert names[1] == "&lt;img src=x onerror=alert(1)&gt;"
    assert not any("<" in name for name in names)
    assert "keys_to_be_evaluated" not in table._dt_args


def test_few_rows_are_a_plain_table_and_many_are_made_when_they_are_asked_for() -> None:
    t = Texts()
    shown = LongTable(t, file="rows")
    few, switch, place = shown.children
    shown.show("Rows", rows(t, AMOUNTS[:FEW]))
    assert few.content.count("<tr>") == FEW + 1
    assert switch.layout.display == "none"
    shown.show("Rows", rows(t, AMOUNTS[: FEW + 1]))
    assert (few.content, switch.layout.display, place.children) == ("", "", ())
    switch.value = True
    table, save = place.children
    assert len(data(table)) == FEW + 1
    assert isinstance(save, Download)
    name, content = save._make() or ("", b"")
    lines = list(csv.reader(io.StringIO(bytes(content).decode("utf-8-sig"))))
    assert name == "rows.csv"
    assert [line[0] for line in lines[1:4]] == [
        *HOSTILE[:2],
        f"'{HOSTILE[2]}",
    ]  # no formula
    shown.show("Rows", ())
    assert (few.content, switch.layout.display, place.children) == ("", "none", ())
