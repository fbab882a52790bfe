"""Finds a Chromium for the tests that open real pages, and installs one where there is none.

`python -m tools.browser` prints the path of the program, or says in one sentence why there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from workbench.publish.browser import NAMED, browser


def find() -> str | None:
    """The path of a Chromium: the one that `CHROMIUM` names, one that is installed, or Playwright's own."""
    return browser() or (None if os.environ.get(NAMED) else _of_playwright())


def _of_playwright() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def _install() -> None:
    """Try Playwright's own browser, then the distribution's package; each says on stderr what it does."""
    if _run([sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"]):
        return
    apt = shutil.which("apt-get")
    if apt:
        as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        _run([*as_root, apt, "update", "-qq"])
        _run([*as_root, apt, "install", "-y", "-qq", "--no-install-recommends", "chromium"])


def _run(command: list[str]) -> bool:
    print("$", *command, file=sys.stderr)
    try:
        return subprocess.run(command, stdout=sys.stderr, check=False).returncode == 0
    except OSError as error:
        print(error, file=sys.stderr)
        return False


def main() -> int:
    """Print the path of a Chromium; 1 when there is none and none could be installed."""
    named = os.environ.get(NAMED)
    path = find()
    if path is None and not named:
        print("No Chromium was found; installing one for the tests …", file=sys.stderr)
        _install()
        path = find()
    if path:
        print(path)
        return 0
    reason = f"CHROMIUM names {named}, which cannot be run" if named else "no Chromium could be installed"
    print(
        f"The tests open pages in a real browser, and {reason}; install the package chromium of your"
        " system, or name a browser with CHROMIUM=/path/to/chromium.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
