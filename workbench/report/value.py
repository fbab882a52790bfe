"""A lifetime value's record in words."""

from __future__ import annotations

from workbench.decisions import main_difference
from workbench.locale import Texts
from workbench.records import ValueRecord
from workbench.report.words import Figure, Row, between, group_name


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
    return found


def value_rows(record: ValueRecord, t: Texts) -> list[Row]:
    """The groups' values as a table."""
    level = record.settings.level
    return [
        {
            t("Group"): group_name(group.group, t),
            t("Customers"): t.count(group.customers),
            t("Value of a new customer"): t.money(group.mean),
            t("Interval"): between(t, group.interval, level, t.money),
            t("Repeat purchases"): t.number(group.purchases),
            t("Spend per purchase"): t.money(group.spend),
        }
        for group in record.summary.value
    ]


def value_details(record: ValueRecord, t: Texts) -> list[tuple[str, str]]:
    settings, summary = record.settings, record.summary
    names = {"bg-nbd": "BG/NBD", "mbg-nbd": "MBG/NBD"}
    parameters = ", ".join(
        f"{name} {t.number(value.mean)} ± {t.number(value.sd, 2)}"
        for name, value in summary.parameters.items()
    )
    return [
        (
            t("Definition"),
            t(
                "Expected repeat purchases in the {weeks:count} weeks after a customer's first, times "
                "expected spend, times a margin of {margin:percent}, discounted by {discount:percent} a "
                "year.",
                weeks=settings.horizon_weeks,
                margin=settings.margin,
                discount=settings.discount_per_year,
            ),
        ),
        (
            t("Method"),
            t(
                "{model} for purchases and Gamma-Gamma for spend, on {rows:count} compressed rows; "
                "posterior by Pareto-smoothed importance sampling (k̂ {khat:number}).",
                model=names[summary.model],
                rows=summary.rows,
                khat=summary.khat,
            ),
        ),
        (t("Parameters"), parameters),
    ]
