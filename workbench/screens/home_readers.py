"""The first page where only published pages are served: the pages, and nothing else."""

from __future__ import annotations

import os
from contextlib import suppress
from html import escape
from pathlib import Path

import ipywidgets

from workbench.errors import WorkbenchError
from workbench.locale import Texts
from workbench.project import Project
from workbench.publish import bundle
from workbench.publish.imprint import data_until, published_on
from workbench.publish.library import outcome
from workbench.publish.markup import chip
from workbench.publish.page import PUBLISHED, address, languages, reader_language
from workbench.publish.result import html, message_text, unbroken
from workbench.publish.versions import key_at_hand
from workbench.screens.frame import style


def pages_alone() -> ipywidgets.VBox:
    """The published pages, newest first, each with its sentence: for readers, who get nothing else."""
    folder = Path(os.environ.get(PUBLISHED, "published"))
    t = Texts(reader_language())
    key = None
    with suppress(WorkbenchError):
        key = key_at_hand(Project.open(folder.parent))
    found = bundle.pages(folder) if folder.is_dir() else []
    items = "".join(_for_readers(folder, page, key, t) for page in found)
    names = sorted({page.project.name for page in found})
    head = "".join(f"<span>{escape(name)}</span>" for name in names)
    body = f'<ul class="wb-entries wb-alone">{items}</ul>'
    if not found:
        body = f"<p>{escape(t('Nothing has been published yet.'))}</p>"
    return ipywidgets.VBox(
        [
            style(),
            html(f'<div class="wb-header">{head}{languages(t)}</div>'),
            html(f"<h1>{escape(t('Published pages'))}</h1>{body}"),
        ],
        layout=ipywidgets.Layout(width="100%"),
    ).add_class("wb-page")


def _for_readers(folder: Path, page: bundle.Page, key: bytes | None, t: Texts) -> str:
    facts = [data_until(page, t), t("published on {day:date}", day=published_on(page))]
    told = " · ".join(escape(fact) for fact in facts if fact)
    try:
        _, records = bundle.read(folder, page.slug, key=key)
    except WorkbenchError as error:
        return f"<li><h3>{escape(page.title)}</h3>{message_text(t(error.message))}</li>"
    words = Texts(t.language, page.project.currency)(records[0].verdict)
    return (
        f'<li><h3><a href="{address(page.slug, t.language)}">{escape(page.title)}</a></h3>'
        f"<p>{chip(outcome(records[0]), t)} {unbroken(words)}</p>"
        f'<p class="wb-help">{told}</p></li>'
    )
