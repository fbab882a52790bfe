"""A shop whose truth is known: for samples, lessons and tests alike.

    shop = simulate(customers=20_000, seed=1)
    shop.tables["orders"]                                             # the standard tables, as Arrow
    shop.truth.conversion("personalised-home", by="device")           # what an analysis ought to find
    shop.truth.lifetime_value("personalised").value(weeks=52)

One customer's life, time in weeks:

    visits              a Poisson process while the customer is alive; every visit opens the home page
    first order         hazard h while interested; the interest ends at rate 1 / interest_weeks
    repeat orders       rate λ ~ Gamma(r, alpha); after each the customer leaves with p ~ Beta(a, b)
    revenue of an order Gamma(p, ν) with ν ~ Gamma(q, v)

The last two lines are the BG/NBD (Fader, Hardie & Lee 2005, Marketing Science 24:275) and the Gamma-Gamma
(Fader & Hardie 2013, note 025), with the clock started by the first order. All draws are independent of each
other, so who buys first says nothing about λ, and both models hold exactly for the customers acquired.

`personalised-home` is randomised. New visitors meet it at their first visit, others at the first one once it
runs; an order comes by a direct link and exposes nobody. From then on it multiplies h by a ratio of the
country and device, λ by 1 + repeat_lift (so alpha is divided by it) and the revenue of an order, like v, by
1 + spend_lift.

`personalised-offers` changes nothing at all and is not randomised: of those who visited before it began, the
keener are the likelier to have it. A comparison of those with and without finds a large difference that is no
effect.
"""

from __future__ import annotations

from typing import Any

from workbench.simulate.knobs import EFFECTS as EFFECTS
from workbench.simulate.knobs import HOME as HOME
from workbench.simulate.knobs import OFFERS as OFFERS
from workbench.simulate.knobs import Knobs as Knobs
from workbench.simulate.shop import Shop as Shop
from workbench.simulate.shop import build
from workbench.simulate.truth import LifetimeValue as LifetimeValue
from workbench.simulate.truth import Truth as Truth


def simulate(customers: int = 20_000, seed: int = 1, **knobs: Any) -> Shop:
    """A shop with `customers` visitors; the same arguments give the same shop.

    Args:
        customers: Number of visitors, most of whom never buy.
        seed: Of all random numbers.
        **knobs: See `Knobs`.

    Raises:
        DataError: A knob lies outside its range.

    >>> shop = simulate(customers=2_000, seed=3, with_events=False)
    >>> {name: table.num_rows for name, table in shop.tables.items()}
    {'customers': 2000, 'orders': ..., 'exposures': ...}
    """
    return build(Knobs(customers=customers, seed=seed, **knobs))
