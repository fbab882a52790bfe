"""Commands about the versions of published pages: publish, list, compare, go back, take down."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.cli.pages import write_pdf
from workbench.cli.shared import in_folder, json_option, open_project, print_json
from workbench.errors import WorkbenchError
from workbench.locale import LANGUAGES, Texts
from workbench.project import Project


@click.command()
@in_folder
@click.argument("records", metavar="RECORD…", nargs=-1, required=True)
@click.option("--title", required=True, help="Pages with the same title are versions of one page.")
@click.option("--language", type=click.Choice(LANGUAGES), help="What readers get who asked for none.")
@click.option("--audience", default="", help="For whom the page is, in a few words.")
@click.option("--sensitive-too", is_flag=True, help="Show splits by age, sex and the like as well.")
@click.option("--pdf", type=click.Path(path_type=Path), help="Write the page to this file as PDF as well.")
@json_option
def publish(
    folder: Path,
    records: tuple[str, ...],
    title: str,
    language: str | None,
    audience: str,
    sensitive_too: bool,
    pdf: Path | None,
    as_json: bool,
) -> None:
    """Write a page that shows these records and holds nothing else; former versions of it are kept."""
    project, t = open_project(folder)
    chosen = [project.records[record] for record in records]
    made = project.publish(chosen, title, language=language, audience=audience, sensitive_too=sensitive_too)
    moved = _moved(project, made.slug, made.version, t)
    file = write_pdf(project, made.slug, pdf) if pdf else None
    if as_json:
        print_json(
            {
                "path": str(made.path),
                "slug": made.slug,
                "version": made.version,
                "files": made.files,
                **({"moved": moved} if moved else {}),
                **({"pdf": str(file)} if file else {}),
            }
        )
        return
    click.echo(t("“{title}” is in {path}.", title=title, path=str(made.path)))
    for line in moved:
        click.echo(f"  {line}")
    if file:
        click.echo(t("“{slug}” is in {path}.", slug=made.slug, path=str(file)))


def _moved(project: Project, slug: str, version: int, t: Texts) -> list[str]:
    """What is other than in the version before; nothing where that is not there as it was."""
    from workbench.publish.versions import moved

    try:
        return moved(project, slug, version - 1, version, t)
    except WorkbenchError:
        return []


@click.command()
@in_folder
@click.argument("page", metavar="[PAGE]", required=False)
@json_option
def versions(folder: Path, page: str | None, as_json: bool) -> None:
    """List the versions of PAGE of DIR, or of all its pages, and whether they are as they were published."""
    from workbench.publish import bundle
    from workbench.publish.imprint import data_until, made_with
    from workbench.publish.versions import versions as found

    project, t = open_project(folder)
    published = project.path / "published"
    known = [one.slug for one in bundle.pages(published)] + bundle.taken_down(published)
    listed = {slug: found(project, slug) for slug in ([page] if page else known)}
    if as_json:
        print_json(
            {
                slug: [
                    {
                        "version": one.number,
                        "current": one.current,
                        "published": one.page and one.page.published,
                        "by": one.by,
                        "data_until": one.page and one.page.until,
                        "made_with": one.page and one.page.made_with,
                        "manifest": one.hash,
                        "problem": one.problem and t(one.problem),
                    }
                    for one in all_of_it
                ]
                for slug, all_of_it in listed.items()
            }
        )
        return
    if not listed:
        click.echo(t("Nothing has been published yet."))
    for slug, all_of_it in listed.items():
        click.echo(slug)
        for one in all_of_it:
            sign = "→" if one.current else " "
            if one.problem is not None or one.page is None:
                click.echo(f"  {sign} {one.number}  {t(one.problem) if one.problem else ''}")
                continue
            when = t("{day:date} by {who}", day=one.page.published.date(), who=one.by or "–")
            click.echo(f"  {sign} {one.number}  {when}; {data_until(one.page, t)}; {one.hash}")
            click.echo(f"       {t('Made with {made}.', made=made_with(one.page))}")


@click.command()
@in_folder
@click.argument("page", metavar="PAGE")
@click.argument("before", metavar="[VERSION]", type=int, required=False)
@click.argument("after", metavar="[VERSION]", type=int, required=False)
@json_option
def compare(folder: Path, page: str, before: int | None, after: int | None, as_json: bool) -> None:
    """Say which headline numbers of PAGE moved between two versions, or the last two."""
    from workbench.publish import bundle
    from workbench.publish.versions import moved

    project, t = open_project(folder)
    numbers = bundle.numbers(project.path / "published" / page)
    last = numbers[-1] if numbers else 1
    after = after or last
    before = before or max((n for n in numbers if n < after), default=after)
    lines = moved(project, page, before, after, t)
    if as_json:
        print_json({"page": page, "before": before, "after": after, "moved": lines})
    else:
        for line in lines:
            click.echo(line)


@click.command(name="roll-back")
@in_folder
@click.argument("page", metavar="PAGE")
@click.argument("version", metavar="VERSION", type=int)
@json_option
def roll_back(folder: Path, page: str, version: int, as_json: bool) -> None:
    """Show VERSION of PAGE of DIR to readers from now on; a page that was taken down is shown again."""
    from workbench.publish.bundle import roll_back as go_back

    project, t = open_project(folder)
    go_back(project, page, version)
    if as_json:
        print_json({"page": page, "version": version})
    else:
        click.echo(t("Readers of “{page}” now see version {version:count}.", page=page, version=version))


@click.command()
@in_folder
@click.argument("page", metavar="PAGE")
@click.option("--for-good", is_flag=True, help="Delete all its versions as well; this cannot be undone.")
@json_option
def unpublish(folder: Path, page: str, for_good: bool, as_json: bool) -> None:
    """Take PAGE of DIR down: readers get none; its versions are kept unless --for-good."""
    from workbench.publish import bundle

    project, t = open_project(folder)
    bundle.unpublish(project, page, for_good=for_good)
    if as_json:
        print_json({"page": page, "for_good": for_good})
    elif for_good:
        click.echo(t("“{page}” and all its versions are deleted.", page=page))
    else:
        click.echo(t("“{page}” is taken down; “workbench roll-back” shows it again.", page=page))


COMMANDS = (publish, versions, compare, roll_back, unpublish)
