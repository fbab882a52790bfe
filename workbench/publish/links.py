"""Links to published pages: a secret for each page, which can be taken back and made anew.

They are kept in `links.json` of the project, beside the data and outside what is published, readable by its
owner alone. Who can read the project can read them, and may show a link again; the server remembers only
their hashes.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from workbench import storage
from workbench.errors import ProjectError
from workbench.tables.privacy.access import AccessLog
from workbench.team import Team

_BYTES = 32  # of chance in a token
LOCAL = "http://127.0.0.1:8866/"


class _Kept(BaseModel):
    """`links.json`: the address at which pages were last served, and each page's token (none: taken back)."""

    address: str = LOCAL
    tokens: dict[str, str | None] = {}


class Links:
    """The links of a project's pages.

    Args:
        project: The project's folder.
    """

    def __init__(self, project: Path) -> None:
        self.file = project / "links.json"
        self._seen: tuple[int, int] | None = None
        self._hashes: dict[str, bytes] = {}

    def get(self, slug: str) -> str | None:
        """The link of a page; None if it has none or it was taken back."""
        kept = self._read()
        token = kept.tokens.get(slug)
        return _link(kept.address, slug, token) if token else None

    def offer(self, slugs: list[str], address: str) -> dict[str, str | None]:
        """The links of `slugs` at `address`: made where there never was one, none where it was taken back.

        Pages that are no longer there lose theirs: a page that comes later under the same name gets its own.
        """
        with storage.lock(self.file.parent):
            kept = self._read()
            tokens = {slug: kept.tokens.get(slug, "") for slug in slugs}
            made = {slug: _token() if token == "" else token for slug, token in tokens.items()}
            self._write(_Kept(address=address, tokens=made))
        return {slug: _link(address, slug, token) if token else None for slug, token in made.items()}

    def renew(self, slug: str) -> str:
        """A new link for a page; the one before no longer opens it."""
        Team(self.file.parent).check("publish")
        with storage.lock(self.file.parent):
            kept, token = self._read(), _token()
            AccessLog(self.file.parent).add("publish", page=slug, did="link renewed")
            self._write(kept.model_copy(update={"tokens": {**kept.tokens, slug: token}}))
        return _link(kept.address, slug, token)

    def revoke(self, slug: str) -> None:
        """Take a page's link back: nobody is let in until it is made anew."""
        Team(self.file.parent).check("publish")
        with storage.lock(self.file.parent):
            kept = self._read()
            AccessLog(self.file.parent).add("publish", page=slug, did="link taken back")
            self._write(kept.model_copy(update={"tokens": {**kept.tokens, slug: None}}))

    def admits(self, slug: str, token: str) -> bool:
        """Whether `token` opens the page `slug` now; hashes are compared, in constant time."""
        try:
            state = self.file.stat()
        except OSError:
            return False
        if self._seen != (state.st_mtime_ns, state.st_ino):
            tokens = self._read().tokens
            self._hashes = {name: hashed(kept) for name, kept in tokens.items() if kept}
            self._seen = (state.st_mtime_ns, state.st_ino)
        nothing = bytes(hashlib.sha256().digest_size)
        return hmac.compare_digest(self._hashes.get(slug, nothing), hashed(token))

    def _read(self) -> _Kept:
        try:
            return _Kept.model_validate_json(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return _Kept()
        except (OSError, ValidationError, ValueError) as error:
            raise ProjectError(
                "{path} cannot be read, so no link opens a page; take it away and make new links.",
                path=str(self.file),
            ) from error

    def _write(self, kept: _Kept) -> None:
        with storage.replacing(self.file) as temporary:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(kept.model_dump_json(indent=1))


def hashed(token: str) -> bytes:
    """What is remembered of a token: its SHA-256. Tokens are random, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).digest()


def _token() -> str:
    return secrets.token_urlsafe(_BYTES)


def _link(address: str, slug: str, token: str) -> str:
    return f"{address}p/{quote(slug)}/?token={token}"
