"""What is the same for all readers of a page is made once, before they come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets
import pytest

from tests.shops import binary, unit_level
from workbench.locale import Texts
from workbench.project import Project
from workbench.publish import bundle, content, warm
from workbench.publish.page import PUBLISHED


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = unit_level(tmp_path / "shop", {"A": binary(30, 300), "B": binary(60, 300)}, assignment="random")
    project.publish([project.effect("home")], "Home")
    monkeypatch.setenv(PUBLISHED, str(project.path / "published"))
    monkeypatch.setenv("QUERY_STRING", "")
    monkeypatch.setattr(warm, "_pages", None)
    return project


@pytest.fixture
def laid_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The languages in which contents were made."""
    made: list[str] = []
    really = content.sentence

    def sentence(record: object, t: Texts) -> str:
        made.append(t.language)
        return really(record, t)  # type: ignore[arg-type]  # whatever it was given

    monkeypatch.setattr(content, "sentence", sentence)
    return made


def test_a_page_is_laid_out_once_for_all_of_its_readers(
    shop: Project, laid_out: list[str], show: Callable[[Project], ipywidgets.Widget]
) -> None:
    assert warm.pages()
    assert sorted(laid_out) == ["en", "es"]
    assert not ipywidgets.Widget.get_manager_state()["state"]  # nothing that a copy would not know
    for _ in range(3):
        show(shop)
    assert sorted(laid_out) == ["en", "es"]
    assert not warm.pages()


def test_another_version_is_laid_out_anew(
    shop: Project, laid_out: list[str], show: Callable[[Project], ipywidgets.Widget]
) -> None:
    warm.pages()
    shop.publish([shop.effect("home", prior=(0.5, 0.5))], "Home")
    laid_out.clear()
    assert warm.pages()
    show(shop)
    assert len(laid_out) == 2


def test_what_a_reader_makes_alone_is_not_kept(
    shop: Project, laid_out: list[str], show: Callable[[Project], ipywidgets.Widget]
) -> None:
    show(shop)
    show(shop)
    assert len(laid_out) == 2


def test_a_page_that_cannot_be_shown_leaves_nothing_behind(shop: Project) -> None:
    page = bundle.pages(shop.path / "published")[0]
    (record,) = (shop.path / "published" / page.slug / "versions" / "1").glob("[!m]*.json")
    record.write_text("{}", encoding="utf-8")
    assert warm.pages()
    assert not ipywidgets.Widget.get_manager_state()["state"]


@pytest.fixture
def show(shop: Project) -> Callable[[Project], ipywidgets.Widget]:
    from workbench.publish.page import show_page

    return lambda project: show_page(bundle.pages(project.path / "published")[0].slug)
