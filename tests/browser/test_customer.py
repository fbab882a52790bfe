"""One customer in a real browser: offered, drawn, and no wider than a telephone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import customers
from tests.browser.screens import reads, settle, too_wide, visit
from tests.browser.servers import until
from workbench import Project
from workbench.analyses.customer import example
from workbench.locale import Texts
from workbench.publish.site import serving_project


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A shop that knows everything about its customers."""
    return customers.make(tmp_path_factory.mktemp("customers") / "shop")


@pytest.fixture(scope="module")
def url(shop: Project) -> Iterator[str]:
    """Where its screens are served."""
    with serving_project(shop, screens=True) as server:
        yield server.url


@pytest.mark.requirement("D22")
def test_a_customer_is_offered_drawn_and_asked_about_again(page: Any, url: str, shop: Project) -> None:
    t = Texts("en")
    visit(page, url, "7-one-customer.ipynb", "en")
    page.get_by_role("button", name=t("With the most orders")).click()
    found = shop.customer(example(shop, "most"))
    assert reads(page, ".wb-sentence", t(found.sentence))
    settle(page)
    assert until(lambda: page.locator(".wb-chart svg").count() == 1)
    drawn = page.locator(".wb-chart svg .mark-symbol path").count()
    assert drawn >= found.bought.orders
    assert page.get_by_label(t("Identifier or pseudonym")).input_value() == found.pseudonym
    assert page.get_by_text("age", exact=True).is_hidden()  # sensitive, so folded
    assert too_wide(page) == 0
    page.get_by_label(t("Identifier or pseudonym")).fill("nobody@example.com")
    page.keyboard.press("Enter")
    assert reads(page, ".wb-error", "There is no customer with this identifier here")
    assert page.locator(".wb-sentence").count() == 0
