"""What can be set about the simulated shop, and what is fixed about its world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from workbench.errors import DataError

HOME = "personalised-home"
OFFERS = "personalised-offers"

# country: (share of visitors, first-order hazard against Spain, regions)
COUNTRIES: dict[str, tuple[float, float, tuple[str, ...]]] = {
    "ES": (0.45, 1.00, ("Andalucía", "Cataluña", "Galicia", "Madrid")),
    "MX": (0.18, 0.85, ("Ciudad de México", "Jalisco", "Nuevo León")),
    "FR": (0.12, 0.95, ("Bretagne", "Occitanie", "Île-de-France")),
    "DE": (0.11, 1.10, ("Bayern", "Berlin", "Hessen")),
    "IT": (0.08, 0.90, ("Lazio", "Lombardia", "Sicilia")),
    "PT": (0.06, 0.90, ("Lisboa", "Porto")),
}
# device: (share of visitors, first-order hazard against mobile)
DEVICES: dict[str, tuple[float, float]] = {
    "mobile": (0.60, 1.0),
    "desktop": (0.33, 1.4),
    "tablet": (0.07, 1.1),
}
# (source, medium, campaign, share of visitors)
SOURCES: tuple[tuple[str, str, str | None, float], ...] = (
    ("google", "organic", None, 0.32),
    ("google", "cpc", "brand", 0.18),
    ("instagram", "social", "lookbook", 0.20),
    ("newsletter", "email", "welcome", 0.12),
    ("direct", "none", None, 0.18),
)
# Lift of the first-order hazard under the personalised home page; those of country and device multiply.
EFFECTS: dict[str, float] = {"mobile": 0.60, "tablet": 0.25, "desktop": 0.0, "MX": 0.10, "DE": -0.20}

_RANGES: dict[str, tuple[float, float]] = {
    "customers": (1, 100_000_000),
    "weeks": (2, 520),
    "share": (0.01, 0.99),
    "first_order_rate": (1e-6, 100),
    "interest_weeks": (0.01, 1000),
    "r": (0.01, 100),
    "alpha": (0.01, 1000),
    "a": (0.01, 100),
    "b": (0.01, 100),
    "p": (0.1, 1000),
    "q": (1.01, 1000),  # at q <= 1 the mean spend is infinite
    "v": (0.001, 1e9),
    "repeat_lift": (-0.9, 10),
    "spend_lift": (-0.9, 10),
    "confounding": (0, 10),
    "delivery": (0, 1),
    "crossover_share": (0, 1),
    "sample_ratio_fault": (0, 1),
    "visits_per_week": (0.01, 50),
    "pages_per_visit": (0, 100),
}


@dataclass(frozen=True)
class Knobs:
    """Everything that can be set about the shop.

    Attributes:
        customers: Number of visitors.
        seed: Of all random numbers.
        weeks: Length of the data; first visits are spread evenly over it.
        start: First day, UTC.
        home_week: Week in which `personalised-home` begins.
        offers_week: Week in which `personalised-offers` begins, not before `home_week`.
        share: Share of visitors randomised to the personalised home page.
        first_order_rate: Mean first orders a week of interested visitors (Spain, mobile, generic home page).
        interest_weeks: Mean time until a visitor who has not bought loses interest.
        r: Shape of the repeat rate λ.
        alpha: Rate parameter of λ, weeks.
        a: First parameter of the drop-out probability.
        b: Second parameter of the drop-out probability.
        p: Shape of the revenue of one order.
        q: Shape of the customers' spend; above 1.
        v: Scale of the customers' spend; the mean revenue of an order is p v / (q - 1) EUR.
        effects: Lift of the first-order hazard for a country or a device, personalised against generic.
        repeat_lift: Lift of the repeat rate.
        spend_lift: Lift of the revenue of an order.
        confounding: How strongly keenness draws `personalised-offers`; 0 is a coin toss.
        delivery: Share of the personalised who get what they were assigned; the rest live as the generic do.
        crossover_share: Share of exposed visitors who are shown the other arm as well some days later.
        sample_ratio_fault: Share of personalised exposures that the log loses.
        visits_per_week: Mean visits a week while alive.
        pages_per_visit: Mean further pages after the home page.
        with_events: Whether `events` is made; the other tables do not depend on it.
    """

    customers: int = 20_000
    seed: int = 1
    weeks: int = 52
    start: date = date(2025, 1, 6)
    home_week: int = 24
    offers_week: int = 32
    share: float = 0.5
    first_order_rate: float = 0.08
    interest_weeks: float = 4.0
    r: float = 0.6
    alpha: float = 6.0
    a: float = 0.8
    b: float = 2.5
    p: float = 6.25
    q: float = 3.74
    v: float = 15.44
    effects: Mapping[str, float] = field(default_factory=lambda: EFFECTS)
    repeat_lift: float = 0.15
    spend_lift: float = 0.05
    confounding: float = 0.5
    delivery: float = 1.0
    crossover_share: float = 0.0
    sample_ratio_fault: float = 0.0
    visits_per_week: float = 0.4
    pages_per_visit: float = 1.5
    with_events: bool = True

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise DataError(
                    "The simulated shop's “{name}” is {value}; it has to lie between {low} and {high}.",
                    name=name,
                    value=getattr(self, name),
                    low=low,
                    high=high,
                )
        if not 0 <= self.home_week <= self.offers_week < self.weeks:
            raise DataError(
                "The simulated shop's home_week, offers_week and weeks are {home}, {offers} and {weeks}; "
                "none may be below the one before it, and weeks has to be the largest.",
                home=self.home_week,
                offers=self.offers_week,
                weeks=self.weeks,
            )
        for name, lift in self.effects.items():
            if name not in COUNTRIES and name not in DEVICES:
                raise DataError("The simulated shop has no country or device “{name}”.", name=name)
            if lift <= -1:
                raise DataError(
                    "The effect for “{name}” is {lift}; it has to be above -1, which is -100 %.",
                    name=name,
                    lift=lift,
                )

    @property
    def days(self) -> int:
        """Length of the data in days."""
        return 7 * self.weeks
