"""What a lifetime value's record says of several groups at once, in words and rows."""

from __future__ import annotations

from collections.abc import Callable

from workbench.locale import Texts
from workbench.records import ArmWithin, Interval, PooledGroups, ValueRecord
from workbench.report.beside import Section
from workbench.report.words import Row


def group_sections(record: ValueRecord, t: Texts) -> list[Section]:
    """How alike groups are, and what arms do within segments."""
    level, found = record.settings.level, list[Section]()
    if record.summary.pooled is not None:
        found.append(_alike(record.summary.pooled, level, t))
    within = record.summary.within
    for arm in within.arms if within else ():
        found += [_segments(arm, level, t), _effects(arm, level, t)]
    return found


def _things(t: Texts) -> dict[str, str]:
    return {
        "frequency": t("How often customers buy"),
        "leaving": t("The odds of leaving"),
        "order_value": t("What an order brings"),
    }


def _alike(pooled: PooledGroups, level: float, t: Texts) -> Section:
    rows: list[Row] = [
        {
            t("What"): t("A customer of any group"),
            t("How much"): _range(pooled.average, pooled.average_interval, t.money, t),
        },
        {
            t("What"): t("Standard deviation of the values"),
            t("How much"): _range(pooled.spread, pooled.spread_interval, t.money, t),
        },
        *(
            {
                t("What"): t("{thing}: usual difference", thing=_things(t)[name]),
                t("How much"): t.percent(value),
            }
            for name, value in pooled.differs.items()
        ),
    ]
    note = t(
        "Each group’s value is drawn towards the others, as far as the {n:count} groups are alike: a large "
        "group keeps its own, a small one takes from the rest. Ranges hold {level:whole_percent}.",
        n=pooled.groups,
        level=level,
    )
    if pooled.best is not None and pooled.seen is not None and pooled.kept is not None:
        note += " " + t(
            "By its own customers alone “{best}” looks best, with {seen:money}; less luck, {kept:money} "
            "are left.",
            best=pooled.best,
            seen=pooled.seen,
            kept=pooled.kept,
        )
    return Section(t("How alike the groups are"), rows, note)


def segment_rows(arm: ArmWithin, t: Texts, *, alone: bool) -> list[Row]:
    """What an arm adds in each segment; perhaps with what its own customers say alone."""
    rows = []
    for one in arm.segments:
        row = {
            t("Segment"): one.segment,
            t("Customers"): t.count(one.customers),
            t("Difference"): _range(one.mean, one.interval, t.signed_money, t),
            t("Above zero"): t.percent(one.probability_positive),
        }
        if alone and one.alone is not None:
            row[t("Its own customers alone")] = _range(one.alone.mean, one.alone.interval, t.signed_money, t)
        if one.top is not None and one.rank is not None:
            row[t("Adds most")] = t.percent(one.top)
            row[t("Rank")] = rank(one.rank, t)
        rows.append(row)
    return rows


def _segments(arm: ArmWithin, level: float, t: Texts) -> Section:
    note = t(
        "Each segment’s difference is drawn towards the others as far as they are alike. Over the customers "
        "of all segments “{arm}” adds {more} ({low} to {high}), with {p:percent} above zero; between "
        "segments that differs by {spread} (standard deviation). Ranges hold {level:whole_percent}.",
        arm=arm.arm,
        more=t.signed_money(arm.mean),
        low=t.signed_money(arm.interval[0]),
        high=t.signed_money(arm.interval[1]),
        p=arm.probability_positive,
        spread=t.money(arm.spread),
        level=level,
    )
    return Section(
        t("What “{arm}” adds in each segment", arm=arm.arm), segment_rows(arm, t, alone=False), note
    )


def _effects(arm: ArmWithin, level: float, t: Texts) -> Section:
    rows: list[Row] = [
        {
            t("What"): _things(t)[one.name],
            t("Change"): _range(one.change, one.interval, t.signed_percent, t),
            t("Above zero"): t.percent(one.probability_up),
            t("Between segments, ±"): t.percent(one.differs),
        }
        for one in arm.effects
    ]
    note = t(
        "Of a customer of “{arm}” against one of the control, in a segment like most. Ranges hold "
        "{level:whole_percent}; above zero: the probability that it rises.",
        arm=arm.arm,
        level=level,
    )
    return Section(t("What “{arm}” changes in a typical segment", arm=arm.arm), rows, note)


def rank(ends: tuple[int, int], t: Texts) -> str:
    """A place among others, or the places between which it lies."""
    low, high = ends
    return t.count(low) if low == high else t("{low:count} to {high:count}", low=low, high=high)


def _range(value: float, interval: Interval, wording: Callable[[float], str], t: Texts) -> str:
    low, high = (wording(end) for end in interval)
    return t("{value} ({low} to {high})", value=wording(value), low=low, high=high)
