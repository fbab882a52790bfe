"""Muting an alarm: the question that is asked of whoever does it, and the alarms that are muted."""

from __future__ import annotations

from datetime import date, timedelta
from html import escape

import ipywidgets
from traitlets import Instance, List, Unicode

from workbench.analyses.trust_answer import TrustView
from workbench.definitions import ALARMS
from workbench.locale import Texts, say
from workbench.project import Project
from workbench.publish.news import alarm_name
from workbench.publish.result import html
from workbench.screens import controls
from workbench.screens.disclosure import disclosure
from workbench.screens.state import Guarded
from workbench.tables.privacy.access import user

_DAYS = 14


class MuteState(Guarded):
    """What is said when an alarm is muted.

    Attributes:
        sounding: The alarms that sound and are not muted, by the name of their check.
        muted: Those that sound and are muted.
        alarm: The one that is to be muted.
        reason, until_day, who: Why, the last day on which it is muted, and whoever does it.
    """

    sounding = List(Unicode())
    muted = List(Unicode())
    alarm = Unicode(None, allow_none=True)
    reason = Unicode("")
    until_day = Instance(date, allow_none=True)
    who = Unicode("")

    def __init__(self, project: Project) -> None:
        super().__init__()
        self.project = project
        self._seen: date | None = None
        self.until_day = project.alarms.today + timedelta(days=_DAYS)
        self.who = user()

    def look(self, found: TrustView | None) -> None:
        """Take over which alarms sound, and until when the data go that say so."""
        checks = () if found is None else found.checks
        raised = [one.name for one in checks if one.name in ALARMS and one.status != "ok"]
        self._seen = None if found is None else found.until
        self.muted = [name for name in raised if found is not None and name in found.muted]
        self.sounding = [name for name in raised if name not in self.muted]
        if self.alarm not in self.sounding:
            self.alarm = self.sounding[0] if self.sounding else None

    def mute(self) -> None:
        """Mute the alarm."""
        if self.alarm is None:
            return
        self.notice = None
        with self.working():
            until = self.until_day or self.project.alarms.today
            self.project.alarms.mute(self.alarm, self.reason, until, who=self.who, seen=self._seen)
            self.reason = ""
            self.notice = say("The alarm is muted until {until:date}.", until=until)

    def unmute(self, alarm: str) -> None:
        """Let an alarm sound again."""
        self.notice = None
        with self.working():
            self.project.alarms.unmute(alarm)
            self.notice = say("The alarm sounds again.")


def muting(state: MuteState, t: Texts) -> ipywidgets.VBox:
    """The alarms that are muted, and the form that mutes one; nothing where no alarm sounds."""
    until = ipywidgets.DatePicker(description=t("Until (last day)"), layout=controls.full())
    form = disclosure(
        t("Mute an alarm"),
        [
            controls.choice(
                state,
                "alarm",
                t("Alarm"),
                lambda: [(t(alarm_name(name)), name) for name in state.sounding],
                follows="sounding",
            ),
            controls.text(state, "reason", t("Why"), example=t("known: the list was cleaned"), live=True),
            controls.bind(state, "until_day", until),
            controls.text(state, "who", t("Who says so")),
            controls.allowed(controls.button(t("Mute"), state.mute), state.project, "mute", t),
        ],
    ).add_class("wb-short")
    rows = ipywidgets.VBox()

    def line(alarm: str) -> ipywidgets.Box:
        words = html(f"<span>{escape(t('Muted: {alarm}', alarm=alarm_name(alarm)))}</span>")
        back = controls.button(t("Let it sound again"), lambda: state.unmute(alarm))
        return ipywidgets.Box([words, controls.only(back, state.project, "mute", t)]).add_class("wb-row")

    def fill(_change: object = None) -> None:
        rows.children = [line(alarm) for alarm in state.muted]
        form.layout.display = "" if state.sounding else "none"

    fill()
    state.observe(fill, ["sounding", "muted"])
    return ipywidgets.VBox([rows, form])
