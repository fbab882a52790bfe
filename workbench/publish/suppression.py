"""Which cells of which tables may not be shown, so that none of the small ones can be found by subtraction.

A cell is small where it has fewer than `least` people in any arm. Small cells are hidden, and as many others
with them as it takes (complementary suppression; Willenborg and de Waal, *Elements of Statistical Disclosure
Control*, 2001, chapter 4):

1. in every sum that is shown or known (everybody, or a group that another table divides further), the hidden
   parts together have at least `least` people in each arm, and a small one is not alone among them;
2. no small cell, and no two that together are small, is a linear combination of what is shown: the cells of
   all tables of the same people are looked at together, as vectors over all crossings of their attributes;
3. two groups of the same people and the same metric that differ by fewer than `least` people are not both
   shown: one may lie in the other;
4. a group that has changed by fewer than `least` people since a version showed it is not shown again, one
   that was hidden stays hidden until it has changed by more, and what readers know from before hides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np

from workbench.errors import WorkbenchError
from workbench.records import SMALLEST_GROUP

type Cell = tuple[str, ...]
type Sizes = tuple[int, ...]
type Place = tuple[tuple[str, ...], Cell]
"""Attributes, and their values."""


@dataclass(frozen=True)
class Table:
    """One way in which the same people are divided.

    Attributes:
        people: Tables with the same ones are about the same people.
        metric: Sums of different ones cannot be subtracted.
        attributes: What they are divided by; several where they are crossed.
        sizes: Values of the attributes → people, by arm.
        whole: Everybody, by arm; more than the sum where some are in no cell.
    """

    people: str
    metric: str
    attributes: tuple[str, ...]
    sizes: Mapping[Cell, Sizes]
    whole: Sizes


@dataclass(frozen=True)
class Former:
    """A table as a version that is out showed it: `shown` are the cells that could be read."""

    table: Table
    shown: frozenset[Cell]


def too_small[K](sizes: Mapping[K, int], least: int = SMALLEST_GROUP) -> set[K]:
    """Which of the groups that make up a whole may not be shown."""
    names: dict[Cell, K] = {(str(place),): key for place, key in enumerate(sizes)}
    cells: dict[Cell, Sizes] = {cell: (sizes[key],) for cell, key in names.items()}
    gone = hidden([Table("", "", ("",), cells, (sum(sizes.values()),))], least)
    return {names[cell] for _, cell in gone}


def hidden(tables: Sequence[Table], least: int, before: Sequence[Former] = ()) -> set[Place]:
    """The cells of tables of the same people that may not be shown.

    Args:
        tables: All that are shown next to each other.
        least: The fewest people a cell may have.
        before: The same tables in versions that are out.
    """
    work = _Work(least, list(tables))
    work.judge(before)
    while work.near() or work.sums() or work.combinations():
        pass
    return work.gone


@dataclass
class _Work:
    least: int
    tables: list[Table]
    gone: set[Place] = field(default_factory=set)
    small: set[Place] = field(default_factory=set)
    known: set[Place] = field(default_factory=set)

    def judge(self, before: Sequence[Former]) -> None:
        """What is small by itself, and what former versions have said."""
        for table in self.tables:
            for cell, sizes in table.sizes.items():
                place = table.attributes, cell
                if min(sizes, default=0) < self.least:
                    self.small.add(place)
                for former in before:
                    old = former.table
                    if old.attributes != table.attributes or cell not in old.sizes:
                        continue
                    changed = apart(sizes, old.sizes[cell])
                    if cell not in former.shown:
                        self.small |= {place} if changed < self.least else set()
                    elif old.metric != table.metric:
                        continue
                    elif 0 < changed < self.least:
                        self.small.add(place)
                    elif changed == 0:
                        self.known.add(place)
        self.gone |= self.small

    def near(self) -> bool:
        """Hide the smaller of two groups that may lie in each other and differ by few."""
        for one, other in combinations(self.tables, 2):
            if one.metric != other.metric or len(one.whole) != len(other.whole):
                continue
            same = one.attributes == other.attributes
            for a, b in product(one.sizes, other.sizes):
                first, second = (one.attributes, a), (other.attributes, b)
                if first in self.gone or second in self.gone or (same and a != b):
                    continue
                if 0 < apart(one.sizes[a], other.sizes[b]) < self.least:
                    smaller = first if sum(one.sizes[a]) <= sum(other.sizes[b]) else second
                    self.gone.add(smaller)
                    self.small.add(smaller)
                    return True
        return False

    def sums(self) -> bool:
        """Hide one more part of the first sum whose hidden parts are too few."""
        for table, whole, cells in self._equations():
            parts = {(table.attributes, cell): table.sizes[cell] for cell in cells}
            seen = {place: n for place, n in parts.items() if place not in self.gone or place in self.known}
            rest = tuple(total - sum(n[arm] for n in seen.values()) for arm, total in enumerate(whole))
            unlisted = sum(whole) > sum(map(sum, parts.values()))
            unseen = set(parts) - set(seen)
            alone = len(unseen) == 1 and unseen <= self.small and not unlisted
            if max(rest, default=0) <= 0 or not (alone or min(rest) < self.least):
                continue
            eligible = set(seen) - self.known
            if eligible:
                self.gone.add(min(sorted(eligible), key=lambda place: sum(parts[place])))
                return True
            if seen:
                raise WorkbenchError(
                    "With what a version of this page that is still there has shown, fewer than "
                    "{least:count} people could be told apart; delete the page for good first.",
                    least=self.least,
                )
        return False

    def combinations(self) -> bool:
        """Hide a cell of the first combination of shown ones that is a small cell, or two small ones."""
        for tables in _connected(self.tables):
            vectors = _vectors(tables)
            shown = [place for place in vectors if place not in self.gone or place in self.known]
            targets = self._targets(tables)
            if not shown or not targets:
                continue
            base = np.array([vectors[place] for place in shown] + [np.ones(len(vectors[shown[0]]))])
            wanted = np.array([sum(vectors[place] for place in target) for target in targets])
            weights, *_ = np.linalg.lstsq(base.T, wanted.T, rcond=None)
            missed = np.abs(base.T @ weights - wanted.T).max(axis=0)
            for column in np.flatnonzero(missed < 1e-9):
                used = [
                    place
                    for place, weight in zip(shown, weights[:-1, column], strict=True)
                    if abs(weight) > 1e-9 and place not in self.known
                ]
                if used:
                    self.gone.add(min(used, key=lambda place: self._size(place)))
                    return True
        return False

    def _targets(self, tables: Sequence[Table]) -> list[tuple[Place, ...]]:
        attributes = {table.attributes for table in tables}
        small = sorted(place for place in self.small if place[0] in attributes)
        two = (
            pair
            for pair in combinations(small, 2)
            if pair[0][0] == pair[1][0] and sum(map(self._size, pair)) < self.least
        )
        return [*((place,) for place in small), *two]

    def _size(self, place: Place) -> int:
        found = (
            sum(t.sizes[place[1]]) for t in self.tables if t.attributes == place[0] and place[1] in t.sizes
        )
        return min(found, default=0)

    def _equations(self) -> Iterable[tuple[Table, Sizes, list[Cell]]]:
        """Table, sum and the cells that make it up: everybody, and shown groups of coarser tables."""
        for table in self.tables:
            yield table, table.whole, list(table.sizes)
            for coarse in self.tables:
                if not set(coarse.attributes) < set(table.attributes):
                    continue
                where = [table.attributes.index(name) for name in coarse.attributes]
                for cell, sizes in coarse.sizes.items():
                    if (coarse.attributes, cell) not in self.gone and len(sizes) == len(table.whole):
                        yield table, sizes, [c for c in table.sizes if tuple(c[i] for i in where) == cell]


def apart(one: Sizes, other: Sizes) -> float:
    """By how many people two groups differ at least, if one lies in the other; 0 for the same sizes."""
    if len(one) != len(other):
        return math.inf
    apart = [abs(a - b) for a, b in zip(one, other, strict=True)]
    return min((n for n in apart if n), default=0)


def _connected(tables: Sequence[Table]) -> list[list[Table]]:
    """Tables that share an attribute, directly or through others."""
    groups: list[list[Table]] = []
    for table in tables:
        joined = [group for group in groups if any(set(table.attributes) & set(t.attributes) for t in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([table, *(t for group in joined for t in group)])
    return groups


def _vectors(tables: Sequence[Table]) -> dict[Place, np.ndarray]:
    """Each cell as 0 and 1 over all combinations of values of the tables' attributes."""
    values: dict[str, list[str]] = {}
    for table in tables:
        for place, name in enumerate(table.attributes):
            known = values.setdefault(name, [])
            known += sorted({cell[place] for cell in table.sizes} - set(known))
    names = list(values)
    atoms = np.array(list(product(*values.values())), dtype=object).reshape(-1, len(names))
    found = {}
    for table in tables:
        columns = [names.index(name) for name in table.attributes]
        for cell in table.sizes:
            found[table.attributes, cell] = (atoms[:, columns] == np.array(cell, dtype=object)).all(axis=1)
    return {place: vector.astype(float) for place, vector in found.items()}
