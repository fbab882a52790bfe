"""Looking over the tables after loading: what does not fit together, and what stretch of time they cover."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from workbench.locale import say
from workbench.records import Check
from workbench.tables.schema import Table, standard

Query = Callable[[str], pa.Table]


def table_checks(query: Query, tables: Collection[str], *, now: datetime | None = None) -> list[Check]:
    """Check the stored tables, each by itself and against `customers`.

    Args:
        query: Runs SQL that DuckDB, PostgreSQL and Spark understand alike.
        tables: Names of the standard tables that there are.
        now: The present, for times that lie beyond it; naive times are UTC.
    """
    now = now or datetime.now(UTC)
    checks: list[Check] = []
    for name in tables:
        table = standard(name)
        checks += _key_check(query, table)
        checks += _time_checks(query, table, now)
        if "customers" in tables and name != "customers" and "customer_id" in table.names:
            checks.append(_orphan_check(query, table))
        if name == "exposures":
            checks.append(_one_variant_check(query))
    return checks


def _row(query: Query, sql: str) -> dict[str, Any]:
    return dict(query(sql).to_pylist()[0])


def _key_check(query: Query, table: Table) -> Iterator[Check]:
    if table.repeat not in ("newest", "fill", "first"):
        return
    keys = ", ".join(table.key)
    groups = f"SELECT {keys} FROM {table.name} GROUP BY {keys} HAVING count(*) > 1"
    repeated = _row(query, f"SELECT count(*) AS n FROM ({groups}) AS repeated")["n"]
    if repeated:
        detail = say(
            "{table}: values of {key} that stand in several rows: {n:count}.",
            table=table.name,
            n=repeated,
            key=keys,
        )
        yield Check(name=f"{table.name}.repeated", status="fail", detail=detail)
    else:
        detail = say("{table}: no two rows have the same {key}.", table=table.name, key=keys)
        yield Check(name=f"{table.name}.repeated", status="ok", detail=detail)


def _time_checks(query: Query, table: Table, now: datetime) -> Iterator[Check]:
    """How long a stretch the table covers, and whether it reaches into the future."""
    if table.time is None:
        return
    instant = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if now.tzinfo else f"{now:%Y-%m-%d %H:%M:%S}"
    found = _row(
        query,
        f"""SELECT min({table.time}) AS first, max({table.time}) AS last,
                   sum(CASE WHEN {table.time} > CAST('{instant}' AS TIMESTAMP) THEN 1 ELSE 0 END) AS future
            FROM {table.name}""",
    )
    if found["first"] is None:
        return
    covered = say(
        "{table}: from {first:date} to {last:date}, {days:count} days.",
        table=table.name,
        first=found["first"],
        last=found["last"],
        days=(found["last"].date() - found["first"].date()).days + 1,
    )
    yield Check(name=f"{table.name}.coverage", status="ok", detail=covered)
    future = int(found["future"])
    if future:
        detail = say("{table}: rows in the future: {n:count}.", table=table.name, n=future)
        yield Check(name=f"{table.name}.future", status="warn", detail=detail)
    else:
        detail = say("{table}: no row lies in the future.", table=table.name)
        yield Check(name=f"{table.name}.future", status="ok", detail=detail)


def _orphan_check(query: Query, table: Table) -> Check:
    missing = _row(
        query,
        f"""SELECT count(*) AS n FROM (SELECT DISTINCT customer_id FROM {table.name}) AS theirs
            LEFT JOIN customers ON customers.customer_id = theirs.customer_id
            WHERE customers.customer_id IS NULL AND theirs.customer_id IS NOT NULL""",
    )["n"]
    name = f"{table.name}.orphans"
    if missing:
        detail = say(
            "{table}: customers who are not in the table customers: {n:count}.", table=table.name, n=missing
        )
        return Check(name=name, status="warn", detail=detail)
    return Check(
        name=name,
        status="ok",
        detail=say("{table}: every customer is in the table customers.", table=table.name),
    )


def _one_variant_check(query: Query) -> Check:
    crossed = _row(
        query,
        """SELECT count(DISTINCT customer_id) AS n FROM (
               SELECT customer_id FROM exposures GROUP BY customer_id, experience_id
               HAVING count(DISTINCT variant) > 1) AS crossed""",
    )["n"]
    if crossed:
        detail = say("exposures: customers in more than one variant of an experience: {n:count}.", n=crossed)
        return Check(name="exposures.crossed", status="warn", detail=detail)
    detail = say("exposures: every customer is in one variant of an experience.")
    return Check(name="exposures.crossed", status="ok", detail=detail)
