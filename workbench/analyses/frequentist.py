"""What would be said without a prior: Welch's test, what holds at every look, and p-values of several."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.analyses.experiment import Experiment
from workbench.errors import ModelError
from workbench.metrics.cells import Cell
from workbench.models.frequentist import always_valid_interval, always_valid_p_value, welch
from workbench.models.multiplicity import benjamini_hochberg, hochberg
from workbench.moments import Moments
from workbench.records import EffectSettings, Frequentist, OtherResult, PValue


def frequentist(
    found: Experiment, settings: EffectSettings, arm: str, control: str, others: list[OtherResult]
) -> Frequentist | None:
    """Tests of the arm against the control: over everybody, in each segment, and of the other metrics.

    Args:
        found: Where the moments are.
        settings: The question.
        arm, control: The two.
        others: The metrics beside the one that decides.

    Returns:
        None where customers count with weights, or nothing varies.
    """
    if found.propensities is not None:
        return None
    one, base = (found.cells[side, None].all for side in (arm, control))
    try:
        test = welch(one, base, settings.level, relative="log")
    except ModelError:
        return None
    estimate = test.difference, test.standard_error, one.n + base.n
    segments = {
        group: p_value(*(found.cells.get((side, group), Cell()).all for side in (arm, control)))
        for group in found.groups
    }
    metrics = [(settings.metric, test.p_value)] + [(other.metric.metric, other.p) for other in others]
    return Frequentist(
        difference=test.difference,
        interval=test.interval,
        p=test.p_value,
        lift=test.relative,
        lift_interval=test.relative_interval,
        always=always_valid_interval(*estimate, settings.level),
        always_p=always_valid_p_value(*estimate, settings.level),
        segments=_several(list(segments.items())),
        metrics=_several(metrics),
    )


def p_value(arm: Moments, control: Moments) -> float | None:
    """Of no difference between two means; None where there is no test of it."""
    try:
        return welch(arm, control).p_value
    except ModelError:
        return None


def _several(found: Sequence[tuple[str, float | None]]) -> list[PValue]:
    """Those that there are, with their number taken into account; none where there is only one."""
    known = [(name, p) for name, p in found if p is not None]
    if len(known) < 2:
        return []
    values = [p for _, p in known]
    adjusted = zip(known, benjamini_hochberg(values), hochberg(values), strict=True)
    return [PValue(name=name, p=p, rate=rate, any=every) for (name, p), rate, every in adjusted]
