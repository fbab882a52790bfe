"""Wall and CPU seconds and the peak of memory of processes, as the operating system accounts for them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Cost:
    """What a process took: wall and CPU seconds, peak memory in MB; what it printed, whether it failed."""

    wall: float
    cpu: float
    peak_mb: float
    printed: str
    failed: bool = False

    @property
    def last_line(self) -> str:
        """The last line that was printed."""
        return (self.printed.strip().splitlines() or [""])[-1]


def run(*command: str, address_space_gb: float | None = None) -> Cost:
    """Run a command as a process of its own, within a limit of its address space if one is given."""
    limited = list(command)
    if address_space_gb is not None:
        limited = ["sh", "-c", f'ulimit -v {int(address_space_gb * 2**20)} && exec "$@"', "sh", *command]
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(limited, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        out.seek(0)
        printed = out.read()
    wall = time.perf_counter() - begin
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(wall, cpu, usage.ru_maxrss / unit, printed, bool(os.waitstatus_to_exitcode(status)))


def measure(*command: str) -> Cost:
    """The same for a command that has to succeed.

    Raises:
        SystemExit: when it fails, with what it said.
    """
    cost = run(*command)
    if cost.failed:
        raise SystemExit(f"{' '.join(command)} failed:\n{cost.printed}")
    return cost


def show(name: str, costs: Sequence[Cost]) -> None:
    """The median of several runs, with the least and the greatest wall time."""
    walls = sorted(cost.wall for cost in costs)
    middle = sorted(costs, key=lambda cost: cost.wall)[len(costs) // 2]
    print(
        f"{name:<34} {middle.wall:6.2f} s ({walls[0]:.2f} to {walls[-1]:.2f}), "
        f"CPU {middle.cpu:6.2f} s, peak {max(cost.peak_mb for cost in costs):6.0f} MB",
        flush=True,
    )
