"""`workbench …`: everything a page can do, for scripts and schedulers.

Each command prints text for people, or with `--json` one object for machines. What a person can put right
ends with one sentence on standard error and exit code 1.
"""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli import answers, business_case, customers, data, digest, pages, sheet, team, versions
from workbench.cli.shared import Group, in_folder, json_option, print_json
from workbench.locale import LANGUAGES


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="personalization-workbench")
def main() -> None:
    """Personalization Workbench: from raw exports to an honest, published answer."""


for command in (
    *data.COMMANDS,
    *answers.COMMANDS,
    *business_case.COMMANDS,
    *customers.COMMANDS,
    *pages.COMMANDS,
    *sheet.COMMANDS,
    *digest.COMMANDS,
    *team.COMMANDS,
    *versions.COMMANDS,
):
    main.add_command(command)


@main.command()
@in_folder
@click.option("--replace", is_flag=True, help="Put a new one in the place of an earlier demo.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@json_option
def demo(folder: Path, replace: bool, language: str, as_json: bool) -> None:
    """Do the main job on the sample data, from files to a published page."""
    from workbench.demo import run

    def progress(text: str) -> None:
        click.echo(text, err=as_json)

    result = run(folder, language=language, replace=replace, progress=progress)
    if as_json:
        print_json(result)
