"""Commands about who works on a project, and about what they wrote on its results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from workbench import storage
from workbench.cli.shared import in_folder, json_option, open_project, print_json
from workbench.locale import Texts
from workbench.notes import Note, Thread
from workbench.team import PARTS, ROLES, Member, Part, Role, Team, part_name, person, role_name

_WHO = click.argument("who", metavar="PERSON")


@click.group()
def team() -> None:
    """Say who works on a project, what each may do, and who answers for what."""


@team.command(name="list")
@in_folder
@json_option
def list_people(folder: Path, as_json: bool) -> None:
    """List the people of DIR with their roles and parts, and say who you are here."""
    project, t = open_project(folder)
    found, me = project.team, person()
    if as_json:
        people = {who: one.model_dump(mode="json") for who, one in found.items()}
        print_json({"you": me, "your_role": found.role(), "people": people})
        return
    if not found:
        click.echo(t("This project has no team: everybody may do everything. You are “{who}”.", who=me))
        return
    for who, one in found.items():
        click.echo(_line(who, one, t))
    click.echo(_you(found, t))


@team.command()
@in_folder
@_WHO
@click.option("--role", type=click.Choice(ROLES), help="What they may do; a viewer unless given.")
@click.option("--name", help="What others call them.")
@json_option
def add(folder: Path, who: str, role: Role | None, name: str | None, as_json: bool) -> None:
    """Take PERSON, by the name that they log in with, into the team of DIR; the first one is its lead."""
    project, t = open_project(folder)
    _told(project.team, who, project.team.add(who, role, name=name), t, as_json)


@team.command()
@in_folder
@_WHO
@click.argument("role", type=click.Choice(ROLES))
@json_option
def role(folder: Path, who: str, role: Role, as_json: bool) -> None:
    """Give PERSON another role."""
    project, t = open_project(folder)
    project.team.known(who)
    _told(project.team, who, project.team.add(who, role), t, as_json)


@team.command()
@in_folder
@_WHO
@click.argument("parts", metavar="[PART…]", nargs=-1, type=click.Choice(PARTS))
@json_option
def raci(folder: Path, who: str, parts: tuple[Part, ...], as_json: bool) -> None:
    """Say what PERSON is to the project; exactly one is accountable."""
    project, t = open_project(folder)
    _told(project.team, who, project.team.set_raci(who, *parts), t, as_json)


@team.command()
@in_folder
@_WHO
@click.option("--hide", is_flag=True, help="No longer.")
@json_option
def public(folder: Path, who: str, hide: bool, as_json: bool) -> None:
    """Let published pages name you, PERSON, as the one to ask while you are accountable."""
    project, t = open_project(folder)
    _told(project.team, who, project.team.set_public(who, not hide), t, as_json)


@team.command()
@in_folder
@_WHO
@json_option
def remove(folder: Path, who: str, as_json: bool) -> None:
    """Let PERSON go; the last lead and whoever is accountable cannot."""
    project, t = open_project(folder)
    project.team.remove(who)
    if as_json:
        print_json({"removed": who})
    else:
        click.echo(t("{who} is no longer in the team.", who=who))


def _told(found: Team, who: str, member: Member, t: Texts, as_json: bool) -> None:
    if as_json:
        print_json({who: member.model_dump(mode="json")})
        return
    click.echo(_line(who, member, t))
    click.echo(_you(found, t))


def _line(who: str, member: Member, t: Texts) -> str:
    parts = ", ".join(t(part_name(part)) for part in member.raci)
    named = f"{member.name} ({who})" if member.name else who
    public = t("named on pages") if member.public else ""
    return " · ".join(filter(None, (named, t(role_name(member.role)), parts, public)))


def _you(found: Team, t: Texts) -> str:
    me = person()
    if me in found:
        return t("You are “{who}” here.", who=me)
    return t("You are “{who}” here, who is not in the team: you may look and write notes.", who=me)


@click.group()
def notes() -> None:
    """Read and write notes and questions on results; they are never published."""


@notes.command(name="list")
@in_folder
@click.option("--open", "only_open", is_flag=True, help="Questions that nobody has marked as answered.")
@click.option("--csv", type=click.Path(path_type=Path), help="Write them to this file as a table.")
@json_option
def list_notes(folder: Path, only_open: bool, csv: Path | None, as_json: bool) -> None:
    """List or export what was written on the results of DIR."""
    from workbench.report.numbers import rows_as_csv

    project, t = open_project(folder)
    threads = [one for one in project.notes.threads() if one.first.open or not only_open]
    if csv is not None:
        storage.write_text(csv, rows_as_csv(_rows(threads, t)))
    if as_json:
        print_json({"notes": _rows(threads, t), "damaged": project.notes.damaged})
        return
    if csv is not None:
        click.echo(t("The notes are in {path}.", path=str(csv)))
        return
    for thread in threads:
        click.echo(t(thread.first.about))
        for note in thread.notes:
            state = ""
            if note.kind == "question":
                state = t("open question") if note.open else t("answered")
            facts = (note.id, project.team.called(note.by), t.date(note.at.date()), state)
            click.echo(f"  {'  ' if note.to else ''}{' · '.join(filter(None, facts))}")
            for line in note.text.splitlines():
                click.echo(f"    {'  ' if note.to else ''}{line}")
    if not threads:
        click.echo(t("There are no such notes."))


def _rows(threads: list[Thread], t: Texts) -> list[dict[str, Any]]:
    fields = ("id", "at", "by", "kind", "about", "record", "text", "to", "edited", "settled", "settled_by")
    plain = [note for thread in threads for note in thread.notes]
    return [
        {name: t(note.about) if name == "about" else getattr(note, name) for name in fields} for note in plain
    ]


@notes.command(name="add")
@in_folder
@click.argument("record", metavar="RECORD")
@click.argument("text", metavar="TEXT")
@click.option("--question", is_flag=True, help="Somebody should answer it.")
@json_option
def add_note(folder: Path, record: str, text: str, question: bool, as_json: bool) -> None:
    """Write TEXT on what RECORD of DIR answers."""
    project, t = open_project(folder)
    kept = project.records[record]
    _kept(project.note(kept, text, kind="question" if question else "note"), t, as_json)


@notes.command()
@in_folder
@click.argument("note", metavar="NOTE")
@click.argument("text", metavar="TEXT")
@json_option
def answer(folder: Path, note: str, text: str, as_json: bool) -> None:
    """Say TEXT to NOTE."""
    project, t = open_project(folder)
    _kept(project.notes.answer(note, text), t, as_json)


@notes.command()
@in_folder
@click.argument("note", metavar="NOTE")
@click.argument("text", metavar="TEXT")
@json_option
def edit(folder: Path, note: str, text: str, as_json: bool) -> None:
    """Put TEXT in the place of your words in NOTE."""
    project, t = open_project(folder)
    _kept(project.notes.edit(note, text), t, as_json)


@notes.command()
@in_folder
@click.argument("note", metavar="NOTE")
@click.option("--reopen", is_flag=True, help="It is open again.")
@json_option
def settle(folder: Path, note: str, reopen: bool, as_json: bool) -> None:
    """Mark the question NOTE as answered."""
    project, t = open_project(folder)
    _kept(project.notes.settle(note, answered=not reopen), t, as_json)


@notes.command(name="take-back")
@in_folder
@click.argument("note", metavar="NOTE")
@json_option
def take_back(folder: Path, note: str, as_json: bool) -> None:
    """Take your words in NOTE out of the project."""
    project, t = open_project(folder)
    project.notes.take_back(note)
    if as_json:
        print_json({"taken_back": note})
    else:
        click.echo(t("The note is taken back; its words are no longer in the project."))


def _kept(note: Note, t: Texts, as_json: bool) -> None:
    if as_json:
        print_json(note.model_dump(mode="json"))
    else:
        click.echo(t("Kept as {id}: {text}", id=note.id, text=note.text))


COMMANDS = (team, notes)
