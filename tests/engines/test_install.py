"""What the tests of the engines need is found, or said in one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools import engines


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Neither PostgreSQL nor Java, and not root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(engines, "_DEBIAN", tmp_path / "postgresql")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path


def test_what_is_missing_is_one_sentence(bare_machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert engines.main() == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "postgresql and openjdk-17-jre-headless" in told.err


def test_an_old_java_is_none(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = bare_machine / "java-home"
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    monkeypatch.setenv("JAVA_HOME", str(home))
    for version, found in {
        "1.8.0_402": None,
        "11.0.22": None,
        "17.0.15": str(program),
        "21": str(program),
    }.items():
        program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
        program.chmod(0o755)
        assert engines.java() == found


def test_the_newest_of_debians_servers_is_taken(bare_machine: Path) -> None:
    for version in ("9.6", "15", "17"):
        folder = bare_machine / "postgresql" / version / "bin"
        folder.mkdir(parents=True)
        (folder / "initdb").touch()
        if version != "17":  # only its client is installed
            (folder / "postgres").touch()
    assert engines.postgres_folder() == bare_machine / "postgresql" / "15" / "bin"


def test_root_installs_what_is_missing(bare_machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    log = bare_machine / "log"
    apt = bare_machine / "apt-get"
    apt.write_text(f'#!/bin/sh\necho "$*" >> {log}\n')
    apt.chmod(0o755)
    assert engines.main() == 1  # this apt-get installs nothing
    assert log.read_text().splitlines() == [
        "update -qq",
        "install -y -qq --no-install-recommends postgresql openjdk-17-jre-headless",
    ]
