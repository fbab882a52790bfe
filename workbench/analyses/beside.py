"""What is looked at beside a comparison: the days before, weeks, delivery, other metrics and models.

Each needs times; experiments that came as outcomes or summaries have none of it. All of it is about the arm
that the verdict speaks of and the control.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np

from workbench.analyses import experiment as reading
from workbench.analyses.experiment import Experiment
from workbench.analyses.frequentist import p_value
from workbench.analyses.timed import BEFORE, DELIVERED, UNDER, Timeline
from workbench.errors import ModelError
from workbench.metrics.cells import Cell
from workbench.models import adaptive, bootstrap, instrument, linearised
from workbench.models import drawn as drawn_arms
from workbench.models import factorial as crossed
from workbench.models.arms import Arm, binary_arm, hurdle_arm, mean_arm
from workbench.models.comparison import compare, compare_each
from workbench.models.pair import Comparison
from workbench.moments import CrossMoments, Histogram, Moments, WeightedMoments
from workbench.records import (
    Delivery,
    EffectSettings,
    FactorRow,
    Gain,
    OtherMetric,
    OtherResult,
    Week,
    Witness,
)

if TYPE_CHECKING:
    from workbench.project import Project

type WitnessName = Literal["hurdle", "bootstrap", "cut", "adjusted", "periods"]

FEWEST_IN_A_WEEK = 30
CUT = 0.99


def gain(found: Experiment, settings: EffectSettings, arm: str, control: str) -> Gain | None:
    """The metric in the days before; None when they were not asked for, or nobody did anything then."""
    timeline = found.timeline
    if timeline is None or BEFORE not in timeline.seconds:
        return None
    pairs = {name: pair for (name, _), pair in timeline.everybody(BEFORE).items()}
    one, base = pairs.get(arm), pairs.get(control)
    if one is None or base is None or not one.x.m2 + base.x.m2 or min(one.n, base.n) < 4:
        return None
    spread = sqrt((one.m2_x + base.m2_x) / (one.n + base.n - 2))
    apart = mean_arm(_varied(one.x, base.x)), mean_arm(_varied(base.x, one.x))
    low, high = compare(*apart, settings.level).difference_interval
    theta = linearised.slope(pairs.values())
    plain, left = (
        sum(m.m2 / (m.n * (m.n - 1)) for m in both)
        for both in ((one.y, base.y), [linearised.adjusted(pair, theta, 0.0) for pair in (one, base)])
    )
    return Gain(
        days=settings.before_days,
        means={name: pair.mean_x for name, pair in pairs.items()},
        imbalance=(one.mean_x - base.mean_x) / spread,
        imbalance_interval=(low / spread, high / spread),
        variance_removed=1 - left / plain if plain else 0.0,
    )


def _varied(moments: Moments, other: Moments) -> Moments:
    """With the spread of the other arm, where all its own values are the same."""
    return moments if moments.m2 else Moments(moments.n, moments.mean, other.m2 * moments.n / other.n)


def weeks(
    project: Project, found: Experiment, settings: EffectSettings, arm: str, control: str
) -> list[Week]:
    """The effect by the week of the first exposure, and on all up to it."""
    timeline = found.timeline
    if timeline is None or not (timeline.seconds or timeline.adaptive) or settings.statistic == "quantile":
        return []
    second = UNDER if timeline.divided else timeline.second
    pairs = timeline.by_week(second)
    zone, begin = ZoneInfo(project.settings.timezone), timeline.people.exposed[0]
    known: list[tuple[int, int]] = []
    sides: list[tuple[Arm, Arm]] = []
    so_far: dict[str, CrossMoments] = {}
    for week in sorted({week for _, week in pairs}):
        now = {name: pairs.get((name, week), CrossMoments.empty()) for name in (arm, control)}
        so_far = {name: so_far.get(name, CrossMoments.empty()) + now[name] for name in now}
        try:
            of_week, of_all = (
                (
                    _posterior(timeline, both[arm], settings),
                    _posterior(timeline, both[control], settings),
                )
                for both in (now, so_far)
            )
        except ModelError:  # too few in this week: they count in the next one's sum
            continue
        known.append((week, now[arm].n + now[control].n))
        sides += [of_week, of_all]
    said = compare_each(sides, settings.level)
    return [
        Week(
            start=(datetime.fromtimestamp(begin, UTC).astimezone(zone) + timedelta(weeks=week)).date(),
            n=n,
            difference=here.difference,
            difference_interval=here.difference_interval,
            so_far=whole.difference,
            so_far_interval=whole.difference_interval,
        )
        for (week, n), here, whole in zip(known, said[::2], said[1::2], strict=True)
    ]


def _posterior(timeline: Timeline, pair: CrossMoments, settings: EffectSettings) -> Arm:
    if pair.n < FEWEST_IN_A_WEEK:
        raise ModelError("There are {n:count} customers, which are too few.", n=pair.n)
    if timeline.divided:
        return mean_arm(linearised.ratio(pair))
    alike = timeline.metric.share and not timeline.adaptive
    return binary_arm(pair.y, settings.prior) if alike else mean_arm(pair.y)


def delivery(found: Experiment, settings: EffectSettings, arm: str, control: str) -> Delivery | None:
    """Whom the treatment reached; None when no event was named that shows it."""
    timeline = found.timeline
    if timeline is None or DELIVERED not in timeline.seconds:
        return None
    pairs = {name: pair for (name, _), pair in timeline.everybody(DELIVERED).items()}
    shares = {name: pair.mean_x for name, pair in pairs.items()}
    if timeline.adaptive:  # whoever counts more makes the share of the reached less sure than a share is
        return Delivery(arm=arm, shares=shares)
    try:
        reached = instrument.per_moved(_encouraged(pairs[arm]), _encouraged(pairs[control]))
    except ModelError:  # it reached next to nobody more than in the control
        return Delivery(arm=arm, shares=shares)
    interval = reached.interval(settings.level)
    return Delivery(arm=arm, shares=shares, reached=reached.effect, reached_interval=interval)


def _encouraged(pair: CrossMoments) -> instrument.Arm:
    """An arm as one whose assignment encourages to take the treatment; x says who was reached."""
    n, x, y = pair.n, pair.mean_x, pair.mean_y
    return instrument.Arm(n, n * x, n * y, pair.m2_y + n * y * y, pair.c_xy + n * x * y)


def at_hand(found: Experiment) -> bool:
    """Whether `witnesses` and `gain` need not ask the engine."""
    timeline = found.timeline
    if timeline is None:
        return True
    by_values = found.kind == "mean" and not (timeline.divided or timeline.adaptive)
    return timeline.has(cross=BEFORE in timeline.seconds, histograms=by_values)


def witnesses(found: Experiment, settings: EffectSettings, arm: str, control: str) -> list[Witness]:
    """The comparison of two means by other models; a decision that hangs on which is not ready."""
    if found.kind != "mean" or settings.statistic != "mean" or settings.adjust:
        return []
    lower, level = settings.lower_is_better, settings.level
    said = dict[WitnessName, Comparison]()
    hurdle = _hurdle(found.cells.get((arm, None), Cell()), found.cells.get((control, None), Cell()))
    if hurdle is not None:
        said["hurdle"] = compare(*hurdle, level, lower_is_better=lower)
    if len({week for _, week in found.periods}) > 1 and settings.per is None:
        periods = [mean_arm(adaptive.doubly_robust(_periods(found, name))) for name in (arm, control)]
        said["periods"] = compare(periods[0], periods[1], level, lower_is_better=lower)
    timeline = found.timeline
    if timeline is None or timeline.divided:
        return _witnesses(said)
    if not timeline.adaptive:
        arms = [timeline.histograms[name] for name in (arm, control)]
        drawn = [_drawn(one, seed=seed) for seed, one in enumerate(arms)]
        said["bootstrap"] = drawn_arms.compare(drawn[0], drawn[1], level, lower_is_better=lower)
        cut = [_cut(one, arms) for one in arms]
        if all(moments.m2 > 0 for moments in cut):
            said["cut"] = compare(mean_arm(cut[0]), mean_arm(cut[1]), level, lower_is_better=lower)
    if BEFORE in timeline.seconds:
        pairs = [timeline.everybody(BEFORE)[name, None] for name in (arm, control)]
        theta, centre = linearised.slope(pairs), (pairs[0].x + pairs[1].x).mean
        adjusted = [mean_arm(linearised.adjusted(pair, theta, centre)) for pair in pairs]
        said["adjusted"] = compare(adjusted[0], adjusted[1], level, lower_is_better=lower)
    return _witnesses(said)


_drawn = lru_cache(maxsize=16)(bootstrap.mean)


def _witnesses(said: Mapping[WitnessName, Comparison]) -> list[Witness]:
    return [
        Witness(
            name=name,
            difference=other.difference,
            difference_interval=other.difference_interval,
            probability_better=other.probability_better,
        )
        for name, other in said.items()
    ]


def _periods(found: Experiment, arm: str) -> list[adaptive.Period]:
    """The weeks of an arm, first to last, where its share changed from week to week."""
    made = []
    for week in sorted({week for _, week in found.periods}):
        own = found.periods.get((arm, week))
        n = sum(pair.n for (_, other), pair in found.periods.items() if other == week)
        made.append(adaptive.Period(own if isinstance(own, WeightedMoments) else None, n))
    return made


@lru_cache(maxsize=16)
def _hurdle(arm: Cell, control: Cell) -> tuple[Arm, Arm] | None:
    """Who buys and what a buyer spends, apart; None where there are no zeros, or amounts below them."""
    for cell in (arm, control):
        if not 4 <= cell.positive.n < cell.all.n or cell.positive.total > cell.all.total * (1 + 1e-9):
            return None
    try:
        return hurdle_arm(arm.all, arm.positive), hurdle_arm(control.all, control.positive)
    except ModelError:  # every buyer spent the same: there is no second model
        return None


def _cut(one: Histogram, all_arms: list[Histogram]) -> Moments:
    """The mean with values above a quantile of all arms' values above zero cut."""
    at = bootstrap.winsor_threshold(all_arms, CUT, nonzero=True)
    values = np.minimum(one.values, at)
    n, total = int(one.counts.sum()), float(values @ one.counts)
    return Moments.of_sums(n, total, float(values**2 @ one.counts))


def factorial(settings: EffectSettings, arms: Mapping[str, Arm], control: str) -> list[FactorRow]:
    """Main effects and interaction where two factors were crossed; nothing where none were.

    Args:
        settings: What was asked; the levels of each arm, unless their names say it.
        arms: Their posteriors, independent of each other.
        control: The arm whose levels the others are held against.

    Raises:
        ModelError: when factors were given that are not crossed.
    """
    factors = crossed.factors_in(arms) if settings.factors is None else settings.factors
    if not factors:
        return []
    found = crossed.factorial(arms, factors, control, settings.level, settings.lower_is_better)
    return [
        FactorRow(
            what=one.kind,
            factor=one.factor,
            level=one.level,
            base=one.base,
            at=one.at,
            difference=one.difference,
            difference_interval=one.interval,
            probability_better=one.probability_better,
        )
        for one in found
    ]


def others(project: Project, settings: EffectSettings, arm: str, control: str) -> list[OtherResult]:
    """The metrics that are looked at beside the one that decides."""
    return [_other(project, settings, other, arm, control) for other in settings.others]


def _other(
    project: Project, settings: EffectSettings, other: OtherMetric, arm: str, control: str
) -> OtherResult:
    changed = {
        "metric": other.metric,
        "per": other.per,
        "lower_is_better": other.lower_is_better,
        "by": None,
        "others": (),
        "statistic": "mean",
        "adjust": False,
        "lift_prior": None,
    }
    asked = settings.model_copy(update=changed)
    found = reading.read(project, asked)
    cells = [found.cells[name, None].all for name in (arm, control)]
    arms = [binary_arm(c, settings.prior) if found.kind == "binary" else mean_arm(c) for c in cells]
    result = compare(arms[0], arms[1], settings.level, lower_is_better=other.lower_is_better)
    return OtherResult(
        metric=other,
        unit=found.unit,
        control_mean=cells[1].mean,
        arm_mean=cells[0].mean,
        difference=result.difference,
        difference_interval=result.difference_interval,
        lift=result.lift,
        lift_interval=result.lift_interval,
        probability_better=result.probability_better,
        p=None if found.propensities is not None else p_value(cells[0], cells[1]),
    )
