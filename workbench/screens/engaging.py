"""Engagement: what people do on pages, in social networks and in chats. The state; its view is beside it."""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Float, Instance, Int, List, Unicode

from workbench.analyses.engagement import EngagementSettings, EngagementView, event_names, groups
from workbench.engines import has, table
from workbench.locale import say
from workbench.metrics.engagement import ORDER
from workbench.metrics.sessions import measures
from workbench.screens.answering import FindingState
from workbench.screens.work import Turn

_ASKED = (
    *("by", "source", "success", "gap_minutes", "least_seconds", "level"),
    *("chat_start", "chat_resolved", "window_days", "looked", "carted", "cart_hours"),
)


class EngagementState(FindingState):
    """What is asked about engagement, and the answer.

    Attributes:
        by, source, success, gap_minutes, least_seconds, level, chat_start, chat_resolved, window_days: As in
            `EngagementSettings`; None lets the data say.
        looked, carted, cart_hours: The same.
        groups: What `by` may be.
        sources: What `source` may be.
        successes: What `success` may be.
        names: Names of events.
        found: The answer; None while there is none.
        has_events: Whether there are visits to ask about.
    """

    asked = _ASKED

    by = Unicode("page_type", allow_none=True)
    source = Unicode(None, allow_none=True)
    success = Unicode(None, allow_none=True)
    gap_minutes = Int(EngagementSettings.gap_minutes)
    least_seconds = Int(EngagementSettings.least_seconds)
    level = Float(EngagementSettings.level)
    chat_start = Unicode(None, allow_none=True)
    chat_resolved = Unicode(None, allow_none=True)
    window_days = Int(EngagementSettings.window_days)
    looked = Unicode(None, allow_none=True)
    carted = Unicode(None, allow_none=True)
    cart_hours = Int(EngagementSettings.cart_hours)

    groups = List(Unicode())
    sources = List(Unicode())
    successes = List(Unicode())
    names = List(Unicode())
    found = Instance(EngagementView, allow_none=True)
    has_events = Bool(False)

    def refresh(self) -> None:
        super().refresh()
        engine = self.project.engine
        self.has_events = has(engine, "events")
        there = self.has_events or has(engine, "social")
        self.missing = (
            None if there else say("There are no events and no social networks in this project yet.")
        )
        self.names = list(event_names(engine))
        self.groups = list(groups(engine)) if self.has_events else []
        measured = self.has_events and measures(table(engine, "events"))
        self.sources = ["difference", *(["engagement"] if measured else [])]
        orders = [ORDER] if has(engine, "orders") else []
        self.successes = [*orders, *(f"event:{name}" for name in self.names)]
        self.settle()

    def fit(self) -> None:
        """Ask of what there is."""
        for name, allowed in (
            ("by", self.groups),
            ("source", self.sources),
            ("success", self.successes),
            ("chat_start", self.names),
            ("chat_resolved", self.names),
            ("looked", self.names),
            ("carted", self.names),
        ):
            if getattr(self, name) not in (None, *allowed):
                setattr(self, name, allowed[0] if name == "by" and allowed else None)

    def settings(self) -> EngagementSettings:
        """What is asked now."""
        return EngagementSettings(**{name: getattr(self, name) for name in _ASKED})

    def find(self, turn: Turn) -> Any:
        return self.project.engagement(**vars(self.settings()))
