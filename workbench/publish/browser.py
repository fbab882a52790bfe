"""Which browser of the Chromium family is on this computer, and the paper that one can ask it for."""

from __future__ import annotations

import os
import shutil
import sys

PAPERS = ("a4", "letter")
NAMED = "CHROMIUM"
"""The environment variable that names a browser."""
_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
    "brave-browser",
)
_PLACES = {
    "darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ),
    "win32": (
        r"%ProgramFiles%\Google\Chrome\Application\chrome.exe",
        r"%ProgramFiles(x86)%\Microsoft\Edge\Application\msedge.exe",
        r"%LocalAppData%\Google\Chrome\Application\chrome.exe",
    ),
}


def browser() -> str | None:
    """The path of a Chromium, Chrome or Edge: the one that `CHROMIUM` names, else one that is installed."""
    named = os.environ.get(NAMED)
    if named:
        return shutil.which(named)
    places = [os.path.expandvars(place) for place in _PLACES.get(sys.platform, ())]
    return next((path for name in (*_NAMES, *places) if (path := shutil.which(name))), None)
