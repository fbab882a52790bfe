"""The published page: a bundle and the reader's language in, widgets out."""

from __future__ import annotations

import os
from datetime import datetime
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, quote
from zoneinfo import ZoneInfo

import ipywidgets

from workbench.errors import WorkbenchError
from workbench.locale import LANGUAGES, Texts, choose_language
from workbench.publish import bundle
from workbench.publish.association_result import AssociationView
from workbench.publish.result import ResultView, health, html, message
from workbench.records import SMALLEST_GROUP, AnyRecord, AssociationRecord

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
        page, records = bundle.read(folder, wanted)
    except WorkbenchError as error:
        return ipywidgets.VBox([message(Texts(reader_language())(error.message))]).add_class("wb-page")
    t = Texts(reader_language(page.project.language), page.project.currency)
    return ipywidgets.VBox(
        [
            html(_header(page, records, t)),
            html(f'<h1 class="wb-title">{escape(page.title)}</h1>'),
            *[record_view(record, t) for record in records],
            html(_footer(page, t)),
        ],
        layout=ipywidgets.Layout(width="100%"),
    ).add_class("wb-page")


def record_view(record: AnyRecord, t: Texts) -> ResultView | AssociationView:
    """The whole of a record, as it is shown to whoever reads it."""
    return AssociationView(t, record) if isinstance(record, AssociationRecord) else ResultView(t, record)


def address(slug: str, language: str) -> str:
    """Where the page is, from any page of the same server."""
    return f"page.ipynb?page={quote(slug)}&lang={language}"


def languages(t: Texts) -> str:
    """Links to the same page in the other languages."""

    def current(code: str) -> str:
        return ' aria-current="true"' if code == t.language else ""

    page = f"page={quote(asked('page'))}&amp;" if asked("page") else ""
    links = "".join(
        f'<a href="?{page}lang={code}" lang="{code}"{current(code)}>{_NAMES[code]}</a>' for code in LANGUAGES
    )
    return f'<nav class="wb-languages" aria-label="{escape(t("Language"))}">{links}</nav>'


def _header(page: bundle.Page, records: list[AnyRecord], t: Texts) -> str:
    zone = ZoneInfo(page.project.timezone)
    until = [record.source.until for record in records if record.source.until]
    dated = t("data until {day:date}", day=_day(max(until), zone)) if until else ""
    return (
        f'<div class="wb-header"><span>{escape(page.project.name)}</span><span>{escape(dated)}</span>'
        f"{health(records, t)}{languages(t)}</div>"
    )


def _footer(page: bundle.Page, t: Texts) -> str:
    text = t(
        "Published on {day:date}. Groups of fewer than {least:count} people are not shown and counts are "
        "rounded.",
        day=_day(page.published, ZoneInfo(page.project.timezone)),
        least=SMALLEST_GROUP,
    )
    return f'<footer class="wb-footer">{escape(text)}</footer>'


def _day(moment: datetime, zone: ZoneInfo) -> object:
    return moment.astimezone(zone).date()
