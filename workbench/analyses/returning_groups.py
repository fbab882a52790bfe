"""Coming back by group: an arm against the control in each, and the ratios drawn towards each other."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

import numpy as np

from workbench.analyses.checks import FEWEST_CONVERSIONS
from workbench.analyses.returning_answer import (
    FEWEST_FOLLOWED,
    About,
    GroupReturn,
    Ratio,
    ReturningSettings,
)
from workbench.analyses.returning_counts import Counts
from workbench.analyses.returning_curves import against, drawn_of, ratio, ratio_of
from workbench.models.shrinkage import HalfNormal, pool
from workbench.models.survival import PRIOR_SD, LogRatio

MOST_READ = 20
"""More groups than that nobody reads; the largest are shown."""
_TAU = 0.15  # of logs: that of the effects of segments on shares and means (`models.pooling`)


def groups(
    counts: Counts, about: About, arms: tuple[str, str], asked: ReturningSettings
) -> tuple[tuple[GroupReturn, ...], list[str], int]:
    """An arm against the control in each group, the largest first.

    Args:
        counts: What was read.
        about: The event.
        arms: The arm and the control.
        asked: The question.

    Returns:
        The groups; the names of those of which nothing can be said; how many more there are.
    """
    found: list[GroupReturn] = []
    ratios: dict[str, LogRatio] = {}
    small: list[str] = []
    more = 0
    for group in counts.groups:
        lived = {arm: counts.lived(about, arm, group) for arm in arms}
        horizon = min(one.table.followed(FEWEST_FOLLOWED) for one in lived.values())
        events = round(sum(float(one.seen.events.sum()) for one in lived.values()))
        if not horizon or events < FEWEST_CONVERSIONS:
            small.append(group)
            continue
        if len(found) == MOST_READ:
            more += 1
            continue
        pair = against(counts, about, arms, lived, drawn_of(lived), horizon, asked)
        log_ratio = ratio_of(counts, about, arms, horizon, group)
        if log_ratio is not None:
            ratios[group] = log_ratio
            pair = pair.model_copy(update={"hazard_ratio": ratio(log_ratio, asked.level)})
        people = sum(one.people for one in lived.values())
        found.append(GroupReturn(group=group, people=people, events=events, against=pair, pooled=None))
    together = _pooled(ratios, asked.level)
    return tuple(one.model_copy(update={"pooled": together.get(one.group)}) for one in found), small, more


def _pooled(ratios: Mapping[str, LogRatio], level: float) -> dict[str, Ratio]:
    """Each ratio drawn towards the typical one (`models.shrinkage`); nothing where there is only one.

    What is pooled is what each group's customers say, so the prior of each ratio alone is taken out first.
    """
    precision = {name: one.sd**-2 - PRIOR_SD**-2 for name, one in ratios.items()}
    known = [name for name in ratios if precision[name] > 0]
    if len(known) < 2:
        return {}
    own = np.array([precision[name] for name in known])
    centres = np.array([ratios[name].mode * ratios[name].sd ** -2 for name in known]) / own
    found = pool(centres, own**-0.5, HalfNormal(_TAU))
    return {
        name: Ratio(
            value=exp(float(effect.ppf(0.5))),
            interval=(exp(float(effect.ppf((1 - level) / 2))), exp(float(effect.ppf((1 + level) / 2)))),
            probability_below=float(effect.cdf(0.0)),
        )
        for name, effect in zip(known, found.effects, strict=True)
    }
