"""Lifetime value: the project's own answer, and PyMC's in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from tests.sample_shop import EXPERIMENT
from tests.screens.pages import answers, choose, control, words
from workbench import Project, screens
from workbench.errors import ModelError
from workbench.locale import Texts
from workbench.models import nuts, purchases, spend
from workbench.records import ValueRecord
from workbench.screens.value import ValueState
from workbench.screens.value_plain import PlainState
from workbench.screens.value_view import view

SECONDS = 60
_KNOWN: dict[str, ValueRecord] = {}


@pytest.fixture(autouse=True)
def one_answer_for_one_question(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets no two tests compute the same answer."""
    ask = shop.lifetime_value

    def remembered(**settings: Any) -> ValueRecord:
        key = repr(sorted((name, value) for name, value in settings.items() if name != "keep"))
        if key not in _KNOWN:
            _KNOWN[key] = ask(**settings)
        return _KNOWN[key]

    monkeypatch.setattr(shop, "lifetime_value", remembered)


@pytest.fixture
def sampler(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """In the place of PyMC, the other method after the event is set, so that a test need not sample."""
    go = threading.Event()

    def wait(progress: Callable[[float], None] | None, cancel: threading.Event | None) -> None:
        assert progress is not None
        assert cancel is not None
        progress(0.5)
        while not go.wait(0.01):
            if cancel.is_set():
                raise ModelError("stopped")

    def bought(rows: Any, model: str, seed: Any, progress: Any, cancel: Any) -> Any:
        wait(progress, cancel)
        return purchases.posterior(rows, model, 500, seed)

    def spent(rows: Any, seed: Any, progress: Any, cancel: Any) -> Any:
        wait(progress, cancel)
        return spend.posterior(rows, 500, seed)

    monkeypatch.setattr(nuts, "purchase_posterior", bought)
    monkeypatch.setattr(nuts, "spend_posterior", spent)
    return go


@pytest.mark.requirement("V01", "V03")
def test_the_answer_is_the_projects_own(shop: Project) -> None:
    state = ValueState(shop)
    assert not state.kept
    state.by = EXPERIMENT
    assert state.record is not None
    (kept,) = [record for record in shop.records.values() if isinstance(record, ValueRecord)]
    assert state.record.id == kept.id
    assert state.kept


def test_half_the_margin_is_half_the_value(shop: Project) -> None:
    state = ValueState(shop)
    assert state.record is not None
    whole = state.record.summary.value[0].mean
    state.margin = 0.5
    assert state.record.summary.value[0].mean == whole  # revenue knows no margin
    state.definition = "margin"
    measured = state.record.summary.value[0].margin
    assert measured is not None  # the orders carry one, so that is what is asked for first
    assert state.record.summary.value[0].mean == pytest.approx(measured.mean * whole, rel=0.01)
    state.margin_measured = False
    assert state.record.summary.value[0].mean == pytest.approx(whole / 2, rel=1e-9)


def test_a_confirmation_runs_beside_the_page_and_takes_the_place_of_the_answer(
    shop: Project, sampler: threading.Event
) -> None:
    state = ValueState(shop)
    before = state.record
    assert before is not None
    state.confirm()
    assert state.confirming
    assert state.record is before
    sampler.set()
    state.wait(SECONDS)
    assert not state.confirming
    assert state.problem is None
    assert state.work.share == 0.75
    assert state.record is not None
    assert state.record.summary.confirmed is not None
    assert state.record.summary.value == before.summary.value
    assert [check.name for check in state.record.checks if check.name == "confirmed"] == ["confirmed"]


def test_a_stopped_confirmation_leaves_the_answer_as_it_was(shop: Project, sampler: threading.Event) -> None:
    state = ValueState(shop)
    before = state.record
    state.confirm()
    state.stop()
    state.wait(SECONDS)
    assert (state.record, state.problem, state.confirming) == (before, None, False)


def test_a_new_question_ends_the_confirmation_of_the_old_one(shop: Project, sampler: threading.Event) -> None:
    state = ValueState(shop)
    state.confirm()
    state.margin_measured = False
    state.definition, state.margin = "margin", 0.5
    sampler.set()
    state.wait(SECONDS)
    assert state.record is not None
    assert state.record.settings.margin == 0.5
    assert state.record.summary.confirmed is None


def test_a_confirmation_that_fails_is_said_on_the_page(
    shop: Project, sampler: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_settings: Any) -> None:
        raise ModelError("The sampler did not converge.")

    monkeypatch.setattr(nuts, "purchase_posterior", fail)
    state = ValueState(shop)
    page = view(state, Texts("en"))
    before = answers(page)
    control(page, "Confirm with PyMC (a minute)").click()
    state.wait(SECONDS)
    assert "The sampler did not converge." in words(page)
    assert answers(page) == before


def test_an_experiment_compares_its_arms_and_a_column_its_values(shop: Project) -> None:
    page = screens.lifetime_value(shop, "en")
    choose(page, "Split by", EXPERIMENT)
    assert "“personalised”" in answers(page)
    choose(page, "Split by", "device")
    assert "association" in answers(page)
    choose(page, "Split by", "nothing: everybody together")
    assert "A newly acquired customer brings" in answers(page)


def test_the_past_can_be_asked_what_it_would_have_said(shop: Project) -> None:
    state = ValueState(shop)
    assert state.record is not None
    customers = state.record.summary.customers
    state.until_day = date(2025, 9, 30)
    assert state.problem is None
    assert state.record.summary.customers < customers
    state.until_day = date(2024, 1, 1)
    assert state.record is None
    assert "There are no customers with orders" in str(state.problem)


@pytest.mark.requirement("V01", "T5")
def test_money_and_time_change_the_answer_without_a_new_posterior(
    shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a question is fitted, its margin, costs, horizon and discount are only arithmetic."""
    state = ValueState(shop)
    state.by, state.margin_measured = "device", False

    def refuse(*_args: Any, **_settings: Any) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr(purchases, "posterior", refuse)
    monkeypatch.setattr(spend, "posterior", refuse)
    values = []
    for name, value in (
        ("definition", "net"),
        ("margin", 0.3),
        ("cost_per_order", 2.0),
        ("service_cost_per_year", 4.0),
        ("discount_per_year", 0.2),
        ("horizon_weeks", 26),
        ("acquisition_cost", 3.0),
        ("acquisition", "amount"),
        ("first_purchase", True),
    ):
        setattr(state, name, value)
        assert state.problem is None, name
        assert state.record is not None
        values.append(state.record.summary.value[0].mean)
    *each, counted = values
    assert each[0] > each[1] > each[2] > each[3] > each[4] > each[5] == each[6] > each[7]
    assert counted > each[7]


@pytest.mark.requirement("V03", "T5")
def test_the_page_says_how_well_it_foretold_before_any_value_and_what_a_value_is(shop: Project) -> None:
    page = screens.lifetime_value(shop, "en")
    said = words(page)
    assert said.index("foretold") < said.index("A newly acquired customer brings")
    assert said.count("weeks the model foretold") == 1
    choose(page, "Value means", "net: margin less costs")
    control(page, "Cost of a purchase (EUR)").value = 2.0
    assert "less €2.00 a purchase" in words(page)


@pytest.mark.requirement("V09", "V10")
def test_a_difference_is_taken_apart_on_the_page(shop: Project) -> None:
    state = ValueState(shop)
    page = view(state, Texts("en"))
    choose(page, "Split by", EXPERIMENT)
    assert state.record is not None
    (item,) = state.record.summary.differences
    assert sum(part.mean for part in item.parts) == pytest.approx(item.mean)
    found = words(page)
    for part in ("retention", "frequency", "order value", "all together"):
        assert part in found


@pytest.mark.requirement("V02")
def test_the_plain_formula_can_be_changed_and_put_back(shop: Project) -> None:
    state = PlainState(ValueState(shop))
    assert state.found is not None
    own = state.found.used
    assert own.value == pytest.approx(own.order_value * own.purchases_per_year * own.years)
    state.years = 2 * own.years
    assert state.found.used.value == pytest.approx(2 * own.value)
    assert state.found.mean == pytest.approx(ValueState(shop).record.summary.value[0].mean)
    state.reset()
    assert state.found.used.value == pytest.approx(own.value)
    factors = list(state.found.corrections.factors.values())
    assert own.value * np.prod(factors) == pytest.approx(state.found.mean, rel=0.01)


def test_more_about_value_is_asked_only_when_it_is_seen(shop: Project) -> None:
    page = screens.lifetime_value(shop, "en")
    bar = control(page, "Parts of the screen")
    assert "How unevenly value is spread" not in words(page)
    bar.index = len(bar.options) - 1
    found = words(page)
    assert "the top tenth of them holds" in found
    assert "Load the lines of orders" in found
    assert "Load who brought whom" in found
