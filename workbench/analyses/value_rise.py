"""Whether orders grow as customers grow older: the rise of their value a year, by group and within customers.

Those who stay long may always have spent more. So each customer is held against themselves: with a_ij the
age in years and y_ij the money of a customer's purchase,

    b = Σ (a_ij - ā_i)(y_ij - ȳ_i) / Σ (a_ij - ā_i)²,

whose standard error takes customers, not purchases, to be independent (Liang & Zeger 1986, Biometrika 73(1)).
The slope over all purchases at once is b and what comes of who is left: the mix. As shares of the mean order,
slopes of groups are drawn towards each other (`models.shrinkage`), with a half-normal prior of 0.2 a year for
their spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from workbench.analyses import histories as reading
from workbench.analyses.estimates import Estimate, Needs
from workbench.analyses.value_fits import Fitted
from workbench.analyses.value_money import bought
from workbench.locale import say
from workbench.metrics import customer_age
from workbench.metrics.cells import ask
from workbench.models.arms import MeanArm
from workbench.models.shrinkage import HalfNormal, NormalMixture, pool
from workbench.records import ValueSettings

if TYPE_CHECKING:
    from workbench.project import Project

_SPREAD = 0.2
_FEWEST = 10  # customers with two purchases, below which a group says nothing alone
_UNKNOWN = 100.0  # standard error of such a group


@dataclass(frozen=True)
class GroupRise:
    """A group's rise a year, as a share of its mean order.

    Attributes:
        group: None for everybody.
        customers: With two purchases or more.
        order: Its mean order.
        seen: By its own customers alone; None where they are too few.
        rise: Drawn towards the other groups.
    """

    group: str | None
    customers: int
    order: float
    seen: Estimate | None
    rise: Estimate


@dataclass(frozen=True)
class Rise:
    """The rise of all groups, the largest first.

    Attributes:
        typical: In a typical group.
        spread: Standard deviation of the rises between groups.
        crude: Over all purchases of everybody at once, a year, as a share of the mean order.
        within: Within the same customers; `crude` less it is who is left.
    """

    groups: list[GroupRise]
    typical: Estimate
    spread: float
    crude: float
    within: float


@dataclass(frozen=True)
class _Slope:
    customers: int
    order: float
    slope: float
    error: float

    @classmethod
    def of(cls, row: Mapping[str, float]) -> _Slope:
        n, xx, xy = row["again"], row["xx"], row["xy"]
        order = row["y"] / row["n"]
        if xx <= 0 or n < 2 or order <= 0:
            return cls(int(n), order, 0.0, _UNKNOWN)
        b = xy / xx
        square = max(0.0, row["xy_xy"] - 2 * b * row["xy_xx"] + b**2 * row["xx_xx"]) * n / (n - 1)
        return cls(int(n), order, b / order, max(sqrt(square) / xx / order, 1e-9))


def rise_with_age(project: Project, settings: ValueSettings, what: Fitted) -> Rise | Needs:
    """How much more an order brings for each year of a customer's age.

    Raises:
        DataError: without orders, or when the group is not there.
    """
    _, last = reading.days_of(what.found)
    each = reading.in_groups(project, settings)
    asked = customer_age.slopes(customer_age.days(bought(project, last)), each)
    rows = {str(row["group"]): _numbers(row) for row in ask(project.engine, asked, ["group"]).to_pylist()}
    slopes = {group: _Slope.of(row) for group, row in sorted(rows.items())}
    if not any(_stands_alone(one) for one in slopes.values()):
        return Needs(
            say(
                "Fewer than {least:count} customers of any group have bought twice, too few to follow their "
                "orders.",
                least=_FEWEST,
            )
        )
    known = [
        one if _stands_alone(one) else _Slope(one.customers, one.order, 0.0, _UNKNOWN)
        for one in slopes.values()
    ]
    pooled = pool([one.slope for one in known], [one.error for one in known], HalfNormal(_SPREAD))
    groups = [
        GroupRise(
            group=name or None,
            customers=one.customers,
            order=one.order,
            seen=_alone(one, settings.level) if _stands_alone(one) else None,
            rise=_estimate(effect, settings.level),
        )
        for (name, one), effect in zip(slopes.items(), pooled.effects, strict=True)
    ]
    whole = {name: sum(row[name] for row in rows.values()) for name in next(iter(rows.values()))}
    n, order = whole["n"], whole["y"] / whole["n"]
    across = whole["a_a"] - whole["a"] ** 2 / n
    crude = (whole["a_y"] - whole["a"] * whole["y"] / n) / across / order if across > 0 else 0.0
    return Rise(
        groups=sorted(groups, key=lambda one: -one.rise.value),
        typical=_estimate(pooled.overall, settings.level),
        spread=pooled.tau,
        crude=crude,
        within=_Slope.of(whole).slope,
    )


def _numbers(row: Mapping[str, Any]) -> dict[str, float]:
    return {name: float(row[name] or 0.0) for name in customer_age.SLOPES}


def _stands_alone(one: _Slope) -> bool:
    return one.customers >= _FEWEST and one.error < _UNKNOWN


def _alone(one: _Slope, level: float) -> Estimate:
    low, high = MeanArm(one.slope, one.error, one.customers - 1).ppf([(1 - level) / 2, (1 + level) / 2])
    return Estimate(one.slope, float(low), float(high))


def _estimate(effect: NormalMixture, level: float) -> Estimate:
    low, high = effect.ppf([(1 - level) / 2, (1 + level) / 2])
    return Estimate(effect.mean, float(low), float(high))
