"""What is asked of the workbench about lifetime value: `python -m tools.bench.lifetime_asked QUESTION PLACE`.

Each question is asked in a process of its own, which prints a line of JSON. Its seconds are without loading
libraries, which those of the process include.

    psis, nuts          posterior of customers in a file, by importance sampling and by PyMC's sampler
    difference          from a project's Parquet files to the posterior difference of value between two arms
    record              the whole answer to that, with all checks and the period that was held back
    confirm             everybody's posterior by PyMC's sampler
    scores              a row for every customer
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import ibis.backends.sql.compilers
import numpy as np
import pyarrow.dataset

from tools.bench.lifetime_data import ARMS
from workbench import Project
from workbench.analyses import value
from workbench.models import lifetime_value, nuts, purchases, spend
from workbench.models.importance import independent_seeds
from workbench.models.purchases import PurchaseDraws, PurchaseRows
from workbench.records import ValueSettings

MODEL: Literal["bg-nbd"] = "bg-nbd"
DRAWS = 4000
LOADED = (ibis.backends.sql.compilers, pyarrow.dataset)
"""What a first question would load."""
type Said = dict[str, object]


class _Watch:
    """Seconds since it was made, on the wall and of CPU."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self, name: str = "") -> dict[str, float]:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return {f"{name}wall": wall, f"{name}cpu": cpu}


def _rows(place: str) -> PurchaseRows:
    histories = np.loadtxt(place, delimiter=",", skiprows=1)[:, 1:]
    unique, n = np.unique(histories, axis=0, return_counts=True)
    x, t_x, T = unique.T
    return PurchaseRows(x, t_x, T, n.astype(float))


def _posterior(draws: PurchaseDraws) -> Said:
    means = {name: float(values.mean()) for name, values in draws.parameters.items()}
    return {"ess": draws.checks["ess"], "khat": draws.checks.get("khat"), "means": means}


def psis(place: str) -> Said:
    """Effective draws are those of the weighted proposals."""
    rows, watch = _rows(place), _Watch()
    draws = purchases.posterior(rows, MODEL, DRAWS, 1)
    return {**watch.read(), **_posterior(draws)}


def sampled(place: str) -> Said:
    """Compiled and sampled, then sampled again, which is all that later questions cost."""
    return _twice(_rows(place))


def _twice(rows: PurchaseRows) -> Said:
    watch = _Watch()
    nuts.purchase_posterior(rows, MODEL, DRAWS, 1)
    first, watch = watch.read("first_"), _Watch()
    draws = nuts.purchase_posterior(rows, MODEL, DRAWS, 2)
    return {**first, **watch.read(), **_posterior(draws)}


def difference(place: str) -> Said:
    """Histories of both arms, their posteriors, and a year's discounted value."""
    watch = _Watch()
    found = value.read(Project.open(place), ValueSettings(by="home", model=MODEL))
    read = watch.read("query_")
    worth, khats = [], []
    for arm, seed in zip(ARMS, independent_seeds(1, len(ARMS)), strict=True):
        one, other = independent_seeds(seed, 2)
        bought = purchases.posterior(found.purchases[arm], MODEL, value.FEWER_DRAWS, one)
        spent = spend.posterior(found.spend[arm], value.FEWER_DRAWS, other)
        khats += [bought.checks["khat"], spent.checks["khat"]]
        worth.append(lifetime_value.value_per_customer(bought, spent, 52, 0.1))
    gap = lifetime_value.difference(worth[1], worth[0])
    return {
        **watch.read(),
        **read,
        "rows": sum(len(rows.x) for rows in found.purchases.values()),
        "khat": max(khats),
        "difference": [gap.mean, gap.low, gap.high],
    }


def record(place: str) -> Said:
    """As a page asks for it."""
    watch = _Watch()
    answer = Project.open(place).lifetime_value(keep=False, by="home", model=MODEL)
    return {**watch.read(), "checks": len(answer.checks)}


def confirm(place: str) -> Said:
    """The compilation is in the first time."""
    return _twice(value.read(Project.open(place), ValueSettings(model=MODEL)).everybody)


def scores(place: str) -> Said:
    """Written to a Parquet file."""
    watch = _Watch()
    with tempfile.TemporaryDirectory() as folder:
        written = Project.open(place).scores(Path(folder) / "scores.parquet", model=MODEL)
    return {**watch.read(), "customers": written.customers}


QUESTIONS: dict[str, Callable[[str], Said]] = {
    "psis": psis,
    "nuts": sampled,
    "difference": difference,
    "record": record,
    "confirm": confirm,
    "scores": scores,
}

if __name__ == "__main__":
    print(json.dumps(QUESTIONS[sys.argv[1]](sys.argv[2])))
