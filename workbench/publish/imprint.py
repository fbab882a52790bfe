"""What stands on every published page: up to when its data go, and what it was made with."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from workbench.locale import Texts

if TYPE_CHECKING:
    from workbench.publish.bundle import Page


def data_until(page: Page, t: Texts) -> str:
    """The day up to which the data go; empty where they have no times."""
    if page.until is None:
        return ""
    day = page.until.astimezone(ZoneInfo(page.project.timezone)).date()
    return t("data until {day:date}", day=day)


def imprint(page: Page, t: Texts) -> list[str]:
    """A sentence each: whom to ask, when it was published, what is not shown, what it was made with."""
    asked = [t("Questions about this page? Ask {who}.", who=page.ask)] if page.ask else []
    return [
        *asked,
        t(
            "Published on {day:date}, version {version:count} of this page. Groups of fewer than "
            "{least:count} people are not shown and counts are rounded.",
            day=published_on(page),
            version=page.version,
            least=page.least,
        ),
        t("Made with {made}.", made=made_with(page)),
        t("Records: {records}.", records=", ".join(page.records)),
    ]


def made_with(page: Page) -> str:
    """The program, the packages, and their versions."""
    return ", ".join(f"{name} {version}" for name, version in page.made_with.items())


def published_on(page: Page) -> date:
    """The day of its publication on the project's clock."""
    return page.published.astimezone(ZoneInfo(page.project.timezone)).date()


def hash_line(t: Texts) -> str:
    """What the hash on a page is, before the hash."""
    return t("Hash of this version (SHA-256 of its manifest):")
