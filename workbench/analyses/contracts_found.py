"""What is asked about contracts, and what is found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from workbench.locale import Message
from workbench.records import Check, Interval, Word

PERIODS = {"week": 7.0, "month": 30.436875, "quarter": 91.310625, "year": 365.2425}
"""Days of a period."""
FEWEST_ENDED = 20
"""Contracts that have to have ended before a group is fitted."""


@dataclass(frozen=True)
class ContractSettings:
    """What is asked about contracts.

    Attributes:
        by: A column of customers, a segment or an experiment; None for everybody.
        period: How often they are renewed; one of `PERIODS`.
        model: `sbg`, `bdw`, or `best`: the one that the likelihood prefers by its AIC.
        horizon: Payments still to come that are counted, in periods.
        discount_per_year: A payment a year from now is worth 1/(1 + discount) of one today.
        payment: Margin of a payment, in the project's currency.
        level: Probability of the intervals.
    """

    by: str | None = None
    period: str = "month"
    model: Literal["best", "sbg", "bdw"] = "best"
    horizon: int = 36
    discount_per_year: float = 0.1
    payment: float = 1.0
    level: float = 0.95


@dataclass(frozen=True)
class Point:
    """A period of a curve: the share kept until its end.

    Attributes:
        period: From 0.
        at_risk: Contracts that could end in it.
        observed: By Kaplan and Meier; None beyond what is seen.
        fitted, interval: By the model.
    """

    period: int
    at_risk: int
    observed: float | None
    fitted: float
    interval: Interval


@dataclass(frozen=True)
class Worth:
    """A posterior mean and its interval."""

    mean: float
    interval: Interval


@dataclass(frozen=True)
class GroupContracts:
    """The contracts of a group.

    Attributes:
        group: None for everybody.
        contracts, ended: How many there are, and how many of them ended.
        curve: Share kept, period by period.
        renewal: Share of new contracts that are renewed the first time.
        renewed_later: The same of those kept for a year, or for as long as was seen, with its periods.
        new: Margin still to come of a contract that begins now, its first payment included.
        kept: Margin still to come of one kept so far, on average over those that are.
    """

    group: str | None
    contracts: int
    ended: int
    curve: tuple[Point, ...]
    renewal: Worth
    renewed_later: tuple[int, Worth]
    new: Worth
    kept: Worth


@dataclass(frozen=True)
class Difference:
    """The margin of a new contract of the first group less that of the second."""

    groups: tuple[str, str]
    worth: Worth
    probability_positive: float
    word: Word


@dataclass(frozen=True)
class Foretold:
    """Ends in the last periods, foretold from before them.

    Attributes:
        periods: How many.
        predicted, interval: Contracts that would be kept until now.
        actual: Those that were.
        of: Contracts that were kept when they began.
    """

    periods: int
    predicted: float
    interval: Interval
    actual: int
    of: int


@dataclass(frozen=True)
class ContractsView:
    """What was found about contracts.

    Attributes:
        settings: What was asked.
        model: The model that was used.
        until: The end of the data.
        sentence: The answer.
        groups: Each group, or everybody.
        differences: Each pair; each arm less the control in an experiment.
        foretold: None where too few periods were seen.
        log_likelihoods: Model → at its maximum, everybody together.
        checks: What was looked at.
    """

    settings: ContractSettings
    model: str
    until: date
    sentence: Message
    groups: tuple[GroupContracts, ...]
    differences: tuple[Difference, ...]
    foretold: Foretold | None
    log_likelihoods: dict[str, float]
    checks: tuple[Check, ...]
