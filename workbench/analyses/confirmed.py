"""The effects by group once more: by PyMC's sampler, from the cells and with their exact likelihood.

For shares it is the hierarchy that `by_group` has pooled in closed form, so both should say the same. For
sums that many customers have none of, such as revenue, it is another model: who buys, and what a buyer is
worth, each with its own effects by group; where the two part, a few large values decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event

from scipy.special import bdtr, ndtri

from workbench.analyses.by_group import pooled_of
from workbench.analyses.experiment import Experiment
from workbench.errors import ModelError
from workbench.locale import say
from workbench.models.hierarchical import PREDICTED, Hierarchy, sample_hurdle, sample_shares
from workbench.models.pooling import Effect
from workbench.records import Check, Comparison, Confirmation, EffectSettings, Witness

GRAINS_AGREE = 0.5
"""Posterior standard deviations that two models of one group's effect may lie apart."""
_PREDICTED_ALARM = 0.01

Progress = Callable[[float], None]


def confirm(
    found: Experiment,
    settings: EffectSettings,
    items: Sequence[Comparison],
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> tuple[list[Comparison], Confirmation, list[Witness], Hierarchy]:
    """What PyMC's sampler says of the groups.

    Args:
        found: Where the cells are.
        settings: The question.
        items: One comparison a group, all of the same two arms.
        seed: Of the chains.
        progress: Told the share that is done, from another thread.
        cancel: Stops the sampler once it is set.

    Returns:
        The comparisons with `confirmed`, what is to be known of the sampler, for means the effect over all
        groups as a witness, and what was sampled, the groups in the order of the comparisons.

    Raises:
        ModelError: when the model is not one of this metric, the sampler's checks fail, or it was stopped.
    """
    result = _sampled(found, settings, items, seed, progress, cancel)
    confirmed = [
        item.model_copy(update={"confirmed": pooled_of(part)})
        for item, part in zip(items, result.segments, strict=True)
    ]
    about = Confirmation(
        tau=result.tau,
        tau_value=result.tau_value,
        inside=result.inside,
        cells=result.cells,
        rhat=result.checks["rhat"],
        ess=result.checks["ess"],
    )
    return confirmed, about, [] if found.kind == "binary" else [_witness(result.everybody)], result


def _sampled(
    found: Experiment,
    settings: EffectSettings,
    items: Sequence[Comparison],
    seed: int,
    progress: Progress | None,
    cancel: Event | None,
) -> Hierarchy:
    if not items:
        raise ModelError(
            "There is no group with enough customers in both arms, so there is nothing to confirm."
        )
    sides = [[found.cells[name, item.segment] for item in items] for name in (items[0].control, items[0].arm)]
    level, lower = settings.level, settings.lower_is_better
    if found.kind == "binary":
        control, arm = ([cell.all for cell in side] for side in sides)
        return sample_shares(control, arm, level, lower, seed=seed, progress=progress, cancel=cancel)
    if not all(cell.positive.n or not cell.all.total for side in sides for cell in side):
        raise ModelError(
            "PyMC can confirm shares, and plain means of what customers have none or some of; not ratios, "
            "nor means that are cut or adjusted."
        )
    before, after = ([(cell.all, cell.positive) for cell in side] for side in sides)
    return sample_hurdle(before, after, level, lower, seed=seed, progress=progress, cancel=cancel)


def _witness(everybody: Effect) -> Witness:
    return Witness(
        name="hierarchical",
        difference=everybody.difference,
        difference_interval=everybody.difference_interval,
        probability_better=everybody.probability_better,
    )


def describes(about: Confirmation) -> bool:
    """Whether the cells lie about as often where the sampled model foretells them as it says."""
    return bool(bdtr(about.inside, about.cells, PREDICTED) >= _PREDICTED_ALARM)


def confirmed_check(items: Sequence[Comparison], about: Confirmation, level: float) -> Check:
    """How far the two models of the groups lie apart, and whether the sampled one describes the cells."""
    width = 2 * float(ndtri((1 + level) / 2))
    gaps = {
        item.segment or "": abs(item.confirmed.difference - item.pooled.difference)
        / ((item.pooled.difference_interval[1] - item.pooled.difference_interval[0]) / width)
        for item in items
        if item.pooled is not None and item.confirmed is not None
    }
    share = about.inside / about.cells
    if not describes(about):
        detail = say(
            "Only {share:whole_percent} of the cells lie where PyMC's model foretells "
            "{band:whole_percent} of them: it does not describe these groups; do not read them one by one.",
            share=share,
            band=PREDICTED,
        )
        return Check(name="confirmed", status="warn", detail=detail)
    if not gaps:
        detail = say(
            "The groups' effects have no closed form here; they are PyMC's. {share:whole_percent} of the "
            "cells lie where its model foretells {band:whole_percent} of them.",
            share=share,
            band=PREDICTED,
        )
        return Check(name="confirmed", status="ok", detail=detail)
    worst = max(gaps, key=lambda name: gaps[name])
    words = {"gap": gaps[worst], "group": worst, "share": share, "band": PREDICTED}
    if gaps[worst] <= GRAINS_AGREE:
        detail = say(
            "PyMC's sampler agrees on the groups: the largest gap is {gap:number} standard deviations "
            "({group}), and {share:whole_percent} of the cells lie where it foretells {band:whole_percent} "
            "of them.",
            **words,
        )
        return Check(name="confirmed", status="ok", detail=detail)
    detail = say(
        "PyMC's sampler puts the effect in {group} {gap:number} standard deviations away from the pooled "
        "one: few customers or a few large values decide there; believe neither until there are more.",
        **words,
    )
    return Check(name="confirmed", status="warn", detail=detail)
