"""The widgets for recipes: remembering one, and those that the project has."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.locale import Texts
from workbench.publish.result import html, message_text
from workbench.screens import controls
from workbench.screens.disclosure import disclosure
from workbench.screens.download import Download
from workbench.screens.recipe_list import RecipeList
from workbench.screens.upload import Upload

_LARGEST = 10**6  # bytes; a recipe has a few thousand


def remembering(state: RecipeList, t: Texts) -> ipywidgets.Widget:
    """The line with which the last file's reading is remembered."""
    name = controls.text(state, "name", t("Remember how this file is read as"), live=True)
    keep = controls.button(t("Remember"), state.remember, primary=True)
    line = ipywidgets.Box([name, controls.allowed(keep, state.project, "keep", t)]).add_class("wb-beside")
    said = html("")

    def show(_change: object = None) -> None:
        line.layout.display = "" if state.offered is not None else "none"
        said.value = message_text(t(state.notice), "wb-notice") if state.notice else ""

    show()
    state.observe(show, ["offered", "notice"])
    return ipywidgets.VBox([line, said]).add_class("wb-tight")


def _problem(state: RecipeList, t: Texts) -> ipywidgets.HTML:
    """What went wrong, near what was done."""
    widget = html("")

    def write(_change: object = None) -> None:
        widget.value = message_text(t(state.problem)) if state.problem else ""

    write()
    state.observe(write, "problem")
    return widget


def listed(state: RecipeList, t: Texts) -> ipywidgets.Widget:
    """The recipes of the project, out of sight until they are wanted."""
    rows = ipywidgets.VBox().add_class("wb-tight")
    upload = Upload(
        state.receive,
        label=t("A recipe that somebody gave you"),
        words=t("A JSON file; it holds no data, only how a file is read."),
        sending=t("Sending the file …"),
        too_large=t("This file is too large for a recipe."),
        limit=_LARGEST,
        accept=".json",
        kind="wb-sent",
    )

    def row(name: str) -> ipywidgets.Widget:
        words = html(f"<strong>{escape(name)}</strong> <span>{escape(state.about(name))}</span>")
        hand_on = Download(
            lambda: state.handed_on(name), label=t("Download"), about=t("Download “{name}”", name=name)
        )
        delete = controls.button(t("Delete"), lambda: state.delete(name))
        delete.tooltip = t("Delete “{name}”", name=name)
        controls.only(delete, state.project, "keep", t)
        return ipywidgets.Box([words, hand_on, delete]).add_class("wb-row")

    def fill(_change: object = None) -> None:
        none = html(
            f'<p class="wb-help">{escape(t("None yet: load a file, and remember how it was read."))}</p>'
        )
        rows.children = [row(name) for name in state.names] or [none]

    fill()
    state.observe(fill, "names")
    return disclosure(t("Recipes of this project"), [rows, _problem(state, t), upload])
