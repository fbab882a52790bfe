"""Which of the kept results are wanted on the home."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from workbench.locale import Texts
from workbench.publish.library import outcome, outcome_name
from workbench.publish.versions import question
from workbench.records import AnyRecord


def matching(
    records: Sequence[AnyRecord],
    search: str,
    wanted: str,
    t: Texts,
    written: Callable[[AnyRecord], str] = lambda _: "",
) -> list[AnyRecord]:
    """Those with an outcome, any if it is empty, in whose question, answer or notes all searched words are.

    Args:
        records: Which.
        search: Words in any order; capitals and accents do not matter.
        wanted: One of `library.OUTCOMES`, or nothing.
        t: The language in which the results are read.
        written: What was written in the notes on a result.
    """
    words = _plain(search).split()
    return [
        record
        for record in records
        if wanted in ("", outcome(record))
        and all(word in _searched(record, t, written(record) if words else "") for word in words)
    ]


def _searched(record: AnyRecord, t: Texts, written: str) -> str:
    parts = (t(question(record)), t(record.verdict), t(outcome_name(outcome(record))), record.id, written)
    return _plain(" ".join(parts))


def _plain(text: str) -> str:
    """Without capitals and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))
