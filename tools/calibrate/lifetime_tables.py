"""The tables of lifetime value in docs/coverage.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, kstest

from tools.calibrate.answers import LEVELS
from tools.calibrate.lifetime import ALIKE, APART, BETTER, DIFFERENCE, FOUND, RANKED, TRUE, Places
from tools.calibrate.tables import WHERE, table
from workbench.decisions import sure
from workbench.models.arms import Array

BEGIN, END = "<!-- lifetime value measured by make calibrate -->", "<!-- end of lifetime value -->"
BINS = 10
ALARM = 0.05
"""The chance that any of the places is called bent although none is; shared out evenly (Bonferroni)."""


def render(places: Sequence[Places]) -> str:
    """All tables of lifetime value."""
    levels = [f"{level * 100:.0f} %" for level in LEVELS]
    shown = list(_rows(places))
    alike, apart = ([one for one in places if one.study.name in kind] for kind in (ALIKE, APART))
    parts = [
        "### Data sets of lifetime value",
        table(
            [WHERE, "simulated from", "data sets", "answered"],
            ([one.study.name, one.study.simulated, str(one.asked), str(one.answered)] for one in places),
        ),
        "### Where the truth lies in its posterior",
        table(
            [WHERE, *levels, "p of χ²"],
            ([name, *_held(found), f"{evenly_spread(found):.3f}"] for name, found in shown),
        ),
        _bent(shown),
        "### Arms that do not differ: the probability that the treatment is worth more",
        table(
            [WHERE, "experiments", "below 5 %", "above 95 %", "p of Kolmogorov and Smirnov"],
            (
                [
                    one.study.name,
                    str(one.answered),
                    _share(better < 0.05),
                    _share(better > 0.95),
                    f"{uniform(better):.3f}",
                ]
                for one in alike
                for better in [one.by_quantity[BETTER]]
            ),
        ),
        "### A known difference in value",
        table(
            [WHERE, "true", "found on average", *levels, f"adopted, sure at {LEVELS[1] * 100:.0f} %"],
            (
                [
                    one.study.name,
                    f"{one.by_quantity[TRUE][0]:.2f}",
                    _mean(one.by_quantity[FOUND]),
                    *_held(one.by_quantity[DIFFERENCE]),
                    _share(one.by_quantity[BETTER] >= sure(LEVELS[1])),
                ]
                for one in apart
            ),
        ),
    ]
    return "\n\n".join(parts)


def evenly_spread(places: Array) -> float:
    """p of χ², of the numbers of places in bins of the same width."""
    counts = np.histogram(places, BINS, (0, 1))[0]
    expected = len(places) / BINS
    return float(chi2.sf(((counts - expected) ** 2 / expected).sum(), BINS - 1))


def uniform(probabilities: Array) -> float:
    """p of Kolmogorov and Smirnov, that probabilities are uniform between 0 and 1."""
    return float(kstest(probabilities, "uniform").pvalue)


def _rows(places: Sequence[Places]) -> Iterator[tuple[str, Array]]:
    """Places by model and quantity; of two arms the value of the control too."""
    for one in places:
        for quantity, found in one.by_quantity.items():
            if one.study.name in RANKED or quantity not in (BETTER, FOUND, TRUE):
                yield f"{one.study.name}: {quantity}", found


def _bent(shown: Sequence[tuple[str, Array]]) -> str:
    title = "### Places that are not evenly spread"
    limit = ALARM / len(shown)
    said = [f"* {name}, p {p:.2g}" for name, found in shown if (p := evenly_spread(found)) < limit]
    if not said:
        return f"{title}\n\nNone of {len(shown)}: no p is below {limit:.4f}, {ALARM} shared out among them."
    return f"{title}\n\n" + "\n".join(said)


def _held(places: Array) -> list[str]:
    """How often the interval between two quantiles of the draws held the truth, by level."""
    return [_share(np.abs(places - 0.5) <= level / 2) for level in LEVELS]


def _share(hits: NDArray[np.bool_]) -> str:
    share = float(np.mean(hits))
    error = max(sqrt(share * (1 - share) / len(hits)), 1 / len(hits))
    return f"{share * 100:.1f} ± {error * 100:.1f}"


def _mean(values: Array) -> str:
    return f"{values.mean():.2f} ± {values.std(ddof=1) / sqrt(len(values)):.2f}"
