"""Cells over time: one question to the engine that answers for every metric, group and window at once.

Time since a customer's first exposure is cut into steps. Of each customer we know `observed`, the whole steps
until the end of the data, and for each step with an action the sum S of their actions so far. For a window of
w steps, the sum of f(S) over the customers who were observed for all of it is

    sum of f(S after step d) − f(S before step d)   over steps d < w of customers with observed ≥ w,

for f(S) = S, S², [S > 0], … So the engine gives these differences, summed by arm, group, observed and step,
and every window is a sum of them. Of sixteen digits squares lose as many as mean²/variance has.

A row of the answer is about customers (`name` is null and `n` counts them) or about what they did (`name` is
that of the action). `arm` is null for those who were in several; they are in no cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from workbench.clock import DAY
from workbench.engines import whole_seconds
from workbench.engines.duckdb import added
from workbench.metrics.cells import Cell
from workbench.moments import Moments
from workbench.segments import zero

KEYS = ("attribute", "group", "arm", "observed", "name", "step")
EVERYBODY = ""
"""The attribute that has everybody in one group, for when there are no others."""
_OTHERS = ""  # the name of all actions that are not asked for
_NOTHING = 1e-9  # what 0.1 + 0.2 − 0.3 leaves is no gain
_SUMS = ("total", "squares", "positive_n", "positive_total", "positive_squares")


@dataclass(frozen=True)
class Grid:
    """Steps of `days` days, `steps` of them.

    >>> Grid.of(14), Grid.of(42), Grid.of(90), Grid.of(45)
    (Grid(days=1, steps=30), Grid(days=7, steps=26), Grid(days=30, steps=24), Grid(days=45, steps=1))
    """

    days: int
    steps: int

    @classmethod
    def of(cls, window_days: int) -> Grid:
        """Days, weeks or months, whichever the window is made of; else the window itself."""
        for grid in (cls(1, 30), cls(7, 26), cls(30, 24)):
            if not window_days % grid.days and window_days // grid.days <= grid.steps:
                return grid
        return cls(window_days, 1)


def over_time(
    people: Any,
    actions: Any,
    *,
    names: Sequence[str],
    groups: Mapping[str, str],
    grid: Grid,
    exposed: tuple[int, int],
    until: int,
    falls: bool,
) -> Any:
    """The rows that `OverTime` reads; over disjoint sets of customers they add up by `KEYS`.

    Args:
        people: Rows of `customer_id`, `arm`, `first`, `as_of` and the columns of `groups`: text, never null.
        actions: Rows of `customer_id`, `ts` and either `name` and `x`, or a column of x for each name.
        names: Those of the actions that are answered for.
        groups: Attribute → its column in `people`; without any, everybody is one group.
        grid: The steps.
        exposed: First and last exposure, in seconds since 1970.
        until: The end of the data, in seconds since 1970.
        falls: Whether x may be below nothing, so that a sum falls again; counts need fewer sums.
    """
    step = grid.days * DAY
    people = people.mutate(observed=ibis.least((until - people.as_of) // step, grid.steps))
    # customers who are alike in all groups get one number, which is cheaper on the way than texts
    alike = ["arm", "observed", *groups.values()]
    kinds = people.group_by(alike).aggregate(n=people.count().cast("float64"))
    kinds = kinds.mutate(kind=ibis.row_number().over(order_by=alike))
    # Hints for planners: what is computed of a left join is not put off until after the next (whoever was in
    # several arms finds no kind); what was filtered is taken to be few rows, which are hashed instead of
    # all the people.
    placed = people.left_join(kinds.filter(kinds.n > 0), alike)
    placed = placed.select("customer_id", "first", "as_of", "observed", "kind")
    placed = placed.select(
        "customer_id",
        "first",
        # the end of their time, as a time, since it is held against each action
        until=placed["first"].truncate("s") + (placed.observed * step).as_interval("s"),
        # what seconds since 1970 lack to `place`, which is kind and step in one
        lacking=placed.kind * (grid.steps * step) - placed.as_of,
    )
    # said again below, for each customer; here it spares the engine many rows before anything is joined
    begin, end = exposed[0] - 1, exposed[1] + grid.steps * step
    actions = actions.filter(actions.ts >= _moment(actions, begin), actions.ts <= _moment(actions, end))
    if "name" in actions.columns and len(names) == 1:
        actions = actions.filter(actions.name == names[0])
    joined = placed.inner_join(actions, "customer_id")
    # one condition, which is looked at after the join: two would become part of it, at twice the price
    joined = joined.filter(ibis.ifelse(joined.ts >= joined.first, joined.ts < joined.until, False))
    place = (whole_seconds(joined.ts) + joined.lacking) // step
    differences = _differences(_by_step(joined, names, place), falls)
    differences = differences.mutate(
        kind=differences.place // grid.steps, step=differences.place % grid.steps
    )
    sums = [name for name in _SUMS if name in differences.columns]
    labels = _labels(kinds, groups)
    cell = ["attribute", "group", "arm", "observed"]
    labels = labels.mutate(cell=ibis.dense_rank().over(order_by=cell))
    cells = labels.group_by([*cell, "cell"]).aggregate(n=labels.n.sum())
    done = labels.select("kind", "cell").inner_join(differences, "kind")
    done = done.group_by(["cell", "number", "step"]).aggregate(**{name: done[name].sum() for name in sums})
    done = cells.drop("n").inner_join(done, "cell")
    done = done.mutate(name=done.number.cases(*enumerate(names), else_=_OTHERS), n=zero())
    nothing = {"name": ibis.null("string"), "step": ibis.literal(0, "int64"), **dict.fromkeys(sums, zero())}
    return ibis.union(
        cells.select(*cell, **nothing, n=cells.n),
        done.select(*cell, "name", "step", *sums, "n"),
    )


def _by_step(joined: Any, names: Sequence[str], place: Any) -> Any:
    """What each customer did in each step: `customer_id`, `place`, `number` of the name, `x`.

    Numbers are cheaper on the way than texts; those of other names are none, or below nothing.
    """
    if "name" in joined.columns:
        known = ibis.array(list(names)).index(joined.name) if len(names) > 1 else ibis.literal(0, "int64")
        joined = joined.mutate(number=known, place=place)
        return joined.group_by("customer_id", "number", "place").aggregate(x=joined.x.sum())
    each = joined.group_by("customer_id", place=place).aggregate(
        **{name: joined[name].sum() for name in names}
    )
    of = ("customer_id", "place")
    numbered = enumerate(names)
    return ibis.union(
        *(each.select(*of, number=ibis.literal(number, "int64"), x=each[name]) for number, name in numbered)
    )


def _differences(each: Any, falls: bool) -> Any:
    """By how much a step changed the sums over the customers of a kind."""
    by = {"group_by": ["customer_id", "number"], "order_by": "place"}  # a customer has one kind
    after = each.x.sum().over(ibis.window(**by, preceding=None, following=0))
    if falls:  # a second sum, since one step less is not the same in floating point
        before = ibis.coalesce(each.x.sum().over(ibis.window(**by, preceding=(None, 1))), zero())
        each = each.mutate(after=after, before=before)
    else:
        each = each.mutate(after=after)
        each = each.mutate(before=each.after - each.x)
    before, after = each.before, each.after
    has_before, has_after = before > _NOTHING, after > _NOTHING
    sums = {
        "total": each.x,
        "squares": each.x * (after + before),  # b² − a² as a product: the squares may be large
        "positive_n": _one_if(has_after) - _one_if(has_before),
    }
    if falls:
        gain_before, gain_after = (
            ibis.ifelse(has_before, before, zero()),
            ibis.ifelse(has_after, after, zero()),
        )
        sums["positive_total"] = gain_after - gain_before
        sums["positive_squares"] = (gain_after - gain_before) * (gain_after + gain_before)
    return each.group_by(["place", "number"]).aggregate(**{name: value.sum() for name, value in sums.items()})


def _labels(kinds: Any, groups: Mapping[str, str]) -> Any:
    """Each kind once for each attribute, with its group."""
    of = ("kind", "arm", "observed", "n")
    group = {name: kinds[column] for name, column in groups.items()} or {EVERYBODY: ibis.literal(EVERYBODY)}
    labels = [kinds.select(*of, attribute=ibis.literal(name), group=value) for name, value in group.items()]
    return ibis.union(*labels)


def _one_if(condition: Any) -> Any:
    return ibis.ifelse(condition, ibis.literal(1, "int8").cast("float64"), zero())


def _moment(actions: Any, seconds: int) -> Any:
    return ibis.literal(datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None), actions.ts.type())


class OverTime:
    """The answer, read for one attribute, action and window after the other."""

    def __init__(self, rows: pa.Table, grid: Grid) -> None:
        self._rows = rows
        self._grid = grid

    def assigned(self, attribute: str) -> dict[str | None, int]:
        """Customers put into each arm, and under None those who were in several."""
        found = self._sums(attribute, pc.field("name").is_null(), ["arm"])
        return {row["arm"]: round(row["n"]) for row in found}

    def cells(
        self, attribute: str, name: str, window_days: int, *, share: bool
    ) -> dict[tuple[str, str], Cell]:
        """Cells by arm and group for a window.

        Args:
            attribute: One of the groups that were asked for, or `EVERYBODY`.
            name: Of the action.
            window_days: A number of days that the grid has.
            share: Whether a customer's value is 1 for any such action, rather than the sum of them.
        """
        steps = window_days // self._grid.days
        observed = pc.field("arm").is_valid() & (pc.field("observed") >= steps)
        about = pc.field("name").is_null() | ((pc.field("name") == name) & (pc.field("step") < steps))
        found = self._sums(attribute, observed & about, ["arm", "group"])
        return {(row["arm"], row["group"]): _share(row) if share else _sum(row) for row in found}

    def _sums(self, attribute: str, condition: Any, by: list[str]) -> list[dict[str, Any]]:
        rows = self._rows.filter((pc.field("attribute") == attribute) & condition)
        sums = [name for name in ("n", *_SUMS) if name in rows.column_names]
        found = added(rows.select([*by, *sums]), by)
        return found.sort_by([(name, "ascending") for name in by]).to_pylist()


def _share(row: dict[str, Any]) -> Cell:
    n, some = round(row["n"]), round(row["positive_n"])
    return Cell(Moments.of_binary(some, n), Moments.of_binary(some, some))


def _sum(row: dict[str, Any]) -> Cell:
    positive = round(row["positive_n"])
    everybody = row["total"], row["squares"]
    gains = (row["positive_total"], row["positive_squares"]) if "positive_total" in row else everybody
    return Cell(
        Moments.of_sums(round(row["n"]), *everybody),
        Moments.of_sums(positive, *gains) if positive else Moments.empty(),
    )
