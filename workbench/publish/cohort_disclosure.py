"""What of cohorts others may see: no cell of few people, nothing by which one could be found, counts rounded.

Which cohorts are hidden is decided beside all other tables (`suppression`). Within a cohort an age is hidden
where few bought, or few did not. What customers brought so far would give such an age away as the difference
of two sums: it is told again only where at least two hidden ages with enough buyers lie in between.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from workbench.locale import Message, say
from workbench.publish.rounding import left_out, rounded, said
from workbench.publish.suppression import too_small
from workbench.records import SMALLEST_GROUP, Cohort, CohortCell, CohortRecord

_TOGETHER = "…"
"""Values of a column that are few, put together."""


def disclosed_cohorts(
    record: CohortRecord, names: Collection[str], least: int = SMALLEST_GROUP
) -> CohortRecord:
    """The record as others may see it.

    Args:
        record: As it was kept.
        names: Cohorts that may not be shown.
        least: The fewest people a cell may have.
    """
    one = record.summary
    gap = one.difference
    if gap is not None and (min(gap.customers) < least or set(names) & set(gap.cohorts)):
        gap = None
    cohorts = tuple(_cohort(cohort, least) for cohort in one.cohorts if cohort.name not in names)
    verdict: Message = said(record.verdict, names, least)
    if gap is not None:
        first, second = gap.customers
        gap = gap.model_copy(update={"customers": (rounded(first), rounded(second))})
    elif one.difference is not None:
        verdict = say(
            "{n:count} customers of {k:count} cohorts are followed by their age.",
            n=rounded(sum(cohort.customers for cohort in cohorts)),
            k=len(cohorts),
        )
    pair = record.settings.compare
    update: dict[str, Any] = {
        "summary": one.model_copy(update={"cohorts": cohorts, "difference": gap}),
        "checks": [*record.checks, *left_out(len(names), least)],
        "verdict": verdict,
        "definitions": {},
        "draws": {},
    }
    if pair is not None and set(names) & set(pair):
        update["settings"] = record.settings.model_copy(update={"compare": None})
    return record.model_copy(update=update)


def _cohort(one: Cohort, least: int) -> Cohort:
    cells, waiting = [], list[CohortCell]()
    for cell in one.cells:
        if cell.customers < least:  # fewer and fewer have lived so long
            break
        few = _is_few(cell, least)
        if few:
            waiting.append(cell)
        apart = not waiting or (len(waiting) > 1 and sum(age.active or 0 for age in waiting) >= least)
        cells.append(_cell(cell, few=few, told=apart))
        if apart:
            waiting = []
    whole = len(cells) == len(one.cells) and bool(cells) and cells[-1].value is not None
    return one.model_copy(
        update={
            "customers": rounded(one.customers),
            "cells": tuple(cells),
            # what is to come begins with what was brought so far
            "ahead": one.ahead if whole else one.ahead[1:],
            "mix": _mix(one.mix, least),
        }
    )


def _is_few(cell: CohortCell, least: int) -> bool:
    """Whether few bought, or few of all did not."""
    active = cell.active or 0
    return 0 < active < least or 0 < cell.customers - active < least


def _cell(cell: CohortCell, *, few: bool, told: bool) -> CohortCell:
    """Sums of a rounded number of customers, so that means stay what they are."""
    customers = rounded(cell.customers)
    share = customers / cell.customers

    def scaled(total: float | None) -> float | None:
        return None if few or total is None else share * total

    active, orders = scaled(cell.active), scaled(cell.orders)
    return cell.model_copy(
        update={
            "customers": customers,
            "active": None if active is None else round(active),
            "orders": None if orders is None else round(orders),
            "revenue": scaled(cell.revenue),
            "margin": scaled(cell.margin),
            "value": cell.value if told else None,
        }
    )


def _mix(mix: dict[str, int], least: int) -> dict[str, int]:
    few = too_small(mix, least)
    kept = {name: rounded(n) for name, n in mix.items() if name not in few}
    rest = rounded(sum(n for name, n in mix.items() if name in few))
    return {**kept, _TOGETHER: rest} if rest else kept
