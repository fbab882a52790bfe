"""Identifiers of people become numbers that mean nothing without the key.

A pseudonym is the first eight bytes of HMAC-SHA256(key, identifier), big-endian, with the top bit cleared: an
int64 that is never negative. Identifiers are compared as people mean them: Unicode NFC, without blanks around
them, without regard to capitals (`str.casefold`).

HMAC is H(key ⊕ opad, H(key ⊕ ipad, text)) (RFC 2104); two plain SHA-256 calls take half the time of `hmac`.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable

import pyarrow as pa

_BLOCK_BYTES = 64
_MASK = (1 << 63) - 1


def pseudonym(key: bytes, identifier: str) -> int | None:
    """The pseudonym of one identifier; None of a blank one.

    >>> pseudonym(bytes(32), "Ana@Example.com ") == pseudonym(bytes(32), "ana@example.com")
    True
    """
    return _hasher(key)(identifier)


def pseudonyms(key: bytes) -> Callable[[pa.Array | pa.ChunkedArray], pa.ChunkedArray]:
    """What turns a column of identifiers (text) into one of pseudonyms; blank cells become null.

    The function that is given back hashes each identifier of a column once.
    """
    hasher = _hasher(key)

    def hashed(column: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
        if isinstance(column, pa.Array):
            column = pa.chunked_array([column])
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        column = column.unify_dictionaries()
        if not column.num_chunks:
            return pa.chunked_array([], type=pa.int64())
        values = column.chunk(0).dictionary.to_pylist()
        numbers = pa.array([None if text is None else hasher(text) for text in values], pa.int64())
        return pa.chunked_array([numbers.take(chunk.indices) for chunk in column.chunks], type=pa.int64())

    return hashed


def normalised(identifier: str) -> str:
    """The identifier as it is compared.

    >>> normalised(" Jose\\u0301@EXAMPLE.com ")
    'josé@example.com'
    """
    if identifier.isascii():
        return identifier.strip().lower()
    return unicodedata.normalize("NFC", identifier).strip().casefold()


def _hasher(key: bytes) -> Callable[[str], int | None]:
    if len(key) > _BLOCK_BYTES:
        raise ValueError("a key has at most 64 bytes")
    block = key.ljust(_BLOCK_BYTES, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    sha256 = hashlib.sha256

    def hashed(identifier: str) -> int | None:
        text = normalised(identifier)
        if not text:
            return None
        digest = sha256(outer + sha256(inner + text.encode()).digest()).digest()
        return int.from_bytes(digest[:8]) & _MASK

    return hashed
