"""One person in a project: handed over, erased for good, and nobody sees it happen unlogged."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from workbench import Project
from workbench.errors import DataError, ProjectError
from workbench.tables.privacy.keys import key_file
from workbench.tables.privacy.pseudonyms import pseudonym

FILES = {
    "customers": "customer_id,country,club\nANA@x.es,ES,quetzalcoatl\nbob@x.es,FR,\n",
    "orders": "order_id,customer_id,ts,revenue\nA-1,ana@x.es,2026-01-05,10\nB-1,bob@x.es,2026-01-06,20\n",
    "order_items": "order_id,sku,price\nA-1,zapatofucsia,10\nB-1,shirt,20\n",
    "refunds": "refund_id,order_id,ts,amount\nr-1,A-1,2026-01-09,3\n",
    "events": "event_id,customer_id,ts,name,page\n"
    "e1,ana@x.es,2026-01-04,view,/paginaunicaana\ne2,bob@x.es,2026-01-04,view,/home\n",
    "sends": "send_id,customer_id,ts\ns-ana,ana@x.es,2026-01-02\ns-bob,bob@x.es,2026-01-02\n",
    "send_events": "send_id,type,ts,link\ns-ana,click,2026-01-03,/soloana\ns-bob,open,2026-01-03,\n",
    "referrals": "referrer_id,referred_id,ts\nbob@x.es,ana@x.es,2026-01-01\n",
    "consents": "customer_id,purpose,granted,ts\n"
    "ana@x.es,analytics,yes,2026-01-01\nbob@x.es,analytics,yes,2026-01-01\n",
    "aliases": "alias_id,customer_id,ts\nana-phone,ana@x.es,2026-01-01\n",
}
ONLY_HERS = [b"quetzalcoatl", b"zapatofucsia", b"paginaunicaana", b"soloana", b"s-ana", b"A-1"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    for name, text in FILES.items():
        (tmp_path / "files" / f"{name}.csv").write_text(text)
    return tmp_path / "files"


@pytest.fixture
def shop(tmp_path: Path, folder: Path) -> Project:
    project = Project.create(tmp_path / "shop")
    for name in FILES:
        project.load(folder / f"{name}.csv", table=name)
    return project


def rows(project: Project) -> dict[str, int]:
    return {name: entry["rows"] for name, entry in project.manifest().items()}


def found_in(folder: Path, wanted: list[bytes]) -> set[bytes]:
    """Which of these bytes stand in any file of a folder, Parquet pages unpacked."""
    import pyarrow.parquet as pq

    found = set()
    for file in (file for file in folder.rglob("*") if file.is_file()):
        content = file.read_bytes()
        if file.suffix == ".parquet":
            for column in pq.read_table(file).columns:
                content += repr(column.to_pylist()).encode()
                if column.type == "int64":
                    content += b"".join(
                        buffer for chunk in column.chunks for buffer in chunk.buffers()[1:] if buffer
                    )
        found |= {text for text in wanted if text in content}
    return found


@pytest.mark.requirement("G04")
def test_a_person_is_erased_from_every_file_and_stays_out(shop: Project, folder: Path) -> None:
    ana = pseudonym(shop.people.key(), "ana@x.es")
    assert ana is not None
    wanted = [*ONLY_HERS, ana.to_bytes(8, "little"), str(ana).encode()]
    kept = shop.path / "cache"
    kept.mkdir(exist_ok=True)
    (kept / "answer").write_bytes(str(ana).encode())
    assert found_in(shop.path, wanted) == set(wanted)
    before = rows(shop)
    gone = shop.people.erase(" Ana@X.es")
    assert found_in(shop.path, wanted) == set()
    assert set(gone) == set(FILES)
    assert rows(shop) == {name: count - gone[name] for name, count in before.items()}
    after = rows(shop)
    assert shop.engine.query("SELECT sum(revenue) AS s FROM orders").to_pylist() == [{"s": 20.0}]
    for name in FILES:
        report = shop.load(folder / f"{name}.csv", table=name)
        assert any("erased" in str(note) for note in report.notes), name
    assert rows(shop) == after
    assert found_in(shop.path, wanted) == set()


def test_somebody_who_is_not_there_yet_can_be_kept_out(tmp_path: Path, folder: Path) -> None:
    project = Project.create(tmp_path / "shop")
    assert project.people.erase("ana-phone") == {}
    project.load(folder / "aliases.csv", table="aliases")
    assert rows(project) == {"aliases": 0}


@pytest.mark.requirement("G04")
def test_a_person_is_given_all_that_is_known_of_them(shop: Project, tmp_path: Path) -> None:
    found = shop.people.export("ana@x.es", tmp_path / "ana")
    assert found == dict.fromkeys(FILES, 1)
    handed = b"".join(file.read_bytes() for file in (tmp_path / "ana").iterdir())
    assert all(text in handed for text in ONLY_HERS)
    assert b"shirt" not in handed
    with pytest.raises(DataError, match="Nothing is known of that person"):
        shop.people.export("eve@x.es", tmp_path / "eve")
    with pytest.raises(ProjectError, match="is not an empty folder"):
        shop.people.export("ana@x.es", tmp_path / "ana")


def test_who_did_what_is_logged_without_naming_anybody(shop: Project, tmp_path: Path) -> None:
    shop.frame("orders")
    shop.people.export("ana@x.es", tmp_path / "ana")
    shop.change(consent_purpose="analytics")
    shop.people.erase("ana@x.es")
    entries, damaged = shop.people.access.entries()
    assert damaged == 0
    actions = [entry.action for entry in entries]
    assert actions == ["load"] * len(FILES) + ["read", "export", "consent purpose", "erase"]
    assert entries[-1].person == entries[-3].person is not None
    text = (shop.path / "access.jsonl").read_text()
    assert "ana@x" not in text
    assert all(json.loads(line)["user"] for line in text.splitlines())


@pytest.mark.requirement("G01")
def test_without_its_key_a_project_takes_nothing_in(shop: Project, folder: Path, tmp_path: Path) -> None:
    key = key_file(shop.settings.id)
    assert key.stat().st_mode & 0o777 == 0o600
    assert not key.is_relative_to(shop.path)
    shutil.copy(key, tmp_path / "kept")
    key.unlink()
    with pytest.raises(ProjectError, match="The key of this project is not on this computer"):
        shop.load(folder / "orders.csv")
    key.write_text("0" * 64)
    key.chmod(0o600)
    with pytest.raises(ProjectError, match="is not the key that this project was made with"):
        shop.load(folder / "orders.csv")
    shutil.copy(tmp_path / "kept", key)
    key.chmod(0o600)
    assert shop.load(folder / "orders.csv").added == {"orders": 0}


@pytest.mark.requirement("G04")
def test_rows_are_removed_when_they_have_been_kept_long_enough(shop: Project) -> None:
    (shop.path / "processing.toml").write_text(
        '[events]\npurpose = "measuring the site"\nlegal_basis = "consent"\nretention_days = 30\n'
    )
    now = datetime(2026, 2, 4)
    # what a change took the place of stays for an hour, for whoever still reads it
    shop.commit({"events": shop.engine.query("SELECT * FROM events WHERE page = '/home'")})
    answer = shop.path / "cache" / "answer"
    answer.parent.mkdir(exist_ok=True)
    answer.write_text("of what is too old")
    assert found_in(shop.path, [b"paginaunicaana"])
    (due,) = shop.people.due(now)
    assert (due.table, due.oldest, due.limit) == ("events", datetime(2026, 1, 4), datetime(2026, 1, 5))
    assert [check.status for check in shop.checks() if check.name == "events.retention"] == ["fail"]
    assert shop.people.remove_due(now) == {"events": 1}
    assert shop.people.due(now) == []
    assert rows(shop)["orders"] == 2
    assert not found_in(shop.path, [b"paginaunicaana"])
    assert not answer.exists()
    entry = shop.people.access.entries()[0][-1]
    assert (entry.action, entry.details["table"]) == ("erase", "events")


@pytest.mark.requirement("G06")
def test_only_what_was_agreed_to_when_it_happened_is_analysed(tmp_path: Path) -> None:
    """Of four customers one never agreed and one withdrew before ordering: each arm keeps one."""
    project = Project.create(tmp_path / "shop")
    files: dict[str, Any] = {
        "exposures": "customer_id,experience_id,variant,ts,assignment\n"
        + "".join(f"{who},home,{arm},2026-01-02,random\n" for who, arm in zip("abcd", "AABB", strict=True)),
        "orders": "order_id,customer_id,ts,revenue\n1,a,2026-01-05,10\n2,b,2026-01-05,10\n3,c,2026-01-05,10\n"
        "4,d,2026-02-20,1\n",
        "consents": "customer_id,purpose,granted,ts\na,analytics,yes,2026-01-01\nb,analytics,yes,2026-01-01\n"
        "b,analytics,no,2026-01-03\nd,analytics,yes,2026-01-01\nc,mail,yes,2026-01-01\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)
        project.load(tmp_path / f"{name}.csv", table=name)

    def counted() -> dict[str, tuple[int, float]]:
        record = project.effect("home", "conversion", keep=False)
        return {arm.arm: (arm.n, arm.total / arm.n) for arm in record.summary.arms}

    assert counted() == {"A": (2, 1.0), "B": (2, 0.5)}
    project.change(consent_purpose="analytics")
    assert counted() == {"A": (2, 0.5), "B": (1, 0.0)}
    record = project.effect("home", "conversion", keep=False)
    assert any(check.name == "consent" for check in record.checks)
    project.change(consent_purpose="profiling")
    with pytest.raises(DataError):
        counted()
