"""What the server hands out of a publication without a kernel: files of its current version, nothing else.

A file goes out if the version's manifest names it and the whole version still is what was published (`seal`).
It is packed once, kept in memory, and named by its hash, so that whoever has it is told so in a few bytes.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from workbench.publish import seal

SLUG = "[a-z0-9][a-z0-9-]*"
_KINDS = {".html": "text/html; charset=utf-8", ".json": "application/json; charset=utf-8"}
_SCRIPTS = ("", "module", "text/javascript", "application/javascript")


@dataclass(frozen=True)
class Handout:
    """A file as it goes out.

    Attributes:
        packed: Its bytes, as gzip has them.
        etag: What it is called by browsers that have it.
        kind: Its content type.
        policy: The Content-Security-Policy under which it is shown.
    """

    packed: bytes
    etag: str
    kind: str
    policy: str


class Handouts:
    """The publications of a folder.

    Args:
        published: The folder, with a folder for each publication (see `bundle`).
        key: The project's, where it is at hand: forged manifests are then found out, too.
    """

    def __init__(self, published: Path, key: bytes | None = None) -> None:
        self._published, self._key = published, key
        self._versions: dict[str, tuple[object, dict[str, Handout]]] = {}

    def version(self, slug: str) -> Path | None:
        """The folder of the version that readers see; None if there is no such page."""
        place = self._published / slug
        try:
            number = int((place / "current").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        folder = place / "versions" / str(number)
        return folder if (folder / seal.MANIFEST).is_file() else None

    def get(self, slug: str, name: str) -> Handout | None:
        """A file of the page `slug` as it is now; None if there is no such page or no such file in it.

        Raises:
            Tampered: The version is not what was published.
        """
        folder = self.version(slug)
        if folder is None:
            return None
        state = (folder, [(file.name, file.stat().st_mtime_ns) for file in sorted(folder.iterdir())])
        if slug not in self._versions or self._versions[slug][0] != state:
            self._versions[slug] = (state, _files(folder, slug, self._key))
        return self._versions[slug][1].get(name)


def _files(folder: Path, slug: str, key: bytes | None) -> dict[str, Handout]:
    names = json.loads((folder / seal.MANIFEST).read_bytes())["files"]
    seal.check(folder, slug, names, key)
    return {name: _handout(folder / name) for name in names}


def _handout(file: Path) -> Handout:
    body = file.read_bytes()
    return Handout(
        packed=gzip.compress(body, 6, mtime=0),
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
        kind=_KINDS.get(file.suffix, "application/octet-stream"),
        policy=policy(body.decode("utf-8", "replace") if file.suffix == ".html" else ""),
    )


def policy(page: str) -> str:
    """What a still page may do: run the scripts that were published with it, and reach nothing at all.

    A script that found its way into the page afterwards, out of a name in the data for instance, has another
    hash and does not run (https://www.w3.org/TR/CSP3/, 6.7.2.3).
    """
    scripts = _Scripts()
    scripts.feed(page)
    hashes = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts.texts}
    allowed = " ".join(f"'sha256-{one}'" for one in sorted(hashes)) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "font-src data:; connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )


class _Scripts(HTMLParser):
    """Collects the scripts that are written into a page by whoever made it, outside of any text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.texts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = (dict(attrs).get("type") or "").strip().lower()
        self._inside = tag == "script" and kind in _SCRIPTS
        if self._inside:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.texts[-1] += re.sub("\r\n?", "\n", data)
