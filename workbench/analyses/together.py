"""What can be said of several segments at once: which differ, and which gain most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from workbench.analyses.experiment import Experiment
from workbench.clock import DAY
from workbench.decisions import sure
from workbench.metrics.cells import Cell
from workbench.models.hierarchical import Hierarchy, SampledEffect
from workbench.models.multiplicity import level_if_independent
from workbench.models.pooling import PooledEffect, SegmentEffects
from workbench.models.ranking import largest_by_luck, rank
from workbench.records import Comparison, EffectSettings, Pooled, RankedSegment, Ranking, Together, Word

MONTH = 30
"""Days in which gains are counted, where the exposures have times."""
_FEWEST_DAYS = 7  # of exposures, from which a pace can be told: weekdays differ


def together(
    settings: EffectSettings,
    items: Sequence[Comparison],
    whole: SegmentEffects | None,
    sampled: Hierarchy | None = None,
) -> Together | None:
    """In which segments a difference can be claimed, all claims holding at once.

    Args:
        settings: The question.
        items: One comparison a segment.
        whole: The pooled effects; None where they cannot be pooled, and each segment speaks for itself.
        sampled: What PyMC says of the same segments; its joint draws are believed where there are some.

    Returns:
        None where there are fewer than two segments.
    """
    said: Mapping[str, Comparison | Pooled | None] = {
        item.segment or "": item.confirmed if sampled is not None else item if whole is None else item.pooled
        for item in items
    }
    better = {name: one.probability_better for name, one in said.items() if one is not None}
    if len(better) < 2:
        return None
    joint = sampled or whole
    level = level_if_independent(len(better), settings.level) if joint is None else joint.level_of_each
    return Together(
        level_of_each=level,
        better=[name for name, p in better.items() if p >= sure(level)],
        worse=[name for name, p in better.items() if p <= 1 - sure(level)],
        segments=len(better),
        pooled=joint is not None,
        sampled=sampled is not None,
    )


def ranking(
    found: Experiment,
    settings: EffectSettings,
    items: Sequence[Comparison],
    whole: SegmentEffects | None,
    word: Word,
    sampled: Hierarchy | None = None,
) -> Ranking | None:
    """Segments by what they gain if everybody in them gets the treatment.

    Args:
        found: Where the customers are.
        settings: The question.
        items: One comparison a segment.
        whole: The pooled effects.
        word: What only goes together with the treatment is not gained by it.
        sampled: What PyMC says of the same segments; its joint draws are believed where there are some.

    Returns:
        None where nothing is gained by customer: of associations, of a quantile, of a metric that is divided
        by another, and where customers count with weights; or where there are fewer than two segments.
    """
    if word != "effect" or settings.per is not None or found.propensities is not None:
        return None
    if settings.statistic == "quantile":  # what one customer more or less adds is not known of it
        return None
    pooled: dict[str, PooledEffect | SampledEffect]
    if sampled is not None:
        pooled = {item.segment or "": part for item, part in zip(items, sampled.segments, strict=True)}
        differences, if_alike = sampled.differences, sampled.if_alike
    elif whole is not None:
        parts = zip(found.groups, whole.segments, strict=True)
        pooled = {name: part for name, part in parts if isinstance(part, PooledEffect)}
        differences, if_alike = whole.joint.differences, whole.joint.if_alike
    else:
        return None
    seen = {item.segment: item for item in items if item.segment in pooled}
    if len(pooled) < 2 or len(seen) < len(pooled):
        return None
    days = _days(found, settings)
    customers = {name: _customers(found, name) for name in pooled}
    pace = 1.0 if days is None else MONTH / days
    sign = -1 if settings.lower_is_better else 1
    size = pace * np.array(list(customers.values()))
    places = rank(sign * differences * size, settings.level)
    segments = [
        RankedSegment(
            segment=name,
            customers=customers[name],
            gain=size[i] * part.difference,
            gain_interval=(size[i] * part.difference_interval[0], size[i] * part.difference_interval[1]),
            rank_interval=(int(places.low[i]), int(places.high[i])),
            probability_top=float(places.top[i]),
        )
        for i, (name, part) in enumerate(pooled.items())
    ]
    best = max(seen, key=lambda name: sign * seen[name].difference)
    errors = [seen[name].difference_sd for name in pooled]
    by_luck, luck = largest_by_luck(sign * if_alike, errors, sign * seen[best].difference)
    return Ranking(
        days=None if days is None else MONTH,
        segments=sorted(segments, key=lambda one: -sign * one.gain),
        best_seen=best or "",
        seen=seen[best].difference,
        pooled=pooled[best or ""].difference,
        by_luck=sign * by_luck,
        luck=luck,
        sampled=sampled is not None,
    )


def _customers(found: Experiment, segment: str) -> int:
    return sum(found.cells.get((arm, segment), Cell()).all.n for arm in found.arms)


def _days(found: Experiment, settings: EffectSettings) -> float | None:
    """Days in which the customers that count came; None where there are no times, or too few to tell."""
    if found.timeline is None:
        return None
    people = found.timeline.people
    begin, end = people.exposed[0], min(people.exposed[1], people.seconds[1] - settings.window_days * DAY)
    left_out = sum(max(0, min(end, last) - max(begin, first)) for first, last in people.excluded)
    days = (end - begin - left_out) / DAY
    return days if days >= _FEWEST_DAYS else None
