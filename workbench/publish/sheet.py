"""A sheet: one HTML file that needs no server, no kernel and no other file, to be read, sent and printed.

It holds both languages, its charts with one Vega for all of them, their words, filters and tables. Nothing in
it can reach out: its Content-Security-Policy names the hashes of its own scripts and nothing else
(https://www.w3.org/TR/CSP3/). What a file or a person wrote is text in it, whatever it looks like. The still
page of a publication is one (`still`); `pdf.sheet_pdf` prints any of them.

    def made(t: Texts) -> Sheet:
        answer = stated(say("It pays."), t, association=False)
        page = [answer, figure_row(figures), (picture,), table(rows)]
        return Sheet(t("A business case"), [project.settings.name], [page])

    html = document(made, project.settings.language, project.settings.currency)
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib import resources
from typing import Any

from workbench.charts.picture import Picture
from workbench.locale import LANGUAGES, Texts
from workbench.publish.blocks import Block
from workbench.publish.content import Folded
from workbench.publish.markup import unbroken

NAMES = {"en": "English", "es": "Español"}
_FILTERED_FROM = 4
"""Rows of a chart from which on one may want to see some of them only."""


@dataclass(frozen=True)
class Sheet:
    """A document in one language, from top to bottom.

    Attributes:
        title: What it is called.
        facts: What the quiet line at the top says, such as the project and until when its data go.
        pages: What is on each page of paper, block by block (`blocks.Block`): markup as the functions of
            `markup` make it, charts side by side, or what is folded away and not printed.
        foot: What it was made of and with, a line each.
        light: Markup that ends the quiet line: how the checks went (`markup.light`).
        dense: Whether each page is a whole result put on one sheet of paper: small type, and no tables,
            whose numbers the charts show.
    """

    title: str
    facts: Sequence[str]
    pages: Sequence[Sequence[Block]]
    foot: Sequence[str] = ()
    light: str = ""
    dense: bool = False


def document(make: Callable[[Texts], Sheet], language: str, currency: str) -> str:
    """The file, in all languages.

    Args:
        make: Makes the sheet in a language.
        language: What readers get whose browser asks for none that we speak.
        currency: Of the project (ISO 4217).
    """
    parts = {code: _Part(make(Texts(code, currency)), Texts(code, currency)) for code in LANGUAGES}
    body = [part.markup() for part in parts.values()]
    drawn = any(part.drawn for part in parts.values())
    scripts = [
        _static("first.js"),
        _script("still.js", chart=_chart_code() if drawn else "", vega=_vega_code() if drawn else ""),
    ]
    allowed = " ".join(f"'sha256-{_hash(text)}'" for text in scripts)
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "form-action 'none'; base-uri 'none'"
    )
    first, rest = scripts
    return (
        f'<!DOCTYPE html>\n<html lang="{language}" data-languages="{" ".join(LANGUAGES)}">\n<head>\n'
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(parts[language].title)}</title>\n<style>{_style()}</style>\n"
        f"<script>{first}</script>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n"
        + "\n".join(part.charts() for part in parts.values())
        + f"\n<script>{rest}</script>\n</body>\n</html>\n"
    )


def csv_link(words: str, name: str, text: str) -> str:
    """A link that hands over `text` as the file `name`.csv; it is in the page.

    Args:
        words: What the link is called.
        name: Of the file, without its ending.
        text: CSV.
    """
    content = base64.b64encode(b"\xef\xbb\xbf" + text.encode()).decode()  # by this mark Excel reads UTF-8
    return (
        f'<a download="{escape(name)}.csv" href="data:text/csv;charset=utf-8;base64,{content}">'
        f"{escape(words)}</a>"
    )


class _Part:
    """The sheet in one language.

    Attributes:
        drawn: What the charts of `markup` are drawn from, once it was made.
    """

    def __init__(self, sheet: Sheet, t: Texts) -> None:
        self._sheet, self._t = sheet, t
        self.title = sheet.title
        self.drawn: list[dict[str, Any]] = []

    def markup(self) -> str:
        t, sheet = self._t, self._sheet
        facts = "".join(f"<span>{escape(fact)}</span>" for fact in sheet.facts if fact)
        languages = "".join(
            f'<a href="?lang={code}" lang="{code}" hreflang="{code}"'
            f"{' aria-current=true' if code == t.language else ''}>{NAMES[code]}</a>"
            for code in LANGUAGES
        )
        foot = "".join(f"<p>{escape(line)}</p>" for line in sheet.foot)
        return (
            f'<div class="wb-page" lang="{t.language}">'
            f'<header class="wb-header">{facts}{sheet.light}'
            f'<nav class="wb-languages" aria-label="{escape(t("Language"))}">{languages}</nav>'
            f'<button type="button" class="wb-print" hidden>{escape(t("Save as PDF"))}</button></header>'
            f'<main><h1 class="wb-title">{escape(sheet.title)}</h1>'
            + "".join(self._page(blocks) for blocks in sheet.pages)
            + f'</main><footer class="wb-footer">{foot}</footer></div>'
        )

    def charts(self) -> str:
        """The specifications that the charts of `markup` are drawn from."""
        kind = f'type="application/json" class="wb-specs" data-for="{self._t.language}"'
        return f"<script {kind}>{_safe_json(self.drawn)}</script>"

    def _page(self, blocks: Sequence[Block]) -> str:
        kind = "wb-record wb-dense" if self._sheet.dense else "wb-record"
        return f'<article class="{kind}">{"".join(map(self._block, blocks))}</article>'

    def _block(self, block: Block) -> str:
        if isinstance(block, str):
            return block
        if isinstance(block, Folded):
            kind = "wb-folded" if block.content else ""
            title = f"<summary>{escape(block.title)}</summary>"
            return f'<details class="{kind}">{title}<div>{block.content}</div></details>' if kind else ""
        alone = sum(not picture.wide for picture in block) == 1
        frames = "".join(self._picture(picture, wide=picture.wide or alone) for picture in block)
        return f'<div class="wb-pictures">{frames}</div>' if block else ""

    def _picture(self, picture: Picture, *, wide: bool) -> str:
        t, place = self._t, f"{self._t.language}-{len(self.drawn)}"
        drawn = picture.drawn
        options = _options(drawn.data)
        self.drawn.append({"spec": drawn.spec, "data": drawn.data, "description": picture.description})
        choice = ""
        if options:
            items = "".join(f"<option>{escape(name)}</option>" for name in options)
            choice = (
                f'<p class="wb-choice"><label for="choice-{place}">{escape(t("Show"))}</label> '
                f'<select id="choice-{place}" data-chart="{place}">'
                f'<option value="">{escape(t("all"))}</option>{items}</select></p>'
            )
        caption = f'<p class="wb-help">{unbroken(picture.caption)}</p>' if picture.caption else ""
        words = (
            f'<details class="wb-words"><summary>{escape(t("This chart in words"))}</summary>'
            f"<p>{unbroken(picture.description)}</p></details>"
        )
        return (
            f'<figure class="wb-picture{" wb-wide" if wide else ""}">'
            f'<figcaption><h2 class="wb-part">{unbroken(picture.title)}</h2></figcaption>{choice}'
            f'<div class="wb-place" id="chart-{place}" role="img" aria-label="{escape(picture.description)}">'
            f"</div>{caption}{words}</figure>"
        )


def _options(data: Any) -> list[str]:
    """The labels of a chart's rows, where there are enough of them to choose from."""
    rows = [row for rows in data.values() for row in rows if "order" in row and "label" in row]
    labels = list(dict.fromkeys(str(row["label"]) for row in rows))
    return labels if len(labels) >= _FILTERED_FROM else []


def _safe_json(value: Any) -> str:
    """JSON that ends no script, whatever is in it."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@lru_cache
def _static(name: str, package: str = "workbench.publish") -> str:
    return (resources.files(package) / "static" / name).read_text(encoding="utf-8")


def _script(name: str, **parts: str) -> str:
    """A script of ours; `/*name*/` in it is where another comes in."""
    text = _static(name)
    for part, code in parts.items():
        text = text.replace(f"/*{part}*/", code)
    return text


def _style() -> str:
    return _static("chart.css", "workbench.charts") + _static("still.css")


@lru_cache
def _chart_code() -> str:
    """The drawing of charts, that of the live page, as a value."""
    return _static("chart.js", "workbench.charts").replace("export default", "const drawing =")


@lru_cache
def _vega_code() -> str:
    """Vega without its export, which only a module of its own can have."""
    text = _static("vega_runtime.js", "workbench.charts")
    code, name = re.subn(r"export\{(\S+) as default\};?\s*\Z", r"return \1;", text)
    if name != 1 or "</script" in code.lower() or "<!--" in code:
        raise ValueError("the bundle of Vega cannot be written into a page; build it again")
    return code
