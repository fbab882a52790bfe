"""The pictures of a lifetime-value record."""

from __future__ import annotations

from workbench.charts import posterior
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import CONTROL, TREATMENT
from workbench.decisions import main_difference
from workbench.locale import Texts
from workbench.records import ValueRecord
from workbench.report import group_name, value_rows

_MOST_BESIDE = 3  # groups that are drawn in the height of a density beside them


def pictures(record: ValueRecord, t: Texts) -> list[Picture]:
    """Every picture of the record, the answer first."""
    between = difference(record, t)
    return [between, values(record, t)] if between else [values(record, t)]


def values(record: ValueRecord, t: Texts) -> Picture:
    """What a new customer of each group is worth: mean, half and most of the posterior."""
    lines = [
        posterior.Line(
            label=f"{group_name(group.group, t)} ({t.count(group.customers)})",
            text=t.money(group.mean),
            mean=group.mean,
            most=group.interval,
            half=(posterior.quantile(group.density, 0.25), posterior.quantile(group.density, 0.75)),
            color=CONTROL if _is_control(record, group.group) else TREATMENT,
        )
        for group in record.summary.value
    ]
    axis = t(
        "Value in {weeks:count} weeks in {currency}", weeks=record.settings.horizon_weeks, currency=t.currency
    )
    caption = t(
        "Thick: half of what is likely; thin: {level:whole_percent}. In brackets: customers.",
        level=record.settings.level,
    )
    chart = posterior.lines(lines, t, axis=axis)
    title = t("What a newly acquired customer is worth")
    described = in_words(value_rows(record, t))
    return Picture(title, chart, described, caption, wide=len(lines) > _MOST_BESIDE)


def difference(record: ValueRecord, t: Texts) -> Picture | None:
    """The posterior of the difference that the sentence speaks of; None with one group."""
    if not record.summary.differences:
        return None
    item = main_difference(record.summary)
    first, second = (group_name(group, t) for group in item.groups)
    association = item.word == "association"
    chart = posterior.density(
        item.density,
        item.interval,
        t,
        axis=t("Difference of the value of a customer in {currency}", currency=t.currency),
        association=association,
    )
    title = t(
        "{first} less {second}: between {low} and {high}",
        first=first,
        second=second,
        low=t.signed_money(item.interval[0]),
        high=t.signed_money(item.interval[1]),
    )
    bands = t("Dark: half of what is likely; light: {level:whole_percent}.", level=record.settings.level)
    return Picture(title, chart, t(record.verdict), t("Dashed: an association.") if association else bands)


def _is_control(record: ValueRecord, group: str | None) -> bool:
    """Whether all others are held against this group."""
    seconds = {item.groups[1] for item in record.summary.differences}
    return seconds == {group}
