"""Which group a customer is in: an attribute, a touch that brought them, or saved segments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ibis

from workbench import segments
from workbench.engines import Engine, has, table
from workbench.errors import DataError
from workbench.metrics import touch
from workbench.metrics.cells import Cell, ask
from workbench.moments import CrossMoments

if TYPE_CHECKING:
    from workbench.project import Project

SEGMENTS = "segments"
CROSSED = " × "
"""Between the names of attributes that are crossed."""
MOST_GROUPS = 200
_SOME_CUSTOMERS = 10_000


def rules_for(project: Project, by: str | None) -> dict[str, str]:
    """The rules of the segments that `by` names; empty when it is an attribute, or None.

    Raises:
        DataError: when it is neither.
    """
    if by and CROSSED in by:
        return {name: rule for part in by.split(CROSSED) for name, rule in rules_for(project, part).items()}
    if not by or (has(project.engine, "customers") and by in table(project.engine, "customers").columns):
        return {}
    if by_touch(project.engine, by):
        return {}
    saved = dict(project.segments)
    if by in saved:
        return {by: saved[by]}
    if by in (SEGMENTS, "segment") and saved:
        return saved
    columns = [c for c in table(project.engine, "customers").columns if c != "customer_id"]
    touches = touch.NAMES if has(project.engine, "events") else ()
    raise no_group(by, [*columns, *saved, *touches])


def by_touch(engine: Engine, by: str | None) -> bool:
    """Whether a group is the first or last touch, or a device, found in the events."""
    if not by or not touch.is_touch(by) or not has(engine, "events"):
        return False
    return not (has(engine, "customers") and by in table(engine, "customers").columns)


def names_in_rules(rules: dict[str, str]) -> set[str]:
    """What the rules ask for."""
    return set().union(
        *(segments.names_in(segments.parse(name, rule)) for name, rule in rules.items()), set()
    )


def described(
    engine: Engine, people: Any, by: str | None, most: int = MOST_GROUPS
) -> tuple[Any, dict[str, str]]:
    """`people` with a column of text for each attribute, and attribute → column.

    An engine that remembers answers is asked for all attributes with at most so many values, so that the next
    question has its answer already; another only for the one that is wanted.
    """
    if by and by_touch(engine, by):
        return touch.described(table(engine, "events"), people, by), {by: by}
    few = few_values(engine, most) if hasattr(engine, "answer") else []
    attributes = few if by is None or by in few else [by]
    if not attributes:
        return people, {}
    groups = {name: f"by_{index}" for index, name in enumerate(attributes)}
    customers = table(engine, "customers")
    labels = {column: segments.label(customers[name]) for name, column in groups.items()}
    joined = people.left_join(customers.select("customer_id", **labels), "customer_id")
    joined = joined.drop("customer_id_right")
    known = {column: ibis.coalesce(joined[column], segments.NOT_KNOWN) for column in labels}
    return joined.mutate(**known), groups


def crossed(engine: Engine, people: Any, by: str, rules: Mapping[str, str], end: int) -> Any:
    """`people` with a column `crossed`: the groups of several attributes or segments, joined.

    Args:
        engine: Where the attributes are.
        people: Rows of `customer_id`, `as_of`.
        by: Names joined by `CROSSED`.
        rules: Those of the names that are segments.
        end: The end of the data, in seconds since 1970.
    """
    parts = by.split(CROSSED)
    for index, part in enumerate(parts):
        if part in rules:
            people, column = in_segments(engine, people, {part: rules[part]}, end), "segment"
        else:
            people, groups = described(engine, people, part)
            column = groups[part]
            people = people.drop(*(name for name in groups.values() if name != column))
        people = people.rename({f"part_{index}": column})
    names = [people[f"part_{index}"] for index in range(len(parts))]
    whole = ibis.literal(CROSSED).join(names)
    return people.mutate(crossed=whole).drop(*(f"part_{index}" for index in range(len(parts))))


def in_groups(project: Project, people: Any, by: str, end: int) -> Any:
    """`people` with a column `group`: of an attribute, a touch, segments, or several of them crossed.

    Args:
        project: Where they are.
        people: Rows of `customer_id`, `as_of`; further columns are kept.
        by: What to group by.
        end: The end of the data, in seconds since 1970.

    Raises:
        DataError: when there is nothing of that name.
    """
    rules = rules_for(project, by)
    if CROSSED in by:
        rows, column = crossed(project.engine, people, by, rules, end), "crossed"
    elif rules:
        rows, column = in_segments(project.engine, people, rules, end), "segment"
    else:
        rows, groups = described(project.engine, people, by)
        column = groups[by]
    return rows.select(*people.columns, group=rows[column])


def few_values(engine: Engine, most: int) -> list[str]:
    """Attributes of customers that have few values among the first customers."""
    if not has(engine, "customers"):
        return []
    customers = table(engine, "customers")
    kinds = customers.schema()
    names = [
        name
        for name, kind in kinds.items()
        if name != "customer_id" and (kind.is_string() or kind.is_boolean() or kind.is_integer())
    ]
    if not names:
        return []
    some = customers.select(*names).limit(_SOME_CUSTOMERS)
    values = ask(engine, some.aggregate(**{name: some[name].nunique() for name in names})).to_pylist()[0]
    return [name for name in names if values[name] <= most]


def in_segments(engine: Engine, people: Any, rules: dict[str, str], end: int) -> Any:
    """`people` with a column `segment`, their history as it was before the exposure, or at the end."""
    dated = people.mutate(as_of=ibis.coalesce(people.as_of, ibis.literal(end, "int64")))
    return segments.assign(engine, rules, dated)


def no_group(by: str, known: list[str]) -> DataError:
    """That there is nothing of this name to group by."""
    return DataError(
        "There is no column or segment “{by}” to group by; there are: {known}.",
        by=by,
        known=", ".join(known) or "–",
    )


def and_everybody[C: (Cell, CrossMoments)](
    found: Mapping[tuple[str, str], C], by: str | None
) -> dict[tuple[str, str | None], C]:
    """What was found by arm and group, if there are to be groups, and under None for everybody."""
    cells: dict[tuple[str, str | None], C] = {}
    for (arm, group), cell in found.items():
        if by:
            cells[arm, group] = cell
        whole = cells.get((arm, None))
        cells[arm, None] = cell if whole is None else whole + cell
    return cells
