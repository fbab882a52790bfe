"""How long people stay on pages, by group, with what their visits led to beside it.

A longer stay may be interest or confusion; only the visits that it belongs to tell which. Differences between
groups are associations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.analyses.estimates import Estimate, clustered, share_of
from workbench.engines import Engine
from workbench.locale import Message, say
from workbench.metrics import engagement as sums
from workbench.metrics.cells import ask
from workbench.metrics.engagement import BEYOND, BIN_WIDTH, CAP_SECONDS, EVERYBODY, LONG_SECONDS
from workbench.metrics.sessions import ENGAGEMENT, Source
from workbench.models.durations import Counted, LogNormal, StaySums, log_normal, median_ratio, misfit
from workbench.records import Check, failures_first

MOST_GROUPS = 12
MISFIT = 0.05
"""A lognormal that is further off than this, in share of stays, does not fit."""
MANY_UNMEASURED = 0.5


@dataclass(frozen=True)
class Fitted:
    """What a lognormal says of the stays past the hurdle: median, P(t > 30 s), mean (none beyond 30 minutes).

    `misfit` is the largest difference to the counted shares.
    """

    median: Estimate
    long: Estimate
    mean: Estimate
    misfit: float


@dataclass(frozen=True)
class StayGroup:
    """Stays of one group.

    Attributes:
        name: The group; empty for everybody.
        stays, visits: How many there are.
        measured: Share of stays whose time is known. kept: Share that is, and is past the hurdle.
        long: Share of the measured ones longer than 30 seconds.
        median: Of those past the hurdle, as counted, seconds; None where there are none, as are the next.
        fitted: A lognormal of them.
        ratio: Of the median to that of the reference; None for the reference itself.
        longer: P(the median is longer than that of the reference).
        done: Share of its visits that ended in success. single: Share of its visits with one page.
        back: Share of its stays that ended by going straight back to the page before.
    """

    name: str
    stays: int
    visits: int
    measured: Estimate
    kept: Estimate
    long: Estimate | None
    median: Estimate | None
    fitted: Fitted | None
    ratio: Estimate | None
    longer: float | None
    done: Estimate | None
    single: Estimate
    back: Estimate


@dataclass(frozen=True)
class TimeOnPage:
    """How long people stay on pages.

    Attributes:
        source: What tells how long a stay lasted. other: Whether the other source could tell, too.
        everybody: All stays. groups: Those with the most stays, the longest median first.
        reference: The group with the most measured stays, which the others are compared with.
        more_groups, more_share: How many further groups there are, and their share of the stays.
        checks: Whether a lognormal follows the stays, and how many of them are measured.
    """

    source: Source
    other: bool
    everybody: StayGroup
    groups: tuple[StayGroup, ...]
    reference: str | None
    more_groups: int
    more_share: float
    checks: tuple[Check, ...]
    sentence: Message


def time_on_page(
    engine: Engine,
    rows: Any,
    customers: Any,
    *,
    by: str | None,
    source: Source,
    other: bool,
    least_seconds: int,
    succeeds: bool,
    level: float,
) -> TimeOnPage:
    """How long people stay on pages; there has to be one event with a page.

    Args:
        engine: Where to ask.
        rows: What `metrics.engagement.stays` gives.
        customers: The table, needed where `by` is one of its columns.
        by: See `metrics.engagement.grouped`.
        source: What tells how long a stay lasted. other: Whether the other source could tell, too.
        least_seconds: The hurdle.
        succeeds: Whether it is known which visits ended in success.
        level: Of the intervals.
    """
    parts = _Groups(engine, sums.grouped(rows, customers, by), by is not None, least_seconds, succeeds, level)
    everybody = parts.group(None)
    shown = parts.largest
    measured = [name for name in shown if name in parts.counted]
    reference = max(measured, key=lambda name: parts.counted[name].total) if len(measured) > 1 else None
    groups = [parts.group(name, reference) for name in shown]
    groups.sort(key=lambda group: -group.median.value if group.median else 1.0)
    more = everybody.stays - sum(group.stays for group in groups) if groups else 0
    return TimeOnPage(
        source=source,
        other=other,
        everybody=everybody,
        groups=tuple(groups),
        reference=reference,
        more_groups=parts.number - len(shown),
        more_share=more / everybody.stays,
        checks=tuple(_checks(everybody, source)),
        sentence=_sentence(everybody),
    )


class _Groups:
    """The sums of stays by group, and what follows from them; everybody together is the group None."""

    def __init__(
        self, engine: Engine, rows: Any, split: bool, least_seconds: int, succeeds: bool, level: float
    ) -> None:
        self._least, self._succeeds, self._level = float(least_seconds), succeeds, level
        self._ends = [(1 - level) / 2, (1 + level) / 2]
        found = ask(engine, sums.of_stays(rows, split=split), ["whole", "group"]).to_pylist()
        self._rows = {_name(row): row for row in found}
        names = [name for name in self._rows if name is not None]
        names.sort(key=lambda name: (-self._rows[name]["kept_n"], name))
        self.number, self.largest = len(names), names[:MOST_GROUPS]
        asked = sums.in_bins(rows, self.largest if split else None)
        self._bins: dict[str | None, list[Mapping[str, Any]]] = {}
        for row in ask(engine, asked, ["whole", "group", "bin"]).to_pylist():
            self._bins.setdefault(_name(row), []).append(row)
        self.counted = {name: self._count(name) for name in self._bins}

    def _effect(self, name: str | None) -> float:
        """The design effect of the mean of ln t."""
        logs = clustered(self._rows[name], "log")
        squares = sum(float(row["squares"]) for row in self._bins[name])
        return logs.effect(max(0.0, squares / logs.n - logs.ratio**2))

    def _count(self, name: str | None) -> Counted:
        inside = {int(row["bin"]): float(row["n"]) for row in self._bins[name] if row["bin"] != BEYOND}
        beyond = sum(float(row["n"]) for row in self._bins[name] if row["bin"] == BEYOND)
        top = int(np.ceil(np.log(CAP_SECONDS / LONG_SECONDS) / BIN_WIDTH))
        places = np.arange(min(inside, default=0), top)
        edges = LONG_SECONDS * np.exp(BIN_WIDTH * np.arange(places[0], top + 1))
        edges = np.clip(edges, self._least, CAP_SECONDS)
        counts = np.array([inside.get(int(place), 0.0) for place in places])
        return Counted(edges, counts, beyond, (counts.sum() + beyond) / self._effect(name))

    def _fit(self, name: str | None) -> LogNormal:
        below = [row for row in self._bins[name] if row["bin"] != BEYOND]
        found = StaySums(
            n=sum(float(row["n"]) for row in below),
            log_sum=sum(float(row["logs"]) for row in below),
            log_squares=sum(float(row["squares"]) for row in below),
            censored=self.counted[name].beyond,
        )
        return log_normal(found, self._least, float(CAP_SECONDS), self._effect(name))

    def group(self, name: str | None, reference: str | None = None) -> StayGroup:
        """What is known of a group."""
        row, level = self._rows[name], self._level
        median = fitted = ratio = longer = None
        if name in self.counted:
            counted, model = self.counted[name], self._fit(name)
            low, middle, high = counted.median([self._ends[0], 0.5, self._ends[1]])
            median = Estimate(float(middle), float(low), float(high))
            fitted = Fitted(
                median=self._of(model, model.medians),
                long=self._of(model, model.beyond(LONG_SECONDS)),
                mean=self._of(model, model.means),
                misfit=misfit(model, counted),
            )
            if reference is not None and reference != name:
                quantiles, longer = median_ratio(counted, self.counted[reference], [0.5, *self._ends])
                ratio = Estimate(*(float(value) for value in quantiles))
        return StayGroup(
            name=name or EVERYBODY,
            stays=int(row["kept_n"]),
            visits=int(row["single_n"]),
            measured=share_of(row, "measured", level),
            kept=share_of(row, "kept", level),
            long=share_of(row, "long", level) if row["long_n"] else None,
            median=median,
            fitted=fitted,
            ratio=ratio,
            longer=longer,
            done=share_of(row, "done", level) if self._succeeds else None,
            single=share_of(row, "single", level),
            back=share_of(row, "back", level),
        )

    def _of(self, model: LogNormal, values: Any) -> Estimate:
        low, middle, high = model.plane.quantiles(values, [self._ends[0], 0.5, self._ends[1]])
        return Estimate(float(middle), float(low), float(high))


def _name(row: Mapping[str, Any]) -> str | None:
    return None if row["whole"] else str(row["group"])


def _sentence(everybody: StayGroup) -> Message:
    if everybody.median is None or everybody.long is None:
        return say("Of {n:count} stays on a page none is measured.", n=everybody.stays)
    return say(
        "Half of the measured stays on a page last longer than {median:number} s; of all stays "
        "{unmeasured:percent} are not measured.",
        median=everybody.median.value,
        unmeasured=1 - everybody.measured.value,
    )


def _checks(everybody: StayGroup, source: Source) -> list[Check]:
    """Failures first."""
    told = say("A stay lasts until the next page; the last page of a visit is not measured, which is not 0.")
    if source == "engagement":
        told = say(
            "A stay lasts as long as {column} says; where that is empty it is not measured, which is not 0.",
            column=ENGAGEMENT,
        )
    unmeasured = 1 - everybody.measured.value
    found = [Check(name="source", status="ok", detail=told)]
    if unmeasured > MANY_UNMEASURED:
        many = say(
            "{share:percent} of the stays are not measured, and they may be unlike those that are: compare "
            "groups whose shares are alike.",
            share=unmeasured,
        )
        found.append(Check(name="unmeasured", status="warn", detail=many))
    if everybody.fitted is not None:
        off = everybody.fitted.misfit
        fits = say("A lognormal follows the measured stays within {off:size_points} points of them.", off=off)
        fails = say(
            "A lognormal does not follow the measured stays: it is off by up to {off:size_points} points of "
            "them. Medians and shares are as counted and take no shape; only the mean is the lognormal’s.",
            off=off,
        )
        fit = off <= MISFIT
        found.insert(
            0, Check(name="lognormal", status="ok" if fit else "warn", detail=fits if fit else fails)
        )
    return failures_first(found)
