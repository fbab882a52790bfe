"""A load that outlives its page: it goes on, is found again, can be stopped; a dead one is told from it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.screens.test_work import comes
from workbench import Project
from workbench.locale import Texts
from workbench.screens import load_run
from workbench.screens.load_run import LoadRun, going_on
from workbench.tables.recipe import Recipe

FEW, MANY = 2_000, 400_000
SECONDS = 120


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_run, "_LARGE", 0)


def events(folder: Path, rows: int) -> Path:
    """A file of page views; the first has no time."""
    file = folder / "views.csv"
    lines = "".join(f"c{n % 997},2026-01-{1 + n % 28:02}T10:00:00,view\n" for n in range(1, rows))
    file.write_text(f"customer_id,ts,name\nc0,,view\n{lines}", encoding="utf-8")
    return file


def on_a_page(life: Callable[[LoadRun], None], until: Callable[[LoadRun], object]) -> LoadRun:
    """What a page does until something is so; then it is closed."""

    async def live() -> LoadRun:
        run = LoadRun()
        life(run)
        await comes(lambda: until(run))
        return run

    return asyncio.run(live())


def begun(project: Project, rows: int, until: Callable[[LoadRun], object]) -> LoadRun:
    file = events(project.path.parent, rows)
    run = on_a_page(lambda run: run.start(project.path, [file], Recipe(table="events")), until)
    run.wait(SECONDS)  # until it knows that it is closed
    return run


def resumed(project: Project) -> LoadRun:
    return on_a_page(lambda run: run.resume(project.path), lambda run: not run.active)


def rows(project: Project) -> int:
    return int(project.manifest().get("events", {"rows": 0})["rows"])


def at_rest(project: Project) -> bool:
    return not going_on(project.path) and not list((project.path / "work").glob("*.result"))


def test_it_brings_what_a_load_on_the_page_brings(empty_shop: Project) -> None:
    run = begun(empty_shop, FEW, lambda run: not run.active)
    assert run.problem is None
    assert run.report is not None
    assert (run.report.rows_kept, run.report.rejected_count, len(run.report.rejected)) == (FEW - 1, 1, 1)
    assert all("{" not in Texts("es")(note) for note in run.report.notes)
    assert rows(empty_shop) == FEW - 1
    assert at_rest(empty_shop)


@pytest.mark.requirement("D18")
def test_it_goes_on_when_the_page_is_closed_and_is_found_by_the_next(empty_shop: Project) -> None:
    begun(empty_shop, FEW, lambda _: going_on(empty_shop.path))
    assert rows(empty_shop) == 0
    run = resumed(empty_shop)
    assert run.report is not None
    assert [file.name for file in run.files] == ["views.csv"]
    assert run.report.rows_kept == rows(empty_shop) == FEW - 1
    assert at_rest(empty_shop)
    assert resumed(empty_shop).report is None


def test_it_is_stopped_from_the_page_that_comes_back(empty_shop: Project) -> None:
    begun(empty_shop, MANY, lambda _: going_on(empty_shop.path))

    def stop(run: LoadRun) -> None:
        run.resume(empty_shop.path)
        run.stop()

    run = on_a_page(stop, lambda run: not run.active)
    assert (run.report, run.problem) == (None, None)
    assert str(run.notice) == "Stopped; nothing has changed."
    assert rows(empty_shop) == 0
    assert at_rest(empty_shop)


def test_one_that_was_killed_is_said_to_have_ended(empty_shop: Project) -> None:
    begun(empty_shop, MANY, lambda run: run.work.share)
    living = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    (process,) = [one for one in living if str(empty_shop.path.resolve()) in one.cmdline()]
    process.kill()
    run = resumed(empty_shop)
    assert "ended before it was done" in str(run.problem)
    assert rows(empty_shop) == 0
    assert at_rest(empty_shop)


def test_what_is_wrong_with_a_file_is_said_by_whoever_comes_back(empty_shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "no-such-column.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    on_a_page(
        lambda run: run.start(empty_shop.path, [file], Recipe(table="events")),
        lambda _: going_on(empty_shop.path),
    ).wait(SECONDS)
    end = time.monotonic() + SECONDS
    while not any("problem" in file.read_text() for file in (empty_shop.path / "work").glob("*.state")):
        assert time.monotonic() < end
        time.sleep(0.1)
    run: Any = resumed(empty_shop)
    assert "no-such-column.csv" in str(run.problem)
    assert at_rest(empty_shop)
