"""A comparison that was not random on a page: overlap and balance, ladder, hidden causes, placebo, checks."""

from __future__ import annotations

from html import escape

import ipywidgets

from workbench import report
from workbench.charts import not_random as charts
from workbench.charts.picture import Picture
from workbench.decisions import change
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.publish.result import (
    Frame,
    association_label,
    checks,
    details,
    figure_row,
    health,
    html,
    sentence,
    table,
    unbroken,
)
from workbench.records import Association, AssociationRecord
from workbench.report import association


class AssociationView(ipywidgets.VBox):
    """A record of two groups that were not made at random; another one takes its place part by part.

    Args:
        t: The reader's language.
        record: What to show at first.
        trust_first: Whether a light above the sentence says how the checks went; pages have one already.
    """

    def __init__(
        self, t: Texts, record: AssociationRecord | None = None, *, trust_first: bool = False
    ) -> None:
        self._t, self._trust_first = t, trust_first
        self._sentence, self._figures, self._placebo, self._checks = (html("") for _ in range(4))
        self._compared, self._overlap, self._love = html(""), Frame(), Frame()
        self._left, self._ladder = html(""), Frame()
        self._levels, self._lost, self._rungs, self._details = Fold(), Fold(), Fold(), Fold(kind="wb-details")
        self._hidden = _HiddenCause(t)
        super().__init__(
            [
                self._sentence,
                self._figures,
                ipywidgets.VBox(
                    [self._compared, _pictures(self._overlap, self._love), self._levels, self._lost]
                ),
                ipywidgets.VBox([self._left, _pictures(self._ladder), self._rungs]),
                self._hidden,
                self._placebo,
                self._checks,
                self._details,
            ],
            layout=ipywidgets.Layout(width="100%"),
        )
        self.add_class("wb-record")
        if record is not None:
            self.show(record)

    def show(self, record: AssociationRecord) -> None:
        """Put `record` on the page."""
        t, one = self._t, record.summary
        light = f'<p class="wb-trusted">{health([record], t)}</p>' if self._trust_first else ""
        self._sentence.value = light + _banner(record, t) + sentence(record, t)
        self._figures.value = figure_row(report.figures(record, t))
        self._compared.value = _part(t("Can they be compared?")) if one.overlap else ""
        _draw(self._overlap, charts.overlap(record, t))
        _draw(self._love, charts.love(record, t))
        self._levels.title = t("Balance of every level as a table")
        self._levels.content = table(association.balance_rows(record, t))
        self._lost.title = t("Of whom nothing can be said")
        self._lost.content = table(association.lost_rows(record, t))
        self._left.value = _part(t("What is left of the difference")) if one.ladder else ""
        _draw(self._ladder, charts.ladder(record, t))
        self._rungs.title = t("Every comparison as a table")
        self._rungs.content = table(report.rows(record, t))
        self._hidden.show(record)
        self._placebo.value = _placebo(record, t)
        self._checks.value = checks(record.checks, t)
        self._details.title = t("Details: groups, dates, method, code")
        self._details.content = details(record, t)


class _HiddenCause(ipywidgets.VBox):
    """What if something else decided, that nobody recorded: two sliders and what would then be left."""

    def __init__(self, t: Texts) -> None:
        self._t = t
        self._record: AssociationRecord | None = None
        self._taking = False
        self._imbalance = ipywidgets.FloatSlider(
            min=0,
            max=100,
            step=0.5,
            readout_format=".1f",
            description=t("Hidden cause: more frequent among those who had it (points)"),
            layout=ipywidgets.Layout(width="100%"),
        )
        self._outcome = ipywidgets.FloatSlider(layout=ipywidgets.Layout(width="100%"))
        self._frame, self._strength = Frame(), html("")
        sliders = ipywidgets.Box(
            [self._imbalance, self._outcome], layout=ipywidgets.Layout(align_items="flex-end")
        )
        title = html(_part(t("What if something else decided, that nobody recorded?")))
        super().__init__([title, sliders.add_class("wb-grid"), _pictures(self._frame), self._strength])
        for slider in (self._imbalance, self._outcome):
            slider.observe(self._draw, "value")

    def show(self, record: AssociationRecord) -> None:
        """Begin with a cause as strong as the strongest that is known, against the answer."""
        found, answer, t = record.summary.sensitivity, record.summary.answer, self._t
        self.layout.display = "none" if found is None else ""
        self._record = record
        if found is None or not isinstance(answer, Association):
            return
        apart, weight = 0.0, 0.0
        if found.strongest is not None:
            apart = round(abs(found.strongest.imbalance), 3)
            size = float(f"{abs(found.strongest.outcome_difference):.3g}")
            weight = size if answer.difference >= 0 else -size
        weight *= self._scale
        most = 100.0 if record.summary.unit == "share" else max(3 * found.outcome_sd, abs(weight))
        names = {
            "share": t("It changes the metric by (points)"),
            "money": t("It changes the metric by ({currency})", currency=t.currency),
            "number": t("It changes the metric by"),
        }
        self._taking = True
        with self._outcome.hold_trait_notifications():
            self._outcome.min, self._outcome.max, self._outcome.step = -most, most, most / 200
            self._outcome.value = weight
        self._outcome.description = names[record.summary.unit]
        self._outcome.readout_format = ".1f" if record.summary.unit == "share" or most > 50 else ".2f"
        self._imbalance.value = apart * 100
        self._taking = False
        rows = association.benchmark_rows(record, t)
        linear = t(
            "The regression says {estimate} now.", estimate=change(record.summary.unit, found.linear[0])
        )
        beside = f'{table(rows)}<p class="wb-help">{unbroken(linear)}</p>' if rows else ""
        self._strength.value = f"<p>{unbroken(association.hidden_causes(record, t))}</p>{beside}"
        self._draw()

    @property
    def _scale(self) -> float:
        """Shares are shown in points."""
        return 100.0 if self._record is not None and self._record.summary.unit == "share" else 1.0

    def _draw(self, _change: object = None) -> None:
        if self._record is None or self._taking:
            return
        apart, weight = self._imbalance.value / 100, self._outcome.value / self._scale
        _draw(self._frame, charts.hidden(self._record, apart, weight, self._t))


def _pictures(*frames: Frame) -> ipywidgets.Box:
    return ipywidgets.Box(list(frames)).add_class("wb-pictures")


def _draw(frame: Frame, picture: Picture | None) -> None:
    frame.layout.display = "none" if picture is None else ""
    if picture is not None:
        frame.show(picture, wide=picture.wide)


def _part(title: str) -> str:
    return f'<h2 class="wb-part">{escape(title)}</h2>'


def _banner(record: AssociationRecord, t: Texts) -> str:
    """That this is another kind of answer; people who were assigned at random are sent elsewhere instead."""
    if record.summary.assignment == "random":
        return ""
    return association_label(
        t,
        t(
            "These people were not assigned at random. The difference goes with what they had; it does not "
            "say what giving it to others would do."
        ),
    )


def _placebo(record: AssociationRecord, t: Texts) -> str:
    """The same comparison where there can be no difference."""
    if record.summary.placebo is None:
        return ""
    about = t(
        "The same comparison of {about}. It cannot have been changed, so nothing should be left of it.",
        about=record.summary.placebo.about,
    )
    title = _part(t("Would it find a difference where there is none?"))
    return f"{title}<p>{unbroken(about)}</p>{table(association.placebo_rows(record, t))}"
