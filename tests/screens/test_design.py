"""The design of a test: every change is answered, and a protocol is saved, locked and amended."""

from __future__ import annotations

from datetime import date
from html import escape

import pytest

from tests.screens.pages import answers, charts, control, words
from workbench import Project
from workbench.analyses import design_words
from workbench.analyses.design import design
from workbench.locale import Texts
from workbench.protocol import Protocols
from workbench.screens.design import DesignState
from workbench.screens.design_view import view

T = Texts("en")


@pytest.mark.requirement("X03")
def test_the_page_says_what_the_analysis_does(shop: Project) -> None:
    state = DesignState(shop, 300)
    state.weeks = 6
    page = view(state, T)
    found = design(shop, state.settings())
    assert state.found == found
    assert escape(str(design_words.sentence(found))).replace(" %", "&nbsp;%").replace(
        "&lt; ", "&lt;&nbsp;"
    ) in answers(page)
    assert len([one for one in charts(page) if one.chart is not None]) == 5
    assert all(one.description for one in charts(page))
    control(page, "Weeks in which customers enter").value = 2
    assert "A test of 2 weeks" in answers(page)


def test_every_setting_reaches_the_design(shop: Project) -> None:
    state = DesignState(shop, 300)
    for name, value in {
        "metric": "revenue",
        "low": -0.05,
        "high": 0.1,
        "weeks": 4,
        "looks": "end",
        "level": 0.9,
        "loss": 0.0,
        "window_days": 7,
        "population": "loyal",
        "split": "80 / 20",
        "traffic": 0.5,
        "min_weeks": 1,
        "rope": 0.02,
        "prior": "jeffreys",
        "prior_in_analysis": True,
        "mean": "12,5",
        "sd": "40",
        "zeros": "80 %",
        "weekly": "1.200,5",
        "worth": 0.1,
        "assured": 0.3,
        "hold_out": 0.1,
        "several": 3,
        "few": 9,
    }.items():
        setattr(state, name, value)
        assert state.problem is None, (name, str(state.problem))
        assert state.found is not None
    settings = state.found.settings
    assert (settings.mean, settings.sd, settings.zeros, settings.weekly) == (12.5, 40.0, 0.8, 1200.5)
    assert settings.loss is None
    assert settings.split == (80.0, 20.0)
    assert (settings.population, settings.prior, settings.believed) == ("loyal", (0.5, 0.5), (-0.05, 0.1))


def test_a_rate_by_hand_is_in_per_cent_and_a_mean_is_not(shop: Project) -> None:
    state = DesignState(shop, 300)
    state.mean, state.weekly = "5", "1000"
    assert state.found is not None
    assert state.found.base.metric.mean == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("mean", "five", "“five” is not a number"),
        ("split", "50", "give a number above 0 for each arm"),
        ("split", "0 / 50", "give a number above 0 for each arm"),
        ("low", 0.5, "lower end first"),
        ("zeros", "99.99", "standard deviation is at least"),
    ],
)
def test_what_cannot_be_planned_is_said_and_can_be_put_right(
    shop: Project, name: str, value: object, says: str
) -> None:
    state = DesignState(shop, 300)
    state.metric = "revenue"
    before = getattr(state, name)
    setattr(state, name, value)
    assert says in str(state.problem)
    assert state.found is None
    setattr(state, name, before)
    assert (state.problem, state.found is None) == (None, False)


def test_a_project_without_data_can_be_planned_by_hand(empty_shop: Project) -> None:
    state = DesignState(empty_shop, 300)
    assert state.problem is None
    page = view(state, T)
    assert "A test of 3 weeks with 7,500 customers an arm" in answers(page)
    assert "by hand: 5.00&nbsp;%" in words(page)
    assert control(page, "Split our own customers 1,000 times").layout.display == "none"


@pytest.mark.requirement("X10")
def test_ones_own_customers_are_split_when_asked_and_only_then(shop: Project) -> None:
    state = DesignState(shop, 300)
    state.looks = "end"
    page = view(state, T)
    assert "found a winner" not in words(page)
    control(page, "Split our own customers 1,000 times").click()
    assert "split at random 1,000 times" in words(page)
    state.weeks = 2
    assert "found a winner" not in words(page)


@pytest.mark.requirement("X01", "X04")
def test_a_protocol_is_saved_locked_and_amended_on_the_page(own_shop: Project) -> None:
    state = DesignState(own_shop, 300)
    page = view(state, T)
    form = state.protocol
    assert control(page, "Save and lock").disabled
    control(page, "Name of the experiment").value = "new home"
    form.start, form.excluded, form.guardrails = date(2026, 12, 1), "2026-12-25 2026-12-26", ["orders"]
    control(page, "Save as a draft").click()
    assert "draft of" in words(page)
    control(page, "Save and lock").click()
    (versions,) = Protocols(own_shop.path / "protocols").values()
    protocol = versions[-1].protocol
    assert Protocols.intact(versions)
    assert (protocol.name, protocol.start, protocol.weeks) == ("new home", date(2026, 12, 1), 3)
    assert protocol.analysis.excluded == ((date(2026, 12, 25), date(2026, 12, 26)),)
    assert [(one.metric, one.role) for one in protocol.analysis.others] == [("orders", "guardrail")]
    assert (versions[-1].sha256 or "-")[:16] in words(page)
    assert control(page, "Amend").disabled
    state.weeks = 4
    control(page, "Why it is amended").value = "Traffic fell by a third."
    control(page, "Amend").click()
    assert "version 2: Traffic fell by a third." in words(page)
    assert len(Protocols(own_shop.path / "protocols")["new home"]) == 2


def test_a_protocol_whose_arms_do_not_fit_the_split_is_not_saved(own_shop: Project) -> None:
    state = DesignState(own_shop, 300)
    state.protocol.experiment, state.protocol.arms = "home", "one, two, three"
    state.protocol.save()
    assert "The split has 2 arms; name as many" in str(state.protocol.problem)
    state.protocol.arms, state.protocol.excluded = "one, two", "yesterday"
    state.protocol.save()
    assert "is no stretch of days" in str(state.protocol.problem)
    assert not state.protocol.kept
