"""Scores of single customers, for any number of them: written to a file batch by batch.

The posterior comes from compressed histories, as for a lifetime value. Each history that occurs (repeat
purchases, days to the last one, days observed) is scored once; customers are then read in batches, looked up,
and written. What a customer spent enters through a line for each number of purchases
(`models.foretelling.SpendLines`), so nothing of the size draws × customers is ever held.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet

from workbench.analyses import histories as reading
from workbench.engines import stream
from workbench.errors import Cancelled, WorkbenchError, check_between
from workbench.locale import say
from workbench.metrics.cells import ask
from workbench.metrics.purchases import HISTORY, WEEK_DAYS, distinct
from workbench.models import purchases, spend
from workbench.models.foretelling import Histories, Outlook, SpendLines, outlook
from workbench.models.importance import independent_seeds
from workbench.records import ValueSettings
from workbench.storage import replacing

if TYPE_CHECKING:
    from workbench.project import Project

SUFFIXES = (".parquet", ".csv")
_DRAWS = 1000
_WORK = 2e7  # draws × rows that are scored; many rows have a narrow posterior, which few draws describe
_FEWEST_DRAWS = 50
_MOST_DRAWS = 200

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Scores:
    """What was written.

    Attributes:
        path: The file.
        customers: How many rows it has.
        until: The day from which everything is foretold.
        model: The model of purchases.
        khat: Of the posterior.
        alive: Mean probability to buy again.
        purchases: Expected purchases of all customers together, within the horizon.
        value: What they are expected to bring, discounted, times the margin.
    """

    path: Path
    customers: int
    until: date
    model: str
    khat: float
    alive: float
    purchases: float
    value: float


def write_scores(
    project: Project,
    path: str | Path,
    *,
    model: Literal["bg-nbd", "mbg-nbd", "pareto-nbd"] = "mbg-nbd",
    horizon_weeks: float = 52,
    discount_per_year: float = 0.1,
    margin: float = 1.0,
    quiet_weeks: float = 13,
    until: date | None = None,
    seed: int = 1,
    progress: Progress | None = None,
    cancel: Event | None = None,
) -> Scores:
    """Score every customer who bought, and write one row for each to a Parquet or CSV file.

    Columns: `customer_id` (the pseudonym), `orders` (days with one), `days_since` (the last one), `alive`
    (the probability to buy ever again), `purchases` (expected within the horizon), `no_purchase` (the
    probability of none within `quiet_weeks`), `value` (expected discounted margin within the horizon) and
    `value_sd` (what is not known of it, since the parameters are not).

    Args:
        project: Where the orders are.
        path: The file; one that is there is replaced.
        model: Of the purchases; BG/NBD is certain that who bought once will buy again.
        horizon_weeks: How far ahead.
        discount_per_year: A purchase a year from now is worth 1/(1 + discount) of one today.
        margin: Share of what is spent that is kept.
        quiet_weeks: For `no_purchase`.
        until: Last day that is used; None for all.
        seed: Of the draws.
        progress: Told the share that is done.
        cancel: Stops the writing once it is set; the file is then as it was.

    Raises:
        DataError: without orders.
        ModelError: when nobody came back, or a posterior fails its own diagnostics.
        WorkbenchError: when the file is of another kind, or a setting out of its range.
        Cancelled, ProjectError: when `cancel` was set; when the file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        raise WorkbenchError(
            "Scores are written as Parquet or CSV, so “{file}” has to end in .parquet or .csv.",
            file=target.name,
        )
    check_between(horizon_weeks, 1, 2000, say("horizon in weeks"))
    check_between(discount_per_year, 0, 10, say("discount per year"))
    check_between(margin, 0, 1, say("margin"), open_low=True)
    check_between(quiet_weeks, 0, 520, say("weeks without a purchase"), open_low=True)
    asked = ValueSettings(model=model, until=until)
    found = reading.read(project, asked)
    one, other = independent_seeds(seed, 2)
    bought = purchases.posterior(found.everybody, model, _DRAWS, one)
    spent = spend.posterior(found.all_spend, _DRAWS, other)
    each = reading.everyone(project, asked)
    rows = ask(project.engine, distinct(each), HISTORY)
    keys = _Keys(rows)
    draws = int(np.clip(_WORK / max(1, rows.num_rows), _FEWEST_DRAWS, _MOST_DRAWS))
    scored = outlook(bought.thin(draws), keys.histories, horizon_weeks, quiet_weeks, discount_per_year)
    lines = SpendLines.of(spent, int(rows["x"].to_numpy().max()))
    total = int(np.sum(rows["n"].to_numpy()))
    project.people.access.add("export", file=target.name, page="scores")
    sums = np.zeros(3)
    done = 0
    about = {
        "model": model,
        "horizon_weeks": horizon_weeks,
        "discount_per_year": discount_per_year,
        "margin": margin,
        "quiet_weeks": quiet_weeks,
        "until": found.until.isoformat(),
    }
    with replacing(target) as temporary, _writer(temporary, target.suffix.lower(), about) as write:
        for some in stream(project.engine, each):
            if cancel is not None and cancel.is_set():
                raise Cancelled("Stopped; no scores were written.")
            table = _scored(some, keys, scored, lines, margin)
            write(table)
            sums += [float(np.sum(table[name].to_numpy())) for name in ("alive", "purchases", "value")]
            done += table.num_rows
            if progress is not None:
                progress(done / total)
    return Scores(
        path=target,
        customers=done,
        until=found.until,
        model=model,
        khat=max(bought.checks["khat"], spent.checks["khat"]),
        alive=float(sums[0] / done),
        purchases=float(sums[1]),
        value=float(sums[2]),
    )


class _Keys:
    """Histories by the days that tell them apart."""

    def __init__(self, rows: pa.Table) -> None:
        self._width = 1 + int(max(_whole(rows, name).max() for name in HISTORY))
        known = self._number(rows)
        order = np.argsort(known)
        self._known = known[order]
        x, recency, tenure = (_whole(rows, name)[order].astype(float) for name in HISTORY)
        self.histories = Histories(x, recency / WEEK_DAYS, tenure / WEEK_DAYS)

    def places(self, rows: pa.Table) -> NDArray[np.intp]:
        """The row of `histories` of each customer."""
        return np.searchsorted(self._known, self._number(rows))

    def _number(self, rows: pa.Table) -> NDArray[np.int64]:
        x, recency, tenure = (_whole(rows, name) for name in HISTORY)
        return (x * self._width + recency) * self._width + tenure


def _whole(rows: pa.Table, name: str) -> NDArray[np.int64]:
    return rows[name].to_numpy().astype(np.int64)


def _scored(rows: pa.Table, keys: _Keys, scored: Outlook, lines: SpendLines, margin: float) -> pa.Table:
    """The rows of the file for some customers."""
    at, x = keys.places(rows), _whole(rows, "x")
    mean, square = lines.at(x, np.maximum(rows["s"].to_numpy(), 0.0))
    value = scored.discounted[at] * mean
    variance = scored.discounted_square[at] * square - value**2
    return pa.table(
        {
            "customer_id": rows["customer_id"],
            "orders": x + 1,
            "days_since": _whole(rows, "tenure_days") - _whole(rows, "recency_days"),
            "alive": scored.alive[at],
            "purchases": scored.purchases[at],
            "no_purchase": scored.quiet[at],
            "value": margin * value,
            "value_sd": margin * np.sqrt(np.maximum(variance, 0.0)),
        }
    )


@contextmanager
def _writer(path: Path, suffix: str, about: Mapping[str, object]) -> Iterator[Callable[[pa.Table], None]]:
    """Writes tables one after the other into one file; `about` goes into a Parquet file's own notes."""
    writer: Any = None
    try:

        def write(rows: pa.Table) -> None:
            nonlocal writer
            if writer is None and suffix == ".csv":
                writer = csv.CSVWriter(path, rows.schema)
            elif writer is None:
                note = {b"workbench": json.dumps(about).encode()}
                writer = parquet.ParquetWriter(path, rows.schema.with_metadata(note), compression="zstd")
            writer.write_table(rows)

        yield write
    finally:
        if writer is not None:
            writer.close()
