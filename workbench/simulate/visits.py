"""Visits and what is clicked in them, once the customers' lives are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.simulate.clock import seconds
from workbench.simulate.knobs import SOURCES, Knobs
from workbench.simulate.lives import Floats, Integers, Lives, visit_rates

NAMES = ("page_view", "product_view", "add_to_cart", "purchase")
PRODUCTS = tuple(f"p{number:03d}" for number in range(1, 201))
PRICES = np.round(4.95 + 60 * (np.arange(len(PRODUCTS)) * 0.618 % 1) ** 2, 2)  # EUR, spread without a pattern
CATEGORIES = ("new", "women", "men", "home", "sale")
PAGES = (
    "/",
    "/order/thanks",
    *(f"/category/{name}" for name in CATEGORIES),
    *(f"/product/{name}" for name in PRODUCTS),
)
FIRST_PRODUCT = len(PAGES) - len(PRODUCTS)

SHARE_WITH_CART = 0.08  # of the visits that end without an order
SHARE_OF_CATEGORY_PAGES = 0.35
SECONDS_A_PAGE = 40.0


@dataclass(frozen=True)
class Events:
    """One entry an event, in the order of time.

    Attributes:
        customer: Index of the customer.
        session: Number of the visit.
        second: Seconds since the shop's start.
        name, page, source: Index into `NAMES`, `PAGES`, `SOURCES`.
        item: Index into `PRODUCTS`, -1 without one.
        order: Index of the order, -1 without one.
    """

    customer: Integers
    session: Integers
    second: Integers
    name: Integers
    page: Integers
    source: Integers
    item: Integers
    order: Integers


def draw_visits(lives: Lives, knobs: Knobs, rng: np.random.Generator) -> tuple[Integers, Floats]:
    """Customer and day of every visit that opens the home page."""
    traits, end = lives.traits, float(knobs.days)
    home_start, offers_start = 7.0 * knobs.home_week, 7.0 * knobs.offers_week
    until = np.minimum(lives.lost, end)
    bought = np.minimum(lives.first_order, until)
    everyone = np.arange(knobs.customers)
    customers, days = [], []
    for rate, low, high in zip(
        visit_rates(traits, knobs), (traits.first_seen, bought), (bought, until), strict=True
    ):
        customer = np.repeat(everyone, rng.poisson(rate * (high - low)))
        day = low[customer] + rng.random(customer.size) * (high - low)[customer]
        # by definition of the exposure there is no visit between an experience's start and the exposure
        waits = (day >= home_start) & (day < lives.home.day[customer])
        known = traits.first_seen[customer] < offers_start
        waits |= known & (day >= offers_start) & (day < lives.offers.day[customer])
        customers.append(customer[~waits])
        days.append(day[~waits])
    exposed = (lives.home.day > traits.first_seen) & (lives.home.day < until)
    offered = lives.offers.seen & (lives.offers.day != lives.home.day)
    for day, who in (
        (traits.first_seen, slice(None)),
        (lives.home.day, exposed),
        (lives.offers.day, offered),
        (lives.crossover.day, lives.crossover.seen),
    ):
        customers.append(everyone[who])
        days.append(day[who])
    return np.concatenate(customers), np.concatenate(days)


def draw_events(lives: Lives, knobs: Knobs, rng: np.random.Generator) -> Events:
    """Pages, carts and purchases: a visit opens with the home page, an order comes by a direct link."""
    visitor, visit_day = draw_visits(lives, knobs, rng)
    customer = np.concatenate([visitor, lives.order_customer])
    order = np.concatenate([np.full(visitor.size, -1), np.arange(lives.order_customer.size)])
    is_order = order >= 0
    has_cart = is_order | (rng.random(customer.size) < SHARE_WITH_CART)
    browsed = rng.poisson(knobs.pages_per_visit, customer.size)
    length = 1 + np.maximum(browsed, has_cart) + has_cart  # nobody adds what they have not looked at

    # one row an event: `session` is its visit, `left` how many events follow in it
    session = np.repeat(np.arange(customer.size), length)
    row = np.arange(session.size)
    first_row = np.cumsum(length) - length
    left = (first_row + length - 1)[session] - row
    is_purchase = is_order[session] & (left == 0)
    is_cart = has_cart[session] & (left == is_order[session])
    is_wanted = has_cart[session] & (left == 1 + is_order[session])
    is_home = (row == first_row[session]) & ~is_order[session]
    is_category = ~(is_purchase | is_cart | is_wanted | is_home)
    is_category &= rng.random(session.size) < SHARE_OF_CATEGORY_PAGES
    name = np.select([is_purchase, is_cart, is_home | is_category], [3, 2, 0], default=1)

    # low numbers are popular; what goes into the cart is what was looked at just before
    item = (len(PRODUCTS) * rng.random(session.size) ** 2).astype(np.int64)
    item = item[row - is_cart]
    item[is_purchase | is_home | is_category] = -1
    category = 2 + rng.integers(len(CATEGORIES), size=session.size)
    page = np.select([is_home, is_purchase, is_category], [0, 1, category], default=FIRST_PRODUCT + item)

    # times run forward from a visit's start, backward from an order, never to before the first visit
    pace = np.ceil(rng.exponential(SECONDS_A_PAGE, session.size)).astype(np.int64)
    pace[first_row] = 0
    run = np.cumsum(pace)
    anchor = np.concatenate([seconds(visit_day), seconds(lives.order_day)])
    anchor_row = np.where(is_order, first_row + length - 1, first_row)
    second = anchor[session] + run - run[anchor_row][session]
    second = np.maximum(second, seconds(lives.traits.first_seen)[customer[session]])

    # the first visit came by the customer's source, later ones by a newsletter, a search or the address
    source = rng.choice(len(SOURCES), customer.size, p=[0.3, 0.1, 0.1, 0.2, 0.3])
    first = np.flatnonzero(visit_day == lives.traits.first_seen[visitor])
    source[first] = lives.traits.source[visitor[first]]

    inside = np.flatnonzero(second < 86_400 * knobs.days)
    kept = inside[np.argsort(second[inside], kind="stable")]
    return Events(
        customer=customer[session[kept]],
        session=session[kept] + 1,
        second=second[kept],
        name=name[kept],
        page=page[kept],
        source=source[session[kept]],
        item=item[kept],
        order=np.where(is_purchase, order[session], -1)[kept],
    )
