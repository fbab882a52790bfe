"""A project folder survives whatever happens to the process, the disk and the folder."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from workbench import Project, WorkbenchError
from workbench.errors import ProjectError
from workbench.storage import TEMPORARY


def orders(n: int, revenue: float = 10.0) -> pa.Table:
    return pa.table(
        {
            "order_id": [f"o{i}" for i in range(n)],
            "customer_id": [f"c{i % 7}" for i in range(n)],
            "ts": [datetime(2026, 1, 1 + i % 28, tzinfo=UTC).replace(tzinfo=None) for i in range(n)],
            "revenue": [revenue] * n,
        }
    )


def total(project: Project) -> tuple[int, float]:
    row = project.engine.query("SELECT count(*) AS n, sum(revenue) AS s FROM orders").to_pylist()[0]
    return row["n"], row["s"]


def test_what_was_created_can_be_opened(tmp_path: Path) -> None:
    Project.create(tmp_path / "shop", name="Tienda", currency="MXN", timezone="Europe/Madrid", language="es")
    settings = Project.open(tmp_path / "shop").settings
    assert (settings.name, settings.currency, settings.timezone, settings.language) == (
        "Tienda",
        "MXN",
        "Europe/Madrid",
        "es",
    )


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"currency": "EURO"}, "no currency “EURO”"),
        ({"timezone": "Madrid"}, "no time zone “Madrid”"),
        ({"language": "fr"}, "no language “fr”"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_written(
    tmp_path: Path, wrong: dict[str, str], says: str
) -> None:
    with pytest.raises(WorkbenchError, match=says):
        Project.create(tmp_path / "shop", **wrong)  # type: ignore[arg-type]
    assert not (tmp_path / "shop").exists()


def test_a_folder_that_is_not_a_project_says_so(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"is not a project: it has no project\.toml"):
        Project.open(tmp_path)
    (tmp_path / "project.toml").write_text("name = ")
    with pytest.raises(ProjectError, match="cannot be read"):
        Project.open(tmp_path)
    (tmp_path / "project.toml").write_text('name = "a"\ncolour = "red"\n')
    with pytest.raises(ProjectError, match="the setting “colour” is wrong"):
        Project.open(tmp_path)


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(ProjectError, match="not an empty folder"):
        Project.create(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_reader_that_began_earlier_sees_the_new_tables_in_its_next_question(tmp_path: Path) -> None:
    writer = Project.create(tmp_path / "shop")
    writer.commit({"orders": orders(10)})
    reader = Project.open(tmp_path / "shop")
    assert total(reader) == (10, 100.0)
    writer.commit({"orders": orders(20)})
    assert total(reader) == (20, 200.0)


def test_two_processes_read_whole_tables_while_one_writes(tmp_path: Path) -> None:
    """Every read sees one of the versions written, never a mixture: all revenues are equal in each."""
    project = Project.create(tmp_path / "shop")
    project.commit({"orders": orders(1000, 1.0)})
    reader = (
        "import sys, workbench\n"
        "p = workbench.Project.open(sys.argv[1])\n"
        "for _ in range(30):\n"
        "    rows = p.engine.query('SELECT count(*) n, min(revenue) a, max(revenue) b FROM orders')\n"
        "    r = rows.to_pylist()[0]\n"
        "    assert r['a'] == r['b'] and r['n'] == 1000, r\n"
    )
    readers = [
        subprocess.Popen([sys.executable, "-c", reader, str(project.path)], stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    version = 1.0
    while any(process.poll() is None for process in readers):
        version += 1
        project.commit({"orders": orders(1000, version)})
    said = [process.communicate()[1] for process in readers]
    assert [process.returncode for process in readers] == [0, 0], said
    assert version > 3


@pytest.mark.long
def test_a_process_killed_at_any_moment_leaves_the_old_or_the_new_state(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "shop")
    project.commit({"orders": orders(500, 1.0), "events": orders(500, 1.0)})
    writer = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "import itertools, workbench\n"
        "from test_project import orders\n"
        "p = workbench.Project.open(sys.argv[1])\n"
        "for i in itertools.count(2):\n"
        "    t = orders(500, float(i)); p.commit({'orders': t, 'events': t})\n"
        "    i == 2 and print('ready', flush=True)\n"
    )
    began = time.monotonic()
    project.commit({"orders": orders(500, 1.0), "events": orders(500, 1.0)})
    one_write = time.monotonic() - began
    chance = random.Random(4)
    seen: set[float] = set()
    for tried in range(40):
        if tried >= 8 and len(seen) > 3:
            break
        process = subprocess.Popen(
            [sys.executable, "-c", writer, str(project.path), str(Path(__file__).parent)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.0, 8 * one_write))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        after = Project.open(project.path)
        both = after.engine.query(
            "SELECT count(*) AS n, min(revenue) AS low, max(revenue) AS high "
            "FROM (FROM orders UNION ALL FROM events)"
        ).to_pylist()[0]
        assert both["n"] == 1000
        assert both["low"] == both["high"], "tables of two different loads"
        seen.add(both["low"])
        after.commit({"orders": orders(500, 1.0), "events": orders(500, 1.0)})
    assert len(seen) > 3, "no write was ever reached, so nothing was tried"


_WITHOUT_ROOM = """
import resource, signal, sys
sys.path.insert(0, sys.argv[2])
import pyarrow, workbench
from test_project import orders
project = workbench.Project.open(sys.argv[1])
big = orders(50_000).append_column("noise", pyarrow.array([str(hash(str(i))) for i in range(50_000)]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    project.commit({"orders": big})
except workbench.WorkbenchError as error:
    print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of file size are a Unix thing")
def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "shop")
    project.commit({"orders": orders(10)})
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_ROOM, str(project.path), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
    )
    assert "The disk is full" in done.stdout, done
    assert total(project) == (10, 100.0)
    assert not list(project.path.rglob(f"*{TEMPORARY}"))


def test_a_read_only_folder_is_one_sentence(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "shop")
    project.commit({"orders": orders(10)})
    before = {file: file.read_bytes() for file in project.path.rglob("*") if file.is_file()}
    parts = [project.path, *project.path.rglob("*")]
    for part in parts:
        part.chmod(0o555 if part.is_dir() else 0o444)
    for folder in [tmp_path, *tmp_path.parents]:
        if not folder.stat().st_mode & 0o001:  # nobody has to find the way there
            folder.chmod(0o755)
    root = os.geteuid() == 0
    try:
        if root:  # root may write anywhere, so the test becomes nobody for a moment
            os.seteuid(65534)
        with pytest.raises(ProjectError, match="the folder is read-only for you"):
            project.commit({"orders": orders(20)})
    finally:
        if root:
            os.seteuid(0)
        for part in parts:
            part.chmod(0o755 if part.is_dir() else 0o644)
    assert {file: file.read_bytes() for file in before} == before


def test_a_damaged_list_of_tables_says_what_to_do(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "shop")
    project.commit({"orders": orders(10)})
    (project.path / "tables.json").write_text("{")
    with pytest.raises(ProjectError, match="damaged; load the files of this project again"):
        Project.open(project.path).manifest()
