"""What of records others may see: nothing of few people, counts rounded, no rule that may name somebody.

What is hidden is decided over all records of a publication at once and beside its former versions
(`suppression`), then taken out of each record: of its tables, charts, ranks, tests, checks and sentences.
What is guaranteed is written in `docs/privacy.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import Any

from workbench.analyses.groups import CROSSED
from workbench.errors import WorkbenchError
from workbench.locale import Message, say
from workbench.publish.association_disclosure import disclosed_association
from workbench.publish.cohort_disclosure import disclosed_cohorts
from workbench.publish.rounding import left_out, rounded, said
from workbench.publish.suppression import Cell, Former, Sizes, Table, apart, hidden
from workbench.publish.suppression import too_small as too_small
from workbench.records import (
    SMALLEST_GROUP,
    AnyRecord,
    AssociationRecord,
    Check,
    CohortRecord,
    EffectRecord,
    ValueRecord,
)

_OF_GROUPS = frozenset({"small_segments", "small_groups", "withheld_groups"})
"""Checks that name groups of few."""
_NO_PEOPLE = frozenset({"sample_ratio_of_groups", "novelty", "holdout"})
"""Checks that count weeks, groups or purchases, not people."""


def disclosed_together(
    records: Sequence[AnyRecord],
    *,
    least: int = SMALLEST_GROUP,
    before: Sequence[tuple[AnyRecord, AnyRecord]] = (),
) -> list[AnyRecord]:
    """Records as others may see them, shown next to each other.

    Args:
        records: All of one publication.
        least: The fewest people a cell may have.
        before: Records of versions that are out, each as it was kept and as it was published.

    Raises:
        WorkbenchError: when two records are of the same people but for a few, who could be told apart.
    """
    tables = [_tables(record) for record in records]
    former = [one for kept, shown in before for one in _former(kept, shown)]
    old = [_whole(kept) for kept, _ in before]
    _check_wholes([_whole(record) for record in records], old, least)
    everything = [table for found in tables for table in found]
    gone = {
        people: hidden(
            [table for table in everything if table.people == people],
            least,
            [one for one in former if one.table.people == people],
        )
        for people in {table.people for table in everything}
    }
    shown: list[AnyRecord] = []
    for record, found in zip(records, tables, strict=True):
        names = [
            {_name(cell) for cell in table.sizes if (table.attributes, cell) in gone[table.people]}
            for table in found
        ]
        if isinstance(record, CohortRecord):
            shown.append(disclosed_cohorts(record, names[0], least))
            continue
        if not isinstance(record, EffectRecord | ValueRecord):
            shown.append(_alone(record, least))
            continue
        shown.append(_without(record, names[0] if names else set(), names[1:], least))
    return shown


def disclosed(record: AnyRecord, least: int = SMALLEST_GROUP) -> AnyRecord:
    """A record as others may see it alone."""
    return disclosed_together([record], least=least)[0]


def _alone(record: AnyRecord, least: int) -> AnyRecord:
    """A record that shares no table with others."""
    if isinstance(record, AssociationRecord):
        return disclosed_association(record, least)
    raise WorkbenchError("A result of this kind cannot be published yet.")


# --- the tables of a record ---


def _whole(record: AnyRecord) -> tuple[str, str, Sizes]:
    """About whom a record is, what it measures, and how many they are, by arm."""
    if isinstance(record, EffectRecord):
        settings = record.settings
        metric = f"{settings.metric}/{settings.per}/{settings.statistic}"
        return f"effect {settings.experiment}", metric, tuple(arm.n for arm in record.summary.arms)
    if isinstance(record, ValueRecord):
        return "value", record.settings.definition, (record.summary.customers,)
    if isinstance(record, CohortRecord):
        asked, cohorts = record.settings, record.summary.cohorts
        people = f"cohorts {asked.start} {asked.by or asked.period}"
        return people, "cohorts", (sum(cohort.customers for cohort in cohorts),)
    if not isinstance(record, AssociationRecord):
        return record.id, "", ()
    people = f"association {record.settings.treatment} {record.settings.name} {record.settings.arm}"
    return people, record.settings.metric, tuple(group.customers for group in record.summary.groups)


def _tables(record: AnyRecord) -> list[Table]:
    people, metric, _ = _whole(record)
    if isinstance(record, EffectRecord):
        sizes, whole = _effect_sizes(record)
        return [_table(people, metric, record.settings.by, sizes, whole)] if sizes else []
    if isinstance(record, CohortRecord):
        begun: dict[Cell, Sizes] = {(one.name,): (one.customers,) for one in record.summary.cohorts}
        return [Table(people, metric, ("cohort",), begun, _whole(record)[2])]
    if not isinstance(record, ValueRecord):
        return []
    value = record.summary
    groups: dict[str, Sizes] = {one.group: (one.customers,) for one in value.value if one.group is not None}
    found = [_table(people, metric, record.settings.by, groups, (value.customers,))]
    for arm in value.within.arms if value.within else ():
        inside = {one.segment: (one.customers,) for one in arm.segments}
        whole = (max(value.customers, sum(n for (n,) in inside.values())),)
        by = f"{arm.arm}{CROSSED}{record.settings.within}"
        found.append(Table(people, metric, (by,), {(name,): n for name, n in inside.items()}, whole))
    return found


def _effect_sizes(record: EffectRecord) -> tuple[dict[str, Sizes], Sizes]:
    """Group → customers of the control and of each arm it was held against; their sum in records that have no
    more."""
    items = record.summary.comparisons
    whole = {item.arm: item for item in items if item.segment is None}
    arms = sorted({item.arm for item in items if item.segment is not None} & set(whole))
    found: dict[str, Sizes] = {}
    for segment in dict.fromkeys(item.segment for item in items if item.segment is not None):
        own = {item.arm: item for item in items if item.segment == segment}
        found[segment] = _by_arm([own.get(arm) for arm in arms])
    return found, _by_arm([whole[arm] for arm in arms])


def _by_arm(items: Sequence[Any]) -> Sizes:
    known = [item for item in items if item is not None]
    if any(item.arm_n is None for item in known):
        return tuple(0 if item is None else item.n for item in items)
    control = known[0].n - known[0].arm_n if known else 0
    return (control, *(0 if item is None else item.arm_n for item in items))


def _table(people: str, metric: str, by: str | None, sizes: dict[str, Sizes], whole: Sizes) -> Table:
    attributes = tuple((by or "").split(CROSSED))
    cells: dict[Cell, Sizes] = {tuple(name.split(CROSSED)): n for name, n in sizes.items()}
    if any(len(cell) != len(attributes) for cell in cells):  # a value that holds the sign itself
        attributes, cells = (by or "",), {(name,): n for name, n in sizes.items()}
    return Table(people, metric, attributes, cells, whole)


def _name(cell: Cell) -> str:
    return CROSSED.join(cell)


def _former(kept: AnyRecord, shown: AnyRecord) -> list[Former]:
    seen = [set(table.sizes) for table in _tables(shown)]
    return [
        Former(table, frozenset(seen[place] if place < len(seen) else ()))
        for place, table in enumerate(_tables(kept))
    ]


def _check_wholes(
    new: Sequence[tuple[str, str, Sizes]], old: Sequence[tuple[str, str, Sizes]], least: int
) -> None:
    for one, other in combinations(new, 2):
        if one[:2] == other[:2] and 0 < apart(one[2], other[2]) < least:
            raise WorkbenchError(
                "Two of these results measure the same, of people who are the same but for a few, and would "
                "together give those few away; publish one of them."
            )
    for one in new:
        if any(one[:2] == other[:2] and 0 < apart(one[2], other[2]) < least for other in old):
            raise WorkbenchError(
                "Fewer than {least:count} people came in or went since a version of this page that is still "
                "there, and both together would give them away; wait for more data, or delete the page for "
                "good first.",
                least=least,
            )


# --- taking out ---


def _without(
    record: EffectRecord | ValueRecord, names: set[str], within: Sequence[set[str]], least: int
) -> EffectRecord | ValueRecord:
    if isinstance(record, EffectRecord):
        shown = _effect(record, names, least)
    else:
        shown = _value(record, names, within)
    count = len(names) + sum(map(len, within))
    return record.model_copy(
        update={
            "summary": record.summary.model_copy(update=shown),
            "checks": [*_checks(record.checks, names.union(*within), least), *left_out(count, least)],
            "verdict": said(record.verdict, names),
            "definitions": {},
            "draws": {},
        }
    )


def _effect(record: EffectRecord, names: set[str], least: int) -> dict[str, Any]:
    effect = record.summary
    together, ranking, tests, delivery = (
        effect.together,
        effect.ranking,
        effect.frequentist,
        effect.delivery,
    )
    if together is not None:
        together = together.model_copy(
            update={
                "better": [name for name in together.better if name not in names],
                "worse": [name for name in together.worse if name not in names],
            }
        )
    if ranking is not None:
        ranked = [
            one.model_copy(update={"customers": rounded(one.customers)})
            for one in ranking.segments
            if one.segment not in names
        ]
        known = ranked and ranking.best_seen not in names
        ranking = ranking.model_copy(update={"segments": ranked}) if known else None
    if tests is not None:
        tests = tests.model_copy(
            update={"segments": [one for one in tests.segments if one.name not in names]}
        )
    if delivery is not None and _few_reached(record, least):
        delivery = None
    small_week = any(week.n < 2 * least for week in effect.weeks)  # of both arms
    return {
        "comparisons": [
            item.model_copy(update={"n": rounded(item.n), "arm_n": None})
            for item in effect.comparisons
            if item.segment not in names
        ],
        "arms": [
            arm.model_copy(
                update={
                    "n": rounded(arm.n),
                    "total": rounded(arm.total) if effect.unit == "share" else arm.total,
                    "buyers": None if arm.buyers is None else rounded(arm.buyers),
                }
            )
            for arm in effect.arms
        ],
        "customers": rounded(effect.customers),
        "together": together,
        "ranking": ranking,
        "frequentist": tests,
        "delivery": delivery,
        # the line up to a week less that up to the one before is that week
        "weeks": []
        if small_week
        else [week.model_copy(update={"n": rounded(week.n)}) for week in effect.weeks],
    }


def _few_reached(record: EffectRecord, least: int) -> bool:
    """Whether a share stands for few people who were reached, or who were not."""
    found, sizes = record.summary.delivery, {arm.arm: arm.n for arm in record.summary.arms}
    reached = (
        [(round(share * sizes.get(arm, 0)), sizes.get(arm, 0)) for arm, share in found.shares.items()]
        if found
        else []
    )
    return any(0 < n < least or 0 < size - n < least for n, size in reached)


def _value(record: ValueRecord, names: set[str], within: Sequence[set[str]]) -> dict[str, Any]:
    value = record.summary
    shown: dict[str, Any] = {
        "value": [
            group.model_copy(update={"customers": rounded(group.customers)})
            for group in value.value
            if group.group not in names
        ],
        "differences": [item for item in value.differences if not names & set(item.groups)],
        "customers": rounded(value.customers),
        "rows": 0,
    }
    if value.pooled is not None and value.pooled.best in names:
        shown["pooled"] = value.pooled.model_copy(update={"best": None, "seen": None, "kept": None})
    if value.within is not None:
        arms = [
            arm.model_copy(
                update={
                    "segments": [
                        one.model_copy(update={"customers": rounded(one.customers)})
                        for one in arm.segments
                        if one.segment not in few
                    ]
                }
            )
            for arm, few in zip(value.within.arms, within, strict=True)
        ]
        shown["within"] = value.within.model_copy(update={"arms": arms})
    return shown


def _checks(checks: Sequence[Check], names: Collection[str], least: int) -> list[Check]:
    """Without the names of hidden groups, without counts of few people."""
    found = []
    for check in checks:
        if check.name in _OF_GROUPS:
            if check.status == "fail":  # it withholds the verdict, which has to stay withheld
                few = say("Some groups have too few people to say anything of them.")
                found.append(Check(name=check.name, status="fail", detail=few))
            continue
        people = check.name not in _NO_PEOPLE
        if check.name == "enough_data" and check.status == "ok":  # the size of the smallest arm
            words = {**check.detail.values, "least": rounded(check.detail.values["least"])}
            check = check.model_copy(update={"detail": Message(check.detail.text, words)})
        detail: Message = said(check.detail, names, least if people else 0)
        count, few_people = check.count, False
        if people and count is not None:
            few_people = 0 < count < least
            count = None if few_people else rounded(count)
        found.append(
            check.model_copy(
                update={
                    "detail": detail,
                    "count": count,
                    "share": None if few_people else check.share,
                    "examples": (),
                }
            )
        )
    return found
