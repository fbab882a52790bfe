"""The pictures and tables of contracts."""

from __future__ import annotations

from typing import Any

import altair as alt

from workbench.analyses.contracts_found import ContractsView, GroupContracts
from workbench.charts import ends
from workbench.charts.picture import Picture, in_words
from workbench.charts.theme import ARMS, CONTROL, TREATMENT, themed
from workbench.locale import Texts
from workbench.report import Row

_MOST_CURVES = 4  # more lines cannot be told apart
_MOST_WORDS = 12  # periods that are read out


def group_name(group: GroupContracts, t: Texts) -> str:
    """What a group is called."""
    return group.group if group.group is not None else t("All")


def pictures(found: ContractsView, t: Texts) -> list[Picture]:
    """How many are kept, period by period."""
    return [_kept(found, t)]


def _kept(found: ContractsView, t: Texts) -> Picture:
    groups = found.groups[:_MOST_CURVES]
    colors = [TREATMENT] if len(groups) == 1 else [*ARMS[1 : len(groups)], CONTROL]
    named = {group_name(group, t): color for group, color in zip(groups, colors, strict=True)}
    rows: list[dict[str, Any]] = [
        {
            "group": group_name(group, t),
            "period": point.period,
            "fitted": 100 * point.fitted,
            "low": 100 * point.interval[0],
            "high": 100 * point.interval[1],
            "observed": None if point.observed is None else 100 * point.observed,
            "n": point.at_risk,
        }
        for group in groups
        for point in group.curve
    ]
    color: Any = alt.Color(
        "group:N", scale=alt.Scale(domain=list(named), range=list(named.values())), legend=None
    )
    across = alt.X("period:Q", title=t("Renewals"), axis=alt.Axis(tickMinStep=1), scale=alt.Scale(nice=False))
    base = alt.Chart(alt.Data(values=rows)).encode(x=across, color=color)
    tooltip = [
        alt.Tooltip("group:N", title=t("Group")),
        alt.Tooltip("period:Q", title=t("Renewals")),
        alt.Tooltip("observed:Q", title=t("Seen (%)"), format=".1f"),
        alt.Tooltip("fitted:Q", title=t("Model (%)"), format=".1f"),
        alt.Tooltip("n:Q", title=t("Contracts"), format=","),
    ]
    title_y = t("Per cent still kept")
    scale = alt.Scale(domain=[0, 100])
    layers = [
        base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q", title=title_y, scale=scale), y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=alt.Y("fitted:Q", scale=scale)),
        base.transform_filter("isValid(datum.observed)")
        .mark_point(filled=False, size=40, strokeWidth=1.5)
        .encode(y=alt.Y("observed:Q", scale=scale), tooltip=tooltip),
    ]
    if len(groups) > 1:
        ending = [row for row in rows if row["period"] == max(one["period"] for one in rows)]
        at = ends.placed(ending, "fitted", [0, 100], 300)
        named_ends = alt.Chart(alt.Data(values=at)).encode(color=color)
        layers += ends.names(named_ends, across, "fitted", "group", fontWeight=600)
    first = groups[0]
    last = first.curve[-1]
    title = t(
        "After {n:count} renewals {share:percent} of contracts are expected to be kept",
        n=last.period,
        share=last.fitted,
    )
    if len(groups) > 1:
        title = t(
            "After {n:count} renewals {share:percent} of “{group}” are expected to be kept",
            n=last.period,
            share=last.fitted,
            group=group_name(first, t),
        )
    caption = t(
        "○ what was seen, where at least 30 contracts were; line and band: the model, with "
        "{level:whole_percent}.",
        level=found.settings.level,
    )
    chart = themed(alt.layer(*layers).properties(height=300), t.language)
    described = f"{title}. {in_words(curve_rows(first, t)[:_MOST_WORDS])}"
    return Picture(title, chart, described, caption, wide=True)


def group_rows(found: ContractsView, t: Texts) -> list[Row]:
    """The groups as a table."""
    return [
        {
            t("Group"): group_name(group, t),
            t("Contracts"): t.count(group.contracts),
            t("Ended"): t.count(group.ended),
            t("First renewal"): t.percent(group.renewal.mean),
            t("Later renewal"): t(
                "{share:percent} (after {n:count})",
                share=group.renewed_later[1].mean,
                n=group.renewed_later[0],
            ),
            t("New one brings"): t.money(group.new.mean),
            t("Between"): " – ".join(map(t.money, group.new.interval)),
            t("Kept one brings"): t.money(group.kept.mean),
        }
        for group in found.groups
    ]


def difference_rows(found: ContractsView, t: Texts) -> list[Row]:
    """The differences as a table."""
    return [
        {
            t("Groups"): t("{first} less {second}", first=one.groups[0], second=one.groups[1]),
            t("Difference"): t.signed_money(one.worth.mean),
            t(
                "Between"
            ): f"{t.signed_money(one.worth.interval[0])} – {t.signed_money(one.worth.interval[1])}",
            t("Brings more with"): t.percent(one.probability_positive),
        }
        for one in found.differences
    ]


def curve_rows(group: GroupContracts, t: Texts) -> list[Row]:
    """A group's curve as a table."""
    return [
        {
            t("Renewals"): t.count(point.period),
            t("Contracts"): t.count(point.at_risk),
            t("Seen"): "–" if point.observed is None else t.percent(point.observed),
            t("Model"): t.percent(point.fitted),
        }
        for point in group.curve
    ]
