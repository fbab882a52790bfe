"""The widgets of the effect lab's results."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.decisions import metric_name
from workbench.locale import Texts
from workbench.publish.result import ResultView, html
from workbench.screens import controls
from workbench.screens.confirming import confirmation
from workbench.screens.download import record_files
from workbench.screens.effect import OWN, PAST, EffectState
from workbench.screens.frame import columns
from workbench.screens.notes import NotesState
from workbench.screens.notes_view import notes
from workbench.screens.tabs import tabs


def view(state: EffectState, t: Texts) -> ipywidgets.Widget:
    """The parts of the effect lab; each is made when it is opened."""

    def design() -> ipywidgets.Widget:
        from workbench.screens.design import DesignState
        from workbench.screens.design_view import view as design_view

        return design_view(DesignState(state.project), t)

    def not_random() -> ipywidgets.Widget:
        from workbench.screens.not_random import NotRandomState
        from workbench.screens.not_random_view import view as not_random_view

        return not_random_view(NotRandomState(state.project), t)

    def returning() -> ipywidgets.Widget:
        from workbench.screens.returning import ReturningState
        from workbench.screens.returning_view import view as returning_view

        return returning_view(ReturningState(state.project), t)

    def business_case() -> ipywidgets.Widget:
        from workbench.screens.business_case import BusinessCaseState
        from workbench.screens.business_case_view import view as business_case_view

        case = BusinessCaseState(state.project, state.record)
        state.observe(lambda _: case.look(state.record), "record")
        return business_case_view(case, t)

    parts = [
        (t("Design"), design),
        (t("Results"), lambda: results(state, t)),
        (t("Business case"), business_case),
        (t("Coming back"), returning),
        (t("Not random"), not_random),
    ]
    return tabs(t("Parts of the screen"), parts, opened=1)


def results(state: EffectState, t: Texts) -> ipywidgets.Widget:
    """What is asked on the left, what came of it on the right."""
    result = ResultView(t, trust_first=True)
    written = NotesState(state.project)

    def show(_change: object = None) -> None:
        if state.record is not None:
            result.show(state.record)
        written.look(state.record)
        result.layout.display = "" if state.record else "none"

    show()
    state.observe(show, "record")
    confirm = confirmation(
        state, t, t("Confirm the groups with PyMC"), t("The groups are confirmed with PyMC")
    )
    asked = [
        *_main(state, t),
        _more(state, t),
        confirm,
        controls.keep(state, t),
        record_files(state, t),
        _help(t),
    ]
    return columns(state, asked, [result, notes(written, t)], t)


def _main(state: EffectState, t: Texts) -> list[ipywidgets.Widget]:
    return [
        controls.choice(
            state, "experiment", t("Experiment"), lambda: [(n, n) for n in state.names], follows="names"
        ),
        controls.choice(
            state,
            "metric",
            t("Metric"),
            lambda: [(t(metric_name(m)), m) for m in state.metrics],
            follows="metrics",
        ),
        controls.choice(
            state,
            "per",
            t("Divided by"),
            lambda: [(t("customers"), None), *((t(metric_name(m)), m) for m in state.sums)],
            follows="sums",
        ),
        *controls.of_arms(state, t),
    ]


def _more(state: EffectState, t: Texts) -> ipywidgets.Widget:
    priors = [(t("uniform"), "uniform"), (t("Jeffreys"), "jeffreys")]
    statistics = [
        (t("the mean"), "mean"),
        (t("the mean, largest values cut"), "cut"),
        (t("a quantile"), "quantile"),
    ]
    return controls.more(
        t,
        [
            _part(t("Metric and window")),
            controls.whole(state, "window_days", t("Window after the first exposure (days)"), 1, 3650),
            controls.whole(state, "from_day", t("Count from day"), 0, 3649),
            controls.choice(state, "statistic", t("What of it"), lambda: statistics),
            controls.percent(state, "quantile", t("Quantile (%)"), 1, 99.9, 0.5),
            controls.tick(state, "lower_is_better", t("Lower is better")),
            _part(t("Arms and groups")),
            controls.choice(
                state,
                "control",
                t("Control arm"),
                lambda: [(t("as the data say"), None), *((arm, arm) for arm in state.arms)],
                follows="arms",
            ),
            controls.choice(
                state,
                "and_by",
                t("Crossed with"),
                lambda: [(t("nothing"), None), *((name, name) for name in state.groups)],
                follows="groups",
            ),
            _second(state, t),
            controls.text(state, "split", t("Planned split"), example="50 / 50"),
            controls.lines(state, "together", t("Arms that are one"), example="B + C", rows=1),
            _part(t("What was believed before")),
            controls.choice(state, "expected", t("Lift that was expected (95 % sure)"), lambda: _tempers(t)),
            controls.percent(state, "expected_low", t("Expected lift, from (%)"), -99, 1000, 1),
            controls.percent(state, "expected_high", t("Expected lift, to (%)"), -99, 1000, 1),
            controls.choice(state, "prior", t("Prior of a conversion rate"), lambda: priors),
            controls.percent(state, "rope", t("Smallest lift that matters (%)"), 0, 99, 0.5),
            _part(t("Trust")),
            controls.whole(state, "before_days", t("Days before that are compared, too"), 0, 365),
            controls.tick(state, "adjust", t("Take out what they did before")),
            controls.choice(
                state,
                "delivered",
                t("Event that shows delivery"),
                lambda: [(t("none"), None), *((name, name) for name in state.events)],
                follows="events",
            ),
            controls.lines(
                state, "excluded", t("Days that do not count"), example="2026-11-27 2026-11-30", rows=1
            ),
            _part(t("Other metrics")),
            *(
                controls.several(state, name, label, lambda: _metrics(state, t), follows="metrics")
                for name, label in (
                    ("guardrails", t("Guardrails")),
                    ("secondary", t("Secondary")),
                    ("falling", t("Those that should go down")),
                )
            ),
        ],
    )


def _second(state: EffectState, t: Texts) -> ipywidgets.Widget:
    """The pick-list of a second experiment; hidden where no other has the same customers."""
    widget = controls.choice(
        state,
        "crossed_with",
        t("Second experiment"),
        lambda: [(t("none"), None), *((name, name) for name in state.overlapping)],
        follows="overlapping",
    )

    def turn(_change: object = None) -> None:
        widget.layout.display = "" if state.overlapping else "none"

    turn()
    state.observe(turn, "overlapping")
    return widget


def _part(title: str) -> ipywidgets.HTML:
    return html(f'<h3 class="wb-asked">{escape(title)}</h3>')


def _metrics(state: EffectState, t: Texts) -> list[tuple[str, str]]:
    return [(t(metric_name(m)), m) for m in state.metrics]


def _tempers(t: Texts) -> list[controls.Option]:
    return [
        (t("nothing, by the data alone"), None),
        (t("next to nothing, within ±5 %"), "sceptical"),
        (t("between −20 % and +25 %"), "cautious"),
        (t("anything between −60 % and +150 %"), "wide"),
        (t("as in earlier experiments"), PAST),
        (t("as given below"), OWN),
    ]


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (t("Experiment"), t("An experience that people were shown in at least two variants, the arms.")),
            (
                t("Metric"),
                t("What should change: conversion counts each customer once, revenue adds up their orders."),
            ),
            (
                t("Split by"),
                t("Shows the effect in each group, drawn towards the overall one as far as groups agree."),
            ),
            (
                t("Divided by"),
                t("Makes a ratio of two sums, as clicks by views; people are still what is drawn."),
            ),
            (t("Arm to speak of"), t("The arm in the sentence, the charts and the groups.")),
            (
                t("Count from day"),
                t("Later than 0 asks who is still there: only what happens from that day on counts."),
            ),
            (
                t("What of it"),
                t(
                    "The largest values can be cut at a quantile of the values above zero, the same in all "
                    "arms."
                ),
            ),
            (
                t("Lift that was expected (95 % sure)"),
                t("Ties every arm to the control; the more so the narrower the range."),
            ),
            (
                t("Take out what they did before"),
                t(
                    "Removes differences between people that were there before; the effect stays, the noise "
                    "shrinks."
                ),
            ),
            (
                t("Event that shows delivery"),
                t("Tells how many of an arm got the treatment at all, and what it did to those."),
            ),
            (
                t("Guardrails"),
                t("Metrics that must not get worse; one that surely does withholds the verdict."),
            ),
            (t("Quantile (%)"), t("Which quantile is compared, or where the largest values are cut.")),
            (t("Crossed with"), t("Groups become combinations, such as country and device together.")),
            (
                t("Arms that are one"),
                t("Arms joined by + count as one, one such arm a line; planned splits name them so."),
            ),
            (t("Expected lift, from (%)"), t("The lower end of the lifts that you expect.")),
            (t("Expected lift, to (%)"), t("The upper end of the lifts that you expect.")),
            (
                t("Days before that are compared, too"),
                t("Arms should be alike before anything was shown; 0 compares nothing and is faster."),
            ),
            (
                t("Days that do not count"),
                t("First and last day of each stretch, one a line; they leave every arm."),
            ),
            (t("Secondary"), t("Metrics that explain; they decide nothing.")),
            (t("Those that should go down"), t("Such as returns or complaints: for them less is better.")),
            (t("Control arm"), t("The arm that the others are held against, usually the old experience.")),
            (
                t("How people came into their arm"),
                t("Only a random assignment lets a difference be called an effect."),
            ),
            (t("Level of the intervals"), t("How likely it is that an interval holds the true value.")),
            (
                t("Window after the first exposure (days)"),
                t("Orders count for so long; customers exposed too late for a whole window are left out."),
            ),
            (t("Smallest lift that matters (%)"), t("Differences below it are called practically the same.")),
            (
                t("Prior of a conversion rate"),
                t("What is believed before the data; with hundreds of customers it hardly matters."),
            ),
            (
                t("Second experiment"),
                t(
                    "Looks at the customers who were in both, each combination of arms as one: what either "
                    "does, and whether one changes what the other does."
                ),
            ),
            (
                t("Planned split"),
                t("One number for each arm, in alphabetical order; empty means equal shares."),
            ),
            (
                t("Confirm the groups with PyMC"),
                t(
                    "A second, slower method samples each group's effect; of revenue it takes apart who buys "
                    "and what a buyer spends."
                ),
            ),
            (t("Lower is better"), t("For metrics that should go down, such as returns.")),
        ],
    )
