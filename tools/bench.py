"""`make bench`: what the main job costs, measured side by side in one run.

    python -m tools.bench            everything
    python -m tools.bench demo       one part: demo, million, import

Each figure is a process of its own: wall and CPU seconds and the peak of its memory, as the operating system
accounts for them. Machines differ and are busy; compare figures of one run with each other.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

_REPEATS = 3

_MILLION = """
import sys, time
from pathlib import Path
import workbench as wb
from workbench.simulate import simulate
folder = Path(sys.argv[1])
if not (folder / "project.toml").exists():
    shop = simulate(customers=1_000_000, seed=1, with_events=False)
    project = wb.Project.create(folder)
    project.commit({name: rows for name, rows in shop.tables.items() if rows.num_rows})
"""

_VALUE = """
import sys, time
import workbench as wb
from workbench.analyses import value
from workbench.records import ValueSettings
project = wb.Project.open(sys.argv[1])
settings = ValueSettings(by=sys.argv[2] or None)
begin = time.perf_counter(); histories = value.read(project, settings); query = time.perf_counter() - begin
begin = time.perf_counter(); record = value.analyse(project, settings); whole = time.perf_counter() - begin
print(f"{record.summary.customers:>9,} customers in {record.summary.rows:>6,} rows: "
      f"query {query:5.2f} s, all with posterior and hold-out {whole:5.2f} s")
"""

_EFFECT = """
import sys, time
import workbench as wb
project = wb.Project.open(sys.argv[1])
for by in (None, "country", "device"):
    begin = time.perf_counter()
    record = project.effect("personalised-home", "revenue", by=by, keep=False)
    seconds = time.perf_counter() - begin
    print(f"{record.summary.customers:>9,} customers, by {by or 'nothing':<8}: {seconds:5.2f} s")
"""


@dataclass(frozen=True)
class Cost:
    """What one process took: wall and CPU seconds, peak memory in MB, and what it printed."""

    wall: float
    cpu: float
    peak_mb: float
    printed: str


def measure(*command: str) -> Cost:
    """Run a command as a process of its own.

    Raises:
        SystemExit: when it fails, with what it said.
    """
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, cwd=Path(__file__).parents[1]
        )
        _, status, usage = os.wait4(process.pid, 0)
        out.seek(0)
        printed = out.read()
    wall = time.perf_counter() - begin
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)} failed:\n{printed}")
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit, printed)


def show(name: str, costs: list[Cost]) -> None:
    """The median of several runs, with the least and the greatest wall time."""
    walls = sorted(cost.wall for cost in costs)
    middle = sorted(costs, key=lambda cost: cost.wall)[len(costs) // 2]
    print(
        f"{name:<34} {middle.wall:6.2f} s ({walls[0]:.2f} to {walls[-1]:.2f}), "
        f"CPU {middle.cpu:6.2f} s, peak {max(cost.peak_mb for cost in costs):6.0f} MB"
    )


def bench_import() -> None:
    """How long `import workbench` takes beside an empty Python."""
    show("an empty Python", [measure(sys.executable, "-c", "pass") for _ in range(_REPEATS)])
    show("import workbench", [measure(sys.executable, "-c", "import workbench") for _ in range(_REPEATS)])


def bench_demo() -> None:
    """The main job on the sample, from files to a published page."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            measure(sys.executable, "-m", "workbench.cli", "demo", f"{folder}/{index}")
            for index in range(_REPEATS)
        ]
    show("workbench demo", runs)


def bench_million() -> None:
    """A million simulated customers: lifetime value and an experiment."""
    with tempfile.TemporaryDirectory() as folder:
        show("simulate and store 1,000,000", [measure(sys.executable, "-c", _MILLION, folder)])
        for by in ("", "personalised-home"):
            cost = measure(sys.executable, "-c", _VALUE, folder, by)
            show(f"lifetime value by {by or 'nothing'}", [cost])
            print("  " + cost.printed.strip())
        cost = measure(sys.executable, "-c", _EFFECT, folder)
        show("three questions of an experiment", [cost])
        print("  " + cost.printed.strip().replace("\n", "\n  "))


PARTS = {"import": bench_import, "demo": bench_demo, "million": bench_million}


def main() -> None:
    """Run the parts that were named, or all."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    print(f"{sys.platform}, {cores} cores, memory limit {'none' if limit < 0 else limit}")
    for name in sys.argv[1:] or PARTS:
        if name not in PARTS:
            raise SystemExit(f"There is no part “{name}”; there are: {', '.join(PARTS)}.")
        PARTS[name]()


if __name__ == "__main__":
    main()
