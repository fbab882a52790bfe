"""How a published version shows that it is what was published.

    files      The manifest holds the SHA-256 of every file. Whoever changes, adds or takes away a file is
               found out by anybody, with nothing but the folder.
    chain      The manifest holds the hash of the manifest before it. Whoever rewrites a former version has to
               rewrite all that came after it.
    hash       The hash of the manifest stands on the page, so a print shows which version it is of.
    seal       HMAC-SHA256 (RFC 2104) of the manifest under the project's key, which is outside the folder.
               Whoever rewrites files and manifest together is found out where the key is at hand, only there.

The page holds the hash of a manifest that holds the hash of the page: the page is hashed with zeros there.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

from workbench.errors import Tampered
from workbench.locale import Message, say

MANIFEST = "manifest.json"
SEAL = "seal"
STILL = "index.html"
BLANK = "0" * 64
"""Stands in the page for the hash of its manifest while it is hashed itself."""


def digest(content: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(content).hexdigest()


def sealed(manifest: bytes, key: bytes) -> str:
    """The seal of a manifest, in hex."""
    return hmac.digest(key, b"publication\0" + manifest, "sha256").hex()


def with_hash(page: bytes, manifest: bytes) -> bytes:
    """The page with the hash of its manifest in its place."""
    return page.replace(BLANK.encode(), digest(manifest).encode())


def file_digest(name: str, content: bytes, manifest: bytes | None = None) -> str:
    """The SHA-256 of a file of a version, of the page as if the hash of its manifest were not in it yet."""
    if name == STILL and manifest is not None:
        content = content.replace(digest(manifest).encode(), BLANK.encode())
    return digest(content)


def check(folder: Path, slug: str, files: Mapping[str, str], key: bytes | None) -> None:
    """That a version is what was published.

    Args:
        folder: Of the version.
        slug: The page's, for words.
        files: File → SHA-256, as the manifest says.
        key: The project's key; without it only what the folder itself can show is looked at.

    Raises:
        Tampered: which file is missing, changed or of somebody else's, or that the seal is not ours.
    """
    manifest = (folder / MANIFEST).read_bytes()
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir()}
    if missing := sorted(set(files) - there):
        raise tampered(slug, say("{file} is missing", file=missing[0]))
    if foreign := sorted(there - set(files) - {MANIFEST, SEAL}):
        raise tampered(slug, say("{file} does not belong to it", file=foreign[0]))
    for name, expected in files.items():
        place = folder / name
        if place.is_symlink() or file_digest(name, place.read_bytes(), manifest) != expected:
            raise tampered(slug, say("{file} was changed", file=name))
    if key is None:
        return
    found = (folder / SEAL).read_text("utf-8", "replace").strip() if SEAL in there else ""
    if not hmac.compare_digest(found.encode(), sealed(manifest, key).encode()):
        raise tampered(slug, say("its seal was not made with the key of this project"))


def tampered(slug: str, what: Message) -> Tampered:
    """What to tell a reader instead of numbers."""
    return Tampered(
        "The page “{slug}” is not what was published: {what}. Its numbers are not shown; publish it again or "
        "go back to another version.",
        slug=slug,
        what=what,
    )
