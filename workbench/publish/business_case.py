"""A business case on a page: the parts of it as markup, and the whole as one sheet of paper."""

from __future__ import annotations

import re
from html import escape
from zoneinfo import ZoneInfo

from workbench import report
from workbench.analyses import business_case_words as words
from workbench.analyses.business_case import BusinessCase
from workbench.charts.business_case import fan
from workbench.locale import Texts
from workbench.publish.blocks import Block
from workbench.publish.content import Folded
from workbench.publish.markup import checks, figure_row, light, stated, table, unbroken
from workbench.publish.sheet import Sheet, csv_link
from workbench.publish.sheet import document as sheet_document
from workbench.publish.versions import question

_MOST = 2
"""Warnings that fit the page; the others are folded away."""


def document(case: BusinessCase) -> str:
    """The case as an HTML file that needs nothing else, in all languages; it prints on one page."""
    project = case.record.project
    return sheet_document(lambda t: sheet(case, t), project.language, project.currency)


def sheet(case: BusinessCase, t: Texts) -> Sheet:
    """The case as one page: trust, sentence, figures, problem, fan, plan, assumptions."""
    record, project = case.record, case.record.project
    until = record.source.until
    dated = ""
    if until is not None:
        dated = t("data until {day:date}", day=until.astimezone(ZoneInfo(project.timezone)).date())
    link = csv_link(t("The months (CSV)"), f"business-case-{record.id}", months_as_csv(case))
    page: list[Block] = [
        trust(case, t),
        answer(case, t),
        problem(case, t),
        (fan(case, t),),
        size_and_plan(case, t),
        Folded(t("The months as a table"), table(words.month_rows(case, t))),
        Folded(t("What we checked"), checks(record.checks, t)),
        f'<p class="wb-downloads">{link}</p>',
    ]
    program = "personalization-workbench"
    foot = t(
        "Rests on the result {record} of {day:date}; made with {program} {version}.",
        record=record.id,
        day=record.created.date(),
        program=program,
        version=record.versions.get(program, "–"),
    )
    title = t("Business case: {question}", question=question(record))
    return Sheet(title, [project.name, dated], [page], [foot], light(record.checks, t))


def months_as_csv(case: BusinessCase) -> str:
    """Net gain by the end of each month, with all digits."""
    rows: list[dict[str, float]] = []
    for month, one in enumerate(case.fan):
        row = {"month": month, "mean": one.mean, "median": one.median}
        for level, (low, high) in one.bands.items():
            row |= {f"low_{level:g}": low, f"high_{level:g}": high}
        rows.append({**row, "paid_back": case.back[month - 1] if month else 0.0})
    return report.rows_as_csv(rows)


def answer(case: BusinessCase, t: Texts) -> str:
    """The sentence and its figures."""
    return _joined(stated(words.sentence(case), t, association=False) + figure_row(words.figures(case, t)))


def trust(case: BusinessCase, t: Texts, *, lit: bool = False) -> str:
    """How the checks of the result went: how many are fine, and each that is not.

    Args:
        case: The case.
        t: The reader's language.
        lit: Whether the light comes first; a page has it in the line at its top.
    """
    found = case.record.checks
    fine = sum(check.status == "ok" for check in found)
    said = t("{fine:count} of {all:count} checks of this result are fine.", fine=fine, all=len(found))
    careful = [check for check in found if check.status != "ok"]
    listed = checks(careful[:_MOST], t, t("Read these warnings first")) if careful else ""
    if len(careful) > _MOST:
        more = t("{n:count} more are told of under “What we checked”.", n=len(careful) - _MOST)
        listed += f'<p class="wb-help">{escape(more)}</p>'
    lamp = f"{light(found, t)} · " if lit else ""
    return f'<p class="wb-help">{lamp}{escape(said)}</p>{listed}'


def problem(case: BusinessCase, t: Texts) -> str:
    """What is asked, and what staying as it is costs."""
    said = "".join(f"<p>{unbroken(t(item))}</p>" for item in words.problem(case))
    return _joined(_part(t("Problem")) + said)


def size_and_plan(case: BusinessCase, t: Texts) -> str:
    """What to do, beside what is assumed."""
    left = plan(case, t) + notes(case, t)
    return f'<div class="wb-two"><div>{left}</div><div>{assumptions(case, t)}</div></div>'


def plan(case: BusinessCase, t: Texts) -> str:
    """What to do, and what would change it."""
    items = "".join(f"<li>{unbroken(t(item))}</li>" for item in words.plan(case))
    return _joined(f'{_part(t("Plan"))}<ol class="wb-plan">{items}</ol>')


def assumptions(case: BusinessCase, t: Texts) -> str:
    """What is assumed, and how wrong it may be."""
    said = t(
        "How far each may go alone, all others as taken, for a chance of a half and of {threshold:percent}.",
        threshold=case.threshold,
    )
    title = _part(t("Size, and how wrong it may be"))
    return f'{title}{table(words.assumption_rows(case, t))}<p class="wb-help">{unbroken(said)}</p>'


def notes(case: BusinessCase, t: Texts) -> str:
    """What the numbers hold and what they do not."""
    return "".join(f'<p class="wb-help">{unbroken(t(note))}</p>' for note in words.notes(case))


def _part(title: str) -> str:
    return f'<h2 class="wb-part">{escape(title)}</h2>'


def _joined(text: str) -> str:
    """No line ends between a sign and the currency's after it."""
    return re.sub(r"(?<=[+−])(?=[$£¥₹€])", "\N{WORD JOINER}", text)
