"""What an analysis of the simulated shop ought to find, computed from what the tables hide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from scipy.special import hyp2f1

from workbench.errors import DataError, check_choice
from workbench.locale import say
from workbench.simulate.knobs import HOME, OFFERS, Knobs
from workbench.simulate.lives import Exposure, Flags, Floats, Lives


@dataclass(frozen=True)
class LifetimeValue:
    """The buying process of the customers acquired in one arm, from their first order on.

    Attributes:
        r, alpha: Shape and rate (weeks) of the Gamma distribution of the repeat rate.
        a, b: Parameters of the Beta distribution of the drop-out probability.
        p, q, v: Gamma-Gamma parameters of the revenue of an order, EUR.
    """

    r: float
    alpha: float
    a: float
    b: float
    p: float
    q: float
    v: float

    @property
    def mean_spend(self) -> float:
        """Mean revenue of an order, EUR."""
        return self.p * self.v / (self.q - 1)

    def repeat_orders(self, weeks: float | Floats) -> Floats:
        """Expected repeat orders of an acquired customer (Fader, Hardie & Lee 2005, equation 9).

        >>> cdnow = LifetimeValue(r=0.24259, alpha=4.41353, a=0.79289, b=2.42575, p=6.25, q=3.74, v=15.44)
        >>> cdnow.repeat_orders(np.array([3.0, 78.0])).round(3)
        array([0.151, 1.858])
        """
        t = np.asarray(weeks, dtype=float)
        hazard = (self.alpha / (self.alpha + t)) ** self.r
        series = hyp2f1(self.r, self.b, self.a + self.b - 1, t / (self.alpha + t))
        return np.asarray((self.a + self.b - 1) / (self.a - 1) * (1 - hazard * series))

    def value(self, weeks: int = 52, *, margin: float = 1.0, discount_per_year: float = 0.0) -> float:
        """Expected value of an acquired customer, EUR: the first order and the repeats of `weeks` weeks.

        Args:
            weeks: Horizon after the first order.
            margin: Share of revenue that is margin.
            discount_per_year: A year later a euro is worth 1 / (1 + discount_per_year).
        """
        days = np.arange(7 * weeks + 1)
        repeats = np.diff(self.repeat_orders(days / 7))
        worth = (1 + discount_per_year) ** (-(days[1:] - 0.5) / 365.25)
        return float(margin * self.mean_spend * (1 + repeats @ worth))


@dataclass(frozen=True)
class Truth:
    """The truth about a simulated shop.

    Attributes:
        knobs: What was set.
        lives: What happened, and the hidden traits behind it.
        customers: The shop's table of customers, for the groups.
    """

    knobs: Knobs
    lives: Lives
    customers: pa.Table

    def conversion(
        self, experience_id: str, by: str | Sequence[str] | None = None, window_days: int = 14
    ) -> pa.Table:
        """Probability of an order within `window_days` of the exposure, under either arm.

        The mean of each customer's own exact probability, over those exposed at least `window_days` before
        the end of the data. Nothing in it depends on the arm they were in, nor on what they then did.

        Returns:
            group, control, treatment, difference, lift, customers; one row a group, sorted.
        """
        return self._table(experience_id, by, window_days, "conversion")

    def revenue(
        self, experience_id: str, by: str | Sequence[str] | None = None, window_days: int = 14
    ) -> pa.Table:
        """Expected revenue in EUR within `window_days` of the exposure; rows as in `conversion`."""
        return self._table(experience_id, by, window_days, "revenue")

    def lifetime_value(self, variant: str) -> LifetimeValue:
        """Parameters of customers whose first order came after their exposure to `personalised-home`.

        Args:
            variant: `generic` or `personalised`, delivered.
        """
        check_choice(variant, ("generic", "personalised"), say("variant"))
        k = self.knobs
        generic = LifetimeValue(r=k.r, alpha=k.alpha, a=k.a, b=k.b, p=k.p, q=k.q, v=k.v)
        if variant == "generic":
            return generic
        return replace(generic, alpha=k.alpha / (1 + k.repeat_lift), v=k.v * (1 + k.spend_lift))

    def potential_outcomes(self, experience_id: str, window_days: int = 14) -> pa.Table:
        """Every exposed and mature customer with the expected outcomes under both arms.

        Returns:
            The columns of `customers`, then conversion_control, conversion_treatment, revenue_control and
            revenue_treatment.

        Raises:
            DataError: Nobody was exposed that early.
            WorkbenchError: There is no such experience.
        """
        lives, exposure = self.lives, self.exposure(experience_id)
        who = exposure.seen & (exposure.day <= self.knobs.days - window_days)
        if not who.any():
            raise DataError(
                "Nobody met “{experience}” at least {days:count} days before the end of the simulated data.",
                experience=experience_id,
                days=window_days,
            )
        none = np.zeros_like(lives.deliverable)
        arms = {
            HOME: (none, lives.deliverable),  # the undelivered live as the generic do
            OFFERS: (lives.treated, lives.treated),  # the offers change nothing
        }[experience_id]
        table = self.customers
        columns: dict[str, Floats] = {}
        for name, treated in zip(("control", "treatment"), arms, strict=True):
            conversion, revenue = self._expected(exposure.day, treated, window_days)
            columns |= {f"conversion_{name}": conversion, f"revenue_{name}": revenue}
        for name, column in columns.items():
            table = table.append_column(name, pa.array(column))
        return table.filter(pa.array(who))

    def _expected(self, day: Floats, treated: Flags, window_days: int) -> tuple[Floats, Floats]:
        """Probability of an order and expected revenue in the window after `day`, for everyone.

        Until the first order: hazard h against the loss of interest, then the repeats of the new customer.
        After it: the next order at rate λ, and (1 - exp(-λ p s)) / p orders expected in a time s, as each
        brings the probability p of leaving.
        """
        traits, knobs, w = self.lives.traits, self.knobs, float(window_days)
        h = traits.hazard * np.where(treated, traits.hazard_ratio, 1)
        rate = traits.rate * np.where(treated, 1 + knobs.repeat_lift, 1)
        spend = traits.spend * np.where(treated, 1 + knobs.spend_lift, 1)
        c = h + 1 / (7 * knobs.interest_weeks)
        d = rate * traits.dropout
        p_first = h / c * -np.expm1(-c * w)
        # the integral of h exp(-c t) (1 - exp(-d (w - t))) / p over the window
        gap = np.where(np.isclose(c, d), 1e-9, c - d)
        n_repeats = h / traits.dropout * (-np.expm1(-c * w) / c - np.exp(-d * w) * -np.expm1(-gap * w) / gap)
        is_customer = self.lives.first_order < day
        conversion = np.where(is_customer, -np.expm1(-rate * w), p_first)
        orders = np.where(is_customer, -np.expm1(-d * w) / traits.dropout, p_first + n_repeats)
        return conversion, orders * spend

    def _table(
        self, experience_id: str, by: str | Sequence[str] | None, window_days: int, outcome: str
    ) -> pa.Table:
        people = self.potential_outcomes(experience_id, window_days)
        names = [by] if isinstance(by, str) else list(by or [])
        for name in names:
            check_choice(name, self.customers.column_names, say("column"))
        arms = [f"{outcome}_control", f"{outcome}_treatment"]
        means = people.group_by(names).aggregate([(arms[0], "mean"), (arms[1], "mean"), (arms[0], "count")])
        keys = zip(*(means[name].to_pylist() for name in names), strict=True) if names else [("all",)]
        control, treatment = (means[f"{arm}_mean"].to_numpy() for arm in arms)
        table = pa.table(
            {
                "group": [" / ".join(str(part or "(none)") for part in key) for key in keys],
                "control": control,
                "treatment": treatment,
                "difference": treatment - control,
                "lift": treatment / control - 1,
                "customers": means[f"{arms[0]}_count"],
            }
        )
        return table.sort_by("group")

    def exposure(self, experience_id: str) -> Exposure:
        """First exposures to an experience, in the order of `customers`."""
        check_choice(experience_id, (HOME, OFFERS), say("experience"))
        return self.lives.home if experience_id == HOME else self.lives.offers
