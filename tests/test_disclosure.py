"""What is taken out of each part of a record before others see it, with numbers of people chosen for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from tests import sample_shop
from workbench import Project
from workbench.locale import Message, Texts, say
from workbench.publish.disclosure import disclosed
from workbench.publish.rounding import said
from workbench.records import AssociationRecord, Check, CohortRecord, ValueRecord
from workbench.records.association import LostLevel, Step
from workbench.records.cohorts import CohortCell
from workbench.records.value_pooled import PooledGroups

T = Texts("en")
LEAST = 10
pytestmark = pytest.mark.requirement("G10")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return sample_shop.make(tmp_path_factory.mktemp("disclosure") / "shop")


@pytest.fixture(scope="module")
def association(shop: Project) -> AssociationRecord:
    record = shop.not_random(sample_shop.OFFERS, keep=False)
    assert isinstance(record, AssociationRecord)
    return record


@pytest.fixture(scope="module")
def cohorts(shop: Project) -> CohortRecord:
    return shop.cohorts(project_periods=3, keep=False)


@pytest.fixture(scope="module")
def value(shop: Project) -> ValueRecord:
    return shop.lifetime_value(by=sample_shop.EXPERIMENT, within="device", keep=False)


def published[R: AssociationRecord | CohortRecord | ValueRecord](
    record: R, *, checks: list[Check] | None = None, **summary: Any
) -> R:
    """The record as others may see it, after parts of it were replaced."""
    more = {} if checks is None else {"checks": checks}
    changed = {"summary": record.summary.model_copy(update=summary), **more}
    shown = disclosed(record.model_copy(update=changed))
    assert isinstance(shown, type(record))
    return shown


OF_PEOPLE = {"customers", "effective", "comparable", "left_out", "lost", "count"}


def people(value: Any, name: str = "") -> Iterator[float]:
    """Every number of people in a record, by the names under which it holds them."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from people(item, name if name in OF_PEOPLE else key)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from people(item, name)
    elif name in OF_PEOPLE and isinstance(value, int | float):
        yield value


# --- sentences ---


def test_a_list_says_that_some_are_left_out_and_names_none_of_them() -> None:
    told = said(say("{names:listing} gain.", names=["ES", "IS", "FR"]), {"IS"})
    assert T(told) == "ES, FR and small groups gain."
    assert T(said(say("{names:listing} gain.", names=["ES", "FR"]), {"IS"})) == "ES and FR gain."


@pytest.mark.parametrize("name", ["n", "few", "kept", "people", "all_people", "rows", "all_rows"])
def test_every_name_of_a_count_is_rounded_in_a_sentence_and_few_are_not_told(name: str) -> None:
    for known, told in ((1237, "1,240"), (7, "fewer than 10"), (0, "0")):
        words = Message(f"{{{name}:count}} came.", {name: known})
        assert T(said(words, (), LEAST)) == f"{told} came."
    assert T(said(Message(f"{{{name}:count}} came.", {name: 7}), ())) == "7 came."  # weeks, not people


# --- two groups that were not made at random ---


def test_every_number_of_people_of_an_association_is_rounded(association: AssociationRecord) -> None:
    parts = {
        "left_out": {"no_time": 41, "too_late": 123},
        "lost": [LostLevel(covariate="country", level="PT", treated=17, control=23)],
    }
    checks = [*association.checks, Check(name="x", status="warn", detail=say("x"), count=37, share=0.123456)]
    known = list(people(association.model_copy(update={"checks": checks}).model_dump()))
    shown = published(association, checks=checks, **parts)
    told = list(people(shown.model_dump()))
    assert len(told) > 30
    assert any(n % 10 for n in known)
    assert all(n % 10 == 0 for n in told)
    assert shown.summary.left_out == {"no_time": 40, "too_late": 120}
    (check,) = [one for one in shown.checks if one.name == "x"]
    assert (check.count, check.share) == (40, 0.123)


def test_few_who_were_left_out_or_are_alone_are_told_of_nowhere(association: AssociationRecord) -> None:
    one = association.summary
    assert one.overlap is not None
    assert one.comparable is not None
    few = 6 / one.groups[0].customers
    checks = [
        *association.checks,
        Check(name="left_out_few", status="warn", detail=say("few were left out"), count=3),
        Check(name="x", status="warn", detail=say("x"), count=3, share=0.01),
    ]
    shown = published(
        association,
        checks=checks,
        left_out={"few": 3, "many": 41},
        overlap=one.overlap.model_copy(update={"alone": (few, 0.5)}),
        comparable=(one.groups[0].customers - 6, one.comparable[1]),
        ladder=[*one.ladder, Step(rung="comparable", answer=one.answer)],
    )
    assert shown.summary.left_out == {"many": 40}
    assert shown.summary.overlap is not None
    assert shown.summary.overlap.alone == (None, pytest.approx(0.5, abs=0.02))
    assert "comparable" not in {step.rung for step in shown.summary.ladder}
    by_name = {check.name: check for check in shown.checks}
    assert "left_out_few" not in by_name
    assert (by_name["x"].count, by_name["x"].share) == (None, None)
    assert by_name["overlap"].share is None
    assert "2.2 %" not in T(by_name["overlap"].detail)
    # where nobody is alone, the rung stays
    rungs = published(association, ladder=[Step(rung="comparable", answer=one.answer)]).summary.ladder
    assert [step.rung for step in rungs] == ["comparable"]


def test_a_level_of_few_is_named_by_no_part_of_an_association(association: AssociationRecord) -> None:
    one = association.summary
    assert one.sensitivity is not None
    strongest = one.sensitivity.strongest
    assert strongest is not None
    lost = [LostLevel(covariate=strongest.covariate, level=strongest.level, treated=40, control=3)]
    shown = published(association, lost=lost)
    assert shown.summary.lost == []
    assert shown.summary.sensitivity is not None
    assert shown.summary.sensitivity.strongest is None
    pairs = {(line.covariate, line.level) for line in shown.summary.balance}
    assert (strongest.covariate, strongest.level) not in pairs
    kept = published(association)
    assert kept.summary.sensitivity is not None
    assert kept.summary.sensitivity.strongest == strongest


def test_no_sentence_says_who_has_two_things_at_once_and_no_rule_is_published(
    association: AssociationRecord,
) -> None:
    def told(record: AssociationRecord) -> str:
        return next(T(check.detail) for check in record.checks if check.name == "balance_of_pairs")

    assert "customers with" in told(association)
    assert "customers with" not in told(published(association))
    ruled = association.model_copy(update={"definitions": {"me": "email == 'ana@example.org'"}})
    assert "ana@" not in disclosed(ruled).model_dump_json()


# --- cohorts ---


def cell(age: int, customers: int, active: int) -> CohortCell:
    return CohortCell(
        age=age,
        customers=customers,
        whole=True,
        active=active,
        orders=active,
        revenue=30.0 * active,
        margin=30.0 * active,
        value=float(10 * (age + 1)),
    )


def lived(record: CohortRecord, *cells: CohortCell) -> Any:
    """The first cohort as published, had it lived like this."""
    first = record.summary.cohorts[0]
    assert first.ahead
    changed = first.model_copy(update={"customers": 55, "cells": cells})
    rest = [one for one in record.summary.cohorts[1:] if one.customers >= LEAST]
    return published(record, cohorts=(changed, *rest)).summary.cohorts[0]


def test_a_single_age_at_which_few_did_not_buy_cannot_be_found_from_those_around_it(
    cohorts: CohortRecord,
) -> None:
    shown = lived(cohorts, cell(0, 55, 30), cell(1, 55, 48), cell(2, 55, 30))
    assert [one.active is None for one in shown.cells] == [False, True, False]
    assert [one.value is None for one in shown.cells] == [False, True, True]
    # two of them, of enough who bought, hide each other
    shown = lived(cohorts, cell(0, 55, 30), cell(1, 55, 48), cell(2, 55, 47), cell(3, 55, 30))
    assert [one.value is None for one in shown.cells] == [False, True, False, False]


def test_what_is_to_come_does_not_say_what_was_brought_where_that_is_hidden(cohorts: CohortRecord) -> None:
    ahead = cohorts.summary.cohorts[0].ahead
    assert lived(cohorts, cell(0, 55, 30), cell(1, 55, 30)).ahead == ahead
    assert lived(cohorts, cell(0, 55, 30), cell(1, 55, 4)).ahead == ahead[1:]
    assert lived(cohorts, cell(0, 55, 30), cell(1, 8, 4)).ahead == ahead[1:]


def test_two_cohorts_are_compared_only_where_both_are_shown(cohorts: CohortRecord) -> None:
    gap = cohorts.summary.difference
    assert gap is not None
    shown = published(cohorts, difference=gap.model_copy(update={"customers": (43, 57)})).summary.difference
    assert shown is not None
    assert shown.customers == (40, 60)
    assert (
        published(cohorts, difference=gap.model_copy(update={"customers": (9, 57)})).summary.difference
        is None
    )

    few = tuple(
        one.model_copy(update={"customers": 4}) if one.name == gap.cohorts[0] else one
        for one in cohorts.summary.cohorts
    )
    hidden = published(cohorts, cohorts=few, difference=gap.model_copy(update={"customers": (40, 57)}))
    assert hidden.summary.difference is None
    begun = date.fromisoformat(gap.cohorts[0])
    assert T.month(begun) not in T(hidden.verdict)


def test_sentences_about_cohorts_round_people_and_no_draw_is_published(cohorts: CohortRecord) -> None:
    counted = say("{n:count} customers of {k:count} cohorts.", n=1234, k=12)
    record = cohorts.model_copy(update={"verdict": counted, "draws": {"x": "abc"}})
    shown = disclosed(record)
    assert T(shown.verdict) == "1,230 customers of 12 cohorts."
    assert shown.draws == {}


# --- what customers are worth ---


def test_every_number_of_customers_of_a_value_is_rounded(value: ValueRecord) -> None:
    shown = published(value, checks=[Check(name="x", status="warn", detail=say("x"), count=1237)])
    known, told = list(people(value.summary.model_dump())), list(people(shown.model_dump()))
    assert any(n % 10 for n in known)
    assert len(told) > 5
    assert all(n % 10 == 0 for n in told)
    assert shown.summary.rows == 0  # how many different histories there are


def test_a_segment_of_few_is_in_no_arm(value: ValueRecord) -> None:
    within = value.summary.within
    assert within is not None
    (arm,) = within.arms
    few = [
        one.model_copy(update={"customers": 4}) if one.segment == "tablet" else one for one in arm.segments
    ]
    shown = published(
        value, within=within.model_copy(update={"arms": [arm.model_copy(update={"segments": few})]})
    ).summary.within
    assert shown is not None
    # another goes with it, or it could be found by subtraction
    assert [one.segment for one in shown.arms[0].segments] == ["mobile"]
    whole = published(value).summary.within
    assert whole is not None
    assert {one.segment for one in whole.arms[0].segments} == {"desktop", "tablet", "mobile"}


def test_the_best_of_groups_is_not_named_where_it_is_of_few(value: ValueRecord) -> None:
    pooled = PooledGroups.model_construct(best="generic", seen=50.0, kept=40.0, average=45.0, spread=1.0)
    groups = [
        one.model_copy(update={"customers": 4 if one.group == "generic" else 500})
        for one in value.summary.value
    ]
    shown = published(value, value=groups, pooled=pooled, customers=504, within=None).summary.pooled
    assert shown is not None
    assert (shown.best, shown.seen, shown.kept) == (None, None, None)
    kept = published(value, pooled=pooled).summary.pooled
    assert kept is not None
    assert kept.best == "generic"
