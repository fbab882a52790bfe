"""The main job on the sample shop: load → segments → effect → lifetime value → publish."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench import report
from workbench.errors import ProjectError, WorkbenchError
from workbench.locale import Texts
from workbench.project import Project
from workbench.tables.report import LoadReport

NAME = "Sample shop"
FILES = ("customers.csv", "orders.csv", "events.csv", "exposures.csv")
SEGMENTS = {
    "loyal": "orders_12m >= 2",
    "mobile": "device == 'mobile'",
    "Spain": "country == 'ES'",
}
EXPERIMENT = "personalised-home"
SELF_SELECTED = "personalised-offers"


def samples_folder() -> Path:
    """Where the sample data are: in the repository, or in the installed package."""
    package = Path(__file__).parent
    for folder in (package.parent / "data" / "samples", package / "samples"):
        if folder.is_dir():
            return folder
    raise WorkbenchError("The sample data are missing; install the workbench again.")


def load_sample(project: Project) -> list[LoadReport]:
    """Load the sample shop into a project."""
    return [project.load(samples_folder() / "shop" / name) for name in FILES]


def run(
    folder: Path, *, language: str = "en", replace: bool = False, progress: Callable[[str], None] = print
) -> dict[str, Any]:
    """Do the main job in a new project in `folder`.

    Args:
        folder: Where the project is made.
        language: Of the project and of what is said.
        replace: Remove an earlier demo in `folder` first; nothing else is ever removed.
        progress: Called with a line whenever something is done.

    Returns:
        The project's path, the records by question, and the published page.
    """
    t = Texts(language)
    if replace and (folder / "project.toml").is_file():
        if Project.open(folder).settings.name != NAME:
            raise ProjectError(
                "{path} is a project of yours, not a demo; choose another folder.", path=str(folder)
            )
        shutil.rmtree(folder)
    project = Project.create(folder, name=NAME, currency="EUR", timezone="Europe/Madrid", language=language)
    progress(t("1 of 5: loading the sample shop"))
    for name, loaded in zip(FILES, load_sample(project), strict=True):
        progress(
            "  "
            + t(
                "{file}: {kept:count} of {read:count} rows",
                file=name,
                kept=loaded.rows_kept,
                read=loaded.rows_read,
            )
        )
    progress(t("2 of 5: defining segments"))
    for name, rule in SEGMENTS.items():
        project.segments[name] = rule
    for name, (inside, everybody) in project.segment_sizes().items():
        progress(
            "  "
            + t("{name}: {n:count} of {everybody:count} customers", name=name, n=inside, everybody=everybody)
        )
    progress(t("3 of 5: holding the personalised home page against the generic one"))
    conversion = project.effect(EXPERIMENT, "conversion", by="device")
    revenue = project.effect(EXPERIMENT, "revenue", by="segments")
    offers = project.effect(SELF_SELECTED, "conversion")
    for record in (conversion, revenue, offers):
        progress("  " + t(record.verdict))
    progress(t("4 of 5: estimating what a customer is worth"))
    value = project.lifetime_value(by=EXPERIMENT, margin=0.4)
    progress("  " + t(value.verdict))
    progress(t("5 of 5: publishing"))
    home = project.publish([conversion, revenue, value], t("Does the personalised home page work?"))
    other = project.publish([offers], t("Personalised offers: an association"))
    progress("  " + str(home.path))
    return {
        "path": str(project.path),
        "records": {
            "conversion": conversion.id,
            "revenue": revenue.id,
            "self_selected": offers.id,
            "value": value.id,
        },
        "verdicts": {
            "conversion": t(conversion.verdict),
            "revenue": t(revenue.verdict),
            "self_selected": t(offers.verdict),
            "value": t(value.verdict),
        },
        "value": report.script(value, t)["value"],
        "published": [home.slug, other.slug],
    }
