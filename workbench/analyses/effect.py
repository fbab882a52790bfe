"""An experiment's answer: cells → posteriors → comparisons → pooling → checks → verdict → record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from workbench.analyses import experiment as reading
from workbench.analyses.checks import believed, effect_checks
from workbench.analyses.consent import consent_checks
from workbench.analyses.experiment import Experiment
from workbench.decisions import effect_verdict, sure
from workbench.errors import ModelError, check_between, check_choice
from workbench.locale import Message, say
from workbench.metrics.cells import Cell
from workbench.models import comparison as compared
from workbench.models.arms import Arm, binary_arm, hurdle_arm, mean_arm
from workbench.models.comparison import best, compare
from workbench.models.pooling import PooledEffect, pool_segments
from workbench.records import (
    ArmResult,
    Check,
    Comparison,
    Density,
    EffectRecord,
    EffectSettings,
    EffectSummary,
    Pooled,
    Source,
    Word,
    failures_first,
)

if TYPE_CHECKING:
    from workbench.project import Project


def analyse(project: Project, settings: EffectSettings, seed: int = 0) -> EffectRecord:
    """Answer the question in `settings` from the project's tables.

    Raises:
        DataError: when the experiment, metric, group or control is not there.
        ModelError: when an arm is too small to say anything at all.
        WorkbenchError: when a setting is out of its range.
    """
    _check(settings)
    found = reading.read(project, settings)
    control = _control(found, settings)
    assignment = believed(found.recorded, settings.assignment)
    word: Word = "effect" if assignment == "random" else "association"
    checks = [*effect_checks(found, settings, control), *consent_checks(project, "exposures")]
    arms = {name: _posterior(found, found.cells.get((name, None), Cell()), settings) for name in found.arms}
    comparisons = [
        _compare(found, settings, word, name, control, None, arms[name], arms[control])
        for name in arms
        if name != control
    ]
    if found.groups:
        for name in arms:
            if name != control:
                segments, check = _segments(found, settings, word, name, control)
                comparisons += segments
                checks += [check] if check else []
    probability, losses = best(list(arms.values()), settings.lower_is_better)
    summary = EffectSummary(
        metric=settings.metric,
        kind=found.kind,
        unit=found.unit,
        control=control,
        assignment=assignment,
        word=word,
        arms=[
            _arm(found, settings, name, arm, float(probability[index]), float(losses[index]))
            for index, (name, arm) in enumerate(arms.items())
        ],
        comparisons=comparisons,
        probability_best=dict(zip(arms, (float(p) for p in probability), strict=True)),
        customers=sum(found.cells.get((name, None), Cell()).all.n for name in arms),
    )
    if found.kind == "mean":
        checks += [check for item in comparisons if (check := _second_model(found, settings, item))]
    checks = failures_first(checks)
    outcome, verdict = effect_verdict(summary, settings, checks)
    return EffectRecord(
        project=project.header,
        source=Source(
            fingerprints=project.fingerprints(*found.tables),
            first=_moment(found, 0),
            until=_moment(found, 1),
        ),
        seed=seed,
        checks=checks,
        definitions=found.rules,
        settings=settings,
        summary=summary,
        outcome=outcome,
        verdict=verdict,
    )


def _check(settings: EffectSettings) -> None:
    check_between(settings.level, 0.5, 1, say("level"), open_low=True, open_high=True)
    check_between(settings.window_days, 1, 3650, say("number of days in the window"))
    check_between(settings.rope, 0, 1, say("smallest lift that matters"), open_high=True)
    check_between(min(settings.prior), 0, 1e9, say("prior"), open_low=True)


def _control(found: Experiment, settings: EffectSettings) -> str:
    if settings.control is not None:
        return check_choice(settings.control, found.arms, say("arm"))
    return reading.control_of(found.arms)


def _posterior(found: Experiment, cell: Cell, settings: EffectSettings) -> Arm:
    if found.kind == "binary":
        return binary_arm(cell.all, settings.prior)
    return mean_arm(cell.all)


def _arm(
    found: Experiment, settings: EffectSettings, name: str, arm: Arm, probability: float, loss: float
) -> ArmResult:
    cell = found.cells[name, None]
    low, high = (float(x) for x in arm.ppf([(1 - settings.level) / 2, (1 + settings.level) / 2]))
    known = found.kind == "mean" and cell.positive.n > 0
    return ArmResult(
        arm=name,
        n=cell.all.n,
        total=cell.all.total,
        mean=cell.all.mean,
        sd=arm.sd,
        interval=(low, high),
        probability_best=probability,
        expected_loss=loss,
        buyers=cell.positive.n if known else None,
        value_per_buyer=cell.positive.mean if known else None,
    )


def _compare(
    found: Experiment,
    settings: EffectSettings,
    word: Word,
    name: str,
    control: str,
    segment: str | None,
    arm: Arm,
    base: Arm,
) -> Comparison:
    zone = (-settings.rope, settings.rope) if settings.rope else None
    result = compare(arm, base, settings.level, zone, "lift", settings.lower_is_better)
    cells = found.cells[name, segment], found.cells[control, segment]
    return Comparison(
        arm=name,
        control=control,
        segment=segment,
        n=cells[0].all.n + cells[1].all.n,
        arm_mean=cells[0].all.mean,
        control_mean=cells[1].all.mean,
        difference=result.difference,
        difference_sd=result.difference_sd,
        difference_interval=result.difference_interval,
        lift=result.lift,
        lift_interval=result.lift_interval,
        probability_better=result.probability_better,
        expected_loss=result.expected_loss,
        expected_loss_control=result.expected_loss_control,
        rope=result.rope,
        density=_density(result) if segment is None else None,
        word=word,
    )


def _second_model(found: Experiment, settings: EffectSettings, item: Comparison) -> Check | None:
    """The same comparison from who buys and what a buyer is worth; for metrics with zeros, without negatives.

    The Student-t posterior of the mean leans on the central limit theorem, the hurdle on buyers being alike;
    a decision that hangs on which of them one takes is not ready.
    """
    if item.segment is not None:
        return None
    cells = [found.cells[name, None] for name in (item.arm, item.control)]
    for cell in cells:
        if not 4 <= cell.positive.n < cell.all.n or cell.positive.total > cell.all.total * (1 + 1e-9):
            return None
    try:
        arm, base = (hurdle_arm(cell.all, cell.positive) for cell in cells)
    except ModelError:  # every buyer spent the same: there is no second model
        return None
    other = compare(arm, base, settings.level, lower_is_better=settings.lower_is_better).probability_better
    edge = sure(settings.level)
    agree = all((item.probability_better >= p) == (other >= p) for p in (edge, 1 - edge))
    text = say(
        "Two models, of the mean and of buyers and what they spend, agree on “{arm}”: it is better with a "
        "probability of {one:percent} and {other:percent}.",
        arm=item.arm,
        one=item.probability_better,
        other=other,
    )
    if not agree:
        text = say(
            "Two models, of the mean and of buyers and what they spend, disagree on “{arm}”: it is better "
            "with a probability of {one:percent} or {other:percent}. A few large orders carry the "
            "difference; wait for more data.",
            arm=item.arm,
            one=item.probability_better,
            other=other,
        )
    return Check(name="two_models", status="ok" if agree else "warn", detail=text)


def _density(result: compared.Comparison) -> Density:
    x, y = result.density()
    return Density(x=x.tolist(), y=y.tolist(), dots=result.dots().tolist())


def _segments(
    found: Experiment, settings: EffectSettings, word: Word, name: str, control: str
) -> tuple[list[Comparison], Check | None]:
    """Each segment as seen, and partially pooled towards the effect over all of them."""
    cells = {
        group: (found.cells.get((control, group), Cell()).all, found.cells.get((name, group), Cell()).all)
        for group in found.groups
    }
    try:
        pooled: tuple[PooledEffect | Message, ...] = pool_segments(
            found.kind,
            [before for before, _ in cells.values()],
            [after for _, after in cells.values()],
            level=settings.level,
            lower_is_better=settings.lower_is_better,
        ).segments
    except ModelError as error:
        pooled = tuple(error.message for _ in cells)
    items: list[Comparison] = []
    small: list[str] = []
    for group, part in zip(cells, pooled, strict=True):
        if isinstance(part, Message):
            small.append(group)
            continue
        arm, base = (_posterior(found, found.cells[side, group], settings) for side in (name, control))
        item = _compare(found, settings, word, name, control, group, arm, base)
        drawn = Pooled(
            difference=part.difference,
            difference_interval=part.difference_interval,
            lift=part.lift,
            lift_interval=part.lift_interval,
            probability_better=part.probability_better,
            probability_above_overall=part.probability_above_overall,
        )
        items.append(item.model_copy(update={"pooled": drawn}))
    if not small:
        return items, None
    return items, Check(
        name="small_segments",
        status="warn",
        detail=say(
            "{n:count} segments have too few customers in one of the arms to say anything: {names:listing}.",
            n=len(small),
            names=small,
        ),
    )


def _moment(found: Experiment, end: int) -> datetime | None:
    return datetime.fromtimestamp(found.seconds[end], UTC) if found.seconds else None
