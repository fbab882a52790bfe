"""The simulated shop as tables and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.simulate.clock import seconds, timestamps
from workbench.simulate.knobs import COUNTRIES, DEVICES, HOME, OFFERS, SOURCES, Knobs
from workbench.simulate.lives import Exposure, Flags, Floats, Integers, Lives, draw_lives, draw_traits
from workbench.simulate.truth import Truth
from workbench.simulate.visits import NAMES, PAGES, PRICES, PRODUCTS, draw_events

MARGIN = 0.40  # mean share of an order's revenue that is margin
SHARE_REFUNDED = 0.03
SHARE_DISCOUNTED = 0.15
SHARE_IN_APP = 0.35  # of the orders of mobile customers


@dataclass(frozen=True)
class Shop:
    """A shop with known truth; see `workbench.simulate`.

    Attributes:
        knobs: What was set.
        tables: `customers`, `events` (if asked for), `orders` and `exposures` in the standard columns. Times
            are UTC without a zone, in whole seconds. Money is EUR; revenue is after discount and before
            refund, and margin is of that revenue. `p_assign` is the probability of the variant that was
            assigned, null where it was not randomised.
        truth: What an analysis ought to find.
    """

    knobs: Knobs
    tables: dict[str, pa.Table]
    truth: Truth

    def unit_level(self, experience_id: str = HOME, window_days: int = 14) -> pa.Table:
        """The commonest file of all: a row for each customer exposed at least `window_days` before the end.

        Returns:
            customer_id, group, converted (0 or 1), revenue (EUR) within the window, country, device.
        """
        lives, exposure = self.truth.lives, self.truth.exposure(experience_id)
        day, customer = lives.order_day, lives.order_customer
        since = day - exposure.day[customer]
        inside = (since >= 0) & (since < window_days)
        size = self.knobs.customers
        revenue = np.bincount(customer[inside], self.tables["orders"]["revenue"].to_numpy()[inside], size)
        converted = np.bincount(customer[inside], minlength=size) > 0
        personalised = lives.personalised if experience_id == HOME else lives.offered
        customers = self.tables["customers"]
        return pa.table(
            {
                "customer_id": customers["customer_id"],
                "group": _take(("generic", "personalised"), personalised.astype(np.int64)),
                "converted": converted.astype(np.int64),
                "revenue": revenue.round(2),
                "country": customers["country"],
                "device": customers["device"],
            }
        ).filter(pa.array(exposure.seen & (exposure.day <= self.knobs.days - window_days)))

    def write_csv(self, folder: str | Path) -> None:
        """Write each table to a file of its name, as a shop's export looks: ISO times, UTC, to the second."""
        from pyarrow import csv

        Path(folder).mkdir(parents=True, exist_ok=True)
        options = csv.WriteOptions(quoting_style="none", quoting_header="none")
        for name, table in self.tables.items():
            for at, column in enumerate(table.schema):
                if pa.types.is_timestamp(column.type):
                    text = pc.strftime(table[column.name].cast(pa.timestamp("s")), "%Y-%m-%d %H:%M:%S")
                    table = table.set_column(at, column.name, text)
            csv.write_csv(table, Path(folder) / f"{name}.csv", options)


def build(knobs: Knobs) -> Shop:
    """The shop with these settings; each part draws on its own seed, so the events change nothing else."""
    of_traits, of_lives, of_orders, of_events = (
        np.random.default_rng(seed) for seed in np.random.SeedSequence(knobs.seed).spawn(4)
    )
    lives = draw_lives(draw_traits(knobs, of_traits), knobs, of_lives)
    customers = _customers(lives, knobs)
    ids = customers["customer_id"]
    orders = _orders(lives, ids, knobs, of_orders)
    events = {"events": _events(lives, ids, orders, knobs, of_events)} if knobs.with_events else {}
    tables = {"customers": customers, **events, "orders": orders, "exposures": _exposures(lives, ids, knobs)}
    return Shop(knobs, tables, Truth(knobs, lives, customers))


def _take(names: Sequence[str | None], index: Integers) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(index))


def _labels(prefix: str, count: int) -> pa.Array:
    """Ids `prefix` 000001 and so on."""
    width = max(6, len(str(count)))
    number = pc.utf8_lpad(pa.array(np.arange(1, count + 1)).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, number, "")


def _times(day: Floats, start: date, known: Flags | None = None) -> pa.Array:
    """UTC times; null where not `known`."""
    if known is None:
        return pa.array(timestamps(seconds(day), start))
    return pa.array(timestamps(seconds(np.where(known, day, 0.0)), start), mask=~known)


def _customers(lives: Lives, knobs: Knobs) -> pa.Table:
    traits = lives.traits
    regions = [name for _, _, names in COUNTRIES.values() for name in names]
    sizes = np.array([len(names) for _, _, names in COUNTRIES.values()])
    source, medium, campaign, _ = zip(*SOURCES, strict=True)
    return pa.table(
        {
            "customer_id": _labels("c", knobs.customers),
            "first_seen": _times(traits.first_seen, knobs.start),
            # an account is made with the first order
            "signed_up": _times(lives.first_order, knobs.start, lives.first_order < knobs.days),
            "country": _take(list(COUNTRIES), traits.country),
            "region": _take(regions, (np.cumsum(sizes) - sizes)[traits.country] + traits.region),
            "device": _take(list(DEVICES), traits.device),
            "source": _take(source, traits.source),
            "medium": _take(medium, traits.source),
            "campaign": _take(campaign, traits.source),
        }
    )


def _orders(lives: Lives, ids: pa.ChunkedArray, knobs: Knobs, rng: np.random.Generator) -> pa.Table:
    """Orders by customer and time; revenue is Gamma-Gamma whatever the discount was."""
    customer, day = lives.order_customer, lives.order_day
    n = customer.size
    lifted = lives.treated[customer] & (day >= lives.home.day[customer])
    mean = lives.traits.spend[customer] * np.where(lifted, 1 + knobs.spend_lift, 1)
    revenue = np.maximum((rng.gamma(knobs.p, 1 / knobs.p, n) * mean).round(2), 0.01)
    margin = revenue * np.clip(rng.normal(MARGIN, 0.05, n), 0.05, 0.9)
    discount = revenue * np.where(rng.random(n) < SHARE_DISCOUNTED, rng.uniform(0.05, 0.25, n), 0)
    refund = revenue * np.where(rng.random(n) < SHARE_REFUNDED, rng.choice([0.5, 1.0], n), 0)
    in_app = (lives.traits.device[customer] == list(DEVICES).index("mobile")) & (rng.random(n) < SHARE_IN_APP)
    return pa.table(
        {
            "order_id": _labels("o", n),
            "customer_id": ids.take(pa.array(customer)),
            "ts": _times(day, knobs.start),
            "revenue": revenue,
            "margin": margin.round(2),
            "discount": discount.round(2),
            "refund": refund.round(2),
            "currency": pa.repeat("EUR", n),
            "channel": _take(("web", "app"), in_app.astype(np.int64)),
        }
    )


def _events(
    lives: Lives, ids: pa.ChunkedArray, orders: pa.Table, knobs: Knobs, rng: np.random.Generator
) -> pa.Table:
    events = draw_events(lives, knobs, rng)
    in_cart = events.name == NAMES.index("add_to_cart")
    revenue = np.append(orders["revenue"].to_numpy(), np.nan)  # for the order -1 of all but purchases
    value = np.where(in_cart, PRICES[events.item], revenue[events.order])
    return pa.table(
        {
            "event_id": np.arange(1, events.customer.size + 1),
            "customer_id": ids.take(pa.array(events.customer)),
            "session_id": events.session,
            "ts": timestamps(events.second, knobs.start),
            "name": _take(NAMES, events.name),
            "page": _take(PAGES, events.page),
            "item": pa.array(PRODUCTS).take(pa.array(events.item, mask=events.item < 0)),
            "value": pa.array(value, mask=~(in_cart | (events.order >= 0))),
            "device": _take(list(DEVICES), lives.traits.device[events.customer]),
            "source": _take([source for source, *_ in SOURCES], events.source),
        }
    )


def _exposures(lives: Lives, ids: pa.ChunkedArray, knobs: Knobs) -> pa.Table:
    personalised = lives.personalised
    delivered = lives.deliverable
    parts = [
        _exposed(ids, HOME, lives.home, personalised, delivered, knobs),
        _exposed(ids, HOME, lives.crossover, ~personalised, delivered, knobs),
        _exposed(ids, OFFERS, lives.offers, lives.offered, np.ones_like(delivered), knobs),
    ]
    return pa.concat_tables(parts).sort_by([("ts", "ascending"), ("customer_id", "ascending")])


def _exposed(
    ids: pa.ChunkedArray,
    experience: str,
    exposure: Exposure,
    personalised: Flags,
    delivered: Flags,
    knobs: Knobs,
) -> pa.Table:
    who = np.flatnonzero(exposure.seen)
    treated = personalised[who]
    random = experience == HOME
    probability = np.where(treated, knobs.share, 1 - knobs.share)
    level = ("none", "individual") if random else ("none", "few")
    return pa.table(
        {
            "customer_id": ids.take(pa.array(who)),
            "experience_id": pa.repeat(experience, who.size),
            "variant": _take(("generic", "personalised"), treated.astype(np.int64)),
            "ts": _times(exposure.day[who], knobs.start),
            "assignment": pa.repeat("random" if random else "self", who.size),
            "p_assign": pa.array(probability, mask=np.full(who.size, not random)),
            "level": _take(level, treated.astype(np.int64)),
            "type": pa.repeat("content" if random else "offer", who.size),
            "delivered": delivered[who] | ~treated,
        }
    )
