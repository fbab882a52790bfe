"""More about value: how it is spread, how it grows with age, what is bought, who comes from where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.analyses.estimates import Estimate, Needs
from workbench.analyses.value import check
from workbench.analyses.value_ages import Month, Numbered, by_month, purchases_by_number
from workbench.analyses.value_fits import Fitted, fitted
from workbench.analyses.value_money import Moneys, moneys
from workbench.analyses.value_products import Products, category_breadth, recommended_orders
from workbench.analyses.value_rise import Rise, rise_with_age
from workbench.analyses.value_sources import (
    Keeping,
    ReferralValue,
    WordOfMouth,
    keeping,
    referral_value,
    word_of_mouth_share,
)
from workbench.errors import check_between
from workbench.locale import say
from workbench.models.concentration import TENTHS, concentration
from workbench.models.importance import Array
from workbench.models.unit_economics import earned
from workbench.records import ValueSettings

if TYPE_CHECKING:
    from workbench.project import Project


@dataclass(frozen=True)
class Tenth:
    """A tenth of the customers there are, the most valuable first.

    Attributes:
        share: Of what all are expected to bring.
        mean: What one of them is expected to bring.
    """

    place: int
    share: Estimate
    mean: float


@dataclass(frozen=True)
class Spread:
    """How unevenly what is to come is spread over the customers there are.

    Attributes:
        customers: How many.
        total: What all are expected to bring within the horizon.
        half: The smallest share of customers who hold half of it.
        negative: Share of customers who are expected to cost more than they bring.
    """

    customers: int
    total: Estimate
    tenths: list[Tenth]
    half: Estimate
    negative: float


@dataclass(frozen=True)
class ValueBeside:
    """What stands beside a lifetime value; a part that the tables do not allow says what it needs."""

    settings: ValueSettings
    spread: Spread
    numbers: list[Numbered] | Needs
    rise: Rise | Needs
    months: list[Month] | Needs
    breadth: Products | Needs
    recommended: Products | Needs
    sources: WordOfMouth | Needs
    referrals: ReferralValue | Needs
    keeping: Keeping | Needs


def analyse(
    project: Project,
    settings: ValueSettings,
    *,
    credited: float = 0.5,
    treatment_cost: float = 0.0,
    seed: int = 1,
) -> ValueBeside:
    """Look at what stands beside a lifetime value.

    Args:
        project: Where the tables are.
        settings: As of a lifetime value.
        credited: Share of a referred customer's value that is credited to who brought them.
        treatment_cost: What the treatment of an experiment costs for each customer who has it.
        seed: Of the draws.

    Raises:
        DataError: without orders, when the group is not there, or what is to be measured is not.
        ModelError: when nobody came back, or a posterior fails its own diagnostics.
        WorkbenchError: when a setting is out of its range.
    """
    check(settings)
    check_between(credited, 0, 1, say("share credited"))
    check_between(treatment_cost, 0, 1e12, say("cost of the treatment"))
    together = settings.model_copy(
        update={
            "by": None,
            # one amount for each group is none for everybody
            "acquisition_cost": None
            if isinstance(settings.acquisition_cost, dict)
            else settings.acquisition_cost,
        }
    )
    everybody = fitted(project, together, seed)
    money = moneys(project, together, everybody, seed)
    split = fitted(project, settings, seed)
    return ValueBeside(
        settings=settings,
        spread=_spread(everybody, money, settings),
        numbers=purchases_by_number(project, settings, everybody),
        rise=rise_with_age(project, settings, split),
        months=by_month(project, settings, everybody, _cost(money)),
        breadth=category_breadth(project, settings, split),
        recommended=recommended_orders(project, settings, split),
        sources=word_of_mouth_share(project, settings, everybody),
        referrals=referral_value(project, settings, everybody, _worth(everybody, money, settings), credited),
        keeping=keeping(settings, split, money.by_group[""].cost, treatment_cost),
    )


def _cost(money: Moneys) -> float | None:
    cost = money.by_group[""].cost
    return None if cost is None else float(cost.mean())


def _horizon(settings: ValueSettings) -> float:
    return np.inf if settings.horizon_weeks is None else float(settings.horizon_weeks)


def _worth(what: Fitted, money: Moneys, settings: ValueSettings) -> tuple[float, tuple[float, float]]:
    """The value of a new customer before the cost of winning them: a referred one was won by another."""
    gains = money.by_group[""].gains
    value = earned(what.whole.newcomers, gains, _horizon(settings), settings.discount_per_year)
    return float(value.mean()), _ends(value, settings.level)


def _spread(what: Fitted, money: Moneys, settings: ValueSettings) -> Spread:
    own, fit = money.by_group[""], what.whole
    kept: Array | float = 1.0
    if own.margin is not None:
        kept = own.margin
    elif settings.definition != "revenue":
        kept = float(settings.margin)
    found = concentration(
        fit.purchases,
        fit.spend,
        fit.rows,
        fit.money,
        _horizon(settings),
        settings.discount_per_year,
        kept,
        settings.cost_per_order,
    )
    return Spread(
        customers=int(fit.rows.customers),
        total=_estimate(found.total, settings.level),
        tenths=[
            Tenth(place + 1, _estimate(found.share[:, place], settings.level), float(found.mean[place]))
            for place in range(TENTHS)
        ],
        half=_estimate(found.half, settings.level),
        negative=found.negative,
    )


def _estimate(draws: Array, level: float) -> Estimate:
    return Estimate(float(draws.mean()), *_ends(draws, level))


def _ends(draws: Array, level: float) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
