"""Questions to the workbench about large tables: `python -m tools.bench.ours KIND PROJECT`.

Prints a line of JSON for each question, with its wall and CPU seconds; the last line is as rivals print it.
"""

from __future__ import annotations

import json
import sys
import time

import workbench as wb
from tools.bench.data import WINDOW_DAYS
from workbench.analyses import experiment, value
from workbench.records import EffectSettings, ValueSettings

# Every metric, group and window after the first question about a table is a next question.
EFFECTS = [
    ("first, of events", "event:click", "country", WINDOW_DAYS),
    ("next: another group", "event:click", "segment", WINDOW_DAYS),
    ("next: another metric", "event:view", "country", WINDOW_DAYS),
    ("next: another window", "any:checkout", "device", 28),
    ("first, of orders", "revenue", "country", WINDOW_DAYS),
    ("next: another group", "revenue", "source", WINDOW_DAYS),
    ("next: another metric", "conversion", "segment", 7),
]
VALUES = [("first", "segment"), ("next: another group", "source"), ("next: everybody", None)]


def _timed[T](name: str, begin: tuple[float, float], answer: T) -> T:
    wall, cpu = time.perf_counter() - begin[0], time.process_time() - begin[1]
    print(json.dumps({"question": name, "wall": wall, "cpu": cpu}), flush=True)
    return answer


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def ab(project: wb.Project) -> dict[str, list[float]]:
    """Moments of an experiment; returns n, revenue and clicks of each arm."""
    digest: dict[str, list[float]] = {}
    for name, metric, by, window in EFFECTS:
        begin = _now()
        settings = EffectSettings(experiment="home", metric=metric, by=by, window_days=window)
        found = _timed(name, begin, experiment.read(project, settings))
        if (metric, by) in (("event:click", "country"), ("revenue", "country")):
            for arm in found.arms:
                cell = found.cells[arm, None].all
                digest.setdefault(arm, [cell.n]).append(cell.total)
    return digest


def ltv(project: wb.Project) -> dict[str, list[float]]:
    """Compressed purchase histories; returns customers and repeat purchases of each segment."""
    digest: dict[str, list[float]] = {}
    for name, by in VALUES:
        found = _timed(name, _now(), value.read(project, ValueSettings(by=by)))
        if by == "segment":
            digest = {
                group: [rows.customers, float(rows.n @ rows.x)] for group, rows in found.purchases.items()
            }
    return digest


def checks(project: wb.Project) -> dict[str, list[float]]:
    """The check report; nothing to hold against others."""
    begin = _now()
    _timed("all checks", begin, project.checks())
    return {}


if __name__ == "__main__":
    print(
        json.dumps(
            {"ab": ab, "ltv": ltv, "checks": checks}[sys.argv[1]](wb.Project.open(sys.argv[2])),
            sort_keys=True,
        )
    )
