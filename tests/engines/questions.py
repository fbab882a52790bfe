"""What is asked of every engine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from tests.engines.shop import SURVEY
from workbench import Project
from workbench.analyses import histories, value_fits
from workbench.analyses.validation import validate
from workbench.records import ValueSettings
from workbench.simulate import HOME, OFFERS


def _many_customers(project: Project) -> object:
    """Purchase histories as they are compressed where there are too many customers for exact days."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(histories, "EXACT_UP_TO", 100)
        return histories.read(project, ValueSettings(by="source"))


def _more_about_value(project: Project) -> object:
    """Nothing that was fitted before is used, as nothing is kept of databases."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(value_fits, "_key", lambda *_: None)
        return project.value_beside(by=HOME)


def _foretold(project: Project) -> object:
    """A hold-out of everybody, by the day and by the week."""
    split = date(2025, 8, 31)
    exact = validate(project, ValueSettings(), split)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(histories, "EXACT_UP_TO", 100)
        patch.setattr(histories, "_MANY_ORDERS", 100)
        return exact, validate(project, ValueSettings(by=HOME), split)


def _scores(project: Project) -> object:
    """Every customer's row; customers have other names in a database."""
    with tempfile.TemporaryDirectory() as folder:
        told = project.scores(Path(folder) / "scores.parquet")
        rows = pyarrow.parquet.read_table(told.place).drop_columns("customer_id").to_pylist()
    return told.customers, told.until, sorted(tuple(row.values()) for row in rows)


def _coming(project: Project) -> object:
    """Hours of the week on the shop's clock, and the way from a look to an order."""
    found = project.engagement()
    return found.visits, found.when, found.carts


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
    "a quantile by group": lambda p: p.effect(
        HOME, "revenue", by="country", statistic="quantile", quantile=0.9, keep=False
    ),
    "seconds by stays": lambda p: p.effect(HOME, "seconds", per="stays", keep=False),
    "outcome by one rule": lambda p: p.effect(SURVEY, "bought", by="O'Brien", keep=False),
    "summaries": lambda p: p.effect("resumen", by="país", keep=False),
    "histories of many customers": _many_customers,
    "revenue with consent": _with_consent,
    "what was foretold": _foretold,
    "net value, measured": lambda p: p.lifetime_value(
        by=HOME,
        definition="net",
        cost_per_order=1.0,
        service_cost_per_year=2.0,
        model="pareto-nbd",
        keep=False,
    ),
    "more about value": _more_about_value,
    "when customers come back": lambda p: p.returning(HOME, outcome="repeat"),
    "cohorts": lambda p: p.cohorts(
        mix_by="region", project_periods=3, compare=("2025-02-01", "2025-01-01"), age=2, keep=False
    ),
    "cohorts by country": lambda p: p.cohorts(
        start=f"exposure:{HOME}", by="country", period="week", keep=False
    ),
    "contracts": lambda p: p.contracts(by="region"),
    "contracts by experiment": lambda p: p.contracts(by=HOME, period="week"),
    "occasions by region": lambda p: p.occasions(by="region"),
    "occasions of an event by experiment": lambda p: p.occasions(of="page_view", period="week", by=HOME),
    "recency, frequency, money": lambda p: p.rfm(),
    "when people come and what becomes of carts": _coming,
    "scores": _scores,
    "segment sizes": lambda p: p.segment_sizes(),
    "checks": lambda p: p.checks(),
}
