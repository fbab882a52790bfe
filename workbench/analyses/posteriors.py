"""The posterior of all arms together, with or without an expectation of the lift."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from workbench.decisions import main_comparison
from workbench.errors import ModelError, WorkbenchError
from workbench.models import comparison, lift, tied_comparison
from workbench.models.arms import Arm, BetaArm
from workbench.models.lift import LiftPrior, NormalEffect, Scale
from workbench.models.operating import operating
from workbench.models.pair import Comparison
from workbench.models.past_tests import from_past_tests
from workbench.models.stopping import Average, Looks, Rule, Share
from workbench.models.tied_arms import TiedArms
from workbench.moments import Moments
from workbench.records import EffectRecord, EffectSettings, Interval, Prior, RuleRate

if TYPE_CHECKING:
    from workbench.project import Project

STRIP: dict[str, Interval] = {"sceptical": (-0.05, 0.05), "cautious": (-0.2, 0.25), "wide": (-0.6, 1.5)}
"""Between which lifts an effect is expected, with 95 %, by readers of three tempers."""

MOST_LOOKS = 50
SIMULATIONS = 2000


class Posteriors:
    """What is known of every arm, and of each against the control.

    Args:
        arms: Their posteriors, as if they had nothing to do with each other.
        control: The name of the one that the others are held against.
        settings: What is expected of the lift, the level, the zone that does not matter.
    """

    def __init__(self, arms: Mapping[str, Arm], control: str, settings: EffectSettings) -> None:
        self._own, self._control, self._settings = arms, control, settings
        self._others = [name for name in arms if name != control]
        self._tied = None
        if settings.lift_prior is not None:
            base = arms[control]
            prior = _lift_prior(base, settings.lift_prior)
            self._tied = TiedArms(base, [arms[name] for name in self._others], prior)

    def arm(self, name: str) -> Arm:
        """The posterior of one arm."""
        if self._tied is None:
            return self._own[name]
        return self._tied.arms[0 if name == self._control else self._others.index(name) + 1]

    def comparisons(self) -> dict[str, Comparison]:
        """Each arm against the control."""
        settings, others = self._settings, self._others
        zone = (-settings.rope, settings.rope) if settings.rope else None
        level, lower = settings.level, settings.lower_is_better
        if self._tied is None:
            pairs = [(self._own[name], self._own[self._control]) for name in others]
            return dict(zip(others, comparison.compare_each(pairs, level, zone, "lift", lower), strict=True))
        return {
            name: tied_comparison.compare(self._tied, index, level, zone, "lift", lower)
            for index, name in enumerate(others, 1)
        }

    def best(self) -> tuple[dict[str, float], dict[str, float]]:
        """By arm, how likely it is the best of all, and what choosing it loses on average."""
        lower = self._settings.lower_is_better
        if self._tied is None:
            names, found = list(self._own), comparison.best(list(self._own.values()), lower)
        else:
            names, found = [self._control, *self._others], self._tied.best(lower)
        probability, loss = ({n: float(v) for n, v in zip(names, part, strict=True)} for part in found)
        return probability, loss

    @cached_property
    def may_be_expected(self) -> bool:
        """Whether something can be expected of a lift: where all arms are surely above zero."""
        return all(arm.mean > lift.CLEARLY_POSITIVE * arm.sd for arm in self._own.values())

    def prior(self, name: str) -> Prior | None:
        """How much of what is said of an arm hangs on what was expected; None where nothing can be."""
        if not self.may_be_expected:
            return None
        above = _above(self._own[self._control], self._own[name])
        lower = self._settings.lower_is_better
        strip = {temper: 1 - p if lower else p for temper, p in above}
        return Prior(lift=self._settings.lift_prior, tipping=self._tipping(name), strip=strip)

    def _tipping(self, name: str) -> Interval | None:
        """The range of expected lifts at which "sure" ends, by the closed form on the logarithmic scale."""
        estimate, error = lift.log_lift(self._own[name], self._own[self._control])
        z = float(special.ndtri((1 + self._settings.level) / 2))
        if abs(estimate) / error <= z:
            return None
        sd = error * z / np.sqrt((estimate / error) ** 2 - z**2)
        low, high = NormalEffect(np.array(0.0), np.array(sd)).interval(0.95)
        return float(low), float(high)


def _lift_prior(control: Arm, between: Interval) -> LiftPrior:
    share = control.mean if isinstance(control, BetaArm) else None
    scale: Scale = "log odds" if share is not None else "log"
    if share is not None and share * (1 + between[1]) >= 1:
        raise ModelError(
            "A lift of {lift:percent} on a share of {share:percent} would be more than everybody; expect "
            "a smaller one.",
            lift=between[1],
            share=share,
        )
    return LiftPrior.between(*between, scale=scale, baseline=share)


@lru_cache(maxsize=64)
def _above(control: Arm, treatment: Arm) -> tuple[tuple[str, float], ...]:
    """How likely the treatment is above the control, by what readers of each temper expect."""
    found = [("none", 1 - float(comparison.Independent(treatment, control).at_most(1.0, 0.0)))]
    for temper, between in STRIP.items():
        try:
            tied = TiedArms(control, [treatment], _lift_prior(control, between))
        except ModelError:  # a share so high that it cannot rise by so much
            continue
        found.append((temper, 1 - float(tied.at_most(1, 1.0, 0.0)[0])))
    return tuple(found)


def lifts_of_past_tests(project: Project, metric: str, per: str | None, besides: str) -> Interval:
    """Between which lifts the next test is expected to lie (95 %), from those whose results were kept.

    Each experiment counts once, by the result that was kept last; one that was only an association, or whose
    checks failed, does not.

    Raises:
        ModelError: there are too few.
    """
    found: dict[str, tuple[float, float]] = {}
    kept = [record for record in project.records.values() if isinstance(record, EffectRecord)]
    for record in sorted(kept, key=lambda one: one.created):
        settings, item = record.settings, main_comparison(record.summary)
        asked = settings.metric == metric and settings.per == per and settings.experiment != besides
        if not asked or record.failed or record.summary.word != "effect" or item.lift_interval is None:
            continue
        low, high = (float(np.log1p(end)) for end in item.lift_interval)
        width = 2 * float(special.ndtri((1 + settings.level) / 2))
        found[settings.experiment] = (low + high) / 2, (high - low) / width
    estimates, errors = ([pair[place] for pair in found.values()] for place in (0, 1))
    expected = from_past_tests(estimates, errors).prior.predictive().interval(0.95)
    return float(expected[0]), float(expected[1])


def rule_rate(kind: str, arm: Moments, control: Moments, settings: EffectSettings) -> RuleRate | None:
    """How often the rule of the verdict adopts an arm that does nothing; None where nobody does anything."""
    looks, sizes = settings.looks or 1, (control.n, arm.n)
    if not control.m2 or not control.mean > 0 or min(sizes) < looks:
        return None
    mean, spread = (float(f"{value:.2g}") for value in (control.mean, control.variance**0.5))
    return _rule_rate(
        kind == "binary", mean, spread, sizes, looks, settings.level, settings.rope, settings.prior
    )


@lru_cache(maxsize=64)
def _rule_rate(
    binary: bool,
    mean: float,
    sd: float,
    sizes: tuple[int, int],
    looks: int,
    level: float,
    rope: float,
    prior: tuple[float, float],
) -> RuleRate | None:
    steps = range(1, min(looks, MOST_LOOKS) + 1)
    parts = tuple((sizes[0] * step // len(steps), sizes[1] * step // len(steps)) for step in steps)
    metric = Share(mean, prior) if binary else Average(mean, sd)
    plan = Looks(tuple(float(step) for step in steps), parts)
    try:
        (found,) = operating(metric, plan, Rule((1 + level) / 2, rope=rope), [0.0], SIMULATIONS)
    except WorkbenchError:  # a plan that cannot be simulated says nothing of the result itself
        return None
    return RuleRate(looks=looks, adopted=found.adopted.value, error=found.adopted.error)
