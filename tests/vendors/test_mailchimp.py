"""Mailchimp: rates of campaigns, who left and why, from a warehouse's tables and from an audience's files."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from hashlib import md5
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.vendors.commerce_files import ask, every_text, new_project, table_sizes, write

CAMPAIGNS = {"c1": "2026-04-01 07:00:00", "c2": "2026-04-15 07:00:00"}
RATES = """
    SELECT s.campaign_id, count(DISTINCT s.send_id) AS sent,
        count(DISTINCT CASE WHEN e.type = 'open' THEN s.send_id END) AS opened,
        count(CASE WHEN e.type = 'click' THEN 1 END) AS clicks
    FROM sends AS s LEFT JOIN send_events AS e ON s.send_id = e.send_id
    GROUP BY s.campaign_id ORDER BY s.campaign_id
"""


def email(who: int) -> str:
    return f"socio{who}@correo.es"


def member(who: int) -> str:
    return md5(email(who).encode(), usedforsecurity=False).hexdigest()


def recipients(people: range) -> list[dict[str, Any]]:
    return [
        {
            "campaign_id": campaign,
            "member_id": member(who),
            "combination_id": Random(who).choice(["k1", "k2"]) if campaign == "c1" else "",
            "list_id": "L",
            "send_time": at,
        }
        for campaign, at in CAMPAIGNS.items()
        for who in people
    ]


def activity(people: range) -> list[dict[str, Any]]:
    made = []
    for campaign, at in CAMPAIGNS.items():
        for who in people:
            chance = Random(f"{who}{campaign}")
            for minute in range(chance.randint(0, 3)):
                for action in ("open", "click")[: chance.randint(1, 2)]:
                    made.append(
                        {
                            "action": action,
                            "campaign_id": campaign,
                            "member_id": member(who),
                            "list_id": "L",
                            "timestamp": f"{at[:10]} 09:{minute:02d}:00",
                            "ip": "203.0.113.77",
                            "url": "https://tienda.es/otoño" if action == "click" else "",
                        }
                    )
    return made


def rates(sent: list[dict[str, Any]], acts: list[dict[str, Any]]) -> list[tuple[str, int, int, int]]:
    return [
        (
            campaign,
            sum(row["campaign_id"] == campaign for row in sent),
            len({r["member_id"] for r in acts if (r["campaign_id"], r["action"]) == (campaign, "open")}),
            sum((row["campaign_id"], row["action"]) == (campaign, "click") for row in acts),
        )
        for campaign in CAMPAIGNS
    ]


@pytest.mark.requirement("D10")
@pytest.mark.requirement("Y11")
def test_rates_of_campaigns_are_those_of_the_files(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    sent, acts = recipients(range(40)), activity(range(40))
    sends = write(tmp_path / "campaign_recipient.csv", list(sent[0]), sent)
    events = write(tmp_path / "campaign_recipient_activity.csv", list(acts[0]), [*acts, *acts[:9]])
    project.load(sends)
    project.load(events)
    assert ask(project, RATES) == rates(sent, acts)
    combined = Counter(row["combination_id"] for row in sent if row["combination_id"])
    assert ask(
        project, "SELECT variant, count(*) AS n FROM exposures GROUP BY variant ORDER BY variant"
    ) == sorted(combined.items())
    before = table_sizes(project)
    project.load(sends)
    project.load(events)
    assert table_sizes(project) == before
    more_sent, more_acts = recipients(range(30, 50)), activity(range(30, 50))
    project.load(write(tmp_path / "more.csv", list(sent[0]), more_sent))
    project.load(write(tmp_path / "more_activity.csv", list(acts[0]), more_acts))
    assert ask(project, RATES) == rates(recipients(range(50)), activity(range(50)))


def test_recipients_without_a_time_are_named_and_still_say_who_was_shown_what(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    sent = [{k: v for k, v in row.items() if k != "send_time"} for row in recipients(range(10))]
    report = project.load(write(tmp_path / "campaign_recipient.csv", list(sent[0]), sent))
    assert {rejection.line for rejection in report.rejected} == set(range(2, 22))
    assert ask(project, "SELECT count(*) AS n FROM exposures") == [(10,)]


def test_an_action_that_is_none_is_named(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    acts = activity(range(10))
    bad = [acts[0] | {"action": "bailar"}, acts[0] | {"timestamp": ""}, acts[0] | {"member_id": ""}]
    header = [name for name in acts[0] if name != "list_id"]
    rows = [{k: v for k, v in row.items() if k in header} for row in [*acts, *bad]]
    report = project.load(write(tmp_path / "activity.csv", header, rows))
    assert {rejection.line for rejection in report.rejected} == {len(acts) + n for n in (2, 3, 4)}
    assert ask(project, "SELECT count(*) AS n FROM send_events") == [(len(acts),)]


def audience() -> dict[str, list[dict[str, Any]]]:
    """The three files of an audience."""

    def one(who: int, **cells: str) -> dict[str, Any]:
        return {
            "Email Address": email(who).capitalize(),
            "First Name": "Begoña",
            "Ciudad preferida": "León",
            "MEMBER_RATING": 1 + who % 5,
            "OPTIN_TIME": "2026-01-05 10:00:00",
            "OPTIN_IP": "203.0.113.77",
            "CONFIRM_TIME": "2026-01-05 10:05:00",
            "CC": "ES",
            "LEID": str(10_000 + who),
            "EUID": "abc",
            "NOTES": "",
            "TAGS": '"VIP","Otoño"',
            **cells,
        }

    left = {
        "UNSUB_TIME": "2026-04-15 12:00:00",
        "UNSUB_CAMPAIGN_ID": "c2",
        "UNSUB_REASON": "OTHER",
        "UNSUB_REASON_OTHER": "demasiados correos",
    }
    cleaned = {"CLEAN_TIME": "2026-04-01 08:00:00", "CLEAN_CAMPAIGN_ID": "c1"}
    return {
        "subscribed": [one(who) for who in range(10)],
        "unsubscribed": [one(who, **left) for who in range(10, 14)],
        "cleaned": [one(who, **cleaned) for who in range(14, 16)],
    }


@pytest.mark.requirement("D10")
@pytest.mark.requirement("D11")
def test_an_audience_says_who_joined_who_left_and_why(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    sent = recipients(range(16))
    project.load(write(tmp_path / "campaign_recipient.csv", list(sent[0]), sent))
    files = [
        write(tmp_path / f"{kind}_members_export.csv", list(rows[0]), rows)
        for kind, rows in audience().items()
    ]
    for file in [*files, *files]:
        project.load(file)
    assert ask(
        project,
        "SELECT action, reason, count(*) AS n, min(ts) AS t FROM subscriptions GROUP BY ALL ORDER BY action",
    ) == [
        ("subscribe", None, 16, datetime(2026, 1, 5, 9, 5)),
        ("unsubscribe", "demasiados correos", 4, datetime(2026, 4, 15, 10)),
    ]
    # what came of a message is tied to it by the member's id, and the message to the customer by the alias
    tied = ask(
        project,
        "SELECT e.type, s.campaign_id, count(*) AS n FROM send_events AS e"
        " JOIN sends AS s ON e.send_id = s.send_id"
        " JOIN customers AS c ON s.customer_id = c.customer_id WHERE c.\"TAGS\" LIKE '%VIP%'"
        " GROUP BY ALL ORDER BY e.type",
    )
    assert tied == [("bounce", "c1", 2), ("unsubscribe", "c2", 4)]
    assert ask(project, "SELECT count(*) AS n FROM customers") == [(16,)]
    assert ask(project, "SELECT granted, count(*) AS n FROM consents GROUP BY granted ORDER BY granted") == [
        (False, 4),
        (True, 16),
    ]
    text = every_text(project)
    assert not any(word in text for word in ("Begoña", "203.0.113.77", "@correo.es"))


def test_a_warehouse_says_who_its_members_are_and_who_left(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    members = [
        {
            "id": member(who),
            "email_address": email(who),
            "status": "unsubscribed" if who < 3 else "subscribed",
            "list_id": "L",
            "timestamp_signup": "2026-01-05 10:00:00",
            "timestamp_opt": "2026-01-05 10:00:00",
            "last_changed": "2026-04-15 12:00:00",
            "country_code": "ES",
            "ip_opt": "203.0.113.77",
            "member_rating": 3,
        }
        for who in range(10)
    ]
    left = [
        {
            "campaign_id": "c2" if who else "",
            "member_id": member(who),
            "list_id": "L",
            "reason": "ya no me interesa",
            "timestamp": "2026-04-15 12:00:00",
        }
        for who in range(3)
    ]
    project.load(write(tmp_path / "unsubscribe.csv", list(left[0]), left))
    project.load(write(tmp_path / "member.csv", list(members[0]), members))
    assert ask(project, "SELECT type, count(*) AS n FROM send_events GROUP BY type") == [("unsubscribe", 2)]
    assert ask(
        project,
        "SELECT count(*) AS n FROM subscriptions AS s JOIN customers AS c ON s.customer_id = c.customer_id"
        " WHERE s.reason = 'ya no me interesa'",
    ) == [(3,)]
    granted = (
        "SELECT granted, count(DISTINCT customer_id) AS n FROM consents GROUP BY granted ORDER BY granted"
    )
    assert ask(project, granted) == [(False, 3), (True, 7)]
