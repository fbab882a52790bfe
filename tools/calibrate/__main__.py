"""`make calibrate`: what is claimed held against thousands of experiments whose truth is known.

    python -m tools.calibrate            all experiments; the tables go into docs/coverage.md
    python -m tools.calibrate --quick    a tenth of them; the tables are only printed

Seeds are fixed: the same version gives the same tables. All take 14 minutes of
processor time, in two processes.
"""

from __future__ import annotations

import argparse
import sys
import time

from tools.calibrate.scenarios import SCENARIOS
from tools.calibrate.tables import PAGE, render, written
from tools.calibrate.tally import Tally, tally


def main() -> None:
    """Ask all experiments, print the tables, and write them unless quick."""
    parser = argparse.ArgumentParser(prog="python -m tools.calibrate")
    parser.add_argument("--quick", action="store_true", help="a tenth of the experiments, nothing written")
    quick = parser.parse_args().quick
    begin, tallies = time.perf_counter(), list[Tally]()
    for one in tally(list(SCENARIOS.values()), quick):
        tallies.append(one)
        print(f"{time.perf_counter() - begin:6.0f} s  {one.scenario.name}", file=sys.stderr, flush=True)
    tables = render(tallies)
    print(tables)
    if not quick:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), tables), encoding="utf-8")


if __name__ == "__main__":
    main()
