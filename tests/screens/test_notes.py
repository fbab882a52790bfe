"""Notes on the screens: written where a result is looked at, found and counted on the home."""

from __future__ import annotations

from pathlib import Path

import ipywidgets
import pytest

from tests import sample_shop
from tests.screens.pages import choose, control, widgets, words
from workbench import Project, screens
from workbench.locale import LANGUAGES, Texts
from workbench.screens.cohorting import CohortsState
from workbench.screens.home_state import HomeState
from workbench.screens.notes import NotesState
from workbench.team import Team

HOSTILE = "<img src=x onerror=alert(1)> & [link](javascript:alert(1)) {n:count} Muñoz"
WRITE, NOTE, SAVE = "Write a note or a question", "Note or question", "Save the note"


@pytest.fixture(autouse=True)
def ana(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Ana is at the keyboard."""
    monkeypatch.setenv("WORKBENCH_PERSON", "ana")
    return monkeypatch


def write(page: ipywidgets.Widget, text: str, *, ask: bool = False) -> None:
    """Write a note on a page as a person does."""
    control(page, WRITE).value = True
    control(page, NOTE).value = text
    control(page, "It is a question to be answered").value = ask
    control(page, SAVE).click()


def written(project: Project) -> list[str]:
    return [note.text for thread in project.notes.threads() for note in thread.notes]


@pytest.mark.requirement("U07")
@pytest.mark.parametrize(
    "screen",
    [screens.effect_lab, screens.lifetime_value, screens.cohorts],
    ids=["effect", "value", "cohorts"],
)
def test_a_note_on_a_result_is_there_when_the_screen_is_opened_again(
    screen: object, own_shop: Project
) -> None:
    assert callable(screen)
    page = screen(own_shop, "en")
    assert "Nobody has written anything about this question yet." in words(page)
    write(page, HOSTILE, ask=True)
    assert written(own_shop) == [HOSTILE]
    for shown in (words(page), words(screen(Project.open(own_shop.path), "en"))):
        assert "&lt;img src=x onerror=alert(1)&gt; &amp; [link]" in shown
        assert "<img src=x" not in shown
        assert "Notes: 1 · open questions: 1" in shown


@pytest.mark.requirement("U07")
def test_a_note_follows_its_question_and_not_the_screen(own_shop: Project) -> None:
    page = screens.effect_lab(own_shop, "en")
    write(page, "About conversion")
    choose(page, "Metric", "revenue")
    assert "About conversion" not in words(page)
    choose(page, "Metric", "conversion")
    assert "About conversion" in words(page)
    control(page, "Window after the first exposure (days)").value = 7
    assert "About conversion" in words(page)
    assert "on an earlier result" in words(page)


@pytest.mark.requirement("U07")
def test_the_home_counts_notes_finds_their_words_and_asks_for_an_answer(own_shop: Project) -> None:
    record = next(record for record in own_shop.records.values() if record.kind == "value")
    own_shop.note(record, "¿Por qué tan poco en Logroño?", kind="question")
    own_shop.note(record, "Shown to the board")
    page = screens.home(own_shop, "en")
    assert "Notes: 2 · open questions: 1" in words(page)
    assert "ana asks “¿Por qué tan poco en Logroño?”" in words(page)
    control(page, "Search").value = "logrono"
    listed = next(part for part in words(page).split("\n") if "wb-entries" in part and "<details>" in part)
    assert listed.count("<li>") == 1
    control(page, "Mark as answered").click()
    assert "ana asks" not in words(page)
    assert "Notes: 2 · open" not in words(page)


def test_several_open_questions_are_one_thing_that_needs_attention(own_shop: Project) -> None:
    for record in own_shop.records.values():
        own_shop.note(record, f"What of {record.id}?", kind="question")
    state = HomeState(own_shop)
    (asked,) = [str(one.detail) for one in state.attention() if "?" in str(one.detail)]
    assert asked.startswith(f"{len(own_shop.records)} questions are open")
    assert str(state.noteable[0]) == str(own_shop.notes.threads()[0].first.about)


@pytest.mark.requirement("U07")
def test_an_answer_a_change_and_what_is_taken_back_on_the_page(
    own_shop: Project, ana: pytest.MonkeyPatch
) -> None:
    page = screens.effect_lab(own_shop, "en")
    write(page, "Why not in Spain?", ask=True)
    ana.setenv("WORKBENCH_PERSON", "luis")
    page = screens.effect_lab(own_shop, "en")
    labels = [getattr(widget, "description", "") for widget in widgets(page)]
    assert "Edit" not in labels
    assert "Take back" not in labels
    control(page, "Answer").click()
    control(page, "Your answer to “Why not in Spain?”").value = "Too few people"
    control(page, SAVE).click()
    assert "Too few people" in words(page)
    control(page, "Edit").click()
    assert control(page, "Your note, in other words").value == "Too few people"
    control(page, "Your note, in other words").value = "Too few people yet"
    control(page, SAVE).click()
    assert written(own_shop) == ["Why not in Spain?", "Too few people yet"]
    control(page, "Take back").click()
    assert written(own_shop) == ["Why not in Spain?"]


def test_what_cannot_be_kept_stays_in_the_box_with_one_sentence(own_shop: Project) -> None:
    state = NotesState(own_shop)
    state.look(next(iter(own_shop.records.values())))
    state.text = "a" * 2001
    state.save()
    assert "2,001" in str(state.problem)
    assert len(state.text) == 2001
    state.text = "Write to ana@example.com [today]"
    state.save()
    assert "masked" in str(state.notice)
    assert state.text == ""


def test_others_may_have_taken_a_note_back_meanwhile(own_shop: Project) -> None:
    state = NotesState(own_shop)
    record = next(iter(own_shop.records.values()))
    note = own_shop.note(record, "Here and gone")
    state.look(record)
    own_shop.notes.take_back(note.id)
    state.answer(note)
    state.text = "Hello?"
    state.save()
    assert "no longer there" in str(state.problem)
    assert (state.threads, state.text) == ([], "Hello?")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_box_says_that_notes_are_not_published_and_who_writes(own_shop: Project, language: str) -> None:
    t = Texts(language)
    Team(own_shop.path).add("ana", name="Ana Muñoz")
    page = screens.cohorts(own_shop, language)
    control(page, t(WRITE)).value = True
    assert "Ana Muñoz" in words(page)
    assert t.count(2000) in words(page)


def test_reading_notes_asks_nothing_of_the_data(own_shop: Project, tmp_path: Path) -> None:
    """A copy of the project without its tables shows its notes all the same."""
    record = next(iter(own_shop.records.values()))
    own_shop.note(record, "Still here")
    bare = sample_shop.copy(own_shop, tmp_path / "bare")
    (bare.path / "tables.json").unlink()
    assert "Still here" in words(screens.home(Project.open(bare.path), "en"))
    assert CohortsState(bare).missing is not None
