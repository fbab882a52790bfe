"""What the page of a comparison that was not random shows, part by part and in order."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from workbench import report
from workbench.charts import not_random as charts
from workbench.charts.picture import Picture
from workbench.decisions import change
from workbench.locale import Texts
from workbench.publish.content import Folded
from workbench.publish.markup import (
    association_label,
    checks,
    details,
    figure_row,
    health,
    sentence,
    table,
    unbroken,
)
from workbench.publish.ready import made_once
from workbench.records import Association, AssociationRecord
from workbench.report import association


@dataclass(frozen=True)
class AssociationContent:
    """The parts of the page, in the order in which they are read.

    Attributes:
        sentence, figures, compared, left, placebo, checks: Markup.
        strength: How strong a hidden cause would have to be, under `hidden_title`; markup.
    """

    sentence: str
    figures: str
    compared: str
    overlap: Picture | None
    love: Picture | None
    levels: Folded
    lost: Folded
    left: str
    ladder: Picture | None
    rungs: Folded
    hidden_title: str
    strength: str
    placebo: str
    checks: str
    details: Folded


@made_once
def association_content(
    record: AssociationRecord, t: Texts, *, trust_first: bool = False
) -> AssociationContent:
    """The parts of a record's page.

    Args:
        record: What to show.
        t: The reader's language.
        trust_first: Whether a light above the sentence says how the checks went.
    """
    one = record.summary
    light = f'<p class="wb-trusted">{health([record], t)}</p>' if trust_first else ""
    return AssociationContent(
        sentence=light + _banner(record, t) + sentence(record, t),
        figures=figure_row(report.figures(record, t)),
        compared=part(t("Can they be compared?")) if one.overlap else "",
        overlap=charts.overlap(record, t),
        love=charts.love(record, t),
        levels=Folded(t("Balance of every level as a table"), table(association.balance_rows(record, t))),
        lost=Folded(t("Of whom nothing can be said"), table(association.lost_rows(record, t))),
        left=part(t("What is left of the difference")) if one.ladder else "",
        ladder=charts.ladder(record, t),
        rungs=Folded(t("Every comparison as a table"), table(report.rows(record, t))),
        hidden_title=part(t("What if something else decided, that nobody recorded?")),
        strength=_strength(record, t),
        placebo=_placebo(record, t),
        checks=checks(record.checks, t),
        details=Folded(t("Details: groups, dates, method, code"), details(record, t)),
    )


def part(title: str) -> str:
    """The title of a part of the page."""
    return f'<h2 class="wb-part">{escape(title)}</h2>'


def _banner(record: AssociationRecord, t: Texts) -> str:
    """That this is another kind of answer; people who were assigned at random are sent elsewhere instead."""
    if record.summary.assignment == "random":
        return ""
    return association_label(
        t,
        t(
            "These people were not assigned at random. The difference goes with what they had; it does not "
            "say what giving it to others would do."
        ),
    )


def _strength(record: AssociationRecord, t: Texts) -> str:
    found, answer = record.summary.sensitivity, record.summary.answer
    if found is None or not isinstance(answer, Association):
        return ""
    rows = association.benchmark_rows(record, t)
    linear = t("The regression says {estimate} now.", estimate=change(record.summary.unit, found.linear[0]))
    beside = f'{table(rows)}<p class="wb-help">{unbroken(linear)}</p>' if rows else ""
    return f"<p>{unbroken(association.hidden_causes(record, t))}</p>{beside}"


def _placebo(record: AssociationRecord, t: Texts) -> str:
    """The same comparison where there can be no difference."""
    if record.summary.placebo is None:
        return ""
    about = t(
        "The same comparison of {about}. It cannot have been changed, so nothing should be left of it.",
        about=record.summary.placebo.about,
    )
    title = part(t("Would it find a difference where there is none?"))
    return f"{title}<p>{unbroken(about)}</p>{table(association.placebo_rows(record, t))}"
