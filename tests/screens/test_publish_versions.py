"""The versions of a page on the screen: kept, compared, shown again, deleted for good."""

from __future__ import annotations

from tests.screens.pages import control, widgets, words
from workbench import Project, screens
from workbench.locale import Texts
from workbench.publish import bundle
from workbench.screens.publishing import PublishState


def test_a_page_gets_versions_and_a_way_back(own_shop: Project) -> None:
    state = PublishState(own_shop)
    conversion, *others = (record.id for record in state.records)
    for chosen in ([conversion], [conversion, *others]):
        for one in chosen:
            state.choose(one, wanted=True)
        state.title = "Home"
        state.publish()
        assert state.problem is None
    assert "Version 2" in str(state.notice)
    assert [(one.number, one.current) for one in state.versions("home")] == [(2, True), (1, False)]
    assert all("this is new" in line for line in state.moved("home", Texts("en")))
    state.roll_back("home", 1)
    assert bundle.current(own_shop.path / "published", "home") == 1
    state.unpublish("home")
    assert (state.pages, state.down) == ([], ["home"])
    state.unpublish("home", for_good=True)
    assert (state.pages, state.down) == ([], [])


def test_a_version_that_was_changed_is_named_and_cannot_be_shown(own_shop: Project) -> None:
    state = PublishState(own_shop)
    for _ in range(2):
        state.choose(state.records[0].id, wanted=True)
        state.title = "Home"
        state.publish()
    (own_shop.path / "published" / "home" / "versions" / "1" / "index.html").write_text("<p>better</p>")
    page = screens.publish(own_shop, "en")
    control(page, "Versions").value = True
    assert "index.html was changed" in words(page)
    assert not [one for one in widgets(page) if getattr(one, "description", "") == "Show this one"]
    state.roll_back("home", 1)
    assert "Its numbers are not shown" in str(state.problem)
