"""A question that takes long: the page lives on, it can be stopped, asked otherwise, and found again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import sample_shop
from tests.browser.screens import reads, settle, visit
from tests.browser.servers import until
from tests.sample_shop import EXPERIMENT
from workbench import Project
from workbench.publish.site import serving_project

PAGE = "4-lifetime-value.ipynb"
PICTURES = os.environ.get("WORKBENCH_PICTURES")


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    return sample_shop.make(tmp_path / "shop")


@pytest.fixture
def url(shop: Project) -> Iterator[str]:
    with serving_project(shop, screens=True) as server:
        yield server.url


def lines(page: Any) -> list[str]:
    """All that a result says; a chart that got new data names its ticks in another order than a new one."""
    return sorted(page.locator(".wb-result").first.inner_text().splitlines())


@pytest.mark.long
def test_a_slow_question_is_told_stopped_asked_otherwise_and_found_again(
    page: Any, url: str, shop: Project
) -> None:
    visit(page, url, PAGE, "en")
    by, within = page.get_by_label("Split by"), page.get_by_label("Within segments of")
    stop = page.get_by_role("button", name="Stop")
    by.select_option(EXPERIMENT)
    assert until(lambda: not page.locator(".wb-busy").count() and within.is_visible(), 120)
    settle(page)
    before = page.locator(".wb-sentence").first.inner_text()

    within.select_option("country")
    stop.wait_for(timeout=60_000)
    assert page.locator(".wb-busy").count() == 1
    assert page.locator(".wb-sentence").first.inner_text() == before
    assert until(lambda: "so far" in page.locator(".wb-work-shown .wb-work-line").inner_text())
    page.get_by_role("button", name="More settings").first.click()  # the page is alive
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/wide.png")
        page.set_viewport_size({"width": 390, "height": 844})
        page.screenshot(path=f"{PICTURES}/narrow.png")
        page.set_viewport_size({"width": 1280, "height": 900})
    stop.focus()
    page.keyboard.press("Enter")
    assert reads(page, ".wb-notice", "Stopped. You see what is known so far")
    assert until(lambda: within.input_value() != "country")
    assert page.locator(".wb-busy").count() == 0
    assert page.locator(".wb-sentence").first.inner_text() == before

    within.select_option("country")
    stop.wait_for(timeout=60_000)
    within.select_option("device")
    assert until(lambda: not page.locator(".wb-busy").count(), 240)
    settle(page)
    assert within.input_value() == "device"
    answered = lines(page)

    page.goto("about:blank")
    visit(page, url, PAGE, "en")
    assert until(lambda: not page.locator(".wb-busy").count(), 60)
    assert (by.input_value(), within.input_value()) == (EXPERIMENT, "device")
    assert list((shop.path / "cache").glob("answer-*"))
    settle(page)
    assert lines(page) == answered
    page.get_by_role("button", name="Undo all changes").click()
    assert until(lambda: by.input_value() != EXPERIMENT)
