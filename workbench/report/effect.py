"""An experiment's record in words."""

from __future__ import annotations

from workbench.decisions import amount, change, main_comparison, metric_name
from workbench.locale import Texts
from workbench.records import Comparison, EffectRecord, Interval
from workbench.report.together import ends_together
from workbench.report.words import Figure, Row, between, group_name


def segment_name(record: EffectRecord, item: Comparison, t: Texts) -> str:
    """A segment of a comparison, with the arm where there are several to compare."""
    name = group_name(item.segment, t)
    return name if len(record.summary.arms) == 2 else f"{name} · {item.arm}"


def effect_figures(record: EffectRecord, t: Texts) -> list[Figure]:
    summary, level = record.summary, record.settings.level
    best = main_comparison(summary)
    found = [
        Figure(
            t("Difference per customer"),
            t(change(summary.unit, best.difference)),
            between(t, best.difference_interval, level, lambda end: t(change(summary.unit, end))),
        )
    ]
    if best.lift is not None and best.lift_interval is not None:
        found.append(
            Figure(
                t("Lift"),
                t.signed_percent(best.lift),
                between(t, best.lift_interval, level, t.signed_percent),
            )
        )
    if summary.word == "effect":
        found.append(
            Figure(
                t("Probability of being better"),
                t.percent(best.probability_better),
                t("best of all arms: {p:percent}", p=summary.probability_best[best.arm]),
            )
        )
    return found


def arm_rows(record: EffectRecord, t: Texts) -> list[Row]:
    """The arms as a table."""
    unit, level = record.summary.unit, record.settings.level
    return [
        {
            t("Arm"): arm.arm,
            t("Customers"): t.count(arm.n),
            t("Mean"): t(amount(unit, arm.mean)),
            t("Interval"): between(t, arm.interval, level, lambda end: t(amount(unit, end))),
            t("Best of all"): t.percent(arm.probability_best),
        }
        for arm in record.summary.arms
    ]


def segment_rows(record: EffectRecord, t: Texts) -> list[Row]:
    """The segments as a table, by their pooled value (else PyMC's), largest first."""
    unit, level = record.summary.unit, record.settings.level
    segments = [item for item in record.summary.comparisons if item.segment is not None]
    settled = [(item.pooled or item.confirmed, item) for item in segments]
    known = [(best.difference, item) for best, item in settled if best is not None]
    rows = []
    for _, item in sorted(known, key=lambda pair: -pair[0]):
        row = {
            t("Segment"): segment_name(record, item, t),
            t("Customers"): t.count(item.n),
            t("As seen"): t(change(unit, item.difference)),
        }
        for one, names in (
            (item.pooled, (t("Pooled"), t("Interval ({level:whole_percent})", level=level), t("Better"))),
            (item.confirmed, (t("By PyMC"), t("Interval by PyMC"), t("Better by PyMC"))),
        ):
            if one is not None:
                interval = _ends(record, one.difference_interval, t)
                said = t(change(unit, one.difference)), interval, t.percent(one.probability_better)
                row |= dict(zip(names, said, strict=True))
        wider = ends_together(record, item)
        if wider is not None:
            row[t("All together ({level:whole_percent})", level=level)] = _ends(record, wider, t)
        rows.append(row)
    return rows


def _ends(record: EffectRecord, interval: Interval, t: Texts) -> str:
    low, high = (t(change(record.summary.unit, end)) for end in interval)
    return t("{low} to {high}", low=low, high=high)


def effect_details(record: EffectRecord, t: Texts) -> list[tuple[str, str]]:
    settings, summary = record.settings, record.summary
    if summary.kind == "binary":
        definition = t(
            "Share of customers with at least one success ({metric}).", metric=metric_name(settings.metric)
        )
        method = t(
            "Beta-binomial posterior of each arm with a Beta({a:number}, {b:number}) prior; probabilities, "
            "intervals and losses by quadrature from the same posterior.",
            a=settings.prior[0],
            b=settings.prior[1],
        )
    else:
        definition = t(
            "Mean of {metric} over all customers, those without any included.",
            metric=metric_name(settings.metric),
        )
        method = t(
            "Student-t posterior of each arm's mean (reference prior); probabilities, intervals and "
            "losses by quadrature from the same posterior."
        )
    if record.source.until:
        definition += " " + t(
            "Counted for {days:count} days after a customer's first exposure.", days=settings.window_days
        )
    found = [(t("Definition"), definition), (t("Method"), method)]
    if any(item.pooled for item in summary.comparisons):
        found.append(
            (
                t("Segments"),
                t(
                    "Effects, not rates, are drawn towards the effect over everybody as far as the segments "
                    "agree (hierarchical Normal model, spread between segments integrated over)."
                ),
            )
        )
    sampled = summary.confirmation
    if sampled is not None:
        found.append(
            (
                t("PyMC"),
                t(
                    "The same by Markov chains from the exact likelihood of the cells; spread of the effects "
                    "between segments {tau:number} log odds; R-hat {rhat:number}, effective sample size "
                    "{ess:count}.",
                    tau=sampled.tau,
                    rhat=sampled.rhat,
                    ess=sampled.ess,
                )
                if sampled.tau_value is None
                else t(
                    "By Markov chains: who buys, and what a buyer spends (Gamma), each with its own effects "
                    "by segment; their spread is {tau:number} log odds and {value:number} logs; R-hat "
                    "{rhat:number}, effective sample size {ess:count}.",
                    tau=sampled.tau,
                    value=sampled.tau_value,
                    rhat=sampled.rhat,
                    ess=sampled.ess,
                ),
            )
        )
    return found
