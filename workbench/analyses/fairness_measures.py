"""What is held against each other between groups, made of a group's sums (`metrics.group_sums`).

Per customer: conversion (Beta), revenue (hurdle: who pays, and how much). Per order: average order value,
orders with a discount, discount per order; per article: what was paid over what the same articles cost all
customers. These are ratios R = Σ y / Σ x over customers with the variance of Σ (y − R x)² by customer (delta
method; Cochran, Sampling Techniques, 3rd ed., section 6.4), since orders of one customer are not independent;
shares of orders are Beta, their number divided by the design effect (Kish, Survey Sampling, section 5.4). Of
experiences: who was shown one, and who of these got a variant that personalises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from typing import Any, Literal

from workbench.errors import ModelError
from workbench.locale import Message, say
from workbench.models.arms import Arm, BetaArm, HurdleArm, MeanArm, mean_arm
from workbench.models.contrasts import log_mean, log_share
from workbench.moments import Moments

_LEAST_PAYING = 4

Unit = Literal["share", "money", "index"]
Row = Mapping[str, float]
Posterior = tuple[Arm, tuple[float, float]]
"""A group's value, and the mean and standard deviation of its log."""


@dataclass(frozen=True)
class Kind:
    """How a measure is made of a group's sums.

    Attributes:
        sums: Its value is the first over the second, which is what it is a mean over; the third counts the
            customers it is about.
        law: Its posterior, and the mean and standard deviation of its log, given the design effect; None
            for a plain share or ratio.
    """

    name: str
    title: Message
    about: Message
    unit: Unit
    sums: tuple[str, str, str]
    law: Callable[[Row, float], Posterior] | None = None

    def people(self, row: Row) -> float:
        """Customers it is about."""
        return row[self.sums[2]]

    def weight(self, row: Row) -> float:
        """What its value is a mean over: customers, orders, money."""
        return row[self.sums[1]]

    def value(self, row: Row) -> float:
        """The value as seen; also of the sums of several groups."""
        return row[self.sums[0]] / row[self.sums[1]]

    def arm(self, row: Row, effect: float) -> Posterior:
        """Its posterior, and the mean and standard deviation of its log; given the design effect."""
        if self.law is not None:
            return self.law(row, effect)
        if self.unit == "share":
            hits, n, people = self.sums
            return _share(row[hits], row[n], 1.0 if n == people else effect)
        arm = _of_ratio(row, self.name)
        return arm, log_mean(arm.mean, arm.sd)


def _share(hits: float, n: float, effect: float) -> Posterior:
    """A share with the Jeffreys prior, of observations as many as the design effect leaves."""
    arm = BetaArm(0.5 + hits / effect, 0.5 + (n - hits) / effect)
    return arm, log_share(arm)


def _of_ratio(row: Row, name: str) -> MeanArm:
    """Σ y / Σ x over customers."""
    n, ratio = row[f"{name}_n"], row[f"{name}_y"] / row[f"{name}_x"]
    if n < _LEAST_PAYING:
        raise ModelError("Only {n:count} customers are left; that is too few to say how sure it is.", n=n)
    residual = _residual(row, name)
    if not residual:
        raise ModelError("All {n:count} customers have the same value, so chance cannot be told.", n=n)
    mean = row[f"{name}_x"] / n
    return MeanArm(ratio, sqrt(residual / (n * (n - 1))) / mean, n - 1)


def _residual(row: Row, name: str) -> float:
    """Σ (y − R x)² over customers; nothing where it is only rounding."""
    ratio = row[f"{name}_y"] / row[f"{name}_x"]
    squares = row[f"{name}_yy"] + ratio**2 * row[f"{name}_xx"]
    residual = squares - 2 * ratio * row[f"{name}_xy"]
    return residual if residual > 1e-12 * squares else 0.0


def _revenue_arm(row: Row, _effect: float) -> Posterior:
    paying = int(row["paying"])
    if paying < _LEAST_PAYING:
        raise ModelError("Only {n:count} customers paid; that is too few to say how sure it is.", n=paying)
    mean = row["paid_total"] / paying
    variance = max(row["paid_squares"] / paying - mean**2, 0.0)
    value = mean_arm(Moments(paying, mean, variance * paying))
    share = BetaArm(0.5 + paying, 0.5 + row["n"] - paying)
    return HurdleArm(share, value), _product(log_share(share), log_mean(value.mean, value.sd))


def _discount_arm(row: Row, effect: float) -> Posterior:
    depth = _of_ratio(row, "discount")
    hits, n = row["discounted_y"], row["discounted_x"]
    share = BetaArm(0.5 + hits / effect, 0.5 + (n - hits) / effect)
    return HurdleArm(share, depth), _product(log_share(share), log_mean(depth.mean, depth.sd))


def _product(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """The log of a product of independent factors."""
    return one[0] + other[0], hypot(one[1], other[1])


def design_effect(rows: Sequence[Row]) -> float:
    """How many orders are worth one of another customer, for the share with a discount (Kish)."""
    clustered = binomial = 0.0
    for row in rows:
        n, orders = row.get("discounted_n", 0.0), row.get("discounted_x", 0.0)
        if n > 1 and orders:
            share = row["discounted_y"] / orders
            clustered += _residual(row, "discounted") * n / (n - 1)
            binomial += orders * share * (1 - share)
    return max(1.0, clustered / binomial) if binomial else 1.0


BOUGHT = (
    Kind(
        "conversion",
        say("Conversion"),
        say("Customers who ordered, of all customers."),
        "share",
        ("buyers", "n", "n"),
    ),
    Kind(
        "revenue",
        say("Revenue per customer"),
        say("What orders brought less refunds, over all customers."),
        "money",
        ("paid_total", "n", "n"),
        _revenue_arm,
    ),
    Kind(
        "order_value",
        say("Average order value"),
        say("What orders brought less refunds, over all orders."),
        "money",
        ("order_value_y", "order_value_x", "order_value_n"),
    ),
    Kind(
        "discounted",
        say("Orders with a discount"),
        say("Orders on which something was taken off, of all orders."),
        "share",
        ("discounted_y", "discounted_x", "discounted_n"),
    ),
    Kind(
        "discount",
        say("Discount per order"),
        say("What was taken off, over all orders, those without a discount included."),
        "money",
        ("discount_y", "discounted_x", "discounted_n"),
        _discount_arm,
    ),
)
PRICED = (
    Kind(
        "price",
        say("Price of the same articles"),
        say("What was paid for articles, over what the same articles cost all customers on average."),
        "index",
        ("price_y", "price_x", "price_n"),
    ),
)
SHOWN = (
    Kind(
        "exposed",
        say("Shown an experience"),
        say("Customers who came into an experience, in whichever variant, of all customers."),
        "share",
        ("exposed", "n", "n"),
    ),
    Kind(
        "treated",
        say("Got something personalised"),
        say("Customers who got a variant that personalises, of those who came into an experience."),
        "share",
        ("treated", "exposed", "exposed"),
    ),
)


def sums(row: Mapping[str, Any]) -> dict[str, float]:
    """A group's row as numbers; mean and variance of those who paid as sums, which add up over groups."""
    plain = {name: float(value or 0) for name, value in row.items() if name != "group"}
    if "paid_mean" in plain:
        mean, variance = plain.pop("paid_mean"), plain.pop("paid_variance")
        plain["paid_total"] = plain["paying"] * mean
        plain["paid_squares"] = plain["paying"] * (variance + mean**2)
    return plain
