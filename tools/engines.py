"""Finds PostgreSQL's server and a Java for the tests of the engines, and installs what is missing.

`python -m tools.engines` prints where they are, or says in one sentence what is missing. Only root on a
system with apt-get gets them installed; elsewhere that is the reader's choice.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

LEAST_JAVA = 17  # Spark 4
PACKAGES = {"PostgreSQL's server": "postgresql", "a Java runtime": "openjdk-17-jre-headless"}
_DEBIAN = Path("/usr/lib/postgresql")  # a folder for each version, not on the path


def postgres_folder() -> Path | None:
    """The folder with `initdb` and `postgres`: on the path, or the newest of Debian's packages."""
    installed = sorted(_DEBIAN.glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True)
    found = shutil.which("initdb")
    for folder in [*([Path(found).resolve().parent] if found else []), *installed]:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    return None


def java() -> str | None:
    """A Java that is new enough: that of `JAVA_HOME`, or the one on the path."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=str(Path(home, "bin")) if home else None)
    if program is None:
        return None
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    return program if version and int(version[1]) >= LEAST_JAVA else None


def missing() -> list[str]:
    """What is not there, in words."""
    there = {"PostgreSQL's server": postgres_folder(), "a Java runtime": java()}
    return [name for name, place in there.items() if place is None]


def _install(packages: list[str]) -> bool:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        [apt, "update", "-qq"],
        [apt, "install", "-y", "-qq", "--no-install-recommends", *packages],
    ):
        print("$", *command, file=sys.stderr)
        if subprocess.run(command, stdout=sys.stderr, env=quiet, check=False).returncode:
            return False
    return True


def main() -> int:
    """Print where the programs are; 1 when one is missing and could not be installed."""
    lacking = missing()
    if lacking:
        _install([PACKAGES[name] for name in lacking])
        lacking = missing()
    if lacking:
        print(
            f"The tests of the engines need {' and '.join(lacking)}; install"
            f" {' and '.join(PACKAGES[name] for name in lacking)} (Debian's names), or run this as root where"
            " there is apt-get.",
            file=sys.stderr,
        )
        return 1
    print(postgres_folder(), java())
    return 0


if __name__ == "__main__":
    sys.exit(main())
