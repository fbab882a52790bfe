"""Customers who buy as BG/NBD says, with CDNOW's parameters: histories for one model, tables for a project.

    python -m tools.bench.lifetime_data PROJECT CUSTOMERS

Acquired evenly over 40 of 52 weeks. In the tables half of them had an experience that changes the log of how
often they buy by 0.095 and the log odds of leaving by -0.163. Made a million customers at a time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet
from scipy.special import expit, logit

from tools.bench.data import write_manifest

type Array = NDArray[np.float64]

R, ALPHA, A, B = 0.243, 4.414, 0.793, 2.426  # Fader, Hardie & Lee (2005)
MORE_OFTEN, LEAVE_LESS = 0.095, -0.163
ARMS = ("control", "personal")
_WEEK, _WEEKS = 7, 52
_START = np.datetime64("2025-01-01", "us")
_DAY_US = 86_400_000_000
_CHUNK = 1_000_000
_ROWS_A_GROUP = 122_880  # as the store writes them: what one thread reads at a time


def days_of_purchase(
    customers: int, treated: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.int64], Array]:
    """Who bought and on which day since the start, the first purchase first; (purchases,) each."""
    watched = rng.uniform(12 * _WEEK, _WEEKS * _WEEK, customers)
    rate = rng.gamma(R, 1 / (ALPHA * _WEEK), customers) * np.exp(MORE_OFTEN * treated)
    leaving = expit(logit(A / (A + B)) + LEAVE_LESS * treated)
    dropout = np.maximum(rng.beta(leaving * (A + B), (1 - leaving) * (A + B)), 1e-9)
    possible = rng.poisson(rate * watched)
    # The first so many of the purchases that were possible, which lie evenly over the time watched.
    kept = np.minimum(possible, rng.geometric(dropout))
    who = np.repeat(np.arange(customers), possible)
    times = rng.random(len(who))
    order = np.lexsort([times, who])
    place = np.arange(len(who)) - np.repeat(np.cumsum(possible) - possible, possible)
    chosen = order[place < kept[who]]
    day = (_WEEKS * _WEEK - watched)[who[chosen]] + times[chosen] * watched[who[chosen]]
    buyers = np.concatenate([np.arange(customers), who[chosen]])
    days = np.concatenate([_WEEKS * _WEEK - watched, day])
    order = np.lexsort([days, buyers])
    return buyers[order], days[order]


def histories(customers: int, seed: int) -> Array:
    """x, t_x and T in weeks of each, counted in days, shape (customers, 3)."""
    rng = np.random.default_rng(seed)
    bought = days_of_purchase(customers, np.zeros(customers, dtype=bool), rng)
    buyers, days = np.unique(np.column_stack(bought).astype(int), axis=0).T
    x = np.bincount(buyers) - 1
    ends = np.cumsum(x + 1)
    first, last = days[ends - x - 1], days[ends - 1]
    return np.column_stack([x, (last - first) / _WEEK, (_WEEKS * _WEEK - first) / _WEEK])


def make(folder: Path, customers: int) -> None:
    """Orders and exposures of a project, in parts of a million customers."""
    folder.mkdir(parents=True, exist_ok=True)
    parts: dict[str, list[Path]] = {"orders": [], "exposures": []}
    for begin in range(0, customers, _CHUNK):
        rng = np.random.default_rng(begin)
        count = min(_CHUNK, customers - begin)
        treated = rng.random(count) < 0.5
        buyers, days = days_of_purchase(count, treated, rng)
        at = _START + (days * _DAY_US).astype("timedelta64[us]")
        spent = rng.gamma(6.25, 1, len(buyers)) / rng.gamma(3.74, 1 / 15.44, count)[buyers]
        number = begin * 1000 + np.arange(len(buyers))
        orders = pa.table(
            {
                "order_id": pa.array(number).cast(pa.string()),
                "customer_id": begin + buyers,
                "ts": at,
                "revenue": np.round(np.maximum(spent, 0.01), 2),
            }
        )
        firsts = np.concatenate([[True], np.diff(buyers) > 0])
        exposures = pa.table(
            {
                "customer_id": begin + np.arange(count),
                "experience_id": pa.array(["home"] * count),
                "variant": pa.array(np.where(treated, ARMS[1], ARMS[0])),
                "ts": at[firsts] - np.timedelta64(60, "s"),
                "assignment": pa.array(["random"] * count),
                "p_assign": np.full(count, 0.5),
            }
        )
        for name, table in (("orders", orders), ("exposures", exposures)):
            place = folder / f"{name}-{len(parts[name]):02d}.parquet"
            parquet.write_table(table, place, _ROWS_A_GROUP, version="2.6", compression="zstd")
            parts[name].append(place)
    write_manifest(folder, parts)


if __name__ == "__main__":
    make(Path(sys.argv[1]) / "tables", int(sys.argv[2]))
    print(json.dumps({"customers": int(sys.argv[2])}))
