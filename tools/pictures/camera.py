"""A browser that takes pictures of what a server hands out."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from PIL import Image

from tests.browser.servers import until
from tools.pictures.looks import AT_FRONT, FIRST, PAPER, WIDTHS, Look, View, looks
from workbench import Project
from workbench.locale import LANGUAGES, Texts

_WINDOW = 900
_HIGHEST = 4500
_COLOURS = 128  # every letter stays sharp, in a quarter fewer bytes
_PATIENCE = 120  # seconds; a busy machine makes pages wait
_SMALL = (320, 225)
_TOP = 1400
_READY = ".wb-page h1:visible, .wb-error:visible, main:visible"
# Work that is told of, lines that say that something goes on, and charts that are not drawn yet.
_AT_WORK = """() => document.querySelector(".wb-busy, .wb-work-shown") !== null
  || [...document.querySelectorAll(".wb-help, .wb-health, .wb-detail")]
    .some((one) => one.innerText.endsWith("…"))
  || [...document.querySelectorAll(".wb-place, .wb-chart")]
    .some((one) => one.clientWidth && !one.querySelector("svg"))
"""
_SHOWN = "() => document.body.innerHTML.length"
_HEIGHT = "() => Math.ceil(document.documentElement.scrollHeight)"
_PART = ".widget-vbox:has(> .wb-tabs) > .widget-vbox > *"
_LEAVE = f"""() => {{ for (const one of document.querySelectorAll("{_PART}")) one.dataset.left = "yes"; }}"""
_LEFT = '[data-left="yes"]'
_WRITE_OVER = """(pairs) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    for (const [found, instead] of pairs) {
      if (walker.currentNode.data.includes(found)) {
        walker.currentNode.data = walker.currentNode.data.replaceAll(found, instead);
      }
    }
  }
}"""


class Camera:
    """Takes the pictures of one view after the other.

    Args:
        browser: A Chromium of Playwright.
        url: Of the server.
        project: What is served.
        folder: Where the pictures go.
        everything: In all widths, colour schemes and languages, however many pictures that makes.
    """

    def __init__(
        self, browser: Any, url: str, project: Project, folder: Path, *, everything: bool = False
    ) -> None:
        self._browser, self._url, self._project = browser, url, project
        self._folder, self._everything = folder, everything
        self._titles: dict[str, list[str]] = {}
        for place in ("small", "top"):
            (folder / place).mkdir(parents=True, exist_ok=True)

    def take(self, view: View, width: int | None = None) -> list[str]:
        """Pictures of a view in each language, in one width or all; the names of the files."""
        return [name for language in LANGUAGES for name in self._in(language, view, width)]

    def _in(self, language: str, view: View, width: int | None) -> Iterator[str]:
        context = self._browser.new_context(
            viewport={"width": WIDTHS[-1], "height": _WINDOW}, locale=language, reduced_motion="reduce"
        )
        try:
            page = context.new_page()
            self._open(page, view, language)
            for part in self._parts(page, view, language):
                for look in looks(part, printed=view.printed, everything=self._everything):
                    if look.language == language and width in (None, look.width):
                        self._picture(page, look, self._folder / f"{part}.{look}.webp")
                        yield f"{part}.{look}.webp"
            page.close(run_before_unload=True)  # so that its kernel ends, too
        finally:
            context.close()

    def _open(self, page: Any, view: View, language: str) -> None:
        page.goto(f"{urljoin(self._url, view.address)}?lang={language}", wait_until="commit")
        page.wait_for_selector(_READY, timeout=1000 * _PATIENCE)
        _rest(page)
        if view.press:
            page.get_by_role("button", name=Texts(language)(view.press)).click()
            _rest(page)

    def _parts(self, page: Any, view: View, language: str) -> Iterator[str]:
        """Open each tab of the view, one after the other; their names, which are the English ones."""
        buttons = page.locator(".wb-tabs button")
        if not buttons.count():
            yield view.name
            return
        if language == LANGUAGES[0]:
            self._titles[view.name] = buttons.all_inner_texts()
        for place, title in enumerate(self._titles[view.name]):
            if "mod-active" not in buttons.nth(place).get_attribute("class"):
                page.evaluate(_LEAVE)
                buttons.nth(place).click()
                assert until(lambda: not page.locator(_LEFT).count(), _PATIENCE)
            yield f"{view.name}.{slug(title)}"

    def _picture(self, page: Any, look: Look, file: Path) -> None:
        if look.scheme == PAPER:
            page.goto(f"{page.url}&paper=a4")
            _rest(page)  # its charts become images, which must not change afterwards
            page.emulate_media(color_scheme="light", media="print")
        else:
            page.emulate_media(color_scheme=look.scheme, media="screen")
        page.set_viewport_size({"width": look.width, "height": _WINDOW})
        _rest(page)
        height = min(page.evaluate(_HEIGHT), _HIGHEST)
        page.set_viewport_size({"width": look.width, "height": height})  # what is out of sight is drawn, too
        _rest(page)
        page.evaluate(_WRITE_OVER, self._changing())
        picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
        save(picture, file)
        if look == FIRST:
            small = picture.crop((0, 0, look.width, look.width * _SMALL[1] // _SMALL[0]))
            save(small.resize(_SMALL, Image.Resampling.LANCZOS), file.parent / "small" / file.name)
        if look == FIRST and file.name.removesuffix(f".{look}.webp") in AT_FRONT:
            save(picture.crop((0, 0, look.width, min(_TOP, height))), file.parent / "top" / file.name)

    def _changing(self) -> list[tuple[str, str]]:
        """What would be something else on another computer, and what stands in its place."""
        return [(str(self._project.path.parent), "/home/ana/data"), (getpass.getuser(), "ana")]


def slug(title: str) -> str:
    """What a title is called in the name of a file."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def save(image: Image.Image, file: Path) -> None:
    """Write a picture, unless the one that is there shows the same."""
    rare_too = Image.Quantize.MAXCOVERAGE
    few = image.quantize(_COLOURS, method=rare_too, dither=Image.Dither.NONE).convert("RGB")
    if file.is_file():
        with Image.open(file) as there:
            if there.size == few.size and there.convert("RGB").tobytes() == few.tobytes():
                return
    few.save(file, lossless=True, quality=80, method=6)


def _rest(page: Any) -> None:
    """Wait until nothing goes on: everything is computed, drawn, and at its place."""
    before = -1

    def over() -> bool:
        nonlocal before
        page.wait_for_timeout(
            500
        )  # ms: a change has to reach Python, and a chart waits before it is drawn again
        last, before = before, page.evaluate(_SHOWN)
        return last == before and not page.evaluate(_AT_WORK)

    if not until(over, _PATIENCE):
        raise TimeoutError(f"{page.url} does not come to rest")
