"""A published page as PDF: one sheet a result, in both languages, with words for its charts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests import sample_shop
from tests.browser.screens import visit
from tests.browser.servers import new_tab, until
from tests.test_still import HOSTILE
from tools.browser import find
from workbench import Project
from workbench.cli import main
from workbench.errors import Tampered
from workbench.locale import Texts
from workbench.publish import bundle
from workbench.publish.pdf import pdf
from workbench.publish.site import serving_project


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample shop with a page of one result and one of all results, under a hostile title."""
    project = sample_shop.make(tmp_path_factory.mktemp("pdf") / "shop")
    project.publish([project.effect(sample_shop.EXPERIMENT)], "One")
    project.publish(list(project.records.values()), HOSTILE[0])
    return project


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command opens the browser that the tests open."""
    monkeypatch.setenv("CHROMIUM", find() or "")


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with new_tab(browser) as tab:
        yield tab


def sheets(document: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", document))


def words(document: bytes) -> str:
    """What a screen reader is told of pictures (ISO 32000-1, 14.9.3), in one line."""
    told = re.findall(rb"/Alt <FEFF([0-9A-F]+)>", document)
    return " ".join(bytes.fromhex(one.decode()).decode("utf-16-be") for one in told).replace("\xa0", " ")


@pytest.mark.requirement("U05", "U06")
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("paper", "size"), [("a4", (595, 842)), ("letter", (612, 792))])
def test_a_result_is_one_sheet_that_says_what_was_found_to_whoever_cannot_see_it(
    shop: Project, program: None, language: str, paper: str, size: tuple[int, int]
) -> None:
    """Sizes of paper in points: ISO 216 and ANSI/ASME Y14.1."""
    document = pdf(shop, "one", language=language, paper=paper)
    record = next(record for record in shop.records.values() if record.settings.by is None)
    (box,) = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", document)
    assert sheets(document) == 1
    assert tuple(round(float(side)) for side in box) == size
    assert b"/Marked true" in document  # tagged
    assert f"/Lang ({language})".encode() in document
    assert Texts(language)(record.verdict).replace("\xa0", " ") in words(document)


def test_a_sheet_for_each_result_and_a_title_is_a_title_whatever_it_looks_like(
    shop: Project, program: None, tmp_path: Path
) -> None:
    slug = next(page.slug for page in bundle.pages(shop.path / "published") if page.title == HOSTILE[0])
    done = CliRunner().invoke(main, ["pdf", str(shop.path), slug, "--out", str(tmp_path / "all.pdf")])
    assert done.exit_code == 0, done.output
    document = (tmp_path / "all.pdf").read_bytes()
    assert sheets(document) == len(shop.records)
    assert f"/Title ({HOSTILE[0].replace('(', '\\(').replace(')', '\\)')})".encode() in document
    assert list(shop.path.glob(".pdf-*")) == []


def test_a_page_is_published_as_pdf_at_once(shop: Project, program: None, tmp_path: Path) -> None:
    own, file = sample_shop.copy(shop, tmp_path / "own"), tmp_path / "new.pdf"
    record = next(iter(own.records))
    words = ["publish", str(own.path), record, "--title", "New", "--language", "es", "--pdf", str(file)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert b"/Lang (es)" in file.read_bytes()


def test_what_was_changed_is_not_printed(shop: Project, program: None, tmp_path: Path) -> None:
    other = sample_shop.copy(shop, tmp_path / "other")
    file = bundle.checked(other.path / "published", "one") / "index.html"
    file.write_text(file.read_text("utf-8").replace("<h1", "<h1 hidden", 1), "utf-8")
    with pytest.raises(Tampered):
        pdf(other, "one")


def test_a_program_that_prints_nothing_is_named(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "false")
    done = CliRunner().invoke(main, ["pdf", str(shop.path), "one"])
    assert done.exit_code == 1
    assert "false did not print the page" in done.output


def test_without_a_browser_one_sentence_says_what_to_do(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM", "there-is-no-such-browser")
    done = CliRunner().invoke(main, ["pdf", str(shop.path), "one"])
    assert done.exit_code == 1
    assert "install Chromium" in done.output


def test_a_sheet_is_drawn_where_no_frame_is_ever_painted(page: Any, shop: Project) -> None:
    """A browser that prints has a clock of its own, which may run out before it paints."""
    page.add_init_script("globalThis.requestAnimationFrame = () => 0")
    file = bundle.checked(shop.path / "published", "one") / "index.html"
    page.goto(f"{file.as_uri()}?lang=es&paper=letter")
    page.locator(".wb-sheet").first.wait_for(state="attached")
    assert page.locator(".wb-sheet").count() == page.locator(".wb-page[lang=es] .wb-place").count() > 0


@pytest.mark.requirement("U05")
def test_the_page_prints_itself_with_its_charts_drawn_for_paper_and_is_a_page_again(
    page: Any, shop: Project
) -> None:
    page.goto((bundle.checked(shop.path / "published", "one") / "index.html").as_uri())
    page.evaluate(
        "void (globalThis.print = () => { globalThis.seen ="
        " [...document.querySelectorAll('.wb-sheet')].map(one => [one.naturalWidth, one.alt]) })"
    )
    charts = page.locator(".wb-place:visible").count()
    page.get_by_role("button", name="Save as PDF").click()
    assert until(lambda: page.evaluate("globalThis.seen") is not None)
    seen = page.evaluate("globalThis.seen")
    assert len(seen) == charts > 0
    assert {width for width, _ in seen} <= {474, 980}  # half of a sheet and all of it, at one scale
    assert all(alt for _, alt in seen)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".wb-place:visible").count() == charts
    assert page.locator(".wb-sheet").count() == 0


def test_the_screen_hands_a_printed_page_over_and_stays_alive_meanwhile(
    page: Any, shop: Project, program: None, tmp_path: Path
) -> None:
    with serving_project(shop, screens=True) as server:
        visit(page, server.url, "9-publish.ipynb", "en")
        with page.expect_download(timeout=60_000) as waited:
            page.get_by_role("button", name="Save “One” as PDF").click()
            page.get_by_role("textbox", name="Title of the page").fill("Written meanwhile")
        file = tmp_path / "one.pdf"
        waited.value.save_as(file)
        assert waited.value.suggested_filename == "one.pdf"
        assert file.read_bytes().startswith(b"%PDF-")
        assert page.get_by_role("button", name="Save “One” as PDF").is_enabled()
