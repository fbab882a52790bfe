"""The plain product of averages beside the model's answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.analyses.value_fits import fitted
from workbench.models import plain_value
from workbench.models.plain_value import Corrections, Plain
from workbench.records import Interval, ValueSettings

if TYPE_CHECKING:
    from workbench.project import Project

_TEN_YEARS = 520
"""The horizon that stands in for an endless one: the plain product has no end of its own either."""


@dataclass(frozen=True)
class PlainValue:
    """The plain product, the model's answer for the same margin, and what lies between.

    Attributes:
        own: What the shop reads off its orders.
        used: What the product was made of: `own`, or what somebody set instead.
        corrections: Step by step to the model.
        mean, interval: The model's answer, revenue of repeat purchases times the margin.
        weeks, discount_per_year, level: As asked.
    """

    own: Plain
    used: Plain
    corrections: Corrections
    mean: float
    interval: Interval
    weeks: int
    discount_per_year: float
    level: float


def plain_product(
    project: Project, settings: ValueSettings, used: Plain | None = None, seed: int = 1
) -> PlainValue:
    """Hold the plain product against the model, for everybody together.

    Args:
        project: Where the orders are.
        settings: Its horizon, discount, model, level and last day are used, and a margin that is a share.
        used: Numbers to be used instead of the shop's own.
        seed: Of the draws.

    Raises:
        DataError: without orders.
        ModelError: when nobody came back, or a posterior fails its own diagnostics.
    """
    fit = fitted(project, settings.model_copy(update={"by": None}), seed).whole
    margin = 1.0 if settings.margin == "measured" or settings.definition == "revenue" else settings.margin
    own = plain_value.observed(fit.rows, fit.money, margin)
    weeks = settings.horizon_weeks or _TEN_YEARS
    found = plain_value.corrections(
        used or own, fit.newcomers, fit.spend, fit.rows, weeks, settings.discount_per_year
    )
    low, high = np.quantile(found.draws, [(1 - settings.level) / 2, (1 + settings.level) / 2])
    return PlainValue(
        own=own,
        used=used or own,
        corrections=found,
        mean=float(found.draws.mean()),
        interval=(float(low), float(high)),
        weeks=weeks,
        discount_per_year=settings.discount_per_year,
        level=settings.level,
    )
