"""Consent as it was when something happened, held against a loop that follows the rule word by word."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.engines import table
from workbench.engines.duckdb import DuckDBEngine
from workbench.tables.privacy.consent import consent_contrast, consent_share, consented

START = datetime(2026, 1, 1)


@dataclass(frozen=True)
class Said:
    customer: int
    purpose: str
    granted: bool
    ts: datetime | None


def had_agreed(said: list[Said], customer: int, purpose: str, at: datetime | None) -> bool:
    """The rule, one customer and one moment at a time."""
    mine = [one for one in said if one.customer == customer and one.purpose == purpose]
    moment = datetime.max if at is None else at
    second = {id(one): datetime.min if one.ts is None else one.ts.replace(microsecond=0) for one in mine}
    heard = [one for one in mine if second[id(one)] <= moment]
    newest = max((second[id(one)] for one in heard), default=None)
    last = [one.granted for one in heard if second[id(one)] == newest]
    return bool(last) and all(last)


def histories(seed: int) -> tuple[list[Said], list[tuple[int, datetime | None]]]:
    draw = random.Random(seed)

    def moment() -> datetime | None:
        if draw.random() < 0.1:
            return None
        # few moments, so that many fall into one second, and fractions of seconds within it
        return START + timedelta(seconds=draw.randrange(40), milliseconds=draw.choice([0, 0, 200, 700]))

    said = [
        Said(draw.randrange(60), draw.choice(["marketing", "analytics"]), draw.random() < 0.6, moment())
        for _ in range(300)
    ]
    return said, [(draw.randrange(70), moment()) for _ in range(1500)]


def stored(folder: Path, **tables: dict[str, Any]) -> DuckDBEngine:
    files = {name: [folder / f"{name}.parquet"] for name in tables}
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), files[name][0])
    return DuckDBEngine(lambda: files)


def consents_of(said: list[Said]) -> dict[str, Any]:
    return {
        "customer_id": pa.array([one.customer for one in said], pa.int64()),
        "purpose": pa.array([one.purpose for one in said]),
        "granted": pa.array([one.granted for one in said], pa.bool_()),
        "ts": pa.array([one.ts for one in said], pa.timestamp("us")),
    }


def rows_of(rows: Sequence[tuple[int, datetime | None]]) -> dict[str, Any]:
    return {
        "event_id": list(range(len(rows))),
        "customer_id": pa.array([customer for customer, _ in rows], pa.int64()),
        "ts": pa.array([at for _, at in rows], pa.timestamp("us")),
    }


def kept(engine: DuckDBEngine, purpose: str, time: str | None) -> list[int]:
    expression = consented(table(engine, "events"), table(engine, "consents"), purpose, time)
    assert expression.columns == table(engine, "events").columns
    return sorted(engine.query(ibis.to_sql(expression, dialect="duckdb"))["event_id"].to_pylist())


@pytest.mark.requirement("G06")
@pytest.mark.parametrize("seed", range(5))
def test_rows_are_kept_by_what_had_been_agreed_when_they_happened(seed: int, tmp_path: Path) -> None:
    said, rows = histories(seed)
    engine = stored(tmp_path, events=rows_of(rows), consents=consents_of(said))
    for purpose in ("marketing", "analytics", "nobody was asked"):
        then = [at for at, row in enumerate(rows) if had_agreed(said, row[0], purpose, row[1])]
        now = [at for at, row in enumerate(rows) if had_agreed(said, row[0], purpose, None)]
        assert kept(engine, purpose, "ts") == then
        assert kept(engine, purpose, None) == now
        assert (purpose == "nobody was asked") == (not then)
        assert then != now or not then


def test_of_two_statements_in_one_second_the_withdrawal_wins(tmp_path: Path) -> None:
    later = START + timedelta(seconds=5)
    said = [
        Said(1, "marketing", True, START),
        Said(1, "marketing", True, later),
        Said(1, "marketing", False, later),
        Said(2, "marketing", True, START),
        Said(2, "marketing", True, START),
    ]
    rows = [(1, START), (1, later), (2, START), (2, later)]
    engine = stored(tmp_path, events=rows_of(rows), consents=consents_of(said))
    assert kept(engine, "marketing", "ts") == [0, 2, 3]


@pytest.mark.parametrize("dialect", ["postgres", "databricks", "bigquery", "snowflake"])
def test_other_engines_are_asked_without_arithmetic_on_times(dialect: str) -> None:
    rows = ibis.table({"customer_id": "int64", "ts": "timestamp"}, name="events")
    consents = ibis.table(
        {"customer_id": "int64", "purpose": "string", "granted": "boolean", "ts": "timestamp"},
        name="consents",
    )
    sql = ibis.to_sql(consented(rows, consents, "marketing", "ts"), dialect=dialect)
    assert "INTERVAL" not in sql.upper()
    assert "consents" in sql


@pytest.fixture
def shop(tmp_path: Path) -> DuckDBEngine:
    """40 customers: the 30 who agreed order twice each, the others once or not at all."""
    said = [Said(customer, "marketing", True, None) for customer in range(30)]
    said.append(Said(35, "marketing", False, None))
    orders = [customer for customer in range(30) for _ in range(2)] + [30, 31, 32, 33, 34]
    return stored(
        tmp_path,
        customers={"customer_id": pa.array([*range(40), 0, 0], pa.int64())},
        orders={"customer_id": pa.array(orders, pa.int64()), "ts": pa.array([START] * len(orders))},
        consents=consents_of(said),
    )


@pytest.mark.requirement("G06")
def test_what_is_left_out_is_counted(shop: DuckDBEngine) -> None:
    share = consent_share(shop, table(shop, "orders"), table(shop, "consents"), "marketing", "ts")
    assert (share.rows, share.rows_kept, share.customers, share.customers_kept) == (65, 60, 35, 30)
    assert "5 of 65 rows and 5 of 35 customers" in str(share.note)


@pytest.mark.requirement("G06")
def test_the_bias_is_told_by_holding_both_groups_against_each_other(shop: DuckDBEngine) -> None:
    customers, orders, consents = (table(shop, name) for name in ("customers", "orders", "consents"))
    contrast = consent_contrast(shop, customers, orders, consents, "marketing")
    assert (contrast.agreed.customers, contrast.agreed.mean) == (30, 2.0)
    assert (contrast.others.customers, contrast.others.mean) == (10, 0.5)
    # five ones and five noughts: variance 5/18, of the mean a tenth of it
    assert contrast.others.error == pytest.approx((5 / 18 / 10) ** 0.5)
    assert "need not hold for all" in str(contrast.note)


def test_small_groups_are_not_shown(shop: DuckDBEngine) -> None:
    few = table(shop, "customers")
    few = few.filter(few.customer_id < 39)
    contrast = consent_contrast(shop, few, table(shop, "orders"), table(shop, "consents"), "marketing")
    assert (contrast.others.customers, contrast.others.mean, contrast.note) == (9, None, None)
