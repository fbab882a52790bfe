"""Whatever a person wrote or a file held is text in markup, in each of its places."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workbench import report
from workbench.locale import Texts, say
from workbench.publish import markup
from workbench.records import Check
from workbench.report import Figure, Section

T = Texts("en")
EVIL = '<img src=x onerror="alert(1)">'
TEXT = "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;"
CHECK = Check(name="x", status="warn", detail=say("“{name}” is odd.", name=EVIL))

PLACES: dict[str, Callable[[], str]] = {
    "a figure's label": lambda: markup.figure_row([Figure(EVIL, "1", "")]),
    "a figure's value": lambda: markup.figure_row([Figure("x", EVIL, "")]),
    "a figure's detail": lambda: markup.figure_row([Figure("x", "1", EVIL)]),
    "the head of a column": lambda: markup.table([{EVIL: "1"}]),
    "the head of a row": lambda: markup.table([{"x": EVIL}]),
    "a cell": lambda: markup.table([{"x": "1", "y": EVIL}]),
    "a check": lambda: markup.checks([CHECK], T),
    "the title of checks": lambda: markup.checks([CHECK], T, EVIL),
    "a sentence": lambda: markup.stated(say("{x}", x=EVIL), T, association=True),
    "what an association means": lambda: markup.association_label(T, EVIL),
    "a section's title": lambda: markup.section_markup(Section(EVIL, [], "")),
    "a section's note": lambda: markup.section_markup(Section("x", [], EVIL)),
    "a message": lambda: markup.message_text(EVIL),
    "a line": lambda: markup.unbroken(EVIL),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_looks_like_markup_is_text(place: str) -> None:
    made = PLACES[place]()
    assert TEXT in made
    assert "<img" not in made


def test_details_and_code_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "details", lambda _record, _t: [(EVIL, EVIL)])
    monkeypatch.setattr(report, "as_code", lambda _record: EVIL)
    made = markup.details(None, T)  # type: ignore[arg-type]  # nobody asks it anything
    assert made.count(TEXT) == 3
    assert "<img" not in made
