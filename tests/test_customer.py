"""One customer: found by what the shop calls them, shown as far as they agreed, and never unlogged."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests import customers
from workbench import Project
from workbench.analyses import customer, outlook
from workbench.analyses.customer import EXAMPLES, analyse, example
from workbench.errors import DataError, ProjectError, WorkbenchError
from workbench.models.purchases import PurchaseDraws, expected_purchases, probability_alive
from workbench.records import ValueRecord
from workbench.tables.privacy.erasure import erased_mark
from workbench.tables.privacy.pseudonyms import pseudonym

NOON = datetime(2026, 1, 5, 12)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Not to be changed."""
    return customers.make(tmp_path_factory.mktemp("customers") / "shop")


@pytest.fixture(scope="module")
def somebody(shop: Project) -> str:
    """The identifier of a customer with several orders, messages and a refund."""
    key = shop.people.key()
    wanted = shop.everything.query(
        "SELECT o.customer_id AS c FROM orders o JOIN refunds r USING (order_id)"
        " WHERE o.customer_id IN (SELECT customer_id FROM sends) GROUP BY 1"
        " ORDER BY (SELECT count(*) FROM orders p WHERE p.customer_id = o.customer_id) DESC, 1 LIMIT 1"
    ).to_pylist()[0]["c"]
    names = (f"c{n:06d}" for n in range(1, customers.CUSTOMERS + 1))
    return next(name for name in names if pseudonym(key, name) == wanted)


@pytest.mark.requirement("D22")
def test_all_that_is_known_comes_together(shop: Project, somebody: str) -> None:
    found = shop.customer(somebody)
    name = int(found.pseudonym)

    def count(table: str) -> int:
        rows = shop.everything.query(f"SELECT count(*) AS n FROM {table} WHERE customer_id = {name}")
        return int(rows.to_pylist()[0]["n"])

    assert found.rows == {table: count(table) for table in found.rows}
    lanes = [mark.lane for mark in found.marks]
    assert lanes.count("orders") == count("orders") == found.bought.orders
    assert lanes.count("sent") == count("sends")
    sent = f"(SELECT send_id FROM sends WHERE customer_id = {name})"
    for lane, kind in (("opened", "open"), ("clicked", "click")):
        rows = shop.everything.query(
            f"SELECT count(*) AS n FROM send_events WHERE type = '{kind}' AND send_id IN {sent}"
        )
        assert lanes.count(lane) == rows.to_pylist()[0]["n"]
    assert lanes.count("refunds") >= 1
    sessions = shop.everything.query(
        f"SELECT count(DISTINCT session_id) AS n FROM events WHERE customer_id = {name}"
    )
    assert lanes.count("visits") == sessions.to_pylist()[0]["n"]
    money = shop.everything.query(
        f"SELECT sum(revenue - refund) AS s FROM orders WHERE customer_id = {name}"
    ).to_pylist()[0]["s"]
    assert found.bought.money == pytest.approx(money)
    assert [mark.at for mark in found.marks] == sorted(mark.at for mark in found.marks)
    assert {one.purpose for one in found.agreements} == {"analysis", "newsletter"}


def test_an_identifier_and_its_pseudonym_are_the_same_customer(shop: Project, somebody: str) -> None:
    by_name = shop.customer(f"  {somebody.upper()} ")
    assert by_name.pseudonym == str(pseudonym(shop.people.key(), somebody))
    assert by_name == shop.customer(by_name.pseudonym)


@pytest.mark.requirement("D22")
def test_each_look_is_logged_before_anything_is_shown(
    shop: Project, somebody: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = customers.own(shop, tmp_path / "own")
    found = project.customer(somebody)
    entry = project.people.access.entries()[0][-1]
    assert entry.action == "read"
    assert entry.person == erased_mark(project.people.key(), found.pseudonym)
    assert somebody not in (project.path / "access.jsonl").read_text()

    def full(*_: Any, **__: Any) -> None:
        raise ProjectError("The disk is full.")

    monkeypatch.setattr(type(project.people.access), "add", full)
    with pytest.raises(ProjectError, match="The disk is full"):
        project.customer(somebody)


def test_who_is_not_there_or_was_erased_gets_one_sentence(
    shop: Project, somebody: str, tmp_path: Path
) -> None:
    for nobody in ("ana@example.com", "12", "9" * 30, "’ OR 1=1"):
        with pytest.raises(DataError, match="There is no customer with this identifier") as raised:
            shop.customer(nobody)
        assert nobody not in str(raised.value)
    with pytest.raises(DataError, match="Type the identifier"):
        shop.customer("  ")
    project = customers.own(shop, tmp_path / "own")
    name = project.customer(somebody).pseudonym
    project.people.erase(somebody)
    for gone in (somebody, name):
        with pytest.raises(DataError, match=r"was erased from the project on \d"):
            project.customer(gone)


def test_the_numbers_are_those_of_the_models_given_the_posterior_of_all(shop: Project, somebody: str) -> None:
    """At the posterior mean of the parameters of a lifetime value the formulas give about the same."""
    found = shop.customer(somebody)
    record = shop.lifetime_value(model=outlook.MODEL, keep=False)
    assert isinstance(record, ValueRecord)
    means = {name: estimate.mean for name, estimate in record.summary.parameters.items()}
    point = PurchaseDraws.point(outlook.MODEL, **{name: means[name] for name in ("r", "alpha", "a", "b")})
    rows = shop.everything.query(
        "SELECT DISTINCT date_trunc('day', ts AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Madrid') AS day"
        f" FROM orders WHERE customer_id = {found.pseudonym} AND NOT (revenue > 0 AND revenue <= refund)"
        " ORDER BY 1"
    ).to_pylist()
    days = [row["day"] for row in rows]
    end = max(shop.everything.query("SELECT max(ts) AS t FROM orders").to_pylist()[0].values())
    x, t_x = len(days) - 1, (days[-1] - days[0]).days / 7
    T = ((end + timedelta(hours=1)).date() - days[0].date()).days / 7
    assert found.bought.frequency == len(days)
    assert found.outlook.alive.mean == pytest.approx(probability_alive(point, x, t_x, T)[0], abs=0.03)
    low, high = found.outlook.purchases.interval
    assert low < expected_purchases(point, 52, x, t_x, T)[0] < high
    assert found.outlook.purchases.alone[0] <= low
    assert high <= found.outlook.purchases.alone[1]


def test_a_higher_level_is_a_wider_interval_and_a_longer_horizon_more_purchases(
    shop: Project, somebody: str
) -> None:
    narrow, wide = (analyse(shop, somebody, level=level).outlook for level in (0.8, 0.99))
    for part in ("alive", "purchases", "money"):
        inner, outer = (getattr(one, part).interval for one in (narrow, wide))
        assert outer[0] < inner[0] < inner[1] < outer[1]
    longer = analyse(shop, somebody, horizon_weeks=104, level=0.8).outlook
    assert longer.purchases.mean > narrow.purchases.mean
    assert longer.alive == narrow.alive
    with pytest.raises(WorkbenchError, match="The level is 1"):
        analyse(shop, somebody, level=1.0)
    with pytest.raises(WorkbenchError, match="The horizon in weeks is 0"):
        analyse(shop, somebody, horizon_weeks=0)


def test_a_device_leads_to_the_customer_it_was_first_given_to(tmp_path: Path) -> None:
    aliases = pa.table(
        {
            "alias_id": ["phone", "phone", "visitor"],
            "customer_id": ["visitor", "ben", "ana"],
            "ts": pa.array([NOON, NOON + timedelta(days=1), NOON], customers.TIME),
        }
    )
    project = customers.small(tmp_path / "s", [("ana", NOON, 10.0), ("ben", NOON, 20.0)], aliases=aliases)
    assert project.customer("phone").bought.money == 10.0
    assert project.customer("ben").bought.money == 20.0


def test_an_end_that_was_seen_takes_the_place_of_a_probability(tmp_path: Path) -> None:
    weeks = [timedelta(weeks=n) for n in range(40)]
    orders = [
        (f"c{n}", NOON + weeks[n % 7 + step], 10.0 + n % 5)
        for n in range(60)
        for step in range(0, 24, n % 6 + 3)
    ]
    churn = pa.table(
        {
            "customer_id": ["c1", "c2"],
            "ts": pa.array([NOON + weeks[39], NOON + weeks[3]], customers.TIME),
            "reason": ["too dear", None],
        }
    )
    project = customers.small(tmp_path / "s", orders, churn=churn)
    left = project.customer("c1")
    assert left.outlook is None
    assert "They left on 5 Oct 2026." in str(left.sentence)
    back = project.customer("c2")  # ordered after it
    assert back.outlook is not None
    assert "left" not in str(back.sentence)


def test_where_the_model_is_withheld_the_reason_is_shown_and_the_rest_stays(tmp_path: Path) -> None:
    orders = [(f"c{n}", NOON + timedelta(days=n), 10.0) for n in range(30)]
    found = customers.small(tmp_path / "s", orders).customer("c3")
    assert found.outlook is None
    assert found.standing is not None
    assert [check.name for check in found.checks if check.status == "fail"] == ["outlook"]
    assert "has bought again" in str(found.checks[0].detail)
    assert (
        str(found.sentence) == "A customer since 8 Jan 2026: one order, €10.0 spent, last seen on 8 Jan 2026."
    )


def test_where_only_spend_is_withheld_purchases_are_still_foretold(tmp_path: Path) -> None:
    """Everything costs the same, so nothing can be learnt of how customers differ in what they spend."""
    days = [timedelta(days=7 * n) for n in range(40)]
    orders = [
        (f"c{n}", NOON + days[n % 7 + step], 10.0) for n in range(60) for step in range(0, 24, n % 6 + 3)
    ]
    found = customers.small(tmp_path / "s", orders).customer("c3")
    assert found.outlook.money is None
    assert "times in the next 52 weeks" in str(found.sentence)
    assert [check.name for check in found.checks if check.status == "warn"] == ["spend"]


def test_who_never_bought_is_shown_without_what_cannot_be_known(shop: Project) -> None:
    rows = shop.everything.query(
        "SELECT min(customer_id) AS c FROM events WHERE customer_id NOT IN (SELECT customer_id FROM orders)"
    )
    found = shop.customer(str(rows.to_pylist()[0]["c"]))
    assert (found.bought, found.standing, found.outlook) == (None, None, None)
    assert "without an order so far; last seen on" in str(found.sentence)
    assert {mark.lane for mark in found.marks} <= {"visits", "experiments"}


def test_days_are_those_of_the_shops_clock(tmp_path: Path) -> None:
    project = customers.small(tmp_path / "s", [("ana", datetime(2026, 6, 30, 22, 10), 10.0)])
    project.change(timezone="Europe/Madrid")
    (mark,) = project.customer("ana").marks
    assert mark.at == datetime(2026, 7, 1, 0, 10)


def test_somebody_who_still_comes_by_is_not_called_gone_without_a_word(shop: Project) -> None:
    """The model knows of orders only, so a visit long after the last one is said."""
    found = shop.customer(example(shop, "away"))
    last = max(mark.at for mark in found.marks if mark.lane == "orders")
    warned = [check.name for check in found.checks if check.status == "warn"]
    assert found.outlook.alive.mean < 0.4
    assert (warned == ["seen_since"]) == ((found.last_seen - last).days >= 14)


def test_examples_are_what_they_are_called(shop: Project) -> None:
    looks = {kind: shop.customer(example(shop, kind)) for kind in EXAMPLES}
    most = fetch_one(shop, "SELECT count(*) AS n FROM orders GROUP BY customer_id ORDER BY n DESC LIMIT 1")
    assert looks["most"].bought.orders == most
    assert looks["typical"].bought.frequency == 2
    assert looks["away"].standing.cell[0] == 1
    with pytest.raises(WorkbenchError, match="There is no example “best”"):
        example(shop, "best")  # type: ignore[arg-type]


def fetch_one(project: Project, sql: str) -> Any:
    return next(iter(project.everything.query(sql).to_pylist()[0].values()))


def test_without_the_key_nobody_is_looked_at(
    shop: Project, somebody: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "none"))
    with pytest.raises(ProjectError, match="key of this project is not on this computer"):
        Project.open(shop.path).customer(somebody)


def test_more_rows_than_are_shown_are_counted_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customer, "MOST_ROWS", 3)
    orders = [("ana", NOON + timedelta(days=n), 10.0) for n in range(8)] + [("ben", NOON, 1.0)]
    found = customers.small(tmp_path / "s", orders).customer("ana")
    assert found.bought.orders == 8
    assert len(found.marks) == 3
    assert found.marks[-1].at == NOON + timedelta(days=7)
    assert any("more than 3 rows" in str(check.detail) for check in found.checks)


def test_a_second_look_asks_for_no_new_fit(
    shop: Project, somebody: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shop.customer(somebody)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr(outlook.purchases, "posterior", never)
    assert shop.customer(somebody).outlook == first.outlook
