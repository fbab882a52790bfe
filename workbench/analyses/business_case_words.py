"""A business case in words: the sentence, its figures, problem, assumptions and plan."""

from __future__ import annotations

from math import ceil, inf, isinf
from typing import Literal, NamedTuple

from workbench.analyses.business_case import LIKELY, WORST, BusinessCase
from workbench.decisions import amount, change, metric_name
from workbench.locale import Message, Texts, say
from workbench.models.business_case import Field, Limit
from workbench.report import Figure, Row, between


def sentence(case: BusinessCase) -> Message:
    """The case in two sentences: what it brings, and how sure that is."""
    low, high = case.net.bands[case.level]
    values = {
        "arm": case.comparison.arm,
        "time": months(case.course.months),
        "net": case.net.mean,
        "low": low,
        "high": high,
        "level": case.level,
    }
    if case.outcome == "pays":
        return say(
            "“{arm}” pays for itself: in {time} it is expected to bring {net:signed_money} net, between "
            "{low:signed_money} and {high:signed_money} ({level:whole_percent}). We are {p:percent} sure "
            "that it brings more than it costs.",
            **values,
            p=case.pays,
        )
    if case.outcome == "does_not_pay":
        return say(
            "“{arm}” does not pay for itself: in {time} it is expected to bring {net:signed_money} net, "
            "between {low:signed_money} and {high:signed_money} ({level:whole_percent}). We are {p:percent} "
            "sure that it brings less than it costs.",
            **values,
            p=1 - case.pays,
        )
    return say(
        "It is not decided whether “{arm}” pays for itself: in {time} it may bring between "
        "{low:signed_money} and {high:signed_money} net ({level:whole_percent}), {net:signed_money} on "
        "average. The chance that it pays is {p:percent}, and we ask for {threshold:percent}.",
        **values,
        p=case.pays,
        threshold=case.threshold,
    )


def months(n: int) -> Message:
    """A stretch of months."""
    return say("one month") if n == 1 else say("{n:count} months", n=n)


def figures(case: BusinessCase, t: Texts) -> list[Figure]:
    """The three numbers to read at a glance."""
    asked = t("we ask for {threshold:percent}", threshold=case.threshold)
    if case.roi is None:
        found = Figure(t("Return on cost"), "–", t("no cost is given; what it brings is all gain"))
    else:
        found = Figure(
            t("Return on cost"),
            t.signed_percent(case.roi.median, 0),
            between(t, case.roi.bands[case.level], case.level, lambda end: t.signed_percent(end, 0)),
        )
    return [
        Figure(t("Chance that it pays"), t.percent(case.pays), asked),
        found,
        Figure(t("Break-even"), break_even(case, t), _back(case, t)),
    ]


def break_even(case: BusinessCase, t: Texts) -> str:
    """The month by which it has more likely than not paid for itself."""
    if case.month is None:
        return t("after month {month:count}", month=case.course.months)
    return t("month {month:count}", month=case.month)


def _back(case: BusinessCase, t: Texts) -> str:
    first, last = case.month_interval
    values = {"first": first, "last": last, "p": case.back[-1], "horizon": case.course.months}
    if case.lost_again:
        return t("but no longer by month {horizon:count}", **values)
    if first is None:
        return t("{p:percent} by month {horizon:count}", **values)
    if last is None:
        return t("month {first:count} at the earliest; {p:percent} by month {horizon:count}", **values)
    if first == last:
        return t("surely by then ({level:whole_percent})", level=case.level)
    return t(
        "between month {first:count} and {last:count} ({level:whole_percent})", **values, level=case.level
    )


# --- problem --------------------------------------------------------------------------------------------


def problem(case: BusinessCase) -> list[Message]:
    """What is asked, for whom, what was seen, and what staying as it is costs."""
    record, item = case.record, case.comparison
    unit = record.summary.unit
    low, high = item.difference_interval
    seen = say(
        "Asked was what “{arm}” does instead of “{control}” to customers who meet “{experiment}”. Of "
        "{n:count} customers, split at random, each followed for {days:count} days: {metric} "
        "{arm_mean} against {control_mean}, a difference of {difference}, between {low} and {high} "
        "({level:whole_percent}).",
        arm=item.arm,
        control=item.control,
        experiment=record.settings.experiment,
        n=item.n,
        days=record.settings.window_days,
        metric=metric_name(record.summary.metric),
        arm_mean=amount(unit, item.arm_mean),
        control_mean=amount(unit, item.control_mean),
        difference=change(unit, item.difference),
        low=change(unit, low),
        high=change(unit, high),
        level=case.level,
    )
    return [seen, _staying(case)]


def _staying(case: BusinessCase) -> Message:
    low, high = case.staying_forgone.bands[case.level]
    mean = case.staying_forgone.mean
    values = {
        "customers": case.course.customers,
        "month": case.staying_month,
        "forgone": abs(mean),
        "low": low,
        "high": high,
        "level": case.level,
    }
    if mean < 0:
        return say(
            "Staying as it is: {customers:count} customers a month leave a margin of {month:money}. Staying "
            "loses nothing: the new version is expected to bring {forgone:money} a month less, before costs "
            "(between {low:signed_money} and {high:signed_money}, {level:whole_percent}).",
            **values,
        )
    return say(
        "Staying as it is: {customers:count} customers a month leave a margin of {month:money}. Each month "
        "of staying forgoes {forgone:money}, before costs (between {low:signed_money} and "
        "{high:signed_money}, {level:whole_percent}).",
        **values,
    )


# --- assumptions ----------------------------------------------------------------------------------------


class _Line(NamedTuple):
    """An assumption as it is shown.

    Attributes:
        name: Which limit is its.
        kind: How it is written.
        most: More than that it cannot be.
    """

    label: str
    taken: float
    name: Field
    kind: Literal["count", "percent", "money", "number"]
    most: float = inf


def assumption_rows(case: BusinessCase, t: Texts) -> list[Row]:
    """Each assumption, as it was made and how wrong it may be."""
    settings, course = case.settings, case.course
    worth = _Line(t("Margin"), settings.margin, "gain", "percent", 1.0)
    if settings.unit_value is not None:
        worth = _Line(t("Value of one unit"), settings.unit_value, "gain", "money")
    lines = [
        _Line(t("Customers a month"), course.customers, "customers", "count"),
        _Line(t("Share that gets it"), course.share, "share", "percent", 1.0),
        _Line(t("Effect, of what was seen"), 1.0, "gain", "percent"),
        worth,
        _Line(t("Months that count"), course.months, "months", "count"),
        _Line(t("Effect halves in (months)"), course.half_life, "half_life", "number"),
        _Line(t("Cost once"), course.cost_once, "cost_once", "money"),
        _Line(t("Cost a month"), course.cost_per_month, "cost_per_month", "money"),
        _Line(t("Cost a customer"), course.cost_per_customer, "cost_per_customer", "money"),
        _Line(t("Discount a year"), course.discount_per_year, "discount_per_year", "percent"),
    ]
    even, sure = ({limit.name: limit for limit in limits} for limits in (case.even, case.limits))
    return [
        {
            t("Assumption"): line.label,
            t("Assumed"): _written(line.taken, line, t),
            t("Likely to pay with"): _limit(line, even[line.name], t, holds=case.pays >= 0.5),
            t("Sure to pay with"): _limit(line, sure[line.name], t, holds=case.outcome == "pays"),
        }
        for line in lines
    ]


def _written(value: float, line: _Line, t: Texts) -> str:
    if isinf(value):
        return t("never")
    if line.kind == "percent":
        return t.whole_percent(float(f"{value:.3g}"))
    if line.kind == "money":
        return t.money(value)
    return t.count(value) if line.kind == "count" else t.number(value, 2)


def _limit(line: _Line, limit: Limit, t: Texts, *, holds: bool) -> str:
    """How far it may go; the limit of the gain is a share of what was taken."""
    at = limit.limit
    if at is not None and limit.name == "gain":
        at *= line.taken
    if at is None or at > line.most:
        return t("any") if holds else "–"
    return f"{'≥' if limit.least else '≤'} {_written(at, line, t)}"


def month_rows(case: BusinessCase, t: Texts) -> list[Row]:
    """Net gain by the end of each month."""
    return [
        {
            t("Month"): t.count(month),
            t("Net gain so far"): t.signed_money(one.mean),
            **{
                t("{level:whole_percent} between", level=level): t(
                    "{low:signed_money} and {high:signed_money}",
                    low=one.bands[level][0],
                    high=one.bands[level][1],
                )
                for level in case.levels
            },
            t("Paid back by then"): t.percent(case.back[month - 1]) if month else "–",
        }
        for month, one in enumerate(case.fan)
    ]


# --- plan -----------------------------------------------------------------------------------------------


def plan(case: BusinessCase) -> list[Message]:
    """What to do, what would change that, and when to look again."""
    if case.outcome == "pays":
        return [_roll_out(case), _watch(case), *_stop(case), _turning(case), _risk(case)]
    if case.outcome == "does_not_pay":
        return [
            say("Keep “{control}” and do not spend the money.", control=case.comparison.control),
            *_stop(case),
            _turning(case),
            _risk(case),
        ]
    return [_measure(case), *_stop(case), _turning(case), _risk(case)]


def _roll_out(case: BusinessCase) -> Message:
    values = {"arm": case.comparison.arm, "share": case.course.share}
    if case.hold_out is None:
        return say(
            "Give “{arm}” to everybody. Without a hold-out nobody will know whether the effect goes on; keep "
            "a few per cent of customers as they are.",
            **values,
        )
    return say(
        "Give “{arm}” to {share:whole_percent} of customers, drawn at random, and keep {held:whole_percent} "
        "as they are: a hold-out, which forgoes {forgone:money} in {time}.",
        **values,
        held=round(case.hold_out.share, 6),
        forgone=max(case.hold_out.forgone, 0.0),
        time=months(case.course.months),
    )


def _watch(case: BusinessCase) -> Message:
    """When to look again, and why then."""
    held, horizon = case.hold_out, case.course.months
    if held is None:
        return say("Look again after month {month:count}, when these assumptions end.", month=horizon)
    if held.shows is not None and held.shows <= horizon:
        return say(
            "Look again after month {month:count}: by then the hold-out shows an effect of the size "
            "expected, if it is still there.",
            month=held.shows,
        )
    values = {"month": horizon, "width": held.precision, "gain": case.gain.mean}
    if held.enough is None:
        return say(
            "Look again after month {month:count}. No hold-out will show the effect by then: this one "
            "knows it to ± {width:money} a customer, and {gain:money} is expected.",
            **values,
        )
    return say(
        "Look again after month {month:count}. The hold-out is small: by then it knows the effect to "
        "± {width:money} a customer, and {gain:money} is expected; one of {enough:whole_percent} would "
        "show it.",
        **values,
        enough=ceil(held.enough * 100) / 100,
    )


def _stop(case: BusinessCase) -> list[Message]:
    """From when on it costs more than it brings, where that comes."""
    if case.stops is None:
        return []
    if case.stops == 1:
        return [say("Every month is expected to cost more than it brings, from the first one on.")]
    return [
        say(
            "From month {month:count} on a month is expected to cost more than it brings: renew it before, "
            "or end it then.",
            month=case.stops,
        )
    ]


def _turning(case: BusinessCase) -> Message:
    """The gain at which the decision turns."""
    values = {
        "needed": float(case.course.costs[-1] / case.course.counted[-1]),
        "gain": case.gain.mean,
        "p": case.pays,
    }
    if not values["needed"]:
        return say(
            "No cost is given, so it pays as soon as a customer brings more; expected are "
            "{gain:signed_money} a customer. Give what it costs before you rely on this.",
            **values,
        )
    if case.outcome == "pays":
        return say(
            "Stop when the gain of a customer is below {needed:money}, margin taken: then it no longer pays. "
            "Expected are {gain:signed_money}.",
            **values,
        )
    return say(
        "It pays from a gain of {needed:money} a customer on, margin taken; expected are "
        "{gain:signed_money}.",
        **values,
    )


def _risk(case: BusinessCase) -> Message:
    values = {"share": WORST, "worst": case.worst, "information": case.information}
    if case.information < abs(case.net.mean) / 1000:
        return say(
            "In the worst {share:whole_percent} of cases it ends at {worst:signed_money} on average; knowing "
            "the effect better would change next to nothing.",
            **values,
        )
    return say(
        "In the worst {share:whole_percent} of cases it ends at {worst:signed_money} on average. Knowing the "
        "effect exactly before deciding is worth at most {information:money}.",
        **values,
    )


def _measure(case: BusinessCase) -> Message:
    longer = case.longer
    assert longer is not None
    values = {"customers": longer.customers, "weeks": longer.weeks, "chance": LIKELY}
    if longer.weeks is None:
        return say(
            "Do not spend the money on this evidence. To decide with a chance of {chance:whole_percent}, "
            "the experiment needs about {customers:count} customers more; if that is out of reach, "
            "lower the costs or test a bolder change.",
            **values,
        )
    weeks = say("one week") if longer.weeks == 1 else say("{n:count} weeks", n=longer.weeks)
    if case.net.mean > 0 and longer.forgone > case.information:
        return say(
            "It is less sure than we ask for, and to decide it takes {weeks} more, which forgoes "
            "{forgone:money}; to know the effect exactly is worth less. If only the money counts, go ahead "
            "now, with a hold-out.",
            weeks=weeks,
            forgone=longer.forgone,
        )
    return say(
        "Do not roll it out yet: run the experiment {weeks} longer, with about {customers:count} more "
        "customers. That decides it, for or against, with a chance of {chance:whole_percent}.",
        **{**values, "weeks": weeks},
    )


def notes(case: BusinessCase) -> list[Message]:
    """What the numbers hold and what they do not."""
    found = list(case.notes)
    if case.settings.margin == 1:
        found.append(say("Revenue counts in full; give the margin that is left of it."))
    if case.measured:
        found.append(
            say(
                "Customers a month are those who met the experiment for the first time in its last whole "
                "weeks; each counts once."
            )
        )
    return found
