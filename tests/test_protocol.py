"""Protocols: a lock that cannot be got round, amendments in the open, and what was done otherwise."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from workbench.errors import ProjectError, WorkbenchError
from workbench.protocol import Observed, PlannedRule, Protocol, Protocols, Version, deviations
from workbench.records import EffectSettings
from workbench.records.effect import OtherMetric

PLAN = Protocol(
    analysis=EffectSettings(
        experiment="home page",
        metric="conversion",
        planned_split={"old": 1, "new": 1},
        others=(OtherMetric(metric="returns", role="guardrail", lower_is_better=True),),
        excluded=((date(2026, 11, 27), date(2026, 11, 27)),),
    ),
    hypothesis="Because people look for what they bought before, showing it moves conversion by 5 %.",
    rule=PlannedRule(loss=0.0001, min_weeks=2),
    looks=(1.0, 2.0, 3.0),
    weeks=3,
    segments=("device",),
)


def changed(**settings: object) -> Protocol:
    return PLAN.model_copy(update={"analysis": PLAN.analysis.model_copy(update=settings)})


def said(versions: tuple[Version, ...], observed: Observed, **settings: object) -> list[str]:
    analysis = versions[-1].protocol.analysis.model_copy(update=settings)
    return [str(message) for message in deviations(versions, analysis, observed)]


@pytest.fixture
def protocols(tmp_path: Path) -> Protocols:
    return Protocols(tmp_path / "protocols")


@pytest.mark.requirement("X01")
def test_what_was_saved_comes_back(protocols: Protocols) -> None:
    assert list(protocols) == []
    protocols.save(PLAN)
    assert protocols["home page"][-1].protocol == PLAN
    draft = changed(window_days=28)
    protocols.save(draft)
    assert [version.protocol for version in protocols["home page"]] == [draft]
    assert list(Protocols(protocols._folder)) == ["home page"]


def test_names_that_look_alike_are_two_protocols(protocols: Protocols) -> None:
    names = ["a/b", "a b", "a-b", "../a", "ñandú"]
    for name in names:
        protocols.save(changed(experiment=name))
    assert sorted(protocols) == sorted(names)
    assert {protocols[name][-1].protocol.name for name in names} == set(names)
    assert all(file.parent == protocols._folder for file in protocols._folder.rglob("*.json"))


@pytest.mark.requirement("X04")
def test_a_locked_protocol_is_only_amended_with_a_reason(protocols: Protocols) -> None:
    protocols.save(PLAN)
    first = protocols.lock("home page")
    with pytest.raises(ProjectError, match="has been locked since"):
        protocols.save(changed(window_days=28))
    with pytest.raises(ProjectError, match="locked already"):
        protocols.lock("home page")
    with pytest.raises(WorkbenchError, match="Say why"):
        protocols.amend(changed(window_days=28), "  ")
    with pytest.raises(WorkbenchError, match="Nothing in the protocol"):
        protocols.amend(PLAN, "because")
    second = protocols.amend(changed(window_days=28), "Orders come late.")
    assert protocols["home page"] == (first, second)
    assert (second.number, second.reason) == (2, "Orders come late.")
    assert Protocols.intact(protocols["home page"])


@pytest.mark.requirement("X04")
@pytest.mark.parametrize(
    ("wanted", "instead"),
    [
        (r'"window_days": 14', '"window_days": 7'),
        (r'"locked": "20', '"locked": "19'),
        (r'"hypothesis": "Because', '"hypothesis": "Although'),
        (r'"reason": "Orders', '"reason": "Odours'),
    ],
)
def test_what_is_changed_behind_a_lock_is_found(protocols: Protocols, wanted: str, instead: str) -> None:
    protocols.save(PLAN)
    protocols.lock("home page")
    protocols.amend(changed(window_days=28), "Orders come late.")
    (file,) = protocols._folder.glob("*.json")
    text = file.read_text(encoding="utf-8")
    assert re.search(wanted, text)
    file.write_text(re.sub(wanted, instead, text, count=1), encoding="utf-8")
    versions = protocols["home page"]
    assert not Protocols.intact(versions)
    assert any("changed after it was locked" in words for words in said(versions, Observed()))


def test_a_version_cannot_be_taken_out(protocols: Protocols) -> None:
    protocols.save(PLAN)
    protocols.lock("home page")
    protocols.amend(changed(window_days=28), "Orders come late.")
    (file,) = protocols._folder.glob("*.json")
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({"versions": content["versions"][1:]}), encoding="utf-8")
    assert not Protocols.intact(protocols["home page"])


def test_a_damaged_file_says_so(protocols: Protocols) -> None:
    protocols.save(PLAN)
    (file,) = protocols._folder.glob("*.json")
    file.write_text("{", encoding="utf-8")
    with pytest.raises(ProjectError, match="damaged"):
        list(protocols)


@pytest.mark.parametrize(
    "settings",
    [
        {"planned_split": None},
        {"planned_split": {"old": 1.0}},
        {"planned_split": {"old": 1, "new": 0}},
        {"experiment": " "},
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_not_kept(
    protocols: Protocols, settings: dict[str, object]
) -> None:
    with pytest.raises(WorkbenchError, match="protocol"):
        protocols.save(changed(**settings))
    assert not len(protocols)


@pytest.mark.requirement("X04")
def test_an_analysis_that_keeps_to_the_plan_departs_in_nothing(protocols: Protocols) -> None:
    protocols.save(PLAN)
    locked = protocols.lock("home page").locked
    assert locked is not None
    first = locked + timedelta(days=1)
    observed = Observed(("new", "old"), first, first + timedelta(days=20), looks=3)
    versions = protocols["home page"]
    assert said(versions, observed) == []
    # a control that the plan leaves open, the planned split (equal shares), a planned segment
    assert said(versions, observed, control="old", planned_split=None, by="device") == []


@pytest.mark.requirement("X04")
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"metric": "revenue"}, "Metric: planned was conversion, asked was revenue."),
        ({"window_days": 28}, "(days): planned was 14, asked was 28."),
        ({"level": 0.9}, "Level of the intervals: planned was 95 %, asked was 90 %."),
        ({"prior": (2.0, 38.0)}, "planned was Beta(1, 1), asked was Beta(2, 38)."),
        ({"lift_prior": (-0.1, 0.1)}, "Expected lift: planned was none, asked was −10.0 % to +10.0 %."),
        ({"rope": 0.0}, "Smallest lift that matters: planned was 1 %, asked was 0 %."),
        ({"lower_is_better": True}, "Lower is better: planned was no, asked was yes."),
        ({"by": "country"}, "A split by “country” was not planned."),
        ({"planned_split": {"old": 9, "new": 1}}, "asked was old 90.0 % and new 10.0 %."),
        ({"others": ()}, "The guardrail “returns” was planned and is not looked at."),
        (
            {"excluded": ((date(2026, 12, 1), date(2026, 12, 2)),)},
            "to 2 Dec 2026 are left out",
        ),
    ],
)
def test_each_departure_is_named(protocols: Protocols, settings: dict[str, object], words: str) -> None:
    protocols.save(PLAN)
    protocols.lock("home page")
    (found,) = said(protocols["home page"], Observed(), **settings)
    assert words in found


@pytest.mark.requirement("X04")
def test_the_course_of_an_experiment_is_held_against_the_plan(protocols: Protocols) -> None:
    protocols.save(PLAN)
    versions = protocols["home page"]
    assert said(versions, Observed()) == ["The protocol was never locked."]
    protocols.lock("home page")
    protocols.amend(changed(window_days=28), "Orders come late.")
    versions = protocols["home page"]
    before = datetime(2026, 1, 5, tzinfo=UTC)
    observed = Observed(("new", "old", "third"), before, before + timedelta(days=8), looks=5)
    found = said(versions, observed)
    for part in (
        "after the first customer on 5 Jan 2026",
        "with data already there: Orders come late.",
        "found were new, old and third",
        "Looks: 3 were planned, there have been 5.",
        "Customers came for 1.29 weeks; the rule asks for 2 at least.",
    ):
        assert any(part in words for words in found), part
    assert len(found) == 5
