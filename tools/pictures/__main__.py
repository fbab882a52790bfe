"""Make the project, serve it, and take the pictures; see the package."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from tests.conftest import ARGUMENTS
from tools.browser import find
from tools.pictures import shop
from tools.pictures.camera import Camera
from tools.pictures.listing import remove_others, write_list
from tools.pictures.looks import WIDTHS, served
from workbench.publish.site import serving_project

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"


def main() -> int:
    """Take the pictures; 1 when there is no browser to take them with."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description="Pictures of every screen and page.")
    parser.add_argument("--only", action="append", metavar="NAME", help="how the name of a page begins")
    parser.add_argument("--width", type=int, choices=WIDTHS, help="one width only")
    parser.add_argument("--all", action="store_true", help="every page in every width, scheme and language")
    parser.add_argument("--to", type=Path, default=FOLDER, metavar="DIR", help="not into docs/pictures")
    asked = parser.parse_args()
    program = find()
    if program is None:
        print("There is no Chromium: `make browser` installs one.", file=sys.stderr)
        return 1
    begun, taken = time.monotonic(), set[str]()
    with ExitStack() as ends:
        keys, place = (Path(ends.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        ends.enter_context(patch.dict(os.environ, WORKBENCH_KEYS=str(keys)))
        project = shop.make(place)
        server = ends.enter_context(serving_project(project, screens=True))
        chromium = ends.enter_context(sync_playwright()).chromium
        browser = ends.enter_context(chromium.launch(executable_path=program, args=ARGUMENTS))
        camera = Camera(browser, server.url, project, asked.to, everything=asked.all)
        for view in served(project):
            if asked.only is None or view.name.startswith(tuple(asked.only)):
                taken |= set(camera.take(view, asked.width))
                print(f"{time.monotonic() - begun:4.0f} s  {view.name}", flush=True)
    if not (asked.only or asked.width):
        remove_others(asked.to, taken)
    write_list(asked.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
