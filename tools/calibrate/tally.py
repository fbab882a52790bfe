"""Many experiments asked and counted: shares with their Monte Carlo error."""

from __future__ import annotations

import multiprocessing
import os
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from math import nan

import numpy as np

from tools.calibrate.answers import LEVELS
from tools.calibrate.scenarios import SCENARIOS, Scenario
from workbench.decisions import sure
from workbench.errors import ModelError
from workbench.models.arms import Array

AT_ONCE = 100
"""Experiments in a piece of work; each piece has a seed of its own, whoever does it."""
BINS = (0.5, 0.75, 0.9, 0.975, 1.0)
"""Of the probability that the arm that looks better is better."""
PROCESSES = 2

_REFUSED = [nan] * (2 * len(LEVELS) + 2)


@dataclass(frozen=True)
class Measured:
    """A share of cases and its Monte Carlo error; effects of one experiment may depend on each other."""

    share: float
    error: float
    cases: int

    @classmethod
    def of(cls, hits: Array, experiments: Array) -> Measured:
        """Of 0 and 1, NaN where there was no case; `experiments` says to which one each belongs."""
        there = ~np.isnan(hits)
        n = int(there.sum())
        if not n:
            return cls(nan, nan, 0)
        share = float(hits[there].mean())
        _, place = np.unique(experiments[there], return_inverse=True)
        off = np.bincount(place, hits[there] - share)
        # Never seen is not never: one case more could have been one.
        return cls(share, max(float(np.sqrt(off @ off)), 1.0) / n, n)


@dataclass(frozen=True, eq=False)
class Tally:
    """What was found in all experiments of a scenario.

    Attributes:
        scenario: It.
        rows: One an effect: the experiment, whether each interval of the difference and of the lift held the
            truth, the probability of being better, the sign of the truth; NaN where it was refused.
    """

    scenario: Scenario
    rows: Array

    @property
    def experiments(self) -> tuple[int, int]:
        """How many without an effect, and how many with one."""
        numbers = np.unique(self.rows[:, 0])
        with_one = int((numbers % 2).sum())
        return len(numbers) - with_one, with_one

    def coverage(self, what: str) -> list[Measured]:
        """By level, how often the interval of the `difference` or the `lift` held the truth."""
        first = 1 if what == "difference" else 1 + len(LEVELS)
        rows = self._counted
        return [Measured.of(rows[:, first + place], rows[:, 0]) for place in range(len(LEVELS))]

    def answered(self, what: str) -> float:
        """Share of effects that were not refused."""
        return self.coverage(what)[0].cases / len(self._counted)

    def shipped(self, level: float) -> Measured:
        """Of treatments that change nothing, how many are adopted by the rule of this level."""
        better, sign = self._claims
        return Measured.of(np.where(sign == 0, better >= sure(level), nan), self.rows[:, 0])

    def calibration(self) -> list[tuple[float, Measured]]:
        """By bin, the mean probability that the arm that looks better is better, and how often it was."""
        better, sign = self._claims
        claimed = np.maximum(better, 1 - better)
        right = np.where((better > 0.5) == (sign > 0), 1.0, 0.0)
        found = []
        for low, high in pairwise(BINS):
            inside = (sign != 0) & (claimed >= low) & ((claimed < high) | (high == BINS[-1]))
            mean = float(claimed[inside].mean()) if inside.any() else nan
            found.append((mean, Measured.of(np.where(inside, right, nan), self.rows[:, 0])))
        return found

    @property
    def _counted(self) -> Array:
        """Rows whose intervals count."""
        return self.rows[self.rows[:, 0] % 2 == 1] if self.scenario.averaged else self.rows

    @property
    def _claims(self) -> tuple[Array, Array]:
        """Probabilities of being better and signs of the truth; a refusal claims nothing and is neither."""
        better, sign = self.rows[:, -2], self.rows[:, -1]
        return better, np.where(np.isnan(better), nan, sign)


def ask(scenario: Scenario, effect: bool, count: int, piece: int = 0) -> Array:
    """Rows of so many experiments, without an effect or with one; the experiment's number comes first."""
    seed = zlib.crc32((scenario.world or scenario.name).encode())
    rng = np.random.default_rng([seed, int(effect), piece])
    rows = []
    for number in range(count):
        name = float((piece * AT_ONCE + number) * 2 + effect)
        try:
            rows += [[name, *answer.row()] for answer in scenario.ask(rng, effect)]
        except ModelError:  # too few to say anything: the workbench says so
            rows.append([name, *_REFUSED])
    return np.array(rows).reshape(-1, 1 + len(_REFUSED))


def workers() -> ProcessPoolExecutor:
    """Two processes of low priority."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # small arrays: threads would only stand in each other's way
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_be_nice)


def tally(scenarios: Sequence[Scenario], quick: bool = False) -> Iterator[Tally]:
    """Ask all experiments, a tenth of them if quick, in two processes of low priority."""
    with workers() as pool:
        asked = {
            one.name: [pool.submit(_piece, one.name, *piece) for piece in _pieces(one, quick)]
            for one in scenarios
        }
        for one in scenarios:
            yield Tally(one, np.concatenate([piece.result() for piece in asked[one.name]]))


def _pieces(scenario: Scenario, quick: bool) -> Iterator[tuple[bool, int, int]]:
    for effect, count in zip((False, True), scenario.experiments, strict=True):
        wanted = count // 10 if quick else count
        for piece in range(-(-wanted // AT_ONCE)):
            yield effect, min(AT_ONCE, wanted - piece * AT_ONCE), piece


def _piece(name: str, effect: bool, count: int, piece: int) -> Array:
    return ask(SCENARIOS[name], effect, count, piece)


def _be_nice() -> None:
    if hasattr(os, "nice"):
        os.nice(10)
