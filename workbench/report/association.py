"""The record of two groups that were not made at random, in words."""

from __future__ import annotations

from workbench.decisions import change
from workbench.locale import Message, Texts, say
from workbench.metrics.covariates import MEANWHILE
from workbench.records import Association, AssociationRecord, Interval, Refused
from workbench.records.association import Encouraged, Randomised, Rung, Unit
from workbench.report.words import Figure, Row, between

_BENCHMARKS = 3


def covariate_name(name: str) -> Message:
    """What a reader calls a covariate; a column keeps its name."""
    kind, _, when = name.partition("_")
    if name == "tenure":
        return say("days known")
    if when == MEANWHILE and kind in ("orders", "events"):
        return say("orders meanwhile") if kind == "orders" else say("events meanwhile")
    if kind in ("orders", "revenue", "events") and when[:-1].isdecimal() and when.endswith("d"):
        days = int(when[:-1])
        words = {
            "orders": say("orders in {days:count} days", days=days),
            "revenue": say("revenue in {days:count} days", days=days),
            "events": say("events in {days:count} days", days=days),
        }
        return words[kind]
    return say("{name}", name=name)


def rung_name(rung: Rung) -> Message:
    """What a reader calls a rung of the ladder."""
    words: dict[Rung, Message] = {
        "seen": say("As they are"),
        "comparable": say("With a counterpart"),
        "regression": say("By regression"),
        "overlap": say("Alike (overlap)"),
        "treated": say("Those who had it"),
        "everybody": say("Everybody"),
        "doubleml": say("DoubleML"),
        "encouraged": say("Encouraged"),
        "randomised": say("At random"),
    }
    return words[rung]


def rung_about(rung: Rung) -> Message:
    """What a rung compares."""
    words: dict[Rung, Message] = {
        "seen": say("both groups as they are"),
        "comparable": say("as they are, only who has a counterpart in the other group"),
        "regression": say("those who had it, against what a regression expects of people like them"),
        "overlap": say("people who could have gone either way, weighted so that both groups are alike"),
        "treated": say("those who had it, against people like them; doubly robust"),
        "everybody": say("everybody, had all had it and had nobody; doubly robust"),
        "doubleml": say("the same by another program, with random forests"),
        "encouraged": say("those whom a random encouragement moved; if it worked in no other way"),
        "randomised": say("a randomised experiment: an effect"),
    }
    return words[rung]


def few_or_share(share: float | None) -> Message:
    """A share of people, where so many were left that it may be said."""
    if share is None:
        return say("a few")
    return say("{share:percent}", share=share)


def association_figures(record: AssociationRecord, t: Texts) -> list[Figure]:
    """As they are, alike, and of how many that speaks."""
    one, level = record.summary, record.settings.level
    if not one.ladder:
        return []
    labels = (t("Difference as they are"), t("Between those who are alike"))
    found = [
        Figure(
            label,
            t(change(one.unit, answer.difference)),
            between(t, answer.interval, level, lambda end: t(change(one.unit, end))),
        )
        for label, answer in zip(labels, (one.ladder[0].answer, one.answer), strict=True)
        if isinstance(answer, Association)
    ]
    first, other = one.groups
    compared = t("none can be compared")
    if one.comparable is not None:
        compared = t(
            "{first:count} and {other:count} have a counterpart",
            first=one.comparable[0],
            other=one.comparable[1],
        )
    sizes = t("{first:count} and {other:count}", first=first.customers, other=other.customers)
    return [*found, Figure(t("Customers who had it, and others"), sizes, compared)]


def ladder_rows(record: AssociationRecord, t: Texts) -> list[Row]:
    """Every rung: what it compares, what it says, or why it says nothing."""
    rows = []
    for step in record.summary.ladder:
        difference, interval = _answer(step.answer, record.summary.unit, t)
        customers = ""
        if isinstance(step.answer, Association):
            first, other = step.answer.customers
            customers = t("{first:count} and {other:count}", first=first, other=other)
        rows.append(
            {
                t("Comparison"): t(rung_name(step.rung)),
                t("Of whom"): t(rung_about(step.rung)),
                t("Difference"): difference,
                t("Interval"): interval,
                t("Customers"): customers,
            }
        )
    return rows


def balance_rows(record: AssociationRecord, t: Texts) -> list[Row]:
    """Every level of every covariate, before and after."""
    return [
        {
            t("Covariate"): t(covariate_name(line.covariate)),
            t("Level"): line.level,
            t("As they are"): t.signed_number(round(line.before, 3)),
            t("Weighted"): t.signed_number(round(line.after, 3)),
            t("Customers"): t(
                "{first:count} and {other:count}", first=line.customers[0], other=line.customers[1]
            ),
        }
        for line in record.summary.balance
    ]


def lost_rows(record: AssociationRecord, t: Texts) -> list[Row]:
    """Of whom nothing can be said."""
    return [
        {
            t("Covariate"): t(covariate_name(line.covariate)),
            t("Level"): line.level,
            t("Who had it"): t.count(line.treated),
            t("Others"): t.count(line.control),
        }
        for line in record.summary.lost
    ]


def placebo_rows(record: AssociationRecord, t: Texts) -> list[Row]:
    """The same comparison where there can be no difference."""
    placebo = record.summary.placebo
    if placebo is None:
        return []
    rows = []
    for name, answer in ((t("As they are"), placebo.seen), (t("Adjusted alike"), placebo.answer)):
        difference, interval = _answer(answer, record.summary.unit, t)
        rows.append({t("Placebo"): name, t("Difference"): difference, t("Interval"): interval})
    return rows


def _answer(answer: Association | Encouraged | Randomised | Refused, unit: Unit, t: Texts) -> tuple[str, str]:
    """The difference and its interval, or why there are none."""
    if isinstance(answer, Refused):
        return t(answer.reason), ""
    return t(change(unit, answer.difference)), span(unit, answer.interval, t)


def span(unit: Unit, interval: Interval, t: Texts) -> str:
    """From where to where, briefly."""
    low, high = interval
    return t("{low} to {high}", low=change(unit, low), high=change(unit, high))


def hidden_causes(record: AssociationRecord, t: Texts) -> str:
    """How strong a hidden cause would have to be."""
    found = record.summary.sensitivity
    if found is None:
        return ""
    said = [
        t(
            "To explain all of it away, a hidden cause would have to be tied to both who had it and the "
            "outcome by a risk ratio of {e:number} (E-value); {edge:number} is enough for the interval to "
            "touch zero.",
            e=found.e_value,
            edge=found.e_value_interval,
        ),
        t(
            "In a linear regression it would have to explain {share:percent} of what is left of both "
            "(robustness value); {edge:percent} is enough for the interval to touch zero.",
            share=found.robustness,
            edge=found.robustness_interval,
        ),
    ]
    if found.e_value_interval == 1:
        said = [
            t("The interval holds zero already, so it takes no hidden cause to explain the difference away."),
        ]
    if found.strongest is not None:
        said.insert(
            0,
            t(
                "The strongest known cause of this kind is {covariate} ({level}).",
                covariate=covariate_name(found.strongest.covariate),
                level=found.strongest.level,
            ),
        )
    return t.sentences(said)


def benchmark_rows(record: AssociationRecord, t: Texts) -> list[Row]:
    """Hidden causes as strong as the strongest ones that are known."""
    found = record.summary.sensitivity
    if found is None:
        return []
    return [
        {
            t("As strong as"): t(covariate_name(line.covariate)),
            t("Explains of who had it"): t.percent(line.treatment),
            t("of the outcome"): t.percent(line.outcome),
            t("The regression would then say"): "–"
            if line.corrected is None
            else t(change(record.summary.unit, line.corrected)),
        }
        for line in found.benchmarks[:_BENCHMARKS]
    ]


def association_details(record: AssociationRecord, t: Texts) -> list[tuple[str, str]]:
    """Who, when, by what method."""
    one = record.summary
    found = [(t("First group"), t(one.groups[0].who)), (t("Held against"), t(one.groups[1].who))]
    if one.period is not None:
        dates = t(
            "counts from {since:date}, followed from {landmark:date}, until {until:date}",
            since=one.period.since,
            landmark=one.period.landmark,
            until=one.period.until,
        )
        found.append((t("Dates"), dates))
    method = t(
        "Propensities by logistic regression; overlap weights (Li, Morgan & Zaslavsky 2018), or "
        "doubly robust with cross-fitting (Chernozhukov et al. 2018); E-value (VanderWeele & Ding "
        "2017), robustness value (Cinelli & Hazlett 2020)."
    )
    adjusted_for = t.listing([t(covariate_name(name)) for name in one.covariates])
    return [*found, (t("Adjusted for"), adjusted_for), (t("Method"), method)]
