"""What is asked of every engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.engines.shop import SURVEY
from workbench import Project
from workbench.analyses import histories
from workbench.records import ValueSettings
from workbench.simulate import HOME, OFFERS


def _many_customers(project: Project) -> object:
    """Purchase histories as they are compressed where there are too many customers for exact days."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(histories, "EXACT_UP_TO", 100)
        return histories.read(project, ValueSettings(by="source"))


def _with_consent(project: Project) -> object:
    """Revenue of those orders only whose customer had agreed by then."""
    settings = project.settings.model_copy(update={"consent_purpose": "analysis"})
    careful = Project(project.path, settings)
    careful._engine = project.everything
    return careful.effect(HOME, "revenue", keep=False)


QUESTIONS: dict[str, Callable[[Project], Any]] = {
    "revenue by segment": lambda p: p.effect(HOME, "revenue", by="segments", keep=False),
    "outcome by source": lambda p: p.effect(SURVEY, "gasto", by="source", keep=False),
    "lifetime value by experiment": lambda p: p.lifetime_value(by=HOME, keep=False),
    "conversion by country": lambda p: p.effect(HOME, "conversion", by="country", keep=False),
    "views by region": lambda p: p.effect(HOME, "event:product_view", by="region", keep=False),
    "conversion by yes or no": lambda p: p.effect(OFFERS, "conversion", by="member", keep=False),
    "conversion by whole number": lambda p: p.effect(OFFERS, "conversion", by="visits", keep=False),
    "conversion by number": lambda p: p.effect(OFFERS, "conversion", by="children", keep=False),
    "views of products by views of pages": lambda p: p.effect(
        HOME, "event:product_view", per="event:page_view", by="country", keep=False
    ),
    "orders, adjusted and crossed": lambda p: p.effect(
        HOME, "orders", by="country × member", adjust=True, delivered="page_view", keep=False
    ),
    "who is still there": lambda p: p.effect(HOME, "repeat", from_day=7, window_days=28, keep=False),
    "a quantile": lambda p: p.effect(HOME, "revenue", statistic="quantile", quantile=0.95, keep=False),
    "seconds by stays": lambda p: p.effect(HOME, "seconds", per="stays", keep=False),
    "outcome by one rule": lambda p: p.effect(SURVEY, "bought", by="O'Brien", keep=False),
    "summaries": lambda p: p.effect("resumen", by="país", keep=False),
    "histories of many customers": _many_customers,
    "revenue with consent": _with_consent,
    "segment sizes": lambda p: p.segment_sizes(),
    "checks": lambda p: p.checks(),
}
