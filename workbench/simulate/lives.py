"""What happens to each customer: arrays with one entry a customer, times in days since the shop's start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.simulate.knobs import COUNTRIES, DEVICES, SOURCES, Knobs

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Traits:
    """Who the customers are; whatever comes after `first_seen` is hidden from every table.

    Attributes:
        country, region, device, source: Index into the lists of `knobs`.
        first_seen: Day of the first visit.
        keenness: Multiplies the first-order hazard; mean 1.
        hazard: Of the first order under the generic home page, a day.
        hazard_ratio: What the personalised home page multiplies it by.
        interest_ends: Day on which a visitor who has not bought by then is lost.
        rate: λ, repeat orders a day under the generic home page.
        dropout: Probability of leaving after a repeat order.
        spend: Mean revenue of an order under the generic home page.
    """

    country: Integers
    region: Integers
    device: Integers
    source: Integers
    first_seen: Floats
    keenness: Floats
    hazard: Floats
    hazard_ratio: Floats
    interest_ends: Floats
    rate: Floats
    dropout: Floats
    spend: Floats


@dataclass(frozen=True)
class Lives:
    """What the customers did.

    Attributes:
        traits: Who they are.
        first_order: Day of the first order, infinite without one.
        lost: Day from which nothing more happens, infinite while alive; the customer's last order or, without
            any order, the end of the interest.
        home: Exposure to `personalised-home`: day, and whether it took place.
        personalised: Randomised to the personalised home page.
        deliverable: Would get the personalised home page if assigned to it.
        crossover: Exposure to the other arm of `personalised-home`.
        offers: Exposure to `personalised-offers`.
        offered: Had the personalised offers.
        order_customer: Customer of each order, ascending.
        order_day: Day of each order, ascending within a customer.
    """

    traits: Traits
    first_order: Floats
    lost: Floats
    home: Exposure
    personalised: Flags
    deliverable: Flags
    crossover: Exposure
    offers: Exposure
    offered: Flags
    order_customer: Integers
    order_day: Floats

    @property
    def treated(self) -> Flags:
        """Whoever lives under the personalised home page from the exposure on."""
        return self.personalised & self.deliverable


@dataclass(frozen=True)
class Exposure:
    """First exposure of each customer to an experience.

    Attributes:
        day: When it takes place if the customer is still there.
        seen: Whether it took place and was logged.
    """

    day: Floats
    seen: Flags


def draw_traits(knobs: Knobs, rng: np.random.Generator) -> Traits:
    """Customers in the order of their arrival."""
    n = knobs.customers
    country = rng.choice(len(COUNTRIES), n, p=[share for share, _, _ in COUNTRIES.values()])
    device = rng.choice(len(DEVICES), n, p=[share for share, _ in DEVICES.values()])
    regions = np.array([len(names) for _, _, names in COUNTRIES.values()])
    base = np.outer([h for _, h, _ in COUNTRIES.values()], [h for _, h in DEVICES.values()])
    ratio = np.outer(
        [1 + knobs.effects.get(name, 0.0) for name in COUNTRIES],
        [1 + knobs.effects.get(name, 0.0) for name in DEVICES],
    )
    first_seen = np.sort(rng.uniform(0, knobs.days, n))
    keenness = rng.gamma(2.0, 0.5, n)
    return Traits(
        country=country,
        region=(rng.random(n) * regions[country]).astype(np.int64),
        device=device,
        source=rng.choice(len(SOURCES), n, p=[share for *_, share in SOURCES]),
        first_seen=first_seen,
        keenness=keenness,
        hazard=knobs.first_order_rate / 7 * base[country, device] * keenness,
        hazard_ratio=ratio[country, device],
        interest_ends=first_seen + rng.exponential(7 * knobs.interest_weeks, n),
        rate=rng.gamma(knobs.r, 1 / (7 * knobs.alpha), n),
        dropout=np.maximum(rng.beta(knobs.a, knobs.b, n), 1e-12),  # the geometric draw cannot take 0
        spend=knobs.p * knobs.v / rng.gamma(knobs.q, 1.0, n),
    )


def visit_rates(traits: Traits, knobs: Knobs) -> tuple[Floats, Floats]:
    """Visits a day before and after the first order; keener customers come more often.

    The rate before the first order must not depend on λ: being exposed before buying would then say something
    about λ, and the customers acquired after their exposure would no longer follow the BG/NBD.
    """
    base = knobs.visits_per_week / 7
    return base * (1 + traits.keenness) / 2, base * (1 + relative_rate(traits, knobs)) / 2


def relative_rate(traits: Traits, knobs: Knobs) -> Floats:
    """λ over its mean: the keenness of someone who has bought."""
    return traits.rate * 7 * knobs.alpha / knobs.r


def draw_lives(traits: Traits, knobs: Knobs, rng: np.random.Generator) -> Lives:
    """Exposures, orders and losses; every step is exact in continuous time."""
    n, end = knobs.customers, float(knobs.days)
    home_start, offers_start = 7.0 * knobs.home_week, 7.0 * knobs.offers_week
    personalised = rng.random(n) < knobs.share
    deliverable = rng.random(n) < knobs.delivery
    treated = personalised & deliverable

    def first_visit_after(day: float, first_order: Floats) -> Floats:
        before, after = visit_rates(traits, knobs)
        early = day + rng.exponential(1.0, n) / before
        late = np.maximum(day, first_order) + rng.exponential(1.0, n) / after
        return np.where(early < first_order, early, late)

    # The first order as it would come under the generic page; what is left of the wait when the personalised
    # page begins is divided by the hazard ratio.
    generic = traits.first_seen + rng.exponential(1.0, n) / traits.hazard
    new = traits.first_seen >= home_start
    home_day = np.where(new, traits.first_seen, first_visit_after(home_start, generic))
    wait = generic - home_day
    faster = treated & (wait > 0)
    first_order = np.where(faster, home_day + wait / traits.hazard_ratio, generic)
    first_order[first_order >= traits.interest_ends] = np.inf

    order_customer, order_day, left = _draw_orders(
        traits, first_order, np.where(treated, home_day, np.inf), knobs, rng
    )
    lost = np.where(np.isinf(first_order), traits.interest_ends, left)

    known = traits.first_seen < offers_start
    offers_day = np.where(home_day >= offers_start, home_day, first_visit_after(offers_start, first_order))
    keenness = np.where(first_order < offers_day, relative_rate(traits, knobs), traits.keenness)
    pull = np.maximum(keenness, 1e-12) ** knobs.confounding
    offered = rng.random(n) < 0.05 + 0.9 * pull / (1 + pull)  # everyone could have had either: overlap holds

    there_until = np.minimum(lost, end)
    seen = (home_day < there_until) & ~(personalised & (rng.random(n) < knobs.sample_ratio_fault))
    again = home_day + rng.uniform(0.2, 5.0, n)
    crosses = rng.random(n) < knobs.crossover_share
    return Lives(
        traits=traits,
        first_order=first_order,
        lost=lost,
        home=Exposure(home_day, seen),
        personalised=personalised,
        deliverable=deliverable,
        crossover=Exposure(again, seen & crosses & (again < there_until)),
        offers=Exposure(offers_day, known & (offers_day < there_until)),
        offered=offered,
        order_customer=order_customer,
        order_day=order_day,
    )


def _draw_orders(
    traits: Traits, first_order: Floats, faster_from: Floats, knobs: Knobs, rng: np.random.Generator
) -> tuple[Integers, Floats, Floats]:
    """All orders of all customers, and the day of each customer's drop-out.

    Repeat orders are a Poisson process of rate λ on a clock that runs 1 + repeat_lift times as fast from
    `faster_from` on: given their number, uniform. The drop-out comes after a geometric number of them.
    """
    end, speed = float(knobs.days), 1 + knobs.repeat_lift
    buyers = np.flatnonzero(first_order < end)
    first = first_order[buyers]
    slow = np.clip(faster_from[buyers], first, end) - first
    clock = slow + speed * (end - first - slow)
    stays = rng.geometric(traits.dropout[buyers])
    counts = rng.poisson(traits.rate[buyers] * clock)

    buyer = np.repeat(np.arange(buyers.size), counts)
    tick = rng.random(buyer.size) * clock[buyer]
    tick = tick[np.lexsort((tick, buyer))]
    number = np.arange(buyer.size) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    day = first[buyer] + np.where(tick < slow[buyer], tick, slow[buyer] + (tick - slow[buyer]) / speed)

    left = np.full(first_order.size, np.inf)
    last = number == stays[buyer]
    left[buyers[buyer[last]]] = day[last]
    kept = number <= stays[buyer]
    customer = np.concatenate([buyers, buyers[buyer[kept]]])
    day = np.concatenate([first, day[kept]])
    order = np.lexsort((day, customer))
    return customer[order], day[order], left
