"""The business case of an experiment: what its effect is worth over months against what it costs.

    case = business_case(record, CaseSettings(margin=0.4, cost_once=8000, cost_per_month=500))

What the experiment does not know is a posterior, which is carried through exactly (`models.business_case`).
What it cannot know (how many customers come, how long an effect lasts, what things cost) are assumptions, and
the case says how wrong each may be. Nothing is read from tables: a kept record is all it takes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil, inf, sqrt
from typing import Literal

from workbench.decisions import main_comparison, sure
from workbench.errors import DataError, WorkbenchError, check_between
from workbench.locale import Message, say
from workbench.models import business_case as money
from workbench.models.business_case import Course, Known, Limit, Spread
from workbench.models.planning import Period
from workbench.records import AnyRecord, Comparison, EffectRecord
from workbench.records.base import Frozen

type Outcome = Literal["pays", "does_not_pay", "undecided"]
DAYS_A_MONTH = 365.25 / 12
WORST = 0.05
LIKELY = 0.8
"""How likely a longer experiment should be to end with a decision."""
_WEEKS = 4
_MOST_WEEKS = 260
_LEAST_MORE = 1.01


class CaseSettings(Frozen):
    """What is assumed.

    Attributes:
        customers_per_month: Who meet the experience for the first time in a month; None for as many as in
            the last whole weeks of the experiment.
        share: Of them that gets the new version; the rest is a hold-out.
        margin: Share of revenue that is left after the cost of what is sold.
        unit_value: Revenue of one unit of a metric that is not money, such as one conversion.
        months: Up to when gains count.
        half_life_months: In which the effect halves; None where it stays as it was in the experiment.
        cost_once: To begin with.
        cost_per_month: To keep it going.
        cost_per_customer: Of each customer who gets the new version.
        discount_per_year: What money loses of its value by being had a year later.
    """

    customers_per_month: float | None = None
    share: float = 0.95
    margin: float = 1.0
    unit_value: float | None = None
    months: int = 12
    half_life_months: float | None = None
    cost_once: float = 0.0
    cost_per_month: float = 0.0
    cost_per_customer: float = 0.0
    discount_per_year: float = 0.1


@dataclass(frozen=True)
class HoldOut:
    """What a hold-out is for.

    Attributes:
        share: Of customers that are kept from the new version.
        customers: How many those are over the horizon.
        precision: Half the width of the interval of a customer's effect that it gives by then, in money.
        forgone: Expected gain that is given up for it.
        shows: The first month by which it tells the expected effect from nothing; None where that is too far.
        enough: The smallest share that does so by the horizon; None where half of the customers are too few.
    """

    share: float
    customers: float
    precision: float
    forgone: float
    shows: int | None
    enough: float | None


@dataclass(frozen=True)
class Longer:
    """What a longer experiment would take.

    Attributes:
        customers: More, in all arms together, to two digits: it is no more exact.
        weeks: In which as many come as came so far; None where that is not known or too far away.
        forgone: Expected gain of those weeks, up to the horizon, with the customers who stay in the
            control meanwhile.
    """

    customers: float
    weeks: int | None
    forgone: float


@dataclass(frozen=True)
class BusinessCase:
    """The case for or against, in numbers. Money is net present value unless it is said otherwise.

    Attributes:
        record: The result that it rests on.
        settings: What is assumed.
        course: The assumptions with what was measured filled in.
        measured: Whether the number of customers was taken from the experiment.
        gain: The gain of one customer in money, margin taken.
        unit_money: What one unit of the metric is worth.
        outcome: Whether it surely pays, surely does not, or neither.
        threshold: How sure the rule wants to be.
        levels: Of the fan's bands, the narrowest first; the last is that of the record's intervals.
        staying_month: What the customers of a month bring without it, margin taken.
        staying_forgone: What a month of staying forgoes, before costs.
        fan: Net gain by the end of each month, the beginning first.
        net: At the horizon. cost: All costs. roi: Net gain by cost; None where there is none.
        pays: The probability that it brings more than it costs.
        back: By month, the probability that it has paid for itself.
        month: The first month by which it has more likely than not; None where that is after the horizon.
        month_interval: The months between which it has, with the level; None after the horizon.
        worst: Mean of the worst 5 % of cases.
        information: What it is worth to know the effect exactly before it is decided.
        limits: How wrong each assumption may be for it to pay surely.
        even: The same for it to pay more likely than not.
        stops: The first month that costs more than it brings; None where each one pays.
        hold_out: None where everybody gets the new version.
        longer: Where nothing is decided: what would decide.
        notes: What has to be known when this is read.
    """

    record: EffectRecord
    settings: CaseSettings
    course: Course
    measured: bool
    gain: Known
    unit_money: float
    outcome: Outcome
    threshold: float
    levels: tuple[float, ...]
    staying_month: float
    staying_forgone: Spread
    fan: list[Spread]
    net: Spread
    cost: float
    roi: Spread | None
    pays: float
    back: list[float]
    month: int | None
    month_interval: tuple[int | None, int | None]
    worst: float
    information: float
    limits: list[Limit]
    even: list[Limit]
    stops: int | None
    hold_out: HoldOut | None
    longer: Longer | None
    notes: list[Message] = field(default_factory=list)

    @property
    def comparison(self) -> Comparison:
        """The arm that is spoken of, against the control."""
        return main_comparison(self.record.summary)

    @property
    def lost_again(self) -> bool:
        """Whether it is expected to be paid back at first, and not any more at the horizon."""
        return self.month is not None and self.net.mean < 0

    @property
    def level(self) -> float:
        """Of the intervals."""
        return self.record.settings.level


def why_not(record: AnyRecord) -> Message | None:
    """Why no business case can rest on a result; None where one can."""
    if not isinstance(record, EffectRecord):
        return say("A business case needs the result of a randomised experiment; choose one.")
    if record.summary.word == "association":
        return say(
            "This result is an association, not an effect: what would change if customers were personalised "
            "is not known, so no money can be promised on it. Run a randomised experiment."
        )
    failed = record.failed
    if failed or record.outcome == "withheld":
        reason = failed[0].detail if failed else record.verdict
        return say("A check of this result failed, so no case can rest on it: {reason}", reason=reason)
    if record.settings.statistic == "quantile":
        return say("A quantile does not add up to money over customers; ask for the mean of the metric.")
    if record.settings.per is not None:
        return say(
            "A ratio does not add up to money over customers; ask for the metric of each customer, not "
            "divided by another."
        )
    if main_comparison(record.summary).density is None:
        return say("This result does not hold its posterior; run the analysis again.")
    return None


def business_case(record: AnyRecord, settings: CaseSettings) -> BusinessCase:
    """What the effect is worth under some assumptions.

    Raises:
        DataError: no case can rest on the result, or the number of customers or the value of a unit is to be
            given.
        WorkbenchError: an assumption is out of its range.
    """
    reason = why_not(record)
    if reason is not None or not isinstance(record, EffectRecord):
        raise DataError(reason or say("A business case needs the result of a randomised experiment."))
    _check(settings)
    item = main_comparison(record.summary)
    unit_money = _unit_money(record, settings)
    known = _known(record, unit_money)
    customers = settings.customers_per_month or reached_a_month(record)
    if customers is None:
        raise DataError(
            "This result has no dates to count customers by; say how many customers are reached a month."
        )
    course = Course(
        customers=customers,
        share=settings.share,
        months=settings.months,
        half_life=settings.half_life_months or inf,
        cost_once=settings.cost_once,
        cost_per_month=settings.cost_per_month,
        cost_per_customer=settings.cost_per_customer,
        discount_per_year=settings.discount_per_year,
    )
    level = record.settings.level
    levels = tuple(sorted({0.5, 0.8, level} if level > 0.8 else {0.5, level}))
    threshold = sure(level)
    counted, cost = float(course.counted[-1]), float(course.costs[-1])
    pays = known.above(cost / counted)
    outcome: Outcome = "undecided"
    if pays >= threshold:
        outcome = "pays"
    elif pays <= 1 - threshold:
        outcome = "does_not_pay"
    back = money.paid_back(known, course)
    fan = money.fan(known, course, levels)
    return BusinessCase(
        record=record,
        settings=settings,
        course=course,
        measured=settings.customers_per_month is None,
        gain=known,
        unit_money=unit_money,
        outcome=outcome,
        threshold=threshold,
        levels=levels,
        staying_month=customers * item.control_mean * unit_money,
        staying_forgone=money.spread(known, customers * settings.share, 0.0, levels),
        fan=fan,
        net=fan[-1],
        cost=cost,
        roi=money.return_on_cost(known, course, levels),
        pays=pays,
        back=back.tolist(),
        month=money.month_of(back, 0.5),
        month_interval=(money.month_of(back, (1 - level) / 2), money.month_of(back, (1 + level) / 2)),
        worst=money.worst(known, course, WORST),
        information=money.perfect_information(known, course),
        limits=money.limits(known, course, threshold),
        even=money.limits(known, course, 0.5),
        stops=money.stops_paying(known, course),
        hold_out=_hold_out(record, known, course, unit_money),
        longer=_longer(record, known, course, threshold) if outcome == "undecided" else None,
        notes=_notes(record),
    )


def reached_a_month(record: EffectRecord) -> float | None:
    """Customers who met the experience for the first time in a month, as in its last whole weeks.

    The week at either end may not be a whole one, and in the first all who were customers before come at
    once: both are left out where others are left. Arms that are not compared come on top.
    """
    weeks = record.summary.weeks
    if not weeks:
        return None
    used = weeks[1:-1][-_WEEKS:] or weeks[:1]
    span = (used[-1].start - used[0].start).days // 7 + 1
    item = main_comparison(record.summary)
    everybody = record.summary.customers / item.n if item.n else 1.0
    return sum(week.n for week in used) / span * everybody * DAYS_A_MONTH / 7


def _check(settings: CaseSettings) -> None:
    if settings.customers_per_month is not None:
        check_between(
            settings.customers_per_month, 0, 1e12, say("number of customers a month"), open_low=True
        )
    check_between(settings.share, 0, 1, say("share that is personalised"), open_low=True)
    check_between(settings.margin, 0, 1, say("margin"), open_low=True)
    check_between(settings.months, 1, money.LONGEST, say("number of months"))
    if settings.half_life_months is not None:
        check_between(
            settings.half_life_months, 0, 1e6, say("half-life of the effect in months"), open_low=True
        )
    for value, what in (
        (settings.cost_once, say("cost to begin with")),
        (settings.cost_per_month, say("cost a month")),
        (settings.cost_per_customer, say("cost of a customer")),
    ):
        check_between(value, 0, 1e15, what)
    check_between(settings.discount_per_year, 0, 10, say("discount a year"))


def _unit_money(record: EffectRecord, settings: CaseSettings) -> float:
    """What one unit of the metric is worth, margin taken."""
    if record.summary.unit == "money":
        if settings.unit_value is not None:
            raise WorkbenchError("The metric is money already; leave out the value of a unit.")
        return settings.margin
    if settings.unit_value is None:
        raise DataError(
            "The metric is not money; say what one unit of it is worth, such as what one conversion brings."
        )
    check_between(settings.unit_value, 0, 1e12, say("value of a unit"), open_low=True)
    return settings.margin * settings.unit_value


def _known(record: EffectRecord, unit_money: float) -> Known:
    item = main_comparison(record.summary)
    assert item.density is not None
    known = Known.of(item.density.x, item.density.y, item.difference, item.difference_sd)
    return known.times(-unit_money if record.settings.lower_is_better else unit_money)


def _hold_out(record: EffectRecord, known: Known, course: Course, unit_money: float) -> HoldOut | None:
    held = 1 - course.share
    if held <= 0:
        return None
    item = main_comparison(record.summary)
    control = next(arm for arm in record.summary.arms if arm.arm == item.control)
    sd = control.sd * sqrt(control.n) * unit_money
    customers = course.customers * course.months
    level = record.settings.level
    period = Period(round(course.months * DAYS_A_MONTH), max(1, round(customers)), item.control_mean, sd)
    return HoldOut(
        share=held,
        customers=held * customers,
        precision=period.precision(held, level) / period.customers,
        forgone=held / course.share * float(course.counted[-1]) * known.mean,
        shows=money.shows_after(known.mean, sd, course.customers, held, level),
        enough=money.share_that_shows(known.mean, sd, customers, level),
    )


def _longer(record: EffectRecord, known: Known, course: Course, threshold: float) -> Longer:
    needed = float(course.costs[-1] / course.counted[-1])
    # a posterior that is not quite Normal may be undecided where a Normal one just is not
    times = max(money.more_data(known, needed, threshold, LIKELY), _LEAST_MORE)
    customers = float(f"{(times - 1) * record.summary.customers:.2g}")
    monthly = reached_a_month(record)
    months = inf if monthly is None else customers / monthly
    weeks = ceil(months * DAYS_A_MONTH / 7) if months * DAYS_A_MONTH <= _MOST_WEEKS * 7 else None
    item = main_comparison(record.summary)
    control = next(arm.n for arm in record.summary.arms if arm.arm == item.control)
    waiting = course.customers * control / record.summary.customers  # a month; all else costs the same
    month = waiting * (known.mean - course.cost_per_customer)
    return Longer(customers, weeks, 0.0 if weeks is None else month * min(months, course.months))


def _notes(record: EffectRecord) -> list[Message]:
    """What the experiment cannot know, and what makes its effect look larger than it is."""
    settings, summary = record.settings, record.summary
    notes = [
        say(
            "The experiment saw each customer for {days:count} days: what they bring later is not counted, "
            "and how the effect goes on after the experiment is an assumption that it cannot check.",
            days=settings.window_days,
        )
    ]
    if len(summary.arms) > 2 and settings.arm is None:
        notes.append(
            say(
                "“{arm}” is the best of {n:count} arms, and the best looks a little better than it is.",
                arm=summary.arm,
                n=len(summary.arms) - 1,
            )
        )
    if settings.statistic == "cut":
        notes.append(
            say("The largest values were cut before the mean was taken; money beyond the cut is not counted.")
        )
    return notes
