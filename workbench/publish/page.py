"""The published page: a bundle and the reader's language in, widgets out."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, quote

import ipywidgets

from workbench.errors import WorkbenchError
from workbench.folder import Folder
from workbench.locale import LANGUAGES, Texts, choose_language
from workbench.publish import bundle
from workbench.publish.association_result import AssociationView
from workbench.publish.imprint import data_until, hash_line, imprint
from workbench.publish.result import ResultView, health, message, steady
from workbench.records import AnyRecord, AssociationRecord

PUBLISHED = "WORKBENCH_PUBLISHED"
_NAMES = {"en": "English", "es": "Español"}


def reader_language(default: str | None = None) -> str:
    """What the reader asked for: `?lang=`, the browser's languages, else `default`."""
    return choose_language(asked("lang"), os.environ.get("HTTP_ACCEPT_LANGUAGE"), default)


def asked(name: str) -> str:
    """The value of `name` in the address of the page that is being made; empty if there is none."""
    return parse_qs(os.environ.get("QUERY_STRING", "")).get(name, [""])[0]


def show_page(slug: str | None = None) -> ipywidgets.VBox:
    """A published page: that of the bundle `slug`, or of the address's `?page=`.

    The bundle is looked for in the folder that the server named.
    """
    folder = Path(os.environ.get(PUBLISHED, "published"))
    wanted = slug or asked("page")
    try:
        page, records = bundle.read(folder, wanted, key=_key(folder))
        hashed = bundle.manifest_hash(folder, wanted, page.version)
    except WorkbenchError as error:
        t = Texts(reader_language())
        around = steady(f'<div class="wb-header">{_way_home(t)}{languages(t)}</div>')
        return ipywidgets.VBox([around, message(t(error.message))]).add_class("wb-page")
    t = Texts(reader_language(page.language), page.project.currency)
    return ipywidgets.VBox(
        [
            steady(_header(page, records, t)),
            steady(f'<h1 class="wb-title">{escape(page.title)}</h1>'),
            *[record_view(record, t) for record in records],
            steady(_footer(page, hashed, t)),
        ],
        layout=ipywidgets.Layout(width="100%"),
    ).add_class("wb-page")


def record_view(record: AnyRecord, t: Texts) -> ResultView | AssociationView:
    """The whole of a record, as it is shown to whoever reads it."""
    return AssociationView(t, record) if isinstance(record, AssociationRecord) else ResultView(t, record)


def address(slug: str, language: str) -> str:
    """Where the page is, from the list of pages and the screens of the same server."""
    return f"../../p/{quote(slug)}/?lang={language}"


def languages(t: Texts, **kept: str) -> str:
    """Links to the same page in the other languages; `kept` are parts of its address that stay."""

    def current(code: str) -> str:
        return ' aria-current="true"' if code == t.language else ""

    if asked("page"):
        kept = {"page": asked("page"), **kept}
    page = "".join(f"{name}={quote(value)}&amp;" for name, value in kept.items())
    links = "".join(
        f'<a href="?{page}lang={code}" lang="{code}"{current(code)}>{_NAMES[code]}</a>' for code in LANGUAGES
    )
    return f'<nav class="wb-languages" aria-label="{escape(t("Language"))}">{links}</nav>'


def _header(page: bundle.Page, records: list[AnyRecord], t: Texts) -> str:
    audience = t("for {audience}", audience=page.audience) if page.audience else ""
    return (
        f'<div class="wb-header">{_way_home(t)}<span>{escape(page.project.name)}</span>'
        f"<span>{escape(data_until(page, t))}</span><span>{escape(audience)}</span>"
        f"{health(records, t)}{languages(t)}</div>"
    )


def _way_home(t: Texts) -> str:
    """For whoever may open the home, which the server knows; readers of this one page get no link."""
    if not asked("home"):
        return ""
    home = escape(t("Home"))
    href = f"../../voila/render/index.ipynb?lang={t.language}"
    return f'<nav aria-label="{home}"><a href="{href}">{home}</a></nav>'


def _footer(page: bundle.Page, hashed: str, t: Texts) -> str:
    lines = [*imprint(page, t), f"{hash_line(t)} {hashed}"]
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<footer class="wb-footer">{text}</footer>'


def _key(published: Path) -> bytes | None:
    """The key of the project that these pages are of, where both are at hand."""
    try:
        return Folder.open(published.parent).people.key()
    except WorkbenchError:
        return None
