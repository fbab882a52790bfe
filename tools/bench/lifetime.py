"""Lifetime value: beside PyMC-Marketing, in an environment of its own, and alone from 100,000 to 10 million.

Both sample BG/NBD for the same customers, each in a process of its own: CDNOW and 10,000 simulated ones.
Seconds of sampling are without compilation, those of the process with everything; effective draws are the
least, bulk or tail, over r, alpha, a and b, and for importance sampling those of its weights. Where a machine
is busy CPU seconds are the fairer ones.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import workbench as wb
from tools.bench.lifetime_data import histories
from tools.bench.measure import ROOT, Cost, measure, run

MARKETING = ("pymc-marketing>=1.3", "pymc<6.4", "nutpie")
CHAINS, TUNE, DRAWS = 4, 500, 1000
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
_CDNOW = ROOT / "tests" / "data" / "cdnow_rows.csv"


class Asked(NamedTuple):
    """What a process said of itself, and what it cost."""

    said: Mapping[str, Any]
    cost: Cost


def bench_lifetime() -> None:
    """Print both comparisons, then the goals."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["WORKBENCH_KEYS"] = str(folder / "keys")
        found = _beside(folder)
        alone, confirmed, scored = _alone(folder)
    _goals(found, alone, confirmed, scored)


def _ask(question: str, place: Path) -> Asked:
    cost = measure(sys.executable, "-m", "tools.bench.lifetime_asked", question, str(place))
    return Asked(json.loads(cost.last_line), cost)


def _beside(folder: Path) -> dict[tuple[str, str], Asked]:
    """PyMC-Marketing and the workbench on the same files, by file and means."""
    python = _environment(folder / "marketing")
    rows = np.loadtxt(_CDNOW, delimiter=",", skiprows=1)
    sets = {
        "CDNOW": np.repeat(rows[:, :3], rows[:, 3].astype(int), axis=0),
        "10,000": histories(10_000, 1),
    }
    found = {}
    titles = ("sampling", "CPU", "effective", "a second", "process", "CPU", "peak")
    print("BG/NBD".ljust(30) + "".join(title.rjust(11) for title in titles))
    for name, each in sets.items():
        file = folder / f"{name.replace(',', '')}.csv"
        table = np.column_stack([np.arange(len(each)), each])
        np.savetxt(file, table, "%.9g", ",", header="customer_id,frequency,recency,T", comments="")
        if python is not None:
            script = str(ROOT / "tools" / "bench" / "marketing.py")
            cost = measure(str(python), script, str(file), str(CHAINS), str(TUNE), str(DRAWS))
            found[name, "marketing"] = Asked(json.loads(cost.last_line), cost)
        for question in ("psis", "nuts"):
            found[name, question] = _ask(question, file)
        for means, words in (
            ("marketing", "PyMC-Marketing"),
            ("psis", "importance sampling"),
            ("nuts", "PyMC's sampler"),
        ):
            if (name, means) in found:
                _row(f"{name}, {words}", found[name, means])
    return found


def _row(words: str, asked: Asked) -> None:
    said, cost = asked
    print(
        f"  {words:<28}{said['wall']:>9.2f} s{said['cpu']:>9.2f} s{said['ess']:>11,.0f}{_rate(asked):>13,.0f}"
        f"{cost.wall:>9.1f} s{cost.cpu:>9.1f} s{cost.peak_mb:>8,.0f} MB",
        flush=True,
    )


def _rate(asked: Asked, clock: str = "cpu") -> float:
    """Effective draws a second of sampling; of CPU, unless the wall clock is asked for."""
    return float(asked.said["ess"] / asked.said[clock])


def _environment(folder: Path) -> Path | None:
    """A Python with PyMC-Marketing; None where it cannot be installed."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    uv = shutil.which("uv")
    if uv is not None:
        steps = [
            (uv, "venv", "--python", sys.executable, str(folder)),
            (uv, "pip", "install", "--python", str(python), *MARKETING),
        ]
    else:
        steps = [
            (sys.executable, "-m", "venv", str(folder)),
            (str(python), "-m", "pip", "install", "--quiet", *MARKETING),
        ]
    for step in steps:
        cost = run(*step)
        if cost.failed:
            print(f"PyMC-Marketing cannot be installed, so it is left out: {cost.last_line}")
            return None
    return python


def _alone(folder: Path) -> tuple[dict[int, Asked], Asked, Asked]:
    """The workbench on large tables: differences by size, the largest confirmed, a million scored."""
    alone = {}
    print("\nfrom Parquet to the posterior difference of value between two arms")
    for customers in SIZES:
        shop = folder / f"{customers}"
        wb.Project.create(shop)
        measure(sys.executable, "-m", "tools.bench.lifetime_data", str(shop), str(customers))
        asked = alone[customers] = _ask("difference", shop)
        said = asked.said
        low, high = said["difference"][1:]
        found = f"khat {said['khat']:.2f}, difference {low:.2f} to {high:.2f}"
        _line(
            f"{customers:>10,} customers, {said['rows']:,} rows",
            asked,
            f"; query {said['query_wall']:.2f} s, {found}",
        )
        if customers == SIZES[-2]:
            scored = _ask("scores", shop)
            _line("each of them scored, to a file", scored)
        _line("the whole record, with all checks", _ask("record", shop))
    confirmed = _ask("confirm", shop)
    said = confirmed.said
    _line(
        f"{SIZES[-1]:,} confirmed by PyMC's sampler",
        confirmed,
        f"; compiled first: {said['first_wall']:.1f} s",
    )
    return alone, confirmed, scored


def _line(words: str, asked: Asked, more: str = "") -> None:
    said, cost = asked.said, asked.cost
    print(
        f"  {words:<42}{said['wall']:>7.2f} s, CPU {said['cpu']:>6.2f} s; process {cost.wall:>6.1f} s, "
        f"peak {cost.peak_mb:>6,.0f} MB{more}",
        flush=True,
    )


def _goals(
    found: Mapping[tuple[str, str], Asked], alone: Mapping[int, Asked], confirmed: Asked, scored: Asked
) -> None:
    print(f"\n{'goals':<54}{'wall':>10}{'CPU':>10}")
    ten, million, most = (alone[size] for size in (SIZES[0], *SIZES[-2:]))
    for means in ("psis", "nuts"):
        if ("10,000", "marketing") in found:
            ours, theirs = found["10,000", means], found["10,000", "marketing"]
            times = [_rate(ours, clock) / _rate(theirs, clock) for clock in ("wall", "cpu")]
            _goal(f"effective draws a second, {means}, times theirs", times, 40, least=True)
    _goal("1 million to the first posterior, seconds", _seconds(million), 3)
    _goal("10 million to the first posterior, seconds", _seconds(most), 15)
    _goal(
        "10 million beside 10,000, times",
        [most.said[clock] / ten.said[clock] for clock in ("wall", "cpu")],
        10,
    )
    _goal("10 million confirmed by the sampler, seconds", _seconds(confirmed), 60)
    _goal("1 million scored, seconds", _seconds(scored), 10)
    _goal("peak memory of posteriors, MB", [max(million.cost.peak_mb, most.cost.peak_mb)], 1500)
    _goal("peak memory of scores, MB", [scored.cost.peak_mb], 1000)


def _seconds(asked: Asked) -> list[float]:
    return [asked.said["wall"], asked.said["cpu"]]


def _goal(words: str, measured: list[float], goal: float, least: bool = False) -> None:
    """The goal is of the wall clock; where a machine is busy, CPU seconds say how far away it would be."""
    met = measured[0] >= goal if least else measured[0] <= goal
    shown = "".join(f"{value:>10,.1f}" for value in measured)
    sign = "at least" if least else "at most"
    print(f"  {words:<52}{shown:<20}  {sign} {goal:,g}: {'met' if met else 'missed'}")
