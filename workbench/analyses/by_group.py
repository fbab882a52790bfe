"""An arm against the control in each group: as seen, and drawn towards the effect over all of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from workbench.analyses.experiment import Experiment
from workbench.errors import ModelError
from workbench.locale import Message, say
from workbench.metrics.cells import Cell
from workbench.models import pair
from workbench.models.arms import Arm, binary_arm, mean_arm
from workbench.models.comparison import compare_each
from workbench.models.hierarchical import SampledEffect
from workbench.models.pooling import PooledEffect, SegmentEffects, pool_segments
from workbench.moments import Moments
from workbench.records import Check, Comparison, Density, EffectSettings, Pooled, Word


def posterior(found: Experiment, cell: Cell, settings: EffectSettings) -> Arm:
    """What is known of the customers in a cell."""
    return binary_arm(cell.all, settings.prior) if found.kind == "binary" else mean_arm(cell.all)


def comparison_of(
    found: Experiment,
    word: Word,
    arms: tuple[str, str],
    segment: str | None,
    result: pair.Comparison,
    *,
    spoken: bool = False,
) -> Comparison:
    """A comparison as records keep it.

    Args:
        found: Where the cells are.
        word: Effect or association.
        arms: The arm and the control.
        segment: The group, or None for everybody.
        result: The posterior.
        spoken: Whether its density is drawn.
    """
    cells = found.cells[arms[0], segment].all, found.cells[arms[1], segment].all
    return Comparison(
        arm=arms[0],
        control=arms[1],
        segment=segment,
        n=cells[0].n + cells[1].n,
        arm_n=cells[0].n,
        arm_mean=cells[0].mean,
        control_mean=cells[1].mean,
        difference=result.difference,
        difference_sd=result.difference_sd,
        difference_interval=result.difference_interval,
        lift=result.lift,
        lift_interval=result.lift_interval,
        probability_better=result.probability_better,
        expected_loss=result.expected_loss,
        expected_loss_control=result.expected_loss_control,
        rope=result.rope,
        density=_density(result) if spoken else None,
        word=word,
    )


def _density(result: pair.Comparison) -> Density:
    x, y = result.density()
    return Density(x=x.tolist(), y=y.tolist(), dots=result.dots().tolist())


@lru_cache(maxsize=8)
def _together(
    kind: Literal["binary", "mean"],
    cells: tuple[tuple[Moments, Moments], ...],
    level: float,
    lower_is_better: bool,
) -> SegmentEffects:
    """The effects of segments whose control and treatment are given, drawn towards each other."""
    control, treatment = ([cell[side] for cell in cells] for side in (0, 1))
    return pool_segments(kind, control, treatment, level=level, lower_is_better=lower_is_better)


_alone = lru_cache(maxsize=8)(compare_each)


def by_group(
    found: Experiment, settings: EffectSettings, word: Word, name: str, control: str
) -> tuple[list[Comparison], list[Check], SegmentEffects | None]:
    """Each group, checks where some are too small or cannot be pooled, and all effects where they can."""
    cells = {
        group: (found.cells.get((control, group), Cell()).all, found.cells.get((name, group), Cell()).all)
        for group in found.groups
    }
    reason: Message | None = None
    whole: SegmentEffects | None = None
    try:
        whole = _together(found.kind, tuple(cells.values()), settings.level, settings.lower_is_better)
        pooled = whole.segments
    except ModelError as error:
        pooled = tuple(error.message for _ in cells)
        reason = error.message
    zone = (-settings.rope, settings.rope) if settings.rope else None
    known: dict[str, tuple[Arm, Arm]] = {}
    small: list[str] = []
    for group in cells:
        try:
            arm, base = (
                posterior(found, found.cells.get((side, group), Cell()), settings) for side in (name, control)
            )
        except ModelError:
            small.append(group)
            continue
        known[group] = arm, base
    results = _alone(tuple(known.values()), settings.level, zone, "lift", settings.lower_is_better)
    drawn = dict(zip(cells, pooled, strict=True))
    items = []
    for group, result in zip(known, results, strict=True):
        part = drawn[group]
        towards = None if isinstance(part, Message) else pooled_of(part)
        items.append(
            comparison_of(found, word, (name, control), group, result).model_copy(update={"pooled": towards})
        )
    checks: list[Check] = []
    if reason is not None and items:
        detail = say("The groups' effects cannot be drawn towards each other. {reason}", reason=reason)
        checks.append(Check(name="pooling", status="warn", detail=detail))
    if small:
        words = {"n": len(small), "names": small}
        if settings.statistic == "quantile":
            detail = say(
                "In {n:count} segments the quantile cannot be told, since there are too few customers in one "
                "of the arms, or too many with the same value: {names:listing}.",
                **words,
            )
        else:
            detail = say(
                "{n:count} segments have too few customers in one of the arms to say anything: "
                "{names:listing}.",
                **words,
            )
        checks.append(Check(name="small_segments", status="warn", detail=detail))
    return items, checks, whole


def pooled_of(part: PooledEffect | SampledEffect) -> Pooled:
    """A group's effect as records keep it."""
    return Pooled(
        difference=part.difference,
        difference_interval=part.difference_interval,
        lift=part.lift,
        lift_interval=part.lift_interval,
        probability_better=part.probability_better,
        probability_above_overall=part.probability_above_overall,
        difference_together=part.difference_together,
    )
