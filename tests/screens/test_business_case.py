"""The business case on a page, without a browser."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.sample_shop import EXPERIMENT, OFFERS
from tests.screens.pages import answers, charts, choose, control, words
from workbench import Project
from workbench.analyses import business_case_words
from workbench.analyses.business_case import CaseSettings, business_case
from workbench.locale import Texts
from workbench.records import EffectRecord
from workbench.screens.business_case import AT_HAND, REVENUE, BusinessCaseState
from workbench.screens.business_case_view import view
from workbench.screens.effect import EffectState
from workbench.screens.effect_view import view as effect_view


@pytest.fixture(scope="module")
def conversion(shop: Project) -> EffectRecord:
    return shop.effect(EXPERIMENT, "conversion", keep=False)


@pytest.mark.requirement("U04")
def test_the_page_says_what_the_project_says(shop: Project, conversion: EffectRecord) -> None:
    t, state = Texts(), BusinessCaseState(shop, conversion)
    page = view(state, t)
    choose(page, "Result", "revenue in “personalised-home”")  # the answer at hand is no money
    control(page, "Margin (%)").value = 40
    control(page, "Cost once (EUR)").value = 300
    control(page, "Effect halves in (months; 0: never)").value = 9
    assert state.problem is None
    record = shop.effect(EXPERIMENT, "revenue", keep=False)
    wanted = CaseSettings(margin=0.4, cost_once=300, half_life_months=9)
    case = business_case(record, wanted)
    assert state.found is not None
    assert state.found.fan == case.fan
    assert t(business_case_words.sentence(case)).split(":")[0] in answers(page)
    (chart,) = charts(page)
    assert "Month 12" in chart.description
    assert "checks of this result are fine" in words(page)


@pytest.mark.requirement("U04")
def test_each_assumption_changes_the_case(shop: Project, conversion: EffectRecord) -> None:
    state = BusinessCaseState(shop, conversion)
    seen = []
    for name, value in {
        "cost_once": 500.0,
        "cost_per_month": 20.0,
        "cost_per_customer": 0.1,
        "customers": 2000.0,
        "share": 0.8,
        "margin": 0.5,
        "months": 24,
        "half_life": 12.0,
        "discount": 0.2,
    }.items():
        setattr(state, name, value)
        assert state.found is not None
        seen.append(state.found.net)
    assert all(before != after for before, after in pairwise(seen))


def test_a_metric_that_is_no_money_waits_for_what_a_unit_is_worth(
    shop: Project, conversion: EffectRecord
) -> None:
    state = BusinessCaseState(shop, conversion)
    page = view(state, Texts())
    value = control(page, "Value of one unit (EUR)")
    assert value.layout.display == "none"
    state.chosen = AT_HAND
    assert value.layout.display == ""
    assert state.found is None
    assert "Value of one unit" in words(page)
    assert state.problem is None
    value.value = 40
    assert state.found is not None
    assert state.found.unit_money == 40
    assert state.notice is None


@pytest.mark.requirement("U04")
def test_a_result_that_cannot_carry_a_case_is_refused_in_one_sentence(shop: Project) -> None:
    state = BusinessCaseState(shop)
    state.chosen = next(record.id for record in state.kept if record.settings.experiment == OFFERS)
    assert state.found is None
    assert "an association, not an effect" in str(state.problem)


def test_another_answer_of_the_lab_is_another_case(shop: Project) -> None:
    lab = EffectState(shop)
    page = effect_view(lab, Texts())
    tab = next(child for child in page.children if "wb-tabs" in child._dom_classes)
    tab.value = [title for title, _ in tab.options].index("Business case")
    choose(page, "Result", "revenue in “personalised-home”")
    before = answers(page)
    lab.metric = "revenue"
    lab.window_days = 28
    choose(page, "Result", "the answer in Results: revenue in “personalised-home”")
    assert "28 days" in words(page)
    assert answers(page) != before


@pytest.mark.requirement("U04")
def test_what_is_handed_over_rests_on_a_kept_result(own_shop: Project, conversion: EffectRecord) -> None:
    state = BusinessCaseState(own_shop, conversion)
    assert state.chosen == REVENUE
    assert state.found is not None
    assert state.found.record.id not in own_shop.records
    sent = state.as_page()
    assert sent is not None
    name, page = sent
    assert name == f"business-case-{state.found.record.id}.html"
    assert state.found.record.id.encode() in page
    assert own_shop.records[state.found.record.id] == state.found.record


def test_without_any_result_it_says_so(empty_shop: Project) -> None:
    page = view(BusinessCaseState(empty_shop), Texts())
    assert "no result of an experiment yet" in words(page)
