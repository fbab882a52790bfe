"""What the commands share: errors in one sentence, text for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from workbench.errors import WorkbenchError
from workbench.locale import Texts
from workbench.project import Project


class Group(click.Group):
    """Turns what a person can put right into one sentence, in the language of the project once it is open."""

    def invoke(self, ctx: click.Context) -> Any:
        ctx.obj = Texts()
        try:
            return super().invoke(ctx)
        except WorkbenchError as error:
            raise click.ClickException(ctx.obj(error.message)) from error


def open_project(folder: Path) -> tuple[Project, Texts]:
    """The project in `folder` and its language, in which errors are told from now on."""
    project = Project.open(folder)
    t = project.texts()
    click.get_current_context().find_root().obj = t
    return project, t


def json_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def in_folder(command: Callable[..., None]) -> Callable[..., None]:
    """The argument that names the project's folder."""
    return click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))(command)
