"""Engagement: answers on shops whose truth is known, and what is said where something is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.visits import START, Rows, at, project
from workbench.analyses.chats import Chats
from workbench.analyses.engagement import EngagementView, Visits
from workbench.analyses.estimates import Needs
from workbench.analyses.social import Social
from workbench.analyses.stays import TimeOnPage
from workbench.errors import WorkbenchError
from workbench.locale import Texts


def time_of(view: EngagementView) -> TimeOnPage:
    assert isinstance(view.time, TimeOnPage)
    return view.time


# --- visits ---------------------------------------------------------------------------------------------


def test_a_week_begins_on_the_shops_monday(tmp_path: Path) -> None:
    """Half past eleven on Sunday in London is Monday in Madrid, in summer and in winter."""
    clocks = (datetime(2026, 3, 1, 23, 30), datetime(2026, 4, 5, 22, 30), datetime(2026, 4, 13, 12, 0))
    events = [
        {"customer_id": str(place), "ts": ts, "name": "view", "page": "/"} for place, ts in enumerate(clocks)
    ]
    found = project(tmp_path, timezone="Europe/Madrid", events=events).engagement().visits
    assert isinstance(found, Visits)
    busy = [(week.monday, week.whole) for week in found.weeks if week.visits]
    assert busy == [(date(2026, 3, 2), True), (date(2026, 4, 6), True), (date(2026, 4, 13), False)]
    assert len(found.weeks) == 7


@pytest.mark.requirement("D04", "E02")
def test_visits_and_their_pages(tmp_path: Path) -> None:
    """Each visit has one page more than a Poisson count; every fifth customer orders in all visits."""
    chance = np.random.default_rng(1)
    events, orders, pages = [], [], []
    for customer in range(400):
        for visit in range(int(chance.integers(1, 6))):
            begin = 90_000.0 * visit + 10.0 * customer
            pages.append(1 + int(chance.poisson(1.2)))
            events += [at(begin + 30 * page, str(customer), page=f"/{page}") for page in range(pages[-1])]
            if customer % 5 == 0:
                orders.append(
                    {
                        "customer_id": str(customer),
                        "ts": START + timedelta(seconds=begin + 40),
                        "revenue": 9.0,
                    }
                )
    events.append(at(9e5, "server", name="refund"))
    shop = project(tmp_path, events=events, orders=orders)
    found = shop.engagement().visits
    assert isinstance(found, Visits)
    assert (found.total, found.without_page, found.customers) == (len(pages), 1, 400)
    assert found.pages.value == pytest.approx(np.mean(pages))
    assert found.pages.low < 2.2 < found.pages.high
    assert found.single.value == pytest.approx(np.mean(np.array(pages) == 1))
    assert found.done is not None
    assert found.done.value == pytest.approx(len(orders) / len(pages))
    # visits of one customer all order or none does: as if there were 400 of them, not 1,200
    plain = 1.96 * math.sqrt(found.done.value * (1 - found.done.value) / len(pages))
    assert found.done.high - found.done.value > 1.4 * plain
    assert [seen for _, seen, _ in found.histogram] == pytest.approx(
        [*(np.mean(np.array(pages) == value) for value in range(1, 10)), np.mean(np.array(pages) >= 10)]
    )


# --- time on pages --------------------------------------------------------------------------------------


def stay_events(seconds: Sequence[float], device: str, prefix: str) -> Rows:
    """A customer with each of these stays and a last page."""
    return [
        event
        for place, duration in enumerate(seconds)
        for event in (
            at(0, f"{prefix}{place}", page="/product/a", device=device),
            at(int(duration), f"{prefix}{place}", page="/cart", device=device),
        )
    ]


@pytest.mark.requirement("D04", "T7", "E01")
def test_a_ratio_of_medians_that_is_known(tmp_path: Path) -> None:
    """On a desktop stays last half as long again; the last page of a visit is never 0 and never counted."""
    chance = np.random.default_rng(2)
    mobile, desktop = chance.lognormal(math.log(60), 0.9, 700), chance.lognormal(math.log(90), 0.9, 600)
    kept = [seconds[seconds < 1800] for seconds in (mobile, desktop)]
    events = stay_events(kept[0], "mobile", "m") + stay_events(kept[1], "desktop", "d")
    found = time_of(project(tmp_path, events=events).engagement(by="device"))
    assert found.everybody.measured.value == 0.5
    assert [group.name for group in found.groups] == ["desktop", "mobile"]
    long, short = found.groups
    assert found.reference == "mobile"
    assert long.median is not None
    assert long.ratio is not None
    assert long.fitted is not None
    assert long.long is not None
    assert long.median.value == pytest.approx(np.median(kept[1]), rel=0.02)
    assert long.median.low < 90 < long.median.high
    assert long.ratio.low < 1.5 < long.ratio.high
    assert long.longer is not None
    assert long.longer > 0.999
    assert long.fitted.median.value == pytest.approx(long.median.value, rel=0.08)
    assert long.long.value == pytest.approx((np.floor(kept[1]) > 30).mean())
    assert short.ratio is None
    assert [check.status for check in found.checks if check.name == "lognormal"] == ["ok"]


@pytest.mark.requirement("T7")
def test_a_longer_stay_may_be_confusion(tmp_path: Path) -> None:
    """People stay long on the help page and go back; of their visits none ends in a purchase."""
    events = []
    for customer in range(60):
        name = str(customer)
        events += [at(0, name, page="/list"), at(20, name, page="/help"), at(320, name, page="/list")]
        events += [at(0, f"b{name}", page="/list"), at(25, f"b{name}", page="/product")]
        events += [at(60, f"b{name}", page="/thanks", name="purchase")]
    found = time_of(project(tmp_path, events=events).engagement(by="page"))
    group = {one.name: one for one in found.groups}
    longest = found.groups[0]
    assert longest.name == "/help"
    assert longest.done is not None
    assert longest.done.value == 0
    assert longest.back.value == 1
    assert group["/product"].done is not None
    assert group["/product"].done.value == 1
    assert group["/thanks"].median is None  # always the last page
    assert group["/thanks"].measured.value == 0
    assert group["/list"].single.value == 0


@pytest.mark.requirement("D04")
def test_what_was_measured_is_never_mixed_with_differences(tmp_path: Path) -> None:
    events = [
        event
        for customer in range(20)
        for event in (
            at(0, str(customer), page="/a", engagement_time_msec=4000),
            at(100, str(customer), page="/b", engagement_time_msec=None),
            at(150, str(customer), page="/c", engagement_time_msec=9000),
        )
    ]
    shop = project(tmp_path, events=events)
    measured = {one.name: one for one in time_of(shop.engagement(by="page")).groups}
    differences = {one.name: one for one in time_of(shop.engagement(by="page", source="difference")).groups}
    medians = [
        [None if group.median is None else round(group.median.value) for _, group in sorted(found.items())]
        for found in (measured, differences)
    ]
    assert medians == [[4, None, 9], [pytest.approx(100, abs=3), pytest.approx(50, abs=2), None]]


def test_stays_by_an_attribute_of_customers(tmp_path: Path) -> None:
    events = stay_events([60, 61, 62], "mobile", "m") + stay_events([10, 11, 12], "mobile", "d")
    customers = [{"customer_id": f"m{place}", "tier": "gold"} for place in range(3)]
    found = time_of(project(tmp_path, events=events, customers=customers).engagement(by="tier"))
    assert [(group.name, group.stays) for group in found.groups] == [("gold", 6), ("(unknown)", 6)]


# --- social networks ------------------------------------------------------------------------------------


def posts(count: int, rate: float, network: str, chance: np.random.Generator) -> Rows:
    rows = []
    for post in range(count):
        own = rate * chance.gamma(3, 1 / 3)
        for day in range(2):
            reach = int(chance.lognormal(7, 1)) + 1
            for kind, share in (("like", 1.0), ("comment", 0.1)):
                rows.append(
                    {
                        "date": START + timedelta(days=post + day),
                        "network": network,
                        "post": f"{network}-{post}",
                        "type": kind,
                        "count": int(chance.poisson(own * share * reach)),
                        "reach": reach if kind == "like" else None,  # the same people for every type
                    }
                )
    return rows


@pytest.mark.requirement("D09", "E04")
def test_reactions_for_each_person_reached(tmp_path: Path) -> None:
    chance = np.random.default_rng(3)
    hidden = [
        {**row, "network": "quiet", "post": f"q{place}", "reach": None}
        for place, row in enumerate(posts(5, 0.02, "quiet", chance))
    ]
    rows = posts(60, 0.05, "loud", chance) + hidden
    found = project(tmp_path, social=rows).engagement()
    assert isinstance(found.visits, Needs)
    assert isinstance(found.social, Social)
    known = {(one.network, one.type): one for one in found.social.reactions}
    for kind, rate in (("like", 0.05), ("comment", 0.005)):
        one = known["loud", kind]
        assert one.rate is not None
        assert one.posts == 60
        assert one.rate.low < rate < one.rate.high
        assert one.n == sum(row["count"] for row in rows if (row["network"], row["type"]) == ("loud", kind))
        assert known["quiet", kind].rate is None
        assert known["quiet", kind].unknown == sum(row["count"] for row in hidden if row["type"] == kind)
    assert all(post.times > 1 for post in found.social.best)


# --- chats ----------------------------------------------------------------------------------------------

DAY = 86_400.0


@pytest.mark.requirement("D24")
def test_a_chat_is_resolved_before_the_next_one(tmp_path: Path) -> None:
    names = ["chat_start", "chat_start", "chat_resolved", "view", "chat_start", "chat_resolved"]
    events = [at(60 * place, page="/", name=name) for place, name in enumerate(names)]
    events.append(at(30, "b", page="/", name="chat_start"))
    found = project(tmp_path, events=events).engagement(success="event:view").chats
    assert isinstance(found, Chats)
    assert (found.chats, found.customers) == (4, 2)
    assert found.resolved is not None
    assert found.resolved.value == 0.5


@pytest.mark.requirement("D24")
def test_chatters_are_held_against_others_of_the_same_weeks(tmp_path: Path) -> None:
    """Half order in a busy week and a tenth in a quiet one, chat or no chat: there is no difference.

    Most chats are in the busy week, so all weeks in one pot would have shown one.
    """
    events, orders = [], []
    for week, share, chatters, others in ((0, 0.5, 80, 80), (1, 0.1, 10, 300)):
        for group, size in (("c", chatters), ("o", others)):
            for place in range(size):
                name, begin = f"{group}{week}-{place}", week * 7 * DAY + place * 60
                kind = "help_begins" if group == "c" else "view"
                events.append(at(begin, name, page="/", name=kind))
                if place < share * size:
                    orders.append(
                        {
                            "customer_id": name,
                            "ts": START + timedelta(seconds=begin + 3 * DAY),
                            "revenue": 5.0,
                        }
                    )
    events.append(at(40 * DAY, "late", page="/", name="help_begins"))  # its days are not over
    shop = project(tmp_path, events=events, orders=orders)
    found = shop.engagement(chat_start="help_begins", success="conversion", window_days=7).chats
    assert isinstance(found, Chats)
    assert found.resolved is None
    assert found.chatted is not None
    assert found.others is not None
    assert found.difference is not None
    assert (found.chats, found.chatted[1], found.others[1]) == (91, 90, 380)
    share = (80 * 0.5 + 10 * 0.1) / 90
    assert found.chatted[0].value == pytest.approx(share, abs=0.01)
    assert found.others[0].value == pytest.approx(share, abs=0.01)
    assert found.difference.low < 0 < found.difference.high
    assert "association" in Texts("en")(found.after)


def test_what_came_before_a_chat_did_not_follow_it(tmp_path: Path) -> None:
    events = [at(0, page="/"), at(100, page="/", name="purchase"), at(200, page="/", name="chat_start")]
    events += [at(0, "b", page="/"), at(100, "b", page="/", name="purchase"), at(90 * DAY, "z", page="/")]
    found = project(tmp_path, events=events).engagement().chats
    assert isinstance(found, Chats)
    assert found.chatted is not None
    assert found.others is not None
    assert found.chatted[0].value < 0.5 < found.others[0].value


# --- what is not there ----------------------------------------------------------------------------------


def test_each_part_says_which_table_it_needs(tmp_path: Path) -> None:
    t = Texts("en")
    found = project(tmp_path, events=[at(0), at(50)]).engagement()
    assert isinstance(found.visits, Needs)
    assert isinstance(found.time, Needs)
    assert isinstance(found.social, Needs)
    assert isinstance(found.chats, Needs)
    assert "column page" in t(found.visits.sentence)
    assert "table social" in t(found.social.sentence)
    assert "chat_start" in t(found.chats.sentence)


@pytest.mark.parametrize(
    "settings",
    [
        {"by": "shoe size"},
        {"source": "engagement"},
        {"success": "conversion"},
        {"success": "event:nothing"},
        {"chat_start": "nothing"},
        {"gap_minutes": 0},
        {"level": 1.0},
        {"colour": "red"},
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    shop = project(tmp_path, events=[at(0, page="/"), at(50, page="/b")])
    with pytest.raises(WorkbenchError):
        shop.engagement(**settings)
