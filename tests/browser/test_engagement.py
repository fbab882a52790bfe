"""The engagement screen in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.browser.screens import reads, settle, too_wide, visit
from tests.browser.servers import until
from tests.sample_shop import make
from workbench.publish.site import serving_project

STEM = "6-engagement"


def test_stays_are_split_and_drawn_and_fit_a_telephone(page: Any, tmp_path: Path) -> None:
    shop = make(tmp_path / "shop")
    with serving_project(shop, screens=True) as server:
        visit(page, server.url, f"{STEM}.ipynb", "en")
        t = shop.texts("en")
        found = shop.engagement()
        assert reads(page, ".wb-sentence", t(found.visits.sentence))
        assert until(lambda: page.locator(".wb-chart svg").count() == 7)
        page.get_by_label("Stays by").select_option("device")
        longest = shop.engagement(by="device").time.groups[0]
        assert reads(page, ".wb-picture h3", f"Longest is {longest.name}")
        settle(page)
        assert too_wide(page) == 0
