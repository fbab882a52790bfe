"""From a posterior to a decision, and the one sentence that says it.

One posterior, one level: with intervals of 95 %, "sure" means a probability of at least 97.5 %, so that the
sentence and the interval can never contradict each other. Three outcomes only: adopt, drop, keep measuring.
Without random assignment there is no decision, only a description; a failed check withholds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from workbench.locale import Message, say
from workbench.records import (
    Assignment,
    Check,
    Comparison,
    EffectSettings,
    EffectSummary,
    ValueDifference,
    ValueSettings,
    ValueSummary,
)

Outcome = Literal["adopt", "drop", "keep_measuring", "withheld", "describe"]
Unit = Literal["share", "money", "number"]


def sure(level: float) -> float:
    """The probability from which on we are sure, for intervals of this level.

    >>> sure(0.95)
    0.975
    """
    return 1 - (1 - level) / 2


def amount(unit: Unit, value: float) -> Message:
    """A value in the metric's unit."""
    if unit == "share":
        return say("{value:share}", value=value)
    return say("{value:money}", value=value) if unit == "money" else say("{value:number}", value=value)


def change(unit: Unit, value: float) -> Message:
    """A difference in the metric's unit, signed."""
    if unit == "share":
        return say("{value:points} points", value=value)
    if unit == "money":
        return say("{value:signed_money}", value=value)
    return say("{value:signed_number}", value=value)


def loss(unit: Unit, value: float) -> Message:
    """What a wrong choice costs, in the metric's unit."""
    if unit == "share":
        return say("{value:size_points} points", value=value)
    return amount(unit, value)


def metric_name(metric: str, per: str | None = None) -> Message:
    """A metric as a reader calls it; an outcome keeps the name that its file gave it."""
    if per is not None:
        return say("{metric} / {per}", metric=metric_name(metric), per=metric_name(per))
    known = {
        "conversion": say("conversion"),
        "revenue": say("revenue"),
        "orders": say("orders placed"),
        "repeat": say("second order"),
        "stays": say("pages looked at"),
        "seconds": say("seconds on pages"),
    }
    kind, _, name = metric.partition(":")
    if name and kind == "event":
        return say("“{name}” per customer", name=name)
    if name and kind == "any":
        return say("at least one “{name}”", name=name)
    return known.get(metric) or say("{name}", name=metric)


def main_comparison(summary: EffectSummary) -> Comparison:
    """Over everybody, the arm that is spoken of."""
    return next(item for item in summary.comparisons if item.segment is None and item.arm == summary.arm)


def main_difference(summary: ValueSummary) -> ValueDifference:
    """The one to speak of: the best arm against the control, or the most against the least valuable group."""
    return max(summary.differences, key=lambda item: item.mean)


def effect_verdict(
    summary: EffectSummary, settings: EffectSettings, checks: Sequence[Check]
) -> tuple[Outcome, Message]:
    """What to do about an experiment, and the sentence that says so."""
    failed = [check for check in checks if check.status == "fail"]
    if failed:
        return "withheld", say("No verdict. {reason}", reason=failed[0].detail)
    best = main_comparison(summary)
    up, down = _lead(summary, best)
    if summary.word == "association":
        lead = up if best.difference > 0 else down
        return "describe", _association(lead, summary.assignment)
    threshold = sure(settings.level)
    if best.rope is not None and best.rope[1] >= threshold:
        return "drop", say(
            "“{arm}” and “{control}” are practically the same: {arm_mean} against {control_mean}. "
            "We are {p:percent} sure that the difference is too small to matter.",
            **_means(summary, best),
            p=best.rope[1],
        )
    if best.probability_better >= threshold:
        return "adopt", say(
            "{lead} We are {p:percent} sure; the expected loss of adopting it is {loss} per customer.",
            lead=down if settings.lower_is_better else up,
            p=best.probability_better,
            loss=loss(summary.unit, best.expected_loss),
        )
    if best.probability_better <= 1 - threshold:
        return "drop", say(
            "{lead} We are {p:percent} sure; the expected loss of adopting it is {loss} per customer.",
            lead=up if settings.lower_is_better else down,
            p=1 - best.probability_better,
            loss=loss(summary.unit, best.expected_loss),
        )
    low, high = best.difference_interval
    return "keep_measuring", say(
        "No clear difference yet between “{arm}” and “{control}”: {arm_mean} against {control_mean}. "
        "It lies between {low} and {high} ({level:whole_percent}); keep measuring.",
        **_means(summary, best),
        low=change(summary.unit, low),
        high=change(summary.unit, high),
        level=settings.level,
    )


def value_verdict(summary: ValueSummary, settings: ValueSettings, checks: Sequence[Check]) -> Message:
    """The sentence about lifetime value."""
    failed = [check for check in checks if check.status == "fail"]
    if failed:
        return say("No verdict. {reason}", reason=failed[0].detail)
    if summary.differences:
        return _value_difference(summary, settings, main_difference(summary))
    whole = summary.value[0]
    values = {
        "value": whole.mean,
        "when": value_horizon(settings),
        "low": whole.interval[0],
        "high": whole.interval[1],
    }
    if settings.definition == "net":
        return say(
            "A newly acquired customer is worth {value:money} net {when}, between {low:money} and "
            "{high:money}.",
            **values,
        )
    if settings.definition == "margin":
        return say(
            "A newly acquired customer leaves a margin of {value:money} {when}, between {low:money} and "
            "{high:money}.",
            **values,
        )
    return say(
        "A newly acquired customer brings {value:money} {when}, between {low:money} and {high:money}.",
        **values,
    )


def value_horizon(settings: ValueSettings) -> Message:
    """Over which time a value is counted."""
    if settings.horizon_weeks is None:
        return say("over all time to come")
    return say("in the {weeks:count} weeks after the first purchase", weeks=settings.horizon_weeks)


def _value_difference(summary: ValueSummary, settings: ValueSettings, difference: ValueDifference) -> Message:
    first, second = difference.groups
    means = {group.group: group.mean for group in summary.value}
    more = difference.mean >= 0
    high, low = (first, second) if more else (second, first)
    when = say("over all time")
    if settings.horizon_weeks is not None:
        when = say("in {weeks:count} weeks", weeks=settings.horizon_weeks)
    values = {
        "n": len(means),
        "high": high,
        "low": low,
        "high_value": means[high],
        "low_value": means[low],
        "when": when,
    }
    lead = say(
        "A new customer in “{high}” is worth {high_value:money} {when}, one in “{low}” {low_value:money}.",
        **values,
    )
    if len(means) > 2 and difference.word == "association":
        lead = say(
            "Of {n:count} groups, new customers in “{high}” are worth most, {high_value:money} {when}, and "
            "those in “{low}” least, {low_value:money}.",
            **values,
        )
    p = difference.probability_positive if more else 1 - difference.probability_positive
    if difference.word == "association" and summary.pooled is not None:
        return say(
            "{lead} This is an association, not an effect: the groups were not made at random. Values are "
            "drawn towards each other as far as the groups are alike, those of small groups most, so that "
            "luck alone makes no winner.",
            lead=lead,
        )
    if difference.word == "association":
        return say(
            "{lead} This is an association, not an effect: the groups were not made at random.", lead=lead
        )
    if p < sure(settings.level):
        return say("{lead} That is not a clear difference yet ({p:percent} sure).", lead=lead, p=p)
    mostly = mostly_through(difference, settings)
    if mostly is None:
        return say("{lead} We are {p:percent} sure that the first is worth more.", lead=lead, p=p)
    return say(
        "{lead} We are {p:percent} sure that the first is worth more, mostly through {part}.",
        lead=lead,
        p=p,
        part=mostly,
    )


def mostly_through(difference: ValueDifference, settings: ValueSettings) -> Message | None:
    """The part that makes up at least half of a difference, when its direction is as sure as a verdict."""
    sign = 1 if difference.mean >= 0 else -1
    main = max(difference.parts, key=lambda part: sign * part.mean, default=None)
    if main is None or sign * main.mean < abs(difference.mean) / 2:
        return None
    p = main.probability_positive if sign > 0 else 1 - main.probability_positive
    return value_part(main.name) if p >= sure(settings.level) else None


def value_part(name: str) -> Message:
    """What two groups may differ in."""
    return {
        "retention": say("retention"),
        "frequency": say("frequency"),
        "order_value": say("order value"),
        "acquisition": say("cost of acquisition"),
    }[name]


def _association(lead: Message, assignment: Assignment) -> Message:
    if assignment == "unknown":
        return say(
            "{lead} This is an association, not an effect, as long as it is not known who decided who got "
            "what.",
            lead=lead,
        )
    return say(
        "{lead} This is an association, not an effect: who got what was not left to chance.", lead=lead
    )


def _means(summary: EffectSummary, item: Comparison) -> dict[str, object]:
    return {
        "arm": item.arm,
        "control": item.control,
        "arm_mean": amount(summary.unit, item.arm_mean),
        "control_mean": amount(summary.unit, item.control_mean),
    }


def _lead(summary: EffectSummary, item: Comparison) -> tuple[Message, Message]:
    """The first half of the sentence, for a higher and for a lower value of the arm.

    An arm that was not assigned at random is not said to do anything; its customers are described.
    """
    known = {
        ("effect", "conversion"): (
            say("“{arm}” converts better than “{control}”: {means}."),
            say("“{arm}” converts worse than “{control}”: {means}."),
        ),
        ("effect", "revenue"): (
            say("“{arm}” brings in more per customer than “{control}”: {means}."),
            say("“{arm}” brings in less per customer than “{control}”: {means}."),
        ),
        ("association", "conversion"): (
            say("Customers in “{arm}” convert more often than in “{control}”: {means}."),
            say("Customers in “{arm}” convert less often than in “{control}”: {means}."),
        ),
        ("association", "revenue"): (
            say("Customers in “{arm}” spend more than in “{control}”: {means}."),
            say("Customers in “{arm}” spend less than in “{control}”: {means}."),
        ),
    }
    other = (
        say("“{arm}” has a higher {metric} than “{control}”: {means}."),
        say("“{arm}” has a lower {metric} than “{control}”: {means}."),
    )
    up, down = known.get((summary.word, summary.metric), other)
    values = _means(summary, item)
    means = say("{arm_mean} against {control_mean}", **values)
    filled = {**values, "means": means, "metric": metric_name(summary.metric)}
    return Message(up.text, filled), Message(down.text, filled)
