"""What was known of each customer before a date, in few classes, and customers compressed by it.

A covariate is a column of customers, the touch that brought them (`metrics.touch`), or made of what they did
before a date: `tenure`, `orders_30d`, `revenue_90d`, `events_7d`, … Those called “meanwhile” count between
two other dates: what people did while a treatment could reach them, which says who had the occasion.

Only compressed rows leave the engine: for each pattern of classes, group and fold how many customers there
are, and the sums of their outcome and of its square.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workbench.clock import DAY
from workbench.engines import Engine, has, table, whole_seconds
from workbench.engines.duckdb import added
from workbench.errors import DataError
from workbench.metrics import actions, touch
from workbench.metrics.cells import ask
from workbench.segments import NOT_KNOWN, label, zero

FOLDS: Final = 5
MOST_ROWS: Final = 200_000
MOST_LEVELS: Final = 12
MOST_VALUES: Final = 50
"""Texts with more values than these are no covariates; of those, the rarer ones become one class."""
_SOME_CUSTOMERS: Final = 10_000
OTHER: Final = "(other)"
MEANWHILE: Final = "meanwhile"
HISTORY: Final = (
    "tenure",
    "orders_30d",
    "orders_90d",
    "revenue_90d",
    "events_30d",
    "events_90d",
    f"orders_{MEANWHILE}",
    f"events_{MEANWHILE}",
)
"""Covariates that are made of what customers did."""
_HISTORY = re.compile(rf"(orders|revenue|events)_(?:(\d{{1,4}})d|{MEANWHILE})")
_COUNTS = (1, 2, 3, 4, 5, 7, 10, 15, 20, 50)
_MONEY = (0.005, *(float(f"{step}e{power}") for power in range(1, 7) for step in (1, 2, 5)))
_TENURE = (7, 30, 90, 180, 365, 730)
_FIFTHS = 5
_FEWEST = 10  # customers of a class
_SMALLEST = 0.01  # its share of all customers


@dataclass(frozen=True)
class Cut:
    """How a covariate is cut into classes.

    Attributes:
        column: Its column in the rows of people: the number of the class with edges, its name without.
        edges: The least value of each numbered class but the first, whole numbers where it is counted; −1 is
            what is not known.
        zero: Whether the first class is nothing.
    """

    column: str
    edges: tuple[float, ...] = ()
    zero: bool = False


@dataclass(frozen=True)
class Patterns:
    """Compressed customers.

    Attributes:
        levels: Covariate → the names of its classes, in order.
        codes: Class of each row and covariate, (rows, covariates).
        treated: Whether a row is of the first group.
        fold: 0 to `FOLDS` − 1.
        n, total, squares: Customers, and sums of their outcome and of its square.
    """

    levels: dict[str, tuple[str, ...]]
    codes: NDArray[np.int64]
    treated: NDArray[np.bool_]
    fold: NDArray[np.int64]
    n: NDArray[np.float64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]


def attributes(engine: Engine, *, numbers: bool = True) -> list[str]:
    """Columns of customers that have a few values and, with `numbers`, those that hold numbers."""
    if not has(engine, "customers"):
        return []
    customers = table(engine, "customers")
    kinds = {name: kind for name, kind in customers.schema().items() if name != "customer_id"}
    names = [n for n, kind in kinds.items() if kind.is_string() or kind.is_boolean() or kind.is_numeric()]
    if not names:
        return []
    some = customers.select(*names).limit(_SOME_CUSTOMERS)
    values = ask(engine, some.aggregate(**{name: some[name].nunique() for name in names})).to_pylist()[0]
    few = {name for name in names if 1 < values[name] <= MOST_VALUES}
    many = {name for name in names if numbers and kinds[name].is_numeric() and values[name] > 1}
    return [name for name in names if name in few | many]


# --- what is known of them --------------------------------------------------------------------------------


def described(
    engine: Engine,
    people: Any,
    names: Sequence[str],
    as_of: int,
    meanwhile: tuple[int, int] | None,
    *,
    without: str | None = None,
) -> tuple[Any, dict[str, Cut]]:
    """`people` with a column for each covariate.

    Args:
        engine: Where the tables are.
        people: Rows of `customer_id` and, for `tenure`, `first_at`; further columns are kept.
        names: Some of `HISTORY` (with any number of days), of `touch.NAMES`, and columns of customers.
        as_of: What is known is from before this second.
        meanwhile: From when to when the covariates called “meanwhile” count.
        without: An event that is not counted, since it is the treatment.

    Raises:
        DataError: when there is no such covariate.
    """
    cuts: dict[str, Cut] = {}
    history: dict[str, tuple[str, int, int]] = {}
    for place, name in enumerate(names):
        column = f"x{place}"
        found = _HISTORY.fullmatch(name)
        if name == "tenure":
            days = (ibis.literal(as_of, "int64") - people.first_at) // DAY
            people = people.mutate(**{column: _class(days, _TENURE)})
            cuts[name] = Cut(column, _TENURE)
        elif found:
            begin, end = (as_of - int(found[2]) * DAY, as_of) if found[2] else (meanwhile or (as_of, as_of))
            history[column] = (found[1], begin, end)
            cuts[name] = Cut(column, _MONEY if found[1] == "revenue" else _COUNTS, zero=True)
        elif has(engine, "customers") and name in table(engine, "customers").columns:
            people, cuts[name] = _attribute(engine, people, name, column)
        elif touch.is_touch(name) and has(engine, "events"):
            dated = people.mutate(as_of=ibis.literal(as_of - 1, "int64"))
            people = touch.described(table(engine, "events"), dated, name).rename({column: name})
            people = people.drop("as_of")
            cuts[name] = Cut(column)
        else:
            raise DataError("There is no covariate “{name}”; leave it out.", name=name)
    for source in ("orders", "events"):
        wanted = {c: one for c, one in history.items() if (one[0] == "events") == (source == "events")}
        if wanted:
            people = _history(engine, people, source, wanted, without)
    return people, cuts


def _history(
    engine: Engine, people: Any, source: str, wanted: Mapping[str, tuple[str, int, int]], without: str | None
) -> Any:
    """What people did between two seconds, as classes."""
    if not has(engine, source):
        raise DataError("This project has no {table} yet; leave out what is made of them.", table=source)
    done = actions.actions(table(engine, source), source)
    if source == "events" and without is not None:
        done = done.filter(done.name != without)
    done = done.mutate(at=whole_seconds(done.ts))
    done = done.filter(
        done.at >= min(begin for _, begin, _ in wanted.values()),
        done.at < max(e for _, _, e in wanted.values()),
    )
    sums = {
        column: ibis.ifelse(
            (done.at >= begin) & (done.at < end), done.x if name == "events" else done[name], zero()
        ).sum()
        for column, (name, begin, end) in wanted.items()
    }
    joined = people.left_join(done.group_by("customer_id").aggregate(**sums), "customer_id")
    joined = joined.drop("customer_id_right")
    return joined.mutate(
        **{
            column: _class(ibis.coalesce(joined[column], zero()), _MONEY if name == "revenue" else _COUNTS)
            for column, (name, _, _) in wanted.items()
        }
    )


def _attribute(engine: Engine, people: Any, name: str, column: str) -> tuple[Any, Cut]:
    """A column of customers: as it is with few values, in fifths of a number with many."""
    rows = table(engine, "customers").select("customer_id", value=table(engine, "customers")[name])
    edges, alone = _fifths(engine, rows) if rows.value.type().is_numeric() else ((), False)
    value = _class(rows.value, edges) if edges else label(rows.value)
    joined = people.left_join(rows.select("customer_id", **{column: value}), "customer_id")
    joined = joined.drop("customer_id_right")
    nothing = ibis.literal(-1, "int64") if edges else ibis.literal(NOT_KNOWN)
    joined = joined.mutate(**{column: ibis.coalesce(joined[column], nothing)})
    return joined, Cut(column, edges, zero=alone)


def _fifths(engine: Engine, rows: Any) -> tuple[tuple[float, ...], bool]:
    """Edges that cut a number into five classes of equal size, and whether zero is a class of its own.

    There are none when there are so few values that each can be a class.
    """
    number = rows.filter(rows.value.notnull()).select(value=rows.value.cast("float64"))
    shape = number.aggregate(
        values=number.value.nunique(),
        zeros=(number.value == 0).ifelse(1, 0).sum(),
        negatives=(number.value < 0).ifelse(1, 0).sum(),
    )
    found = ask(engine, shape).to_pylist()[0]
    if found["values"] <= MOST_LEVELS:
        return (), False
    alone = bool(found["zeros"]) and not found["negatives"]
    rest = number.filter(number.value > 0) if alone else number
    rest = rest.mutate(place=ibis.ntile(_FIFTHS).over(ibis.window(order_by=rest.value)))
    firsts = ask(engine, rest.group_by("place").aggregate(least=rest.value.min())).to_pylist()
    edges = sorted({float(row["least"]) for row in firsts})
    return tuple(edges if alone else edges[1:]), alone


def _class(value: Any, edges: Sequence[float]) -> Any:
    """How many of the edges a value has reached; −1 where it is not known."""
    reached = ibis.literal(0, "int64")
    for edge in edges:
        reached = reached + ibis.ifelse(value >= edge, 1, 0).cast("int64")
    return ibis.ifelse(value.isnull(), ibis.literal(-1, "int64"), reached)


def level_names(edges: Sequence[float], *, zero: bool = False) -> tuple[str, ...]:
    """Names of classes.

    Args:
        edges: The least value of each class but the first; whole numbers where it is counted.
        zero: Whether what is below the first edge is nothing.

    >>> level_names((1, 2, 5), zero=True), level_names((7, 30)), level_names((17.5, 30.0))
    (('0', '1', '2–4', '5+'), ('0–6', '7–29', '30+'), ('< 17.5', '17.5–30', '30+'))
    """
    counted = all(isinstance(edge, int) for edge in edges)
    short = [f"{edge:.0f}" if edge >= 100 else f"{edge:.3g}" for edge in edges]
    names = ["0" if zero else f"0–{edges[0] - 1:g}" if counted else f"< {short[0]}"]
    for at, (low, high) in enumerate(pairwise(edges)):
        if not counted:
            names.append(f"< {short[1]}" if zero and not at else f"{short[at]}–{short[at + 1]}")
        else:
            names.append(f"{low:g}" if high == low + 1 else f"{low:g}–{high - 1:g}")
    return (*names, f"{short[-1]}+")


def compressed(engine: Engine, people: Any, cuts: Mapping[str, Cut]) -> Patterns:
    """Customers by group, fold and pattern.

    Args:
        engine: Where the tables are.
        people: Rows of `customer_id`, `treated`, `y` (float64; who has none is left out) and the columns.
        cuts: Covariate → its column.

    Raises:
        DataError: when there are too many patterns.
    """
    columns = [cut.column for cut in cuts.values()]
    keys = ["treated", "fold", *columns]
    rows = people.filter(people.y.notnull())
    rows = rows.mutate(fold=_fold(rows))
    sums = {"n": rows.count().cast("float64"), "total": rows.y.sum(), "squares": (rows.y * rows.y).sum()}
    found = added(ask(engine, rows.group_by(keys).aggregate(**sums), keys), keys)
    if found.num_rows > MOST_ROWS:
        raise DataError(
            "The covariates have {n:count} patterns, more than the {most:count} that can be compared; leave "
            "out some of them.",
            n=found.num_rows,
            most=MOST_ROWS,
        )
    return patterns_of(found, cuts)


def _fold(rows: Any) -> Any:
    """Who is left out together: by the pseudonym, which says nothing of the customer."""
    if rows.customer_id.type().is_integer():
        return ((rows.customer_id % FOLDS + FOLDS) % FOLDS).cast("int64")
    place = ibis.row_number().over(ibis.window(order_by=rows.customer_id))
    return (place % FOLDS).cast("int64")


def patterns_of(found: pa.Table, cuts: Mapping[str, Cut]) -> Patterns:
    """Rows of `treated`, `fold`, `n`, `total`, `squares` and the columns, with the names of their classes.

    Classes with too few customers to learn anything of become one with the next.
    """
    n = found["n"].to_numpy().astype(float)
    levels: dict[str, tuple[str, ...]] = {}
    codes = np.zeros((found.num_rows, len(cuts)), dtype=np.int64)
    for place, (name, cut) in enumerate(cuts.items()):
        values = found[cut.column].to_pylist()
        names, raw = _numbered(values, n, cut) if cut.edges else _named(values, n)
        used, codes[:, place] = np.unique(raw, return_inverse=True)
        levels[name] = tuple(names[at] for at in used)
    return Patterns(
        levels,
        codes,
        found["treated"].to_numpy() == 1,
        found["fold"].to_numpy().astype(np.int64),
        n,
        found["total"].to_numpy().astype(float),
        found["squares"].to_numpy().astype(float),
    )


def _numbered(values: Sequence[int], n: NDArray[np.float64], cut: Cut) -> tuple[list[str], NDArray[np.int64]]:
    """Names of classes and the class of each row; edges go until every class has its least size."""
    code = np.asarray(values, dtype=np.int64)
    sizes = np.bincount(code[code >= 0], n[code >= 0], len(cut.edges) + 1)
    kept, above = [], 0.0
    for place in range(len(cut.edges), 0, -1):  # from the top down
        above += sizes[place]
        if above >= _least(n) and sizes[:place].sum() >= _least(n):
            kept.append(place)
            above = 0.0
    kept.reverse()
    edges = tuple(cut.edges[place - 1] for place in kept)
    # a first class that has taken in another one is no longer nothing
    alone = cut.zero and bool(kept) and not sizes[1 : kept[0]].any()
    names = [NOT_KNOWN, *(level_names(edges, zero=alone) if edges else ("0+",))]
    return names, np.where(code < 0, 0, np.searchsorted(kept, code, side="right") + 1)


def _named(values: Sequence[str], n: NDArray[np.float64]) -> tuple[list[str], NDArray[np.int64]]:
    """Names of classes and the class of each row; the rarest are one."""
    texts = np.array(values, dtype=object)
    often = {text: n[texts == text].sum() for text in set(values)}
    kept = sorted((text for text in often if often[text] >= _least(n)), key=lambda text: (-often[text], text))
    names = [*sorted(kept[:MOST_LEVELS], key=_in_order), OTHER]
    index = {text: at for at, text in enumerate(names)}
    return names, np.array([index.get(text, len(names) - 1) for text in values], dtype=np.int64)


def _least(n: NDArray[np.float64]) -> float:
    """Customers that a class has at least."""
    return max(_FEWEST, _SMALLEST * float(n.sum()))


def _in_order(text: str) -> tuple[bool, float, str]:
    """Numbers by their size, before words."""
    try:
        return False, float(text), ""
    except ValueError:
        return True, 0.0, text
