"""Whether the shares of an experiment's arms changed while it ran, and how customers count then.

Where they did, plain means of the arms are biased (`models.adaptive`), so customers count with one over the
probability that the exposures give (`p_assign`); where they give none, there is no answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ibis

from workbench.engines import Engine
from workbench.errors import DataError
from workbench.metrics import per_customer
from workbench.metrics.cells import Cell, ask
from workbench.models.adaptive import LEAST, Propensities, check_overlap
from workbench.moments import CrossMoments, Moments
from workbench.records import Assignment, EffectSettings
from workbench.segments import zero

type ByGroup = dict[tuple[str, str | None], Propensities]


def _ranges(engine: Engine, exposures: Any, experiment: str) -> list[dict[str, Any]]:
    """By arm: the smallest and the largest probability, how many rows give one, and how many there are."""
    rows = exposures.filter(exposures.experience_id == experiment)
    if "p_assign" not in rows.columns:
        return []
    asked = rows.group_by("variant").aggregate(
        low=rows.p_assign.min(), high=rows.p_assign.max(), given=rows.p_assign.count(), n=rows.count()
    )
    return ask(engine, asked).to_pylist()


def planned(engine: Engine, exposures: Any, experiment: str, arms: Iterable[str]) -> dict[str, float] | None:
    """The share of each arm, where the exposures give one for each and it is always the same."""
    found = _ranges(engine, exposures, experiment)
    constant = [r for r in found if r["given"] == r["n"] and r["low"] == r["high"] and r["low"] > 0]
    shares = {row["variant"]: float(row["low"]) for row in constant}
    return shares if set(shares) == set(arms) else None


def is_adaptive(
    engine: Engine, exposures: Any, settings: EffectSettings, recorded: Assignment | None
) -> bool:
    """Whether customers have to count with one over their probability.

    Args:
        engine, exposures: Where the exposures are; arms that are taken together are still apart.
        settings: What was asked.
        recorded: How the data say that people were assigned.

    Raises:
        DataError: when the shares of the arms are said to have changed and there are no probabilities, or
            something was asked that cannot be answered with them.
    """
    if recorded in ("self", "rule"):
        return False
    found = _ranges(engine, exposures, settings.experiment)
    if not any(row["given"] and row["low"] < row["high"] for row in found):
        complete = bool(found) and all(row["given"] == row["n"] for row in found)
        if "adaptive" in (recorded, settings.assignment) and not complete:
            raise not_given(settings.experiment)
        return False
    if settings.together:
        raise DataError(
            "The shares of the arms of “{name}” changed while it ran, so that arms cannot be taken together: "
            "the probability of getting either of them is not known.",
            name=settings.experiment,
        )
    return True


def not_given(experiment: str) -> DataError:
    """That there are no probabilities where there have to be."""
    return DataError(
        "The assignment of “{name}” was adaptive, and the probability with which each customer got their arm "
        "is not given; load it with the exposures (p_assign), since plain means of the arms would be biased.",
        name=experiment,
    )


def of_arms(engine: Engine, people: Any, groups: Sequence[str] = ()) -> ByGroup:
    """The probabilities of those in one arm, by arm and, where a column is given, group; None is everybody.

    Args:
        engine: Where they are.
        people: Rows of `arm`, `propensity` and the columns of `groups`.
        groups: None or one.

    Raises:
        ModelError: when one is missing, is none, or is too small.
    """
    rows = people.filter(people.arm.notnull())
    p = rows.propensity
    usable = ibis.ifelse(p > 0, p, ibis.null("float64"))
    few = ibis.ifelse(p < LEAST, ibis.literal(1, "int8").cast("float64"), zero())
    sums = rows.group_by(["arm", *groups]).aggregate(
        n=rows.count(),
        known=p.count(),
        low=p.min(),
        high=p.max(),
        few=few.sum(),
        total=p.sum(),
        variance=(p * (1 - p)).sum(),
        weights=(1 / usable).sum(),
        squares=(1 / (usable * usable)).sum(),
    )
    found: ByGroup = {}
    for row in ask(engine, sums).to_pylist():
        some = row["known"] > 0
        one = Propensities(
            n=int(row["n"]),
            known=int(row["known"]),
            low=float(row["low"]) if some else 1.0,
            high=float(row["high"]) if some else 1.0,
            few=round(row["few"] or 0),
            **{name: float(row[name] or 0.0) for name in ("total", "variance", "weights", "squares")},
        )
        for key in {(row["arm"], None), *((row["arm"], row[name]) for name in groups)}:
            found[key] = found[key] + one if key in found else one
    check_overlap({arm: one for (arm, group), one in sorted(found.items(), key=str) if group is None})
    return found


def weighted(
    engine: Engine, units: Any, cells: Mapping[tuple[str, str | None], Cell], groups: list[str]
) -> tuple[dict[tuple[str, str | None], Cell], dict[tuple[str, int], CrossMoments]]:
    """Cells in which customers count with one over their propensity, and the sums by arm and week.

    Args:
        engine: Where they are.
        units: Rows of `arm`, `value`, `as_of`, `propensity` and the columns of `groups`.
        cells: The same with customers who count alike, by arm and group.
        groups: None or one.
    """
    units = units.filter(units.value.notnull())
    value = per_customer.VALUE
    units = units.mutate(weight=1 / units.propensity, as_of=ibis.coalesce(units.as_of, 0), value=units.value)
    begin = ask(engine, units.aggregate(first=units.as_of.min())).to_pylist()[0]["first"] or 0
    units = per_customer.with_week(units, int(begin))
    found = per_customer.weighted_cross(engine, units, ["arm", *groups, "week"], [value])
    sums: dict[tuple[str, str | None], CrossMoments] = {}
    periods: dict[tuple[str, int], CrossMoments] = {}
    for key, seconds in found.items():
        pair, week = seconds[value], (key[0], int(key[-1]))
        periods[week] = pair + periods[week] if week in periods else pair
        for cell in {(key[0], None), *((key[0], group) for group in key[1:-1])}:
            sums[cell] = pair + sums[cell] if cell in sums else pair
    return {
        key: Cell(sums[key].y if key in sums else Moments.empty(), Moments.empty(), 0, cell.missing)
        for key, cell in cells.items()
    }, periods
