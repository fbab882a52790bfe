"""Checks of what is looked at beside a comparison: groups, other models, days before, delivery, weeks."""

from __future__ import annotations

import numpy as np

from workbench.analyses.checks import SAMPLE_RATIO_ALARM
from workbench.analyses.experiment import Experiment
from workbench.analyses.propensities import ByGroup
from workbench.analyses.timed import UNDER
from workbench.decisions import main_comparison, metric_name, sure
from workbench.locale import say
from workbench.models.adaptive import assignment_p_value
from workbench.models.ratio import design_effect, holds
from workbench.models.sample_ratio import sample_ratio_p_value
from workbench.records import Assignment, Check, EffectSettings, EffectSummary, OtherResult

BEFORE_ALARM = 3.29  # standard errors: once in a thousand tests by chance
TREND_ALARM = 2.58  # once in a hundred
FEWEST_WEEKS = 3
FEW_DELIVERED = 0.5
DELIVERED_TO_CONTROL = 0.01


def beside_checks(found: Experiment, settings: EffectSettings, summary: EffectSummary) -> list[Check]:
    """Checks of what is looked at beside the comparison."""
    made = [
        _sample_ratio_of_groups(found, settings, summary.assignment),
        _ratio(found, settings, summary),
        _models(summary, settings),
        _before(summary),
        _delivered(summary),
        _novelty(summary),
        _excluded(settings),
        *(_guardrail(summary, settings, other) for other in summary.others),
    ]
    return [check for check in made if check is not None]


def _sample_ratio_of_groups(
    found: Experiment, settings: EffectSettings, assignment: Assignment
) -> Check | None:
    """The planned split within each group: eligibility that depends on the arm shows here first."""
    if found.timeline is None or not settings.by or assignment != "random":
        return None
    if found.propensities is not None:
        values = _ratio_by_propensities(found.propensities, found.arms)
    else:
        counts = found.timeline.in_groups
        planned = settings.planned_split or found.planned
        shares = [planned.get(arm, 0.0) for arm in found.arms] if planned else None
        groups = sorted({group for _, group in counts})
        sizes = {group: [counts.get((arm, group), 0) for arm in found.arms] for group in groups}
        values = {group: sample_ratio_p_value(n, shares) for group, n in sizes.items() if sum(n)}
    odd = [group for group, p in values.items() if p < SAMPLE_RATIO_ALARM / len(values)]
    if not odd:
        detail = say("In each of {n:count} groups the arms are as large as planned.", n=len(values))
        return Check(name="sample_ratio_of_groups", status="ok", detail=detail)
    return Check(
        name="sample_ratio_of_groups",
        status="fail",
        detail=say(
            "In {groups:listing} the arms are not as large as planned: who gets in depends on the arm there, "
            "or the attribute changed after the exposure; find out why.",
            groups=odd,
        ),
        count=len(odd),
    )


def _ratio_by_propensities(found: ByGroup, arms: list[str]) -> dict[str, float]:
    groups = sorted({group for _, group in found if group is not None})
    sides = {group: [found[arm, group] for arm in arms if (arm, group) in found] for group in groups}
    return {group: assignment_p_value(side) for group, side in sides.items() if len(side) == len(arms)}


def _ratio(found: Experiment, settings: EffectSettings, summary: EffectSummary) -> Check | None:
    """Whether a ratio can be believed, and how much surer it would look if people were not what is drawn."""
    timeline = found.timeline
    if settings.per is None or timeline is None or timeline.adaptive:
        return None
    everybody = timeline.everybody(UNDER)
    pairs = {arm: everybody[arm, None] for arm in (summary.arm, summary.control)}
    words = {"metric": metric_name(settings.metric, settings.per), "per": metric_name(settings.per)}
    unsteady = [arm for arm, pair in pairs.items() if not holds(pair)]
    if unsteady:
        detail = say(
            "In “{arm}” there is so little of what is divided by ({per}) that its mean may be near nothing, "
            "and {metric} anything; wait for more customers.",
            arm=unsteady[0],
            **words,
        )
        return Check(name="ratio", status="fail", detail=detail)
    effects = [effect for pair in pairs.values() if (effect := design_effect(pair)) is not None]
    if len(effects) < len(pairs):
        return None
    detail = say(
        "Of {metric}, customers are what varies: the interval is {factor:number} times as wide as one that "
        "takes each {per} for a draw of its own.",
        factor=max(effects) ** 0.5,
        **words,
    )
    return Check(name="ratio", status="ok", detail=detail)


def _models(summary: EffectSummary, settings: EffectSettings) -> Check | None:
    """Whether the other models of a mean come to the same decision; one that hangs on them is not ready."""
    if not summary.witnesses:
        return None
    item, edge = main_comparison(summary), sure(settings.level)
    agree = all(
        (item.probability_better >= p) == (one.probability_better >= p)
        for one in summary.witnesses
        for p in (edge, 1 - edge)
    )
    words = {
        "arm": item.arm,
        "one": item.probability_better,
        "others": [say("{p:percent}", p=one.probability_better) for one in summary.witnesses],
    }
    detail = say(
        "Other models agree on “{arm}”: it is better with a probability of {one:percent}; by the others "
        "{others:listing}.",
        **words,
    )
    if not agree:
        detail = say(
            "Other models disagree on “{arm}”: it is better with a probability of {one:percent}, by the "
            "others {others:listing}. A few large values carry the difference; wait for more data.",
            **words,
        )
    return Check(name="models", status="ok" if agree else "warn", detail=detail)


def _before(summary: EffectSummary) -> Check | None:
    gain = summary.gain
    if gain is None or summary.word != "effect":
        return None
    low, high = gain.imbalance_interval
    apart = abs(gain.imbalance) / (high - low) * 4  # in standard errors, near enough
    words = {"days": gain.days, "apart": gain.imbalance, "removed": gain.variance_removed}
    if low <= 0 <= high:
        detail = say(
            "In the {days:count} days before, the arms were alike ({apart:signed_number} standard deviations "
            "apart); adjusting for it would remove {removed:percent} of the variance.",
            **words,
        )
        return Check(name="before", status="ok", detail=detail)
    if apart < BEFORE_ALARM:
        detail = say(
            "In the {days:count} days before, the arms already differed ({apart:signed_number} standard "
            "deviations), as chance will have it once in a while; adjust for it.",
            **words,
        )
        return Check(name="before", status="warn", detail=detail)
    detail = say(
        "In the {days:count} days before, the arms already differed by more than chance explains "
        "({apart:signed_number} standard deviations): the assignment does not hold; find out why.",
        **words,
    )
    return Check(name="before", status="fail", detail=detail)


def _delivered(summary: EffectSummary) -> Check | None:
    found = summary.delivery
    if found is None:
        return None
    share, other = found.shares[found.arm], found.shares[summary.control]
    words = {"arm": found.arm, "share": share, "control": summary.control, "other": other}
    if not share:
        detail = say(
            "The treatment reached nobody in “{arm}”: there is nothing to judge; find out why.", **words
        )
        return Check(name="delivery", status="fail", detail=detail)
    if other > DELIVERED_TO_CONTROL:
        detail = say(
            "The treatment reached {share:percent} of “{arm}”, and {other:percent} of “{control}” as well, "
            "who should not have got it.",
            **words,
        )
        return Check(name="delivery", status="warn", detail=detail)
    detail = say("The treatment reached {share:percent} of the customers in “{arm}”.", **words)
    return Check(name="delivery", status="warn" if share < FEW_DELIVERED else "ok", detail=detail)


def _novelty(summary: EffectSummary) -> Check | None:
    """Whether those who came later show another effect than those who came first."""
    if len(summary.weeks) < FEWEST_WEEKS or summary.word != "effect":
        return None
    value = np.array([week.difference for week in summary.weeks])
    error = np.array([week.difference_interval[1] - week.difference_interval[0] for week in summary.weeks])
    weight = 1 / error**2
    time = np.arange(len(value)) - np.average(np.arange(len(value)), weights=weight)
    slope = float((weight * time * value).sum() / (weight * time**2).sum())
    # an interval of 95 % is 3.92 standard errors wide; whatever the level, this errs on the side of silence
    z = slope * float(np.sqrt((weight * time**2).sum())) * 3.92
    if abs(z) < TREND_ALARM:
        detail = say(
            "The effect is about the same for those who came in each of {n:count} weeks.", n=len(value)
        )
        return Check(name="novelty", status="ok", detail=detail)
    shrinks = slope * float(np.average(value, weights=weight)) < 0
    detail = (
        say(
            "The effect was smaller on those who came later: the news of it may wear off, and what it will "
            "be in the long run is not known yet; keep a group without it."
        )
        if shrinks
        else say(
            "The effect was larger on those who came later; what it will be in the long run is not known yet."
        )
    )
    return Check(name="novelty", status="warn", detail=detail)


def _excluded(settings: EffectSettings) -> Check | None:
    if not settings.excluded:
        return None
    stretches = [say("{first:date} to {last:date}", first=a, last=b) for a, b in settings.excluded]
    detail = say("What happened from {stretches:listing} is left out, in every arm.", stretches=stretches)
    return Check(name="excluded", status="ok", detail=detail)


def _guardrail(summary: EffectSummary, settings: EffectSettings, other: OtherResult) -> Check | None:
    if other.metric.role != "guardrail" or summary.word != "effect":
        return None
    words = {"metric": metric_name(other.metric.metric, other.metric.per), "p": 1 - other.probability_better}
    if other.probability_better <= 1 - sure(settings.level):
        detail = say("The guardrail {metric} gets worse; we are {p:percent} sure.", **words)
        return Check(name="guardrail", status="fail", detail=detail)
    if other.probability_better < 0.5:
        detail = say(
            "The guardrail {metric} may get worse: with a probability of {p:percent}; it is not clear yet.",
            **words,
        )
        return Check(name="guardrail", status="warn", detail=detail)
    detail = say(
        "The guardrail {metric} shows no harm: it gets worse with a probability of {p:percent}.", **words
    )
    return Check(name="guardrail", status="ok", detail=detail)
