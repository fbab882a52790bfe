"""Trust, by hand: whose word holds, who is at risk, what was sent too much, and when an alarm sounds."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.trust_shop import START, came, change, living, made, said, send, until
from workbench import Project
from workbench.analyses.trust import analyse
from workbench.analyses.trust_answer import TrustView
from workbench.engines import fetch, table
from workbench.errors import WorkbenchError
from workbench.metrics import trust


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> TrustView:
    """A shop where from day 195 on people leave two and a half times as fast, by the campaign “sale”."""
    folder = tmp_path_factory.mktemp("bad") / "shop"
    return living(folder, leaving=0.006, joining=1.5, rise=(195, 2.5), after_optout=12).trust()


# --- consents -------------------------------------------------------------------------------------------


@pytest.mark.requirement("G09")
def test_the_newest_word_of_each_person_holds(tmp_path: Path) -> None:
    found = made(
        tmp_path / "shop",
        consents=[
            said(1, 0, True),
            said(2, 0, True),
            said(2, 10, False),
            said(3, 0, False),
            said(4, 1, True),
            said(4, 1, False),  # of one second the withdrawal holds
            said(5, 0, True),
            said(5, 5, False),
            said(5, 6, False),
            said(5, 9, True),
            said(6, None, True),  # without a time from the beginning
            until(20),
        ],
    ).trust()
    agree = found.measures["consent:personalisation"]
    assert (agree.now.events, agree.now.among) == (3, 6)  # 1, 5 and 6
    assert found.measures["withdrawn:personalisation"].now.events == 2  # of 2 and of 5, once
    weeks = agree.weeks
    assert [(week.events, week.among) for week in weeks] == [(3, 6), (3, 6), (3, 6)]
    assert found.personalisation == "personalisation"


def test_who_can_withdraw_is_who_agrees_and_for_how_long(tmp_path: Path) -> None:
    rows = [said(one, 0, True) for one in range(10)] + [said(0, 14, False), until(27.9)]
    found = made(tmp_path / "shop", consents=rows).trust()
    measure = found.measures["withdrawn:personalisation"]
    # ten agree for fourteen days and the day of the withdrawal, nine for the thirteen days after it
    assert measure.now.among == pytest.approx((10 * 15 + 9 * 13) / 7)
    assert measure.now.value == pytest.approx(1 / measure.now.among)


def test_a_purpose_that_is_named_is_taken_for_personalisation(tmp_path: Path) -> None:
    project = made(tmp_path / "shop", consents=[said(1, 0, True, "web"), said(2, 3, False, "cookies")])
    assert project.trust().personalisation is None
    assert any("cookies and web" in str(line) for line in project.trust().missing)
    assert project.trust(personalisation="web").personalisation == "web"
    with pytest.raises(WorkbenchError, match="There is no purpose “nothing”"):
        project.trust(personalisation="nothing")


@pytest.mark.requirement("G07")
def test_an_opt_out_is_an_action_that_an_experiment_can_count(tmp_path: Path) -> None:
    project = made(
        tmp_path / "shop",
        consents=[
            said(1, 1, True),
            said(1, 3, False),
            said(1, 4, False),
            said(2, 5, False),
            said(3, 6, True),
            said(4, 7, False, "other"),
        ],
    )
    found = fetch(project.engine, trust.optout(table(project.engine, "consents"), "personalisation"))
    rows = sorted(
        (row["customer_id"], row["ts"].replace(tzinfo=None), row["name"], row["x"]) for row in found
    )
    assert rows == [
        (1, START + timedelta(days=3), "optout", 1.0),
        (2, START + timedelta(days=5), "optout", 1.0),
    ]


# --- the list -------------------------------------------------------------------------------------------


@pytest.mark.requirement("T12", "M07", "G09")
def test_golden_balance_of_the_last_28_days(tmp_path: Path) -> None:
    """120 joined and 80 left, of a list of 200 that had joined before."""
    rows = [change(one, 0.1, "subscribe") for one in range(200)]
    rows += [change(one, 30 + one % 20, "unsubscribe") for one in range(80)]
    rows += [change(1_000 + one, 30 + one % 27, "subscribe") for one in range(120)]
    project = made(tmp_path / "shop", subscriptions=rows, consents=[until(57.5)])
    found = project.trust()
    assert found.alarm is not None
    balance = found.alarm.balance
    assert balance is not None
    assert (balance.joined, balance.left, balance.days) == (120, 80, 28)
    assert balance.below == pytest.approx(0.976, abs=5e-4)
    assert balance.shrinking == pytest.approx(0.002, abs=5e-4)
    assert balance.raised
    assert "97.6 % sure that fewer than 2 join" in str(found.sentence)
    other = project.trust(kappa=1.0).alarm
    assert other is not None
    assert other.balance is not None
    assert not other.balance.raised
    assert other.balance.false_alarms.a_year > 0


def test_a_list_changes_by_who_joins_pauses_and_leaves(tmp_path: Path) -> None:
    rows = [
        change(1, 1, "subscribe"),
        change(1, 5, "pause"),  # neither leaves nor can leave
        change(1, 9, "resume"),
        change(2, 4, "unsubscribe"),  # was there before
        change(2, 6, "unsubscribe"),  # only once
        change(3, 2, "preferences"),  # was there before and still is
        change(4, 3, "subscribe"),
        change(4, 3, "unsubscribe"),  # in one second: is out
        change(5, 2, "subscribe"),
        change(5, 7, "unsubscribe"),
        change(5, 8, "subscribe"),
    ]
    found = made(tmp_path / "shop", subscriptions=rows, consents=[until(12)]).trust()
    first = (START.date() - found.first).days if found.first else 0
    assert first == -1
    assert found.joined.tolist() == [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert found.left.tolist() == [0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0]
    # from day 1: 1, 2, 3 and 4; then 5 joins, 4 and 2 go, 1 pauses, 5 goes and comes, 1 resumes
    assert found.at_risk.tolist() == [4, 5, 4, 3, 2, 2, 1, 2, 3, 3, 3, 3]


def test_who_gets_messages_is_on_the_list_and_who_leaves_by_a_link_leaves_once(tmp_path: Path) -> None:
    first, second, order = send(1, 1), send(2, 2), send(3, 2, kind="informational")
    sms = send(4, 3, channel="sms")
    found = made(
        tmp_path / "shop",
        sends=[first, second, order, sms],
        send_events=[came(first, "unsubscribe"), came(second, "open")],
        subscriptions=[change(1, 1.2, "unsubscribe"), change(5, 4, "unsubscribe", medium="sms")],
        consents=[until(9)],
    ).trust()
    assert found.channel == "email"
    assert found.left.sum() == 1
    assert found.at_risk.tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 1]


def test_people_are_conserved(bad: TrustView) -> None:
    """Once everybody has had a first message the list grows by who joins and shrinks by who leaves."""
    first = int(np.argmax(bad.at_risk > 5_000)) + 7
    assert np.diff(bad.at_risk)[first:] == pytest.approx((bad.joined - bad.left)[first + 1 :])


@pytest.mark.requirement("M07")
def test_a_rise_is_dated_sized_and_laid_to_its_campaign(bad: TrustView) -> None:
    assert bad.alarm is not None
    change_ = bad.alarm.open
    assert change_ is not None
    truth = START.date() + timedelta(days=195)
    assert abs((change_.since - truth).days) <= 3
    assert truth <= change_.day <= truth + timedelta(days=7)
    assert change_.interval[0] < 2.5 < change_.interval[1]
    assert change_.campaign is not None
    assert change_.campaign.name == "sale"
    assert change_.campaign.probability > 0.99
    assert change_.left > change_.expected * 1.7
    assert "“sale”" in str(bad.sentence)
    statuses = {check.name: check.status for check in bad.checks}
    assert statuses["trust.change"] == "fail"
    assert [check.status for check in bad.checks] == sorted(
        (check.status for check in bad.checks), key=("fail", "warn", "ok").index
    )
    assert bad.alarm.false_alarms is not None
    assert bad.alarm.false_alarms.a_year < 0.2
    assert bad.alarm.noticed[1].share > bad.alarm.noticed[0].share


def test_without_a_rise_there_is_no_alarm(tmp_path: Path) -> None:
    found = living(tmp_path / "shop", leaving=0.006, days=120, people=3_000).trust(kappa=1.0)
    assert found.alarm is not None
    assert found.alarm.changes == ()
    assert found.alarm.dispersion < 1.5
    assert "Nothing that was checked says" in str(found.sentence)
    rate = found.measures["unsubscribes_delivered"]
    assert rate.now.interval is not None
    assert rate.now.interval[0] < 0.006 < rate.now.interval[1]


def test_a_list_that_was_loaded_in_one_day_is_named(tmp_path: Path) -> None:
    rows = [change(one, 40.5, "subscribe") for one in range(60)]
    rows += [change(100 + one, one, "subscribe") for one in range(45)]
    found = made(tmp_path / "shop", subscriptions=rows).trust()
    (check,) = [check for check in found.checks if check.name == "trust.imports"]
    assert "61 of the" in str(check.detail)
    assert "14 Feb 2026" in str(check.detail)


# --- what is missing, and the clock ---------------------------------------------------------------------


def test_what_is_missing_is_named_with_its_table(tmp_path: Path) -> None:
    found = made(tmp_path / "shop", consents=[said(1, 0, True)]).trust()
    lines = " ".join(map(str, found.missing))
    for name in ("subscriptions", "sends", "send_events", "pref_content", "churn", "customers"):
        assert name in lines
    assert "Consents and opt-outs" not in lines
    assert found.alarm is None
    assert found.after is None


def test_an_empty_project_says_that_nothing_is_known(tmp_path: Path) -> None:
    found = Project.create(tmp_path / "shop").trust()
    assert found.until is None
    assert "Nothing here tells yet" in str(found.sentence)
    assert len(found.missing) >= 6


def test_a_table_that_ends_before_the_others_is_named(tmp_path: Path) -> None:
    found = made(tmp_path / "shop", subscriptions=[change(1, 0, "subscribe")], consents=[until(40)]).trust()
    (check,) = [check for check in found.checks if check.name == "trust.subscriptions.fresh"]
    assert "5 Jan 2026" in str(check.detail)


@pytest.mark.requirement("G09", "G04")
def test_people_who_were_erased_are_counted_once(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "shop")
    file = tmp_path / "customers.csv"
    file.write_text("customer_id,first_seen\na,2026-01-01\nb,2026-01-01\nc,2026-01-01\nd,2026-01-01\n")
    project.load(file)
    project.people.erase("a")
    project.people.erase("a")
    deleted = project.trust().measures["deletions"]
    assert deleted.now.events == 1
    assert deleted.now.among == pytest.approx(4 / 7)  # three who are left and one who is not, for a day


@pytest.mark.requirement("D09")
def test_days_are_those_of_the_shops_clock(tmp_path: Path) -> None:
    rows = [
        change(1, 9.96, "subscribe"),
        change(2, 0.5, "subscribe"),
    ]  # 23:02 in UTC is the next day in Madrid
    days = [
        made(tmp_path / zone.replace("/", "-"), timezone=zone, subscriptions=rows).trust().until
        for zone in ("UTC", "Europe/Madrid")
    ]
    assert days == [date(2026, 1, 14), date(2026, 1, 15)]


def test_a_day_in_the_past_is_asked_what_it_would_have_said(tmp_path: Path) -> None:
    project = made(
        tmp_path / "shop",
        subscriptions=[change(one, one, "subscribe") for one in range(40)],
        consents=[said(1, 0, True), said(1, 30, False)],
    )
    then = project.trust(until=START.date() + timedelta(days=20))
    assert then.joined.sum() == 21
    assert then.measures["consent:personalisation"].now.events == 1


@pytest.mark.parametrize(
    "wrong", [{"kappa": 0}, {"window_days": 3}, {"hazard": 1.5}, {"level": 1.0}, {"channel": "fax"}]
)
def test_settings_out_of_range_are_one_sentence(tmp_path: Path, wrong: dict[str, Any]) -> None:
    project = made(tmp_path / "shop", consents=[said(1, 0, True)])
    with pytest.raises(WorkbenchError, match=r"it has to be|There is no channel"):
        analyse(project, **wrong)
