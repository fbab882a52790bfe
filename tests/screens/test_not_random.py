"""The effect lab without chance: one question at a time, and the word for it is association."""

from __future__ import annotations

import re
from html import escape, unescape
from pathlib import Path

import pytest

from tests.sample_shop import EXPERIMENT, OFFERS
from tests.screens.pages import answers, choose, control, words
from tests.shops import binary, unit_level
from workbench import Project
from workbench.analyses import not_random
from workbench.analyses.association import Association, NotRandomSettings, NotRandomView, Refused
from workbench.locale import Texts
from workbench.models.sensitivity import corrected
from workbench.screens.not_random import NotRandomState
from workbench.screens.not_random_view import view


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[NotRandomSettings]:
    """What is asked from now on."""
    found: list[NotRandomSettings] = []
    analyse = not_random.analyse

    def count(project: Project, settings: NotRandomSettings) -> NotRandomView:
        found.append(settings)
        return analyse(project, settings)

    monkeypatch.setattr("workbench.analyses.not_random.analyse", count)
    return found


def plain(page: object) -> str:
    """The words on a page as they are read."""
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", words(page))))  # type: ignore[arg-type] # a widget


@pytest.mark.requirement("T1")
def test_it_begins_with_what_was_not_random_and_says_association(shop: Project) -> None:
    state = NotRandomState(shop)
    assert (state.name, state.believed) == (OFFERS, "self")
    page = view(state, Texts("en"))
    assert "not an effect" in answers(page)
    assert control(page, "How did people come to it?").label == "as the data say"
    read = plain(page)
    assert "We are" not in read
    for part in ("Can they be compared?", "What is left of the difference", "What we checked"):
        assert part in read


def test_the_answer_is_that_of_the_analysis(shop: Project) -> None:
    state = NotRandomState(shop)
    state.metric = "revenue"
    assert state.shown is not None
    assert state.shown == not_random.analyse(shop, state.settings())


def test_one_change_is_one_question(shop: Project, counted: list[NotRandomSettings]) -> None:
    state = NotRandomState(shop)
    assert len(counted) == 1
    for name, value in {
        "metric": "revenue",
        "target": "everybody",
        "window_days": 21,
        "level": 0.9,
        "adjust_for": ["country", "tenure"],
        "arm": "personalised",
    }.items():
        setattr(state, name, value)
        assert state.problem is None
    assert len(counted) == 7
    assert counted[-1].covariates == ("country", "tenure")
    state.imbalance = 0.3  # the slider asks nobody
    assert len(counted) == 7


@pytest.mark.requirement("I02")
def test_of_people_assigned_at_random_the_results_speak(shop: Project) -> None:
    state = NotRandomState(shop)
    page = view(state, Texts("en"))
    choose(page, "Which one", EXPERIMENT)
    assert state.shown is not None
    assert isinstance(state.shown.answer, Refused)
    assert "assigned at random" in answers(page)
    assert "Can they be compared?" not in plain(page)


def test_another_treatment_brings_its_own_names_and_covariates(shop: Project) -> None:
    state = NotRandomState(shop)
    state.landmark = state.shown.period.landmark  # type: ignore[union-attr]  # the sample shop has times
    state.treatment = "column"
    assert state.name in state.names
    assert (state.landmark, state.arm, state.problem) == (None, None, None)
    assert state.name not in state.known
    assert "orders_meanwhile" not in state.adjust_for  # a column has no time in which it could reach anybody
    state.treatment = "event"
    assert state.name not in state.metrics
    assert state.arms == []


def test_the_slider_starts_from_the_strongest_known_cause_and_moves_the_number(shop: Project) -> None:
    state = NotRandomState(shop)
    page = view(state, Texts("en"))
    assert state.shown is not None
    assert state.shown.sensitivity is not None
    strongest = state.shown.sensitivity.strongest
    assert strongest is not None
    assert state.imbalance == pytest.approx(abs(strongest.imbalance), abs=1e-3)
    assert isinstance(state.shown.answer, Association)
    state.imbalance, state.outcome_difference = 0.5, 0.1
    left = corrected(state.shown.answer.difference, 0.5, 0.1)
    t = Texts("en")
    assert f"the difference would be {t.points(left)} points" in plain(page)
    slider = control(page, "Hidden cause: more frequent among those who had it (points)")
    assert slider.value == 50
    slider.value = 0
    assert state.imbalance == 0
    assert f"the difference would be {t.points(state.shown.answer.difference)} points" in plain(page)


def test_ticking_a_covariate_off_leaves_it_out(shop: Project) -> None:
    state = NotRandomState(shop)
    page = view(state, Texts("en"))
    ticks = control(page, "Adjusted for")
    ticks.value = ["country", "days known"]
    assert state.adjust_for == ["country", "tenure"]
    assert state.shown is not None
    assert state.shown.covariates == ["country", "tenure"]


def test_what_cannot_be_asked_is_a_sentence_on_the_page(shop: Project) -> None:
    state = NotRandomState(shop)
    page = view(state, Texts("en"))
    state.window_days = 3_000
    assert state.shown is None
    assert "has to be before the landmark" in plain(page)
    state.window_days = 28
    assert state.problem is None
    assert "not an effect" in answers(page)


def test_a_refusal_shows_no_adjusted_number(tmp_path: Path) -> None:
    arms = {"with": binary(300, 1_000), "without": binary(100, 1_000)}
    vip = ["yes"] * 1_000 + ["no"] * 1_000
    project = unit_level(tmp_path / "shop", arms, assignment="rule", attributes={"vip": vip})
    state = NotRandomState(project)
    state.control = "without"
    page = view(state, Texts("en"))
    read = plain(page)
    assert "cannot be answered with these data" in read
    assert "Between those who are alike" not in read
    assert "wb-withheld" in answers(page)


def test_an_empty_project_says_what_is_missing(empty_shop: Project) -> None:
    state = NotRandomState(empty_shop)
    assert "nothing yet" in str(state.missing)
    assert state.shown is None


@pytest.mark.requirement("G02")
def test_names_from_files_are_text_and_never_markup(tmp_path: Path) -> None:
    arm, kind = "<img src=x onerror=alert(1)>", "<b>fan</b>"
    project = unit_level(
        tmp_path / "shop",
        {arm: binary(80, 500), "other": binary(60, 500)},
        assignment="self",
        attributes={"<i>kind</i>": [kind] * 300 + ["x"] * 400 + [kind] * 300},
    )
    state = NotRandomState(project)
    state.control = "other"
    assert state.problem is None
    shown = words(view(state, Texts("en")))
    assert escape(arm) in shown
    assert escape(kind) in shown
    for markup in ("<img", "<b>", "<i>"):
        assert markup not in shown
