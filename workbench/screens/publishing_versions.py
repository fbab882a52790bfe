"""The versions of published pages on a screen: what each is, what moved, and the way back."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import ipywidgets

from workbench.locale import Texts
from workbench.publish.imprint import data_until, made_with, published_on
from workbench.publish.result import SIGNS, html
from workbench.publish.versions import Version
from workbench.screens import controls

if TYPE_CHECKING:
    from workbench.screens.publishing import PublishState


def versions_of(state: PublishState, slug: str, t: Texts) -> ipywidgets.VBox:
    """The versions of a page behind a button, newest first."""
    box = ipywidgets.VBox(layout=ipywidgets.Layout(display="none"))
    switch = ipywidgets.ToggleButton(description=t("Versions"), tooltip=t("Versions of “{slug}”", slug=slug))
    switch.add_class("wb-more")

    def turn(change: dict[str, bool]) -> None:
        box.layout.display = "" if change["new"] else "none"
        if change["new"] and not box.children:
            box.children = [_line(state, slug, one, t) for one in state.versions(slug)]
            if moved := state.moved(slug, t):
                items = "".join(f"<li>{escape(line)}</li>" for line in moved)
                title = escape(t("What moved between the last two"))
                box.children += (html(f'<p class="wb-label">{title}</p><ul>{items}</ul>'),)

    switch.observe(turn, "value")
    return ipywidgets.VBox([switch, box])


def _line(state: PublishState, slug: str, one: Version, t: Texts) -> ipywidgets.Box:
    row: list[ipywidgets.Widget] = [html(_words(one, t)).add_class("wb-segment")]
    if not one.current and one.problem is None:
        back = controls.button(t("Show this one"), lambda: state.roll_back(slug, one.number))
        back.tooltip = t("Show version {version:count} of “{slug}” to readers", version=one.number, slug=slug)
        row.append(controls.only(back, state.project, "publish", t))
    return ipywidgets.Box(row).add_class("wb-row")


def _words(one: Version, t: Texts) -> str:
    name = t("Version {version:count}", version=one.number)
    if one.current:
        name = t("Version {version:count}, the one that readers see", version=one.number)
    if one.problem is not None or one.page is None:
        said = escape(t(one.problem)) if one.problem else ""
        return f"<strong>{escape(name)}</strong> <span>{SIGNS['fail']} {said}</span>"
    parts = [
        t("published on {day:date} by {who}", day=published_on(one.page), who=one.by or "–"),
        data_until(one.page, t),
        f"{SIGNS['ok']} {t('as it was published')}",
    ]
    words = escape(" · ".join(part for part in parts if part))
    hashed = f'<p class="wb-help">SHA-256 {one.hash[:16]}… · {escape(made_with(one.page))}</p>'
    return f"<strong>{escape(name)}</strong> <span>{words}</span>{hashed}"
