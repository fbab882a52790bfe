"""What is looked at, and how: every screen and page, in which widths, colour schemes and languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import PurePath

from workbench import Project
from workbench.locale import LANGUAGES
from workbench.publish.site import notebooks_folder

WIDTHS = (390, 768, 1280)
SCHEMES = ("light", "dark")
PAPER = "print"
_LIVE = "-live"
_SHEET = 703  # pixels, at 96 an inch, of an A4 sheet between margins of 12 mm
_PRESSED = {"7-one-customer": "Like many who came back"}

IN_FULL = ("3-effect-lab.results", "page-effect")
AT_FRONT = ("3-effect-lab.results", "page-effect")
"""Whose upper part is in the README of the project."""


@dataclass(frozen=True)
class Look:
    """One way to look at a page.

    Attributes:
        width: In pixels.
        scheme: The colours of the reader's computer, or paper.
        language: The reader's.
    """

    width: int
    scheme: str
    language: str

    def __str__(self) -> str:
        return f"{self.width}.{self.scheme}.{self.language}"


EVERY = tuple(Look(*look) for look in product(WIDTHS, SCHEMES, LANGUAGES))
ON_PAPER = tuple(Look(_SHEET, PAPER, language) for language in LANGUAGES)
FIRST = Look(1280, "light", "en")
FEW = (Look(390, "dark", "es"), Look(768, "light", "en"), FIRST)
FEWEST = (Look(390, "dark", "es"), FIRST)


@dataclass(frozen=True)
class View:
    """Something that is served.

    Attributes:
        name: `3-effect-lab` for a screen, `page-effect-live` for a published page with Python behind it.
        address: From the server's first address, without the language.
        printed: Whether it is made to be printed as well.
        press: The button that is pressed before there is something to see.
    """

    name: str
    address: str
    printed: bool = False
    press: str = ""


def _name(notebook: PurePath) -> str:
    return "-".join(notebook.with_suffix("").parts).replace("lessons-", "lesson-")


def served(project: Project) -> list[View]:
    """All that a server of the project hands out with its screens."""
    folder = notebooks_folder()
    screens = [
        View(
            _name(file.relative_to(folder)),
            f"voila/render/{file.relative_to(folder).as_posix()}",
            press=_PRESSED.get(file.stem, ""),
        )
        for file in sorted(folder.rglob("*.ipynb"))
        if ".ipynb_checkpoints" not in file.parts
    ]
    pages = [place.parent.name for place in sorted((project.path / "published").glob("*/versions"))]
    return [
        *screens,
        *(View(f"page-{slug}", f"p/{slug}/", printed=True) for slug in pages),
        *(View(f"page-{slug}{_LIVE}", f"p/{slug}/live") for slug in pages),
    ]


def looks(part: str, *, printed: bool, everything: bool = False) -> Sequence[Look]:
    """How a page or the part of a screen is looked at: two in all ways, the others in two or three."""
    shown = EVERY if everything or part in IN_FULL else FEWEST if part.endswith(_LIVE) else FEW
    return (*shown, *(ON_PAPER if printed else ()))
