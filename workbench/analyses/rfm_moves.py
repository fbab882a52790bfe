"""Who moved from which segment to which between two dates, and how likely customers of one moved up.

Customers who had bought by the first date are in a segment at both; those who bought first in between are new
and come from nowhere. So rows add up to the customers of the first date and, with the new ones, columns to
those of the second. Up is towards the top of the list of segments.

Of n customers of a segment k moved up: P(up) ~ Beta(1 + k, 1 + n - k). That customers moved says nothing of
why; where each date is scored by its own fifths, somebody moves down when others did more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from scipy.special import betaincinv

from workbench.analyses.estimates import Estimate
from workbench.metrics.rfm import Cell
from workbench.metrics.rfm_sums import BEFORE, SCORES


@dataclass(frozen=True)
class Move:
    """Customers of one segment at the first date.

    Attributes:
        segment: Its name.
        to: Segment at the second date → customers, in the order of the list; 0 where nobody went.
        customers: How many there were.
        silent: How many of them bought nothing in between.
        up, down: How many moved.
        improves: P(up); None in the best segment, and where there was nobody.
        holds: P(not down); None where there was nobody.
    """

    segment: str
    to: Mapping[str, int]
    customers: int
    silent: int
    up: int
    down: int
    improves: Estimate | None
    holds: Estimate | None


@dataclass(frozen=True)
class Moves:
    """What became of the customers of the first date.

    Attributes:
        before, after: The two dates.
        same_cuts: Whether both are scored by the cut points of the second.
        rows: A row a segment, best first.
        new: Segment at the second date → customers who bought first in between.
        silent: Segment at the second date → customers of the first who bought nothing in between.
        improves: P(up) of all customers who were not in the best segment.
    """

    before: date
    after: date
    same_cuts: bool
    rows: tuple[Move, ...]
    new: Mapping[str, int]
    silent: Mapping[str, int]
    improves: Estimate | None

    @property
    def customers(self) -> int:
        """Customers of the first date."""
        return sum(row.customers for row in self.rows)


def moves(
    counted: pa.Table,
    names: Sequence[str],
    places: Mapping[Cell, int],
    *,
    dates: tuple[date, date],
    same_cuts: bool,
    level: float,
) -> Moves:
    """Moves from segment to segment.

    Args:
        counted: What `rfm_sums.moves` gives.
        names: Of the segments, best first.
        places: What `rfm_segments.places` gives.
        dates: The two dates.
        same_cuts: Whether both are scored by the cut points of the second.
        level: Of the intervals.
    """
    k = len(names)
    went, new, silent = np.zeros((k, k), int), np.zeros(k, int), np.zeros((k, k), int)
    for row in counted.to_pylist():
        before, after = (tuple(int(row[name]) for name in score) for score in (BEFORE, SCORES))
        to, n = places[_cell(after)], int(row["n"])
        if before == (0, 0, 0):
            new[to] += n
            continue
        went[places[_cell(before)], to] += n
        silent[places[_cell(before)], to] += n * (not row["back"])

    def by_name(counts: Sequence[int]) -> dict[str, int]:
        return {name: int(n) for name, n in zip(names, counts, strict=True)}

    def move(place: int) -> Move:
        there = went[place]
        n, up, down = int(there.sum()), int(there[:place].sum()), int(there[place + 1 :].sum())
        return Move(
            segment=names[place],
            to=by_name(there.tolist()),
            customers=n,
            silent=int(silent[place].sum()),
            up=up,
            down=down,
            improves=_share(up, n, level) if place and n else None,
            holds=_share(n - down, n, level) if n else None,
        )

    rows = tuple(move(place) for place in range(k))
    could = sum(row.customers for row in rows[1:])
    return Moves(
        before=dates[0],
        after=dates[1],
        same_cuts=same_cuts,
        rows=rows,
        new=by_name(new.tolist()),
        silent=by_name(silent.sum(axis=0).tolist()),
        improves=_share(sum(row.up for row in rows), could, level) if could else None,
    )


def by_tier(moves: Moves, tier_of: Callable[[str], str]) -> dict[tuple[str | None, str], int]:
    """Customers by tier at both dates; None is that of those who were new."""
    found: dict[tuple[str | None, str], int] = {}
    flows = [(tier_of(row.segment), to, n) for row in moves.rows for to, n in row.to.items()]
    for before, to, n in [*flows, *((None, to, n) for to, n in moves.new.items())]:
        key = before, tier_of(to)
        found[key] = found.get(key, 0) + n
    return {key: n for key, n in found.items() if n}


def _cell(scores: tuple[int, ...]) -> Cell:
    r, f, m = scores
    return r, f, m


def _share(k: int, n: int, level: float) -> Estimate:
    """The posterior of a share, with a uniform prior."""
    a, b = 1 + k, 1 + n - k
    low, high = betaincinv(a, b, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(a / (a + b), float(low), float(high))
