"""A posterior as three numbers, and sums over customers read from an answer of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.locale import Message, say
from workbench.metrics.engagement import ORDER
from workbench.models.arms import Arm
from workbench.models.clusters import SUMS, Clustered


@dataclass(frozen=True)
class Estimate:
    """A value and the ends of its interval: a share as seen, the mean of a posterior, or its median."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Needs:
    """A part that is not there, and what it needs."""

    sentence: Message


def of_arm(arm: Arm, level: float) -> Estimate:
    """Mean and interval of a posterior."""
    low, high = arm.ppf([(1 - level) / 2, (1 + level) / 2])
    return Estimate(arm.mean, float(low), float(high))


def clustered(row: Mapping[str, Any], name: str) -> Clustered:
    """The sums of that name in a row of `metrics.engagement.pairs`."""
    return Clustered(*(float(row[f"{name}_{part}"] or 0) for part in (*SUMS, "customers")))


def share_of(row: Mapping[str, Any], name: str, level: float) -> Estimate:
    """The share of that name, as seen, in a row of `metrics.engagement.pairs`."""
    found = clustered(row, name)
    known = of_arm(found.share(), level)
    return Estimate(found.ratio, known.low, known.high) if found.n else known


def success_name(success: str) -> Message:
    """What a visit should end in, in words."""
    return say("an order") if success == ORDER else say("“{event}”", event=success.partition(":")[2])
