"""A design in words: the sentence, the figures and the rows that pages and scripts show of it."""

from __future__ import annotations

from workbench.analyses.design import HORIZON, LEVEL_WEEKS, DesignView, Week
from workbench.analyses.planned import LONGEST, expected_lift
from workbench.decisions import amount, sure
from workbench.locale import Message, Texts, say
from workbench.models.operating import FalseWins
from workbench.models.planning import HoldOut
from workbench.models.stopping import Measured
from workbench.report import Figure, Row


def sentence(view: DesignView) -> Message:
    """What the test could tell, how long it takes, and how often the rule would be wrong."""
    values = {
        "weeks": weeks_of(view.settings.weeks),
        "n": view.in_arm,
        "wrong": view.no_effect.wrong.value,
        "lift": abs(view.smallest if view.smallest is not None else view.truths[-1].lift),
    }
    if view.smallest is None:
        return say(
            "A test of {weeks} with {n:count} customers an arm would not even detect a change of "
            "{lift:percent} four times in five; with no effect our rule would ship the new version in "
            "{wrong:percent} of tests.",
            **values,
        )
    if view.settings.lower_is_better:
        return say(
            "A test of {weeks} with {n:count} customers an arm would detect a drop of {lift:percent} four "
            "times in five; with no effect our rule would ship the new version in {wrong:percent} of tests.",
            **values,
        )
    return say(
        "A test of {weeks} with {n:count} customers an arm would detect a lift of {lift:percent} four times "
        "in five; with no effect our rule would ship the new version in {wrong:percent} of tests.",
        **values,
    )


def lift_of(lift: float, t: Texts) -> str:
    """A lift that somebody chose, without needless decimals."""
    whole = abs(lift * 100 - round(lift * 100)) < 1e-9
    return t.signed_percent(lift, 0 if whole else 1)


def weeks_of(weeks: int) -> Message:
    """So many weeks."""
    return say("one week") if weeks == 1 else say("{n:count} weeks", n=weeks)


def figures(view: DesignView, t: Texts) -> list[Figure]:
    """Three figures that carry the answer."""
    settings = view.settings
    low, high = settings.believed
    last = view.weeks[settings.weeks - 1]
    alone = 1 - sure(settings.level)
    return [
        Figure(
            t("Found four times in five"),
            "–" if view.smallest is None else t.signed_percent(view.smallest),
            t(_worth(view)),
        ),
        Figure(
            t("Ships with no effect"),
            t.percent(view.no_effect.wrong.value),
            t(
                "± {error:size_points} points; with one look at the end about {alone:percent}",
                error=2 * view.no_effect.wrong.error,
                alone=alone,
            ),
        ),
        Figure(
            t("Chance of adopting"),
            t.percent(last.adopted.value),
            t(
                "if the lift lies between {low} and {high}; never more than {most:whole_percent}",
                low=lift_of(low, t),
                high=lift_of(high, t),
                most=round(view.best_adopted, 2),
            ),
        ),
    ]


def _worth(view: DesignView) -> Message:
    values = {"worth": view.settings.worth, "n": view.customers_for_worth}
    if view.weeks_for_worth is None:
        return say(
            "{worth:whole_percent} takes {n:count} customers, more than come in {weeks:count} weeks",
            weeks=LONGEST,
            **values,
        )
    return say(
        "{worth:whole_percent} takes {n:count} customers: {weeks}",
        weeks=weeks_of(view.weeks_for_worth),
        **values,
    )


def basis(view: DesignView, t: Texts) -> str:
    """What the design rests on, in sentences."""
    base, metric = view.base, view.base.metric
    mean = t(amount(base.unit, metric.mean))
    parts = []
    if base.customers is None:
        parts.append(t("A customer’s value, by hand: {mean}.", mean=mean))
    else:
        parts.append(
            t(
                "Of {n:count} customers who came lately, {mean} on average in {days:count} days.",
                n=base.customers,
                mean=mean,
                days=view.settings.window_days,
            )
        )
    parts.append(
        t(
            "{week:count} could enter in a week, {all:count} in {weeks}; the result is there {days:count} "
            "days after the last of them.",
            week=base.reach[0],
            all=base.reach[view.settings.weeks - 1],
            weeks=weeks_of(view.settings.weeks),
            days=view.settings.window_days,
        )
    )
    parts += [t(note) for note in view.notes]
    return t.sentences(parts)


def length(view: DesignView, t: Texts) -> str:
    """How long a test has to be, in sentences."""
    settings, parts = view.settings, []
    shown = view.weeks[-1].week
    if settings.loss is not None:
        loss = {"loss": settings.loss, "now": view.weeks[settings.weeks - 1].loss}
        if view.weeks_for_loss is None:
            parts.append(
                t(
                    "Taking what looks better at the end would lose {now:percent} of the mean on average; "
                    "that does not fall below {loss:percent} within {weeks}.",
                    weeks=weeks_of(shown),
                    **loss,
                )
            )
        else:
            parts.append(
                t(
                    "Taking what looks better at the end would lose {now:percent} of the mean on average; "
                    "it falls below {loss:percent} after {weeks}.",
                    weeks=weeks_of(view.weeks_for_loss),
                    **loss,
                )
            )
    if view.weeks_for_assurance is None:
        parts.append(
            t(
                "A chance of adopting of {wanted:whole_percent} is not reached within {weeks}.",
                wanted=settings.assured,
                weeks=weeks_of(shown),
            )
        )
    else:
        parts.append(
            t(
                "A chance of adopting of {wanted:whole_percent} is reached after {weeks}.",
                wanted=settings.assured,
                weeks=weeks_of(view.weeks_for_assurance),
            )
        )
    return t.sentences(parts)


def truth_rows(view: DesignView, t: Texts) -> list[Row]:
    """The rule at each true lift."""

    def of(measured: Measured) -> str:
        return t.percent(measured.value)

    several = len(view.settings.split) > 2
    return [
        {
            t("True lift"): t("none") if one.lift == 0 else lift_of(one.lift, t),
            t("Ships it"): of(one.adopted),
            **({t("Ships another"): of(one.other)} if several else {}),
            t("Practically the same"): of(one.same),
            t("Never decides"): of(one.undecided),
            t("Stays with control"): of(one.dropped),
            t("Wrong arm"): t(
                "{share} ± {error:size_points}", share=of(one.wrong), error=2 * one.wrong.error
            ),
            t("Weeks"): t.number(one.weeks.value, 2),
            t("Customers"): t.count(one.customers.value),
        }
        for one in view.truths
    ]


def week_rows(view: DesignView, t: Texts) -> list[Row]:
    """Tests of each length."""
    return [
        {
            t("Weeks"): t.count(one.week),
            t("Customers"): t.count(one.customers),
            t("Chance of adopting"): t.percent(one.adopted.value),
            t("Expected loss at the end"): t.percent(one.loss),
        }
        for one in shown_weeks(view)
    ]


def shown_weeks(view: DesignView) -> list[Week]:
    """The weeks that a curve shows."""
    return view.weeks[: max(HORIZON, 2 * view.settings.weeks)]


def hold_out_rows(view: DesignView, t: Texts) -> list[Row]:
    """Global hold-outs by their size."""
    return [
        {
            t("Hold-out"): t.whole_percent(one.share),
            t("Customers"): t.count(one.customers),
            t("Yearly value, ±"): t.money(one.year),
            t("Quarterly value, ±"): "–" if one.quarter is None else t.money(one.quarter),
            t("Forgone in a year"): t.money(one.forgone),
        }
        for one in view.hold_outs
    ]


def chosen_hold_out(view: DesignView) -> HoldOut | None:
    """The hold-out nearest to the share that was asked for."""
    wanted = view.settings.hold_out
    return min(view.hold_outs, key=lambda one: abs(one.share - wanted), default=None)


def hold_out_words(view: DesignView) -> Message | None:
    """What the chosen hold-out tells and costs."""
    one = chosen_hold_out(view)
    if one is None or view.year is None:
        return None
    whole = view.year.customers * view.year.mean * abs(expected_lift(view.settings))
    values = {"share": one.share, "width": one.year, "cost": one.forgone, "whole": whole}
    if one.year > whole:
        return say(
            "A hold-out of {share:whole_percent} would know the yearly value of all personalisation to "
            "± {width:money}. The value you expect is {whole:money}, less than that: it would not show.",
            **values,
        )
    return say(
        "A hold-out of {share:whole_percent} would know the yearly value of all personalisation to "
        "± {width:money}, of {whole:money} that you expect, and forgo {cost:money} a year.",
        **values,
    )


LEVEL_NAMES = {
    "general": say("General"),
    "several": say("Several"),
    "few": say("Few"),
    "individual": say("Individual"),
}


def level_rows(view: DesignView, t: Texts) -> list[Row]:
    """The levels of personalisation."""
    rows = []
    for name, level in view.levels.items():
        alone = level.lift is None
        weeks = t("never") if alone else t("more than {weeks:count} weeks", weeks=LONGEST)
        rows.append(
            {
                t("Level"): t(LEVEL_NAMES[name]),
                t("Groups"): t.count(level.groups),
                t("Customers in each"): t.count(level.customers),
                t("Smallest lift found"): "–" if level.lift is None else t.signed_percent(level.lift),
                t("A lift of {lift:whole_percent} takes", lift=view.settings.worth): (
                    weeks if level.weeks is None else t(weeks_of(level.weeks))
                ),
            }
        )
    return rows


def level_words(view: DesignView) -> Message:
    """Which level current traffic can measure."""
    measurable = [name for name, level in view.levels.items() if level.measurable]
    values = {"weeks": LEVEL_WEEKS, "lift": view.settings.worth}
    if not measurable:
        return say(
            "In {weeks:count} weeks, current traffic measures a lift of {lift:whole_percent} at no level; "
            "begin with one change for everybody, and a larger one.",
            **values,
        )
    return say(
        "In {weeks:count} weeks, current traffic measures a lift of {lift:whole_percent} down to the level "
        "“{level}”; finer ones can only be measured together.",
        level=LEVEL_NAMES[measurable[-1]],
        **values,
    )


def false_win_words(found: FalseWins) -> Message:
    """What an A/A test on one's own customers gave."""
    low, high = found.interval
    return say(
        "Your own customers, split at random {n:count} times with no difference between the halves: the rule "
        "found a winner in {share:percent} of the splits, between {low:percent} and {high:percent} (95 %).",
        n=found.splits,
        share=found.either.value,
        low=low,
        high=high,
    )
