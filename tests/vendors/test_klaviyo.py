"""Klaviyo: what became of messages, from a warehouse's tables and from the API's pages alike."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.vendors.commerce_files import ask, every_text, names, new_project, table_sizes, write
from workbench import Project

START = datetime(2026, 5, 4, 8, tzinfo=UTC)
HEADER = names(
    "id,uuid,type,metric_id,person_id,campaign_id,flow_id,flow_message_id,_variation,datetime,timestamp,"
    "property_value,_fivetran_deleted,_fivetran_synced,property_asunto"
)
METRICS = {
    "Received Email": "MR",
    "Opened Email": "MO",
    "Clicked Email": "MC",
    "Bounced Email": "MB",
    "Marked Email as Spam": "MS",
    "Unsubscribed from Email Marketing": "MU",
    "Subscribed to Email Marketing": "MJ",
    "Placed Order": "MP",
}
RATES = """
    SELECT s.campaign_id, count(DISTINCT s.send_id) AS sent,
        count(DISTINCT CASE WHEN s.delivered THEN s.send_id END) AS delivered,
        count(DISTINCT CASE WHEN e.type = 'open' THEN s.send_id END) AS opened,
        count(DISTINCT CASE WHEN e.type = 'click' THEN s.send_id END) AS clicked,
        count(DISTINCT CASE WHEN e.type = 'bounce' THEN s.send_id END) AS bounced
    FROM sends AS s LEFT JOIN send_events AS e ON s.send_id = e.send_id
    GROUP BY s.campaign_id ORDER BY s.campaign_id
"""


def story(people: range) -> list[dict[str, Any]]:
    """What happened to the people of two campaigns: type, who, campaign, variation, minutes after START."""
    happened: list[dict[str, Any]] = []

    def note(
        kind: str, who: int, minute: int, campaign: str = "", variation: str = "", value: str = ""
    ) -> None:
        happened.append(
            {
                "kind": kind,
                "who": who,
                "minute": minute,
                "campaign": campaign,
                "variation": variation,
                "value": value,
            }
        )

    for who in people:
        chance = Random(who)
        for number, campaign in enumerate(("OTOÑO", "REBAJAS")):
            minute = 10_000 * number + who
            arm = chance.choice(["A", "B"]) if campaign == "OTOÑO" else ""
            if chance.random() < 0.1:
                note("Bounced Email", who, minute, campaign, arm)
                continue
            note("Received Email", who, minute, campaign, arm)
            for _ in range(chance.choice([0, 0, 1, 2])):
                note("Opened Email", who, minute + chance.randint(1, 500), campaign, arm)
                if chance.random() < 0.5:
                    note("Clicked Email", who, minute + 600, campaign, arm)
            if chance.random() < 0.1:
                note("Unsubscribed from Email Marketing", who, minute + 700, campaign)
        if who % 4 == 0:
            note("Placed Order", who, 700, "OTOÑO", "", "42.50")
        if who % 5 == 0:
            note("Subscribed to Email Marketing", who, 1)
    return happened


def time_of(event: dict[str, Any]) -> datetime:
    return START + timedelta(minutes=event["minute"])


def name_of(event: dict[str, Any]) -> str:
    return f"{event['kind']}-{event['who']}-{event['minute']}-{event['campaign']}"


def warehouse(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "id": name_of(event),
            "uuid": "u-" + name_of(event),
            "type": event["kind"],
            "metric_id": METRICS[event["kind"]],
            "person_id": f"P{event['who']}",
            "campaign_id": event["campaign"],
            "_variation": event["variation"],
            "datetime": time_of(event).strftime("%Y-%m-%d %H:%M:%S+00"),
            "timestamp": time_of(event).strftime("%Y-%m-%d %H:%M:%S+00"),
            "property_value": event["value"],
            "_fivetran_deleted": "false",
            "property_asunto": "¡Rebajas de otoño!",
        }
        for event in events
    ]


def page(events: list[dict[str, Any]]) -> dict[str, Any]:
    """A page of the API, as `include=metric,profile` gives it."""
    return {
        "data": [
            {
                "type": "event",
                "id": name_of(event),
                "attributes": {
                    "timestamp": int(time_of(event).timestamp()),
                    "datetime": time_of(event).isoformat(),
                    "uuid": "u-" + name_of(event),
                    "event_properties": {
                        **({"$message": event["campaign"]} if event["campaign"] else {}),
                        **({"$variation": event["variation"]} if event["variation"] else {}),
                        **({"$value": float(event["value"])} if event["value"] else {}),
                        "Subject": "¡Rebajas de otoño!",
                    },
                },
                "relationships": {
                    "profile": {"data": {"type": "profile", "id": f"P{event['who']}"}},
                    "metric": {"data": {"type": "metric", "id": METRICS[event["kind"]]}},
                },
            }
            for event in events
        ],
        "included": [
            *({"type": "metric", "id": key, "attributes": {"name": name}} for name, key in METRICS.items()),
            *(
                {"type": "profile", "id": f"P{who}", "attributes": {"email": f"p{who}@correo.es"}}
                for who in sorted({event["who"] for event in events})
            ),
        ],
        "links": {"self": "https://a.klaviyo.com/api/events", "next": None, "prev": None},
    }


def rates(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The truth of `RATES`."""
    who = {kind: {(e["campaign"], e["who"]) for e in events if e["kind"] == kind} for kind in METRICS}
    received, bounced = who["Received Email"], who["Bounced Email"]

    def count(pairs: set[tuple[str, int]], campaign: str) -> int:
        return sum(name == campaign for name, _ in pairs)

    return [
        (
            campaign,
            count(received | bounced, campaign),
            count(received, campaign),
            count(who["Opened Email"], campaign),
            count(who["Clicked Email"], campaign),
            count(bounced, campaign),
        )
        for campaign in ("OTOÑO", "REBAJAS")
    ]


def arms(events: list[dict[str, Any]]) -> list[tuple[str, int]]:
    sent = {
        (e["variation"], e["who"])
        for e in events
        if e["variation"] and e["kind"] in ("Received Email", "Bounced Email")
    }
    return sorted(Counter(arm for arm, _ in sent).items())


def check(project: Project, events: list[dict[str, Any]]) -> None:
    assert ask(project, RATES) == rates(events)
    found = ask(
        project,
        "SELECT variant, count(DISTINCT customer_id) AS n FROM exposures WHERE experience_id = 'OTOÑO'"
        " GROUP BY variant ORDER BY variant",
    )
    assert found == arms(events)
    kinds = Counter(event["kind"] for event in events)
    assert ask(
        project, "SELECT action, count(*) AS n FROM subscriptions GROUP BY action ORDER BY action"
    ) == [
        ("subscribe", kinds["Subscribed to Email Marketing"]),
        ("unsubscribe", kinds["Unsubscribed from Email Marketing"]),
    ]
    assert ask(project, "SELECT count(*) AS n, sum(value) AS s FROM events WHERE name = 'Placed Order'") == [
        (kinds["Placed Order"], 42.5 * kinds["Placed Order"])
    ]
    assert ask(project, "SELECT min(ts) AS t FROM sends") == [
        (min(time_of(e) for e in events if e["campaign"]).replace(tzinfo=None),)
    ]


@pytest.mark.requirement("D10")
@pytest.mark.requirement("Y11")
def test_rates_of_campaigns_are_those_of_the_story(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    events = story(range(1, 81))
    rows = warehouse(events)
    report = project.load(write(tmp_path / "event.csv", HEADER, [*rows, *rows[:30]]))
    check(project, events)
    assert {"events", "sends"} <= set(report.added)
    assert ask(project, "SELECT DISTINCT property_asunto FROM events") == [("¡Rebajas de otoño!",)]


@pytest.mark.requirement("D10")
def test_pages_of_the_api_tell_the_same_story(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    events = story(range(1, 81))
    path = tmp_path / "events.jsonl"
    pages = [page(events[at : at + 50]) for at in range(0, len(events), 50)]
    path.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in pages) + "\n", encoding="utf-8")
    project.load(path)
    check(project, events)
    before = table_sizes(project)
    project.load(path)
    assert table_sizes(project) == before
    assert "@correo.es" not in every_text(project)


def test_events_without_their_metrics_are_events_named_by_number(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    events = story(range(1, 11))
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in page(events)["data"]) + "\n", encoding="utf-8")
    report = project.load(path)
    assert {row.reason for row in report.rejected} == {"a second row with the same identifier"}
    named = Counter(METRICS[kind] for kind, _ in {(event["kind"], name_of(event)) for event in events})
    assert ask(project, "SELECT name, count(*) AS n FROM events GROUP BY name ORDER BY name") == sorted(
        named.items()
    )


@pytest.mark.requirement("D10")
def test_an_overlapping_export_adds_only_what_is_new(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    events = story(range(1, 61))
    for number, part in enumerate((events[:150], events[100:], events[:150])):
        project.load(write(tmp_path / f"event{number}.csv", HEADER, warehouse(part)))
    check(project, events)


def test_broken_rows_are_named(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    events = story(range(1, 11))
    rows = warehouse(events)
    opened = next(row for row in rows if row["type"] == "Opened Email")
    bad = [
        opened | {"id": "x1", "datetime": "", "timestamp": ""},
        opened | {"id": "x2", "campaign_id": ""},  # an open of no message
    ]
    header = [name for name in HEADER if name not in ("flow_id", "flow_message_id", "_fivetran_deleted")]
    cells = [{name: cell for name, cell in row.items() if name in header} for row in [*rows, *bad]]
    report = project.load(write(tmp_path / "event.csv", header, cells, broken="a,b\n"))
    broken = [row.line for row in report.rejected if row.reason != "a second row with the same identifier"]
    assert set(broken) == {len(rows) + n for n in (2, 3, 4)}
    assert ask(project, RATES) == rates(events)


@pytest.mark.requirement("D11")
def test_people_tie_events_to_what_the_shop_knows_by_e_mail(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    header = names(
        "id,email,created,updated,first_name,last_name,phone_number,organization,title,timezone,address_1,zip,"
        "country,region,city,_fivetran_deleted,talla"
    )
    people = [
        {
            "id": f"P{who}",
            "email": f"p{who}@correo.es",
            "created": "2026-01-01 00:00:00",
            "updated": "2026-01-02 00:00:00",
            "first_name": "Begoña",
            "phone_number": "+34600111222",
            "country": "España",
            "talla": "M",
        }
        for who in range(1, 21)
    ]
    events = story(range(1, 21))
    project.load(write(tmp_path / "event.csv", HEADER, warehouse(events)))
    project.load(write(tmp_path / "person.csv", header, [*people, *people[:5]]))
    found = ask(
        project,
        "SELECT count(DISTINCT c.customer_id) AS n, count(*) AS sends FROM sends AS s"
        " JOIN customers AS c ON s.customer_id = c.customer_id WHERE c.talla = 'M'",
    )
    assert found == [(20, sum(sent for _, sent, *_ in rates(events)))]
    assert ask(project, "SELECT count(*) AS n FROM customers") == [(20,)]
    text = every_text(project)
    assert not any(word in text for word in ("Begoña", "600111222", "@correo.es"))
