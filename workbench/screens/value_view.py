"""The widgets of lifetime value: the answer, the plain formula beside it, and more about value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from workbench.locale import Texts
from workbench.publish.result import ResultView
from workbench.screens import controls
from workbench.screens.confirming import confirmation
from workbench.screens.download import record_files
from workbench.screens.frame import columns
from workbench.screens.notes import NotesState
from workbench.screens.notes_view import notes
from workbench.screens.tabs import tabs
from workbench.screens.value import ValueState

_MOST_WEEKS = 520


def view(state: ValueState, t: Texts) -> ipywidgets.Widget:
    """The parts of the screen."""

    def plain() -> ipywidgets.Widget:
        from workbench.screens.value_plain import PlainState
        from workbench.screens.value_plain_view import view as plain_view

        return plain_view(PlainState(state), t)

    opened: list[Any] = []
    validating: list[Any] = []

    def foretold() -> ipywidgets.Widget:
        from workbench.screens.validating import ValidatingState
        from workbench.screens.validating_view import view as validating_view

        validating.append(ValidatingState(state))
        return validating_view(validating[0], t)

    def contracts() -> ipywidgets.Widget:
        from workbench.screens.contracts import ContractsState
        from workbench.screens.contracts_view import view as contracts_view

        return contracts_view(ContractsState(state.project), t)

    def occasions() -> ipywidgets.Widget:
        from workbench.screens.occasions import OccasionsState
        from workbench.screens.occasions_view import view as occasions_view

        return occasions_view(OccasionsState(state.project), t)

    def more() -> ipywidgets.Widget:
        from workbench.screens.value_beside import ValueBesideState
        from workbench.screens.value_beside_view import view as beside_view

        opened.append(ValueBesideState(state))
        return beside_view(opened[0], t)

    parts: list[tuple[str, Callable[[], ipywidgets.Widget]]] = [
        (t("Value"), lambda: answer(state, t)),
        (t("Foretold and came"), foretold),
        (t("Contracts"), contracts),
        (t("Occasions"), occasions),
        (t("Plain formula"), plain),
        (t("More about value"), more),
    ]
    page = tabs(t("Parts of the screen"), parts)
    bar = page.children[0]

    def turn(_change: object = None) -> None:
        for one in opened:
            one.shown = bar.value == len(parts) - 1
        for one in validating:
            one.shown = bar.value == 1

    bar.observe(turn, "value")
    return page


def answer(state: ValueState, t: Texts) -> ipywidgets.Widget:
    """What is asked on the left, what came of it on the right."""
    result = ResultView(t)
    written = NotesState(state.project)

    def show(_change: object = None) -> None:
        if state.record is not None:
            result.show(state.record)
        written.look(state.record)
        result.layout.display = "" if state.record else "none"

    show()
    state.observe(show, "record")
    asked = [
        *_main(state, t),
        _more(state, t),
        confirmation(state, t, t("Confirm with PyMC (a minute)"), t("Confirmed with PyMC")),
        controls.keep(state, t),
        record_files(state, t),
        _help(t),
    ]
    return columns(state, asked, [result, notes(written, t)], t)


def _amount(state: ValueState, name: str, label: str) -> ipywidgets.BoundedFloatText:
    widget = ipywidgets.BoundedFloatText(min=0, max=1e12, step=1, description=label, layout=controls.full())
    return controls.bind(state, name, widget)


def _main(state: ValueState, t: Texts) -> list[ipywidgets.Widget]:
    definitions = [
        (t("revenue"), "revenue"),
        (t("margin"), "margin"),
        (t("net: margin less costs"), "net"),
    ]
    margin = controls.slider(state, "margin", t("Margin kept of revenue (%)"), 1, 100, 1, t, scale=100.0)
    measured = controls.tick(state, "margin_measured", t("Margin as in the orders"))
    costs = ipywidgets.VBox(_cost_controls(state, t), layout=controls.full())
    weeks = t("Horizon after the first purchase (weeks)")
    horizon = controls.slider(state, "horizon_weeks", weeks, 4, _MOST_WEEKS, 1, t)

    within = controls.choice(
        state,
        "within",
        t("Within segments of"),
        lambda: controls.split_options(state.inner, t),
        follows="inner",
    )

    def turn(_change: object = None) -> None:
        within.layout.display = "" if state.inner else "none"
        kept = state.definition != "revenue"
        by_orders = state.margin_measured and state.has_margin
        margin.layout.display = "" if kept and not by_orders else "none"
        measured.layout.display = "" if kept and state.has_margin else "none"
        costs.layout.display = "" if state.definition == "net" else "none"
        horizon.layout.display = "none" if state.endless else ""

    turn()
    state.observe(turn, ["definition", "margin_measured", "has_margin", "endless", "inner"])
    return [
        controls.choice(
            state, "by", t("Split by"), lambda: controls.split_options(state.groups, t), follows="groups"
        ),
        within,
        controls.choice(state, "definition", t("Value means"), lambda: definitions),
        margin,
        measured,
        costs,
        controls.tick(state, "first_purchase", t("Count the first purchase")),
        horizon,
        controls.slider(state, "discount_per_year", t("Discount a year (%)"), 0, 50, 0.5, t, scale=100.0),
    ]


def _cost_controls(state: ValueState, t: Texts) -> list[ipywidgets.Widget]:
    def sources() -> Sequence[controls.Option]:
        found: list[controls.Option] = [(t("left out"), ""), (t("an amount"), "amount")]
        return [*found, (t("measured from what was spent"), "measured")] if state.has_spend else found

    amount = _amount(
        state, "acquisition_cost", t("Cost of winning a customer ({currency})", currency=t.currency)
    )

    def turn(_change: object = None) -> None:
        amount.layout.display = "" if state.acquisition == "amount" else "none"

    turn()
    state.observe(turn, "acquisition")
    return [
        _amount(state, "cost_per_order", t("Cost of a purchase ({currency})", currency=t.currency)),
        _amount(
            state,
            "service_cost_per_year",
            t("Service of a customer, a year ({currency})", currency=t.currency),
        ),
        controls.choice(state, "acquisition", t("Cost of winning a customer"), sources, follows="has_spend"),
        amount,
    ]


def _more(state: ValueState, t: Texts) -> ipywidgets.Widget:
    models = [("BG/NBD", "bg-nbd"), ("MBG/NBD", "mbg-nbd"), ("Pareto/NBD", "pareto-nbd")]
    until = ipywidgets.DatePicker(description=t("Last day that is used"))
    return controls.more(
        t,
        [
            controls.tick(state, "endless", t("No end: all time to come")),
            controls.choice(state, "level", t("Level of the intervals"), lambda: controls.levels(t)),
            controls.choice(state, "model", t("Model of the purchases"), lambda: models),
            controls.bind(state, "until_day", until),
        ],
    )


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (
                t("Split by"),
                t(
                    "An experiment compares its arms, among customers acquired after they were exposed. "
                    "Other groups are drawn towards each other as far as they are alike."
                ),
            ),
            (
                t("Within segments of"),
                t("What an arm of the experiment adds in each segment, drawn towards the other segments."),
            ),
            (
                t("Value means"),
                t(
                    "Revenue, what is kept of it, or what is left when costs are taken off. The choice is "
                    "printed with every number."
                ),
            ),
            (t("Margin kept of revenue (%)"), t("What is left of an order's revenue for you.")),
            (
                t("Margin as in the orders"),
                t("Each group's own share of margin in revenue, with its uncertainty."),
            ),
            (
                t("Cost of a purchase ({currency})", currency=t.currency),
                t("Packing, sending, paying: what each order costs beyond the margin."),
            ),
            (
                t("Service of a customer, a year ({currency})", currency=t.currency),
                t("What it costs to keep one; it is charged for as long as they probably are a customer."),
            ),
            (
                t("Cost of winning a customer"),
                t(
                    "Measured, it is what was spent divided by the customers who first bought in the same "
                    "days; split by source or campaign, each has its own."
                ),
            ),
            (
                t("Cost of winning a customer ({currency})", currency=t.currency),
                t("The same for every customer, where it is not measured."),
            ),
            (
                t("Count the first purchase"),
                t("Without it, value is what comes after; with it, payback begins with the first order."),
            ),
            (
                t("Horizon after the first purchase (weeks)"),
                t("Purchases are counted for so long. Without an end, a discount is needed."),
            ),
            (t("No end: all time to come"), t("Instead of a horizon; the discount bounds what is to come.")),
            (t("Discount a year (%)"), t("How much less a purchase is worth for coming a year later.")),
            (t("Level of the intervals"), t("How likely it is that an interval holds the true value.")),
            (
                t("Model of the purchases"),
                t(
                    "BG/NBD lets customers leave after a repeat purchase, MBG/NBD after the first one too, "
                    "Pareto/NBD at any time."
                ),
            ),
            (t("Last day that is used"), t("To see what would have been said at that time.")),
            (
                t("Confirm with PyMC (a minute)"),
                t(
                    "A second, slower method samples the same posterior, of groups all together; both have "
                    "to agree."
                ),
            ),
        ],
    )
