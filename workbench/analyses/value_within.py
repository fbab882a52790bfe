"""The arms of an experiment within segments: read from the tables and pooled.

Arms are pooled over segments as `models.pooled_value` has it: an arm changes how often customers buy, how
soon they leave and what an order brings, in each segment by about as much as in the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pyarrow as pa

from workbench import segments
from workbench.analyses import histories as reading
from workbench.analyses.groups import described
from workbench.analyses.value_groups import FEWEST_REPEATERS, Fit, fit, pool
from workbench.engines import cancelling, table
from workbench.errors import ModelError, WorkbenchError
from workbench.metrics import purchases as counting
from workbench.metrics.cells import ask
from workbench.models.importance import Array, Seed, independent_seeds
from workbench.models.newcomers import Newcomers
from workbench.models.pooled_value import Group, PooledPurchases, PooledSpend
from workbench.models.purchases import PurchaseRows
from workbench.models.spend import SpendRows
from workbench.records import ValueSettings

if TYPE_CHECKING:
    from workbench.project import Project

_MOST_SEGMENTS = 24
_DRAWS, _DRAWS_ALONE = 1000, 1000
_APART = "\x1f"
"""Between the names of a segment and an arm in one column of text."""


@dataclass(frozen=True)
class Within:
    """Everything that takes time: what was read, pooled, and each group alone where it can stand so.

    Attributes:
        rules, tables: Of the segments.
    """

    control: str
    rules: dict[str, str]
    tables: tuple[str, ...]
    rows: dict[Group, PurchaseRows]
    purchases: PooledPurchases
    spend: PooledSpend
    newcomers: dict[Group, Newcomers]
    alone: dict[Group, Fit]

    @property
    def segments(self) -> list[str]:
        """By name."""
        return sorted({segment for segment, _ in self.newcomers})

    @property
    def arms(self) -> list[str]:
        """All but the control."""
        return list(self.purchases.effects)


def fit_within(project: Project, settings: ValueSettings, control: str | None, seed: Seed) -> Within:
    """Arms within segments, pooled.

    Raises:
        DataError: when `within` is not there.
        ModelError: when the posterior fails its checks.
        WorkbenchError: when `by` is no experiment with a control, or there are too many segments.
    """
    if control is None:
        raise WorkbenchError(
            "Segments are looked into for an experiment with a control; “{by}” is none, so leave out "
            "“within” or split by an experiment.",
            by=settings.by or "–",
        )
    grouping = reading.Grouping.of(project, settings.within)
    rows, money = read(project, settings, grouping.rules)
    names = {segment for segment, _ in rows}
    if len(names) > _MOST_SEGMENTS:
        raise WorkbenchError(
            "“{by}” has {n:count} groups; choose something with at most {most:count}.",
            by=settings.within,
            n=len(names),
            most=_MOST_SEGMENTS,
        )
    one, *seeds = independent_seeds(seed, len(rows) + 1)
    bought, spent = pool(rows, money, control, settings.model, _DRAWS, one)
    alone: dict[Group, Fit] = {}
    for (group, some), own in zip(rows.items(), seeds, strict=True):
        cancelling.check()
        if group in money and money[group].customers >= FEWEST_REPEATERS:
            try:
                alone[group] = fit("", some, money[group], settings, _DRAWS_ALONE, own)
            except ModelError:
                continue
    newcomers = {group: Newcomers(draws) for group, draws in bought.groups.items()}
    return Within(control, grouping.rules, grouping.tables, rows, bought, spent, newcomers, alone)


def read(
    project: Project, settings: ValueSettings, rules: dict[str, str]
) -> tuple[dict[Group, PurchaseRows], dict[Group, SpendRows]]:
    """Histories and spend by segment and arm, compressed as `histories.read` does.

    Args:
        project: Where the orders are.
        settings: The question.
        rules: Of saved segments; empty where `within` is a column.

    Raises:
        DataError: without orders, or when the group is not there.
    """
    engine, within = project.engine, str(settings.within)
    each = reading.in_groups(project, settings)
    if rules:
        people = segments.assign(engine, rules, table(engine, "customers").select("customer_id"))
        each, column = each.inner_join(people, "customer_id"), "segment"
    else:
        each, columns = described(engine, each, within)
        column = columns[within]
    each = each.mutate(group=each[column].cast("string") + ibis.literal(_APART) + each["group"])
    n = int(ask(engine, each.aggregate(n=each.count())).to_pylist()[0]["n"])
    if n <= reading.EXACT_UP_TO:
        times, spent = ask(engine, counting.exact_times(each)), ask(engine, counting.exact_spend(each))
    else:
        found = counting.Compressed(ask(engine, counting.compressed(each, {within: "group"}), counting.KEYS))
        times, spent = found.times(within), found.spend(within)
    return (
        {group: PurchaseRows(*columns) for group, columns in _split(times, "x", "t_x", "T", "n")},
        {group: SpendRows(*columns) for group, columns in _split(spent, "x", "n", "mean_log", "var_log")},
    )


def _split(rows: pa.Table, *names: str) -> list[tuple[Group, list[Array]]]:
    groups = np.asarray(rows["group"].to_pylist(), dtype=object)
    # parallel sums differ in the last bits
    columns = [np.round(rows[name].to_numpy().astype(float), 9) for name in names]
    found = []
    for label in sorted(set(groups)):
        segment, arm = str(label).split(_APART)
        found.append(((segment, arm), [column[groups == label] for column in columns]))
    return found
