"""What was said of people nobody assigned at random is kept, said again, and published without the few."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests import sample_shop
from tests.shops import binary, unit_level
from workbench import Project, WorkbenchError, report
from workbench.analyses.second_opinion import available
from workbench.charts import not_random as charts
from workbench.locale import Texts
from workbench.publish import bundle
from workbench.records import AssociationRecord, EffectRecord, from_json

T = Texts("en")
RARE = "(other)"
"""Where a level is of fewer than ten people it is one class with others; here they are six."""


@pytest.fixture(scope="module")
def offers(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The sample shop, with times."""
    return sample_shop.make(tmp_path_factory.mktemp("offers") / "shop")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Outcomes from a file; three people of each group live where nobody else does."""
    arms = {"with": binary(250, 1_000), "without": binary(200, 1_000)}
    country = (["ES"] * 600 + ["FR"] * 363 + ["MX"] * 34 + ["IS"] * 3) * 2
    kind = ["fan"] * 700 + ["new"] * 300 + ["fan"] * 400 + ["new"] * 600
    attributes = {"country": country, "kind": kind}
    folder = tmp_path_factory.mktemp("measured") / "shop"
    return unit_level(folder, arms, assignment="self", attributes=attributes)


def asked(project: Project, **settings: Any) -> AssociationRecord:
    return project.not_random("home", control="without", covariates=("country", "kind"), **settings)


@pytest.mark.requirement("T1")
def test_a_record_is_kept_read_back_and_the_same_again(offers: Project) -> None:
    record = offers.not_random(sample_shop.OFFERS, "revenue")
    kept = offers.records[record.id]
    assert kept == record
    assert kept.kind == "association"
    again = offers.rerun(record)
    assert again.model_dump(exclude={"created"}) == record.model_dump(exclude={"created"})
    assert T(kept.verdict) == T(record.verdict)
    assert [T(check.detail) for check in kept.checks] == [T(check.detail) for check in record.checks]


def test_what_is_not_kept_is_not_there(measured: Project) -> None:
    record = asked(measured, level=0.8, keep=False)
    assert record.id not in measured.records
    assert measured.records.add(record).id in measured.records


def test_a_refusal_is_a_record_too(offers: Project) -> None:
    record = offers.not_random(sample_shop.EXPERIMENT)
    assert offers.rerun(record).id == record.id
    assert "assigned at random" in T(offers.records[record.id].verdict)


def test_a_second_opinion_is_the_same_again(measured: Project) -> None:
    assert available()
    record = asked(measured, second_opinion=True)
    assert measured.rerun(record).id == record.id


def test_its_code_asks_the_same_question(offers: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    landmark = date(2025, 12, 1)
    record = offers.not_random(sample_shop.OFFERS, landmark=landmark, covariates=("country",), level=0.9)
    code = report.as_code(record)
    monkeypatch.setenv("WORKBENCH_PROJECT", str(offers.path))
    *lines, call = code.splitlines()
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)
    assert eval(call, names).id == record.id
    assert names["wb"] is wb


def test_its_words_never_say_effect_without_not(offers: Project) -> None:
    record = offers.not_random(sample_shop.OFFERS)
    assert "association, not an effect" in report.text(record, T)
    said = report.script(record, T)
    assert (said["word"], said["record"]) == ("association", record.id)
    assert said["groups"][0]["who"] == "customers in “personalised”"
    json.dumps(said)
    numbers = report.as_csv(record)
    assert f"summary.answer.difference,{record.summary.answer.difference}" in numbers  # type: ignore[union-attr]
    assert "summary.ladder[seen].answer.word,association" in numbers


# --- published ------------------------------------------------------------------------------------------


@pytest.mark.requirement("G10", "U05")
def test_no_customer_and_nothing_of_few_people_is_published(measured: Project) -> None:
    record = asked(measured)
    assert any(line.level == RARE for line in record.summary.balance)
    made = measured.publish([record], "Does it go with more?")
    text = "".join(file.read_text() for file in made.path.iterdir())
    for number in range(2_000):
        assert f'"u{number}"' not in text
    _, (shown,) = bundle.read(measured.path / "published", made.slug)
    assert isinstance(shown, AssociationRecord)
    assert shown.id == record.id
    assert RARE not in {line.level for line in shown.summary.balance}
    # the next smallest goes with it, or it could be found by subtraction
    assert {line.level for line in shown.summary.balance if line.covariate == "country"} == {"ES", "FR"}
    assert f'"{RARE}"' not in text
    assert "2 groups are not shown" in " ".join(T(check.detail) for check in shown.checks)


@pytest.mark.requirement("G10")
def test_bars_of_few_people_are_not_published_and_the_others_are_rounded(offers: Project) -> None:
    record = offers.not_random(sample_shop.OFFERS, keep=False)
    (shown,) = bundle.public(offers, [record])
    assert isinstance(shown, AssociationRecord)
    known, bars = record.summary.overlap, shown.summary.overlap
    assert known is not None
    assert bars is not None
    few = 0
    for counted, drawn in ((known.treated, bars.treated), (known.control, bars.control)):
        for n, bar in zip(counted, drawn, strict=True):
            assert bar is None or bar % 10 == 0
            if 0 < (n or 0) < 10:
                few += 1
                assert bar is None
    assert few > 3
    picture = charts.overlap(shown, T)
    assert picture is not None
    assert "too few people are not drawn" in picture.caption


@pytest.mark.requirement("G10")
def test_counts_of_few_people_in_sentences_are_not_published(tmp_path: Path) -> None:
    """A refusal that says how few: seven with the outcome, of a group of 200."""
    arms = {"with": binary(7, 200), "without": binary(60, 200)}
    project = unit_level(tmp_path / "shop", arms, assignment="self")
    record = project.not_random("home", control="without", covariates=())
    assert "one group has 7 with the outcome" in T(record.verdict)
    (shown,) = bundle.public(project, [record])
    assert "one group has fewer than 10 with the outcome" in T(shown.verdict)
    assert "has 7" not in shown.model_dump_json()


@pytest.mark.requirement("D06")
def test_what_is_sensitive_of_the_groups_is_not_published_unless_somebody_says_so(tmp_path: Path) -> None:
    arms = {"with": binary(60, 300), "without": binary(50, 300)}
    attributes = {"edad": ["20"] * 150 + ["40"] * 300 + ["20"] * 150}
    project = unit_level(tmp_path / "shop", arms, assignment="self", attributes=attributes)
    record = project.not_random("home", control="without", covariates=("edad",))
    with pytest.raises(WorkbenchError, match="tells “edad” of its two groups, which is sensitive"):
        project.publish([record], "By age")
    assert project.publish([record], "By age", sensitive_too=True).files
    plain = project.not_random("home", control="without", covariates=())
    assert bundle.shows_sensitive(project, plain) is None
    for told in (
        {"placebo": "edad"},
        {"treatment": "column", "name": "edad"},
    ):  # not among what is adjusted for
        settings = plain.settings.model_copy(update=told)
        assert bundle.shows_sensitive(project, plain.model_copy(update={"settings": settings})) == "edad"


# --- every record ---------------------------------------------------------------------------------------


def test_a_day_in_a_sentence_can_be_said_once_it_was_kept(offers: Project) -> None:
    day = date(2025, 11, 28)
    record = offers.effect(sample_shop.EXPERIMENT, excluded=((day, day),), keep=False)
    read = from_json(record.model_dump_json())
    assert isinstance(read, EffectRecord)
    assert read == record
    said = [T(check.detail) for check in read.checks]
    assert any("28 Nov 2025" in detail for detail in said)
    assert said == [T(check.detail) for check in record.checks]
