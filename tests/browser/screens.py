"""Opening pages of a served project and waiting until there is something to look at."""

from __future__ import annotations

import re
from typing import Any

from tests.browser.servers import until

# Busy, pale because it was, or a chart that is not drawn yet. A page that forbids `eval` is asked from here,
# not waited in.
_AT_WORK = """() => document.querySelector(".wb-busy") !== null
  || [...document.querySelectorAll(".wb-result")].some((one) => getComputedStyle(one).opacity !== "1")
  || [...document.querySelectorAll(".wb-chart")].some((one) => one.offsetParent && !one.querySelector("svg"))
"""
_TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"


def visit(page: Any, url: str, name: str, language: str) -> None:
    """Open a page in a language and wait until all of it is there."""
    page.goto(f"{url}voila/render/{name}{'&' if '?' in name else '?'}lang={language}", wait_until="commit")
    page.wait_for_selector(".wb-page h1", timeout=60_000)
    settle(page)


def settle(page: Any) -> None:
    """Wait until what was asked is answered and drawn."""
    page.wait_for_timeout(150)  # ms: a change has to reach Python before it can be waited for
    assert until(lambda: not page.evaluate(_AT_WORK), 60)


def reads(page: Any, selector: str, text: str) -> bool:
    """Whether an element comes to hold a text, whatever its spaces."""
    wanted = _plain(text)
    return until(lambda: any(wanted in _plain(found) for found in page.locator(selector).all_inner_texts()))


def too_wide(page: Any, width: int = 390) -> int:
    """By how many pixels the page is wider than a telephone."""
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 844})
    page.wait_for_timeout(400)  # ms: charts are drawn again
    settle(page)
    found: int = page.evaluate(_TOO_WIDE)
    page.set_viewport_size(before)
    return found


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text)
