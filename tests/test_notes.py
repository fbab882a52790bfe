"""Notes on results: whose they are, where they are found again, and that none is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests import sample_shop
from tests.sample_shop import EXPERIMENT
from workbench import Project
from workbench.cli import main
from workbench.errors import WorkbenchError
from workbench.locale import say
from workbench.notes import LONGEST, Notes
from workbench.publish.versions import question
from workbench.team import NotAllowed, Team

ABOUT = say("{metric} in “{experiment}”", metric=say("conversion"), experiment="new home")


@pytest.fixture
def ana(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Ana is at the keyboard; `setenv` puts somebody else there."""
    monkeypatch.setenv("WORKBENCH_PERSON", "ana")
    return monkeypatch


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample shop; notes are written on its results."""
    return sample_shop.make(tmp_path_factory.mktemp("notes") / "shop")


def texts(notes: Notes) -> list[str]:
    return [note.text for thread in notes.threads() for note in thread.notes]


@pytest.mark.requirement("U07")
def test_a_note_is_found_again_when_the_same_question_is_asked_anew(shop: Project, ana: object) -> None:
    first = shop.effect(EXPERIMENT, "conversion", window_days=14)
    shop.note(first, "¿Qué pasó el día 3, señor Núñez?", kind="question")
    again = Project.open(shop.path).effect(EXPERIMENT, "conversion", window_days=10)
    assert again.id != first.id
    (thread,) = Project.open(shop.path).notes.threads(question(again), again.id)
    assert (thread.first.text, thread.first.by) == ("¿Qué pasó el día 3, señor Núñez?", "ana")
    assert thread.first.open
    other = shop.effect(EXPERIMENT, "revenue", keep=False)
    assert shop.notes.threads(question(other), other.id) == []


@pytest.mark.requirement("U07")
def test_a_question_is_answered_and_can_be_opened_again(tmp_path: Path, ana: pytest.MonkeyPatch) -> None:
    notes = Notes(tmp_path)
    asked = notes.add(ABOUT, "Why?", kind="question")
    ana.setenv("WORKBENCH_PERSON", "luis")
    notes.answer(asked.id, "Because of the release.")
    settled = notes.settle(asked.id)
    assert (settled.open, settled.settled_by) == (False, "luis")
    (thread,) = notes.threads()
    assert [(one.by, one.text) for one in thread.answers] == [("luis", "Because of the release.")]
    assert notes.settle(asked.id, answered=False).open
    with pytest.raises(WorkbenchError, match="no question"):
        notes.settle(thread.answers[0].id)


@pytest.mark.requirement("U07")
def test_only_whoever_wrote_it_changes_a_note_and_what_is_taken_back_is_gone_from_the_folder(
    tmp_path: Path, ana: pytest.MonkeyPatch
) -> None:
    notes = Notes(tmp_path)
    mine = notes.add(ABOUT, "Ask Pilar about it")
    ana.setenv("WORKBENCH_PERSON", "luis")
    answer = notes.answer(mine.id, "I did")
    for forbidden in (lambda: notes.edit(mine.id, "x"), lambda: notes.take_back(mine.id)):
        with pytest.raises(NotAllowed, match="ana"):
            forbidden()
    ana.setenv("WORKBENCH_PERSON", "ana")
    assert notes.edit(mine.id, "Ask Pilar Gómez").edited is not None
    notes.take_back(mine.id)
    assert "Pilar" not in (tmp_path / "notes.jsonl").read_text("utf-8")
    assert texts(notes) == ["I did"]  # what others said stays
    ana.setenv("WORKBENCH_PERSON", "luis")
    notes.take_back(answer.id)
    assert (tmp_path / "notes.jsonl").read_text("utf-8") == ""
    with pytest.raises(WorkbenchError, match="no longer there"):
        notes.answer(mine.id, "Hello?")


def test_a_lead_takes_back_what_others_wrote(tmp_path: Path, ana: pytest.MonkeyPatch) -> None:
    team, notes = Team(tmp_path), Notes(tmp_path)
    team.add("ana")
    ana.setenv("WORKBENCH_PERSON", "luis")  # who is not in the team, and may write all the same
    note = notes.add(ABOUT, "A name that should not be here")
    ana.setenv("WORKBENCH_PERSON", "ana")
    with pytest.raises(NotAllowed):
        notes.edit(note.id, "Words in their mouth")
    notes.take_back(note.id)
    assert notes.threads() == []


@pytest.mark.requirement("U07")
def test_what_looks_like_personal_data_is_masked(tmp_path: Path, ana: object) -> None:
    notes = Notes(tmp_path)
    notes.edit(notes.add(ABOUT, "Llama al 612 345 678").id, "Escribe a ana.perez@example.com")
    notes.add(ABOUT, "Llama al 612 345 678")
    kept = (tmp_path / "notes.jsonl").read_text("utf-8")
    assert texts(notes) == ["Escribe a [e-mail]", "Llama al [phone]"]
    assert "612 345" not in kept
    assert "perez" not in kept


def test_what_only_machines_see_is_left_out_and_everything_else_is_kept(tmp_path: Path, ana: object) -> None:
    notes = Notes(tmp_path)
    notes.add(
        ABOUT, "  gnp.exe\u202e\x00\x1b[31m {n:count} %s\u2028<script>\r\n\r\n\r\n\r\nñandú 👩\u200d💻 "
    )
    assert texts(notes) == ["gnp.exe[31m {n:count} %s\u2028<script>\n\nñandú 👩\u200d💻"]


@pytest.mark.parametrize(("text", "said"), [(" \n\x00", "few words"), ("a" * (LONGEST + 1), "2,001")])
def test_nothing_and_too_much_are_refused_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(WorkbenchError, match=said):
        Notes(tmp_path).add(ABOUT, text)
    Notes(tmp_path).add(ABOUT, "a" * LONGEST)


@pytest.mark.requirement("U07")
def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from workbench.locale import say; from workbench.notes import Notes\n"
        "notes = Notes(Path(sys.argv[1]))\n"
        "for n in range(25):\n"
        "    mine = notes.add(say('Lifetime value'), f'{sys.argv[2]} {n}', kind='question')\n"
        "    notes.settle(mine.id) if n % 2 else notes.edit(mine.id, f'{sys.argv[2]} {n} again')\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), name], env={**os.environ, "WORKBENCH_PERSON": name}
        )
        for name in ("ana", "luis")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    wanted = [f"{who} {n}{'' if n % 2 else ' again'}" for who in ("ana", "luis") for n in range(25)]
    assert sorted(texts(Notes(tmp_path))) == sorted(wanted)
    assert sum(not thread.first.open for thread in Notes(tmp_path).threads()) == 24


def test_a_damaged_line_is_left_as_it_is_and_the_others_are_read(tmp_path: Path, ana: object) -> None:
    notes = Notes(tmp_path)
    notes.add(ABOUT, "first")
    file = tmp_path / "notes.jsonl"
    file.write_text(file.read_text("utf-8") + '{"id": "cut sh\n', "utf-8")
    notes.add(ABOUT, "second")
    assert texts(notes) == ["first", "second"]
    assert notes.damaged == 1
    assert '{"id": "cut sh\n' in file.read_text("utf-8")


def test_no_note_goes_out_with_a_page(shop: Project) -> None:
    record = next(iter(shop.records.values()))
    shop.note(record, "Between us: xylophone")
    shop.publish([record], "Page")
    out = [file for file in (shop.path / "published").rglob("*") if file.is_file()]
    assert out
    assert not [file for file in out if b"xylophone" in file.read_bytes()]


@pytest.mark.requirement("U07")
def test_notes_are_exported_and_written_from_the_command_line(tmp_path: Path, ana: object) -> None:
    shop = Project.create(tmp_path / "shop")
    asked = shop.notes.add(ABOUT, "=1+1 is why?", kind="question")

    def run(command: str, *words: str) -> str:
        done = CliRunner().invoke(main, ["notes", command, str(shop.path), *words])
        assert done.exit_code == 0, done.output
        return done.output

    run("answer", asked.id, "Because")
    assert "=1+1 is why?" in run("list")
    assert [one["text"] for one in json.loads(run("list", "--json"))["notes"]] == ["=1+1 is why?", "Because"]
    run("list", "--csv", str(tmp_path / "notes.csv"))
    rows = (tmp_path / "notes.csv").read_text("utf-8").splitlines()
    assert len(rows) == 3
    assert ",=1+1" not in rows[1]  # no formula for a spreadsheet
    run("settle", asked.id)
    assert json.loads(run("list", "--json", "--open"))["notes"] == []
    run("take-back", asked.id)
    assert "=1+1" not in run("list")
