"""A lifetime value once more by PyMC's sampler: of everybody, or of groups that are drawn towards each other.

Of groups it is how often customers buy and how soon they leave that is sampled again, with the likelihood
itself; money comes from the quick answer, so that any gap is that of the approximation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Event

import numpy as np

from workbench.analyses.value_arms import arms_within, differences
from workbench.analyses.value_fits import Fitted
from workbench.analyses.value_groups import FitAlone
from workbench.analyses.value_money import Moneys, worth
from workbench.analyses.value_within import Within
from workbench.locale import Message, say
from workbench.models.importance import Array, independent_seeds
from workbench.models.newcomers import Newcomers
from workbench.models.pooled_value import Group, PooledPurchases
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.models.spend import SpendDraws
from workbench.records import Check, Estimate, ValueSettings, ValueSummary

_ALIKE = 0.25
"""Standard deviations that two means may be apart."""
_AS_WIDE = 1.3

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Sampler:
    """PyMC's sampler for one question.

    Attributes:
        settings: The question.
        seed: Of the chains.
        progress: Told the share that is done.
        cancel: Stops it once it is set.
    """

    settings: ValueSettings
    seed: int
    progress: Progress | None = None
    cancel: Event | None = None

    def of_everybody(self, whole: FitAlone) -> tuple[PurchaseDraws, SpendDraws]:
        """The posterior of all customers together.

        Raises:
            ModelError: when a check of the sampler fails, or it was stopped.
        """
        from workbench.models import nuts

        one, other = independent_seeds(self.seed, 2)
        bought = nuts.purchase_posterior(
            whole.rows, self.settings.model, seed=one, progress=self._half(0.0), cancel=self.cancel
        )
        return bought, nuts.spend_posterior(
            whole.money, seed=other, progress=self._half(0.5), cancel=self.cancel
        )

    def _half(self, begin: float) -> Progress | None:
        told = self.progress
        return None if told is None else lambda share: told(begin + share / 2)

    def of_groups(
        self, rows: Mapping[Group, PurchaseRows], control: str | None, draws: int
    ) -> PooledPurchases:
        """The whole hierarchy.

        Raises:
            ModelError: for Pareto/NBD or too many groups, when a check of the sampler fails, or it was
                stopped.
        """
        from workbench.models import hierarchical_value

        found = hierarchical_value.sample_purchases(
            rows, control, self.settings.model, seed=self.seed, progress=self.progress, cancel=self.cancel
        )
        chosen = np.linspace(0, len(found.spreads) - 1, draws).round().astype(int)
        return PooledPurchases(
            {group: drawn.take(chosen) for group, drawn in found.groups.items()},
            {arm: effects[chosen] for arm, effects in found.effects.items()},
            found.spreads[chosen],
            found.checks,
        )


def confirm(
    summary: ValueSummary, what: Fitted, within: Within | None, money: Moneys, sampler: Sampler
) -> tuple[ValueSummary, list[Check]]:
    """The summary with what the sampler says, and whether both agree where it is of groups.

    Raises:
        ModelError: as of `Sampler.of_groups`.
    """
    settings = sampler.settings
    if within is not None:
        drawn = sampler.of_groups(within.rows, within.control, len(within.spend.spreads))
        newcomers = {group: Newcomers(one) for group, one in drawn.groups.items()}
        again = replace(within, purchases=drawn, newcomers=newcomers)
        quick, slow = (differences(one, money.by_group, settings) for one in (within, again))
        sampled = {arm.arm: arm.mean for arm in arms_within(again, money.by_group, settings).arms}
        assert summary.within is not None
        arms = [arm.model_copy(update={"confirmed": sampled[arm.arm]}) for arm in summary.within.arms]
        known = summary.within.model_copy(update={"arms": arms})
        return summary.model_copy(update={"within": known}), [_agreement(quick, slow)]
    if what.differs is not None:
        rows = {(fit.name, ""): fit.rows for fit in what.groups}
        drawn = sampler.of_groups(rows, None, len(what.groups[0].purchases))
        quick, slow = {}, {}
        for fit in what.groups:
            gains = money.by_group[fit.name].gains
            quick[fit.name, ""] = worth(fit.newcomers, gains, settings)
            slow[fit.name, ""] = worth(Newcomers(drawn.groups[fit.name, ""]), gains, settings)
        values = [
            group.model_copy(update={"confirmed": _estimate(slow[group.group or "", ""])})
            for group in summary.value
        ]
        return summary.model_copy(update={"value": values}), [_agreement(quick, slow)]
    bought, spent = sampler.of_everybody(what.whole)
    parameters = {**bought.parameters, "p": spent.p, "q": spent.q, "v": spent.v}
    known_parameters = {name: _estimate(values) for name, values in parameters.items()}
    return summary.model_copy(update={"confirmed": known_parameters}), []


def _name(group: Group) -> str | Message:
    """A segment, and an arm where there is one."""
    segment, arm = group
    return say("{segment}, “{arm}”", segment=segment, arm=arm) if arm else segment


def _agreement(quick: Mapping[Group, Array], sampled: Mapping[Group, Array]) -> Check:
    """Whether both methods say the same of groups.

    Args:
        quick: Draws of the value of each group, or of what an arm adds in each segment.
        sampled: The same by the full sampler.
    """
    gaps = {name: abs(sampled[name].mean() - drawn.mean()) / drawn.std() for name, drawn in quick.items()}
    widths = {name: sampled[name].std() / drawn.std() for name, drawn in quick.items()}
    worst = max(gaps, key=lambda name: gaps[name])
    widest = max(widths, key=lambda name: abs(np.log(widths[name])))
    values = {
        "groups": len(gaps),
        "gap": gaps[worst],
        "name": _name(worst),
        "width": abs(widths[widest] - 1),
        "other": _name(widest),
    }
    fine = gaps[worst] < _ALIKE and abs(np.log(widths[widest])) < np.log(_AS_WIDE)
    text = say(
        "PyMC's sampler of all groups together agrees on each of {groups:count}: the largest gap is "
        "{gap:number} standard deviations ({name}), and intervals differ in width by {width:percent} at most "
        "({other}). Order values were not sampled again.",
        **values,
    )
    if not fine:
        text = say(
            "PyMC's sampler of all groups together disagrees: {name} is off by {gap:number} standard "
            "deviations, and the interval of {other} differs in width by {width:percent}; trust the sampler, "
            "not this result.",
            **values,
        )
    return Check(name="confirmed", status="ok" if fine else "fail", detail=text)


def _estimate(draws: Array) -> Estimate:
    """Mean and standard deviation."""
    return Estimate(mean=float(draws.mean()), sd=float(draws.std(ddof=1)))
