"""The moments of each cell (arm × group): all that leaves the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import ibis
import pyarrow as pa

from workbench.engines import Engine
from workbench.engines.duckdb import in_order
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


def ask(engine: Engine, sums: Any, keys: Sequence[str] = ()) -> pa.Table:
    """The answer to an expression that holds no customers, only sums over them.

    Args:
        engine: One with a method `answer` may remember the answer.
        sums: The expression.
        keys: With them, its rows are sums over customers by these columns, and may be added up from disjoint
            sets of customers; they come in the order of these columns.
    """
    sql = _compiled(sums.op(), engine.dialect)
    answer = getattr(engine, "answer", None)
    return in_order(engine.query(sql), keys) if answer is None else answer(sql, keys)


@lru_cache(maxsize=256)
def _compiled(expression: Any, dialect: str) -> str:
    """SQL of an operation; the same questions are asked again and again."""
    return str(ibis.to_sql(expression.to_expr(), dialect=dialect))


def fetch_cells(engine: Engine, units: Any, keys: list[str]) -> dict[tuple[str, ...], Cell]:
    """Moments of `units.value` for each combination of `keys`, in the order of the keys.

    Engines compute mean and variance in one stable pass each, so no digits are lost to large means.
    """
    value = units.value
    positive = value > 0
    rows = ask(
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
    ).to_pylist()
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
