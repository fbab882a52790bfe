"""Lessons in a real browser: guessed and revealed by keyboard alone, in both languages, for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.screens import reads, settle, too_wide, visit
from tests.browser.servers import new_tab, until
from tests.browser.test_accessibility import faults
from workbench import Project
from workbench.lessons import LESSONS
from workbench.locale import Texts
from workbench.publish.site import serving_project


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the lessons of a project without data are served."""
    project = Project.create(tmp_path_factory.mktemp("class") / "shop")
    with serving_project(project, screens=True) as server:
        yield server.url


def address(number: int) -> str:
    return f"lessons/{LESSONS[number - 1].stem}.ipynb?seed=5&difficulty=easy"


def focused(page: Any) -> str:
    """What has the keyboard: the words of a button, or the name of a slider."""
    found: str = page.evaluate(
        "() => (document.activeElement.labels?.[0] ?? document.activeElement).innerText"
    )
    return found


def tab_to(page: Any, words: str) -> None:
    """Press the tabulator until something has the keyboard."""
    for _ in range(30):
        if focused(page) == words:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{words} is not reached; last was {focused(page)}")


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_first_lesson_is_guessed_and_revealed_by_keyboard(page: Any, url: str, language: str) -> None:
    t = Texts(language)
    visit(page, url, address(1), language)
    assert reads(page, "h1", t(LESSONS[0].title))
    page.keyboard.press("Tab")
    tab_to(page, t("From (%)"))
    for _ in range(31):
        page.keyboard.press("ArrowRight")
    tab_to(page, t("To (%)"))
    page.keyboard.press("ArrowLeft")
    assert reads(page, ".wb-sentence", t.share(0.031))
    assert reads(page, ".wb-sentence", t.share(0.199))
    tab_to(page, t("That is my guess"))
    page.keyboard.press("Enter")
    assert reads(page, "h2", t("What I believed, and what is true"))
    settle(page)
    assert until(lambda: page.locator(".wb-chart svg .mark-symbol path").count() >= 50)
    tab_to(page, t("Go on: {step}", step=t("Play")))
    page.keyboard.press("Enter")
    assert reads(page, ".wb-sentence", t.share(0.05))
    assert too_wide(page) == 0


WALKS = {
    1: [
        *("That is my guess", "Go on: Play", "100 of 2,000", "Go on: Check yourself"),
        *["Next shop"] * 9,
        *("Give all ten", "Go on: Your own shop"),
    ],
    2: [
        *("That is my guess", "Go on: Run a test", "Seven more days", "End without a winner"),
        *("Go on: A thousand of you", "80 % sure, loss below 0.2 %", "Go on: Check yourself"),
        "Hand in the rule",
    ],
}


@pytest.mark.parametrize("number", WALKS)
def test_a_lesson_goes_on_to_its_end_without_a_fault_that_a_program_can_find(
    browser: Any, url: str, number: int
) -> None:
    with new_tab(browser, bypass_csp=True) as page:
        visit(page, url, address(number), "en")
        for words in WALKS[number]:
            page.get_by_role("button", name=words).click()
            settle(page)
            if words == "Next shop":
                continue
            for scheme, width in (("light", 1280), ("dark", 390)):
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=scheme)
                assert not faults(page), (words, scheme, width)
            assert too_wide(page) == 0, words
        assert reads(page, "h2", "Step 4 of 4")
        assert page.locator(".wb-listed tbody tr").count() == {1: 2, 2: 3}[number]
