"""Trust in a real browser: the alarm, a change of it, and the parts beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.screens import reads, settle, too_wide, visit
from tests.browser.servers import until
from tests.trust_shop import living
from workbench import Project
from workbench.publish.site import serving_project


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A shop where people leave faster from day 75 on, and some get messages after they have left."""
    folder = tmp_path_factory.mktemp("trust") / "shop"
    return living(folder, days=90, people=2_000, leaving=0.02, rise=(75, 3.0), after_optout=3)


@pytest.fixture(scope="module")
def url(shop: Project) -> Iterator[str]:
    """Where its screens are served."""
    with serving_project(shop, screens=True) as server:
        yield server.url


@pytest.mark.requirement("G09", "M07")
def test_trust_says_the_worst_first_and_follows_its_controls(page: Any, url: str, shop: Project) -> None:
    visit(page, url, "8-trust.ipynb", "en")
    assert reads(page, ".wb-sentence", str(shop.trust().sentence))
    assert reads(page, ".wb-checks li >> nth=0", "3 messages were sent to 3 people")
    assert until(lambda: page.locator(".wb-chart svg").count() >= 8)
    page.get_by_label("Least to join for each who leaves").fill("50")
    page.get_by_label("Least to join for each who leaves").press("Tab")
    assert reads(page, ".wb-checks", "sure that fewer than 50 join for each who leaves")
    settle(page)
    assert too_wide(page) == 0
    page.get_by_role("button", name="What we use").click()
    page.locator(".wb-sentence", has_text="had opted out").wait_for(state="detached")
    page.get_by_role("button", name="Trust", exact=True).click()
    assert reads(page, ".wb-sentence", "had opted out")
