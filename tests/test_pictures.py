"""The pictures in the documentation show all that is served, and the list of them is true."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import ipywidgets
import pytest
from PIL import Image

from tests import sample_shop
from tools.pictures import listing
from tools.pictures.__main__ import FOLDER
from tools.pictures.camera import save, slug
from tools.pictures.looks import EVERY, looks, served
from workbench import Project, screens
from workbench.publish.site import notebooks_folder

NAMES = {file.name for file in FOLDER.rglob("*.webp")}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return sample_shop.make(tmp_path_factory.mktemp("pictured") / "shop")


def tabs(widget: ipywidgets.Widget) -> Iterator[str]:
    """The titles of the tabs in a screen."""
    if "wb-tabs" in widget._dom_classes:
        yield from widget._options_labels
    for child in getattr(widget, "children", ()):
        yield from tabs(child)


@pytest.mark.parametrize("notebook", sorted(notebooks_folder().glob("*.ipynb")), ids=lambda file: file.stem)
def test_a_screen_and_each_of_its_tabs_are_shown_in_all_their_looks(shop: Project, notebook: Path) -> None:
    maker = re.search(r"screens\.(\w+)\(", notebook.read_text(encoding="utf-8"))
    assert maker
    parts = [slug(title) for title in tabs(getattr(screens, maker[1])(shop, "en"))]
    for name in [f"{notebook.stem}.{part}" for part in parts] or [notebook.stem]:
        assert {f"{name}.{look}.webp" for look in looks(name, printed=False)} <= NAMES


def test_every_lesson_is_shown_in_all_its_looks_as_it_begins(shop: Project) -> None:
    lessons = [view.name for view in served(shop) if "/lessons/" in view.address]
    assert lessons
    for name, look in product(lessons, looks("", printed=False)):
        assert fnmatch.filter(NAMES, f"{name}*.{look}.webp")


@pytest.mark.parametrize("kind", ["effect", "association", "lifetime-value", "cohorts", "tampered"])
def test_a_page_of_each_kind_is_shown_in_all_its_looks(kind: str) -> None:
    for name, printed in ((f"page-{kind}", True), (f"page-{kind}-live", False)):
        assert {f"{name}.{look}.webp" for look in looks(name, printed=printed)} <= NAMES


def test_what_is_served_has_names_of_its_own(shop: Project) -> None:
    shop.publish(list(shop.records.values()), "Effect lab")
    names = [view.name for view in served(shop)]
    assert len(set(names)) == len(names) > 10
    assert len({str(look) for look in EVERY}) == 12


def test_the_list_names_exactly_the_pictures_that_are_there() -> None:
    text = (FOLDER / listing.LIST).read_text(encoding="utf-8")
    named = re.findall(r"\(([^()]+\.webp)\)", text)
    there = [file.relative_to(FOLDER).as_posix() for file in FOLDER.rglob("*.webp")]
    assert sorted(named) == sorted(there)
    assert len(there) > 100
    assert sum(file.stat().st_size for file in FOLDER.rglob("*.webp")) < 16e6


def test_a_picture_is_written_anew_only_where_it_shows_something_else(tmp_path: Path) -> None:
    file, picture = tmp_path / "a.webp", Image.new("RGB", (40, 30), "#0072B2")
    save(picture, file)
    file.touch()
    before = file.stat().st_mtime_ns
    save(picture.copy(), file)
    assert file.stat().st_mtime_ns == before
    picture.putpixel((3, 4), (255, 255, 255))
    save(picture, file)
    with Image.open(file) as shown:
        assert list(shown.convert("RGB").get_flattened_data()) == list(picture.get_flattened_data())


def test_the_list_is_in_the_order_of_the_looks_and_without_what_is_no_longer_there(tmp_path: Path) -> None:
    wanted = looks("page-effect", printed=True)
    for name in (*(f"page-effect.{look}" for look in sorted(wanted, key=str)), f"gone.{wanted[0]}"):
        (tmp_path / f"{name}.webp").touch()
    listing.remove_others(tmp_path, [f"page-effect.{look}.webp" for look in wanted])
    assert listing.pictures(tmp_path) == {"page-effect": [str(look) for look in wanted]}
