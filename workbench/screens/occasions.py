"""Occasions: who takes theirs, one a period, and who is still there. The state; its view is beside it."""

from __future__ import annotations

from typing import Any

from traitlets import Float, Instance, Int, List, Unicode

from workbench.analyses.experiment import experiments
from workbench.analyses.occasions_found import EVENT, OPENED, ORDERS, OccasionSettings, OccasionsView
from workbench.analyses.timed import event_names
from workbench.engines import has
from workbench.locale import say
from workbench.screens.answering import FindingState
from workbench.screens.state import splits
from workbench.screens.work import Turn

_ASKED = ("of", "period", "by", "horizon", "held_periods", "level")


class OccasionsState(FindingState):
    """What is asked about occasions, and the answer.

    Attributes:
        of, period, by, horizon, level: As in `OccasionSettings`.
        held_periods: The same; a third where it is 0.
        kinds: What `of` may be.
        groups: What `by` may be.
        found: The answer; None while there is none.
    """

    asked = _ASKED

    of = Unicode(ORDERS)
    period = Unicode(OccasionSettings.period)
    by = Unicode(None, allow_none=True)
    horizon = Int(OccasionSettings.horizon)
    held_periods = Int(0)
    level = Float(OccasionSettings.level)

    kinds = List(Unicode())
    groups = List(Unicode())
    found = Instance(OccasionsView, allow_none=True)

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        found = [ORDERS] if has(engine, "orders") else []
        found += [OPENED] if has(engine, "sends", "send_events") else []
        found += [f"{EVENT}{name}" for name in event_names(engine)] if has(engine, "events") else []
        self.kinds = found
        self.missing = (
            None if found else say("There are no orders, messages or events with times in this project yet.")
        )
        timed = list(experiments(engine)) if has(engine, "exposures") else []
        self.groups = [*timed, *splits(self.project)] if found else []
        self.settle()

    def fit(self) -> None:
        """Ask of what there is."""
        if self.kinds and self.of not in self.kinds:
            self.of = self.kinds[0]
        if self.by not in self.groups:
            self.by = None

    def settings(self) -> OccasionSettings:
        """What is asked now."""
        asked = {name: getattr(self, name) for name in _ASKED}
        return OccasionSettings(**{**asked, "held_periods": self.held_periods or None})

    def find(self, turn: Turn) -> Any:
        return self.project.occasions(**vars(self.settings()))
