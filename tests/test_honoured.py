"""Messages: counted where they arrived, held against opt-outs and against what each person asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import ibis
import pytest

from tests.trust_shop import START, Row, came, change, living, made, said, send, until
from workbench.engines import table
from workbench.metrics import honoured as kept
from workbench.metrics import trust
from workbench.metrics.honoured import frequency_days


@pytest.mark.requirement("M01", "G09")
def test_messages_are_counted_once_and_only_where_they_arrived(tmp_path: Path) -> None:
    sends = [
        send(1, 1),
        send(2, 1.1),
        send(3, 1.2, delivered=None),
        send(4, 1.3, delivered=None),
        send(5, 1.4, delivered=False),
    ]
    events = [
        came(sends[0], "complaint"),
        came(sends[0], "complaint", 0.2),
        came(sends[1], "unsubscribe", 3),  # counts on the day of its message
        came(sends[3], "bounce"),
        came(sends[4], "complaint"),
    ]
    found = made(tmp_path / "shop", sends=sends, send_events=events).trust()
    complaints, left = found.measures["complaints"], found.measures["unsubscribes_delivered"]
    assert (complaints.now.events, complaints.now.among) == (1, 3)
    assert (left.now.events, left.now.among) == (1, 3)
    assert left.weeks[0].events == 1


@pytest.mark.parametrize(("complained", "status"), [(0, "ok"), (9, "ok"), (40, "warn"), (120, "fail")])
def test_complaints_are_held_against_what_mailboxes_ask_for(
    tmp_path: Path, complained: int, status: str
) -> None:
    sends = [send(one, 1 + one / 10_000) for one in range(20_000)]
    events = [came(sent, "complaint") for sent in sends[:complained]] + [came(sends[0], "open")]
    found = made(tmp_path / "shop", sends=sends, send_events=events).trust()
    assert {check.name: check.status for check in found.checks}["trust.complaints"] == status


@pytest.mark.requirement("M23")
def test_no_message_may_follow_an_opt_out(tmp_path: Path) -> None:
    fine = send(1, 5)
    sends = [
        fine,
        send(1, 6.5),  # after 1 left: wrong
        send(1, 9),  # again
        send(1, 12.5, kind="informational"),  # of an order, perhaps
        send(1, 14),  # 1 has come back
        send(2, 8),  # 2 withdrew the consent to marketing: wrong
        send(2, 8, send_id="sms", channel="sms"),
        send(3, 8),  # 3 left the text messages only
        send(3, 8.5, send_id="late", channel="sms"),  # wrong
        send(4, 4.0),  # in the second of the opt-out
        send(5, 9, delivered=False),
    ]
    project = made(
        tmp_path / "shop",
        sends=sends,
        send_events=[came(fine, "unsubscribe", 1)],
        subscriptions=[
            change(1, 6.1, "unsubscribe"),
            change(1, 13, "subscribe"),
            change(3, 7, "unsubscribe", medium="sms"),
            change(4, 4.0, "unsubscribe"),
            change(5, 8, "unsubscribe"),
        ],
        consents=[said(2, 3, True, "email marketing"), said(2, 7, False, "email marketing"), until(20)],
    )
    after = project.trust().after
    assert after is not None
    assert (after.messages, after.people, after.informational) == (4, 3, 1)
    assert after.late_days == pytest.approx(3)
    assert after.last == START.date() + timedelta(days=9)
    (check,) = [check for check in project.trust().checks if check.name == "trust.after_optout"]
    assert check.status == "fail"
    assert "4 messages" in str(project.trust().sentence)


def test_what_people_agreed_to_hides_no_message_from_this_check(tmp_path: Path) -> None:
    project = made(
        tmp_path / "shop",
        sends=[send(1, 5)],
        consents=[said(1, 0, True, "marketing"), said(1, 3, False, "marketing")],
    )
    project.change(consent_purpose="marketing")
    after = project.trust().after
    assert after is not None
    assert after.messages == 1


# --- what people asked for ------------------------------------------------------------------------------


def wish(customer: int, day: float, content: str | None, often: str | None) -> Row:
    return change(customer, day, "preferences", pref_content=content, pref_frequency=often)


@pytest.mark.requirement("G07", "M13", "M15")
def test_messages_are_held_against_what_each_person_asked_for(tmp_path: Path) -> None:
    wishes = [
        wish(1, 0, "Shoes; offers", "weekly"),
        wish(2, 0, "shoes", "weekly"),
        wish(3, 0, "shoes", "monthly"),
        wish(4, 0, None, "weekly"),
        wish(5, 0, "shoes", None),
        wish(5, 14, "garden", None),
        wish(6, 0, "shoes", "weekly"),  # gets nothing: is not judged
        wish(7, 0, "commercial", None),
        wish(8, 0, "shoes", "now and then"),
    ]
    sends = [send(1, day, topic=" shoes") for day in (1.5, 8.5, 15.5, 22.5)]  # one a week
    sends += [send(2, 2, topic="garden")]  # another topic
    sends += [send(3, day, topic="Shoes") for day in (3, 20)]  # twice a month
    sends += [send(4, day, topic="garden") for day in (1, 9)]  # only how often matters
    sends += [send(5, 10, topic="shoes"), send(5, 20, topic="garden")]  # what held then
    sends += [send(7, 10, topic="kites"), send(3, 21, topic="garden", kind="informational")]
    sends += [send(8, 6, topic="shoes"), send(9, 9, topic="shoes")]  # 9 asked for nothing
    found = made(tmp_path / "shop", subscriptions=wishes, sends=sends, consents=[until(27.5)]).trust()
    assert found.honoured is not None
    assert (found.honoured.now.events, found.honoured.now.among) == (5, 7)
    assert (found.honoured.off_topic, found.honoured.too_often) == (1, 1)
    assert found.strange == ("now and then",)
    shares = {one.wish: (one.people, one.of) for one in found.wishes}
    assert shares["shoes"] == (5, 7)
    assert shares["garden"] == (1, 7)
    assert shares["weekly"] == (4, 6)


def test_who_has_left_wants_nothing_any_more(tmp_path: Path) -> None:
    rows = [wish(1, 0, "shoes", None), wish(2, 0, "garden", None), change(2, 5, "unsubscribe")]
    found = made(tmp_path / "shop", subscriptions=rows).trust()
    assert [(one.wish, one.people) for one in found.wishes] == [("shoes", 1)]


def test_subject_lines_are_no_topics_that_people_could_choose(tmp_path: Path) -> None:
    found = made(
        tmp_path / "shop",
        subscriptions=[wish(1, 0, "shoes", "weekly")],
        sends=[send(1, day, topic="20 % off everything") for day in (1, 8)],
    ).trust()
    assert not found.comparable
    assert found.honoured is not None
    assert (found.honoured.now.events, found.honoured.off_topic) == (1, 0)


@pytest.mark.parametrize(
    ("text", "days"),
    [("Semanal", 7), ("cada 15 días", 15), ("quarterly", 84), ("Daily", 1), ("once a month", 28)],
)
def test_frequencies_are_read_in_both_languages(text: str, days: int) -> None:
    assert frequency_days(text) == days


@pytest.mark.parametrize("dialect", ["postgres", "pyspark", "trino"])
def test_every_question_can_be_asked_of_other_engines(tmp_path: Path, dialect: str) -> None:
    names = ("customers", "subscriptions", "sends", "send_events", "consents", "churn")
    project = living(tmp_path / "shop", days=14, people=200, leaving=0.05)
    engine, clock = project.engine, [(0, 3600), (1_774_746_000, 7200)]
    rows = {name: table(engine, name) for name in names}
    states = trust.list_states(rows["subscriptions"], rows["sends"], rows["send_events"])
    after = kept.after_optout(
        rows["sends"],
        rows["send_events"],
        rows["subscriptions"],
        rows["consents"],
        channels=["email", ""],
        purposes={"marketing": None},
    )
    questions: Sequence[Any] = [
        trust.consent_changes(rows["consents"], clock),
        trust.list_changes(states, clock),
        trust.leaving_by_campaign(states, rows["sends"], rows["send_events"], clock),
        trust.deliveries(rows["sends"], rows["send_events"], clock),
        trust.customer_changes(rows["customers"], rows["churn"], clock),
        kept.late_messages(after, clock),
        kept.late_people(after),
        kept.preferences(rows["subscriptions"]),
        kept.honoured(
            rows["sends"],
            rows["subscriptions"],
            frequencies={"weekly": 7},
            clock=clock,
            end_day=20_600,
            block_days=28,
        ),
    ]
    for question in questions:
        assert "SELECT" in ibis.to_sql(question, dialect=dialect)
