"""The widgets for which column of a file is which."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

import ipywidgets

from workbench.locale import Texts
from workbench.publish.result import html
from workbench.screens import controls
from workbench.screens.disclosure import disclosure
from workbench.screens.loading import LoadState
from workbench.screens.reading import UNIT
from workbench.screens.ticking import Ticks


def mapping(state: LoadState, t: Texts) -> ipywidgets.Widget:
    """A pick-list for each standard column; those that were not found come when asked for."""
    box = ipywidgets.VBox()

    def fill(_change: object = None) -> None:
        seen: list[ipywidgets.Widget] = []
        others: list[ipywidgets.Widget] = []
        for column in state.columns():
            label = t("{name} (needed)", name=column.name) if column.required else column.name
            shown = column.required or column.name in state.mapping
            (seen if shown else others).append(_pick(state, column.name, label, t))
        ticks = _ticks(state, t)
        if not seen and not ticks:
            box.children = []
            return
        title = html(f'<h2 class="wb-part">{escape(t("Which column is which"))}</h2>')
        grid = ipywidgets.Box(seen).add_class("wb-grid")
        box.children = [title, grid, *([_others(others, t)] if others else []), *ticks]

    fill()
    state.observe(fill, "proposals")
    return box


def _others(widgets: Sequence[ipywidgets.Widget], t: Texts) -> ipywidgets.Widget:
    words = t("Columns for which nothing was found ({n:count})", n=len(widgets))
    return disclosure(words, [ipywidgets.Box(widgets).add_class("wb-grid")])


def _pick(state: LoadState, name: str, label: str, t: Texts) -> ipywidgets.Dropdown:
    value = state.mapping.get(name)
    names = list(state.found.columns) if state.found else []
    constant = [value] if value and value not in names else []
    widget = ipywidgets.Dropdown(
        options=["–", *names, *(t("“{value}” in every row", value=item) for item in constant)],
        index=[None, *names, *constant].index(value),
        description=label,
        layout=controls.full(),
    )
    widget.observe(lambda change: state.choose(name, [None, *names, *constant][change.new]), "index")
    return widget


def _ticks(state: LoadState, t: Texts) -> list[Ticks]:
    """Columns of which there may be several."""
    ticks = []
    if state.holds == UNIT:
        ticks.append(_several(state, t("Results of each customer"), "", state.outcomes, state.measure, t))
    if state.takes_items:
        ticks.append(
            _several(
                state,
                t("Columns of which each cell becomes a row"),
                t("One for each question of a survey, or for each currency."),
                state.items,
                state.ask,
                t,
            )
        )
    if state.takes_attributes:
        ticks.append(
            _several(
                state,
                t("Further columns to keep"),
                t("Columns that say who somebody is are left out unless you tick them."),
                state.attributes,
                state.keep,
                t,
            )
        )
    return ticks


def _several(
    state: LoadState,
    label: str,
    help_: str,
    chosen: Mapping[str, str],
    write: Callable[[Sequence[str]], None],
    t: Texts,
) -> Ticks:
    columns = list(state.found.columns) if state.found else []
    personal = (state.found.personal or {}) if state.found else {}
    ticked = set(chosen.values())
    widget = Ticks(
        description=label,
        help=help_,
        options=[(name, t(personal[name]) if name in personal else "") for name in columns],
        value=[name for name in columns if name in ticked],
    )
    widget.observe(lambda change: write(change.new), "value")
    return widget
