"""The command that tells a team what has moved."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from workbench import storage
from workbench.cli.shared import in_folder, json_option, open_project, print_json
from workbench.locale import LANGUAGES
from workbench.publish.browser import PAPERS


@click.command()
@in_folder
@click.option(
    "--since",
    type=click.DateTime(("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")),
    help="From when on, on the project's clock; from the last digest before today on if not given.",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="The project's if not given.")
@click.option(
    "--pdf", "as_pdf", is_flag=True, help="Print it, by the Chromium, Chrome or Edge of this computer."
)
@click.option("--paper", type=click.Choice(PAPERS), default=PAPERS[0], show_default=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file; digest-DAY.html here if not given.",
)
@json_option
def digest(
    folder: Path,
    since: datetime | None,
    language: str | None,
    as_pdf: bool,
    paper: str,
    out: Path | None,
    as_json: bool,
) -> None:
    """Write what has moved in DIR since the last digest: answers, data, checks, pages, plans and alarms.

    One --since some moment is a question aside: the next one begins where it would have begun without it.
    """
    from workbench.publish import digest as moved
    from workbench.publish.digest_sheet import digest_document, file_name, script, verdict
    from workbench.publish.pdf import sheet_pdf

    project, t = open_project(folder)
    t = project.texts(language) if language else t
    found = moved.digest(project, since)
    html = digest_document(project, found, t.language)
    content = html.encode()
    if as_pdf:
        content = sheet_pdf(html, project.path, language=t.language, paper=paper)
    file = out or Path(file_name(project, found, "pdf" if as_pdf else "html"))
    with storage.replacing(file) as temporary:
        temporary.write_bytes(content)
    moved.remember(project, found, aside=since is not None)
    if as_json:
        print_json({**script(project, found, t), "path": str(file)})
        return
    click.echo(t(verdict(project, found)))
    click.echo(t("The digest is in {path}.", path=str(file)))


COMMANDS = (digest,)
