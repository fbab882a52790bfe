"""The live page as its kernel makes it: names stay text, and a page that was forged shows no number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.screens.pages import words
from tests.shops import binary, unit_level
from tests.test_publication import forge
from tests.test_still import HOSTILE, Reader, plain
from workbench import Project
from workbench.publish import bundle
from workbench.publish.page import PUBLISHED, show_page


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A page of which everything that can have a name is called what nothing should be called."""
    project = unit_level(
        tmp_path_factory.mktemp("live") / "shop",
        {HOSTILE[0]: binary(120, 1000), HOSTILE[1]: binary(150, 1000)},
        metric=HOSTILE[1],
        assignment="random",
        attributes={"country": [HOSTILE[place % 5] for place in range(1000)] * 2},
    )
    project.change(name=f"{HOSTILE[1]} & co")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_PERSON", "ana")
        project.team.add("ana", "lead", name=HOSTILE[1])
        project.team.set_public("ana", True)
        record = project.effect("home", HOSTILE[1], by="country", control=HOSTILE[0])
        project.publish([record], f"Sales {HOSTILE[0]}", audience=HOSTILE[1])
    return project


@pytest.fixture
def opened(shop: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """The markup of the live page for what a reader's address asks."""
    monkeypatch.setenv(PUBLISHED, str(shop.path / "published"))

    def show(query: str) -> str:
        monkeypatch.setenv("QUERY_STRING", query)
        return words(show_page())

    return show


def slug(shop: Project) -> str:
    (page,) = bundle.pages(shop.path / "published")
    return page.slug


def harmless(markup: str) -> str:
    """The text of markup in which there is no element that runs, loads or reaches anything."""
    read = Reader(markup)
    tags = {tag for tag, _ in read.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "form", "base", "link"}
    for _, given in read.elements:
        assert not [name for name in given if name.startswith("on")]
        assert (given.get("href") or "?").startswith(("?", "../../voila/", "data:text/csv"))
    return plain("".join(read.text))


@pytest.mark.requirement("G02")
@pytest.mark.parametrize("language", ["en", "es"])
def test_names_are_text_wherever_the_live_page_says_them(
    shop: Project, opened: Callable[[str], str], language: str
) -> None:
    said = harmless(opened(f"page={slug(shop)}&lang={language}"))
    for name in HOSTILE:
        assert plain(name) in said
    assert said.count(plain(HOSTILE[1])) >= 4  # project, audience, whom to ask, and the arm


@pytest.mark.parametrize("asked", [*HOSTILE, "../../etc/passwd", "x' onclick='alert(1)", "&lang=<b>"])
def test_what_an_address_asks_for_is_text(opened: Callable[[str], str], asked: str) -> None:
    """Attack: a link to a page that is not there, whose name is markup."""
    said = harmless(opened(f"page={quote(asked, safe='')}&lang=en"))
    assert "There is no published page" in said


def test_only_whom_the_server_lets_home_is_led_there(shop: Project, opened: Callable[[str], str]) -> None:
    for query, way in (("", False), ("&lang=es", False), ("&home=yes", True)):
        for page in (slug(shop), "nothing"):
            assert ("index.ipynb" in opened(f"page={page}{query}")) == way


def test_a_forged_page_shows_no_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack: somebody who can write to the folder changes a record and makes the manifest fit."""
    arms = {"A": binary(120, 1000), "B": binary(150, 1000)}
    project = unit_level(tmp_path / "shop", arms, assignment="random")
    made = project.publish([project.effect("home")], "Home")
    monkeypatch.setenv(PUBLISHED, str(project.path / "published"))
    monkeypatch.setenv("QUERY_STRING", "lang=en")
    assert "+3.0 points" in plain(words(show_page("home")))
    forge(made.path)
    said = plain(words(show_page("home")))
    assert "its seal was not made with the key of this project" in said
    assert "points" not in said
