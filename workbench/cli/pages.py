"""Commands that hand published pages out: the server, the links, and pages as PDF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from workbench.cli.shared import in_folder, json_option, open_project, print_json
from workbench.errors import WorkbenchError
from workbench.locale import LANGUAGES
from workbench.project import Project
from workbench.publish.browser import PAPERS


@click.command()
@in_folder
@click.option("--port", type=click.IntRange(1, 65535), default=8866, show_default=True)
@click.option("--screens", is_flag=True, help="Serve the analyst's screens as well; they can read the data.")
@click.option(
    "--base-url",
    "address",
    default="/",
    metavar="ADDRESS",
    help="Where a proxy hands the pages on: a path such as /pages/, or https://pages.example.org/.",
)
@click.option(
    "--links/--open",
    default=None,
    help="A page opens by its link only; or to whoever reaches this port. The default: by links where a proxy"
    " hands the pages on, open where only this computer is answered.",
)
def serve(folder: Path, port: int, screens: bool, address: str, links: bool | None) -> None:
    """Show the published pages of DIR, to this computer or through a proxy on it, until Ctrl-C."""
    from workbench.publish.site import serve_project

    project, t = open_project(folder)

    def ready(url: str, offered: Mapping[str, str | None]) -> None:
        if not offered and "?token=" not in url:
            click.echo(t("The pages are at {url} — stop with Ctrl-C.", url=url))
            return
        for slug, link in offered.items():
            if link:
                click.echo(link)
            else:
                click.echo(t("The link of “{slug}” was taken back; nobody is let in.", slug=slug))
        click.echo(t("All pages, for yourself alone: {url} — stop with Ctrl-C.", url=url))

    serve_project(
        project,
        port=port,
        screens=screens,
        ready=ready,
        address=address,
        links=address != "/" if links is None else links,
    )


@click.command()
@in_folder
@click.argument("slug", metavar="PAGE")
@click.option("--renew", is_flag=True, help="Make a new one; the one before no longer opens the page.")
@click.option("--revoke", is_flag=True, help="Take it back: nobody is let in until a new one is made.")
@json_option
def link(folder: Path, slug: str, renew: bool, revoke: bool, as_json: bool) -> None:
    """Tell the link by which readers open PAGE of DIR; it is made where there is none."""
    from workbench.publish import bundle
    from workbench.publish.links import Links

    project, t = open_project(folder)
    bundle.read(project.path / "published", slug)
    if renew and revoke:
        raise WorkbenchError("Choose one of --renew and --revoke: a new link, or none.")
    links = Links(project.path)
    if revoke:
        links.revoke(slug)
        address = None
    else:
        address = (None if renew else links.get(slug)) or links.renew(slug)
    if as_json:
        print_json({"page": slug, "link": address})
    else:
        click.echo(address or t("The link of “{slug}” was taken back; nobody is let in.", slug=slug))


@click.command()
@in_folder
@click.argument("slug", metavar="PAGE")
@click.option("--out", type=click.Path(path_type=Path), help="The file; PAGE.pdf here unless given.")
@click.option("--version", type=int, help="The one that readers see unless given.")
@click.option("--language", type=click.Choice(LANGUAGES), help="The page's own unless given.")
@click.option("--paper", type=click.Choice(PAPERS), default=PAPERS[0], show_default=True)
@json_option
def pdf(
    folder: Path,
    slug: str,
    out: Path | None,
    version: int | None,
    language: str | None,
    paper: str,
    as_json: bool,
) -> None:
    """Write PAGE of DIR as PDF, printed by the Chromium, Chrome or Edge of this computer."""
    project, t = open_project(folder)
    file = write_pdf(project, slug, out, version=version, language=language, paper=paper)
    if as_json:
        print_json({"page": slug, "pdf": str(file)})
    else:
        click.echo(t("“{slug}” is in {path}.", slug=slug, path=str(file)))


def write_pdf(project: Project, slug: str, out: Path | None = None, **options: Any) -> Path:
    """Write a page as PDF, to `<slug>.pdf` unless there is another place for it."""
    from workbench import storage
    from workbench.publish.pdf import pdf as printed

    file = out or Path(f"{slug}.pdf")
    content = printed(project, slug, **options)
    with storage.replacing(file) as temporary:
        temporary.write_bytes(content)
    return file


COMMANDS = (serve, link, pdf)
