"""One customer: what they agreed to decides what is seen, and a name is never shown."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
import pytest

from tests import customers
from workbench import Project
from workbench.analyses.customer import example
from workbench.analyses.happenings import Mark, agreements
from workbench.errors import DataError
from workbench.tables.privacy.consent import consented

NOON = datetime(2026, 1, 5, 12)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Not to be changed."""
    return customers.make(tmp_path_factory.mktemp("customers") / "shop")


def test_only_what_was_agreed_to_is_analysed(shop: Project, tmp_path: Path) -> None:
    """Those who refused, and what happened before somebody agreed, are said and not computed."""
    careful = customers.own(shop, tmp_path / "careful", consent_purpose="analysis")
    said = shop.everything.query(
        "SELECT customer_id AS c, bool_and(granted) AS yes FROM consents WHERE purpose = 'analysis'"
        " GROUP BY c ORDER BY c"
    ).to_pylist()
    refused = next(str(row["c"]) for row in said if not row["yes"])
    found = careful.customer(refused)
    assert "has not agreed to “analysis”" in str(found.sentence)
    assert (found.bought, found.standing, found.outlook, found.marks) == (None, None, None, ())
    assert not found.attributes
    assert set(found.rows) == {"consents"}
    assert found.agreements[0].granted is False
    agreed = next(str(row["c"]) for row in said if row["yes"])
    kept, everything = careful.customer(agreed), shop.customer(agreed)
    since = kept.agreements[0].since
    assert since is not None

    def later(marks: tuple[Mark, ...]) -> list[Mark]:
        """Without visits, one of which may have begun before."""
        return [mark for mark in marks if mark.at >= since.replace(microsecond=0) and mark.lane != "visits"]

    assert later(everything.marks) == later(kept.marks)
    assert later(kept.marks) == [mark for mark in kept.marks if mark.lane != "visits"]
    left_out = sum(everything.rows.values()) - sum(kept.rows.values())
    assert left_out > 0
    (check,) = [one for one in kept.checks if one.name == "consent"]
    assert check.status == "warn"
    assert check.detail.values["n"] == left_out


def test_who_withdrew_is_not_called_gone_for_what_may_not_be_seen(tmp_path: Path) -> None:
    """They ordered on after they withdrew; to those who may not see it, that must not look like an end."""
    weeks = [timedelta(weeks=n) for n in range(40)]
    orders = [
        (f"c{n}", NOON + weeks[n % 7 + step], 10.0 + n % 5)
        for n in range(60)
        for step in range(0, 24, n % 6 + 3)
    ]
    said = [(f"c{n}", True, NOON - weeks[1]) for n in range(60)] + [("c0", False, NOON + weeks[10])]
    consents = pa.table(
        {
            "customer_id": [row[0] for row in said],
            "purpose": ["analysis"] * len(said),
            "granted": [row[1] for row in said],
            "ts": pa.array([row[2] for row in said], customers.TIME),
        }
    )
    project = customers.small(tmp_path / "s", orders, consents=consents)
    assert project.customer("c0").outlook is not None
    project.change(consent_purpose="analysis")
    found = project.customer("c0")
    assert max(mark.at for mark in found.marks) < NOON + weeks[10]
    assert (found.outlook, found.standing) == (None, None)
    assert "Since 16 Mar 2026 they no longer agree to “analysis”" in str(found.sentence)
    assert project.customer("c1").outlook is not None


def test_agreements_are_those_that_filter_rows(shop: Project) -> None:
    """Moment by moment, against the filter of the tables."""
    day = timedelta(days=1)
    said = [
        (None, False),
        (NOON, True),
        (NOON + day, True),
        (NOON + 2 * day, False),
        (NOON + 3 * day, True),
        (NOON + 3 * day, False),
        (NOON + 4 * day + timedelta(milliseconds=700), True),
    ]
    consents = pa.table(
        {
            "customer_id": [1] * len(said),
            "purpose": ["p"] * len(said),
            "granted": [granted for _, granted in said],
            "ts": pa.array([at for at, _ in said], customers.TIME),
        }
    )
    (agreement,) = agreements(consents.drop("customer_id"), lambda at: at)
    moments = [NOON + hours * day / 24 for hours in range(-12, 132, 3)]
    connection = duckdb.connect()
    connection.register("consents", consents)
    connection.register(
        "rows_", pa.table({"customer_id": [1] * len(moments), "ts": pa.array(moments, customers.TIME)})
    )
    rows = ibis.table({"customer_id": "int64", "ts": "timestamp(6)"}, name="rows_")
    table = ibis.table(
        {"customer_id": "int64", "purpose": "string", "granted": "boolean", "ts": "timestamp(6)"},
        name="consents",
    )
    sql = ibis.to_sql(consented(rows, table, "p", "ts"), dialect="duckdb")
    allowed = {row[1] for row in connection.sql(sql).fetchall()}

    def inside(at: datetime) -> bool:
        return any(
            (since is None or since.replace(microsecond=0) <= at) and (until is None or at < until)
            for since, until in agreement.stretches
        )

    assert {at for at in moments if inside(at)} == allowed
    assert agreement.granted
    assert agreement.stretches[0] == (NOON, NOON + 2 * day)


@pytest.fixture
def database(tmp_path: Path) -> Project:
    """A shop whose names are e-mail addresses, and which says more of customers than it should."""
    people = pa.table(
        {
            "customer_id": ["ana@example.com", "ben@example.com"],
            "email": ["ana@example.com", "ben@example.com"],
            "nombre": ["Ana", "Ben"],
            "age": [30, 40],
            "note": ["call 612 345 678", ""],
        }
    )
    surveys = pa.table(
        {
            "customer_id": ["ana@example.com"],
            "ts": pa.array([NOON], customers.TIME),
            "instrument": ["NPS"],
            "score": [9.0],
            "scale_max": [10.0],
            "text": ["write to ana@example.com"],
        }
    )
    orders = [("ana@example.com", NOON, 10.0), ("ben@example.com", NOON, 20.0)]
    return customers.elsewhere(customers.small(tmp_path / "db", orders, customers=people, surveys=surveys))


@pytest.mark.requirement("D22")
def test_tables_in_a_database_show_nobodys_name(database: Project) -> None:
    found = database.customer("ana@example.com")
    assert found.bought.money == 10.0
    assert found.pseudonym == ""
    shown = repr([found, *(rows.to_pylist() for rows in found.tables.values())])
    for private in ("ana@example", "'Ana'", "612 345 678"):
        assert private not in shown
    assert [(one.name, one.sensitive) for one in found.attributes] == [("age", True), ("note", False)]
    with pytest.raises(DataError, match="are never taken"):
        example(database, "most")
    entry = database.people.access.entries()[0][-1]
    assert (entry.action, "ana" in repr(entry)) == ("read", False)
