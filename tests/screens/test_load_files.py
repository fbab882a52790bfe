"""Files on their way in: sent or found in folders, loaded while the page is used, stopped, and put away."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.browser.servers import until
from tests.screens.loads import MESSY, loaded, messy_file, page_of
from tests.screens.pages import widgets, words
from workbench import Project
from workbench.demo import samples_folder
from workbench.locale import Texts
from workbench.screens.browsing import FolderBrowser, file_size
from workbench.screens.loading import LoadState
from workbench.screens.reading import EACH
from workbench.screens.work_view import WorkView
from workbench.tables.recipe import Recipe
from workbench.tables.report import LoadReport


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    """A file with faults and a question."""
    return messy_file(tmp_path)


# --- in the background ----------------------------------------------------------------------------------


@pytest.fixture
def held_up(monkeypatch: pytest.MonkeyPatch) -> dict[str, threading.Event]:
    """Loads that have begun wait in the middle until `go` is set."""
    events = {"begun": threading.Event(), "go": threading.Event()}
    real = Project.load

    def slow(self: Project, files: Any, **settings: Any) -> LoadReport:
        tell = settings["progress"]

        def wait(share: float) -> None:
            tell(share)
            events["begun"].set()
            assert events["go"].wait(30)

        return real(self, files, **{**settings, "progress": wait})

    monkeypatch.setattr(Project, "load", slow)
    return events


@pytest.mark.requirement("D18")
def test_the_page_can_be_used_while_a_file_is_loaded(
    empty_shop: Project, messy: Path, held_up: dict[str, threading.Event]
) -> None:
    state = LoadState(empty_shop)
    page = page_of(state)
    state.look([samples_folder() / "shop" / "orders.csv"])
    state.load()
    assert held_up["begun"].wait(30)
    assert state.run.active
    (told,) = [one for one in widgets(page) if isinstance(one, WorkView) and one.shown]
    assert told.words == "Loading orders.csv"
    assert (told.share or 0) > 0
    state.look([messy])
    state.choose("channel", "nota")
    assert state.problem is None
    held_up["go"].set()
    state.run.wait(60)
    assert not state.run.active
    assert "3,661 of 3,661 rows are in “orders” now." in words(page)
    assert (state.files, state.mapping["channel"]) == ([messy], "nota")


def test_a_load_that_is_stopped_changes_nothing(
    empty_shop: Project, messy: Path, held_up: dict[str, threading.Event]
) -> None:
    held_up["go"].set()
    state = LoadState(empty_shop)
    state.look([messy])
    loaded(state)
    before = empty_shop.manifest()
    for event in held_up.values():
        event.clear()
    files = [samples_folder() / "shop" / name for name in ("orders.csv", "exposures.csv")]
    state.look(files)
    state.load()
    assert held_up["begun"].wait(30)
    state.run.stop()
    assert state.run.work.stopping
    held_up["go"].set()
    state.run.wait(60)
    assert str(state.run.notice) == "Stopped; nothing has changed."
    assert (state.run.report, state.run.problem, state.run.active) == (None, None, False)
    assert empty_shop.manifest() == before
    assert state.files == files
    assert loaded(state).rows_kept == 3661 + 5345


def test_an_error_in_the_background_is_one_sentence_on_the_page(
    empty_shop: Project, messy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_settings: object) -> LoadReport:
        raise OSError("kaputt")

    state = LoadState(empty_shop)
    page = page_of(state)
    state.look([messy])
    monkeypatch.setattr(Project, "load", fail)
    state.load()
    state.run.wait(60)
    assert "Something went wrong that should not (OSError)." in words(page)
    assert "Traceback" not in words(page)
    assert (state.run.active, state.files) == (False, [messy])
    monkeypatch.undo()
    messy.unlink()
    state.load()
    state.run.wait(60)
    assert "There is no file" in words(page)


# --- files sent through the page ------------------------------------------------------------------------


@pytest.mark.requirement("G02")
def test_a_file_sent_through_the_page_is_private_and_gone_once_it_is_loaded(
    empty_shop: Project, tmp_path: Path
) -> None:
    state = LoadState(empty_shop)
    state.receive([("../../evil.csv", MESSY.encode())])
    (file,) = state.files
    assert file.name == "evil.csv"
    assert not list(tmp_path.rglob("evil.csv"))
    assert (file.parent.stat().st_mode & 0o077, state.holds) == (0, "orders")
    loaded(state)
    assert not file.exists()
    state.receive([("first.csv", MESSY.encode())])
    (first,) = state.files
    state.receive([("second.csv", MESSY.encode())])
    assert (first.exists(), state.files[0].exists()) == (False, True)


def test_what_was_sent_goes_with_the_page_even_when_it_is_killed() -> None:
    code = """
        import time
        from workbench.screens.inbox import Inbox
        inbox = Inbox()
        print(inbox.put([("people.csv", b"secret")])[0], flush=True)
        time.sleep(60)
    """
    page = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert page.stdout is not None
    file = Path(page.stdout.readline().strip())
    assert file.read_bytes() == b"secret"
    page.send_signal(signal.SIGKILL)
    page.wait()
    page.stdout.close()
    assert until(lambda: not file.parent.parent.exists())


@pytest.mark.requirement("D01")
def test_several_files_of_one_kind_are_read_together_and_a_fault_names_its_file(
    empty_shop: Project,
) -> None:
    state = LoadState(empty_shop)
    page = page_of(state)
    second = MESSY.replace("o1", "p1").replace("o2", "p2").replace("03/04", "13/04")
    state.receive([("a.csv", MESSY.encode()), ("b.csv", second.encode())])
    assert (len(state.files), state.kinds) == (2, [])
    state.date_order = "dmy"
    report = loaded(state)
    assert (report.rows_read, report.rows_kept, report.added) == (8, 4, {"orders": 4})
    assert {row.file for row in report.rejected} == {"a.csv", "b.csv"}
    assert "4 of 8 rows of 2 files are in." in words(page)
    assert '<th scope="row">b.csv</th>' in words(page)


@pytest.mark.requirement("D01")
def test_a_folder_of_many_kinds_of_files_comes_in_at_once(empty_shop: Project) -> None:
    first = samples_folder() / "shop" / "customers.csv"
    columns = tuple(first.read_text(encoding="utf-8").split("\n")[0].strip().split(","))
    mapping = {"customer_id": "customer_id"}
    empty_shop.recipes["people"] = Recipe(table="customers", mapping=mapping, columns=columns)
    state = LoadState(empty_shop)
    page = page_of(state)
    state.look([samples_folder() / "shop"])
    assert state.holds == EACH
    assert {kind for _, kind in state.kinds} == {"customers", "events", "exposures", "orders"}
    assert "each is read as it looks" in words(page)
    assert "not kept" not in words(page)
    report = loaded(state)
    assert {name: report.added[name] for name in ("customers", "orders")} == {
        "customers": 6000,
        "orders": 3661,
    }
    assert state.recipes.offered is None


# --- folders of the computer ----------------------------------------------------------------------------


@pytest.mark.requirement("D18")
def test_files_are_found_by_walking_through_folders(empty_shop: Project, messy: Path) -> None:
    inside = messy.parent / "exports" / "2026"
    inside.mkdir(parents=True)
    for number in (10, 2):
        (inside / f"part-{number}.csv").write_text(MESSY)
    (inside / "readme.pdf").write_bytes(b"x")
    (inside / ".hidden.csv").write_text(MESSY)
    (inside / "empty.csv").write_text("")
    state = LoadState(empty_shop)
    browser = state.browser
    assert browser.place == messy.parent
    assert ("exports", True) in [(item.name, item.folder) for item in browser.items]
    browser.open("exports")
    browser.open("2026")
    assert [item.name for item in browser.items] == ["part-2.csv", "part-10.csv"]
    assert [item.size for item in browser.items] == [len(MESSY.encode())] * 2
    browser.take(["part-10.csv"])
    assert state.files == [inside / "part-10.csv"]
    browser.take(["part-2.csv", "part-10.csv"])
    assert len(state.files) == 2
    browser.take_folder()
    assert state.files == [inside / "part-2.csv", inside / "part-10.csv"]
    browser.up()
    assert browser.place == messy.parent / "exports"
    browser.open("gone")
    assert str(browser.problem) == f"There is no folder {messy.parent / 'exports' / 'gone'}."
    assert browser.place == messy.parent / "exports"
    state.path = "exports/2026/*.csv"
    assert "There is no file" in str(state.problem) or "No file" in str(state.problem)
    state.path = "2026/part-*.csv"
    assert len(state.files) == 2


@pytest.mark.requirement("D18")
def test_the_folder_that_the_environment_names_cannot_be_left(
    empty_shop: Project, messy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = messy.parent / "only"
    (root / "inside").mkdir(parents=True)
    (root / "link").symlink_to(messy.parent)
    (root / "pedidos.csv").symlink_to(messy)
    monkeypatch.setenv("WORKBENCH_FILES", str(root))
    state = LoadState(empty_shop)
    browser = state.browser
    assert (browser.place, browser.can_go_up) == (root, False)
    browser.up()
    assert browser.place == root
    for way in ("..", "link", str(messy.parent)):
        browser.open(way)
        assert "only files in that folder may be loaded here" in str(browser.problem)
        assert browser.place == root
    for path in (str(messy), "../pedidos.csv", "pedidos.csv", "link/*.csv"):
        state.path = ""
        state.path = path
        assert "only files in that folder may be loaded here" in str(state.problem), path
        assert state.found is None
    state.receive([("sent.csv", MESSY.encode())])
    assert (state.problem, state.holds) == (None, "orders")
    browser.open("inside")
    assert (browser.problem, browser.place) == (None, root / "inside")
    assert browser.can_go_up


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    browser = FolderBrowser(tmp_path / "gone", lambda _: None)
    assert str(browser.problem) == f"There is no folder {tmp_path / 'gone'}."
    assert browser.items == []


def test_a_size_is_written_in_the_unit_that_suits_it() -> None:
    sizes = [file_size(size, Texts("en")) for size in (999, 1000, 999_499, 2_500_000, 12 * 10**9)]
    assert sizes == ["999 bytes", "1.0 kB", "999 kB", "2.5 MB", "12 GB"]
