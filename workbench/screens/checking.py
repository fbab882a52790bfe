"""What a project holds, and what looking over it brought: the checks, the days covered, what can be computed.

Looking over large tables takes a while, so it goes on in the background.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from traitlets import Bool, Instance, Unicode

from workbench.clock import DAY
from workbench.engines import fetch, has, table
from workbench.metrics.catalogue import Readiness, readiness
from workbench.project import Project
from workbench.records import Check
from workbench.screens.state import Guarded, worded
from workbench.screens.work import Turn
from workbench.tables.checks.coverage import Stretch, gaps
from workbench.tables.checks.stored import Stored, day_of
from workbench.tables.checks.times import FLOWS, ONE_END
from workbench.tables.privacy.consent import ConsentShare, consent_share
from workbench.tables.schema import TABLES

FEWEST_DAYS = 7
"""Tables of fewer days have no calendar."""

_SAYS_WHO_IS_WHO = ("aliases", "consents")


@dataclass(frozen=True)
class Overview:
    """A table of the project.

    Attributes:
        name: Its name.
        rows: How many there are.
        sources: The files they are from.
        span: Its first and last moment, in seconds since 1970.
    """

    name: str
    rows: int
    sources: tuple[str, ...] = ()
    span: tuple[int, int] | None = None


@dataclass(frozen=True)
class Coverage:
    """The days of a table.

    Attributes:
        table: Its name.
        days: Every day from the first to the last, and its rows.
        gaps: Stretches without rows that are more than chance.
        daily: Whether every day of an open shop leaves rows in it.
    """

    table: str
    days: tuple[tuple[date, int], ...]
    gaps: tuple[Stretch, ...] = ()
    daily: bool = True


@dataclass(frozen=True)
class Survey:
    """What a project holds, and what looking over it brought.

    Attributes:
        tables: Its tables.
        findings: The checks, failures first.
        ready: Which metrics can be computed.
        coverage: The days of the tables that have times.
        purposes: What people were asked their consent for.
        shares: How much of each table the chosen purpose leaves.
    """

    tables: tuple[Overview, ...]
    findings: tuple[Check, ...] = ()
    ready: tuple[Readiness, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    purposes: tuple[str, ...] = ()
    shares: dict[str, ConsentShare] = field(default_factory=dict)


def first_look(project: Project) -> Survey:
    """The tables of a project, where they are its own without opening them."""
    if project.in_place:  # how many rows there are takes a question
        return survey(project)
    manifest = sorted(project.manifest().items())
    return Survey(tuple(_overview(name, entry["rows"], entry["sources"]) for name, entry in manifest))


def survey(project: Project) -> Survey:
    """Look over all that a project holds."""
    engine = project.everything
    stored = Stored(engine, project.settings.timezone)
    manifest = project.manifest()
    tables = []
    for name, profile in stored.profiles.items():
        span = None if profile.first is None or profile.last is None else (profile.first, profile.last)
        tables.append(_overview(name, profile.rows, manifest.get(name, {}).get("sources", ()), span))
    found = project.checks()
    purposes: tuple[str, ...] = ()
    shares = {}
    if has(engine, "consents"):
        asked = fetch(engine, table(engine, "consents").select("purpose").distinct())
        purposes = tuple(sorted(str(row["purpose"]) for row in asked))
        if project.settings.consent_purpose:
            shares = _shares(project, project.settings.consent_purpose, list(stored.profiles))
    return Survey(
        tables=tuple(tables),
        findings=tuple(found),
        ready=tuple(readiness(engine, checks=found)),
        coverage=tuple(_coverage(stored)),
        purposes=purposes,
        shares=shares,
    )


def _overview(name: str, rows: int, sources: list[str], span: tuple[int, int] | None = None) -> Overview:
    return Overview(name, rows, tuple(filter(None, sources)), span)


def _coverage(stored: Stored) -> list[Coverage]:
    found = []
    # up to the last day of all, as the checks have it
    end = max((series.end - 1 for name, series in stored.series.items() if name in ONE_END), default=0)
    for name, series in stored.series.items():
        daily = name in FLOWS
        behind = max(0, end - series.end) if name in ONE_END else 0
        counts = np.append(series.days, np.zeros(behind))
        days = [(day_of((series.first + place) * DAY), int(rows)) for place, rows in enumerate(counts)]
        missing = gaps(counts, series.first) if daily else []
        if len(days) >= FEWEST_DAYS:
            found.append(Coverage(name, tuple(days), tuple(missing), daily))
    return sorted(found, key=lambda one: not one.daily)


def _shares(project: Project, purpose: str, names: list[str]) -> dict[str, ConsentShare]:
    engine = project.everything
    consents = table(engine, "consents")
    shares = {}
    for name in names:
        rows = table(engine, name)
        if name not in _SAYS_WHO_IS_WHO and "customer_id" in rows.columns:
            shares[name] = consent_share(engine, rows, consents, purpose, TABLES[name].time)
    return shares


class CheckState(Guarded):
    """What a project holds.

    Attributes:
        held: What is known of it by now.
        looking: Whether it is being looked over.
        purpose: Only what customers agreed to for this is analysed; None for all.
    """

    held = Instance(Survey)
    looking = Bool(False)
    purpose = Unicode(None, allow_none=True)

    def __init__(self, project: Project) -> None:
        super().__init__()
        self.project = project
        self.held = Survey(())
        self.purpose = project.settings.consent_purpose
        self._watched = False
        self.observe(lambda _: self._analyse_for(), "purpose")

    def refresh(self) -> None:
        """Look the project over again, if somebody watches; what was known of it stays until that is done."""
        if not self.held.tables:
            self.held = first_look(self.project)
        self.looking = True
        if self._watched:
            self.work.begin(self._look, self._looked, patience=0, thread=True)

    def watch(self) -> None:
        """Say that somebody watches from now on."""
        if not self._watched:
            self._watched = True
            self.refresh()

    def wait(self, seconds: float) -> None:
        """Watch, until the project has been looked over."""
        self.watch()
        self.work.wait(seconds)

    def _look(self, _turn: Turn) -> Survey:
        return survey(Project.open(self.project.path))  # as it is on disk now

    def _looked(self, held: Survey | None, error: Exception | None) -> None:
        self.problem = None if error is None else worded(error)
        if held is not None:
            self.held = held
        self.looking = False

    def _analyse_for(self) -> None:
        with self.working():
            self.project.change(consent_purpose=self.purpose)
        self.refresh()
