"""What is asked about occasions, and what is found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from workbench.analyses.estimates import Estimate
from workbench.locale import Message, say
from workbench.metrics.occasions import Period
from workbench.records import Check, Density, Word

ORDERS, OPENED, EVENT = "orders", "opened", "event:"
"""What an occasion is taken by: an order, opening a message, or after `EVENT` the name of an event."""


@dataclass(frozen=True)
class OccasionSettings:
    """What is asked about occasions.

    Attributes:
        of: `orders`, `opened`, or `event:` and a name; a name alone is an event.
        period: The calendar's `week`, `month` or `quarter`: one occasion each.
        by: A column of customers, a segment or an experiment; None for everybody. In an experiment occasions
            are counted after the period of the first exposure, for all who were exposed.
        horizon: Occasions still to come that are counted.
        held_periods: So many of the last ones are held back; a third if None.
        until: Last day that is used; None for all.
        level: Probability of the intervals.
    """

    of: str = ORDERS
    period: Period = "month"
    by: str | None = None
    horizon: int = 6
    held_periods: int | None = None
    until: date | None = None
    level: float = 0.95

    @property
    def event(self) -> str | None:
        """The name of the event, where it is one."""
        return None if self.of in (ORDERS, OPENED) else self.of.removeprefix(EVENT)


@dataclass(frozen=True)
class GroupOccasions:
    """The occasions of a group.

    Attributes:
        group: None for everybody.
        customers: Those who had an occasion.
        occasions, taken: How many they had, and took.
        active: Share who are still there, so that they could take the next one; chance included.
        ahead: Occasions a customer takes over the horizon, on average over all of them.
        total: The same of all of them together, chance included.
        by_period: Customers who take each of the next occasions, chance included.
        new: Occasions that a customer who has just begun takes over the horizon.
    """

    group: str | None
    customers: int
    occasions: int
    taken: int
    active: Estimate
    ahead: Estimate
    total: Estimate
    by_period: tuple[Estimate, ...]
    new: Estimate


@dataclass(frozen=True)
class Difference:
    """Occasions that a customer of the first group who has just begun takes, less one of the second.

    What those do who are there depends on who happened to be in which group; this does not.
    """

    groups: tuple[str, str]
    new: Estimate
    probability_positive: float
    density: Density
    word: Word


@dataclass(frozen=True)
class Bin:
    """Whole numbers from `low` to `high`, or more where that is None."""

    low: int
    high: int | None


@dataclass(frozen=True)
class Cell:
    """Customers alike in how often they did it and since when they have not.

    Attributes:
        silent: Occasions since the last that was taken, or since the beginning.
        taken: Occasions that were taken.
        customers: How many.
        active: Mean probability that they are still there.
        ahead: Occasions one of them takes over the horizon.
    """

    silent: Bin
    taken: Bin
    customers: int
    active: float
    ahead: float


@dataclass(frozen=True)
class Held:
    """Customers who took one of the periods that were held back.

    Attributes:
        begin: First day of the period.
        foretold: Chance included.
        came: Those who did.
    """

    begin: date
    foretold: Estimate
    came: int


@dataclass(frozen=True)
class Foretold:
    """The last periods, foretold from what was known before them.

    Attributes:
        customers: Who had an occasion before.
        periods: Each that was held back.
        total: Occasions taken in all of them, chance included.
        came: Those that were.
        mean_errors: Method → mean absolute error of a customer's number of occasions taken: `model`,
            `same-rate` (as often as before) and `nobody` (never again).
        root_errors: The same as roots of the mean squared error.
    """

    customers: int
    periods: tuple[Held, ...]
    total: Estimate
    came: int
    mean_errors: dict[str, float]
    root_errors: dict[str, float]


@dataclass(frozen=True)
class OccasionsView:
    """What was found about occasions.

    Attributes:
        settings: What was asked.
        first, until: First day of the first occasion that anybody had, and last day of the last one.
        most: Occasions that the oldest customers had.
        unseen: Customers who began too late for a whole period, or before anything was known of them.
        sentence: The answer.
        foretold: None where there is too little to hold back.
        groups: Each group, or everybody.
        differences: Each pair; each arm less the control in an experiment.
        cells: Everybody, by how often and since when; the likeliest gone last.
        parameters: Posterior means of α, β, γ and δ, everybody together.
        diagnostics: What the sampler says of itself, the worst group.
        checks: What was looked at.
    """

    settings: OccasionSettings
    first: date
    until: date
    most: int
    unseen: int
    sentence: Message
    foretold: Foretold | None
    groups: tuple[GroupOccasions, ...]
    differences: tuple[Difference, ...]
    cells: tuple[Cell, ...]
    parameters: dict[str, float]
    diagnostics: dict[str, float]
    checks: tuple[Check, ...]


def action_name(settings: OccasionSettings) -> Message:
    """What is done at an occasion."""
    if settings.event is not None:
        return say("“{event}”", event=settings.event)
    return say("opening a message") if settings.of == OPENED else say("buying")


def period_name(period: Period) -> Message:
    """What one of the periods is called."""
    return {"week": say("week"), "month": say("month"), "quarter": say("quarter")}[period]


def periods_name(period: Period, n: int = 2) -> Message:
    """What so many of them are called."""
    if n == 1:
        return period_name(period)
    return {"week": say("weeks"), "month": say("months"), "quarter": say("quarters")}[period]
