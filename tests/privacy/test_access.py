"""The access log: lines are only added, by any number of processes, and name no person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from workbench.tables.privacy.access import AccessLog
from workbench.tables.privacy.erasure import erased_mark

Race = Callable[[str, str, list[list[str]]], list[str]]
MARK = erased_mark(bytes(32), 17)


@pytest.mark.requirement("G02")
def test_who_did_what_and_when_is_kept(tmp_path: Path) -> None:
    log = AccessLog(tmp_path)
    assert log.entries() == ([], 0)
    log.add("load", files=["pedidos.csv"], rows=20)
    log.add("export", person=MARK)
    (first, second), damaged = log.entries()
    assert (first.action, first.person, first.details) == (
        "load",
        None,
        {"files": ["pedidos.csv"], "rows": 20},
    )
    assert (second.action, second.person) == ("export", MARK)
    assert first.user
    assert datetime.fromisoformat(first.time).utcoffset() is not None
    assert damaged == 0
    assert (tmp_path / "access.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("person", ["ana@example.com", "17", str(2**62)])
def test_the_log_takes_no_name_for_a_person_but_a_mark(person: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mark"):
        AccessLog(tmp_path).add("erase", person=person)
    assert not any(tmp_path.iterdir())


def test_damaged_lines_are_counted_and_spoil_no_other(tmp_path: Path) -> None:
    log, file = AccessLog(tmp_path), tmp_path / "access.jsonl"
    log.add("load", rows=1)
    with file.open("ab") as out:
        out.write(b'[1]\n{"time": "2026"}\n\xff\xfe\n{"time": "2026-11-24T10:00:00+00:00", "user": "an')
    log.add("read", table="orders")
    entries, damaged = log.entries()
    assert [entry.action for entry in entries] == ["load", "read"]
    assert damaged == 4


def test_processes_that_log_at_once_lose_nothing(tmp_path: Path, race: Race) -> None:
    race(
        "from pathlib import Path; from workbench.tables.privacy.access import AccessLog",
        "[AccessLog(Path(sys.argv[1])).add('read', who=sys.argv[2], rows=n) for n in range(50)]",
        [[str(tmp_path), name] for name in "abc"],
    )
    entries, damaged = AccessLog(tmp_path).entries()
    assert damaged == 0
    for name in "abc":
        assert [one.details["rows"] for one in entries if one.details["who"] == name] == list(range(50))
