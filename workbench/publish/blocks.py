"""A record as a row of blocks, whatever kind it is: what a page shows that only has to stand still."""

from __future__ import annotations

from workbench import report
from workbench.charts.picture import Picture
from workbench.locale import Texts
from workbench.publish.association_content import association_content
from workbench.publish.content import Folded, content
from workbench.publish.markup import checks, details, figure_row, sentence, table
from workbench.records import AnyRecord, AssociationRecord, CohortRecord, EffectRecord, ValueRecord

type Block = str | Folded | tuple[Picture, ...]
"""Markup, markup behind a line, or charts side by side."""


def blocks(record: AnyRecord, t: Texts) -> list[Block]:
    """The blocks of a record's page, from top to bottom."""
    if isinstance(record, AssociationRecord):
        return _association(record, t)
    if isinstance(record, EffectRecord | ValueRecord | CohortRecord):
        found = content(record, t)
        return [
            found.sentence,
            found.figures,
            tuple(found.pictures),
            found.segments,
            found.table,
            found.checks,
            found.beside,
            found.tests,
            found.details,
        ]
    return [
        sentence(record, t),
        figure_row(report.figures(record, t)),
        table(report.rows(record, t)),
        checks(record.checks, t),
        Folded(t("Details: definition, method, data, code"), details(record, t)),
    ]


def _association(record: AssociationRecord, t: Texts) -> list[Block]:
    found = association_content(record, t)
    return [
        found.sentence,
        found.figures,
        found.compared,
        _there(found.overlap, found.love),
        found.levels,
        found.lost,
        found.left,
        _there(found.ladder),
        found.rungs,
        found.hidden_title + found.strength if found.strength else "",
        found.placebo,
        found.checks,
        found.details,
    ]


def _there(*pictures: Picture | None) -> tuple[Picture, ...]:
    return tuple(picture for picture in pictures if picture is not None)
