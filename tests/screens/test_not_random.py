"""The effect lab without chance: one question at a time, and the word for it is association."""

from __future__ import annotations

import re
from html import escape, unescape
from pathlib import Path

import pytest

from tests.sample_shop import EXPERIMENT, OFFERS
from tests.screens.pages import answers, choose, control, widgets, words
from tests.shops import binary, unit_level
from workbench import Project
from workbench.analyses import not_random
from workbench.locale import Texts
from workbench.models.sensitivity import corrected
from workbench.publish.page import record_view
from workbench.records import Association, AssociationRecord, NotRandomSettings, Refused, from_json
from workbench.screens.download import Download
from workbench.screens.not_random import NotRandomState
from workbench.screens.not_random_view import view
from workbench.screens.publishing import PublishState
from workbench.screens.publishing import view as publish_view

HIDDEN = "Hidden cause: more frequent among those who had it (points)"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[NotRandomSettings]:
    """What is asked from now on."""
    found: list[NotRandomSettings] = []
    analyse = not_random.analyse

    def count(project: Project, settings: NotRandomSettings) -> AssociationRecord:
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
    assert state.record is not None
    again = not_random.analyse(shop, state.settings())
    assert (again.id, again.summary, again.verdict) == (
        state.record.id,
        state.record.summary,
        state.record.verdict,
    )


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
    page = view(state, Texts("en"))
    control(page, HIDDEN).value = 30  # the slider asks nobody
    assert len(counted) == 7


@pytest.mark.requirement("I02")
def test_of_people_assigned_at_random_the_results_speak(shop: Project) -> None:
    state = NotRandomState(shop)
    page = view(state, Texts("en"))
    choose(page, "Which one", EXPERIMENT)
    assert state.record is not None
    assert isinstance(state.record.summary.answer, Refused)
    assert "assigned at random" in answers(page)
    assert "Can they be compared?" not in plain(page)


def test_another_treatment_brings_its_own_names_and_covariates(shop: Project) -> None:
    state = NotRandomState(shop)
    state.landmark = state.record.summary.period.landmark  # type: ignore[union-attr]  # the sample shop has times
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
    assert state.record is not None
    assert state.record.summary.sensitivity is not None
    strongest = state.record.summary.sensitivity.strongest
    assert strongest is not None
    slider, changes = control(page, HIDDEN), control(page, "It changes the metric by (points)")
    assert slider.value == pytest.approx(100 * abs(strongest.imbalance), abs=0.1)
    assert isinstance(state.record.summary.answer, Association)
    slider.value, changes.value = 50, 10
    left = corrected(state.record.summary.answer.difference, 0.5, 0.1)
    t = Texts("en")
    assert f"the difference would be {t.points(left)} points" in plain(page)
    slider.value = 0
    assert f"the difference would be {t.points(state.record.summary.answer.difference)} points" in plain(page)


def test_ticking_a_covariate_off_leaves_it_out(shop: Project) -> None:
    state = NotRandomState(shop)
    page = view(state, Texts("en"))
    ticks = control(page, "Adjusted for")
    ticks.value = ["country", "days known"]
    assert state.adjust_for == ["country", "tenure"]
    assert state.record is not None
    assert state.record.summary.covariates == ["country", "tenure"]


def test_what_cannot_be_asked_is_a_sentence_on_the_page(shop: Project) -> None:
    state = NotRandomState(shop)
    page = view(state, Texts("en"))
    state.window_days = 3_000
    assert state.record is None
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


def test_an_answer_is_kept_handed_over_and_published_under_its_own_sign(own_shop: Project) -> None:
    state = NotRandomState(own_shop)
    page = view(state, Texts("en"))
    keep = control(page, "Keep this result")
    keep.click()
    assert (state.problem, state.kept, keep.description) == (None, True, "Kept")
    assert state.record is not None
    assert state.record.id in own_shop.records
    state.level = 0.8
    assert not state.kept
    state.level = 0.95
    assert state.kept
    numbers, whole = (one._make() for one in widgets(page) if isinstance(one, Download))
    assert numbers is not None
    assert whole is not None
    assert numbers[0] == f"association-{state.record.id}.csv"
    assert from_json(bytes(whole[1]).decode()) == state.record
    assert f"project.not_random('{OFFERS}', 'conversion'" in plain(page)
    published = PublishState(own_shop)
    publishing = publish_view(published, Texts("en"))
    control(publishing, f"conversion and “{OFFERS}”, an association").value = True
    assert "wb-no-effect" in words(publishing)
    assert "not an effect" in answers(publishing)
    published.title = "Offers"
    published.publish()
    assert (published.problem, [page.title for page in published.pages]) == (None, ["Offers"])


def test_the_effect_of_what_was_random_has_no_such_sign(own_shop: Project) -> None:
    record = own_shop.effect(EXPERIMENT, keep=False)
    assert "wb-no-effect" not in words(record_view(record, Texts("en")))
    other = own_shop.effect(OFFERS, keep=False)
    assert "wb-no-effect" in words(record_view(other, Texts("en")))


def test_an_empty_project_says_what_is_missing(empty_shop: Project) -> None:
    state = NotRandomState(empty_shop)
    assert "nothing yet" in str(state.missing)
    assert state.record is None


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
