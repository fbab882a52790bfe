"""The widgets of the plain formula: four numbers, their product, and what it leaves out."""

from __future__ import annotations

from math import ceil, floor, log10

import ipywidgets

from workbench.analyses.value_plain import PlainValue
from workbench.charts import value_plain as charts
from workbench.locale import Texts
from workbench.publish.result import Frame, figure_row, html, unbroken
from workbench.publish.slider import Slider
from workbench.report import Figure, between
from workbench.report.value_plain import step_rows
from workbench.screens import controls
from workbench.screens.cards import cards
from workbench.screens.frame import columns
from workbench.screens.value_plain import PlainState

_ROOM = 4  # times the shop's own number


def view(state: PlainState, t: Texts) -> ipywidgets.Widget:
    """The formula on the left, the model beside it on the right."""
    sentence, figures, table = html(""), html(""), html("")
    frame = Frame()
    picture = ipywidgets.Box([frame]).add_class("wb-pictures")
    shown = ipywidgets.VBox([sentence, figures, picture, table], layout=controls.full())

    def show(_change: object = None) -> None:
        shown.layout.display = "" if state.found is not None else "none"
        if state.found is None:
            return
        found = state.found
        sentence.value = (
            f'<p class="wb-sentence wb-answer-text" role="status">{unbroken(_sentence(found, t))}</p>'
        )
        figures.value = figure_row(_figures(found, t))
        frame.show(charts.steps(found, t), wide=True)
        rows = step_rows(found.used, found.corrections, found.discount_per_year, t)
        title = f'<h2 class="wb-part">{unbroken(t("What the plain formula leaves out"))}</h2>'
        table.value = (
            title + cards(rows, wide=[t("Why")], numbers=[t("Changes the value by")]) + _note(found, t)
        )

    show()
    state.observe(show, "found")
    return columns(state, [*_numbers(state, t), _help(t)], [shown], t)


def _numbers(state: PlainState, t: Texts) -> list[ipywidgets.Widget]:
    def number(name: str, label: str, scale: float = 1.0) -> Slider:
        widget = controls.slider(state, name, label, 0, 100, 0.01, t, scale=scale)

        def fit(_change: object = None) -> None:
            if state.found is None:
                return
            widget.max = (
                100.0 if name == "margin" else _round_up(_ROOM * (getattr(state.found.own, name) or 1.0))
            )
            widget.min = widget.step = widget.max / 2000
            widget.digits = 0 if widget.max > 200 else 1 if widget.max > 20 else 2

        fit()
        state.observe(fit, "found")
        return widget

    return [
        number("order_value", t("Average order ({currency})", currency=t.currency)),
        number("purchases_per_year", t("Purchases a year")),
        number("years", t("Lifespan (years)")),
        number("margin", t("Margin kept of revenue (%)"), scale=100.0),
        controls.button(t("Back to the shop’s own numbers"), state.reset),
    ]


def _round_up(value: float) -> float:
    """The next number of one digit and zeros.

    >>> _round_up(128.0), _round_up(0.031)
    (200.0, 0.04)
    """
    size = 10.0 ** floor(log10(value))
    return ceil(value / size) * size


def _sentence(found: PlainValue, t: Texts) -> str:
    product = found.used.value
    factor = found.mean / product
    values = {"plain": product, "model": found.mean, "weeks": found.weeks, "factor": factor}
    low, high = found.interval
    if low <= product <= high:
        return t(
            "The plain formula makes {plain:money}; the model says {model:money} in {weeks:count} weeks, and "
            "cannot tell the two apart.",
            **values,
        )
    if factor > 1:
        return t(
            "The plain formula makes {plain:money}; the model says {model:money} in {weeks:count} weeks, "
            "{factor:number} times as much.",
            **values,
        )
    return t(
        "The plain formula makes {plain:money}; the model says {model:money} in {weeks:count} weeks, "
        "{factor:percent} of it.",
        **values,
    )


def _figures(found: PlainValue, t: Texts) -> list[Figure]:
    used = found.used
    product = t(
        "{order:money} × {n:number} a year × {years:number} years × {margin:whole_percent}",
        order=used.order_value,
        n=used.purchases_per_year,
        years=used.years,
        margin=used.margin,
    )
    return [
        Figure(t("Plain formula"), t.money(used.value), product),
        Figure(t("Model"), t.money(found.mean), between(t, found.interval, found.level, t.money)),
    ]


def _note(found: PlainValue, t: Texts) -> str:
    words = t(
        "The steps multiply to the model’s answer. Two things have no step: the formula says nothing of how "
        "sure it is, and nothing of who is worth more than others. Costs are left out of both."
    )
    return f'<p class="wb-help">{unbroken(words)}</p>'


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (t("Average order"), t("Of repeat purchases: their revenue divided by their number.")),
            (t("Purchases a year"), t("Repeat purchases divided by the years that customers were watched.")),
            (t("Lifespan (years)"), t("From the first purchase to the last, on average over all customers.")),
            (t("Margin kept of revenue (%)"), t("What is left of an order's revenue for you.")),
        ],
    )
