"""Work beside a page: quick answers at once, slow ones later, the last question counts, and what is left."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from traitlets import Int

from workbench import Project
from workbench.engines import cancelling
from workbench.engines.cancelling import Cancel, under
from workbench.errors import Cancelled, DataError
from workbench.locale import Texts
from workbench.screens.answering import FindingState
from workbench.screens.work import Turn, Work, time_left

SECONDS = 120


def page(life: Callable[[], Awaitable[None]]) -> None:
    """Live through something as a page does: where events are handled one after the other."""
    asyncio.run(life())  # type: ignore[arg-type]  # a coroutine


async def comes(condition: Callable[[], object]) -> None:
    """Handle events until the condition comes true."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


class Slow(FindingState):
    """A screen whose question takes until it is let go, or as long as it has to where `number` is 0."""

    asked = ("number",)
    number = Int(0)
    found = Int(None, allow_none=True)

    def __init__(self, project: Project) -> None:
        self.go = threading.Event()
        self.ended: list[int] = []
        super().__init__(project)

    def find(self, turn: Turn) -> int:
        number = self.number
        if number < 0:
            raise DataError("No number is below zero.")
        try:
            while number and not self.go.wait(0.01):
                cancelling.check()
                turn.tell(0.5)
        finally:
            self.ended.append(number)
        return number * 10


@pytest.fixture
def state(empty_shop: Project) -> Slow:
    return Slow(empty_shop)


def test_in_a_script_a_question_is_answered_when_it_has_been_asked(state: Slow) -> None:
    state.go.set()
    state.number = 3
    assert (state.found, state.busy, state.work.active) == (30, False, False)


def test_on_a_page_a_quick_answer_is_there_at_once(state: Slow) -> None:
    async def life() -> None:
        state.go.set()
        state.number = 3
        assert (state.found, state.busy, state.work.long) == (30, False, False)

    page(life)


def test_a_slow_answer_leaves_the_page_alive_and_the_old_answer_dimmed(state: Slow) -> None:
    async def life() -> None:
        state.number = 3
        assert (state.found, state.busy, state.work.long) == (0, True, True)
        await comes(lambda: state.work.share == 0.5)
        assert state.work.clock is not None
        state.go.set()
        await comes(lambda: not state.busy)
        assert (state.found, state.problem, state.work.active, state.work.long) == (30, None, False, False)

    page(life)


def test_the_last_question_counts_and_those_before_it_end(state: Slow) -> None:
    async def life() -> None:
        shown: list[int] = []
        state.observe(lambda change: shown.append(change.new), "found")
        for number in (1, 2, 3):
            state.number = number
        await comes(lambda: state.ended == [0, 1, 2])
        state.go.set()
        await comes(lambda: not state.busy)
        assert shown == [30]

    page(life)


def test_stopping_leaves_the_old_answer_and_asks_what_it_answers(state: Slow) -> None:
    async def life() -> None:
        state.number = 4
        state.stop()
        assert (state.number, state.found, state.busy, state.problem) == (0, 0, False, None)
        assert state.notice is not None
        state.go.set()
        await comes(lambda: state.ended == [0, 4])
        await asyncio.sleep(0.05)  # what ended too late changes nothing any more
        assert (state.number, state.found) == (0, 0)
        state.number = 5
        assert state.found == 50

    page(life)


def test_an_error_in_the_thread_is_said_on_the_page(state: Slow) -> None:
    async def life() -> None:
        state.number = -1
        assert (state.found, state.busy) == (None, False)
        assert "below zero" in Texts("en")(state.problem)
        state.stop()  # there is nothing to stop
        assert "below zero" in Texts("en")(state.problem)

    page(life)


def test_cancelling_at_any_moment_leaves_a_page_at_rest(state: Slow) -> None:
    async def life() -> None:
        for wait in range(12):
            state.number = wait + 1
            await asyncio.sleep(wait / 200)
            if wait == 6:
                state.go.set()
            state.stop()
        assert (state.busy, state.work.active) == (False, False)
        state.number = 20
        await comes(lambda: not state.busy)
        assert (state.number, state.found) == (20, 200)

    page(life)


def test_an_answer_for_which_there_is_no_page_any_more_is_not_taken(state: Slow) -> None:
    async def life() -> None:
        state.number = 7

    page(life)  # the page is gone before there is an answer
    state.go.set()
    state.work.wait(SECONDS)
    assert state.ended == [0, 7]
    assert state.found == 0


def test_what_is_posted_waits_until_the_page_is_on_screen(state: Slow) -> None:
    async def life() -> None:
        state.number = 8
        state.work.unseen()
        state.go.set()
        await comes(lambda: state.ended == [0, 8])
        await asyncio.sleep(0.05)
        assert state.found == 0
        state.work.seen()
        assert state.found == 80

    page(life)


def test_a_query_that_is_being_answered_is_stopped(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "p")
    project.commit({})
    cancel = Cancel()
    threading.Timer(0.2, cancel.set).start()
    endless = "SELECT count(*) AS n FROM range(1000000000000) AS t(a) WHERE hash(a) % 7 = 3"
    with under(cancel), pytest.raises(Cancelled):
        project.engine.query(endless)
    assert project.engine.query("SELECT 1 AS n").to_pylist() == [{"n": 1}]
    with under(cancel), pytest.raises(Cancelled):
        project.engine.query("SELECT 1 AS n")


def test_any_number_of_threads_may_ask_one_engine(own_shop: Project) -> None:
    engine, found = own_shop.engine, list[Any]()

    def ask() -> None:
        for least in range(30):
            sql = f"SELECT count(*) AS n FROM orders WHERE revenue >= {least}"
            found.append((least, engine.query(sql).to_pylist()[0]["n"], engine.schema("orders").names))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert len(found) == 120
    assert len({str(one) for one in found}) == 30


def test_the_time_left_is_said_once_it_can_be_known() -> None:
    t = Texts("en")
    assert t(time_left(1, None, 0.5, None)) == "1 s so far"
    assert t(time_left(30, 0.02, 0.6, None)) == "about 20 s left"
    assert t(time_left(60, 0.1 / 60, 0.1, None)) == "about 9 min left"
    assert t(time_left(95, None, None, None)) == "1:35 min so far"
    assert t(time_left(7, None, None, 38)) == "7 s so far; it took 40 s last time"


def test_getting_ready_is_no_part_of_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    turn = Turn(Work(), lambda _: None, lambda *_: None, None)
    now[0] = 100.0
    assert turn.pace is None
    turn.tell(0.1)
    assert turn.pace is None
    now[0] = 110.0
    turn.tell(0.3)
    assert turn.pace == pytest.approx(0.02)


def test_work_beside_a_script_is_waited_for() -> None:
    work, told = Work(), list[Any]()
    work.begin(lambda turn: turn.tell(0.3) or 5, lambda *found: told.append(found), thread=True)
    work.wait(SECONDS)
    assert told == [(5, None)]
    assert (work.active, work.share) == (False, 0.3)
