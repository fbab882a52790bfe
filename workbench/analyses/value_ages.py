"""What customers bring by their age: whether orders grow, and whether loyal customers leave more than new."""

from __future__ import annotations

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
from workbench.records import ValueSettings

if TYPE_CHECKING:
    from workbench.project import Project

_MOST_NUMBER = 8
_FEWEST = 30  # customers of an age, below which nothing is said of it
_MOST_MONTHS = 24


@dataclass(frozen=True)
class Numbered:
    """The purchase of one number.

    Attributes:
        number: 1 for the first.
        customers: With so many purchases.
        value: Its mean value.
        first: The mean value of the same customers' first purchase.
        rise: From their first to this one, within the same customers.
    """

    number: int
    customers: int
    value: Estimate
    first: Estimate
    rise: Estimate


@dataclass(frozen=True)
class Month:
    """A month of customers' age, of those who were watched for all of it.

    Attributes:
        month: From 0.
        acquired: Customers who were watched so long.
        buying: The share of them that bought in it.
        of_buyers: What a customer who bought in it left.
        of_acquired: What a customer who was acquired left in it, whether they bought or not.
        to_date: What a customer who was acquired has left by its end, less what winning one cost.
    """

    month: int
    acquired: int
    buying: float
    of_buyers: Estimate
    of_acquired: Estimate
    to_date: Estimate


def purchases_by_number(project: Project, settings: ValueSettings, what: Fitted) -> list[Numbered] | Needs:
    """Whether the same customers spend more as they grow older, apart from who stays."""
    _, last = reading.days_of(what.found)
    asked = customer_age.by_number(customer_age.days(bought(project, last)), _MOST_NUMBER)
    rows = sorted(ask(project.engine, asked, ["number"]).to_pylist(), key=lambda row: int(row["number"]))
    found = [_numbered(row, settings.level) for row in rows if row["n"] >= _FEWEST]
    if len(found) < 2:
        return Needs(
            say(
                "Fewer than {least:count} customers have bought twice, too few to follow their orders.",
                least=_FEWEST,
            )
        )
    return found


def _numbered(row: dict[str, Any], level: float) -> Numbered:
    n = float(row["n"])
    rise = (row["money"] - row["first"]) / n
    return Numbered(
        number=int(row["number"]),
        customers=int(n),
        value=_mean(row["money"], row["money_square"], n, level),
        first=_mean(row["first"], row["first_square"], n, level),
        rise=Estimate(0.0, 0.0, 0.0) if row["number"] == 1 else _mean(rise * n, row["rise_square"], n, level),
    )


def _mean(total: float, square: float, n: float, level: float) -> Estimate:
    """A mean over customers with its interval."""
    mean = total / n
    variance = max(0.0, square / n - mean**2) * n / max(1.0, n - 1)
    if variance <= 0:
        return Estimate(mean, mean, mean)
    low, high = MeanArm(mean, sqrt(variance / n), n - 1).ppf([(1 - level) / 2, (1 + level) / 2])
    return Estimate(mean, float(low), float(high))


def by_month(
    project: Project, settings: ValueSettings, what: Fitted, cost: float | None
) -> list[Month] | Needs:
    """What customers leave month by month, with those who have gone and without them.

    Args:
        project: Where the orders are.
        settings: Margin and the cost of a purchase are taken from it.
        what: The histories.
        cost: What winning a customer cost; None where that is not known.
    """
    _, last = reading.days_of(what.found)
    each = reading.everyone(project, settings)
    days = customer_age.days(bought(project, last))
    rows = ask(project.engine, customer_age.by_month(days, each, end_day=last), ["month"]).to_pylist()
    ages = ask(project.engine, customer_age.watched(each), ["months"]).to_pylist()
    found: list[Month] = []
    to_date, doubt = -(cost or 0.0), 0.0
    for row in sorted(rows, key=lambda one: int(one["month"])):
        month = int(row["month"])
        acquired = sum(int(age["n"]) for age in ages if int(age["months"]) > month)
        if month >= _MOST_MONTHS or row["buyers"] < _FEWEST or month != len(found):
            break
        total, square = _left(row, settings)
        whole = _mean(total, square, acquired, settings.level)
        to_date += whole.value
        # as if months of one customer moved together: never too narrow
        doubt += (whole.high - whole.low) / 2
        found.append(
            Month(
                month=month,
                acquired=acquired,
                buying=row["buyers"] / acquired,
                of_buyers=_mean(total, square, float(row["buyers"]), settings.level),
                of_acquired=whole,
                to_date=Estimate(to_date, to_date - doubt, to_date + doubt),
            )
        )
    if len(found) < 2:
        return Needs(
            say("Too few customers were watched for two months to follow what they leave month by month.")
        )
    return found


def _left(row: dict[str, Any], settings: ValueSettings) -> tuple[float, float]:
    """What purchases of a month left after margin and their costs, and its square over customers."""
    name, share = "kept", 1.0
    if settings.margin != "measured":
        name, share = "money", 1.0 if settings.definition == "revenue" else settings.margin
    cost = settings.cost_per_order
    total = share * row[name] - cost * row["purchases"]
    square = share**2 * row[f"{name}_square"] - 2 * share * cost * row[f"{name}_purchases"]
    return float(total), float(square + cost**2 * row["purchases_square"])
