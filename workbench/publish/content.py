"""What a record's page shows, part by part and in order, before anybody says whether it is alive or still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench import report
from workbench.charts import cohorts as cohort_charts
from workbench.charts import effect as effect_charts
from workbench.charts import value as value_charts
from workbench.charts.picture import Picture
from workbench.locale import Texts
from workbench.publish.markup import (
    checks,
    details,
    figure_row,
    health,
    message_text,
    section_markup,
    sentence,
    table,
    unbroken,
)
from workbench.publish.ready import made_once
from workbench.records import AnyRecord, Check, CohortRecord, EffectRecord, ValueRecord


@dataclass(frozen=True)
class Folded:
    """Markup behind a line that opens it; nothing is shown where it is empty."""

    title: str = ""
    content: str = ""


@dataclass(frozen=True)
class Content:
    """The parts of the page of an effect, a value or cohorts, in the order in which they are read.

    Attributes:
        sentence, figures, segments, checks, beside: Markup.
        pictures: The answer first.
        table: The numbers of the pictures.
        tests: What is said without a prior.
        details: Definition, method, data, code.
    """

    sentence: str
    figures: str
    pictures: list[Picture] = field(default_factory=list)
    segments: str = ""
    table: Folded = Folded()
    checks: str = ""
    beside: str = ""
    tests: Folded = Folded()
    details: Folded = Folded()


@made_once
def content(
    record: EffectRecord | ValueRecord | CohortRecord, t: Texts, *, trust_first: bool = False
) -> Content:
    """The parts of a record's page.

    Args:
        record: What to show.
        t: The reader's language.
        trust_first: Whether a light above the sentence says how the checks went.
    """
    shown = not record.failed
    effect = record if isinstance(record, EffectRecord) else None
    light = f'<p class="wb-trusted">{health([record], t)}</p>' if trust_first else ""
    rows = report.rows(record, t) if shown else []
    said, segments, numbers = _foretold(record, t) + sentence(record, t), "", table(rows)
    tests: list[report.Section] = []
    if isinstance(record, ValueRecord):
        said += f'<p class="wb-help">{unbroken(t(report.value_definition(record.settings)))}</p>'
        segments = "".join(map(section_markup, report.value_sections(record, t) if shown else []))
        parts = report.parts_section(record, t) if shown else None
        numbers += section_markup(parts) if parts else ""
    elif isinstance(record, CohortRecord):
        numbers = table(cohort_charts.cell_rows(record, "active", t)) + numbers
        numbers += table(cohort_charts.mix_rows(record, t))
    elif shown:
        segments = _claims(record, t)
        tests = report.frequentist_sections(record, t)
    return Content(
        sentence=light + said,
        figures=figure_row(report.figures(record, t)) if shown else "",
        pictures=_pictures(record, rows, t) if shown else [],
        segments=segments,
        table=Folded(t("The numbers as a table"), numbers),
        checks=checks([check for check in record.checks if not _is_first(record, check)], t),
        beside="".join(map(section_markup, report.sections(effect, t))) if effect and shown else "",
        tests=Folded(
            tests[0].title if tests else "",
            "".join(section_markup(section, titled=index > 0) for index, section in enumerate(tests)),
        ),
        details=Folded(t("Details: definition, method, data, code"), details(record, t)),
    )


def _claims(record: EffectRecord, t: Texts) -> str:
    """What is claimed of segments where no forest says it, and their ranks."""
    found = record.summary.together
    claims = report.together_words(record, t) if found and not found.pooled else ""
    ranked = report.ranking_section(record, t)
    return message_text(claims, "wb-help") + (section_markup(ranked) if ranked else "")


def _pictures(
    record: EffectRecord | ValueRecord | CohortRecord, rows: Sequence[report.Row], t: Texts
) -> list[Picture]:
    if isinstance(record, CohortRecord):
        return cohort_charts.pictures(record, "active", t)
    if isinstance(record, EffectRecord):
        return effect_charts.pictures(record, t, rows)
    return value_charts.pictures(record, t)


def _is_first(record: AnyRecord, check: Check) -> bool:
    """Whether a check stands above the answer: how well a model foretold what it had not seen."""
    return isinstance(record, ValueRecord) and check.name == "holdout"


def _foretold(record: AnyRecord, t: Texts) -> str:
    """What is read before a value."""
    first = [check for check in record.checks if _is_first(record, check)]
    return checks(first, t, t("How well the model foretold what it had not seen")) if first else ""
