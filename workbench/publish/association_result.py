"""A comparison that was not random on a page: overlap and balance, ladder, hidden causes, placebo, checks."""

from __future__ import annotations

import ipywidgets

from workbench.charts import not_random as charts
from workbench.charts.picture import Picture
from workbench.locale import Texts
from workbench.publish.association_content import AssociationContent, association_content
from workbench.publish.fold import Fold
from workbench.publish.result import Frame, steady
from workbench.publish.slider import Slider
from workbench.records import Association, AssociationRecord


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
        self._sentence, self._figures, self._placebo, self._checks = (steady() for _ in range(4))
        self._compared, self._overlap, self._love = steady(), Frame(), Frame()
        self._left, self._ladder = steady(), Frame()
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
        found = association_content(record, self._t, trust_first=self._trust_first)
        self._sentence.value, self._figures.value = found.sentence, found.figures
        self._compared.value, self._left.value = found.compared, found.left
        for frame, picture in (
            (self._overlap, found.overlap),
            (self._love, found.love),
            (self._ladder, found.ladder),
        ):
            _draw(frame, picture)
        for fold, part in (
            (self._levels, found.levels),
            (self._lost, found.lost),
            (self._rungs, found.rungs),
            (self._details, found.details),
        ):
            fold.title, fold.content = part.title, part.content
        self._hidden.show(record, found)
        self._placebo.value, self._checks.value = found.placebo, found.checks


class _HiddenCause(ipywidgets.VBox):
    """What if something else decided, that nobody recorded: two sliders and what would then be left."""

    def __init__(self, t: Texts) -> None:
        self._t = t
        self._record: AssociationRecord | None = None
        self._taking = False
        self._imbalance = Slider(
            max=100,
            step=0.5,
            digits=1,
            description=t("Hidden cause: more frequent among those who had it (points)"),
            language=t.language,
            live=True,
        )
        self._outcome = Slider(language=t.language, live=True)
        self._frame, self._strength = Frame(), steady()
        sliders = ipywidgets.Box(
            [self._imbalance, self._outcome], layout=ipywidgets.Layout(align_items="flex-end")
        )
        self._title = steady()
        super().__init__([self._title, sliders.add_class("wb-grid"), _pictures(self._frame), self._strength])
        for slider in (self._imbalance, self._outcome):
            slider.observe(self._draw, "value")

    def show(self, record: AssociationRecord, content: AssociationContent) -> None:
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
        self._outcome.digits = 1 if record.summary.unit == "share" or most > 50 else 2
        self._imbalance.value = apart * 100
        self._taking = False
        self._title.value, self._strength.value = content.hidden_title, content.strength
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
