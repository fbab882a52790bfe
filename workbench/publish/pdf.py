"""Sheets as PDF, printed by the browser that is on this computer: published pages and others.

A published page is looked over first, so that what was changed is not printed. The browser gets a profile of
its own, which is gone afterwards, and finds no address outside this computer. Chromium tags what it prints
(ISO 32000-1, 14.8), so that a screen reader finds headings, tables, and the words of each chart.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.engines import cancelling
from workbench.errors import WorkbenchError, check_choice
from workbench.locale import LANGUAGES, Message, say
from workbench.publish import bundle, seal
from workbench.publish.browser import PAPERS, browser
from workbench.publish.versions import key_at_hand

if TYPE_CHECKING:
    from workbench.project import Project

_OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # there is nothing outside the page
    "--window-size=1024,1400",
    "--virtual-time-budget=20000",  # its own clock stands still while it works: all charts are drawn by then
    "--no-pdf-header-footer",
)
_PATIENCE = 120  # seconds


def pdf(
    project: Project, slug: str, *, version: int | None = None, language: str | None = None, paper: str = "a4"
) -> bytes:
    """A page as PDF.

    Args:
        project: The project.
        slug: The page.
        version: Its number; the one that readers see unless given.
        language: The page's own unless given.
        paper: `a4` or `letter`.

    Raises:
        ProjectError: when there is no such page.
        Tampered: when it is not what was published.
        WorkbenchError: when no browser is found, or it prints nothing.
        Cancelled: when it was stopped.
    """
    published = project.path / "published"
    folder = bundle.checked(published, slug, version, key_at_hand(project))
    language = language or bundle.manifest_of(published, slug, int(folder.name)).language
    with _place(project.path) as place:
        return _printed(folder / seal.STILL, Path(place), language, paper)


def sheet_pdf(html: str, folder: Path, *, language: str, paper: str = "a4") -> bytes:
    """A sheet as PDF.

    Args:
        html: What `sheet.document` made.
        folder: Where the browser may read and write meanwhile; nothing stays there. The project's own serves:
            browsers that are confined (as snaps) see the reader's folders only, and not `/tmp`.
        language: In which it is printed.
        paper: `a4` or `letter`.

    Raises:
        WorkbenchError: when no browser is found, or it prints nothing.
        Cancelled: when it was stopped.
    """
    with _place(folder) as place:
        file = Path(place) / "sheet.html"
        file.write_text(html, encoding="utf-8")
        return _printed(file, Path(place), language, paper)


def _place(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder of the browser's own in `folder`."""
    return tempfile.TemporaryDirectory(dir=folder.resolve(), prefix=".pdf-", ignore_cleanup_errors=True)


def _printed(page: Path, place: Path, language: str, paper: str) -> bytes:
    """What the browser prints of the file `page`, with `place` for what it writes."""
    check_choice(language, LANGUAGES, say("language"))
    check_choice(paper, PAPERS, say("paper"))
    program = browser()
    if program is None:
        raise WorkbenchError(
            "No browser was found that prints to PDF: install Chromium, Chrome or Edge, or name one with "
            "CHROMIUM=/path/to/it, or use “Save as PDF” on the page itself.",
        )
    file = place / "page.pdf"
    address = f"{page.resolve().as_uri()}?lang={language}&paper={paper}"
    command = [program, *_OPTIONS, f"--user-data-dir={place / 'profile'}", f"--print-to-pdf={file}", address]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.insert(1, "--no-sandbox")  # Chromium refuses to run as root with one
    try:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as browsing:
            reason = _ended(browsing)
    except OSError as error:
        reason = str(error)
    content = file.read_bytes() if file.is_file() else b""
    if not content.startswith(b"%PDF-"):
        raise WorkbenchError(
            "The browser {browser} did not print the page: {reason}.", browser=program, reason=reason
        )
    return content


def _ended(browsing: subprocess.Popen[bytes]) -> str | Message:
    """What the browser said last, once it has ended; it ends as well when nobody wants the page any more."""
    with cancelling.ending(browsing.kill):
        try:
            said = browsing.communicate(timeout=_PATIENCE)[1].decode("utf-8", "replace").strip().splitlines()
        except subprocess.TimeoutExpired:
            browsing.kill()
            return say("it took longer than {seconds:count} seconds", seconds=_PATIENCE)
        cancelling.check()
    return said[-1] if said else say("it ended with code {code:plain}", code=browsing.returncode)
