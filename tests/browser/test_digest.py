"""The digest in a real browser, opened from a disk, and on paper."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.screens import too_wide
from tests.browser.test_still import contrast
from tests.test_digest import EARLY, LATE, fill, now
from tools.browser import find
from workbench import Project
from workbench.publish import digest
from workbench.publish.digest_sheet import digest_document
from workbench.publish.pdf import sheet_pdf


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project.create(tmp_path_factory.mktemp("digest") / "shop", name="Shop")


@pytest.fixture(scope="module")
def page(shop: Project) -> str:
    """A decision that changed, answers that were asked for the first time, and new rows."""
    fill(shop, EARLY)
    shop.effect("home")
    since = now()
    fill(shop, LATE)
    shop.effect("home")
    shop.effect("home", "click")
    return digest_document(shop, digest.digest(shop, since))


@pytest.mark.requirement("U03", "U06")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_from_a_disk_on_a_telephone_and_asks_nothing_of_anybody(
    browser: Any, page: str, tmp_path: Path, scheme: str
) -> None:
    file = tmp_path / "digest.html"
    file.write_text(page, encoding="utf-8")
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme, locale="en-US")
    tab, outside, said = context.new_page(), [], []
    tab.on("request", lambda one: None if one.url.startswith("file:") else outside.append(one.url))
    tab.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(file.as_uri())
    assert too_wide(tab) == 0
    then, current = tab.locator(".wb-then-now:visible").first.locator(".wb-side").all()
    above, below = then.bounding_box(), current.bounding_box()
    assert above["y"] + above["height"] <= below["y"]  # one below the other, the earlier one first
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    for chip in tab.locator(".wb-outcome:visible").all():
        assert contrast(chip.evaluate("one => getComputedStyle(one).color"), paper) > 4.5
    tab.locator(".wb-languages:visible a[lang=es]").click()
    assert tab.locator(".wb-page:visible").get_attribute("lang") == "es"
    assert (outside, said) == ([], [])
    context.close()


@pytest.mark.requirement("U03")
@pytest.mark.parametrize(("paper", "size"), [("a4", (595, 842)), ("letter", (612, 792))])
def test_it_prints(
    shop: Project, page: str, monkeypatch: pytest.MonkeyPatch, paper: str, size: tuple[int, int]
) -> None:
    """Sizes of paper in points: ISO 216 and ANSI/ASME Y14.1."""
    monkeypatch.setenv("CHROMIUM", find() or "")
    document = sheet_pdf(page, shop.path, language="es", paper=paper)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", document)
    assert {tuple(round(float(side)) for side in box) for box in boxes} == {size}
    assert b"/Lang (es)" in document
    assert b"/Marked true" in document  # tagged
    assert not list(shop.path.glob(".pdf-*"))
