"""Two groups that were not made at random: overlap → balance → ladder → placebo → hidden causes → sentence.

People are asked about first: when they were assigned at random, the effect lab's results answer, not this.
Otherwise nothing here is an effect, and where groups cannot be compared there is a sentence and no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from workbench.analyses import effect
from workbench.analyses.checks import believed
from workbench.analyses.consent import consent_checks
from workbench.analyses.followed import Followed, read
from workbench.analyses.not_random_checks import checks_of, first_checks_of
from workbench.analyses.second_opinion import second_opinion
from workbench.analyses.two_groups import values
from workbench.decisions import amount, change, main_comparison, metric_name
from workbench.errors import ModelError, WorkbenchError
from workbench.locale import Message, say
from workbench.models import sensitivity
from workbench.models.adjustment import Means, People
from workbench.models.instrument import per_moved
from workbench.models.overlap import Adjustment, Answer, adjust
from workbench.records import (
    Association,
    AssociationRecord,
    AssociationSummary,
    Check,
    Comparison,
    EffectRecord,
    EffectSettings,
    NotRandomSettings,
    Refused,
    Source,
    failures_first,
)
from workbench.records.association import (
    BalanceLine,
    Encouraged,
    Group,
    KnownCause,
    LostLevel,
    OverlapShape,
    Placebo,
    Randomised,
    Rung,
    Sensitivity,
    Step,
    Strength,
)
from workbench.report.association import covariate_name

if TYPE_CHECKING:
    from workbench.project import Project


def analyse(project: Project, settings: NotRandomSettings, seed: int = 0) -> AssociationRecord:
    """Answer the question in `settings` from the project's tables.

    Args:
        project: Where the tables are.
        settings: The question.
        seed: Of the second opinion; nothing else is drawn.

    Raises:
        DataError: when the treatment, the metric, a covariate or a date is not there.
        ModelError: when a group is too small to begin with.
        WorkbenchError: when a setting is out of its range.
    """
    found = read(project, settings)
    assignment = believed(found.recorded, settings.assignment)
    groups = [Group(who=who, customers=n) for who, n in zip(found.who, found.sizes, strict=True)]
    asked: dict[str, Any] = {
        "assignment": assignment,
        "kind": found.kind,
        "unit": found.unit,
        "groups": groups,
        "period": found.period,
        "left_out": found.left_out,
        "covariates": found.covariates,
    }

    def record(summary: AssociationSummary, verdict: Message, checks: Sequence[Check]) -> AssociationRecord:
        return AssociationRecord(
            project=project.header,
            source=Source(
                fingerprints=project.fingerprints(*found.tables),
                first=_moment(found, 0),
                until=_moment(found, 1),
            ),
            seed=seed,
            checks=failures_first(checks),
            settings=settings,
            summary=summary,
            verdict=verdict,
        )

    first_checks = first_checks_of(found, settings, assignment)
    if assignment == "random":
        chance = _by_chance(settings)
        return record(AssociationSummary(**asked, answer=Refused(reason=chance)), chance, first_checks)
    adjusted = adjust(found.people, _titles(found))
    answers = {name: _answer(one, adjusted.people, settings) for name, one in adjusted.answers.items()}
    answer = answers[settings.target]
    placebo = None if found.before is None else _placebo(found.before, found, settings)
    checks = [*first_checks, *checks_of(found, settings, adjusted, answer, placebo)]
    summary = AssociationSummary(
        **asked,
        overlap=_overlap(adjusted),
        comparable=None if adjusted.people is None else adjusted.people.sizes,
        lost=[
            LostLevel(covariate=one.covariate, level=one.level, treated=one.treated, control=one.control)
            for one in adjusted.lost
        ],
        balance=[
            BalanceLine(
                covariate=one.covariate,
                level=one.level,
                before=one.before,
                after=one.after,
                customers=one.customers,
            )
            for one in adjusted.answers[settings.target].balance
        ],
        ladder=_ladder(project, found, adjusted, answers, settings, seed),
        answer=answer,
        placebo=placebo,
        sensitivity=_sensitivity(adjusted, answer, found, settings),
    )
    verdict = _sentence(found, settings, adjusted.seen, answer, placebo)
    return record(summary, verdict, [*checks, *consent_checks(project, found.main_table)])


def _titles(found: Followed) -> dict[str, Message]:
    return {name: covariate_name(name) for name in found.covariates}


def _moment(found: Followed, end: int) -> datetime | None:
    return datetime.fromtimestamp(found.seconds[end], UTC) if found.seconds else None


def _by_chance(settings: NotRandomSettings) -> Message:
    """Why this is not the place for people who were assigned at random."""
    if settings.treatment == "experiment":
        return say(
            "These people were assigned at random, so there is nothing to adjust: the results of the "
            "experiment say what the effect is."
        )
    return say(
        "If it was left to chance who had it, load who was assigned to what as exposures; then the results "
        "of the experiment say what the effect is."
    )


# --- numbers --------------------------------------------------------------------------------------------


def _association(
    means: Means, people: People, level: float, effective: tuple[float, float] | None = None
) -> Association:
    ratio = means.ratio(level)
    return Association(
        treated=means.treated,
        control=means.control,
        difference=means.difference,
        sd=means.sd,
        interval=means.interval(level),
        ratio=None if ratio is None else ratio[0],
        ratio_interval=None if ratio is None else ratio[1:],
        customers=people.sizes,
        effective=effective,
    )


def _answer(one: Answer, people: People | None, settings: NotRandomSettings) -> Association | Refused:
    if one.refused is not None:
        return Refused(reason=one.refused)
    assert one.means is not None
    assert people is not None
    return _association(one.means, people, settings.level, one.effective)


def _overlap(adjusted: Adjustment) -> OverlapShape:
    shape = adjusted.overlap
    return OverlapShape(
        edges=shape.edges.tolist(),
        treated=[round(n) for n in shape.treated],
        control=[round(n) for n in shape.control],
        alone=shape.alone,
    )


def _placebo(before: People, found: Followed, settings: NotRandomSettings) -> Placebo | None:
    """The same comparison of what was before; None when there are too few to compare."""
    try:
        adjusted = adjust(before, _titles(found))
    except ModelError:
        return None
    return Placebo(
        about=found.about,
        seen=_association(adjusted.seen, before, settings.level),
        answer=_answer(adjusted.answers[settings.target], adjusted.people, settings),
    )


def _ladder(
    project: Project,
    found: Followed,
    adjusted: Adjustment,
    answers: dict[str, Association | Refused],
    settings: NotRandomSettings,
    seed: int,
) -> list[Step]:
    """From the groups as they are to the randomised experiment."""
    steps = [Step(rung="seen", answer=_association(adjusted.seen, found.people, settings.level))]
    if adjusted.people is not None:
        rungs: list[tuple[Rung, Means | None]] = [("regression", adjusted.regression)]
        if adjusted.people.sizes != found.people.sizes:
            rungs.insert(0, ("comparable", adjusted.kept))
        steps += [
            Step(rung=rung, answer=_association(means, adjusted.people, settings.level))
            for rung, means in rungs
            if means is not None
        ]
    steps += [Step(rung=rung, answer=answers[rung]) for rung in ("overlap", "treated", "everybody")]
    if settings.second_opinion:
        steps.append(Step(rung="doubleml", answer=_second(project, found, adjusted, settings, seed)))
    if found.encouraged is not None:
        steps.append(Step(rung="encouraged", answer=_encouraged(found, settings)))
    if settings.randomised is not None:
        steps.append(Step(rung="randomised", answer=_randomised(project, settings)))
    return steps


def _second(
    project: Project, found: Followed, adjusted: Adjustment, settings: NotRandomSettings, seed: int
) -> Association | Refused:
    if adjusted.people is None:
        return Refused(reason=say("Nobody can be compared, by any method."))
    everybody = settings.target == "everybody"
    try:
        return second_opinion(
            project.engine, found, adjusted.people, settings.level, everybody=everybody, seed=seed
        )
    except WorkbenchError as error:
        return Refused(reason=error.message)


def _encouraged(found: Followed, settings: NotRandomSettings) -> Encouraged | Refused:
    assert found.encouraged is not None
    try:
        moved = per_moved(*found.encouraged)
    except ModelError as error:
        return Refused(reason=error.message)
    return Encouraged(
        intention=moved.intention,
        intention_interval=moved.intention_interval(settings.level),
        moved=moved.moved,
        strength=moved.strength,
        difference=moved.effect,
        interval=moved.interval(settings.level),
    )


def _randomised(project: Project, settings: NotRandomSettings) -> Randomised | Refused:
    """The same arms of the randomised experiment, where it has arms of these names."""
    name = settings.randomised or ""
    try:
        arms = values(project.engine, settings.model_copy(update={"treatment": "experiment", "name": name}))
        asked = EffectSettings(
            experiment=name,
            metric=settings.metric,
            control=settings.control if settings.control in arms else None,
            window_days=settings.window_days,
            level=settings.level,
            planned_split=settings.planned_split,
        )
        record = effect.analyse(project, asked)
    except WorkbenchError as error:
        return Refused(reason=error.message)
    if record.summary.word != "effect":
        return Refused(reason=say("“{name}” does not say that people were assigned at random.", name=name))
    if record.failed:
        return Refused(reason=record.failed[0].detail)
    item = _comparison(record, settings)
    return Randomised(
        experiment=name,
        treated=item.arm_mean,
        control=item.control_mean,
        difference=item.difference,
        sd=item.difference_sd,
        interval=item.difference_interval,
    )


def _comparison(record: EffectRecord, settings: NotRandomSettings) -> Comparison:
    """That of the arm that is asked about; of the best arm where there is none of its name."""
    for item in record.summary.comparisons:
        if item.segment is None and item.arm == settings.arm:
            return item
    return main_comparison(record.summary)


def _sensitivity(
    adjusted: Adjustment, answer: Association | Refused, found: Followed, settings: NotRandomSettings
) -> Sensitivity | None:
    people = adjusted.people
    if people is None or isinstance(answer, Refused) or not people.sd:
        return None
    try:
        linear = sensitivity.regress(people)
    except ModelError:
        return None
    ratio, interval = answer.ratio, answer.ratio_interval
    if found.kind != "binary" or ratio is None or interval is None:
        ratio, low, high = (
            sensitivity.ratio_of_difference(value, people.sd)
            for value in (answer.difference, *answer.interval)
        )
        interval = (low, high)
    strongest = sensitivity.strongest_level(people)
    return Sensitivity(
        ratio=ratio,
        e_value=sensitivity.e_value(ratio),
        e_value_interval=sensitivity.e_value_of_interval(*interval),
        robustness=linear.robustness(),
        robustness_interval=linear.robustness(settings.level),
        linear=(linear.estimate, linear.se),
        benchmarks=[
            Strength(
                covariate=one.covariate,
                treatment=one.treatment,
                outcome=one.outcome,
                corrected=one.corrected,
            )
            for one in linear.benchmarks
        ],
        strongest=None
        if strongest is None
        else KnownCause(
            covariate=strongest.covariate,
            level=strongest.level,
            imbalance=strongest.imbalance,
            outcome_difference=strongest.outcome_difference,
        ),
        outcome_sd=people.sd,
    )


# --- words ----------------------------------------------------------------------------------------------


def _sentence(
    found: Followed,
    settings: NotRandomSettings,
    seen: Means,
    answer: Association | Refused,
    placebo: Placebo | None,
) -> Message:
    """What is seen, what is left of it between people who are alike, and that it is no effect."""
    more = seen.difference >= 0
    values = {
        "metric": metric_name(settings.metric),
        "first": found.who[0] if more else found.who[1],
        "other": found.who[1] if more else found.who[0],
        "one": amount(found.unit, seen.treated if more else seen.control),
        "two": amount(found.unit, seen.control if more else seen.treated),
    }
    lead = say(
        "Seen as they are, {metric} is higher among {first} than among {other}: {one} against {two}.",
        **values,
    )
    if found.kind == "binary":
        lead = say(
            "Seen as they are, {metric} is more frequent among {first} than among {other}: {one} against "
            "{two}.",
            **values,
        )
    if isinstance(answer, Refused):
        return say("{lead} {reason}", lead=lead, reason=answer.reason)
    low, high = answer.interval
    parts: Sequence[Message] = [
        lead,
        say(
            "Between people who are alike the difference is {difference}, from {low} to {high}.",
            difference=change(found.unit, answer.difference),
            low=change(found.unit, low),
            high=change(found.unit, high),
        ),
        say("That is an association, not an effect."),
    ]
    if placebo is not None and isinstance(placebo.answer, Association) and excludes_zero(placebo.answer):
        parts = [
            *parts,
            say("Do not lean on it: the same comparison finds a difference where there can be none."),
        ]
    return say("{parts:sentences}", parts=list(parts))


def excludes_zero(answer: Association) -> bool:
    """Whether the interval lies on one side of nothing."""
    low, high = answer.interval
    return low > 0 or high < 0
