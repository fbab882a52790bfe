"""Setting up says in one sentence what the machine lacks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tools import browser

ROOT = Path(__file__).parents[1]

_FAKE = """#!/bin/sh
# answers like a Python {version}, to the questions that the set-up asks
case "$2" in
    *'version_info[:3]'*) echo {version} ;;
    *'version_info[:2]'*) exit 1 ;;
esac
"""


def set_up(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """Run the set-up of a copy of the project that has no environment yet."""
    (folder / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "setup.sh", folder / "tools" / "setup.sh")
    return subprocess.run(
        ["sh", str(folder / "tools" / "setup.sh")],
        env={"PATH": "/usr/bin:/bin", "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_is_too_old_is_named_with_what_is_needed(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text(_FAKE.format(version="3.9.2"))
    old.chmod(0o755)
    done = set_up(tmp_path, str(old))
    assert done.returncode == 1
    (said,) = done.stderr.strip().splitlines()
    assert "Python 3.12, 3.13 or 3.14 is needed, and found was Python 3.9.2" in said
    assert not (tmp_path / ".venv").exists()


def test_no_python_at_all_is_one_sentence_too(tmp_path: Path) -> None:
    done = set_up(tmp_path, "python-of-nowhere")
    assert done.returncode == 1
    (said,) = done.stderr.strip().splitlines()
    assert "none runs here (there is no python-of-nowhere)" in said


def test_a_missing_browser_is_one_sentence_and_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not a skip: `make test` ends when this does."""
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browser, "find", lambda: None)
    monkeypatch.setattr(browser, "_run", lambda command: False)
    assert browser.main() == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "no Chromium could be installed; install the package chromium" in err.splitlines()[-1]
    monkeypatch.undo()
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    assert browser.main() == 1
    assert "CHROMIUM names /nowhere/chromium, which cannot be run" in capsys.readouterr().err
