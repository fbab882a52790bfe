"""What a record says of several segments at once, and of tests without a prior, in words."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.decisions import change, metric_name
from workbench.locale import Message, Texts, say
from workbench.records import Comparison, EffectRecord, Frequentist, Interval, PValue, Ranking, Together
from workbench.report.beside import Section
from workbench.report.words import Row, between, group_name

_MOST_NAMES = 8
_MOST_ROWS = 10
_LEAST = 1e-4  # what was never drawn is not impossible


def together_words(record: EffectRecord, t: Texts) -> str:
    """In which segments a difference can be claimed, all claims at once; empty without segments.

    Where PyMC was asked as well, it says whose draws they come from.
    """
    found = record.summary.together
    if found is None:
        return ""
    claims = _claims(record, found, t)
    if found.sampled:
        return f"{claims} {t('This is counted in PyMC’s draws of all segments together.')}"
    if record.summary.confirmation is not None:
        return f"{claims} {t('This comes from the closed form, not from PyMC’s draws.')}"
    return claims


def ends_together(record: EffectRecord, item: Comparison) -> Interval | None:
    """The interval of a segment's difference that holds together with all others."""
    found = record.summary.together
    part = item.confirmed if found is not None and found.sampled else item.pooled
    return None if part is None else part.difference_together


def _claims(record: EffectRecord, found: Together, t: Texts) -> str:
    words = {
        "arm": record.summary.arm,
        "control": record.summary.control,
        "n": found.segments,
        "level": record.settings.level,
        "better": _names(found.better, t),
        "worse": _names(found.worse, t),
    }
    if found.better and found.worse:
        return t(
            "“{arm}” does better than “{control}” in {better:listing} and worse in {worse:listing}; all of "
            "this holds together with {level:whole_percent}, out of {n:count} segments.",
            **words,
        )
    if found.better:
        return t(
            "In {k:count} of {n:count} segments “{arm}” does better than “{control}”, all of this together "
            "with {level:whole_percent}: {better:listing}.",
            **words,
            k=len(found.better),
        )
    if found.worse:
        return t(
            "In {k:count} of {n:count} segments “{arm}” does worse than “{control}”, all of this together "
            "with {level:whole_percent}: {worse:listing}.",
            **words,
            k=len(found.worse),
        )
    return t(
        "Looking at all {n:count} segments at once ({level:whole_percent}), in none can the difference be "
        "told from nothing.",
        **words,
    )


def _names(segments: Sequence[str], t: Texts) -> list[str | Message]:
    names: list[str | Message] = [group_name(name, t) for name in segments[:_MOST_NAMES]]
    rest = len(segments) - len(names)
    return [*names, say("{n:count} more", n=rest)] if rest else names


def ranking_section(record: EffectRecord, t: Texts) -> Section | None:
    """The segments that gain most; None where none are ranked."""
    found = record.summary.ranking
    if found is None:
        return None
    interval = t("Interval ({level:whole_percent})", level=record.settings.level)
    rows: list[Row] = [
        {
            t("Segment"): group_name(one.segment, t),
            t("Change") if record.settings.lower_is_better else t("Gain"): _gained(record, one.gain, t),
            interval: _ends([_gained(record, end, t) for end in one.gain_interval], t),
            t("Likely place"): _ends([t.count(place) for place in one.rank_interval], t),
            t("First of all"): t.percent(max(one.probability_top, _LEAST)),
            t("Customers"): t.count(one.customers),
        }
        for one in found.segments[:_MOST_ROWS]
    ]
    title = t("Which segments gain most")
    note = t(
        "If all of the experiment’s customers get “{arm}” and none the control: the pooled difference times "
        "their number.",
        arm=record.summary.arm,
    )
    if found.days is not None:
        title = t("Which segments gain most in {days:count} days", days=found.days)
        note = t(
            "If everybody who comes into the experiment in {days:count} days, at its pace, gets “{arm}” and "
            "nobody the control: the pooled difference times their number.",
            days=found.days,
            arm=record.summary.arm,
        )
    if found.sampled:
        note += " " + t("This is counted in PyMC’s draws of all segments together.")
    if len(found.segments) > len(rows):
        note = t("{n:count} more segments follow.", n=len(found.segments) - len(rows)) + " " + note
    return Section(title, rows, f"{_luck(record, found, t)}\n{note}")


def _gained(record: EffectRecord, gain: float, t: Texts) -> str:
    if record.summary.unit == "money":
        return t("{value:signed_money}", value=gain)
    return t("{value:signed_number}", value=gain)


def _ends(words: Sequence[str], t: Texts) -> str:
    low, high = words
    return low if low == high else t("{low} to {high}", low=low, high=high)


def _luck(record: EffectRecord, found: Ranking, t: Texts) -> str:
    unit = record.summary.unit
    words = {
        "segment": group_name(found.best_seen, t),
        "n": len(found.segments),
        "seen": change(unit, found.seen),
        "by_luck": change(unit, found.by_luck),
        "luck": found.luck,
        "left": change(unit, found.pooled),
    }
    if found.luck <= 1 - record.settings.level:
        return t(
            "The best as seen, {segment} ({seen}), is hardly luck: were the effect the same in all {n:count} "
            "segments, the luckiest would show {by_luck} on average, and as much as this in {luck:percent} "
            "of experiments. Expect the pooled {left} of it.",
            **words,
        )
    return t(
        "Beware of the best as seen, {segment} ({seen}): were the effect the same in all {n:count} segments, "
        "the luckiest would show {by_luck} on average, and as much as this in {luck:percent} of experiments. "
        "Expect the pooled {left} of it.",
        **words,
    )


def frequentist_sections(record: EffectRecord, t: Texts) -> list[Section]:
    """Tests of everybody, then of the metrics and of the segments where there are several; or none."""
    found = record.summary.frequentist
    if found is None:
        return []
    settings = record.settings
    metrics = [(settings.metric, settings.per)]
    metrics += [
        (other.metric.metric, other.metric.per) for other in record.summary.others if other.p is not None
    ]
    named = zip([t(metric_name(*one)) for one in metrics], found.metrics, strict=False)
    segments = sorted(found.segments, key=lambda one: one.p)
    note = t(
        "Their number is taken into account: of q-values up to 5 % a share of 5 % is expected to be false "
        "(Benjamini–Hochberg), of p-values by Hochberg up to 5 % with 95 % none at all."
    )
    rest = len(segments) - _MOST_ROWS
    more = t("{n:count} more have larger p-values.", n=rest) + " " if rest > 0 else ""
    by_metric = [_p_row(t("Metric"), name, one, t) for name, one in named]
    by_segment = [_p_row(t("Segment"), group_name(one.name, t), one, t) for one in segments[:_MOST_ROWS]]
    several = [
        Section(t("Several metrics"), by_metric, note),
        Section(t("Several segments"), by_segment, more + note),
    ]
    return [_tests(record, found, t), *(section for section in several if section.rows)]


def _tests(record: EffectRecord, found: Frequentist, t: Texts) -> Section:
    unit, level = record.summary.unit, record.settings.level

    def around(middle: float, ends: Interval) -> str:
        whole = between(t, ends, level, lambda end: t(change(unit, end)))
        return f"{t(change(unit, middle))}, {whole}"

    what, value = t("What"), t("Value")
    lines = [
        (t("Difference, by Welch’s test"), around(found.difference, found.interval)),
        (t("p-value"), _p(found.p, t)),
        (t("Difference, at however many looks"), around(found.difference, found.always)),
        (t("p-value, at however many looks"), _p(found.always_p, t)),
    ]
    if found.lift is not None and found.lift_interval is not None:
        ends = between(t, found.lift_interval, level, t.signed_percent)
        lines.insert(2, (t("Lift"), f"{t.signed_percent(found.lift)}, {ends}"))
    note = t(
        "A p-value is how often chance alone would show a difference at least as large; it is not the "
        "probability that there is none. The first holds for one look that was planned, the last for any "
        "number of looks (a mixture of likelihood ratios, tightest at 5,000 customers)."
    )
    return Section(
        t("What a frequentist would say"), [{what: name, value: said} for name, said in lines], note
    )


def _p_row(kind: str, name: str, one: PValue, t: Texts) -> Row:
    values = {
        t("p-value"): one.p,
        t("q-value"): one.rate,
        t("p, Hochberg"): one.any,
    }
    return {kind: name} | {column: _p(p, t) for column, p in values.items()}


def _p(value: float, t: Texts) -> str:
    """A p-value that stands alone."""
    return t.p_value(value).removeprefix("= ")
