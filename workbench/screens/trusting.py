"""Trust: what people do with it, whether what they asked for is honoured, and two alarms about the list."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from traitlets import Float, Instance, Int, Unicode

from workbench.analyses.trust_answer import TrustSettings, TrustView
from workbench.locale import say
from workbench.project import Project
from workbench.screens.answering import FindingState
from workbench.screens.muting import MuteState
from workbench.screens.work import Turn

_ASKED = (
    "window_days",
    "kappa",
    "sure",
    "change_days",
    "recent_days",
    "probability",
    "ratio",
    "level",
    "weeks",
    "channel",
    "personalisation",
)


class TrustState(FindingState):
    """What is asked about trust, and the answer.

    Attributes:
        change_days: A change of the rate of leaving is expected once in so many days: one over the hazard.
        found: The answer; None while there is none.
        mutes: Which alarms sound, and what is said when one is muted.
        others: See `analyses.trust_answer.TrustSettings`.
    """

    asked = _ASKED

    window_days = Int(28)
    kappa = Float(2.0)
    sure = Float(0.975)
    change_days = Int(90)
    recent_days = Int(7)
    probability = Float(0.9)
    ratio = Float(1.25)
    level = Float(0.95)
    weeks = Int(26)
    channel = Unicode(None, allow_none=True)
    personalisation = Unicode(None, allow_none=True)

    found = Instance(TrustView, allow_none=True)

    def __init__(self, project: Project) -> None:
        self.mutes = MuteState(project)
        super().__init__(project)
        self.mutes.observe(self._told, "notice")

    def refresh(self) -> None:
        super().refresh()
        there = self.project.engine.tables()
        self.missing = None if there else say("There are no data in this project yet.")

    def _told(self, _change: object) -> None:
        """An alarm was muted, or sounds again: the answer says so."""
        if self.mutes.notice is not None:
            self.answer()

    def settings(self) -> TrustSettings:
        """What is asked now.

        Raises:
            WorkbenchError: when a setting is out of its range.
        """
        same = {name: getattr(self, name) for name in _ASKED if name != "change_days"}
        return TrustSettings(hazard=1 / self.change_days, **same)

    def find(self, turn: Turn) -> TrustView:
        return self.project.trust(**vars(self.settings()))

    def take(self, found: TrustView | None) -> None:
        super().take(found)
        self.mutes.look(found)
        if found is not None and found.until is not None:
            noon = datetime.combine(found.until, time(12), ZoneInfo(self.project.settings.timezone))
            self.until = noon.astimezone(UTC)
