"""From one value a customer to the moments of each cell (arm × group): all that leaves the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ibis

from workbench.engines import Engine, fetch
from workbench.moments import Moments


@dataclass(frozen=True)
class Cell:
    """Sufficient statistics of some customers; cells add up.

    Attributes:
        all: Moments of the value over all customers.
        positive: Moments over those with a value above zero (the buyers).
        fractions: Customers whose value is neither 0 nor 1; none means that the metric is binary.
        missing: Customers without a value, who are not in `all`.
    """

    all: Moments = field(default_factory=Moments.empty)
    positive: Moments = field(default_factory=Moments.empty)
    fractions: int = 0
    missing: int = 0

    def __add__(self, other: Cell) -> Cell:
        return Cell(
            self.all + other.all,
            self.positive + other.positive,
            self.fractions + other.fractions,
            self.missing + other.missing,
        )


def fetch_cells(engine: Engine, units: Any, keys: list[str]) -> dict[tuple[str, ...], Cell]:
    """Moments of `units.value` for each combination of `keys`, in the order of the keys.

    Engines compute mean and variance in one stable pass each, so no digits are lost to large means.
    """
    value = units.value
    positive = value > 0
    rows = fetch(
        engine,
        units.group_by(keys).aggregate(
            n_=value.count(),
            mean_=value.mean(),
            variance_=value.var(how="pop"),
            positive_n=ibis.ifelse(positive, 1, 0).sum(),
            positive_mean=value.mean(where=positive),
            positive_variance=value.var(how="pop", where=positive),
            fractions_=ibis.ifelse((value != 0) & (value != 1), 1, 0).sum(),
            missing_=value.isnull().ifelse(1, 0).sum(),
        ),
    )
    cells = {
        tuple(str(row[key]) for key in keys): Cell(
            _moments(row["n_"], row["mean_"], row["variance_"]),
            _moments(row["positive_n"], row["positive_mean"], row["positive_variance"]),
            int(row["fractions_"] or 0),
            int(row["missing_"] or 0),
        )
        for row in rows
    }
    return dict(sorted(cells.items()))


def _moments(n: int | None, mean: float | None, variance: float | None) -> Moments:
    if not n:
        return Moments.empty()
    return Moments(int(n), float(mean or 0.0), float(variance or 0.0) * int(n))
