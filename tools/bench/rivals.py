"""The same two questions by other means: `python -m tools.bench.rivals MEANS KIND FOLDER`.

`ab`: of each arm, country and segment the number of customers and sums and sums of squares of purchases,
revenue, clicks, views and conversion, in one window. `ltv`: customers with equal segment, purchases and
weeks of recency and tenure. `floor` reads the columns they need and nothing else. The last line that is
printed holds sums that all means share.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tools.bench.data import DAY, END, WINDOW_DAYS

LAST_DAY = (END - 1) // DAY
SUMS = ("purchases", "revenue", "clicks", "views", "conversion")
Digest = dict[str, list[float]]


def _place(folder: Path, table: str) -> str:
    return str(folder / f"{table}-*.parquet")


def floor(kind: str, folder: Path) -> Digest:
    """Read every needed column."""
    import duckdb

    duckdb.execute("SET TimeZone = 'UTC'")
    columns = {"orders": "bit_xor(customer_id), bit_xor(epoch_us(ts)), sum(revenue), sum(refund)"}
    if kind == "ab":
        columns["events"] = "bit_xor(customer_id), bit_xor(epoch_us(ts)), count(*) FILTER (name = 'click')"
    for table, read in columns.items():
        duckdb.sql(f"SELECT {read} FROM '{_place(folder, table)}'").fetchall()
    return {}


def sql(kind: str, folder: Path) -> Digest:
    """One statement of plain SQL to DuckDB."""
    import duckdb

    duckdb.execute("SET TimeZone = 'UTC'")
    for table in ("customers", "exposures", "orders", "events"):
        duckdb.execute(f"CREATE VIEW {table} AS FROM '{_place(folder, table)}'")
    if kind == "ltv":
        rows = duckdb.sql(
            f"""WITH days AS (
                SELECT customer_id, epoch(ts)::BIGINT // {DAY} AS day, sum(revenue - refund) AS money
                FROM orders WHERE NOT (revenue > 0 AND revenue - refund <= 0) GROUP BY ALL),
            firsts AS (SELECT customer_id, min(day) AS first FROM days GROUP BY ALL),
            each AS (SELECT customer_id, min(first) AS first, count(*) - 1 AS x, max(day) - min(first) AS r,
                coalesce(sum(money) FILTER (day > first), 0) AS s
                FROM days JOIN firsts USING (customer_id) GROUP BY ALL)
            SELECT segment, x, r // 7, ({LAST_DAY} - first) // 7, count(*) AS n, sum(r), sum(s)
            FROM each JOIN customers USING (customer_id) GROUP BY ALL"""
        ).fetchall()
        return _digest((row[0], row[4], row[4] * row[1]) for row in rows)
    inside = f"epoch(ts)::BIGINT >= as_of AND epoch(ts)::BIGINT < as_of + {WINDOW_DAYS * DAY}"
    rows = duckdb.sql(
        f"""WITH people AS (
            SELECT customer_id, min(variant) AS arm, epoch(min(ts))::BIGINT AS as_of FROM exposures
            WHERE experience_id = 'home' GROUP BY ALL HAVING count(DISTINCT variant) = 1),
        bought AS (SELECT customer_id, count(*) AS purchases, sum(revenue - refund) AS revenue
            FROM orders JOIN people USING (customer_id) WHERE {inside} GROUP BY ALL),
        did AS (SELECT customer_id, count(*) FILTER (name = 'click') AS clicks,
            count(*) FILTER (name = 'view') AS views
            FROM events JOIN people USING (customer_id) WHERE {inside} GROUP BY ALL),
        each AS (SELECT arm, country, segment, coalesce(purchases, 0) AS purchases,
            coalesce(revenue, 0) AS revenue, coalesce(clicks, 0) AS clicks, coalesce(views, 0) AS views,
            (purchases > 0)::INT::DOUBLE AS conversion
            FROM people LEFT JOIN bought USING (customer_id) LEFT JOIN did USING (customer_id)
            LEFT JOIN customers USING (customer_id))
        SELECT arm, country, segment, count(*), {", ".join(f"sum({x}), sum({x} * {x})" for x in SUMS)}
        FROM each GROUP BY ALL"""
    ).fetchall()
    return _digest((row[0], row[3], row[8], row[6]) for row in rows)


def polars(kind: str, folder: Path) -> Digest:
    """Polars, lazily and streaming."""
    import polars as pl

    def scan(table: str) -> Any:
        return pl.scan_parquet(_place(folder, table))

    orders, at = scan("orders"), pl.col("ts").dt.epoch("s")
    money = pl.col("revenue") - pl.col("refund")
    if kind == "ltv":
        days = (
            orders.filter(~((pl.col("revenue") > 0) & (money <= 0)))
            .group_by("customer_id", day=at // DAY)
            .agg(money=money.sum())
        )
        first = pl.col("day").min()
        each = days.group_by("customer_id").agg(
            first=first,
            x=pl.len() - 1,
            r=pl.col("day").max() - first,
            s=pl.col("money").filter(pl.col("day") > first).sum(),
        )
        each = each.join(scan("customers").select("customer_id", "segment"), on="customer_id")
        keys = ["segment", "x", (pl.col("r") // 7).alias("a"), ((LAST_DAY - pl.col("first")) // 7).alias("b")]
        rows = each.group_by(keys).agg(n=pl.len(), r=pl.col("r").sum(), s=pl.col("s").sum())
        found = rows.collect(engine="streaming").to_dicts()
        return _digest((row["segment"], row["n"], row["n"] * row["x"]) for row in found)
    people = (
        scan("exposures")
        .filter(pl.col("experience_id") == "home")
        .group_by("customer_id")
        .agg(arm=pl.col("variant").min(), arms=pl.col("variant").n_unique(), as_of=at.min())
        .filter(pl.col("arms") == 1)
    )
    inside = (at >= pl.col("as_of")) & (at < pl.col("as_of") + WINDOW_DAYS * DAY)
    placed = people.select("customer_id", "as_of")
    bought = orders.join(placed, on="customer_id").filter(inside).group_by("customer_id")
    did = scan("events").join(placed, on="customer_id").filter(inside).group_by("customer_id")
    each = (
        people.join(bought.agg(purchases=pl.len(), revenue=money.sum()), on="customer_id", how="left")
        .join(
            did.agg(clicks=(pl.col("name") == "click").sum(), views=(pl.col("name") == "view").sum()),
            on="customer_id",
            how="left",
        )
        .join(scan("customers").select("customer_id", "country", "segment"), on="customer_id", how="left")
        .with_columns(pl.col("purchases", "revenue", "clicks", "views").fill_null(0).cast(pl.Float64))
        .with_columns(conversion=(pl.col("purchases") > 0).cast(pl.Float64))
    )
    sums = [pl.col(x).sum() for x in SUMS] + [(pl.col(x) ** 2).sum().alias(f"{x}_squares") for x in SUMS]
    found = (
        each.group_by("arm", "country", "segment").agg(pl.len().alias("n"), *sums).collect(engine="streaming")
    )
    return _digest((row["arm"], row["n"], row["clicks"], row["revenue"]) for row in found.to_dicts())


def pandas(kind: str, folder: Path) -> Digest:
    """pandas, reading only the columns it needs."""
    import pandas as pd

    def read(table: str, *columns: str) -> Any:
        parts = sorted(folder.glob(f"{table}-*.parquet"))
        return pd.concat([pd.read_parquet(part, columns=list(columns)) for part in parts])

    def seconds(ts: Any) -> Any:
        return ts.astype("datetime64[s]").astype("int64")

    orders = read("orders", "customer_id", "ts", "revenue", "refund")
    orders["money"] = orders.revenue - orders.refund
    if kind == "ltv":
        orders = orders[~((orders.revenue > 0) & (orders.money <= 0))]
        orders["day"] = seconds(orders.ts) // DAY
        days = orders.groupby(["customer_id", "day"], as_index=False).money.sum()
        days["first"] = days.groupby("customer_id").day.transform("min")
        days["s"] = days.money.where(days.day > days["first"], 0.0)
        each = days.groupby("customer_id", as_index=False).agg(
            first=("first", "min"), x=("day", "size"), last=("day", "max"), s=("s", "sum")
        )
        each["x"] -= 1
        each["r"] = each["last"] - each["first"]
        each["a"], each["b"] = each.r // 7, (LAST_DAY - each["first"]) // 7
        each = each.merge(read("customers", "customer_id", "segment"), on="customer_id")
        rows = each.groupby(["segment", "x", "a", "b"], as_index=False).agg(
            n=("x", "size"), r=("r", "sum"), s=("s", "sum")
        )
        return _digest(zip(rows.segment, rows.n, rows.n * rows.x, strict=True))
    seen = read("exposures", "customer_id", "experience_id", "variant", "ts")
    seen = seen[seen.experience_id == "home"].groupby("customer_id", as_index=False)
    people = seen.agg(arm=("variant", "min"), arms=("variant", "nunique"), first=("ts", "min"))
    people = people[people.arms == 1]
    people["as_of"] = seconds(people["first"])
    each = people.merge(read("customers", "customer_id", "country", "segment"), on="customer_id", how="left")

    def inside(rows: Any) -> Any:
        joined = rows.merge(people[["customer_id", "as_of"]], on="customer_id")
        since = seconds(joined.ts) - joined.as_of
        return joined[(since >= 0) & (since < WINDOW_DAYS * DAY)]

    bought = inside(orders).groupby("customer_id").money.agg(["size", "sum"])
    did = inside(read("events", "customer_id", "ts", "name"))
    for name, values in {
        "purchases": bought["size"],
        "revenue": bought["sum"],
        "clicks": did[did.name == "click"].groupby("customer_id").size(),
        "views": did[did.name == "view"].groupby("customer_id").size(),
    }.items():
        each[name] = each.customer_id.map(values).fillna(0.0)
    each["conversion"] = (each.purchases > 0).astype(float)
    for name in SUMS:
        each[f"{name}_squares"] = each[name] ** 2
    columns = [*SUMS, *(f"{name}_squares" for name in SUMS)]
    rows = each.assign(n=1).groupby(["arm", "country", "segment"], as_index=False)[["n", *columns]].sum()
    return _digest(zip(rows.arm, rows.n, rows.clicks, rows.revenue, strict=True))


def _digest(rows: Any) -> Digest:
    """Sums by the first column."""
    sums: Digest = {}
    for key, *values in rows:
        before = sums.get(str(key), [0.0] * len(values))
        sums[str(key)] = [float(one) + float(other) for one, other in zip(before, values, strict=True)]
    return sums


MEANS = {"floor": floor, "sql": sql, "polars": polars, "pandas": pandas}

if __name__ == "__main__":
    print(json.dumps(MEANS[sys.argv[1]](sys.argv[2], Path(sys.argv[3])), sort_keys=True))
