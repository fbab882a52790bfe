"""Coming back by group: the ratios of the hazards as lines, and what stands behind them as tables."""

from __future__ import annotations

from workbench.analyses.returning_answer import GroupReturn, Ratio, Returning
from workbench.charts.picture import Picture, in_words
from workbench.charts.survival import Value, values_chart
from workbench.locale import Message, Texts, say
from workbench.report import Row


def ratio_picture(found: Returning, t: Texts) -> Picture | None:
    """A line for each group, the largest ratio first; None where no group has one."""
    known = [(one, ratio) for one in found.groups if (ratio := _told(one)) is not None]
    if not known:
        return None
    known.sort(key=lambda pair: -pair[1].value)
    lines = [
        Value(
            label=one.group,
            value=ratio.value,
            interval=ratio.interval,
            text=t.number(ratio.value),
            other=one.against.hazard_ratio.value if one.pooled and one.against.hazard_ratio else None,
        )
        for one, ratio in known
    ]
    title = t(_title(known))
    caption = t(
        "The hazard ratio of “{arm}” to “{control}” with its interval of {level:whole_percent}; 1 is no "
        "difference. Solid: drawn towards the other groups, since the most extreme of several is partly "
        "luck. Hollow: as seen.",
        arm=found.arm,
        control=found.control,
        level=found.settings.level,
    )
    if all(one.pooled is None for one, _ in known):
        caption = t(
            "The hazard ratio of “{arm}” to “{control}” with its interval of {level:whole_percent}; 1 is no "
            "difference.",
            arm=found.arm,
            control=found.control,
            level=found.settings.level,
        )
    chart = values_chart(lines, t("Times that of the control"), 1.0, found.main, t)
    return Picture(title, chart, f"{title}. {in_words(ratio_rows(found, t))}", caption)


def _told(one: GroupReturn) -> Ratio | None:
    return one.pooled or one.against.hazard_ratio


def _title(known: list[tuple[GroupReturn, Ratio]]) -> Message:
    """In which groups one interval or the other side of it leaves out 1."""
    more = [one.group for one, ratio in known if ratio.interval[0] > 1]
    less = [one.group for one, ratio in known if ratio.interval[1] < 1]
    if more and less:
        return say(
            "The chance on a day is higher in {more:listing}, and lower in {less:listing}",
            more=more,
            less=less,
        )
    if more:
        return say("The chance on a day is clearly higher in {more:listing}", more=more)
    if less:
        return say("The chance on a day is clearly lower in {less:listing}", less=less)
    return say("In no group is it clear which arm has the higher chance on a day")


def group_rows(found: Returning, t: Texts) -> list[Row]:
    """Each group: shares of the arm and the control after each number of days that is known."""
    return [
        {
            t("Group"): one.group,
            t("Customers"): t.count(one.people),
            t("Events"): t.count(one.events),
            **{t("After {day:count} days", day=day): _shares(one, day, t) for day in _days(found)},
        }
        for one in found.groups
    ]


def difference_rows(found: Returning, t: Texts) -> list[Row]:
    """Each group: the differences after these days, with their intervals."""
    rows = []
    for one in found.groups:
        known = {mark.day: mark for mark in one.against.by_day}
        said = {
            t("After {day:count} days", day=day): t(
                "{difference:points} ({low:points} to {high:points})",
                difference=known[day].difference,
                low=known[day].interval[0],
                high=known[day].interval[1],
            )
            if day in known
            else t("not known yet")
            for day in _days(found)
        }
        rows.append({t("Group"): one.group, **said})
    return rows


def ratio_rows(found: Returning, t: Texts) -> list[Row]:
    """Each group: the ratio as seen, and drawn towards the others."""
    return [
        {
            t("Group"): one.group,
            t("Hazard ratio"): _ratio(one.against.hazard_ratio, t),
            t("Drawn together"): _ratio(one.pooled, t),
        }
        for one in found.groups
    ]


def _days(found: Returning) -> list[int]:
    """The days after which the shares of some group are known."""
    return sorted({mark.day for one in found.groups for mark in one.against.by_day})


def _shares(one: GroupReturn, day: int, t: Texts) -> str:
    mark = next((mark for mark in one.against.by_day if mark.day == day), None)
    if mark is None:
        return t("not known yet")
    return t("{own:share} against {other:share}", own=mark.arm_share, other=mark.control_share)


def _ratio(one: Ratio | None, t: Texts) -> str:
    if one is None:
        return "–"
    low, high = one.interval
    return t("{value:number} ({low:number} to {high:number})", value=one.value, low=low, high=high)
