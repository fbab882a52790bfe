"""The pictures of an experiment's record."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import altair as alt

from workbench.charts import posterior
from workbench.charts.picture import Drawing, Picture, in_words
from workbench.charts.theme import ARMS, CONTROL, INK, TREATMENT, specified, themed
from workbench.decisions import amount, change, main_comparison, metric_name
from workbench.locale import Texts
from workbench.records import EffectRecord, Interval
from workbench.report import (
    Row,
    arm_rows,
    ends_together,
    segment_name,
    segment_rows,
    together_words,
)

Unit = Literal["share", "money", "number"]
_HALF = 0.6745  # half of a Normal posterior lies within so many standard deviations of its mean


def pictures(record: EffectRecord, t: Texts, rows: Sequence[Row] | None = None) -> list[Picture]:
    """Every picture of the record, the answer first.

    Args:
        record: The answer.
        t: The reader's language.
        rows: `report.rows` of it, where somebody has them already.
    """
    found = [difference(record, t)]
    if record.summary.word == "effect":
        found.append(dots(record, t))
    if len(record.summary.arms) > 2:
        found.append(arms(record, t))
    beside = forest(record, t, rows), weeks(record, t)
    return [*found, *(picture for picture in beside if picture is not None)]


def difference(record: EffectRecord, t: Texts) -> Picture:
    """The posterior of the difference between the best arm and the control."""
    item = main_comparison(record.summary)
    assert item.density is not None
    axis, scale = _axis(record, t)
    low, high = item.difference_interval
    association = record.summary.word == "association"
    chart = posterior.density(
        item.density,
        item.difference_interval,
        t,
        axis=axis,
        scale=scale,
        zone=_zone(record),
        association=association,
    )
    title = t(
        "{arm} less {control}: between {low} and {high}",
        arm=item.arm,
        control=item.control,
        low=t(change(record.summary.unit, low)),
        high=t(change(record.summary.unit, high)),
    )
    bands = t("Dark: half of what is likely; light: {level:whole_percent}.", level=record.settings.level)
    words = [t("Dashed: an association.") if association else bands]
    if _zone(record) is not None:
        words.append(
            t("Grey: too small to matter (less than {rope:whole_percent}).", rope=record.settings.rope)
        )
    return Picture(title, chart, t(record.verdict), " ".join(words))


def dots(record: EffectRecord, t: Texts) -> Picture:
    """Fifty dots: in how many of fifty equally likely worlds the arm is better."""
    item = main_comparison(record.summary)
    assert item.density is not None
    axis, scale = _axis(record, t)
    lower = record.settings.lower_is_better
    chart = posterior.dots(item.density, t, axis=axis, scale=scale, zone=_zone(record), lower_is_better=lower)
    title = t(
        "In {n:count} of 50 equally likely cases {arm} is better",
        n=posterior.better_dots(item.density, lower),
        arm=item.arm,
    )
    return Picture(title, chart, title, t("Each dot is one case in fifty."))


def arms(record: EffectRecord, t: Texts) -> Picture:
    """Every arm's mean, the control first."""
    summary = record.summary
    items = sorted(summary.arms, key=lambda arm: (arm.arm != summary.control, -arm.mean))
    lines = [
        posterior.Line(
            label=f"{arm.arm} ({t.count(arm.n)})",
            text=t(amount(summary.unit, arm.mean)),
            mean=arm.mean,
            most=arm.interval,
            half=(arm.mean - _HALF * arm.sd, arm.mean + _HALF * arm.sd),
            color=ARMS[index % len(ARMS)],
        )
        for index, arm in enumerate(items)
    ]
    axis, scale = {
        "share": (t("Per cent of customers"), 100.0),
        "money": (t("Per customer in {currency}", currency=t.currency), 1.0),
        "number": (t("{metric} per customer", metric=metric_name(summary.metric)), 1.0),
    }[summary.unit]
    chart = posterior.lines(lines, t, axis=axis, scale=scale)
    return Picture(t("Every arm"), chart, in_words(arm_rows(record, t)), wide=True)


def forest(record: EffectRecord, t: Texts, words: Sequence[Row] | None = None) -> Picture | None:
    """Segments as seen (hollow), pooled (solid) and by PyMC, largest first; None when there are none."""
    segments = [item for item in record.summary.comparisons if item.segment is not None]
    settled = [(item.pooled or item.confirmed, item) for item in segments]
    items = [(best, item) for best, item in settled if best is not None]
    if not items:
        return None
    axis, scale = _axis(record, t)
    rows: list[dict[str, Any]] = []
    for best, item in sorted(items, key=lambda pair: -pair[0].difference):
        label = segment_name(record, item, t)
        low, high = best.difference_interval
        rows.append(
            {
                "label": f"{label} ({t.count(item.n)})",
                "order": len(rows),
                "raw": item.difference * scale,
                "pooled": best.difference * scale,
                "low": low * scale,
                "high": high * scale,
                "raw_low": item.difference_interval[0] * scale,
                "raw_high": item.difference_interval[1] * scale,
            }
        )
        wider = ends_together(record, item)
        if wider is not None:
            widest = zip(("widest_low", "widest_high"), wider, strict=True)
            rows[-1] |= {name: end * scale for name, end in widest}
        if item.confirmed is not None:
            low, high = item.confirmed.difference_interval
            sampled = {"sampled": item.confirmed.difference, "sampled_low": low, "sampled_high": high}
            rows[-1] |= {name: end * scale for name, end in sampled.items()}
    overall = main_comparison(record.summary).difference * scale
    found = record.summary.together
    together, confirmed = found is not None and found.pooled, record.summary.confirmation is not None
    spec = _forest(axis, together, confirmed, t.language)
    chart = Drawing(spec, {"segments": rows, "overall": [{"x": overall}]})
    by = record.settings.by or ""
    title = t("By segment") if by == "segments" else t("By {column}", column=by)
    caption = t("● pooled, with its interval; ○ as seen; dashed line: everybody. In brackets: customers.")
    if confirmed:
        caption += " " + t("◆ by PyMC.")
    if together:
        caption += " " + t("Thin line: an interval that holds together with those of all segments.")
        caption = f"{together_words(record, t)} {caption}"
    return Picture(title, chart, in_words(words or segment_rows(record, t)), caption, wide=True)


@lru_cache(maxsize=32)
def _forest(axis: str, together: bool, confirmed: bool, language: str) -> dict[str, Any]:
    base = alt.Chart(alt.NamedData("segments")).encode(y=posterior.down())
    overall = alt.Chart(alt.NamedData("overall"))
    layers = [
        posterior.zero(),
        overall.mark_rule(color=CONTROL, strokeDash=[4, 4]).encode(x="x:Q"),
        base.mark_rule(color=CONTROL, strokeWidth=1, yOffset=8).encode(x="raw_low:Q", x2="raw_high:Q"),
        base.mark_rule(color=TREATMENT, strokeWidth=5, opacity=0.4).encode(
            x=alt.X("low:Q", title=axis), x2="high:Q"
        ),
        base.mark_point(filled=True, color="white", size=50, opacity=1, yOffset=8).encode(x="raw:Q"),
        base.mark_point(filled=False, color=CONTROL, size=50, yOffset=8, strokeWidth=1.5).encode(x="raw:Q"),
        base.mark_point(filled=True, color=TREATMENT, size=120, opacity=1).encode(x="pooled:Q"),
    ]
    if together:
        rule = base.mark_rule(color=TREATMENT, strokeWidth=1.5)
        layers.insert(3, rule.encode(x="widest_low:Q", x2="widest_high:Q"))
    if confirmed:
        layers += [
            base.mark_rule(color=INK, strokeWidth=1, yOffset=-9).encode(
                x="sampled_low:Q", x2="sampled_high:Q"
            ),
            base.mark_point(shape="diamond", filled=True, color=INK, size=55, opacity=1, yOffset=-9).encode(
                x="sampled:Q"
            ),
        ]
    return specified(themed(alt.layer(*layers).properties(height=alt.Step(40)), language))


def weeks(record: EffectRecord, t: Texts) -> Picture | None:
    """The effect by the week of the first exposure, and on all up to it; None for fewer than two weeks."""
    found = record.summary.weeks
    if len(found) < 2:
        return None
    axis, scale = _axis(record, t)
    rows = [
        {
            **{name: getattr(week.start, name) for name in ("year", "month", "day")},
            "own": week.difference * scale,
            "low": week.difference_interval[0] * scale,
            "high": week.difference_interval[1] * scale,
            "so_far": week.so_far * scale,
            "so_far_low": week.so_far_interval[0] * scale,
            "so_far_high": week.so_far_interval[1] * scale,
        }
        for week in found
    ]
    spec = _weeks(axis, t("Week of the first exposure"), min(len(rows), 8), t.language)
    chart = Drawing(spec, {"weeks": rows})
    last = found[-1]
    low, high = (t(change(record.summary.unit, end)) for end in last.so_far_interval)
    title = t("Week by week")
    words = t(
        "On all customers first exposed up to the week of {week:date} the difference is between {low} and "
        "{high}.",
        week=last.start,
        low=low,
        high=high,
    )
    caption = t(
        "Line and band: everybody up to that week; ○ only those of that week. Looking each week and stopping "
        "at the first good one is wrong more often than it seems; decide when it was planned to."
    )
    return Picture(title, chart, words, caption, wide=True)


@lru_cache(maxsize=32)
def _weeks(axis: str, title: str, ticks: int, language: str) -> dict[str, Any]:
    across = alt.X("week:T", axis=alt.Axis(title=title, format="%-d %b", tickCount=ticks))
    # at noon where the reader is, so that it is the same day everywhere
    noon = "datetime(datum.year, datum.month - 1, datum.day, 12)"
    base = alt.Chart(alt.NamedData("weeks")).transform_calculate(week=noon).encode(x=across)
    layers = [
        base.mark_area(color=TREATMENT, opacity=0.25).encode(
            y=alt.Y("so_far_low:Q", title=axis), y2="so_far_high:Q"
        ),
        base.mark_line(color=TREATMENT, strokeWidth=2.5).encode(y="so_far:Q"),
        base.mark_rule(color=CONTROL).encode(y="low:Q", y2="high:Q"),
        base.mark_point(filled=True, color="white", size=60, opacity=1).encode(y="own:Q"),
        base.mark_point(filled=False, color=CONTROL, size=60, strokeWidth=1.5).encode(y="own:Q"),
        alt.Chart(alt.Data(values=[{"y": 0}])).mark_rule(color=INK, strokeWidth=1.5).encode(y="y:Q"),
    ]
    return specified(themed(alt.layer(*layers).properties(height=240), language))


def _axis(record: EffectRecord, t: Texts) -> tuple[str, float]:
    """The difference's unit, and what values are multiplied by to be in it."""
    if record.summary.unit == "share":
        return t("Difference in percentage points"), 100.0
    if record.summary.unit == "money":
        return t("Difference per customer in {currency}", currency=t.currency), 1.0
    return t("Difference in {metric} per customer", metric=metric_name(record.summary.metric)), 1.0


def _zone(record: EffectRecord) -> Interval | None:
    """The lifts that do not matter, as differences around the control's mean."""
    item = main_comparison(record.summary)
    if not record.settings.rope or item.lift is None:
        return None
    return -record.settings.rope * item.control_mean, record.settings.rope * item.control_mean
