"""The screen of trust: every change is answered, nothing is hidden, and what is missing is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.screens.pages import answers, charts, control, widgets, words
from tests.trust_shop import change, living, made, said, send
from workbench import Project
from workbench.locale import Texts
from workbench.publish.fold import Fold
from workbench.screens.trusting import TrustState
from workbench.screens.trusting_view import trust, view


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A shop where people leave faster from day 75 on, and some get messages after they have left."""
    folder = tmp_path_factory.mktemp("bad") / "shop"
    return living(folder, days=90, people=2_000, leaving=0.02, rise=(75, 3.0), after_optout=3)


@pytest.mark.requirement("G09", "M07")
def test_the_worst_is_said_first(bad: Project) -> None:
    state = TrustState(bad)
    page = trust(state, Texts("en"))
    assert answers(page).index("3 messages went to 3 people") < answers(page).index("times as fast as before")
    shown = words(page)
    assert shown.index("problem") < shown.index("fine")
    assert shown.index("What we checked") < shown.index("How much to believe of the alarms")
    assert "simulated years" in shown


@pytest.mark.requirement("T12")
def test_the_least_that_should_join_is_the_persons_own(bad: Project) -> None:
    state = TrustState(bad)
    page = trust(state, Texts("en"))
    control(page, "Least to join for each who leaves").value = 0.1
    assert state.found is not None
    assert state.found.settings.kappa == 0.1
    assert "it is not sure that fewer than 0.1 join" in words(page)
    control(page, "Least to join for each who leaves").value = 50
    assert "sure that fewer than 50 join" in words(page)


def test_each_setting_reaches_the_answer(bad: Project) -> None:
    state = TrustState(bad)
    for name, value in {
        "window_days": 14,
        "sure": 0.9,
        "change_days": 30,
        "recent_days": 14,
        "probability": 0.8,
        "ratio": 1.5,
        "level": 0.8,
        "weeks": 8,
        "channel": "email",
        "personalisation": "personalisation",
    }.items():
        setattr(state, name, value)
        assert state.problem is None
        assert state.found is not None
        asked = state.found.settings
        assert (1 / asked.hazard if name == "change_days" else getattr(asked, name)) == pytest.approx(value)
    assert state.found is not None
    assert len(state.found.measures["unsubscribes"].weeks) == 8
    assert state.found.alarm is not None
    assert state.found.alarm.balance is not None
    assert state.found.alarm.balance.days == 14


@pytest.mark.requirement("G07", "M15")
def test_every_picture_has_words_and_every_figure_a_row(bad: Project) -> None:
    page = trust(TrustState(bad), Texts("en"))
    drawn = charts(page)
    assert len(drawn) >= 8
    for chart in drawn:
        assert chart.description
        assert chart.spec["layer"]
    shown = words(page)
    for sign in ("Unsubscribed", "Complained of a message", "Opted out of “personalisation”"):
        assert f'<th scope="row">{sign}, per 1,000' in shown
    assert '<th scope="row">shoes</th>' in shown
    titles = [fold.title for fold in widgets(page) if isinstance(fold, Fold)]
    assert "The list week by week" in titles


def test_a_project_with_consents_only_shows_them_and_names_the_rest(tmp_path: Path) -> None:
    consents = [said(one, one % 30, one % 4 != 0, "perfilado") for one in range(60)]
    state = TrustState(made(tmp_path / "shop", consents=consents))
    page = trust(state, Texts("en"))
    assert "75.0 % of those who were asked agree to “perfilado”" in answers(page).replace("&nbsp;", " ")
    assert "What cannot be said yet" in words(page)
    assert "load the table sends" in words(page)
    assert "How much to believe" not in words(page)


def test_without_any_table_about_trust_it_says_so_and_which_to_load(shop: Project) -> None:
    page = trust(TrustState(shop), Texts("en"))
    assert "Nothing here tells yet" in answers(page)
    for name in ("consents", "subscriptions", "sends", "send_events", "churn"):
        assert f"load the table {name}" in words(page)
    assert charts(page) == []


def test_without_data_the_screen_says_what_is_missing(empty_shop: Project) -> None:
    state = TrustState(empty_shop)
    assert "no data" in str(state.missing)
    assert state.found is None
    assert state.problem is None


def test_the_header_knows_until_when_there_are_messages(tmp_path: Path) -> None:
    project = made(
        tmp_path / "shop", sends=[send(1, 3), send(1, 33)], subscriptions=[change(1, 1, "subscribe")]
    )
    until = TrustState(project).until
    assert until is not None
    assert until.date().isoformat() == "2026-02-07"


def test_what_cannot_be_answered_is_a_sentence_and_goes_away(bad: Project) -> None:
    state = TrustState(bad)
    state.channel = "fax"
    assert "There is no channel “fax”" in str(state.problem)
    assert state.found is None
    state.channel = None
    assert state.problem is None
    assert state.found is not None


def test_the_other_parts_are_made_when_they_are_opened(bad: Project) -> None:
    page = view(TrustState(bad), Texts("en"))
    bar = next(widget for widget in widgets(page) if "wb-tabs" in getattr(widget, "_dom_classes", ()))
    assert [title for title, _ in bar.options] == ["Trust", "Fairness", "What we use"]
    before = sum(1 for _ in widgets(page))
    bar.value = 1
    assert sum(1 for _ in widgets(page)) != before
    bar.value = 0
    assert sum(1 for _ in widgets(page)) == before


@pytest.mark.requirement("M07")
def test_an_alarm_is_muted_with_a_reason_and_stays_on_the_page(tmp_path: Path) -> None:
    project = living(tmp_path / "shop", days=90, people=2_000, leaving=0.02, rise=(75, 3.0))
    state = TrustState(project)
    state.kappa = 0.1  # leaves one alarm
    page = trust(state, Texts("en"))
    mutes = state.mutes
    assert (mutes.sounding, mutes.muted) == (["trust.change"], [])
    mute = control(page, "Mute")
    mute.click()
    assert "Say why" in str(mutes.problem)
    control(page, "Why").value = "<b>known</b>"
    control(page, "Who says so").value = "Ana"
    mute.click()
    assert (mutes.problem, mutes.sounding, mutes.muted) == (None, [], ["trust.change"])
    assert project.alarms["trust.change"].seen == state.found.until  # type: ignore[union-attr] # it was answered
    shown = words(page)
    assert "Muted by Ana until" in shown
    assert "&lt;b&gt;known&lt;/b&gt;" in shown
    assert "times as fast as before" in answers(page)
    control(page, "Let it sound again").click()
    assert (mutes.sounding, mutes.muted) == (["trust.change"], [])
    assert "Muted" not in answers(page)
