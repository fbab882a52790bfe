"""Signs of trust, each week over those who could have given it: rates and shares with their posteriors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from workbench.analyses.trust_days import Array, date_of
from workbench.locale import Message
from workbench.models.arms import JEFFREYS, BetaArm
from workbench.models.rates import GammaRate, Interval, RateRatio

WEEK = 7


@dataclass(frozen=True)
class Period:
    """What was in some days.

    Attributes:
        first, last: Its days.
        events: How often it happened; of a share, how many do.
        among: Among how much: person-weeks, messages, people.
        value: Events per one of `among`, as seen; None where there is nothing.
        interval: Of the posterior of what it is in truth.
        complete: Whether all of its days are over, and what can come of them has come.
    """

    first: date
    last: date
    events: int
    among: float
    value: float | None
    interval: Interval | None
    complete: bool = True


@dataclass(frozen=True)
class Measure:
    """One sign of trust.

    Attributes:
        name: Its stable name, such as `complaints` or `consent:email marketing`.
        title: What it is.
        of: What it is counted over, in words.
        kind: A `rate` of events, or a `share` of people at the end of the period.
        per: A rate is shown per so many.
        better: Whether more of it is better.
        weeks: By calendar week, from Monday, the oldest first.
        now, before: The last days, and as many before them.
        ratio, ratio_interval: Of a rate, now over before.
        up: Probability that the rate has risen; None for shares, whose periods are of the same people.
    """

    name: str
    title: Message
    of: Message
    kind: Literal["rate", "share"]
    per: int
    better: bool
    weeks: tuple[Period, ...]
    now: Period
    before: Period | None = None
    ratio: float | None = None
    ratio_interval: Interval | None = None
    up: float | None = None


@dataclass(frozen=True)
class Span:
    """The days that measures are made of.

    Attributes:
        first: The first day, days since 1970.
        days: How many there are.
        window_days: The last days are so many.
        weeks: At most so many weeks are shown.
        level: Of the intervals.
    """

    first: int
    days: int
    window_days: int
    weeks: int
    level: float

    def calendar(self) -> list[tuple[int, int]]:
        """From which place to which each week goes; the first and the last may be cut."""
        lead = date_of(self.first).weekday()
        begins = [0, *range(WEEK - lead, self.days, WEEK)] if lead else list(range(0, self.days, WEEK))
        ends = [*begins[1:], self.days]
        return list(zip(begins, ends, strict=True))[-self.weeks :]

    def windows(self) -> tuple[tuple[int, int], tuple[int, int] | None]:
        """The last days, and as many before them; none where there are not as many."""
        begin = max(0, self.days - self.window_days)
        before = (begin - self.window_days, begin) if begin >= self.window_days else None
        return (begin, self.days), before

    def full(self, begin: int, end: int, late: int = 0) -> bool:
        """Whether a week has all its days, and `late` more have passed."""
        return end - begin == WEEK and end + late <= self.days

    def period(
        self,
        begin: int,
        end: int,
        events: float,
        among: float,
        posterior: BetaArm | GammaRate | None,
        full: bool,
    ) -> Period:
        """A period with its posterior."""
        first, last = date_of(self.first) + timedelta(begin), date_of(self.first) + timedelta(end - 1)
        if posterior is None:
            return Period(first, last, int(events), among, None, None, full)
        low, high = (float(end) for end in posterior.ppf([(1 - self.level) / 2, (1 + self.level) / 2]))
        # nothing seen leaves nothing possible, and all seen all (Brown, Cai & DasGupta 2001, section 4.1.1)
        low = low if events else 0.0
        high = 1.0 if isinstance(posterior, BetaArm) and events == among else high
        return Period(first, last, int(events), among, events / among, (low, high), full)


def rate(
    name: str,
    title: Message,
    of: Message,
    events: Array,
    among: Array,
    span: Span,
    *,
    per: int = 1000,
    better: bool = False,
    late: int = 0,
) -> Measure | None:
    """A rate of events; None where there was nothing for them to happen to.

    Args:
        name, title, of: See `Measure`.
        events: How many there were on each day.
        among: Of how much of each day: people / 7, so that the sum is person-weeks; or messages.
        span: The days.
        per: See `Measure`.
        better: See `Measure`.
        late: Days after which what came of a day is known.
    """
    if not among.sum() > 0:
        return None

    def posterior(begin: int, end: int) -> GammaRate | None:
        exposure = float(among[begin:end].sum())
        return GammaRate.of(float(events[begin:end].sum()), exposure) if exposure > 0 else None

    def made(begin: int, end: int, full: bool) -> Period:
        n, exposure = float(events[begin:end].sum()), float(among[begin:end].sum())
        return span.period(begin, end, n, exposure, posterior(begin, end), full)

    last, earlier = span.windows()
    now, then = posterior(*last), posterior(*earlier) if earlier else None
    ratio = RateRatio(now, then) if now and then else None
    return Measure(
        name=name,
        title=title,
        of=of,
        kind="rate",
        per=per,
        better=better,
        weeks=tuple(made(*week, span.full(*week, late)) for week in span.calendar()),
        now=made(*last, True),
        before=made(*earlier, True) if earlier else None,
        ratio=ratio.median if ratio else None,
        ratio_interval=ratio.interval(span.level) if ratio else None,
        up=1 - float(ratio.cdf(1.0)) if ratio else None,
    )


def share(
    name: str, title: Message, of: Message, some: Array, all_: Array, span: Span, *, better: bool = True
) -> Measure | None:
    """A share of people at the end of each period; None where there are none.

    Args:
        name, title, of: See `Measure`.
        some, all_: How many do and how many there are, at the end of each day.
        span: The days.
        better: See `Measure`.
    """
    if not all_[-1] > 0:
        return None

    def made(begin: int, end: int, full: bool) -> Period:
        k, n = float(some[end - 1]), float(all_[end - 1])
        return span.period(begin, end, k, n, share_posterior(k, n), full)

    last, earlier = span.windows()
    return Measure(
        name=name,
        title=title,
        of=of,
        kind="share",
        per=1,
        better=better,
        weeks=tuple(made(*week, span.full(*week)) for week in span.calendar()),
        now=made(*last, True),
        before=made(*earlier, True) if earlier else None,
    )


def share_posterior(some: float, all_: float) -> BetaArm | None:
    """Beta posterior of a share under Jeffreys' prior; None of nobody."""
    a, b = JEFFREYS
    return BetaArm(a + some, b + all_ - some) if all_ > 0 else None


def person_weeks(people: Array) -> Array:
    """Of how many people there are at the end of each day: the weeks they live through on it.

    Those there at the beginning of the day are at risk on it; on the first day they are not known.
    """
    there = np.maximum(np.r_[people[:1], people[:-1]], 0.0)
    return there / WEEK
