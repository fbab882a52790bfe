"""The list of the pictures that are there, as a page of documentation."""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby
from pathlib import Path

from tools.pictures.looks import EVERY, FIRST, ON_PAPER, PAPER

LIST = "README.md"
_HEAD = """# Pictures

Every screen and every published page of the sample shop, as `make pictures` takes them: width in pixels,
colours of the reader's computer, language. All are seen at 390 (dark, Spanish) and 1280 pixels, most at
768 pixels, the effect lab and the page of an effect in every width, scheme and language; published pages on
paper as well. Pages higher than 4,500 pixels end there.

| | page | pictures |
|---|---|---|
"""


def pictures(folder: Path) -> dict[str, list[str]]:
    """The names of the looks by that of the page or part of a screen, in the order of the list."""
    names = sorted(file.stem for file in folder.glob("*.webp"))
    split = [name.rsplit(".", 3) for name in names]
    return {
        part: sorted((".".join(look) for _, *look in looks), key=_place)
        for part, looks in groupby(split, key=lambda parts: parts[0])
    }


def write_list(folder: Path) -> None:
    """Write the list of a folder's pictures beside them."""
    lines = [_line(part, looks) for part, looks in pictures(folder).items()]
    tops = "".join(f"\n![The upper part of {file.stem}](top/{file.name})\n" for file in _tops(folder))
    (folder / LIST).write_text(_HEAD + "".join(lines) + tops, encoding="utf-8")


def remove_others(folder: Path, wanted: Collection[str]) -> None:
    """Remove pictures of what is no longer there."""
    for file in folder.rglob("*.webp"):
        if file.name not in wanted:
            file.unlink()


def _tops(folder: Path) -> list[Path]:
    return sorted((folder / "top").glob("*.webp"))


def _line(part: str, looks: list[str]) -> str:
    small = f"![](small/{part}.{FIRST}.webp)" if str(FIRST) in looks else ""
    links = " · ".join(f"[{_words(look)}]({part}.{look}.webp)" for look in looks)
    return f"| {small} | {part.replace('.', ': ').replace('-', ' ')} | {links} |\n"


def _words(look: str) -> str:
    width, scheme, language = look.split(".")
    return f"{scheme if scheme == PAPER else f'{width} {scheme}'} {language}"


def _place(look: str) -> int:
    return [str(one) for one in (*EVERY, *ON_PAPER)].index(look)
