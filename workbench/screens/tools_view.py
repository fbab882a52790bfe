"""The widgets for the tools of a project: what each brings, which metrics rest on it, and the list itself."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.analyses.tools import Inventory
from workbench.locale import Texts
from workbench.publish import data_sheet as words
from workbench.publish.fold import Fold
from workbench.publish.result import html
from workbench.screens import controls
from workbench.screens.cards import cards, part
from workbench.screens.data_sheet import DataSheetState
from workbench.screens.disclosure import disclosure
from workbench.screens.ticking import Ticks
from workbench.tables.schema import TABLES

_LIGHTS = {"ready": ("ok", "✓"), "partly": ("warn", "▲"), "missing": ("none", "–")}


def tools(state: DataSheetState, t: Texts) -> ipywidgets.Widget:
    """The inventory, the metrics by tool, and what changes the list."""
    listed, matrix = html(""), Fold(title=t("Which metrics rest on which tool"))
    suggest = controls.button("", state.take_suggested)

    def write(_change: object = None) -> None:
        held = state.inventory
        if held is None:
            listed.value, matrix.content = "", ""
            suggest.layout.display = "none"
            return
        listed.value = part(t("Tools"), _answer(held, t) + _table(held, t))
        matrix.content = _matrix(held, t) if held.tools else ""
        suggest.description = t("Add {tools:listing}", tools=list(held.suggested))
        suggest.layout.display = "" if held.suggested else "none"

    write()
    state.observe(write, "inventory")
    form = disclosure(t("Add or change a tool"), [_form(state, t)])
    doing = ipywidgets.Box([controls.only(suggest, state.project, "keep", t)]).add_class("wb-doing")
    return ipywidgets.VBox([listed, doing, matrix, form])


def _answer(held: Inventory, t: Texts) -> str:
    """How many tools deliver, and what comes from none."""
    if not held.tools:
        said = t("No tool is on the list yet: add those that collect what is loaded here, or that use it.")
        return f"<p>{escape(said)}</p>"
    ready = sum(one.light == "ready" for one in held.tools)
    said = t("{n:count} of {all:count} tools deliver all that they should.", n=ready, all=len(held.tools))
    if held.unclaimed:
        said += " " + t("No tool on the list brings {tables:listing}.", tables=list(held.unclaimed))
    return f"<p>{escape(said)}</p>"


def _table(held: Inventory, t: Texts) -> str:
    if not held.tools:
        return ""
    wide = tuple(map(t, ("Collects", "What is missing", "Is used in", "Limit", "Upgrade needed")))
    return cards(words.tool_rows(held, t), wide=wide)


def _matrix(held: Inventory, t: Texts) -> str:
    """Metric by tool: which tables of a tool a metric reads, and whether they are there."""
    said = {"ready": t("ready"), "partly": t("with care"), "missing": t("not yet")}
    head = "".join(f'<th scope="col">{escape(one.name)}</th>' for one in held.tools)
    rows = ""
    for metric in held.metrics:
        name = metric.metric.name
        cells = ""
        for one in held.tools:
            state = one.cells.get(name)
            if state is None:
                cells += f'<td class="wb-unused" data-label="{escape(one.name)}"></td>'
                continue
            kind, sign = _LIGHTS[state]
            cells += (
                f'<td class="wb-{kind}" data-label="{escape(one.name)}"><span class="wb-sign"'
                f' aria-hidden="true">{sign}</span><span class="wb-unseen">{escape(said[state])}</span></td>'
            )
        rows += f'<tr><th scope="row">{escape(t(metric.metric.title))}</th>{cells}</tr>'
    legend = t("✓ there · ▲ there, to be taken with care · – not there · blank: not needed")
    return (
        '<div class="wb-table" tabindex="0" role="group"><table class="wb-cards wb-matrix">'
        f'<thead><tr><th scope="col">{escape(t("Metric"))}</th>{head}</tr></thead>'
        f'<tbody>{rows}</tbody></table></div><p class="wb-help">{escape(legend)}</p>'
    )


def _form(state: DataSheetState, t: Texts) -> ipywidgets.Widget:
    def options() -> list[controls.Option]:
        return [(t("a new one"), ""), *((name, name) for name in state.tools)]

    pick = controls.choice(state, "tool", t("Tool"), options, follows="inventory").add_class("wb-short")
    fields = [
        controls.text(state, "tool_name", t("Name"), example="Shopify"),
        controls.text(state, "files", t("Its files are called"), example="shopify-*, orders-*.csv"),
        controls.text(state, "activates", t("Is used in"), example=t("e-mail, home page")),
        controls.text(state, "owner", t("Owner")),
        controls.text(state, "limit", t("Limit"), example=t("keeps six months only")),
        controls.text(state, "upgrade", t("Upgrade needed")),
    ]
    collects = Ticks(
        description=t("Collects"),
        help=t("The tables that it fills; the names of its files tell them from those of other tools."),
        options=[[name, ""] for name in TABLES],
    )
    controls.bind(state, "collects", collects)
    save = controls.button(t("Write down"), state.save_tool, primary=True)
    delete = controls.button(t("Take off the list"), state.delete_tool)

    def show(_change: object = None) -> None:
        delete.layout.display = "" if state.tool else "none"

    show()
    state.observe(show, "tool")
    doing = ipywidgets.Box(
        [controls.allowed(save, state.project, "keep", t), controls.only(delete, state.project, "keep", t)]
    ).add_class("wb-doing")
    return ipywidgets.VBox([pick, ipywidgets.Box(fields).add_class("wb-grid"), collects, doing])
