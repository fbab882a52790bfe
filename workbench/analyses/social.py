"""Reactions in social networks for each person reached, by network and type.

Counts alone favour posts that reached many; posts whose reach is not known are in no rate and are said apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.analyses.estimates import Estimate, Needs, of_arm
from workbench.engines import Engine, has, table
from workbench.locale import Message, say
from workbench.metrics import engagement as sums
from workbench.metrics.cells import ask
from workbench.models.counts import NegativeBinomial, negative_binomial

MOST_POSTS = 10
_TYPES = {
    "like": say("like"),
    "comment": say("comment"),
    "share": say("share"),
    "click": say("click"),
    "view": say("view"),
    "follow": say("follow"),
    "save": say("save"),
}


@dataclass(frozen=True)
class Reaction:
    """Reactions of one type in one network.

    Attributes:
        posts, n, reach: Posts (or days, where posts have no name) of known reach, reactions, people reached.
        rate: Reactions per person reached; None where no reach is known.
        variation: Coefficient of variation of the posts' rates.
        unknown: Reactions of posts whose reach is not known; in no rate.
    """

    network: str
    type: str
    posts: int
    n: int
    reach: int
    rate: Estimate | None
    variation: float | None
    unknown: int


@dataclass(frozen=True)
class Post:
    """A post that drew more than others: its rate, drawn towards them, and how many times theirs that is."""

    network: str
    type: str
    post: str
    n: int
    reach: int
    rate: float
    times: float


@dataclass(frozen=True)
class Social:
    """Reactions in social networks: the highest rate first, then the posts that drew most."""

    reactions: tuple[Reaction, ...]
    best: tuple[Post, ...]
    sentence: Message


def social(engine: Engine, level: float) -> Social | Needs:
    """What is known of the table `social`."""
    if not has(engine, "social"):
        return Needs(
            say(
                "Social networks need the table social: for each day, network, post and type of reaction the "
                "count, and how many people were reached."
            )
        )
    posts: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in ask(engine, sums.of_posts(table(engine, "social"))).to_pylist():
        posts[str(row["network"]), str(row["type"])].append(row)
    reactions, best = [], []
    for (network, kind), rows in sorted(posts.items()):
        known = sorted(
            (row for row in rows if row["known"]),
            key=lambda row: (str(row["post"]), row["day"]),
        )
        unknown = sum(int(row["n"]) for row in rows if not row["known"])
        counts, reach = ([int(row[name]) for row in known] for name in ("n", "reach"))
        rate = variation = None
        if known:
            found = negative_binomial(counts, reach)
            rate = of_arm(found.rate, level)
            variation = float(found.variation(0.5))
            best += _best(network, kind, known, found)
        reactions.append(
            Reaction(network, kind, len(known), sum(counts), sum(reach), rate, variation, unknown)
        )
    reactions.sort(key=lambda one: -one.rate.value if one.rate else 1.0)
    best.sort(key=lambda one: (-one.times, one.post))
    return Social(tuple(reactions), tuple(best[:MOST_POSTS]), _sentence(reactions))


def _best(network: str, kind: str, known: Sequence[Mapping[str, Any]], found: NegativeBinomial) -> list[Post]:
    """Named posts with more reactions for each person reached than the others of their kind."""
    named = [row for row in known if row["post"] is not None]
    if len(named) < 2:
        return []
    n, reach = (np.array([int(row[name]) for row in named]) for name in ("n", "reach"))
    rates, usual = found.unit_rates(n, reach), found.rate.mean
    top = np.argsort(-rates)[:MOST_POSTS]
    return [
        Post(
            network,
            kind,
            str(named[i]["post"]),
            int(n[i]),
            int(reach[i]),
            float(rates[i]),
            float(rates[i] / usual),
        )
        for i in top
        if rates[i] > usual
    ]


def type_name(kind: str) -> Message | str:
    """A type of reaction in words."""
    return _TYPES.get(kind, kind)


def _sentence(reactions: Sequence[Reaction]) -> Message:
    known = [one for one in reactions if one.rate is not None]
    first = next((one for one in known if one.type != "view"), known[0] if known else None)
    if first is None or first.rate is None:
        return say("How many people were reached is not known of any post, so there are counts and no rates.")
    return say(
        "The most frequent reaction is “{type}” in {network}: {rate:number} for a thousand people reached "
        "(between {low:number} and {high:number}).",
        rate=1000 * first.rate.value,
        type=type_name(first.type),
        network=first.network,
        low=1000 * first.rate.low,
        high=1000 * first.rate.high,
    )
