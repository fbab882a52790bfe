"""From a look at a product to an order: how many go on at each step, and how many carts are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.analyses.estimates import Estimate, Needs, share_of
from workbench.engines import Engine
from workbench.locale import Message, say
from workbench.metrics.carts import carts, of_carts
from workbench.metrics.cells import ask

LOOKS = ("product_view", "view_item", "product_viewed", "viewed_product", "view_product", "ver_producto")
CARTS = (
    *("add_to_cart", "added_to_cart", "product_added", "product_added_to_cart", "addtocart"),
    *("anadir_al_carrito", "añadir_al_carrito"),
)
Name = Literal["looked", "carted", "ordered"]


@dataclass(frozen=True)
class Step:
    """A step on the way.

    Attributes:
        name: Which.
        visits: That came so far.
        of_all: Share of those that looked at a product.
        of_before: Share of those that took the step before; None for the first.
    """

    name: Name
    visits: int
    of_all: Estimate
    of_before: Estimate | None


@dataclass(frozen=True)
class Carts:
    """The way from a look to an order.

    Attributes:
        steps: Looked at a product, put something into the cart, ordered.
        carts: Visits that put something into the cart, whether they were seen to look at it or not.
        left: Share of them without an order in time.
        recent: Visits that began so late that nobody knows yet; in no number.
        hours: So long after the cart an order counts.
    """

    steps: tuple[Step, ...]
    carts: int
    left: Estimate
    recent: int
    hours: int
    sentence: Message


def usual(names: Sequence[str], known: Sequence[str]) -> str | None:
    """The first of the names that is a known one, however it is written.

    >>> usual(["page_view", "Added to Cart"], CARTS)
    'Added to Cart'
    """
    plain = {name: name.strip().lower().replace(" ", "_").replace("-", "_") for name in names}
    return next((name for one in known for name in names if plain[name] == one), None)


def way(
    engine: Engine,
    events: Any,
    orders: Any,
    *,
    gap_minutes: int,
    looked: str | None,
    carted: str | None,
    success: str | None,
    hours: int,
    until: int,
    level: float,
) -> Carts | Needs:
    """How far visits come, see `metrics.carts.carts`."""
    if looked is None or carted is None or success is None:
        return Needs(
            say(
                "What becomes of carts needs events that say when a product is looked at (product_view) and "
                "when something is put into the cart (add_to_cart), and orders; if your events have other "
                "names, choose them."
            )
        )
    rows = carts(
        events,
        orders,
        gap_minutes=gap_minutes,
        looked=looked,
        carted=carted,
        success=success,
        hours=hours,
        until=until,
    )
    found = {int(row["known"]): row for row in ask(engine, of_carts(rows), ["known"]).to_pylist()}
    row, recent = found.get(1), found.get(0)
    if row is None or not row["added_n"] or not row["left_n"]:
        return Needs(say("No visit that looked at a product is old enough to say what became of it."))
    looks, added, ended = (int(row[name] or 0) for name in ("added_n", "added_x", "ended_x"))
    steps = [
        Step("looked", looks, Estimate(1.0, 1.0, 1.0), None),
        Step("carted", added, share_of(row, "added", level), share_of(row, "added", level)),
        Step(
            "ordered",
            ended,
            share_of(row, "ended", level),
            share_of(row, "ordered", level) if added else None,
        ),
    ]
    left = share_of(row, "left", level)
    return Carts(
        steps=tuple(steps),
        carts=int(row["left_n"]),
        left=left,
        recent=0 if recent is None else int(max(recent["added_n"] or 0, recent["left_n"] or 0)),
        hours=hours,
        sentence=say(
            "Of the visits that look at a product, {added:percent} put something into the cart, and "
            "{ended:percent} order within {hours:count} hours. {left:percent} of all carts are left without "
            "an order.",
            added=steps[1].of_all.value,
            ended=steps[2].of_all.value,
            hours=hours,
            left=left.value,
        ),
    )
