"""The record of cohorts, in words."""

from __future__ import annotations

from datetime import date

from workbench.locale import Message, Texts, say
from workbench.records import Cohort, CohortRecord, CohortSettings
from workbench.records.cohorts import EXPOSED, FIRST_ORDER, SIGNED_UP
from workbench.report.words import Figure, Row, between

PERIOD_NAMES = {"day": say("day"), "week": say("week"), "month": say("month"), "quarter": say("quarter")}


def named(cohort: str, settings: CohortSettings) -> Message:
    """What a cohort is called: its period of the calendar, or the value of a column."""
    if settings.by is not None:
        return say("{name}", name=cohort)
    day = date.fromisoformat(cohort)
    if settings.period == "month":
        return say("{day:month}", day=day)
    if settings.period == "quarter":
        return say("{year}, quarter {quarter}", year=str(day.year), quarter=str((day.month + 2) // 3))
    return say("{day:date}", day=day)


def cohort_figures(record: CohortRecord, t: Texts) -> list[Figure]:
    """The difference, and how many came back at the first age that they could."""
    one, level = record.summary, record.settings.level
    found = []
    if one.difference is not None:
        first, second = one.difference.customers
        found.append(
            Figure(
                t("Difference of what a customer brought"),
                t.signed_money(one.difference.mean),
                between(t, one.difference.interval, level, t.signed_money),
            )
        )
        sizes = t("{first:count} and {other:count}", first=first, other=second)
        found.append(Figure(t("Customers who are compared"), sizes, t("at the same age")))
    total = sum(cohort.customers for cohort in one.cohorts)
    found.append(Figure(t("Customers"), t.count(total), t("in {n:count} cohorts", n=len(one.cohorts))))
    return found


def cohort_rows(record: CohortRecord, t: Texts) -> list[Row]:
    """What each cohort's customers brought so far and are expected to have brought."""
    return [
        {
            t("Cohort"): _name(one, record.settings, t),
            t("Customers"): t.count(one.customers),
            t("Brought so far"): _so_far(one, t),
            t("In {n:count} more periods", n=record.settings.project_periods): (
                t.money(one.ahead[-1].value) if one.ahead else "–"
            ),
            t("Between"): " – ".join(map(t.money, one.ahead[-1].interval)) if one.ahead else "–",
        }
        for one in record.summary.cohorts
    ]


def _name(one: Cohort, settings: CohortSettings, t: Texts) -> str:
    running = f" ({t('in progress')})" if one.running else ""
    return t(named(one.name, settings)) + running


def _so_far(one: Cohort, t: Texts) -> str:
    value = one.cells[-1].value if one.cells else None
    return "–" if value is None else t.money(value)


def cohort_details(record: CohortRecord, t: Texts) -> list[tuple[str, str]]:
    """What begins a cohort, what is counted, and the method."""
    asked = record.settings
    starts = {FIRST_ORDER: t("the first order"), SIGNED_UP: t("the sign-up")}
    start = starts.get(asked.start) or t(
        "the first exposure to “{experiment}”", experiment=asked.start.removeprefix(EXPOSED)
    )
    found = [
        (t("A cohort begins with"), start),
        (
            t("Method"),
            t(
                "Ages are counted from each customer’s own beginning. Means are compared by Student’s t; "
                "what is to come is foretold from each customer’s own history by MBG/NBD and gamma-gamma."
            ),
        ),
        (t("Last day that is used"), t.date(record.summary.until)),
    ]
    if record.summary.measured_margin < 0.5 and asked.margin < 1:
        found.append((t("Margin kept of revenue (%)"), t.percent(asked.margin)))
    return found
