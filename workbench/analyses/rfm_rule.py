"""A segment by scores as a rule over the order history, to be saved among the project's segments.

Scores are cut points, so a set of scores is a union of boxes of recency, frequency and money. A rule names
what `segments` knows: days since the last order, orders and revenue. It counts orders where scores count days
with one, and the orders that were given back as well, so a few customers differ; and its cut points stay what
they are when the data grow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import groupby, product

from workbench.analyses.rfm_segments import SCORES
from workbench.errors import WorkbenchError
from workbench.metrics.rfm import MEASURES, Cell, Scale

_COLUMNS = {"recency": "days_since_last_order", "frequency": "orders", "money": "revenue"}


def occurring(scale: Scale, measure: str) -> list[int]:
    """The scores that a customer can have: where cut points are equal, those between them do not occur."""
    cuts = [-cut if measure == "recency" else cut for cut in scale.cuts[measure]]
    edges = [float("-inf"), *cuts, float("inf")]
    return [score for score in SCORES if edges[score - 1] < edges[score]]


def as_rule(cells: Collection[Cell], scale: Scale) -> str:
    """The rule of the customers with these scores.

    Raises:
        WorkbenchError: when no customer can have them.
    """
    there = [occurring(scale, measure) for measure in MEASURES]
    having = {cell for cell in cells if all(score in known for score, known in zip(cell, there, strict=True))}
    boxes = []
    for sets in _boxes(having):
        runs = [_runs(scores, known) for scores, known in zip(sets, there, strict=True)]
        for run in product(*runs):
            measures = zip(MEASURES, run, there, strict=True)
            boxes.append(
                [words for name, ends, known in measures for words in _ends(scale, name, ends, known)]
            )
    if not boxes:
        raise WorkbenchError("No customer can have the scores of this segment, so it has no rule to save.")
    parts = [" and ".join(words) for words in boxes if words]  # without words a box is everybody who bought
    joined = f"({') or ('.join(parts)})" if len(parts) > 1 else "".join(parts)
    return " and ".join(["orders >= 1", *([f"({joined})" if len(parts) > 1 else joined] if parts else [])])


def _boxes(cells: Iterable[Cell]) -> list[tuple[frozenset[int], frozenset[int], frozenset[int]]]:
    """Sets of r, f and m whose products part the cells: first r is gathered, then m, then f."""
    recencies: dict[tuple[int, int], set[int]] = defaultdict(set)
    for r, f, m in cells:
        recencies[f, m].add(r)
    moneys: dict[tuple[frozenset[int], int], set[int]] = defaultdict(set)
    for (f, m), rs in recencies.items():
        moneys[frozenset(rs), f].add(m)
    frequencies: dict[tuple[frozenset[int], frozenset[int]], set[int]] = defaultdict(set)
    for (rs_, f), ms in moneys.items():
        frequencies[rs_, frozenset(ms)].add(f)
    return [(rs_, frozenset(fs), ms_) for (rs_, ms_), fs in frequencies.items()]


def _runs(scores: Collection[int], known: list[int]) -> list[tuple[int, int]]:
    """First and last score of each run of neighbours among the scores that occur."""
    numbered = [place for place, score in enumerate(known) if score in scores]
    runs = []
    for _, group in groupby(enumerate(numbered), key=lambda pair: pair[1] - pair[0]):
        run = [known[place] for _, place in group]
        runs.append((run[0], run[-1]))
    return runs


def _ends(scale: Scale, measure: str, ends: tuple[int, int], known: list[int]) -> list[str]:
    """The conditions that a score lies between two ends; none where an end is that of all scores."""
    (low, high), column = ends, _COLUMNS[measure]
    # half a cent further, since sums of amounts are not exact
    cuts = [f"{cut + 0.005:.3f}" if measure == "money" else f"{cut:g}" for cut in scale.cuts[measure]]
    better, worse = ("<", ">=") if measure == "recency" else (">", "<=")
    return [
        *([f"{column} {better} {cuts[low - 2]}"] if low > known[0] else []),
        *([f"{column} {worse} {cuts[high - 1]}"] if high < known[-1] else []),
    ]
