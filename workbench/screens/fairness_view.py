"""The widgets for whether groups of people fare differently."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.analyses.fairness import Fairness
from workbench.charts import fairness as charts
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.result import Frame, checks, html, table
from workbench.screens import controls
from workbench.screens.cards import figure_row
from workbench.screens.fairness import FairnessState
from workbench.screens.frame import columns
from workbench.screens.presence import Presence
from workbench.tables.privacy.names import sensitive


def view(state: FairnessState, t: Texts) -> ipywidgets.Widget:
    """An attribute on the left, what its groups buy, pay and get on the right."""
    sentence, note, figures, found = html(""), html(""), html(""), html("")
    pictures = ipywidgets.Box().add_class("wb-pictures")
    legend = html("")
    numbers = Fold(title=t("The numbers as a table"))
    details = Fold(title=t("How this is computed"), kind="wb-details")
    frames: dict[str, Frame] = {}
    result = ipywidgets.VBox([sentence, note, figures, pictures, legend, numbers, found, details])

    def write(_change: object = None) -> None:
        answer = state.found
        result.layout.display = "none" if answer is None else ""
        if answer is None:
            return
        sentence.value = (
            f'<p class="wb-sentence wb-association" role="status">{escape(t(answer.verdict))}</p>'
        )
        note.value = f'<p class="wb-notice" role="note">{escape(_warning(answer, t))}</p>'
        figures.value = figure_row(_figures(answer, t))
        made = charts.pictures(answer, t)
        for measure, picture in zip(answer.measures, made, strict=True):
            frames.setdefault(measure.name, Frame()).show(picture, wide=picture.wide)
        shown = [frames[measure.name] for measure in answer.measures]
        if list(pictures.children) != shown:
            pictures.children = shown
        words = t(
            "● pooled, with its interval; ◆ the same where the group is sure to differ from the rest; ○ as"
            " seen; dashed: everybody. In brackets: customers."
        )
        legend.value = f'<p class="wb-help">{escape(words)}</p>' if made else ""
        numbers.content = table(charts.rows(answer.measures, t))
        found.value = checks(answer.checks, t)
        details.content = _details(answer, t)

    write()
    state.observe(write, "found")
    return ipywidgets.VBox([Presence(state.watch), columns(state, _asked(state, t), [result], t)])


def _asked(state: FairnessState, t: Texts) -> list[ipywidgets.Widget]:
    def names() -> list[controls.Option]:
        return [
            (t("{name} (sensitive)", name=name) if sensitive(name) else name, name) for name in state.names
        ]

    periods = [
        (t("all of the data"), None),
        *((t("the last {n:count} days", n=days), days) for days in (365, 90, 30)),
    ]
    return [
        controls.choice(state, "attribute", t("Groups by"), names, follows="names"),
        controls.choice(state, "days", t("Counted in"), lambda: periods),
        controls.percent(state, "matters", t("Differences that do not matter (%)"), 0.0, 99.0, 1.0),
        controls.choice(state, "level", t("Probability of the intervals"), lambda: controls.levels(t)),
        controls.meanings(
            t,
            [
                (
                    t("Groups by"),
                    t("Numbers of many values are cut into five bands; of many texts the largest are shown."),
                ),
                (
                    t("Differences that do not matter (%)"),
                    t("A group differs when it is sure to be further from the rest than this."),
                ),
            ],
        ),
    ]


def _warning(answer: Fairness, t: Texts) -> str:
    said = t(
        "These are associations: groups differ in many ways at once. The workbench measures groups here and"
        " never chooses anybody by what is sensitive; do not do so either."
    )
    if answer.flagged:
        said += " " + t(
            "Saved segments that ask for something sensitive: {names:listing}.", names=list(answer.flagged)
        )
    return said


def _figures(answer: Fairness, t: Texts) -> list[tuple[str, str, str]]:
    sure = [measure for measure in answer.measures if any(item.differs for item in measure.groups)]
    largest = next(iter(answer.sizes.items()), ("–", 0))
    return [
        (
            t("Measures in which groups differ"),
            t("{n:count} of {all:count}", n=len(sure), all=len(answer.measures)),
            t(
                "by more than {matters:whole_percent}, {level:whole_percent} sure",
                matters=answer.matters,
                level=answer.level,
            ),
        ),
        (
            t("Groups"),
            t.count(len(answer.sizes)),
            t("not shown, since too small: {n:count}", n=answer.hidden)
            if answer.hidden
            else t("all are shown"),
        ),
        (
            t("Customers"),
            t.count(answer.customers),
            t("the largest group is {group}: {n:count}", group=largest[0], n=largest[1]),
        ),
    ]


def _details(answer: Fairness, t: Texts) -> str:
    method = t(
        "Shares are Beta (Jeffreys prior), means Student t from the sums over customers, revenue a share"
        " times a mean; orders of one customer count as one piece of evidence. Logs of the groups’ values"
        " are drawn towards each other as far as they are alike (hierarchical Normal model, spread"
        " integrated over), and each group is held against all others together."
    )
    small = t("Groups of fewer than ten people are left out everywhere.")
    spreads = [
        (
            t(one.title),
            t("{about} Spread of the groups: {spread:percent}.", about=one.about, spread=one.spread),
        )
        for one in answer.measures
    ]
    spread = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in spreads)
    return f"<p>{escape(method)}</p><p>{escape(small)}</p><dl>{spread}</dl>"
