"""An alarm can be muted, with a reason and until a day; it is never hidden."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.trust_shop import living
from workbench import Project
from workbench.errors import ProjectError, WorkbenchError
from workbench.records import Check

KNOWN = "the list was cleaned"


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """A shop where people leave faster from day 75 on."""
    return living(tmp_path / "shop", days=90, people=2_000, leaving=0.02, rise=(75, 3.0))


def checked(project: Project, alarm: str = "trust.change") -> Check:
    (found,) = [check for check in project.trust(simulated_years=1).checks if check.name == alarm]
    return found


@pytest.mark.requirement("M07")
def test_a_muted_alarm_is_told_of_with_who_why_and_until_when(shop: Project) -> None:
    loud, sentence = checked(shop), str(shop.trust(simulated_years=1).sentence)
    assert loud.status == "fail"
    until = shop.alarms.today + timedelta(days=7)
    shop.alarms.mute("trust.change", KNOWN, until, who="Ana")
    quiet = checked(shop)
    assert quiet.status == "warn"
    for said in (str(loud.detail), "Muted by Ana", KNOWN):
        assert said in str(quiet.detail)
    found = shop.trust(simulated_years=1)
    assert f"Muted until {shop.texts().date(until)}: People leave" in str(found.sentence)
    assert "Nothing that was checked says" not in str(found.sentence)
    again = Project.open(shop.path)
    assert again.alarms["trust.change"].reason == KNOWN
    again.alarms.unmute("trust.change")
    assert checked(shop) == loud
    assert str(shop.trust(simulated_years=1).sentence) == sentence


def test_a_mute_ends_by_itself(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    today = shop.alarms.today
    shop.alarms.mute("trust.change", KNOWN, today)
    assert list(shop.alarms) == ["trust.change"]  # that day is muted, too
    monkeypatch.setattr(type(shop.alarms), "today", today + timedelta(days=1))
    assert list(shop.alarms) == []
    assert checked(shop).status == "fail"


def test_what_began_after_it_was_muted_sounds(shop: Project) -> None:
    """Whoever muted had seen the data up to a day; a rise that began later is another one."""
    change = shop.trust(simulated_years=1).alarm
    assert change is not None
    assert change.open is not None
    until = shop.alarms.today + timedelta(days=7)
    shop.alarms.mute("trust.change", KNOWN, until, seen=change.open.since)
    assert checked(shop).status == "warn"
    shop.alarms.mute("trust.change", KNOWN, until, seen=change.open.since - timedelta(days=1))
    assert checked(shop).status == "fail"


def test_one_alarm_is_muted_and_the_others_sound(shop: Project) -> None:
    loud = checked(shop, "trust.balance")
    assert loud.status != "ok"
    shop.alarms.mute("trust.change", KNOWN, shop.alarms.today)
    assert checked(shop, "trust.balance") == loud
    shop.alarms.mute("trust.balance", KNOWN, shop.alarms.today)
    assert len(shop.trust(simulated_years=1).muted) == 2


def test_what_cannot_be_muted_says_why(shop: Project) -> None:
    today = shop.alarms.today
    with pytest.raises(WorkbenchError, match=r"no alarm “trust\.after_optout”"):
        shop.alarms.mute("trust.after_optout", KNOWN, today)
    with pytest.raises(WorkbenchError, match="Say why"):
        shop.alarms.mute("trust.change", "  ", today)
    with pytest.raises(WorkbenchError, match="1 Jan 2020, which is over"):
        shop.alarms.mute("trust.change", KNOWN, date(2020, 1, 1))
    shop.alarms.mute("trust.change", KNOWN, today)
    file = shop.path / "alarms.json"
    assert json.loads(file.read_text())["trust.change"]["who"]
    file.write_text("[]")
    with pytest.raises(ProjectError, match="mend or delete it"):
        list(shop.alarms)
