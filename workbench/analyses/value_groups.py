"""The posteriors of groups of customers: each alone, and drawn towards each other as far as they are alike.

The arms of an experiment stand for themselves. Other groups are pooled (`models.pooled_value`), since the
luckiest of many small ones would look best; what each says alone is kept beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from workbench.analyses.histories import Histories
from workbench.engines import cancelling
from workbench.errors import ModelError
from workbench.locale import Message, say
from workbench.models import pooled_value, purchases, spend
from workbench.models.importance import Array, Seed, independent_seeds
from workbench.models.newcomers import Newcomers
from workbench.models.pooled_value import Group, PooledPurchases, PooledSpend
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.models.spend import SpendDraws, SpendRows
from workbench.records import Check, ValueSettings

FEWEST_REPEATERS = 20
"""Customers who bought again, below which a group says nothing alone."""
_DRAWS_ALONE = 1000  # where the pooled draws are the answer
_SPARE = 1.25  # spend is drawn so many times as often, since some draws cannot be
_FEWEST_POSSIBLE = 0.8


@dataclass(frozen=True)
class Fit:
    """A group's posterior.

    Attributes:
        name: Of the group; empty for everybody.
        rows, money: What it was fitted to; no money where nobody bought again.
        purchases, spend: Draws, as many of each.
        newcomers: What these purchases mean for a customer just acquired.
        seeds: For what else has to be drawn for this group.
        alone: What the group's own customers say, where these draws are pooled with other groups.
    """

    name: str
    rows: PurchaseRows
    money: SpendRows | None
    purchases: PurchaseDraws
    spend: SpendDraws
    newcomers: Newcomers
    seeds: list[np.random.SeedSequence]
    alone: FitAlone | None = None

    @property
    def khat(self) -> float:
        """The worse of both posteriors."""
        return max(self.purchases.checks["khat"], self.spend.checks["khat"])


@dataclass(frozen=True)
class FitAlone(Fit):
    """The posterior of customers of whom some bought again, from nobody but them."""

    money: SpendRows


@dataclass(frozen=True)
class Groups:
    """What could be fitted.

    Attributes:
        fits: One a group.
        checks: What is to be said of those that could not, or hardly.
        differs: σ of ln purchases a week, of leaving and of ln order value, draw by draw; None where
            groups were not pooled.
    """

    fits: list[Fit]
    checks: list[Check]
    differs: dict[str, Array] | None = None


def fit(
    name: str, rows: PurchaseRows, money: SpendRows, settings: ValueSettings, draws: int, seed: Seed
) -> FitAlone:
    """The posterior of one group alone.

    Raises:
        ModelError: when nobody came back, or a posterior fails its own diagnostics.
    """
    one, other, *more = independent_seeds(seed, 4)
    bought = purchases.posterior(rows, settings.model, draws, one)
    spent = spend.posterior(money, draws, other)
    spend.expected_spend(spent)  # a mean that is not finite withholds the group
    return FitAlone(name, rows, money, bought, spent, Newcomers(bought), more)


def groups_of(
    found: Histories,
    whole: FitAlone,
    settings: ValueSettings,
    draws: int,
    seeds: list[np.random.SeedSequence],
) -> Groups:
    """All groups of the question.

    Args:
        found: Their histories.
        whole: The posterior of everybody.
        settings: The question.
        draws: Of each group.
        seeds: One for each group, and one for all together.

    Raises:
        ModelError: when no group can be fitted.
    """
    names = list(found.purchases)
    if len(names) == 1:
        return Groups([replace(whole, name=names[0])], [])
    if "exposures" in found.tables:
        return _standing_alone(*_alone(found, settings, draws, seeds[:-1]))
    try:
        bought, spent = pool(
            {(name, ""): rows for name, rows in found.purchases.items()},
            {(name, ""): rows for name, rows in found.spend.items()},
            None,
            settings.model,
            draws,
            seeds[-1],
        )
    except ModelError as error:
        text = say(
            "The groups could not be drawn towards each other, so that small ones look further apart than "
            "they are. {reason}",
            reason=error.message,
        )
        kept = _standing_alone(*_alone(found, settings, draws, seeds[:-1]))
        return Groups(kept.fits, [Check(name="pooled", status="warn", detail=text), *kept.checks])
    alone, small, _ = _alone(found, settings, min(draws, _DRAWS_ALONE), seeds[:-1])
    fits = []
    for name, seed in zip(names, seeds, strict=False):
        cancelling.check()
        draws_of = bought.groups[name, ""]
        fits.append(
            Fit(
                name,
                found.purchases[name],
                found.spend.get(name),
                draws_of,
                spent.groups[name, ""],
                Newcomers(draws_of),
                independent_seeds(seed, 4)[2:],
                alone.get(name),
            )
        )
    differs = {
        "frequency": bought.spreads[:, 0],
        "leaving": bought.spreads[:, 2],
        "order_value": spent.spreads[:, 0],
    }
    return Groups(fits, [_resting_on_others(small)] if small else [], differs)


def pool(
    bought: Mapping[Group, PurchaseRows],
    spent: Mapping[Group, SpendRows],
    control: str | None,
    model: str,
    draws: int,
    seed: Seed,
) -> tuple[PooledPurchases, PooledSpend]:
    """Purchases and spend of groups, each drawn together.

    Money is finite, and so is a group's mean spend: draws in which one is not are no possible state.

    Raises:
        ModelError: when a posterior fails its checks, or too few of its draws are possible.
    """
    one, other = independent_seeds(seed, 2)
    purchases_drawn = pooled_value.pool_purchases(bought, control, model, draws, one)
    found = pooled_value.pool_spend(spent, control, round(_SPARE * draws), other, purchases_drawn.groups)
    possible = np.flatnonzero(np.all([drawn.q > 1 for drawn in found.groups.values()], axis=0))
    if len(possible) < max(draws, _FEWEST_POSSIBLE * len(found.spreads)):
        raise ModelError(
            "The mean spend of a group is not finite in {share:percent} of the draws; check the largest "
            "amounts, or use fewer or larger groups.",
            share=1 - len(possible) / len(found.spreads),
        )
    return purchases_drawn, _of_spend(found, possible[:draws])


def _of_spend(found: PooledSpend, chosen: NDArray[np.intp]) -> PooledSpend:
    return PooledSpend(
        {
            group: SpendDraws(drawn.p[chosen], drawn.q[chosen], drawn.v[chosen], drawn.checks)
            for group, drawn in found.groups.items()
        },
        {arm: effects[chosen] for arm, effects in found.effects.items()},
        found.spreads[chosen],
        found.checks,
    )


def _alone(
    found: Histories, settings: ValueSettings, draws: int, seeds: list[np.random.SeedSequence]
) -> tuple[dict[str, FitAlone], list[str], list[Message]]:
    """The groups that can be fitted alone, those that are too small, and why others are withheld."""
    fits: dict[str, FitAlone] = {}
    small: list[str] = []
    withheld: list[Message] = []
    for (name, rows), seed in zip(found.purchases.items(), seeds, strict=True):
        cancelling.check()
        money = found.spend.get(name)
        if money is None or money.customers < FEWEST_REPEATERS:
            small.append(name)
            continue
        try:
            fits[name] = fit(name, rows, money, settings, draws, seed)
        except ModelError as error:
            withheld.append(say("{group}: {reason}", group=name, reason=error.message))
    return fits, small, withheld


def _standing_alone(alone: dict[str, FitAlone], small: list[str], withheld: list[Message]) -> Groups:
    if not alone:
        raise ModelError(
            "No group can be estimated alone: each needs at least {least:count} customers who bought again "
            "and a posterior that passes its checks; leave the grouping out.",
            least=FEWEST_REPEATERS,
        )
    status: Literal["warn", "fail"] = "warn" if len(alone) > 1 else "fail"
    checks = []
    if small:
        text = say(
            "{n:count} groups have fewer than {least:count} customers who bought again and are left out: "
            "{names:listing}.",
            n=len(small),
            least=FEWEST_REPEATERS,
            names=small,
        )
        checks.append(Check(name="small_groups", status=status, detail=text))
    if withheld:
        text = say("Some groups are withheld. {reasons:sentences}", reasons=withheld)
        checks.append(Check(name="withheld_groups", status=status, detail=text))
    return Groups(list(alone.values()), checks)


def _resting_on_others(small: list[str]) -> Check:
    text = say(
        "{n:count} groups have fewer than {least:count} customers who bought again, so that what is said of "
        "them rests on the other groups: {names:listing}.",
        n=len(small),
        least=FEWEST_REPEATERS,
        names=small,
    )
    return Check(name="small_groups", status="warn", detail=text)
