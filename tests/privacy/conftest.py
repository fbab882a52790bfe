"""Several processes that do one thing at the same moment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest


@pytest.fixture
def race() -> Callable[[str, str, list[list[str]]], list[str]]:
    """Runs code in one process for each list of arguments, all together once every one is ready.

    Takes the imports, the code and the arguments; gives back what each process printed.
    """

    def run(imports: str, code: str, arguments: list[list[str]]) -> list[str]:
        script = f"import sys; {imports}; print('ready', flush=True); sys.stdin.readline(); {code}"
        racers = [
            subprocess.Popen(
                [sys.executable, "-c", script, *each],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for each in arguments
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        printed = [racer.communicate()[0].strip() for racer in racers]
        assert [racer.returncode for racer in racers] == [0] * len(racers)
        return printed

    return run
