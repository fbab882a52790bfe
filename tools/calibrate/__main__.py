"""`make calibrate`: what is claimed held against thousands of experiments whose truth is known.

    python -m tools.calibrate                    all of it; the tables go into docs/coverage.md
    python -m tools.calibrate --quick            a tenth of it; the tables are only printed
    python -m tools.calibrate --part lifetime    lifetime value only; `experiments` are the other part

Seeds are fixed: the same version gives the same tables. The experiments take 14 minutes of processor time,
lifetime value about 20, in two processes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from tools.calibrate import lifetime, lifetime_tables, tables
from tools.calibrate.scenarios import SCENARIOS
from tools.calibrate.tally import Tally, tally

type Marks = tuple[str, str]


def main() -> None:
    """Ask all experiments, print the tables, and write them unless quick."""
    parser = argparse.ArgumentParser(prog="python -m tools.calibrate")
    parser.add_argument("--quick", action="store_true", help="a tenth of it, nothing written")
    parser.add_argument("--part", choices=PARTS, help="one part only")
    asked = parser.parse_args()
    for name in [asked.part] if asked.part else PARTS:
        measure, marks = PARTS[name]
        measured = measure(asked.quick)
        print(measured)
        if not asked.quick:
            page = tables.PAGE.read_text(encoding="utf-8")
            tables.PAGE.write_text(tables.written(page, measured, marks), encoding="utf-8")


def _experiments(quick: bool) -> str:
    begin, tallies = time.perf_counter(), list[Tally]()
    for one in tally(list(SCENARIOS.values()), quick):
        tallies.append(one)
        _say(begin, one.scenario.name)
    return tables.render(tallies)


def _lifetime(quick: bool) -> str:
    begin, places = time.perf_counter(), list[lifetime.Places]()
    for one in lifetime.places(quick):
        places.append(one)
        _say(begin, one.study.name)
    return lifetime_tables.render(places)


def _say(begin: float, name: str) -> None:
    print(f"{time.perf_counter() - begin:6.0f} s  {name}", file=sys.stderr, flush=True)


PARTS: dict[str, tuple[Callable[[bool], str], Marks]] = {
    "experiments": (_experiments, (tables.BEGIN, tables.END)),
    "lifetime": (_lifetime, (lifetime_tables.BEGIN, lifetime_tables.END)),
}

if __name__ == "__main__":
    main()
