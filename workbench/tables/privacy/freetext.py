"""Personal data inside texts: found, counted and replaced by a word such as `[e-mail]`.

Looked for are the shapes of `shapes`, and in addresses of pages the values of parameters whose name says it
(`?nombre=Ana`, `&user_id=17`). Names of people in a sentence are not found.

Most cells of a large column hold nothing of the kind. Arrow finds those that might, each different text once,
and only these are looked at closely.
"""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.tables.privacy.names import TELLING, Kind, named_identifier
from workbench.tables.privacy.shapes import SHAPES, Shape

_SHORT = 3
_FLAG: Final = re.compile(r"[01]|true|false|yes|no|s[ií]|\[[^]]*\]", re.IGNORECASE)
_named = lru_cache(maxsize=4096)(named_identifier)
_PARAMETER: Final = re.compile(
    r"((?:[?&;#]|%3F|%26)(?P<name>[\w.\[\]-]{1,40})(?:=|%3D))(?P<value>(?:(?!%26)[^&;#\s\"'])+)",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """A text with personal data replaced by words.

    >>> mask("Llámame al 612 345 678 o a ana@example.com, pedido 612345679")
    'Llámame al [phone] o a [e-mail], pedido 612345679'
    >>> mask("https://shop.example/thanks?email=ana%40example.com&first_name=Ana&step=3")
    'https://shop.example/thanks?email=[e-mail]&first_name=[name]&step=3'
    """
    return mask_text(pa.array([text]))[0][0].as_py()


def mask_text(column: pa.Array | pa.ChunkedArray) -> tuple[pa.ChunkedArray, dict[Kind, int]]:
    """The column (text) with personal data replaced by words, and in how many cells what was replaced."""
    if isinstance(column, pa.Array):
        column = pa.chunked_array([column])
    coded = column.dictionary_encode().unify_dictionaries()
    if not coded.num_chunks:
        return column, {}
    texts = coded.chunk(0).dictionary
    changed = _masked(texts)
    if not changed:
        return column, {}
    cells = sum(
        (np.bincount(chunk.indices.drop_null(), minlength=len(texts)) for chunk in coded.chunks),
        np.zeros(len(texts), np.int64),
    )
    counts: Counter[Kind] = Counter()
    for place, (_, kinds) in changed.items():
        counts.update(dict.fromkeys(kinds, int(cells[place])))
    touched = np.zeros(len(texts), bool)
    touched[list(changed)] = True
    masked = pa.array([text for text, _ in changed.values()], texts.type)
    replaced = pc.replace_with_mask(texts, pa.array(touched), masked)
    return pa.chunked_array([replaced.take(chunk.indices) for chunk in coded.chunks]), dict(counts)


def _masked(texts: pa.Array) -> dict[int, tuple[str, set[Kind]]]:
    """Place → masked text and what was in it, in order, for those of these texts that hold something."""
    with ThreadPoolExecutor(2) as pool:
        hinted = list(
            pool.map(partial(_places, texts), [_parameter_hint(), *(shape.hint for shape in SHAPES)])
        )
    masked = {place: texts[place].as_py() for place in sorted(set().union(*hinted))}
    found: dict[int, set[Kind]] = {place: set() for place in masked}
    for place in hinted[0]:
        masked[place] = _without_parameters(masked[place], found[place])
    for shape, places in zip(SHAPES, hinted[1:], strict=True):
        pattern = shape.pattern
        for place in places:
            masked[place] = _without(masked[place], pattern, shape, found[place])
    return {place: (masked[place], kinds) for place, kinds in found.items() if kinds}


def _places(texts: pa.Array, expression: str) -> list[int]:
    """Where the expression is found."""
    found = pc.match_substring_regex(texts, expression, ignore_case=True).fill_null(False)
    return np.flatnonzero(found.to_numpy(False)).tolist()


def _without(text: str, pattern: re.Pattern[str], shape: Shape, kinds: set[Kind]) -> str:
    def replaced(match: re.Match[str]) -> str:
        if not shape.check(match):
            return match[0]
        kinds.add(shape.kind)
        return f"{match.groupdict().get('keep') or ''}[{shape.kind}]"

    return pattern.sub(replaced, text)


def _without_parameters(text: str, kinds: set[Kind]) -> str:
    def replaced(match: re.Match[str]) -> str:
        kind = _named(match["name"])
        if kind is None or _FLAG.fullmatch(match["value"]):
            return match[0]
        kinds.add(kind)
        return f"{match[1]}[{kind}]"

    return _PARAMETER.sub(replaced, text)


@lru_cache(maxsize=1)
def _parameter_hint() -> str:
    """A parameter with a telling word in its name; short ones end a part of it (`client_ip`, not `ipod`)."""
    long = "|".join(sorted(word for word in TELLING if len(word) > _SHORT))
    short = "|".join(sorted(word for word in TELLING if len(word) <= _SHORT))
    return rf"[?&;#F6][\w.\[\]-]*(?:(?:{long})[\w.\[\]-]*|(?:{short})(?:[_.\]-][\w.\[\]-]*)?)(?:=|%3D)"
