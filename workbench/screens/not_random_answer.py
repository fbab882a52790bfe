"""What can be said of two groups that were not made at random: overlap, balance, ladder, hidden causes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets

from workbench.analyses.association import Association, NotRandomView, Refused, covariate_name
from workbench.charts import not_random as charts
from workbench.charts.picture import Picture
from workbench.charts.runtime import show
from workbench.decisions import change
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.result import checks, html, table
from workbench.screens import controls
from workbench.screens.not_random import NotRandomState

_BENCHMARKS = 3


class _Frame(ipywidgets.VBox):
    """A chart between its title and its caption."""

    def __init__(self) -> None:
        self._title, self._caption = html(""), html("")
        self._chart = show(None, "")
        super().__init__([self._title, self._chart, self._caption])
        self.add_class("wb-picture")

    def show(self, picture: Picture | None) -> None:
        self.layout.display = "none" if picture is None else ""
        if picture is None:
            return
        (self.add_class if picture.wide else self.remove_class)("wb-wide")
        self._title.value = f'<h3 class="wb-part">{_words(picture.title)}</h3>'
        self._chart.description = picture.description
        self._chart.chart = picture.chart
        self._caption.value = f'<p class="wb-help">{escape(picture.caption)}</p>' if picture.caption else ""


class AnswerView(ipywidgets.VBox):
    """Sentence, overlap and balance, ladder, hidden causes, placebo, checks."""

    def __init__(self, state: NotRandomState, t: Texts) -> None:
        self._state, self._t = state, t
        self._sentence, self._figures = html(""), html("")
        self._compared, self._overlap, self._love = html(""), _Frame(), _Frame()
        self._left, self._ladder = html(""), _Frame()
        self._hidden_title, self._hidden, self._strength = html(""), _Frame(), html("")
        self._placebo, self._checks = html(""), html("")
        self._rungs, self._levels, self._lost = Fold(), Fold(), Fold()
        self._details = Fold(kind="wb-details")
        pair = ipywidgets.Box([self._overlap, self._love]).add_class("wb-pictures")
        sliders = [_imbalance(state, t), _outcome_difference(state, t)]
        self._causes = ipywidgets.VBox(
            [
                self._hidden_title,
                ipywidgets.Box(sliders, layout=ipywidgets.Layout(align_items="flex-end")).add_class(
                    "wb-grid"
                ),
                ipywidgets.Box([self._hidden]).add_class("wb-pictures"),
                self._strength,
            ]
        )
        super().__init__(
            [
                self._sentence,
                self._figures,
                ipywidgets.VBox([self._compared, pair, self._levels, self._lost]),
                ipywidgets.VBox(
                    [self._left, ipywidgets.Box([self._ladder]).add_class("wb-pictures"), self._rungs]
                ),
                self._causes,
                self._placebo,
                self._checks,
                self._details,
            ]
        )
        self.add_class("wb-record")
        self._write()
        state.observe(self._write, "shown")
        state.observe(self._write_hidden, ["imbalance", "outcome_difference"])

    def _write(self, _change: object = None) -> None:
        one, t = self._state.shown, self._t
        self.layout.display = "none" if one is None else ""
        if one is None:
            return
        kind = "withheld" if isinstance(one.answer, Refused) else "association"
        self._sentence.value = f'<p class="wb-sentence wb-{kind}" role="status">{_words(t(one.sentence))}</p>'
        self._figures.value = _figures(one, t)
        self._compared.value = _part(t("Can they be compared?")) if one.overlap else ""
        self._overlap.show(charts.overlap(one, t))
        self._love.show(charts.love(one, t))
        self._levels.title = t("Balance of every level as a table")
        self._levels.content = table(charts.balance_rows(one, t)) if one.balance else ""
        self._lost.title = t("Of whom nothing can be said")
        self._lost.content = table(_lost(one, t)) if one.lost else ""
        self._left.value = _part(t("What is left of the difference")) if one.ladder else ""
        self._ladder.show(charts.ladder(one, t))
        self._rungs.title = t("Every comparison as a table")
        self._rungs.content = table(charts.ladder_rows(one, t)) if one.ladder else ""
        self._placebo.value = _placebo(one, t)
        self._checks.value = checks(one.checks, t)
        self._details.title = t("Details: groups, dates, method, code")
        self._details.content = _details(one, t)
        self._write_hidden()

    def _write_hidden(self, _change: object = None) -> None:
        one, t, state = self._state.shown, self._t, self._state
        there = one is not None and one.sensitivity is not None
        self._causes.layout.display = "" if there else "none"
        if one is None or one.sensitivity is None:
            return
        self._hidden_title.value = _part(t("What if something else decided, that nobody recorded?"))
        self._hidden.show(charts.hidden(one, state.imbalance, state.outcome_difference, t))
        self._strength.value = _strength(one, t)


def _imbalance(state: NotRandomState, t: Texts) -> ipywidgets.FloatSlider:
    slider = ipywidgets.FloatSlider(
        min=0,
        max=100,
        step=0.5,
        readout_format=".1f",
        description=t("Hidden cause: more frequent among those who had it (points)"),
        layout=controls.full(),
    )
    return controls.bind(state, "imbalance", slider, scale=100.0)


def _outcome_difference(state: NotRandomState, t: Texts) -> ipywidgets.Widget:
    """In points of a share, otherwise in the metric's unit."""
    slider = ipywidgets.FloatSlider(layout=controls.full())
    taking = False

    def scale() -> float:
        return 100.0 if state.shown is not None and state.shown.unit == "share" else 1.0

    def take(_change: object = None) -> None:
        nonlocal taking
        if state.shown is None or state.shown.sensitivity is None:
            return
        taking = True
        value = state.outcome_difference * scale()
        most = 100.0 if scale() == 100.0 else max(3 * state.shown.sensitivity.outcome_sd, abs(value))
        with slider.hold_trait_notifications():
            slider.min, slider.max, slider.step = -most, most, most / 200
            slider.value = value
        slider.description = t("It changes the metric by (points)")
        if state.shown.unit == "money":
            slider.description = t("It changes the metric by ({currency})", currency=t.currency)
        elif state.shown.unit == "number":
            slider.description = t("It changes the metric by")
        slider.readout_format = ".1f" if scale() == 100.0 or most > 50 else ".2f"
        taking = False

    def write(change: object) -> None:
        if not taking:
            state.outcome_difference = slider.value / scale()

    take()
    state.observe(take, ["outcome_difference", "shown"])
    slider.observe(write, "value")
    return slider


def _part(title: str) -> str:
    return f'<h2 class="wb-part">{escape(title)}</h2>'


def _words(text: str) -> str:
    """Escaped, and no line begins with a per-cent sign."""
    return escape(text).replace(" %", "&nbsp;%")


def _figures(one: NotRandomView, t: Texts) -> str:
    """As they are, alike, and of how many that speaks."""
    if not one.ladder:
        return ""
    cells: list[tuple[str, str, str]] = []
    seen = one.ladder[0].answer
    first, other = one.groups
    if isinstance(seen, Association):
        low, high = seen.interval
        cells.append(
            (
                t("Difference as they are"),
                t(change(one.unit, seen.difference)),
                t("{low} to {high}", low=change(one.unit, low), high=change(one.unit, high)),
            )
        )
    if isinstance(one.answer, Association):
        low, high = one.answer.interval
        cells.append(
            (
                t("Between those who are alike"),
                t(change(one.unit, one.answer.difference)),
                t(
                    "{low} to {high} ({level:whole_percent})",
                    low=change(one.unit, low),
                    high=change(one.unit, high),
                    level=one.settings.level,
                ),
            )
        )
    compared = t("none can be compared")
    if one.comparable is not None:
        compared = t(
            "{first:count} and {other:count} have a counterpart",
            first=one.comparable[0],
            other=one.comparable[1],
        )
    cells.append(
        (
            t("Customers who had it, and others"),
            t("{first:count} and {other:count}", first=first.customers, other=other.customers),
            compared,
        )
    )
    return (
        '<div class="wb-figures">'
        + "".join(
            f'<div class="wb-figure"><span class="wb-label">{_words(label)}</span>'
            f'<span class="wb-value">{_words(value)}</span>'
            f'<span class="wb-detail">{_words(detail)}</span></div>'
            for label, value, detail in cells
        )
        + "</div>"
    )


def _lost(one: NotRandomView, t: Texts) -> Sequence[dict[str, str]]:
    return [
        {
            t("Covariate"): t(covariate_name(line.covariate)),
            t("Level"): line.level,
            t("Who had it"): t.count(line.treated),
            t("Others"): t.count(line.control),
        }
        for line in one.lost
    ]


def _strength(one: NotRandomView, t: Texts) -> str:
    """How strong a hidden cause would have to be, beside the strongest ones that are known."""
    found = one.sensitivity
    assert found is not None
    said = [
        t(
            "To explain all of it away, a hidden cause would have to be tied to both who had it and the "
            "outcome by a risk ratio of {e:number} (E-value); {edge:number} is enough for the interval to "
            "touch zero.",
            e=found.e_value,
            edge=found.e_value_interval,
        ),
        t(
            "In a linear regression it would have to explain {share:percent} of what is left of both "
            "(robustness value); {edge:percent} is enough for the interval to touch zero.",
            share=found.robustness,
            edge=found.robustness_interval,
        ),
    ]
    if found.e_value_interval == 1:
        said = [
            t("The interval holds zero already, so it takes no hidden cause to explain the difference away."),
        ]
    if found.strongest is not None:
        said.insert(
            0,
            t(
                "The sliders start from a cause as strong as the strongest known one, {covariate} ({level}).",
                covariate=covariate_name(found.strongest.covariate),
                level=found.strongest.level,
            ),
        )
    rows = [
        {
            t("As strong as"): t(covariate_name(line.covariate)),
            t("Explains of who had it"): t.percent(line.treatment),
            t("of the outcome"): t.percent(line.outcome),
            t("The regression would then say"): "–"
            if line.corrected is None
            else t(change(one.unit, line.corrected)),
        }
        for line in found.benchmarks[:_BENCHMARKS]
    ]
    linear = t("The regression says {estimate} now.", estimate=change(one.unit, found.linear[0]))
    shown = f'{table(rows)}<p class="wb-help">{_words(linear)}</p>' if rows else ""
    return f"<p>{_words(' '.join(said))}</p>{shown}"


def _placebo(one: NotRandomView, t: Texts) -> str:
    """The same comparison where there can be no difference."""
    if one.placebo is None:
        return ""
    rows = []
    for name, answer in ((t("As they are"), one.placebo.seen), (t("Adjusted alike"), one.placebo.answer)):
        said, interval = "", ""
        if isinstance(answer, Refused):
            said = t(answer.reason)
        else:
            low, high = answer.interval
            said = t(change(one.unit, answer.difference))
            interval = t("{low} to {high}", low=change(one.unit, low), high=change(one.unit, high))
        rows.append({t("Placebo"): name, t("Difference"): said, t("Interval"): interval})
    about = t(
        "The same comparison of {about}. It cannot have been changed, so nothing should be left of it.",
        about=one.placebo.about,
    )
    return f"{_part(t('Would it find a difference where there is none?'))}<p>{_words(about)}</p>{table(rows)}"


def _details(one: NotRandomView, t: Texts) -> str:
    """Who, when, by what method, and the same as code."""
    rows = [
        (t("First group"), t(one.groups[0].who)),
        (t("Held against"), t(one.groups[1].who)),
        (t("Adjusted for"), t.listing([t(covariate_name(name)) for name in one.covariates])),
        (
            t("Method"),
            t(
                "Propensities by logistic regression; overlap weights (Li, Morgan & Zaslavsky 2018), or "
                "doubly robust with cross-fitting (Chernozhukov et al. 2018); E-value (VanderWeele & Ding "
                "2017), robustness value (Cinelli & Hazlett 2020)."
            ),
        ),
    ]
    if one.period is not None:
        dates = t(
            "counts from {since:date}, followed from {landmark:date}, until {until:date}",
            since=one.period.since,
            landmark=one.period.landmark,
            until=one.period.until,
        )
        rows.insert(2, (t("Dates"), dates))
    given = one.settings.model_dump(exclude_defaults=True)
    arguments = ", ".join(f"{name}={value!r}" for name, value in given.items())
    code = f"project.not_random({arguments})"
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows)
    return f'<dl>{listed}</dl><pre tabindex="0"><code>{escape(code)}</code></pre>'
