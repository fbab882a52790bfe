"""Lessons without a browser: nothing hidden is sent to a page before a guess, and a class sees the same."""

from __future__ import annotations

import json
import re
from typing import Any

import ipywidgets
import pytest

from tests.screens.pages import charts, choose, control, widgets, words
from workbench import Project, screens
from workbench.errors import WorkbenchError
from workbench.lessons import DIFFICULTIES, LESSONS, belief, own_test
from workbench.lessons.clones import NONE, B
from workbench.locale import LANGUAGES, Texts
from workbench.publish.site import notebooks_folder
from workbench.screens.lessons.belief import BeliefState
from workbench.screens.lessons.winners import DAILY, WinnersState

T = Texts("en")
NUMBERS = range(1, len(LESSONS) + 1)


@pytest.fixture(autouse=True)
def no_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_PROJECT", raising=False)


def page(number: int, **asked: Any) -> ipywidgets.VBox:
    return screens.lesson(number, language="en", **asked)


def press(shown: ipywidgets.Widget, label: str) -> None:
    control(shown, label).click()


def sent(shown: ipywidgets.Widget) -> str:
    """Everything of a page that goes to a browser, without the names of its models."""
    states = [widget.get_state() for widget in widgets(shown)]
    return re.sub(r"IPY_MODEL_\w+", "", json.dumps(states, default=repr))


# --- nothing hidden is sent --------------------------------------------------------------------------------


def with_other_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same numbers for everybody to see, and other truths behind them."""
    ten = belief.hidden_shops(1, "medium")
    monkeypatch.setattr(
        "workbench.screens.lessons.belief.hidden_shop", lambda *_: belief.HiddenShop(belief.FIRST, 0.0777)
    )
    monkeypatch.setattr(
        "workbench.screens.lessons.belief.hidden_shops",
        lambda *_: belief.HiddenShops(ten.seen, [0.0123 * (place + 1) for place in range(len(ten.seen))]),
    )


def guess_of_the_first_shop(shown: ipywidgets.Widget) -> None:
    control(shown, "From (%)").value = 3.0
    control(shown, "To (%)").value = 8.0


@pytest.mark.requirement("D25")
def test_a_page_does_not_hold_the_true_rates_before_there_is_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    one = page(1)
    with monkeypatch.context() as patch:
        with_other_rates(patch)
        other = page(1)
    for shown in (one, other):
        guess_of_the_first_shop(shown)
    assert sent(one) == sent(other)
    for shown in (one, other):
        press(shown, "That is my guess")
    assert sent(one) != sent(other)
    assert "7.77&nbsp;%" in words(other)


def test_a_page_does_not_hold_the_ten_rates_before_ten_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [page(1)]
    with monkeypatch.context() as patch:
        with_other_rates(patch)
        patch.setattr("workbench.screens.lessons.belief.hidden_shop", belief.hidden_shop)
        pages.append(page(1))
    for shown in pages:
        guess_of_the_first_shop(shown)
        press(shown, "That is my guess")
        press(shown, "Go on: Play")
        press(shown, "Go on: Check yourself")
        for _ in range(9):
            press(shown, "Next shop")
    assert sent(pages[0]) == sent(pages[1])
    for shown in pages:
        press(shown, "Give all ten")
    assert sent(pages[0]) != sent(pages[1])
    assert "hold the truth" in words(pages[1])


def test_a_page_does_not_hold_the_better_page_before_a_winner(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = []
    for lift in (0.0, 0.15):
        mine = own_test.own_test(1, "medium")
        monkeypatch.setattr(mine, "_lift", lift)
        monkeypatch.setattr("workbench.screens.lessons.winners.own_test", lambda *_, mine=mine: mine)
        shown = page(2)
        press(shown, "That is my guess")
        press(shown, "Go on: Run a test")
        press(shown, "Seven more days")
        pages.append(shown)
    assert sent(pages[0]) == sent(pages[1])
    for shown in pages:
        press(shown, "B wins")
    assert "you crowned a winner where there is none" in words(pages[0])
    assert "B is better, by 15&nbsp;%" in words(pages[1])


def test_the_share_of_winners_is_counted_after_the_guess() -> None:
    shown = page(2)
    assert not charts(shown)
    control(shown, "Tests with a winner (of 100)").value = 5.0
    press(shown, "That is my guess")
    assert "You said 5; it is 38 of 100." in words(shown)
    assert [row["share"] for row in charts(shown)[0].data["guess"]] == [5.0]


def test_the_picture_has_fifty_dots_of_which_forty_lie_within() -> None:
    shown = page(1)
    press(shown, "That is my guess")
    press(shown, "Go on: Play")
    for preset in ("1 of 20", "10 of 200", "100 of 2,000"):
        press(shown, preset)
        drawn = charts(shown)[0].data
        assert [dot["inside"] for dot in drawn["dots"]].count(True) == 40
        assert len(drawn["dots"]) == len({(dot["x"], dot["y"]) for dot in drawn["dots"]}) == 50
        assert all(dot["y"] < 98 for dot in drawn["dots"])


# --- lesson 1 ----------------------------------------------------------------------------------------------


def test_more_visitors_keep_the_rate_that_is_seen() -> None:
    state = BeliefState()
    for visitors, buyers in ((400, 20), (5000, 250), (20, 1), (200, 10)):
        state.visitors = visitors
        assert (state.played.buyers, state.played.visitors) == (buyers, visitors)
    state.buyers = 50
    state.visitors = 400
    assert state.played.buyers == 100


def test_an_interval_that_is_turned_round_is_one_sentence_and_reveals_nothing() -> None:
    state = BeliefState()
    state.low, state.high = 0.08, 0.03
    state.commit()
    assert "lower number" in T(state.problem)
    assert (state.guess, state.truth, state.beliefs) == (None, None, [])
    state.low = 0.01
    state.commit()
    assert state.problem is None
    assert state.truth is not None
    assert len(state.beliefs) == 1


def test_ten_good_intervals_pass_and_an_answer_can_be_taken_back() -> None:
    state = BeliefState(seed=4)
    for seen in state.shops[:3]:
        state.shop_low, state.shop_high = seen.best
        state.place()
    state.take_back()
    assert (state.shop, len(state.intervals)) == (2, 2)
    assert (state.shop_low, state.shop_high) == state.shops[2].best
    for seen in state.shops[2:]:
        state.shop_low, state.shop_high = seen.best
        state.place()
    assert state.grade is not None
    assert state.grade.cost == pytest.approx(1.0)
    assert len(state.rates) == 10
    before = state.shops
    state.other_shops()
    assert state.grade is None
    assert state.shops != before


def test_ones_own_shop_has_the_same_picture(shop: Project) -> None:
    state = BeliefState(shop)
    state.look_at_own()
    assert state.own is not None
    assert 0 < state.own.buyers < state.own.visitors
    low, high = state.own.best
    assert low < state.own.rate < high


def test_without_a_shop_of_ones_own_the_page_says_how_to_get_one() -> None:
    shown = page(1)
    press(shown, "That is my guess")
    press(shown, "Go on: Play")
    press(shown, "Go on: Check yourself")
    for _ in range(9):
        press(shown, "Next shop")
    press(shown, "Give all ten")
    press(shown, "Go on: Your own shop")
    assert "No shop of your own is open" in words(shown)
    assert "../1-load-and-check.ipynb" in words(shown)


def test_an_empty_project_is_one_sentence(empty_shop: Project) -> None:
    state = BeliefState(empty_shop)
    state.look_at_own()
    assert state.own is None
    assert state.problem is not None


# --- lesson 2 ----------------------------------------------------------------------------------------------


def test_clones_begin_as_one_stopped_oneself() -> None:
    state = WinnersState()
    state.wait(8)
    assert [day.day for day in state.days] == list(range(1, 10))
    state.crown(B)
    seen = state.days[-1].better
    assert state.sure == pytest.approx(max(seen, 0.55), abs=0.0026)
    assert (state.every, state.last) == (DAILY, 14)
    state.wait()
    state.crown(NONE)
    assert (len(state.days), state.winner) == (9, B)


def test_a_test_ends_on_its_last_day() -> None:
    state = WinnersState()
    state.wait(100)
    assert state.days[-1].day == 28


def test_a_higher_bar_is_less_often_wrong_for_the_same_clones() -> None:
    state = WinnersState()
    state.clone()
    found = []
    for sure in (0.8, 0.9, 0.95, 0.99):
        state.sure = sure
        found.append(state.tallies[0].wrong)
    assert found == sorted(found, reverse=True)
    assert found[0] > 4 * found[-1]


def test_a_rule_is_graded_beside_what_was_expected_of_it() -> None:
    shown = page(2)
    press(shown, "That is my guess")
    press(shown, "Go on: Run a test")
    press(shown, "End without a winner")
    press(shown, "Go on: A thousand of you")
    press(shown, "80 % sure, loss below 0.2 %")
    assert "A small loss keeps mistakes cheap, not rare" in words(shown)
    press(shown, "Go on: Check yourself")
    control(shown, "Wrong winners that I expect (%)").value = 10.0
    press(shown, "Hand in the rule")
    assert "Not yet." in words(shown)
    control(shown, "Stop once so sure (%)").value = 97.5
    choose(shown, "Look", "every week")
    press(shown, "Hand in the rule")
    assert "Passed." in words(shown)
    assert words(shown).count("Wrong winners of your rule, try") == 2


# --- every lesson ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", NUMBERS)
def test_a_class_sees_the_same_and_another_seed_begins_anew(number: int) -> None:
    one, other = page(number, seed=7, difficulty="hard"), page(number, seed=7, difficulty="hard")
    assert sent(one) == sent(other)
    press(one, "That is my guess")
    assert "What I believed, and what is true" in words(one)
    control(one, "Seed").value = 8
    assert "What I believed, and what is true" not in words(one)
    assert control(one, "That is my guess").layout.display != "none"
    assert "?seed=8&amp;difficulty=hard" in words(one)
    choose(one, "Difficulty", "easy")
    assert "?seed=8&amp;difficulty=easy" in words(one)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_step_opens_once_the_one_before_is_done(number: int) -> None:
    shown = page(number)
    steps = control(shown, "Steps of the lesson")
    assert len(steps.options) == 1
    onward = [w for w in widgets(shown) if getattr(w, "description", "").startswith("Go on")]
    assert [one.layout.display for one in onward] == ["none"]
    press(shown, "That is my guess")
    onward[0].click()
    assert len(steps.options) == 2
    steps.index = 0
    assert "Step 1 of 4" in words(shown)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_address_carries_seed_and_difficulty(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUERY_STRING", "seed=12&difficulty=hard")
    shown = page(number)
    assert control(shown, "Seed").value == 12
    assert control(shown, "Difficulty").index == list(DIFFICULTIES).index("hard")
    monkeypatch.setenv("QUERY_STRING", "seed=x&difficulty=unheard-of")
    shown = page(number)
    assert control(shown, "Seed").value == 1
    assert "There is no difficulty “unheard-of”" in words(shown)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_control_has_a_label(number: int, language: str) -> None:
    for widget in widgets(screens.lesson(number, language=language)):
        if isinstance(widget, ipywidgets.Button | ipywidgets.ToggleButtons):
            assert widget.description
        elif hasattr(widget, "value") and not isinstance(widget, ipywidgets.HTML):
            assert widget.description, widget


def test_there_are_notebooks_for_the_lessons_that_there_are() -> None:
    files = sorted(notebooks_folder().glob("lessons/*.ipynb"))
    assert [file.stem for file in files] == [lesson.stem for lesson in LESSONS]
    for file, lesson in zip(files, LESSONS, strict=True):
        named = json.loads(file.read_text(encoding="utf-8"))["metadata"]
        assert set(named["titles"]) == set(named["summary"]) == set(LANGUAGES)
        assert named["titles"]["en"] == str(lesson.title)
        assert lesson.stem.startswith(f"{LESSONS.index(lesson) + 1}-")
    with pytest.raises(WorkbenchError, match="no lesson “11”"):
        screens.lesson(11)
