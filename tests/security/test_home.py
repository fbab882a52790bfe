"""The home, the screens and the lessons are the analyst's: whoever comes by a page's link gets that page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.shops import binary, unit_level
from tests.test_publication import forge
from workbench import Project
from workbench.publish.links import Links
from workbench.publish.serve import Server
from workbench.publish.site import LESSONS, build, notebooks_folder, serving_project


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with one published page, `sales`."""
    arms = {"A": binary(60, 500), "B": binary(75, 500)}
    project = unit_level(tmp_path_factory.mktemp("doors") / "shop", arms, assignment="random")
    project.publish([project.effect("home")], "Sales")
    return project


@pytest.fixture(scope="module")
def server(shop: Project) -> Iterator[Server]:
    """It is served by links, with the screens."""
    with serving_project(shop, screens=True, links=True) as served:
        yield served


def test_a_reader_with_a_link_sees_neither_home_nor_screens_nor_lessons(
    shop: Project, server: Server
) -> None:
    token = (Links(shop.path).get("sales") or "").partition("?token=")[2]
    reader = requests.Session()
    assert reader.get(f"{server.url}p/sales/?token={token}", timeout=30).status_code == 200
    lesson = next((notebooks_folder() / LESSONS).glob("*.ipynb")).name
    for place in (
        "",
        "voila/render/index.ipynb",
        "voila/render/0-home.ipynb",
        f"voila/render/{LESSONS}/{lesson}",
    ):
        for query in ("", f"?token={token}"):
            answer = reader.get(f"{server.url}{place}{query}", timeout=30)
            assert answer.status_code == 403, place
            assert shop.settings.name not in answer.text
    page = reader.get(f"{server.url}p/sales/", timeout=30).text
    assert "0-home" not in page
    assert "index.ipynb" not in page


def test_a_server_hands_out_no_page_that_was_forged(shop: Project, server: Server) -> None:
    """Attack: somebody who can write to the folder, but has no key, makes a record and its manifest fit."""
    made = shop.publish([shop.effect("home")], "Forged")
    token = Links(shop.path).renew("forged").partition("?token=")[2]
    reader = requests.Session()
    assert reader.get(f"{server.url}p/forged/?token={token}", timeout=30).status_code == 200
    forge(made.path)
    for name in ("", "index.html", "manifest.json", *(file for file in made.files if file.endswith(".json"))):
        answer = reader.get(f"{server.url}p/forged/{name}", timeout=30)
        assert answer.status_code == 409
        assert "not what was published" in answer.text


def test_lessons_are_handed_out_with_the_screens_alone(shop: Project, tmp_path: Path) -> None:
    for screens in (True, False):
        site = tmp_path / str(screens)
        site.mkdir()
        build(shop, site, screens=screens)
        assert (site / LESSONS).is_dir() == screens
        assert (site / "0-home.ipynb").is_file() == screens
