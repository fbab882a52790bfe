"""What stands beside an experiment's answer: small tables, each with a title and how to read it."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.decisions import Unit, amount, change, main_comparison, metric_name, sure
from workbench.locale import Texts
from workbench.records import EffectRecord, FactorRow, Interval
from workbench.report.words import Row, between

_LEAST = 0.1
PER = 1000
"""Customers that a loss is counted on: that of one customer is too small to picture."""


@dataclass(frozen=True)
class Section:
    """A small table.

    Attributes:
        title: What it answers.
        rows: At least one.
        note: How to read it, a paragraph a line.
    """

    title: str
    rows: list[Row]
    note: str = ""


def sections(record: EffectRecord, t: Texts) -> list[Section]:
    """Those that there is something to say in."""
    found = [
        _decision(record, t),
        _others(record, t),
        _delivery(record, t),
        _prior(record, t),
        _models(record, t),
        _factors(record, t),
    ]
    return [section for section in found if section is not None and section.rows]


def _interval(record: EffectRecord, t: Texts, unit: Unit, interval: Interval) -> str:
    return between(t, interval, record.settings.level, lambda end: t(change(unit, end)))


def _decision(record: EffectRecord, t: Texts) -> Section | None:
    summary, settings = record.summary, record.settings
    if summary.word != "effect":
        return None
    item = main_comparison(summary)
    what, value = t("What"), t("Value")
    lines = [
        (
            t("Probability of being better than “{control}”", control=item.control),
            t.percent(item.probability_better),
        ),
        (t("Probability of being the best of all arms"), t.percent(summary.probability_best[item.arm])),
        (t("Probability from which on we are sure"), t.percent(sure(settings.level))),
        (t("Expected loss of adopting it, per 1,000 customers"), _loss(t, summary.unit, item.expected_loss)),
        (
            t("Expected loss of not adopting it, per 1,000 customers"),
            _loss(t, summary.unit, item.expected_loss_control),
        ),
    ]
    if item.rope is not None:
        words = t("Probability that it does not matter (less than {rope:percent})", rope=settings.rope)
        lines.append((words, t.percent(item.rope[1])))
    if summary.rule is not None:
        words = t(
            "How often this rule adopts an arm that does nothing (looks: {looks:count})",
            looks=summary.rule.looks,
        )
        lines.append((words, t.percent(summary.rule.adopted)))
    return Section(t("The decision in numbers"), [{what: name, value: said} for name, said in lines])


def _loss(t: Texts, unit: Unit, loss: float) -> str:
    """A loss over a thousand customers; of shares it is a number of successes."""
    lost = loss * PER
    if unit == "money":
        return t.money(lost)
    return t("less than {least:plain}", least=_LEAST) if lost < _LEAST else t.number(lost)


def _others(record: EffectRecord, t: Texts) -> Section | None:
    roles = {"guardrail": t("guardrail"), "secondary": t("secondary")}
    rows = [
        {
            t("Metric"): t(metric_name(other.metric.metric, other.metric.per)),
            t("Role"): roles[other.metric.role],
            record.summary.control: t(amount(other.unit, other.control_mean)),
            record.summary.arm: t(amount(other.unit, other.arm_mean)),
            t("Difference"): t(change(other.unit, other.difference)),
            t("Interval"): _interval(record, t, other.unit, other.difference_interval),
            t("Better"): t.percent(other.probability_better),
        }
        for other in record.summary.others
    ]
    return Section(t("Other metrics"), rows, t("A guardrail that surely gets worse withholds the verdict."))


def _delivery(record: EffectRecord, t: Texts) -> Section | None:
    found, summary = record.summary.delivery, record.summary
    if found is None:
        return None
    item = main_comparison(summary)
    whom, share, difference = t("Whom"), t("Reached"), t("Difference per customer")
    rows = [
        {
            whom: t("everybody assigned to “{arm}”", arm=found.arm),
            share: t.percent(found.shares[found.arm]),
            difference: t(change(summary.unit, item.difference)),
            t("Interval"): _interval(record, t, summary.unit, item.difference_interval),
        }
    ]
    if found.reached is not None and found.reached_interval is not None:
        rows.append(
            {
                whom: t("those whom it reaches"),
                share: t.percent(1.0),
                difference: t(change(summary.unit, found.reached)),
                t("Interval"): _interval(record, t, summary.unit, found.reached_interval),
            }
        )
    note = t(
        "The second holds if the treatment does nothing to those it does not reach. Decide by the first, "
        "which is what adopting it brings."
    )
    return Section(t("Whom it reached"), rows, note if len(rows) > 1 else "")


def _prior(record: EffectRecord, t: Texts) -> Section | None:
    prior = record.summary.prior
    if prior is None or record.summary.word != "effect":
        return None
    tempers = {
        "none": t("nothing, by the data alone"),
        "sceptical": t("next to nothing, within ±5 %"),
        "cautious": t("between −20 % and +25 %"),
        "wide": t("anything between −60 % and +150 %"),
    }
    expected, better = t("Lift expected before"), t("Better")
    rows = [{expected: tempers[name], better: t.percent(p)} for name, p in prior.strip.items()]
    note = t("By the data alone we are not sure; to have expected less does not change that.")
    if prior.tipping is not None:
        note = t(
            "Who expected the lift to lie between {low:signed_percent} and {high:signed_percent}, or nearer "
            "to nothing, is not sure yet.",
            low=prior.tipping[0],
            high=prior.tipping[1],
        )
    return Section(t("Had we expected something else"), rows, note)


def _models(record: EffectRecord, t: Texts) -> Section | None:
    names = {
        "hurdle": t("who buys, and what a buyer spends"),
        "bootstrap": t("customers drawn again (Bayesian bootstrap)"),
        "cut": t("the largest 1 % of values cut"),
        "adjusted": t("what they did before taken out"),
        "hierarchical": t("who buys, and what a buyer spends, group by group (PyMC)"),
        "periods": t("week by week, each customer set against the weeks before (doubly robust)"),
    }
    unit = record.summary.unit
    rows = [
        {
            t("Model"): names[one.name],
            t("Difference"): t(change(unit, one.difference)),
            t("Interval"): _interval(record, t, unit, one.difference_interval),
            t("Better"): t.percent(one.probability_better),
        }
        for one in record.summary.witnesses
    ]
    return Section(t("The same by other models"), rows)


def _factors(record: EffectRecord, t: Texts) -> Section | None:
    summary, edge = record.summary, sure(record.settings.level)
    unit = summary.unit
    rows = [
        {
            t("What"): _what(one, t),
            t("Difference"): t(change(unit, one.difference)),
            t("Interval"): _interval(record, t, unit, one.difference_interval),
            t("Better"): t.percent(one.probability_better),
        }
        for one in summary.factorial
    ]
    together = [one for one in summary.factorial if one.what == "interaction"]
    if not together:
        return None
    p = max(max(one.probability_better, 1 - one.probability_better) for one in together)
    note = t(
        "Whether one factor changes what the other does is not clear yet ({p:percent} sure which way); "
        "effects averaged over the other factor stand as long as it does not.",
        p=p,
    )
    if p >= edge:
        note = t(
            "One factor changes what the other does ({p:percent} sure): effects averaged over the other mean "
            "little; read those with each level of the other, and choose among the combinations.",
            p=p,
        )
    return Section(t("Two factors"), rows, note)


def _what(row: FactorRow, t: Texts) -> str:
    words = {"level": row.level, "base": row.base, "at": row.at}
    if row.what == "main":
        return t("“{level}” instead of “{base}”, over all levels of the other factor", **words)
    if row.what == "simple":
        return t("“{level}” instead of “{base}”, with “{at}”", **words)
    return t("“{level}” together with “{at}”, beyond the sum of the two", **words)
