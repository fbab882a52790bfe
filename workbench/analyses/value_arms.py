"""What an arm adds to value in each segment and over all of them, from arms pooled within segments.

Money beyond repeat purchases, that is the first purchase, a measured margin and what it cost to win a
customer, is that of the arm in all segments together.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.analyses.value_money import Money, worth
from workbench.analyses.value_within import Within as Fitted
from workbench.models import pooled_value, spend, unit_economics
from workbench.models.importance import Array
from workbench.models.newcomers import Newcomers
from workbench.models.pooled_value import Group
from workbench.models.spend import SpendDraws
from workbench.models.unit_economics import Gains
from workbench.records import Alone, ArmEffect, ArmWithin, SegmentDifference, ValueSettings, Within
from workbench.records.base import Interval


def arms_within(what: Fitted, moneys: Mapping[str, Money], settings: ValueSettings) -> Within:
    """Each arm against the control.

    Args:
        what: Draws by segment and arm.
        moneys: The money of each arm; one that has none is left out.
        settings: The question.
    """
    values, alone = _values(what, moneys, settings)
    arms = {arm: None for _, arm in values if arm != what.control}
    found = [_arm(arm, what, values, alone, settings.level) for arm in arms]
    return Within(by=str(settings.within), control=what.control, arms=found)


def differences(what: Fitted, moneys: Mapping[str, Money], settings: ValueSettings) -> dict[Group, Array]:
    """What each arm adds in each segment, draw by draw."""
    values, _ = _values(what, moneys, settings)
    return {
        (segment, arm): drawn - values[segment, what.control]
        for (segment, arm), drawn in values.items()
        if arm != what.control
    }


def _values(
    what: Fitted, moneys: Mapping[str, Money], settings: ValueSettings
) -> tuple[dict[Group, Array], dict[Group, Array]]:
    """Of a customer of each segment and arm, pooled and alone; none where the control has no money."""
    arms = [arm for arm in (*what.arms, what.control) if arm in moneys and what.control in moneys]
    values = {
        (segment, arm): _worth(
            what.newcomers[segment, arm], what.spend.groups[segment, arm], moneys[arm], settings
        )
        for segment in what.segments
        for arm in arms
    }
    alone = {
        (segment, arm): _worth(one.newcomers, one.spend, moneys[arm], settings)
        for (segment, arm), one in what.alone.items()
        if arm in arms
    }
    return values, alone


def _worth(customers: Newcomers, spent: SpendDraws, money: Money, settings: ValueSettings) -> Array:
    """The value of a customer of one segment and arm, draw by draw."""
    draws = len(spent.p)
    share: Array | float = 1.0
    if money.margin is not None:
        share = money.margin[:draws]
    elif settings.definition != "revenue":
        share = float(settings.margin)
    per_order = settings.cost_per_order if settings.definition == "net" else 0.0
    own = money.gains
    gains = Gains(
        share * spend.expected_spend(spent) - per_order,
        own.first[:draws],
        own.service_per_year,
        own.acquisition[:draws],
    )
    return worth(customers, gains, settings)


def _arm(
    arm: str, what: Fitted, values: Mapping[Group, Array], alone: Mapping[Group, Array], level: float
) -> ArmWithin:
    control = what.control
    gaps = {segment: values[segment, arm] - values[segment, control] for segment in what.segments}
    over = pooled_value.over_segments(values, what.rows, arm, control)
    several = len(gaps) > 1
    spread = np.std(list(gaps.values()), axis=0, ddof=1) if several else np.zeros_like(over)
    places = unit_economics.ranks(list(gaps.values()), level)
    segments = []
    for index, (segment, gap) in enumerate(gaps.items()):
        seen = None
        if (segment, arm) in alone and (segment, control) in alone:
            drawn = alone[segment, arm] - alone[segment, control]
            seen = Alone(mean=float(drawn.mean()), interval=_interval(drawn, level))
        customers = sum(
            what.rows[segment, name].customers for name in (arm, control) if (segment, name) in what.rows
        )
        segments.append(
            SegmentDifference(
                segment=segment,
                customers=int(customers),
                mean=float(gap.mean()),
                interval=_interval(gap, level),
                probability_positive=float(np.mean(gap > 0)),
                alone=seen,
                top=float(places.top[index]) if several else None,
                rank=(int(places.low[index]), int(places.high[index])) if several else None,
            )
        )
    return ArmWithin(
        arm=arm,
        mean=float(over.mean()),
        interval=_interval(over, level),
        probability_positive=float(np.mean(over > 0)),
        spread=float(spread.mean()),
        spread_interval=_interval(spread, level),
        effects=_effects(arm, what, level),
        segments=sorted(segments, key=lambda one: -one.mean),
    )


def _effects(arm: str, what: Fitted, level: float) -> list[ArmEffect]:
    """On the rate, on leaving and on order value; of each spread, those of effects come last."""
    bought, spent = what.purchases, what.spend
    drawn = {
        "frequency": (bought.effects[arm][:, 0], bought.spreads[:, -2]),
        "leaving": (bought.effects[arm][:, 1], bought.spreads[:, -1]),
        "order_value": (spent.effects[arm][:, 0], spent.spreads[:, -1]),
    }
    return [
        ArmEffect(
            name=name,
            change=float(np.expm1(effect).mean()),
            interval=_interval(np.expm1(effect), level),
            probability_up=float(np.mean(effect > 0)),
            differs=float(np.expm1(spread).mean()),
        )
        for name, (effect, spread) in drawn.items()
    ]


def _interval(draws: Array, level: float) -> Interval:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
