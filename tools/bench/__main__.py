"""`make bench`: what the main job costs, measured side by side in one run.

    python -m tools.bench                       import, demo, million, redraw, others, lifetime, small
    python -m tools.bench demo                  one part
    python -m tools.bench large                 5 million customers and 100 million events; a gigabyte of disk
    python -m tools.bench large --data FOLDER   the same with tables that are kept there for the next time
    python -m tools.bench pages                 published pages for 1 to 50 readers, beside stock Voilà
    python -m tools.bench pages --soak 10       20 readers who come and go for ten minutes

Each figure is a process of its own: wall and CPU seconds and the peak of its memory, as the operating system
accounts for them. Machines differ and are busy; compare figures of one run with each other.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable

from tools.bench.lifetime import bench_lifetime
from tools.bench.measure import measure, show
from tools.bench.others import bench_others
from tools.bench.redraw import bench_redraw
from tools.bench.speed import bench_speed

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


PARTS: dict[str, Callable[[], None]] = {
    "import": bench_import,
    "demo": bench_demo,
    "million": bench_million,
    "redraw": bench_redraw,
    "others": bench_others,
    "lifetime": bench_lifetime,
}
SIZES = ("small", "large")


def main() -> None:
    """Run the parts that were named, or all but the large one."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench")
    parser.add_argument("parts", nargs="*", help=", ".join([*PARTS, *SIZES]))
    parser.add_argument(
        "--data", help="a folder to keep the tables of small and large in, or to find them in"
    )
    parser.add_argument("--readers", type=int, nargs="+", default=[1, 10, 25, 50], help="of pages, at once")
    parser.add_argument("--without-stock", action="store_true", help="no stock Voilà beside pages")
    parser.add_argument("--soak", type=float, nargs="?", const=10.0, help="minutes that readers come and go")
    given = parser.parse_args()
    known = (*PARTS, *SIZES, "pages")
    unknown = [name for name in given.parts if name not in known]
    if unknown:
        parser.error(f"There is no part “{unknown[0]}”; there are: {', '.join(known)}.")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"{sys.platform}, {cores} cores")
    for name in given.parts or [*PARTS, "small"]:
        if name == "pages":
            from tools.bench.pages import bench_pages, soak

            if given.soak is None:
                bench_pages(given.readers, stock=not given.without_stock)
            else:
                soak(given.soak)
        elif name in SIZES:
            bench_speed(name, given.data)
        else:
            PARTS[name]()


if __name__ == "__main__":
    main()
