"""A question that somebody asks on their telephone, in Spanish, and finds again on the home."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import sample_shop
from tests.browser.screens import reads, visit
from tests.browser.servers import until
from workbench.locale import Texts
from workbench.publish.site import serving_project

WORDS = "¿Por qué baja en Logroño? <i>Señas</i>: 612 345 678"
KEPT = "¿Por qué baja en Logroño? <i>Señas</i>: [phone]"
_TOO_WIDE = "() => document.documentElement.scrollWidth - window.innerWidth"


@pytest.mark.requirement("U07")
def test_a_question_from_a_telephone_is_on_the_home_until_it_is_answered(
    page: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    t = Texts("es")
    shop = sample_shop.make(tmp_path / "shop")
    shop.effect(sample_shop.EXPERIMENT, "conversion")  # what the effect lab asks first
    monkeypatch.setenv("WORKBENCH_PERSON", "maría")
    page.set_viewport_size({"width": 390, "height": 844})
    with serving_project(shop, screens=True) as server:
        visit(page, server.url, "3-effect-lab.ipynb", "es")
        page.get_by_text(t("Write a note or a question")).click()
        page.get_by_label(t("Note or question"), exact=True).fill(WORDS)
        page.get_by_label(t("It is a question to be answered")).check()
        page.get_by_role("button", name=t("Save the note")).click()
        assert reads(page, ".wb-note-text", KEPT)
        assert page.evaluate(_TOO_WIDE) == 0
        visit(page, server.url, "0-home.ipynb", "es")
        assert reads(page, ".wb-checks", "¿Por qué baja en Logroño?")
        page.get_by_role("link", name=t("Notes and questions")).click()
        assert reads(page, ".wb-notes .wb-note-text", KEPT)
        assert page.locator(".wb-note-text i").count() == 0
        page.get_by_role("button", name=t("Mark as answered")).click()
        assert until(lambda: page.locator(".wb-checks", has_text="Logroño").count() == 0)
        assert page.evaluate(_TOO_WIDE) == 0
    (thread,) = shop.notes.threads()
    assert (thread.first.text, thread.first.by, thread.first.open) == (KEPT, "maría", False)
