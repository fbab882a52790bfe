"""An experiment's answer: cells → posteriors → comparisons → pooling → checks → verdict → record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING

from workbench.analyses import beside
from workbench.analyses import experiment as reading
from workbench.analyses.beside_checks import beside_checks
from workbench.analyses.by_group import by_group, comparison_of, posterior
from workbench.analyses.checks import believed, effect_checks
from workbench.analyses.confirmed import confirm, confirmed_check, describes
from workbench.analyses.consent import consent_checks
from workbench.analyses.experiment import Experiment
from workbench.analyses.frequentist import frequentist
from workbench.analyses.posteriors import Posteriors, rule_rate
from workbench.analyses.protocols import fingerprint_of, protocol_checks
from workbench.analyses.together import ranking, together
from workbench.decisions import effect_verdict
from workbench.errors import WorkbenchError, check_between, check_choice
from workbench.locale import say
from workbench.metrics.cells import Cell
from workbench.models.arms import Arm
from workbench.models.hierarchical import Hierarchy
from workbench.records import (
    ArmResult,
    Check,
    EffectRecord,
    EffectSettings,
    EffectSummary,
    Source,
    Witness,
    Word,
    failures_first,
)

if TYPE_CHECKING:
    from workbench.project import Project


def analyse(
    project: Project,
    settings: EffectSettings,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
    cancel: Event | None = None,
    first: Callable[[EffectRecord], None] | None = None,
) -> EffectRecord:
    """Answer the question in `settings` from the project's tables.

    Args:
        project: Where the tables are.
        settings: The question.
        seed: Of the draws.
        progress: Told the share that is done while PyMC confirms.
        cancel: Stops PyMC once it is set.
        first: Told the answer before other models and the days before have been looked at, where that takes
            another question to the engine.

    Raises:
        DataError: when the experiment, metric, group or control is not there.
        ModelError: when an arm is too small to say anything at all, or what PyMC samples fails its checks.
        WorkbenchError: when a setting is out of its range.
    """
    _check(settings)
    found = reading.read(project, settings)
    control = _control(found, settings)
    assignment = believed(found.recorded, settings.assignment)
    word: Word = "effect" if assignment == "random" else "association"
    checks = [*effect_checks(found, settings, control), *consent_checks(project, "exposures")]
    own = {name: posterior(found, found.cells.get((name, None), Cell()), settings) for name in found.arms}
    posteriors = Posteriors(own, control, settings)
    probability, losses = posteriors.best()
    spoken = _spoken(found, settings, control, probability)
    results = posteriors.comparisons()
    comparisons = [
        comparison_of(found, word, (name, control), None, result, spoken=name == spoken)
        for name, result in results.items()
    ]
    claims, ranked, confirmation, sampled = None, None, None, list[Witness]()
    if found.groups:
        segments, notes, pooled = by_group(found, settings, word, spoken, control)
        drawn: Hierarchy | None = None
        if settings.confirm:
            segments, confirmation, more, drawn = confirm(found, settings, segments, seed, progress, cancel)
            sampled += more
            notes.append(confirmed_check(segments, confirmation, settings.level))
            drawn = drawn if describes(confirmation) else None
        claims = together(settings, segments, pooled, drawn)
        ranked = ranking(found, settings, segments, pooled, word, drawn)
        comparisons += segments
        checks += notes
    others = beside.others(project, settings, spoken, control)
    summary = EffectSummary(
        metric=settings.metric,
        kind=found.kind,
        unit=found.unit,
        control=control,
        assignment=assignment,
        word=word,
        arms=[
            _arm(found, settings, name, posteriors.arm(name), probability[name], losses[name]) for name in own
        ],
        comparisons=comparisons,
        probability_best={name: probability[name] for name in own},
        customers=sum(found.cells.get((name, None), Cell()).all.n for name in own),
        arm=spoken,
        witnesses=sampled,
        weeks=beside.weeks(project, found, settings, spoken, control),
        delivery=beside.delivery(found, settings, spoken, control),
        others=others,
        prior=posteriors.prior(spoken),
        rule=rule_rate(found.kind, found.cells[spoken, None].all, found.cells[control, None].all, settings),
        confirmation=confirmation,
        together=claims,
        ranking=ranked,
        frequentist=frequentist(found, settings, spoken, control, others),
        factorial=beside.factorial(settings, own, control),
    )
    checks += protocol_checks(project, found, settings)
    if first is not None and not beside.at_hand(found):
        first(_record(project, found, settings, summary, checks, seed))
    witnesses = beside.witnesses(found, settings, spoken, control)
    gain = beside.gain(found, settings, spoken, control)
    summary = summary.model_copy(update={"witnesses": witnesses + sampled, "gain": gain})
    return _record(project, found, settings, summary, checks, seed)


def _record(
    project: Project,
    found: Experiment,
    settings: EffectSettings,
    summary: EffectSummary,
    checks: Sequence[Check],
    seed: int,
) -> EffectRecord:
    """The verdict by all checks, and everything that belongs to it."""
    checks = failures_first([*checks, *beside_checks(found, settings, summary)])
    outcome, verdict = effect_verdict(summary, settings, checks)
    return EffectRecord(
        project=project.header,
        source=Source(
            fingerprints=project.fingerprints(*found.tables) | fingerprint_of(project, settings.experiment),
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


def _spoken(
    found: Experiment, settings: EffectSettings, control: str, probability: Mapping[str, float]
) -> str:
    """The arm to speak of: the one asked for, or of those that are not the control the likeliest best."""
    others = [name for name in found.arms if name != control]
    if settings.arm is not None:
        return check_choice(settings.arm, others, say("arm"))
    return max(others, key=lambda name: probability[name])


def _check(settings: EffectSettings) -> None:
    check_between(settings.level, 0.5, 1, say("level"), open_low=True, open_high=True)
    check_between(settings.window_days, 1, 3650, say("number of days in the window"))
    check_between(settings.rope, 0, 1, say("smallest lift that matters"), open_high=True)
    check_between(min(settings.prior), 0, 1e9, say("prior"), open_low=True)
    check_between(settings.from_day, 0, settings.window_days, say("first day that counts"), open_high=True)
    check_between(settings.quantile, 0, 1, say("quantile"), open_low=True, open_high=True)
    check_between(settings.before_days, 0, 3650, say("number of days before"))
    if settings.adjust and (
        settings.per is not None or settings.statistic != "mean" or not settings.before_days
    ):
        raise WorkbenchError(
            "What they did before is taken out of means only, and needs days before that are compared; "
            "a ratio, a quantile or a mean with the largest values cut cannot be adjusted."
        )
    if settings.per is not None and settings.statistic != "mean":
        raise WorkbenchError(
            "Only the ratio itself of a divided metric is computed, no quantile and nothing cut."
        )
    if settings.confirm and settings.by is None:
        raise WorkbenchError("PyMC confirms the effects by group; say what to split by.")


def _control(found: Experiment, settings: EffectSettings) -> str:
    if settings.control is not None:
        return check_choice(settings.control, found.arms, say("arm"))
    return found.control or reading.control_of(found.arms)


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


def _moment(found: Experiment, end: int) -> datetime | None:
    return datetime.fromtimestamp(found.seconds[end], UTC) if found.seconds else None
