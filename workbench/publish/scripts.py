"""The scripts of live pages, named at a page's beginning and handed out in one piece.

A page names its scripts at its end, when Python has answered, and those ask for others, nearly a hundred in
all: a quarter of the time until a live page is there. Where they are known, a browser can have them while
Python works. Their names change with the versions of Voilà and of what goes with it; so the server learns
them from its first reader.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

_MOST = 200
_LARGEST = 8_000_000
"""Bytes of all parts, so that nobody makes the pages of others heavy by asking for what no page needs."""
_PACKED = 8
"""Bundles that are kept ready: the last one, and some before it while the first readers come at once."""
_ADDRESS = re.compile(r"voila/(?:static|labextensions)/[\w@./-]+\.js(?:\?v=[0-9a-f]+)?$")
_MODULES = ("vega_runtime.js",)  # which the page's head asks for itself
_PART = re.compile(rb'\s*(?:/\*.*?\*/\s*)*(?:"use strict";\s*)?\(\s*self(?:\.|\[")\w*[cC]hunk', re.DOTALL)
"""How webpack and rspack begin a part of a program that waits in a list until the program asks for it."""


class Scripts:
    """The scripts that pages have asked for so far.

    Iterated over, it gives the addresses of those that a page has to ask for one by one.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._single: list[str] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._digest = hashlib.sha256()
        self._named: dict[str, int] = {}  # names of bundles: of how many parts each is made
        self._packed: dict[str, bytes] = {}  # some of them, packed once

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._single))

    def note(self, address: str, file: Path) -> None:
        """Remember the script `file`, which was found at `address`."""
        found = _ADDRESS.search(address)
        plain = found[0].split("?")[0] if found else ""
        if not found or plain in self._known or len(self._known) >= _MOST or plain.endswith(_MODULES):
            return
        text = file.read_bytes()
        if not _PART.match(text):
            self._known.add(plain)
            self._single.append(found[0])
        elif self._size + len(text) <= _LARGEST:
            self._known.add(plain)
            self._size += len(text)
            # a function each, so that one that is strict does not make the others so
            self._parts.append(b"(function(){" + text + b"\n})();\n")
            self._digest.update(self._parts[-1])

    @property
    def bundle(self) -> str:
        """The name of all parts in one piece; empty while none are known."""
        if not self._parts:
            return ""
        name = self._digest.hexdigest()[:32]
        self._named[name] = len(self._parts)
        return name

    def packed(self, name: str) -> bytes | None:
        """The bundle of that name, as gzip has it; None if there was none."""
        if name not in self._named:
            return None
        if name not in self._packed:
            if len(self._packed) >= _PACKED:
                del self._packed[next(iter(self._packed))]
            self._packed[name] = gzip.compress(b"".join(self._parts[: self._named[name]]), 6, mtime=0)
        return self._packed[name]
