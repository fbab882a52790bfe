"""Scores of single customers, for any number of them: written to a file or a table batch by batch.

The posterior comes from compressed histories, as for a lifetime value. Each history that occurs (repeat
purchases, days to the last one, days observed) is scored once; customers are then read in batches, looked up,
and written. What a customer spent enters through a line for each number of purchases
(`models.foretelling.SpendLines`), so nothing of the size draws × customers is ever held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.analyses import histories as reading
from workbench.analyses.score_places import place_of
from workbench.engines import stream
from workbench.errors import Cancelled, check_between
from workbench.locale import say
from workbench.metrics.cells import ask
from workbench.metrics.purchases import HISTORY, WEEK_DAYS, distinct
from workbench.models import purchases, spend
from workbench.models.foretelling import Histories, Outlook, SpendLines, outlook
from workbench.models.importance import independent_seeds
from workbench.records import ValueSettings

if TYPE_CHECKING:
    from workbench.project import Project

_DRAWS = 1000
_WORK = 2e7  # draws × rows that are scored; many rows have a narrow posterior, which few draws describe
_FEWEST_DRAWS = 50
_MOST_DRAWS = 200

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Scores:
    """What was written.

    Attributes:
        place: The file or the table.
        customers: How many rows it has.
        until: The day from which everything is foretold.
        model: The model of purchases.
        khat: Of the posterior.
        alive: Mean probability to buy again.
        purchases: Expected purchases of all customers together, within the horizon.
        value: What they are expected to bring, discounted, times the margin.
    """

    place: str
    customers: int
    until: date
    model: str
    khat: float
    alive: float
    purchases: float
    value: float


def write_scores(
    project: Project,
    path: str | Path | None = None,
    *,
    table: str | None = None,
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
    """Score every customer who bought, and write one row for each to a Parquet or CSV file, or a table.

    Columns: `customer_id` (the pseudonym), `orders` (days with one), `days_since` (the last one), `alive`
    (the probability to buy ever again), `purchases` (expected within the horizon), `no_purchase` (the
    probability of none within `quiet_weeks`), `value` (expected discounted margin within the horizon) and
    `value_sd` (what is not known of it, since the parameters are not).

    Args:
        project: Where the orders are.
        path: The file; one that is there is replaced.
        table: Instead of a file, a table of the project, or of the database it points at, there perhaps with
            its schema. One of scores that is there is replaced at once, for all who read it; no other is.
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
        DataError: without orders, or when the table is somebody else's or may not be written.
        ModelError: when nobody came back, or a posterior fails its own diagnostics.
        WorkbenchError: when the file is of another kind, the table cannot have that name, or a setting is out
            of its range.
        Cancelled, ProjectError: when `cancel` was set; when the file cannot be written.
    """
    put = place_of(project, path, table)
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
    where = {"table": table} if table else {"file": Path(path or "").name}
    project.people.access.add("export", **where, page="scores")
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

    def rows_of_customers() -> Iterator[pa.Table]:
        nonlocal sums, done
        for some in stream(project.engine, each):
            if cancel is not None and cancel.is_set():
                raise Cancelled("Stopped; no scores were written.")
            rows = _scored(some, keys, scored, lines, margin)
            yield rows
            sums += [float(np.sum(rows[name].to_numpy())) for name in ("alive", "purchases", "value")]
            done += rows.num_rows
            if progress is not None:
                progress(done / total)

    put(rows_of_customers(), about)
    return Scores(
        place=table or str(path),
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
