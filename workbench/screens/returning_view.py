"""The widgets of coming back: a sentence, figures, curves, what was checked, and the numbers."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench.analyses.returning_answer import Against, Curves, Returning
from workbench.charts import returning_groups
from workbench.charts import survival as charts
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.result import (
    Pictures,
    association_label,
    checks,
    figure_row,
    html,
    table,
    unbroken,
)
from workbench.report.words import Figure, between
from workbench.screens import controls
from workbench.screens.frame import columns
from workbench.screens.returning import ReturningState


def view(state: ReturningState, t: Texts) -> ipywidgets.Widget:
    """What is asked on the left, what came of it on the right."""
    answer = _Answer(state, t)
    return columns(state, [*_asked(state, t), _more(state, t), _help(t)], [answer], t)


class _Answer(ipywidgets.VBox):
    """The answer; another one takes its place part by part, so that nothing jumps."""

    def __init__(self, state: ReturningState, t: Texts) -> None:
        self._t = t
        self._missing, self._sentence, self._figures, self._checks = (html("") for _ in range(4))
        self._pictures, self._by_group, self._groups = Pictures(), Pictures(), html("")
        self._numbers = Fold(title=t("The numbers as a table"))
        self._details = Fold(title=t("Details: definition, method, code"), kind="wb-details")
        self._parts = [self._sentence, self._figures, self._pictures]
        self._parts += [self._by_group, self._groups, self._checks]
        super().__init__([self._missing, *self._parts, self._numbers, self._details], layout=controls.full())
        self.add_class("wb-record")

        def write(_change: object = None) -> None:
            said = "" if state.missing is None else escape(t(state.missing))
            self._missing.value = f'<p class="wb-sentence">{said}</p>' if said else ""
            self.layout.display = "" if state.found is not None or said else "none"
            if state.found is not None:
                self._show(state.found)

        write()
        state.observe(write, ["found", "missing"])

    def _show(self, found: Returning) -> None:
        t, shown = self._t, not found.failed
        kind = "wb-withheld" if found.failed else f"wb-{_kind(found.main)}"
        label = association_label(t) if shown and found.main.word == "association" else ""
        words = unbroken(t(found.verdict))
        self._sentence.value = f'{label}<p class="wb-sentence {kind}" role="status">{words}</p>'
        self._figures.value = figure_row(_figures(found, t)) if shown else ""
        pictures = charts.pictures(found, t) if shown else []
        self._pictures.show(pictures)
        ratios = returning_groups.ratio_picture(found, t) if shown else None
        self._by_group.show([] if ratios is None else [ratios])
        self._groups.value = table(returning_groups.group_rows(found, t)) if shown and found.groups else ""
        self._checks.value = checks(found.checks, t)
        self._numbers.content = _numbers(found, t) if shown else ""
        self._details.content = _details(found, t)


def _kind(curves: Curves) -> str:
    return "association" if curves.word == "association" else "answer"


# --- figures --------------------------------------------------------------------------------------------


def _figures(found: Returning, t: Texts) -> list[Figure]:
    """The shares after the last day, the ratio, and the days or, of buying again, the share of everybody."""
    pair = found.main.against(found.arm)
    figures = [*_share(found, found.main, t), *_ratio(found, pair, t), *_days(found, pair, t)]
    return figures[:2] + _share(found, found.beside, t) if found.beside is not None else figures


def _share(found: Returning, curves: Curves, t: Texts) -> list[Figure]:
    pair = curves.against(found.arm)
    if not pair.by_day:
        return []
    last = pair.by_day[-1]
    label = {
        "order": t("Have ordered after {day:count} days", day=last.day),
        "second": t("Of all customers, have ordered twice after {day:count} days", day=last.day),
        "repeat": t("Of the buyers, have bought again after {day:count} days", day=last.day),
        "churn": t("Still customers after {day:count} days", day=last.day),
    }[curves.about]
    low, high = last.interval
    word = t("an effect") if curves.word == "effect" else t("an association")
    detail = t(
        "{own:share} against {other:share}; between {low:points} and {high:points} ({level:whole_percent}), "
        "{word}",
        own=last.arm_share,
        other=last.control_share,
        low=low,
        high=high,
        level=found.settings.level,
        word=word,
    )
    return [Figure(label, t("{difference:points} points", difference=last.difference), detail)]


def _ratio(found: Returning, pair: Against, t: Texts) -> list[Figure]:
    ratio = pair.hazard_ratio
    if ratio is None:
        return []
    detail = between(t, ratio.interval, found.settings.level, t.number)
    sure = t("P(below 1): {p:percent}", p=ratio.probability_below)
    label = t("Hazard ratio, {day:count} days", day=pair.horizon)
    return [Figure(label, t.number(ratio.value), f"{detail}; {sure}")]


def _days(found: Returning, pair: Against, t: Texts) -> list[Figure]:
    """Sooner is better for orders, longer for customers who stay."""
    low, high = pair.days_interval
    if found.main.about == "churn":
        label = t("Days longer a customer, of the first {day:count}", day=pair.horizon)
        value, low, high = -pair.days_less, -high, -low
    else:
        label, value = t("Days sooner, of the first {day:count}", day=pair.horizon), pair.days_less
    detail = between(t, (low, high), found.settings.level, t.signed_number)
    return [Figure(label, t.signed_number(value), detail)]


# --- tables and details ---------------------------------------------------------------------------------


def _numbers(found: Returning, t: Texts) -> str:
    pair = found.main.against(found.arm)
    parts = [
        (t("Shares by arm"), charts.share_rows(found, found.main, t)),
        (t("Arm and control"), charts.difference_rows(pair, t)),
        (t("Ratio of the hazards"), charts.ratio_rows(pair, t)),
    ]
    if found.beside is not None:
        parts += [
            (t("All customers: ordered twice"), charts.share_rows(found, found.beside, t)),
            (t("All customers: arm and control"), charts.difference_rows(found.beside.against(found.arm), t)),
        ]
    if found.groups:
        parts += [
            (t("By group: arm less control (points)"), returning_groups.difference_rows(found, t)),
            (t("By group: ratio of the hazards"), returning_groups.ratio_rows(found, t)),
        ]
    return "".join(f'<h3 class="wb-minor">{escape(title)}</h3>{table(rows)}' for title, rows in parts if rows)


def _details(found: Returning, t: Texts) -> str:
    about = {
        "order": t(
            "From the first exposure to the first order after it; a credit note is no order. Days are whole "
            "ones, and an order counts only in a day that the data cover whole."
        ),
        "repeat": t(
            "From the first order after the exposure to the second. Beside it, of all customers: from the "
            "first exposure to the second order after it."
        ),
        "churn": t(
            "From the first exposure to the end of the customer, as the table of ends has it. Who had left "
            "before is left out."
        ),
        "second": "",
    }[found.main.about]
    rows = [
        (t("What is counted"), about),
        (
            t("Curves"),
            t(
                "Kaplan and Meier’s, as the mean of a posterior: hazards by day are Beta, with a prior of "
                "the weight of one customer about the curve of all arms together. Customers count for as "
                "long as they are followed, until {day:date}. Where the shares of the arms changed, they "
                "count with one over the probability of their arm.",
                day=found.until,
            ),
        ),
        (
            t("Hazard ratio"),
            t(
                "Of the chance, on a day, that it happens to those to whom it has not happened yet: a logit "
                "in discrete time with an effect for each day, given how many there were on it (Cox 1972). "
                "Prior of its log: Normal(0, 1). Where the shares of the arms changed, with an effect "
                "for each day and each probability of the arm. By group, the ratios are drawn towards the "
                "typical one."
            ),
        ),
        (
            t("Days"),
            t(
                "The mean number of days without the event, of the first so many (restricted mean time), "
                "control less arm."
            ),
        ),
    ]
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in rows)
    return f'<dl>{listed}</dl><pre tabindex="0"><code>{escape(as_code(found))}</code></pre>'


def as_code(found: Returning) -> str:
    """The same question as code, without what was left as it is."""
    asked = found.settings
    plain = type(asked)(experiment=asked.experiment)
    said = [repr(asked.experiment)]
    for name, value in asked:
        if name != "experiment" and value != getattr(plain, name):
            said.append(f"{name}={value!r}")
    return f"project.returning({', '.join(said)})"


# --- what is asked --------------------------------------------------------------------------------------


def _asked(state: ReturningState, t: Texts) -> list[ipywidgets.Widget]:
    words = {
        "order": t("the first order"),
        "repeat": t("buying again"),
        "churn": t("staying a customer"),
    }
    return [
        controls.choice(
            state, "experiment", t("Experiment"), lambda: [(n, n) for n in state.names], follows="names"
        ),
        controls.choice(
            state,
            "outcome",
            t("What is waited for"),
            lambda: [(words[one], one) for one in state.outcomes],
            follows="outcomes",
        ),
        controls.text(state, "days", t("Compared after (days)"), example="30, 60, 90, 180"),
        *controls.of_arms(state, t),
    ]


def _more(state: ReturningState, t: Texts) -> ipywidgets.Widget:
    last = ipywidgets.DatePicker(description=t("Last day that counts"), layout=controls.full())
    return controls.more(
        t,
        [
            controls.choice(
                state,
                "control",
                t("Control arm"),
                lambda: [(t("as the data say"), None), *((arm, arm) for arm in state.arms)],
                follows="arms",
            ),
            controls.bind(state, "until_day", last),
        ],
    )


def _help(t: Texts) -> ipywidgets.Widget:
    return controls.meanings(
        t,
        [
            (
                t("What is waited for"),
                t(
                    "The first order after the exposure; the second after that, of those who bought; or the "
                    "end of a customer, where it was loaded."
                ),
            ),
            (
                t("Compared after (days)"),
                t("The largest is as far as customers are followed; those exposed later count for less."),
            ),
            (
                t("Split by"),
                t(
                    "The arm that is spoken of against the control in each group, the largest groups first; "
                    "a group of which too little is known is named, not shown."
                ),
            ),
            (t("Arm to speak of"), t("The arm in the sentence, the figures and the differences.")),
            (
                t("How people came into their arm"),
                t("Only a random assignment lets a difference be called an effect."),
            ),
            (t("Level of the intervals"), t("How likely it is that an interval holds the true value.")),
            (t("Control arm"), t("The arm that the others are held against, usually the old experience.")),
            (
                t("Last day that counts"),
                t("That of the data unless given; give it where a table ends earlier than the others."),
            ),
        ],
    )
