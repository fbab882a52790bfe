"""The two central questions about large tables: ours beside plain SQL, Polars and pandas, in one run.

The check report, which nobody else has, comes after them.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import workbench as wb
from tools.bench.data import SIZES
from tools.bench.measure import Cost, measure, run

TITLES = {"ab": "moments of an experiment", "ltv": "purchase histories for lifetime value"}
RIVALS = {"sql": "DuckDB, plain SQL", "polars": "Polars", "pandas": "pandas"}
LITTLE_MEMORY = "600MB"
PANDAS_GB = 18.0
"""Address space that pandas may take: more, and it would take the machine down with it."""


def bench_speed(name: str, folder: str | None) -> None:
    """Make the tables of that size, unless they lie in `folder` already, and ask."""
    if folder is None:
        with tempfile.TemporaryDirectory() as place:
            _bench(name, Path(place))
    else:
        _bench(name, Path(folder))


def _bench(name: str, folder: Path) -> None:
    size, shop = SIZES[name], folder / "shop"
    os.environ["WORKBENCH_KEYS"] = str(folder / "keys")
    if not (shop / "tables.json").exists():
        wb.Project.create(shop)
        cost = measure(sys.executable, "-m", "tools.bench.data", str(shop / "tables"), name)
        _line("the tables are made and sorted", cost)
    print(f"{size.customers:,} customers, {size.events:,} events, {size.orders:,} orders")
    for kind, title in TITLES.items():
        print(f"{title}")
        tables = str(shop / "tables")
        _line(
            "reading the columns", measure(sys.executable, "-m", "tools.bench.rivals", "floor", kind, tables)
        )
        ours = _ours(kind, shop, {})
        for rival, words in RIVALS.items():
            command = (sys.executable, "-m", "tools.bench.rivals", rival, kind, tables)
            cost = run(*command, address_space_gb=PANDAS_GB if rival == "pandas" else None)
            if cost.failed:
                print(
                    f"  {words:<44} failed after {cost.wall:.1f} s, {cost.peak_mb:,.0f} MB: {cost.last_line}"
                )
            else:
                _line(words, cost)
                _compare(words, ours, json.loads(cost.last_line))
        _ours(kind, shop, {"memory_limit": LITTLE_MEMORY})
    print("check report")
    for settings in ({}, {"memory_limit": LITTLE_MEMORY}):
        _ours("checks", shop, settings)


def _ours(kind: str, shop: Path, settings: Mapping[str, str]) -> dict[str, list[float]]:
    """Ask the workbench with nothing remembered, then again in a new process that finds the answers."""
    project = wb.Project.open(shop)
    before = project.settings
    project.change(**settings)
    said = f" at {settings['memory_limit']}" if settings else ""
    try:
        for file in (shop / "cache").glob("*"):
            file.unlink()
        cost = measure(sys.executable, "-m", "tools.bench.ours", kind, str(shop))
        lines = [json.loads(line) for line in cost.printed.strip().splitlines()]
        _line(f"the workbench{said}, all questions", cost)
        for line in lines[:-1]:
            print(f"    {line['question']:<42} {line['wall']:6.2f} s, CPU {line['cpu']:6.2f} s")
        if kind in TITLES and not settings:  # checks are not remembered
            again = measure(sys.executable, "-m", "tools.bench.ours", kind, str(shop))
            _line("the workbench, all again in a new process", again)
    finally:
        project.change(memory_limit=before.memory_limit)
    return dict(lines[-1])


def _compare(words: str, ours: Mapping[str, list[float]], theirs: Mapping[str, list[float]]) -> None:
    """Stop when two ways to the same sums differ."""
    for key in ours.keys() | theirs.keys():
        pairs = zip(ours.get(key, []), theirs.get(key, []), strict=True)
        if not all(math.isclose(one, other, rel_tol=1e-9) for one, other in pairs):
            raise SystemExit(f"{words} and the workbench differ for {key}: {theirs[key]} and {ours[key]}")


def _line(words: str, cost: Cost) -> None:
    print(
        f"  {words:<44} {cost.wall:6.2f} s, CPU {cost.cpu:6.2f} s, peak {cost.peak_mb:6,.0f} MB", flush=True
    )
