"""The widgets of the effect lab where people were not assigned at random."""

from __future__ import annotations

import ipywidgets

from workbench.decisions import metric_name
from workbench.locale import Texts
from workbench.publish.association_result import AssociationView
from workbench.records.association import NOBODY
from workbench.report.association import covariate_name
from workbench.screens import controls
from workbench.screens.download import record_files
from workbench.screens.frame import columns
from workbench.screens.not_random import NotRandomState
from workbench.screens.ticking import Ticks


def view(state: NotRandomState, t: Texts) -> ipywidgets.Widget:
    """The question on the left, what can be said on the right."""
    result = AssociationView(t, trust_first=True)

    def show(_change: object = None) -> None:
        if state.record is not None:
            result.show(state.record)
        result.layout.display = "" if state.record else "none"

    show()
    state.observe(show, "record")
    asked = [
        *_asked(state, t),
        _more(state, t),
        controls.keep(state, t),
        record_files(state, t),
        _help(t),
    ]
    return columns(state, asked, [result], t)


# --- what is asked --------------------------------------------------------------------------------------


def _asked(state: NotRandomState, t: Texts) -> list[ipywidgets.Widget]:
    kinds = {
        "experiment": t("of an arm of an experience"),
        "event": t("of something they did"),
        "column": t("of a column of customers"),
    }
    arms = _arms(state, "arm", t("Who had it"), t)
    others = _arms(state, "control", t("Held against"), t, nobody=True)
    return [
        controls.choice(
            state, "assignment", t("How did people come to it?"), lambda: controls.assignments(t)
        ),
        controls.choice(
            state,
            "treatment",
            t("Some had it because"),
            lambda: [(kinds[kind], kind) for kind in state.treatments],
            follows="treatments",
        ),
        controls.choice(
            state, "name", t("Which one"), lambda: [(n, n) for n in state.names], follows="names"
        ),
        arms,
        others,
        controls.choice(
            state,
            "metric",
            t("Metric"),
            lambda: [(t(metric_name(m)), m) for m in state.metrics],
            follows="metrics",
        ),
        controls.choice(
            state,
            "target",
            t("Of whom the answer speaks"),
            lambda: [
                (t("could have gone either way"), "overlap"),
                (t("those who had it"), "treated"),
                (t("everybody"), "everybody"),
            ],
        ),
    ]


def _arms(
    state: NotRandomState, name: str, label: str, t: Texts, *, nobody: bool = False
) -> ipywidgets.Dropdown:
    """Arms or values; out of sight where there are none."""

    def options() -> list[controls.Option]:
        none = [(t("customers in no arm"), NOBODY)] if nobody and state.treatment == "experiment" else []
        return [(t("as the data say"), None), *((one, one) for one in state.arms), *none]

    widget = controls.choice(state, name, label, options, follows="arms")

    def hide(_change: object = None) -> None:
        widget.layout.display = "" if state.arms else "none"

    hide()
    state.observe(hide, "arms")
    return widget


def _more(state: NotRandomState, t: Texts) -> ipywidgets.Widget:
    ticks = Ticks(
        description=t("Adjusted for"),
        help=t("“Meanwhile” is what people did while it could reach them: who had the occasion."),
    )
    taking = False

    def take(_change: object = None) -> None:
        nonlocal taking
        taking = True
        words = {name: t(covariate_name(name)) for name in state.known}
        ticks.options = [[words[name], ""] for name in state.known]
        ticks.value = [words[name] for name in state.known if name in state.adjust_for]
        taking = False

    def write(change: object) -> None:
        if not taking:
            state.adjust_for = [name for name in state.known if t(covariate_name(name)) in ticks.value]

    take()
    state.observe(take, ["known", "adjust_for"])
    ticks.observe(write, "value")
    random = lambda: [(t("none"), None), *((name, name) for name in state.random)]  # noqa: E731 - said twice below
    widgets = [
        controls.whole(state, "window_days", t("Outcomes count for (days)"), 1, 3650),
        _day(state, "landmark", t("Followed from (landmark)")),
        _day(state, "since", t("It counts from")),
        ticks,
        _placebo(state, t),
        controls.choice(state, "level", t("Level of the intervals"), lambda: controls.levels(t)),
        controls.choice(
            state, "randomised", t("Randomised experiment to compare with"), random, follows="random"
        ),
        controls.text(state, "split", t("Its planned split"), example="50 / 50"),
        controls.choice(
            state, "encouragement", t("Random encouragement towards it"), random, follows="random"
        ),
    ]
    if state.second_available:
        widgets.append(controls.tick(state, "second_opinion", t("Ask DoubleML too (takes seconds)")))
    return controls.more(t, widgets)


def _placebo(state: NotRandomState, t: Texts) -> ipywidgets.Dropdown:
    """A number from before the treatment; out of sight where dates say what was before."""
    widget = controls.choice(
        state,
        "placebo",
        t("Placebo: a number from before it"),
        lambda: [(t("none"), None), *((name, name) for name in state.befores)],
        follows="befores",
    )

    def hide(_change: object = None) -> None:
        widget.layout.display = "" if state.befores else "none"

    hide()
    state.observe(hide, "befores")
    return widget


def _day(state: NotRandomState, name: str, label: str) -> ipywidgets.DatePicker:
    picker = ipywidgets.DatePicker(description=label, layout=controls.full())
    return controls.bind(state, name, picker)


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (
                t("How did people come to it?"),
                t("Only chance makes groups that differ in nothing else; then the results tab measures it."),
            ),
            (
                t("Followed from (landmark)"),
                t("One date for everybody: who had it by then is in the first group, and only what comes "
                  "after it counts. Empty: the last date that leaves a whole window."),
            ),
            (
                t("It counts from"),
                t("Who had it before is left out. Empty: the first exposure, or four weeks before the "
                  "landmark."),
            ),
            (
                t("Of whom the answer speaks"),
                t("Those who could have gone either way are the safest: like is held against like."),
            ),
            (
                t("Adjusted for"),
                t("What was known before it counted. What it may have changed itself does not belong here."),
            ),
            (
                t("Random encouragement towards it"),
                t("A randomised experiment that made more people have it; it tells what it did to those."),
            ),
        ],
    )  # fmt: skip
