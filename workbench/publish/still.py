"""The still page: one HTML file that needs no server, no kernel and no other file.

It holds both languages, the records' charts with one Vega for all of them, filters, tables, and the numbers
as CSV in `data:` links. Nothing in it can reach out: its Content-Security-Policy names the hashes of its own
scripts and nothing else (https://www.w3.org/TR/CSP3/). What a file or a person wrote is text in it, whatever
it looks like. The words are those of the live page (`blocks`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

from workbench import report
from workbench.charts.picture import Drawing, Picture
from workbench.charts.theme import specified
from workbench.locale import LANGUAGES, Texts
from workbench.publish import seal
from workbench.publish.blocks import Block, blocks
from workbench.publish.content import Folded
from workbench.publish.imprint import data_until, hash_line, imprint
from workbench.publish.markup import health, unbroken
from workbench.records import AnyRecord

if TYPE_CHECKING:
    from workbench.publish.bundle import Page

NAMES = {"en": "English", "es": "Español"}
_FILTERED_FROM = 4
"""Rows of a chart from which on one may want to see some of them only."""


def still(page: Page, records: Sequence[AnyRecord]) -> str:
    """The page of a version, with zeros where the hash of its manifest comes.

    Args:
        page: Its title, project and versions.
        records: As others may see them.
    """
    parts = [_Part(page, records, Texts(code, page.project.currency)) for code in LANGUAGES]
    scripts = [_script("first.js"), _script("still.js", chart=_chart_code(), vega=_vega_code())]
    allowed = " ".join(f"'sha256-{_hash(text)}'" for text in scripts)
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "form-action 'none'; base-uri 'none'"
    )
    first, rest = scripts
    return (
        f'<!DOCTYPE html>\n<html lang="{page.language}" data-languages="{" ".join(LANGUAGES)}">\n<head>\n'
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(page.title)}</title>\n<style>{_style()}</style>\n"
        f"<script>{first}</script>\n</head>\n<body>\n"
        + "\n".join(part.markup() for part in parts)
        + "\n"
        + "\n".join(part.charts() for part in parts)
        + f"\n<script>{rest}</script>\n</body>\n</html>\n"
    )


class _Part:
    """The page in one language."""

    def __init__(self, page: Page, records: Sequence[AnyRecord], t: Texts) -> None:
        self._page, self._records, self._t = page, records, t
        self._drawn: list[dict[str, Any]] = []

    def markup(self) -> str:
        t, page = self._t, self._page
        audience = (
            f"<span>{escape(t('for {audience}', audience=page.audience))}</span>" if page.audience else ""
        )
        languages = "".join(
            f'<a href="?lang={code}" lang="{code}" hreflang="{code}"'
            f"{' aria-current=true' if code == t.language else ''}>{NAMES[code]}</a>"
            for code in LANGUAGES
        )
        live = escape(t("Change assumptions on the live page"))
        return (
            f'<div class="wb-page" lang="{t.language}">'
            f'<header class="wb-header"><span>{escape(page.project.name)}</span>'
            f"<span>{escape(data_until(page, t))}</span>{audience}{health(self._records, t)}"
            f'<nav class="wb-languages" aria-label="{escape(t("Language"))}">{languages}</nav></header>'
            f'<main><h1 class="wb-title">{escape(page.title)}</h1>'
            + "".join(self._record(record) for record in self._records)
            + f'<p class="wb-live" hidden><a href="live?lang={t.language}">{live}</a></p></main>'
            + self._footer()
            + "</div>"
        )

    def charts(self) -> str:
        """The specifications that the charts of `markup` are drawn from."""
        kind = f'type="application/json" class="wb-specs" data-for="{self._t.language}"'
        return f"<script {kind}>{_safe_json(self._drawn)}</script>"

    def _record(self, record: AnyRecord) -> str:
        found = "".join(map(self._block, blocks(record, self._t)))
        return f'<article class="wb-record">{found}{self._downloads(record)}</article>'

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
        t, place = self._t, f"{self._t.language}-{len(self._drawn)}"
        drawn = picture.chart
        data = drawn.data if isinstance(drawn, Drawing) else {}
        spec = drawn.spec if isinstance(drawn, Drawing) else specified(drawn)
        options = _options(data)
        self._drawn.append({"spec": spec, "data": data, "description": picture.description})
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

    def _downloads(self, record: AnyRecord) -> str:
        t = self._t
        files = [(t("Every number (CSV)"), record.id, report.as_csv(record))]
        if rows := report.rows(record, t):
            files.insert(0, (t("The table (CSV)"), f"{record.id}-{t.language}", report.rows_as_csv(rows)))
        links = "".join(
            f'<a download="{name}.csv" href="data:text/csv;charset=utf-8;base64,{_base64(text)}">'
            f"{escape(words)}</a>"
            for words, name, text in files
        )
        return f'<p class="wb-downloads">{links}</p>'

    def _footer(self) -> str:
        text = "".join(f"<p>{escape(line)}</p>" for line in imprint(self._page, self._t))
        hashed = escape(hash_line(self._t))
        return f'<footer class="wb-footer">{text}<p>{hashed} <code>{seal.BLANK}</code></p></footer>'


def _options(data: Any) -> list[str]:
    """The labels of a chart's rows, where there are enough of them to choose from."""
    rows = [row for rows in data.values() for row in rows if "order" in row and "label" in row]
    labels = list(dict.fromkeys(str(row["label"]) for row in rows))
    return labels if len(labels) >= _FILTERED_FROM else []


def _safe_json(value: Any) -> str:
    """JSON that ends no script, whatever is in it."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _base64(text: str) -> str:
    return base64.b64encode(b"\xef\xbb\xbf" + text.encode()).decode()  # the mark by which Excel reads UTF-8


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
