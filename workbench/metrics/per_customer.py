"""What each customer did around their first exposure, in numbers that are looked at together.

    value      the metric, in the days of its window
    a second   what it is divided by in the same days (a ratio), what the customer had done before
               (a covariate), or whether the treatment was delivered

The cells over time (`over_time`) give every window of one metric at once, but no two numbers of one customer.
Here one window is asked for, and the sums of products leave the engine as well; over disjoint sets of
customers they add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from workbench.clock import DAY
from workbench.engines import Engine, whole_seconds
from workbench.engines.duckdb import added
from workbench.metrics.actions import Timed
from workbench.metrics.cells import ask
from workbench.moments import CrossMoments, Histogram, WeightedMoments, WeightedSums
from workbench.segments import zero

VALUE = "value"
MOST_VALUES = 20_000
"""So many different values are kept one by one; more are put into bins."""
BINS_PER_DOUBLING = 64
"""A bin is 1.1 % wide, so the spread inside it is a third of a per cent of the value."""
_NOTHING = 1e-9  # what 0.1 + 0.2 − 0.3 leaves is no gain


@dataclass(frozen=True)
class Asked:
    """A number of each customer: an action, and from which day to which it counts.

    Attributes:
        days: From and to, counted from the first exposure, which belongs to what comes after it; negative
            days are before.
    """

    action: Timed
    days: tuple[int, int]


def values(people: Any, done: Mapping[str, Any], asked: Mapping[str, Asked]) -> Any:
    """`people` with a column of float64 for each number asked for; 0 where nothing was done.

    Args:
        people: Rows of `customer_id`, `first`, `as_of`; further columns are kept.
        done: Table → its actions, as `metrics.actions.actions` gives them.
        asked: Column → what is asked.
    """
    for name, rows in done.items():
        columns = {column: one for column, one in asked.items() if one.action.table == name}
        if not columns:
            continue
        joined = people.select("customer_id", "first", "as_of").inner_join(rows, "customer_id")
        joined = joined.mutate(since=whole_seconds(joined.ts) - joined.as_of)
        low, high = (
            edge(one.days[end] for one in columns.values()) * DAY for end, edge in ((0, min), (1, max))
        )
        joined = joined.filter(joined.since >= low - 1, joined.since < high)
        sums = {column: _sum(joined, one) for column, one in columns.items()}
        each = joined.group_by("customer_id").aggregate(**sums)
        people = people.left_join(each, "customer_id").drop("customer_id_right")
        filled = {column: ibis.coalesce(people[column], zero()) for column in columns}
        people = people.mutate(**{column: _as_share(filled[column], columns[column]) for column in columns})
    return people


def _sum(joined: Any, one: Asked) -> Any:
    begin, end = one.days
    inside = joined.since < end * DAY
    # the moment of the first exposure parts before and after, to the part of a second
    inside &= (joined.since >= begin * DAY) & (
        joined.ts >= joined.first if begin >= 0 else joined.ts < joined.first
    )
    if one.action.name in joined.columns:
        return ibis.ifelse(inside, joined[one.action.name], zero()).sum()
    return ibis.ifelse(inside & (joined.name == one.action.name), joined.x, zero()).sum()


def _as_share(amount: Any, one: Asked) -> Any:
    if not one.action.at_least:
        return amount
    enough = amount > one.action.at_least - 1 + _NOTHING
    return ibis.ifelse(enough, ibis.literal(1, "int8"), ibis.literal(0, "int8")).cast("float64")


def mature(people: Any, until: int, days: int) -> Any:
    """Those in one arm whose whole window lies before the end of the data."""
    return people.filter(people.arm.notnull(), until - people.as_of >= days * DAY)


def with_week(people: Any, begin: int) -> Any:
    """With `week`: of the first exposure, counted from `begin` (seconds since 1970)."""
    return people.mutate(week=((people.as_of - begin) // (7 * DAY)).cast("int64"))


def cross(
    engine: Engine, people: Any, keys: Sequence[str], seconds: Sequence[str]
) -> dict[tuple[Any, ...], dict[str, CrossMoments]]:
    """For each combination of `keys` and each second number x: the moments of it and the value y.

    Args:
        people: Rows of the keys, `value`, and the columns of `seconds`.
    """
    y = people[VALUE]
    sums = {"n": people.count().cast("float64"), "y": y.sum(), "yy": (y * y).sum()}
    for name in seconds:
        x = people[name]
        sums |= {f"x_{name}": x.sum(), f"xx_{name}": (x * x).sum(), f"xy_{name}": (x * y).sum()}
    rows = ask(engine, people.group_by(list(keys)).aggregate(**sums), keys).to_pylist()
    found = {
        tuple(row[key] for key in keys): {
            name: CrossMoments.of_sums(
                round(row["n"]),
                *(
                    row[f"{part}_{name}"] if "x" in part else row[part]
                    for part in ("x", "y", "xx", "yy", "xy")
                ),
            )
            for name in seconds
        }
        for row in rows
    }
    return dict(sorted(found.items(), key=lambda item: tuple(map(str, item[0]))))


def weighted_cross(
    engine: Engine, people: Any, keys: Sequence[str], seconds: Sequence[str]
) -> dict[tuple[Any, ...], dict[str, CrossMoments]]:
    """The same where customers do not all count alike.

    Args:
        people: As for `cross`, with a column `weight` above zero.
    """
    y, w = people[VALUE], people.weight
    products = {"w": w, "ww": w * w, "wy": w * y, "wwy": w * w * y, "wwyy": w * w * y * y}
    for name in seconds:
        x = people[name]
        own = {"wx": w * x, "wwx": w * w * x, "wwxx": w * w * x * x, "wwxy": w * w * x * y}
        products |= {f"{part}_{name}": product for part, product in own.items()}
    sums = {name: product.sum() for name, product in products.items()}
    asked = people.group_by(list(keys)).aggregate(n=people.count().cast("float64"), **sums)
    rows = ask(engine, asked, keys).to_pylist()
    parts = [part for part in WeightedSums._fields if part != "n"]
    found: dict[tuple[Any, ...], dict[str, CrossMoments]] = {
        tuple(row[key] for key in keys): {
            name: WeightedMoments.of(
                WeightedSums(
                    round(row["n"]), *(row[f"{part}_{name}" if "x" in part else part] for part in parts)
                )
            )
            for name in seconds
        }
        for row in rows
    }
    return dict(sorted(found.items(), key=lambda item: tuple(map(str, item[0]))))


def histograms(engine: Engine, people: Any, keys: Sequence[str] = ()) -> dict[tuple[str, ...], Histogram]:
    """The distribution of `value` in each arm, under a key of one part, and in each of its groups.

    Args:
        people: Rows of `arm`, `value`, the keys, and `weight` where customers do not all count alike.
        keys: Columns by which arms are divided further.
    """
    value = people[VALUE]
    some = ask(engine, people.aggregate(n=value.nunique(where=value != 0))).to_pylist()[0]["n"]
    size = ibis.greatest(value.abs(), ibis.literal(1e-9))
    place = (size.log2() * BINS_PER_DOUBLING).floor() if some > MOST_VALUES else value.abs()
    binned = people.mutate(sign=value.sign().cast("int8"), place=ibis.ifelse(value == 0, zero(), place))
    weights = {}
    if "weight" in people.columns:
        weights = {"w": binned.weight.sum(), "ww": (binned.weight * binned.weight).sum()}
    cell = ["arm", *keys, "sign", "place"]
    counted = binned.group_by(cell).aggregate(
        n=binned.count().cast("float64"), total=binned[VALUE].sum(), **weights
    )
    rows = ask(engine, counted, cell)
    found = _apart(rows, ["arm", *keys]) if keys else {}
    whole = added(rows.drop_columns(list(keys)), ["arm", "sign", "place"]) if keys else rows
    return found | _apart(whole, ["arm"])


def _apart(rows: pa.Table, keys: list[str]) -> dict[tuple[str, ...], Histogram]:
    """A histogram for each combination of `keys`, sorted."""
    parts = rows.append_column("value", pc.divide(rows["total"], rows["n"]))
    parts = parts.sort_by([(name, "ascending") for name in [*keys, "value"]])
    names = list(zip(*(parts[key].to_pylist() for key in keys), strict=True))
    begins = [i for i, name in enumerate(names) if not i or name != names[i - 1]]
    columns = [parts[name].to_numpy() for name in ("value", "n", "w", "ww") if name in parts.column_names]
    return {
        names[begin]: Histogram(*(column[begin:end] for column in columns))
        for begin, end in zip(begins, [*begins[1:], len(names)], strict=True)
    }


def cut(people: Any, at: float) -> Any:
    """With values above `at` brought down to it."""
    return people.mutate(**{VALUE: ibis.least(people[VALUE], ibis.literal(at))})
