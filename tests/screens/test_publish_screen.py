"""Publish: what is chosen goes out as it was shown, and nothing else."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.screens.pages import answers, control, widgets, words
from workbench import Project, screens
from workbench.publish import bundle
from workbench.screens.publishing import PublishState


@pytest.mark.requirement("U05")
def test_what_goes_out_is_what_was_shown_in_the_order_of_choosing(own_shop: Project) -> None:
    state = PublishState(own_shop)
    first, second = state.records[2].id, state.records[0].id
    state.choose(first, wanted=True)
    state.choose(second, wanted=True)
    state.choose(first, wanted=True)
    shown = state.preview()
    assert [record.id for record in shown] == [first, second]
    state.title = " For Tuesday "
    state.publish()
    assert state.problem is None
    page, records = bundle.read(own_shop.path / "published", state.published)
    assert page.title == "For Tuesday"
    assert records == shown
    assert (state.title, state.chosen) == ("", [])


def test_a_page_can_be_taken_down_and_its_results_stay(own_shop: Project) -> None:
    state = PublishState(own_shop)
    state.choose(state.records[0].id, wanted=True)
    state.title = "One"
    state.publish()
    assert [page.slug for page in state.pages] == ["one"]
    state.unpublish("one")
    assert state.pages == []
    assert len(state.records) == 3
    state.unpublish("one")
    assert "There is no published page “one” here." in str(state.problem)


def test_a_person_chooses_looks_and_publishes(own_shop: Project) -> None:
    page = screens.publish(own_shop, "en")
    assert answers(page) == ""
    publish = control(page, "Publish")
    assert publish.disabled
    tick = control(page, "conversion in “personalised-home”, by device")
    tick.value = True
    assert "converts better" in answers(page)
    assert publish.disabled
    control(page, "Title of the page").value = "<u>Home</u>"
    assert not publish.disabled
    publish.click()
    shown = words(page)
    assert "“&lt;u&gt;Home&lt;/u&gt;” is published." in shown
    assert "<u>" not in shown
    assert not tick.value
    assert [item.title for item in bundle.pages(own_shop.path / "published")] == ["<u>Home</u>"]
    (away,) = [w for w in widgets(page) if getattr(w, "description", "") == "Take down"]
    away.click()
    assert bundle.pages(own_shop.path / "published") == []


def test_without_results_the_page_says_where_they_come_from(empty_shop: Project) -> None:
    shown = words(screens.publish(empty_shop, "en"))
    assert "No result has been kept yet" in shown
    assert "3-effect-lab.ipynb" in shown


def test_many_results_are_not_all_in_sight(own_shop: Project) -> None:
    for days in range(1, 11):
        own_shop.effect("personalised-home", window_days=days)
    page = screens.publish(own_shop, "en")
    boxes = [w for w in widgets(page) if w._model_name == "CheckboxModel" and w.layout.display != "none"]
    assert len(boxes) == 13
    more = control(page, "More settings")
    assert not more.value


def test_a_split_by_age_has_to_be_allowed(own_shop: Project) -> None:
    people = own_shop.engine.query("SELECT * FROM customers")
    own_shop.commit({"customers": people.append_column("edad", pa.array([30] * people.num_rows))})
    record = own_shop.effect("personalised-home", by="edad")
    state = PublishState(own_shop)
    assert not state.sensitive()
    state.choose(record.id, wanted=True)
    assert state.sensitive()
    state.title = "By age"
    state.publish()
    assert state.pages == []
    assert "sensitive" in str(state.problem)
    state.sensitive_too = True
    state.publish()
    assert [page.title for page in state.pages] == ["By age"]


def test_without_a_browser_the_screen_says_how_a_page_becomes_a_pdf(
    own_shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM", "there-is-no-such-browser")
    state = PublishState(own_shop)
    slug = own_shop.publish([next(iter(own_shop.records.values()))], "One").slug
    handed: list[object] = []
    state.as_pdf(slug, "en", handed.append)
    assert handed == [None]
    assert "install Chromium" in str(state.problem)
