"""A lifetime value's record in words."""

from __future__ import annotations

from typing import Any

from workbench.decisions import main_difference, mostly_through, value_part
from workbench.locale import Message, Texts, say
from workbench.records import Acquisition, GroupValue, Interval, ValueDifference, ValueRecord, ValueSettings
from workbench.report.beside import Section
from workbench.report.value_groups import group_sections, rank
from workbench.report.words import Figure, Row, between, group_name

_MODELS = {"bg-nbd": "BG/NBD", "mbg-nbd": "MBG/NBD", "pareto-nbd": "Pareto/NBD"}


def value_definition(settings: ValueSettings) -> Message:
    """What a value is here, in one sentence; it stands wherever a value is shown."""
    which = _which(settings)
    discount = settings.discount_per_year
    discounted = (
        say("discounted by {discount:whole_percent} a year", discount=discount)
        if discount
        else say("not discounted")
    )
    costs = _costs(settings)
    if costs:
        return say(
            "Value here is {what} {which}, {discounted}, less {costs:listing}.",
            what=_what(settings),
            which=which,
            discounted=discounted,
            costs=costs,
        )
    return say(
        "Value here is {what} {which}, {discounted}.",
        what=_what(settings),
        which=which,
        discounted=discounted,
    )


def _what(settings: ValueSettings) -> Message:
    if settings.definition == "revenue":
        return say("revenue")
    if settings.margin == "measured":
        return say("the margin that the orders carry")
    return say("a margin of {margin:whole_percent} of revenue", margin=settings.margin)


def _which(settings: ValueSettings) -> Message:
    if settings.horizon_weeks is None:
        if settings.first_purchase:
            return say("from the first purchase and all that follow, without an end")
        return say("from all repeat purchases, without an end")
    if settings.first_purchase:
        return say(
            "from the first purchase and those of the {weeks:count} weeks after it",
            weeks=settings.horizon_weeks,
        )
    return say(
        "from repeat purchases in the {weeks:count} weeks after the first", weeks=settings.horizon_weeks
    )


def _costs(settings: ValueSettings) -> list[Message]:
    found = []
    if settings.cost_per_order:
        found.append(say("{amount:money} a purchase", amount=settings.cost_per_order))
    if settings.service_cost_per_year:
        found.append(say("{amount:money} a year of service", amount=settings.service_cost_per_year))
    if settings.acquisition_cost is not None:
        found.append(say("what it cost to win the customer"))
    return found


def value_figures(record: ValueRecord, t: Texts) -> list[Figure]:
    level, summary = record.settings.level, record.summary
    found, spoken_of = [], [group.group for group in summary.value[:1]]
    if summary.differences:
        item = main_difference(summary)
        spoken_of = list(item.groups)
        first, second = (group_name(group, t) for group in item.groups)
        found.append(
            Figure(
                t("Difference of {first} and {second}", first=first, second=second),
                t.signed_money(item.mean),
                between(t, item.interval, level, t.signed_money),
            )
        )
    for group in summary.value:
        if group.group not in spoken_of:
            continue
        found.append(
            Figure(
                t("Value of “{group}”", group=group_name(group.group, t))
                if group.group
                else t("Value of a new customer"),
                t.money(group.mean),
                between(t, group.interval, level, t.money),
            )
        )
    if not summary.differences and summary.value[0].acquisition is not None:
        found += _cost_figures(summary.value[0].acquisition, level, t)
    return found


def _cost_figures(cost: Acquisition, level: float, t: Texts) -> list[Figure]:
    return [
        Figure(
            t("Value for each unit of cost"),
            t.number(cost.ratio),
            between(t, cost.ratio_interval, level, t.number),
        ),
        Figure(t("Paid back"), payback(cost, t), payback_range(cost, level, t)),
    ]


def _with_range(value: float, interval: Interval, wording: Any, t: Texts) -> str:
    low, high = (wording(end) for end in interval)
    return t("{value} ({low} to {high})", value=wording(value), low=low, high=high)


def payback(cost: Acquisition, t: Texts) -> str:
    """When a customer has paid for themselves."""
    if cost.payback_weeks is None:
        return t("not within the horizon")
    if cost.payback_weeks == 0:
        return t("with the first purchase")
    return t("after {weeks:count} weeks", weeks=cost.payback_weeks)


def payback_range(cost: Acquisition, level: float, t: Texts) -> str:
    """Between which weeks that is, and how likely it is not to happen in time."""
    low, high = cost.payback_interval
    if low is None:
        return t("{never:percent} sure that it takes longer than the horizon", never=cost.never)
    if low == high:
        return ""
    if high is None:
        return t(
            "not before {low:count} weeks; {never:percent} likely to take longer than the horizon",
            low=low,
            never=cost.never,
        )
    return between(t, (low, high), level, t.count)


def value_rows(record: ValueRecord, t: Texts) -> list[Row]:
    """The groups' values as a table."""
    level = record.settings.level
    several = len(record.summary.value) > 1
    rows = []
    for group in record.summary.value:
        row = {
            t("Group"): group_name(group.group, t),
            t("Customers"): t.count(group.customers),
            t("Value of a new customer"): t.money(group.mean),
            t("Interval"): between(t, group.interval, level, t.money),
            t("Repeat purchases"): "–" if group.purchases is None else t.number(group.purchases),
            t("Spend per purchase"): t.money(group.spend),
        }
        if record.summary.pooled is not None:
            alone = group.alone
            row[t("Its own customers alone")] = (
                "–" if alone is None else _with_range(alone.mean, alone.interval, t.money, t)
            )
        if group.confirmed is not None:
            row[t("By PyMC")] = t.money(group.confirmed.mean)
        if group.margin is not None:
            row[t("Margin")] = t(
                "{share:percent} ± {sd:percent}", share=group.margin.mean, sd=group.margin.sd
            )
        if several and group.top is not None and group.rank is not None:
            row[t("Worth most")] = t.percent(group.top)
            row[t("Rank")] = rank(group.rank, t)
        rows.append(row)
    return rows


def value_sections(record: ValueRecord, t: Texts) -> list[Section]:
    """What stands beside the answer: cost and payback, the order of groups."""
    found = [_cost_section(record, t), _rank_section(record, t)]
    return [*(section for section in found if section is not None), *group_sections(record, t)]


def _cost_section(record: ValueRecord, t: Texts) -> Section | None:
    level = record.settings.level
    rows = []
    for group in record.summary.value:
        cost = group.acquisition
        if cost is None:
            continue
        exact = cost.interval[0] == cost.interval[1]
        rows.append(
            {
                t("Group"): group_name(group.group, t),
                t("Cost of winning one"): t.money(cost.mean)
                if exact
                else _with_range(cost.mean, cost.interval, t.money, t),
                t("Value : cost"): _with_range(cost.ratio, cost.ratio_interval, t.number, t),
                t("Paid back"): payback(cost, t),
                t("Range"): payback_range(cost, level, t),
            }
        )
    if not rows:
        return None
    note = t(
        "Value : cost divides what a customer leaves within the horizon, before that cost, by it. Paid back: "
        "the first week by whose end a customer has left more than they cost. Ranges hold "
        "{level:whole_percent}.",
        level=level,
    )
    return Section(t("Cost and payback"), rows, note)


def _rank_section(record: ValueRecord, t: Texts) -> Section | None:
    if len(record.summary.value) < 3:
        return None
    ordered = sorted(record.summary.value, key=lambda group: -(group.top or 0.0))
    rows = [
        {
            t("Group"): group_name(group.group, t),
            t("Probability to be worth most"): t.percent(group.top),
            t("Rank, of {n:count}", n=len(ordered)): rank(group.rank, t),
            t("Value of all its customers"): t.money(group.mean * group.customers),
        }
        for group in ordered
        if group.top is not None and group.rank is not None
    ]
    note = t("The rank lies in that range with {level:whole_percent}.", level=record.settings.level)
    return Section(t("Which group is worth most"), rows, note) if rows else None


def parts_section(record: ValueRecord, t: Texts) -> Section | None:
    """What the differences are made of, in numbers."""
    differences = [item for item in record.summary.differences if item.parts]
    if not differences:
        return None
    rows = [row for item in differences for row in part_rows(item, record.settings.level, t)]
    note = t(
        "Retention is how long customers stay, frequency how often they buy meanwhile, order value what a "
        "purchase leaves. Each part is the mean change over all orders in which the differences can be made "
        "(Shapley), draw by draw, so that they add up."
    )
    return Section(t("What the difference is made of"), rows, note)


def part_rows(item: ValueDifference, level: float, t: Texts) -> list[Row]:
    """A difference and its parts."""
    first, second = (group_name(group, t) for group in item.groups)
    lines = [
        *((t(value_part(one.name)), one.mean, one.interval, one.probability_positive) for one in item.parts),
        (t("all together"), item.mean, item.interval, item.probability_positive),
    ]
    return [
        {
            t("Difference"): t("{first} less {second}", first=first, second=second),
            t("Part"): name,
            t("Amount"): t.signed_money(mean),
            t("Interval"): between(t, interval, level, t.signed_money),
            t("Probability above zero"): t.percent(p),
        }
        for name, mean, interval, p in lines
    ]


def parts_title(item: ValueDifference, settings: ValueSettings, t: Texts) -> str:
    """What a difference mostly comes from, or that this is not clear."""
    mostly = mostly_through(item, settings)
    if mostly is None:
        return t("What the difference is made of is not clear yet")
    if item.word == "association":
        return t("The difference lies mostly in {part}", part=t(mostly))
    return t("Mostly through {part}", part=t(mostly))


def value_details(record: ValueRecord, t: Texts) -> list[tuple[str, str]]:
    settings, summary = record.settings, record.summary
    parameters = ", ".join(
        f"{name} {t.number(value.mean)} ± {t.number(value.sd, 2)}"
        for name, value in summary.parameters.items()
    )
    return [
        (t("Definition"), t(value_definition(settings))),
        (
            t("Method"),
            t(
                "{model} for purchases and Gamma-Gamma for spend, on {rows:count} compressed rows; "
                "posterior by Pareto-smoothed importance sampling (k̂ {khat:number}).",
                model=_MODELS[summary.model],
                rows=summary.rows,
                khat=summary.khat,
            ),
        ),
        (t("Parameters"), parameters),
    ]


def spoken_of(record: ValueRecord) -> list[GroupValue]:
    """The groups that the sentence speaks of; all where they are few."""
    groups = record.summary.value
    if len(groups) <= 4 or not record.summary.differences:
        return groups
    named = main_difference(record.summary).groups
    return [group for group in groups if group.group in named]
