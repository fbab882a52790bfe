"""The first page of a served project: what has been published, and the screens where they are served."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path

import ipywidgets

from workbench.locale import Texts
from workbench.publish import bundle
from workbench.publish.page import PUBLISHED, address, languages, reader_language
from workbench.publish.result import html, message
from workbench.publish.site import SCREENS
from workbench.screens import titles


def show_index() -> ipywidgets.VBox:
    """The list of published pages, and of screens where they are served."""
    folder = Path(os.environ.get(PUBLISHED, "published"))
    t = Texts(reader_language())
    pages = bundle.pages(folder) if folder.is_dir() else []
    screens = os.environ.get(SCREENS, "").split()
    parts = [
        html(
            f'<div class="wb-header">{languages(t)}</div><h1 class="wb-title">Personalization Workbench</h1>'
        )
    ]
    if pages:
        items = "".join(
            f'<li><a href="{address(page.slug, t.language)}">{escape(page.title)}</a>'
            f"<span>{escape(page.project.name)} · {escape(t.date(page.published.date()))}</span></li>"
            for page in pages
        )
        parts.append(html(f'<h2>{escape(t("Published pages"))}</h2><ul class="wb-list">{items}</ul>'))
    else:
        parts.append(message(t("Nothing has been published yet."), "wb-help"))
    if screens:
        items = "".join(
            f'<li><a href="{escape(name)}.ipynb?lang={t.language}">{escape(title)}</a></li>'
            for name, title in titles(t).items()
            if name in screens
        )
        parts.append(html(f'<h2>{escape(t("Screens"))}</h2><ul class="wb-list">{items}</ul>'))
    return ipywidgets.VBox(parts, layout=ipywidgets.Layout(width="100%")).add_class("wb-page")
