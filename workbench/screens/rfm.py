"""Customers by recency, frequency and money: what is asked, the answer, and the list of segments."""

from __future__ import annotations

from datetime import date
from typing import Any

from traitlets import Bool, Float, Instance, Int, Unicode

from workbench.analyses import rfm_segments
from workbench.analyses.rfm import Rfm
from workbench.analyses.rfm_rule import as_rule
from workbench.engines import has, table
from workbench.errors import WorkbenchError
from workbench.locale import Texts, say
from workbench.metrics.rfm import MEASURES
from workbench.project import Project
from workbench.screens.answering import FindingState
from workbench.screens.state import Guarded, last_second
from workbench.screens.work import Turn
from workbench.segments import sizes

_CUTS = {measure: f"{measure}_cuts" for measure in MEASURES}
_ASKED = (
    *("as_of", "before", "money", *_CUTS.values()),
    *("same_cuts", "horizon_days", "quiet_days", "gone_below", "level"),
)


class SegmentList(Guarded):
    """The project's segments by scores, to be changed.

    Attributes:
        lines: The list as text, one segment a line; it counts once it is saved.
        changes: How often another list took effect.
    """

    lines = Unicode("")
    changes = Int(0)

    def __init__(self, project: Project) -> None:
        super().__init__()
        self.project = project

    def show(self, t: Texts) -> None:
        """Write the list out."""
        with self.working():
            self.lines = rfm_segments.to_lines(rfm_segments.read(self.project.path), t)

    def save(self, t: Texts) -> None:
        """Keep the segments as they are written."""
        with self.working():
            rfm_segments.write(self.project.path, rfm_segments.from_lines(self.lines, t))
            self.notice = say("The segments are saved.")
            self.changes += 1

    def reset(self, t: Texts) -> None:
        """Go back to the standard segments."""
        with self.working():
            rfm_segments.reset(self.project.path)
            self.show(t)
            self.notice = say("These are the standard segments again.")
            self.changes += 1


class RfmState(FindingState):
    """What is asked of customers by recency, frequency and money, and the answer.

    Attributes:
        as_of, before: The two days, as in 2026-03-31; empty lets the data say.
        money: `revenue` or `margin`.
        recency_cuts, frequency_cuts, money_cuts: Four cut points as typed; empty for fifths.
        same_cuts, horizon_days, quiet_days, gone_below, level: As of `RfmSettings`.
        found: The answer; None while there is none.
        has_margin: Whether orders have a column of margin.
        listed: The list of segments.
        chosen: Place of the segment that is to be saved as a rule.
        kept: How many segments were saved as rules.
    """

    asked = _ASKED

    awaited = Bool(False)
    as_of = Unicode("")
    before = Unicode("")
    money = Unicode("revenue")
    recency_cuts = Unicode("")
    frequency_cuts = Unicode("")
    money_cuts = Unicode("")
    same_cuts = Bool(False)
    horizon_days = Int(90)
    quiet_days = Int(90)
    gone_below = Float(0.5)
    level = Float(0.95)

    found = Instance(Rfm, allow_none=True)
    has_margin = Bool(False)
    chosen = Int(0)
    kept = Int(0)

    def __init__(self, project: Project) -> None:
        self.listed = SegmentList(project)
        super().__init__(project)
        self.listed.observe(lambda _: self.answer(), "changes")

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        there = has(engine, "orders")
        self.missing = None if there else say("There are no orders in this project yet.")
        self.has_margin = there and "margin" in table(engine, "orders").columns
        self.found = None

    def settings(self) -> dict[str, Any]:
        """What is asked now, as of `RfmSettings`.

        Raises:
            WorkbenchError: when a day or a cut point is none.
        """
        cuts = {measure: _numbers(getattr(self, trait)) for measure, trait in _CUTS.items()}
        plain = ("money", "same_cuts", "horizon_days", "quiet_days", "gone_below", "level")
        return {
            **{name: getattr(self, name) for name in plain},
            "as_of": _day(self.as_of),
            "before": _day(self.before),
            "cuts": {measure: given for measure, given in cuts.items() if given},
        }

    def find(self, turn: Turn) -> Rfm:
        return self.project.rfm(**self.settings())

    def save_segment(self, t: Texts) -> None:
        """Keep the chosen segment among the project's own, as a rule over the order history."""
        with self.working():
            found = self.found
            if found is None or not 0 <= self.chosen < len(found.segments):
                raise WorkbenchError("Choose a segment to save.")
            if found.settings.money != "revenue":
                raise WorkbenchError(
                    "A rule can ask for revenue and not for margin; score revenue as money to save a segment."
                )
            one = found.segments[self.chosen]
            places = rfm_segments.places([other.named for other in found.segments])
            rule = as_rule([cell for cell, place in places.items() if place == self.chosen], found.scale)
            name = rfm_segments.name_in_words(one.named.name, t)
            self.project.segments[name] = rule
            last = last_second(self.project)
            inside, _ = sizes(self.project.engine, {name: rule}, 0 if last is None else last + 1)[name]
            self.notice = say(
                "“{name}” is saved as a rule: {n:count} customers at the end of the data, and {scored:count} "
                "by scores, which count days with a purchase where a rule counts orders.",
                name=name,
                n=inside,
                scored=one.customers,
            )
            self.kept += 1


def _day(text: str) -> date | None:
    """A day as typed; None where nothing is."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise WorkbenchError("“{given}” is no day; write it like 2026-03-31.", given=text.strip()) from error


def _numbers(text: str) -> tuple[float, ...]:
    """Numbers as typed, with a comma or a point before decimals; none where nothing is."""
    try:
        return tuple(float(part.replace(",", ".")) for part in text.replace(";", " ").split())
    except ValueError as error:
        raise WorkbenchError(
            "“{given}” are no cut points; write four growing numbers, such as 10 30 60 90.",
            given=text.strip(),
        ) from error
