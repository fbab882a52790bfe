"""Two experiments at once, as two factors: of those who were in both, each combination of arms is an arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.analyses import propensities
from workbench.analyses.groups import CROSSED
from workbench.engines import Engine, has, table
from workbench.errors import DataError, check_choice
from workbench.locale import say
from workbench.metrics.cells import ask
from workbench.records import Assignment, EffectSettings

if TYPE_CHECKING:
    from collections.abc import Callable

FEWEST_IN_BOTH = 30


def overlapping(engine: Engine, experiment: str) -> list[str]:
    """The other experiments with times that have customers of this one, sorted."""
    if not has(engine, "exposures"):
        return []
    rows = table(engine, "exposures")
    rows = rows.filter(rows.ts.notnull())
    names = {row["experience_id"] for row in ask(engine, rows.select("experience_id").distinct()).to_pylist()}
    if experiment not in names or len(names) < 2:
        return []
    own = rows.filter(rows.experience_id == experiment).select("customer_id").distinct()
    shared = rows.filter(rows.experience_id != experiment).semi_join(own, "customer_id")
    counted = shared.group_by("experience_id").aggregate(n=shared.customer_id.nunique())
    found = ask(engine, counted).to_pylist()
    return sorted(row["experience_id"] for row in found if row["n"] >= FEWEST_IN_BOTH)


def prefixes(engine: Engine, experiment: str, other: str) -> tuple[str, str]:
    """What stands before the arms of either: its name, where both have one that is called the same."""
    both = set(_arms_of(engine, experiment)) & set(_arms_of(engine, other))
    return (f"{experiment}: ", f"{other}: ") if both else ("", "")


def _levels(engine: Engine, experiment: str, other: str) -> tuple[dict[str, str], dict[str, str]]:
    """Arm → level of the factor, of either experiment."""
    one, two = (
        {arm: f"{before}{arm}" for arm in _arms_of(engine, name)}
        for name, before in zip((experiment, other), prefixes(engine, experiment, other), strict=True)
    )
    return one, two


def arms(engine: Engine, experiment: str, other: str) -> list[str]:
    """All combinations, sorted."""
    first, second = _levels(engine, experiment, other)
    return sorted(f"{one}{CROSSED}{two}" for one in first.values() for two in second.values())


def _arms_of(engine: Engine, experiment: str) -> list[str]:
    rows = table(engine, "exposures")
    rows = rows.filter(rows.experience_id == experiment).select("variant").distinct()
    return sorted(row["variant"] for row in ask(engine, rows).to_pylist())


def check(
    engine: Engine, exposures: Any, settings: EffectSettings, recorded: list[Assignment | None]
) -> None:
    """That two experiments can be taken together.

    Args:
        engine, exposures: Where they are.
        settings: What was asked.
        recorded: How the data say that people were assigned in either.

    Raises:
        DataError: when they have no customers in common, or the shares of one's arms changed.
        WorkbenchError: when there is none of that name.
    """
    other = settings.crossed_with or ""
    check_choice(other, overlapping(engine, settings.experiment), say("experiment with the same customers"))
    if settings.together:
        raise DataError("Arms cannot be taken together where two experiments are looked at at once.")
    for name, word in zip((settings.experiment, other), recorded, strict=True):
        asked = settings.model_copy(update={"experiment": name})
        if propensities.is_adaptive(engine, exposures, asked, word):
            raise DataError(
                "The shares of the arms of “{name}” changed while it ran, so it cannot be crossed with "
                "another experiment.",
                name=name,
            )


def recorded_of(recorded: list[Assignment | None]) -> Assignment | None:
    """How people came into a combination: as in the less trustworthy of the two."""
    words: list[Assignment | None] = ["self", "rule", "unknown", None, "adaptive", "random"]
    return min(recorded, key=words.index)


def control(engine: Engine, settings: EffectSettings, control_of: Callable[[list[str]], str]) -> str:
    """The combination of the two controls."""
    first, second = _levels(engine, settings.experiment, settings.crossed_with or "")
    return f"{first[control_of(list(first))]}{CROSSED}{second[control_of(list(second))]}"


def planned(engine: Engine, exposures: Any, settings: EffectSettings) -> dict[str, float]:
    """The share of each combination, where chance decided in either apart."""
    names = settings.experiment, settings.crossed_with or ""
    first, second = (
        {
            level: (propensities.planned(engine, exposures, name, levels) or {}).get(arm, 1 / len(levels))
            for arm, level in levels.items()
        }
        for name, levels in zip(names, _levels(engine, *names), strict=True)
    )
    return {f"{one}{CROSSED}{two}": p * q for one, p in first.items() for two, q in second.items()}
