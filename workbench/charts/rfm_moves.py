"""Moves between segments, and who is gone by a rule and by a model: pictures and tables."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.analyses.estimates import Estimate
from workbench.analyses.rfm import Rfm
from workbench.analyses.rfm_model import ModelView, Verdicts
from workbench.analyses.rfm_moves import Moves, by_tier
from workbench.analyses.rfm_segments import name_in_words
from workbench.charts.alluvial import Flow, alluvial
from workbench.charts.forest import Line, forest, percent, share_in_words
from workbench.charts.picture import Picture, in_words
from workbench.charts.rfm import unbroken
from workbench.charts.theme import CONTROL, TREATMENT, WARNING
from workbench.locale import Texts
from workbench.report import Row

_NEW = ""
_FRESH = "#009E73"


def move_pictures(moves: Moves, found: Rfm, t: Texts) -> list[Picture]:
    """How likely customers of each segment moved up, and the flows between tiers."""
    return [_improving(moves, found.settings.level, t), _flows(moves, found, t)]


def _improving(moves: Moves, level: float, t: Texts) -> Picture:
    lines = [
        Line(
            name_in_words(row.segment, t),
            percent(row.improves) if row.improves else None,
            t.percent(row.improves.value) if row.improves else _without(row.customers, t),
            None,
        )
        for row in moves.rows
    ]
    rows = [row for row in moves.rows if row.improves is not None]
    title = t("How many moved up")
    if rows:
        best = max(rows, key=lambda row: row.improves.value if row.improves else 0.0)
        assert best.improves is not None
        title = t(
            "Most moved up from “{segment}”: {share:percent}",
            segment=name_in_words(best.segment, t),
            share=best.improves.value,
        )
    caption = t(
        "● share of a segment’s customers of {before:date} who stood further up on {after:date}, with its "
        "interval of {level:whole_percent}.",
        before=moves.before,
        after=moves.after,
        level=level,
    )
    chart = forest(lines, t("Per cent of its customers"), t)
    return Picture(title, chart, f"{title}. {in_words(move_rows(moves, t))}", caption)


def _without(customers: int, t: Texts) -> str:
    return t("the best there is") if customers else t("nobody was in it")


def _flows(moves: Moves, found: Rfm, t: Texts) -> Picture:
    tiers = list(dict.fromkeys(one.named.tier for one in found.segments))
    tier_of = {one.named.name: one.named.tier for one in found.segments}
    counted = by_tier(moves, tier_of.__getitem__)
    kinds = {
        t("up"): TREATMENT,
        t("as before"): CONTROL,
        t("down"): WARNING,
        t("new"): _FRESH,
    }
    words = list(kinds)
    names = {tier: name_in_words(tier, t) for tier in tiers}
    flows = []
    for (before, after), n in counted.items():
        kind = words[3]
        if before is not None:
            step = tiers.index(after) - tiers.index(before)
            kind = words[0] if step < 0 else words[2] if step > 0 else words[1]
        said = t(
            "{n:count} from {before} to {after}",
            n=n,
            before=t("new") if before is None else names[before],
            after=names[after],
        )
        flows.append(Flow(_NEW if before is None else before, after, n, kind, said))
    left = {tier: sum(flow.n for flow in flows if flow.before == tier) for tier in [*tiers, _NEW]}
    right = {tier: sum(flow.n for flow in flows if flow.after == tier) for tier in tiers}
    names[_NEW] = t("new")
    sides = (
        [(tier, f"{names[tier]} {t.count(n)}") for tier, n in left.items() if n],
        [(tier, f"{names[tier]} {t.count(n)}") for tier, n in right.items() if n],
    )
    first = tiers[0]
    stayed = counted.get((first, first), 0)
    title = t("Where customers were, and where they are")
    if left[first]:
        title = t(
            "Of {n:count} customers in “{tier}”, {share:percent} are still there",
            n=left[first],
            tier=names[first],
            share=stayed / left[first],
        )
    caption = t(
        "Left {before:date}, right {after:date}; best on top, so that a band that rises is a step up.",
        before=moves.before,
        after=moves.after,
    )
    description = f"{title}. {'; '.join(flow.said for flow in flows)}"
    return Picture(title, alluvial(flows, sides, kinds, t), description, caption)


def move_rows(moves: Moves, t: Texts) -> list[Row]:
    """How many of each segment moved, a row each."""
    return [
        {
            t("Segment on {day:date}", day=moves.before): name_in_words(row.segment, t),
            t("Customers"): t.count(row.customers),
            t("Moved up"): t.count(row.up),
            t("P(up)"): unbroken(share_in_words(row.improves, t)),
            t("Moved down"): t.count(row.down),
            t("P(not down)"): unbroken(share_in_words(row.holds, t)),
            t("Silent in between"): t.count(row.silent),
        }
        for row in moves.rows
    ]


def matrix_rows(moves: Moves, t: Texts) -> list[Row]:
    """From segment to segment: rows add up to customers of the first date, columns to those of the second.

    The last row is a part of those above it.
    """
    first, whole = t("From ↓ to →"), t("all")

    def row(name: str, to: Mapping[str, int]) -> Row:
        counts = {name_in_words(segment, t): t.count(n) if n else "·" for segment, n in to.items()}
        return {first: name, **counts, whole: t.count(sum(to.values()))}

    new, silent = t("new since then"), t("of these: bought nothing in between")
    sums = {name: sum(one.to[name] for one in moves.rows) + n for name, n in moves.new.items()}
    return [
        *(row(name_in_words(one.segment, t), one.to) for one in moves.rows),
        row(new, moves.new),
        row(whole, sums),
        row(silent, moves.silent),
    ]


def gone_rows(model: ModelView, days: int, t: Texts) -> list[Row]:
    """What rule and model say of customers, and where they disagree."""
    words = {
        (True, True): t("both: gone"),
        (True, False): t("gone by the rule only"),
        (False, True): t("gone by the model only"),
        (False, False): t("both: there"),
    }
    return [
        {
            t("Rule and model"): words[row.quiet, row.gone],
            t("Customers"): t.count(row.customers),
            t("Share"): t.percent(row.customers / model.customers),
            t("Probably alive"): _count(row.alive, t),
            t("Will buy within {days:count} days", days=days): _count(row.buyers, t),
            **_returned(row, t),
        }
        for row in model.table
    ]


def _count(one: Estimate, t: Texts) -> str:
    return t("{value:count} ({low:count} to {high:count})", value=one.value, low=one.low, high=one.high)


def _returned(row: Verdicts, t: Texts) -> Row:
    return {} if row.returned is None else {t("Did buy"): t.count(row.returned)}
