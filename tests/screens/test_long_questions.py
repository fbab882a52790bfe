"""What takes long goes on beside a page: one customer, the plain formula, a segment, a page for paper."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.screens.test_work import SECONDS, comes, page
from workbench import Project
from workbench.analyses.customer import analyse, example
from workbench.analyses.value_plain import plain_product
from workbench.engines import cancelling
from workbench.engines.cancelling import Cancel, under
from workbench.errors import Cancelled
from workbench.publish.pdf import pdf
from workbench.screens.customer import CustomerState
from workbench.screens.download import Download
from workbench.screens.publishing import PublishState
from workbench.screens.segmenting import SegmentState
from workbench.screens.value import ValueState
from workbench.screens.value_plain import PlainState
from workbench.segments import sizes


class Gate:
    """A question that waits until it is let through, or is not wanted any more."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.ended: list[str] = []

    def before(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        """`ask`, behind the gate."""

        def held(*asked: Any, **more: Any) -> Any:
            try:
                while not self.open.wait(0.01):
                    cancelling.check()
            except Cancelled:
                self.ended.append("given up")
                raise
            found = ask(*asked, **more)
            self.ended.append("answered")
            return found

        return held


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_another_customer_takes_the_place_of_one_who_is_still_looked_for(
    shop: Project, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.screens.customer.analyse", gate.before(analyse))
    most = example(shop, "most")

    async def life() -> None:
        state = CustomerState(shop)
        state.try_one("away")
        assert (state.busy, state.work.long, state.shown) == (True, True, None)
        state.horizon_weeks = 26  # still about the one who is looked for
        state.identifier = most
        gate.open.set()
        await comes(lambda: not state.busy)
        assert state.shown is not None
        assert state.shown.outlook is not None
        assert (state.shown.pseudonym, state.identifier, state.shown.outlook.weeks) == (most, most, 26)
        assert (gate.ended[0], gate.ended.count("answered"), gate.ended[-1]) == ("given up", 1, "answered")

    page(life)


def test_a_horizon_that_is_changed_meanwhile_is_asked_of_the_one_who_is_looked_for(
    shop: Project, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.screens.customer.analyse", gate.before(analyse))

    async def life() -> None:
        state = CustomerState(shop)
        state.try_one("most")
        state.horizon_weeks = 13
        gate.open.set()
        await comes(lambda: not state.busy)
        assert state.shown is not None
        assert state.shown.outlook is not None
        assert (state.identifier, state.shown.outlook.weeks) == (example(shop, "most"), 13)

    page(life)


def test_a_look_that_is_stopped_leaves_nobody_on_the_page_and_can_be_asked_again(
    shop: Project, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.screens.customer.analyse", gate.before(analyse))

    async def life() -> None:
        state = CustomerState(shop)
        state.identifier = example(shop, "most")
        state.stop()
        assert (state.busy, state.shown, state.problem) == (False, None, None)
        assert str(state.notice) == "Stopped."
        await comes(lambda: gate.ended == ["given up"])
        gate.open.set()
        state.look()
        await comes(lambda: state.shown is not None)

    page(life)


def test_the_plain_formula_follows_the_last_number_and_stop_puts_it_back(
    shop: Project, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.screens.value_plain.plain_product", gate.before(plain_product))
    gate.open.set()
    state = PlainState(ValueState(shop))
    assert state.found is not None
    own = state.found.used

    async def life() -> None:
        gate.open.clear()
        state.years = 3 * own.years
        assert (state.busy, state.work.long, state.found.used) == (True, True, own)
        state.stop()
        assert (state.busy, state.years, state.problem) == (False, own.years, None)
        state.years = 4 * own.years
        state.years = 2 * own.years
        gate.open.set()
        await comes(lambda: not state.busy)
        assert state.found.used.value == pytest.approx(2 * own.value)

    page(life)


def test_a_rule_is_counted_as_it_was_written_last(
    own_shop: Project, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.screens.segmenting.sizes", gate.before(sizes))

    async def life() -> None:
        state = SegmentState(own_shop)
        await comes(lambda: not state.busy)
        assert list(state.saved) == list(own_shop.segments)
        state.rule = 'device == "mobile"'
        assert (state.busy, state.work.long, state.size) == (True, True, None)
        state.rule = 'device == "tablet"'
        state.rule = "country =="
        assert (state.busy, state.size) == (False, None)
        assert "does not parse" in str(state.doubt)
        gate.open.set()
        state.rule = 'not device == "mobile"'
        await comes(lambda: state.size is not None)
        own_shop.segments["others"] = state.rule
        assert (state.size, state.doubt) == (own_shop.segment_sizes()["others"], None)

    page(life)


def test_a_rule_may_be_written_while_what_is_saved_is_counted(
    own_shop: Project, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost: the first count is given up, and made with the rule's."""
    monkeypatch.setattr(Project, "segment_sizes", gate.before(Project.segment_sizes))

    async def life() -> None:
        state = SegmentState(own_shop)
        assert (state.busy, state.saved) == (True, {})
        state.rule = 'device == "mobile"'
        await comes(lambda: state.size is not None)
        assert state.busy
        gate.open.set()
        await comes(lambda: not state.busy)
        assert list(state.saved) == list(own_shop.segments)
        assert list(state.values)

    page(life)


def test_a_page_is_printed_beside_the_screen_and_one_that_is_not_wanted_any_more_frees_its_button(
    own_shop: Project, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_shop.publish([next(iter(own_shop.records.values()))], "One")
    monkeypatch.setattr("workbench.screens.publishing.pdf", gate.before(lambda *_, **__: b"%PDF-"))
    first: list[Any] = []
    second: list[Any] = []

    async def life() -> None:
        state = PublishState(own_shop)
        state.as_pdf("one", "en", first.append)
        assert (state.busy, state.work.long, first) == (True, True, [])
        state.choose(state.records[0].id, wanted=True)
        assert state.preview()
        assert state.busy
        state.as_pdf("one", "es", second.append)
        assert first == [None]
        gate.open.set()
        await comes(lambda: not state.busy)
        assert second == [("one.pdf", b"%PDF-")]
        gate.open.clear()
        state.as_pdf("one", "en", first.append)
        state.stop()
        assert (first, str(state.notice)) == ([None, None], "Stopped.")

    page(life)


def test_nothing_is_printed_while_a_page_is_being_published(
    own_shop: Project, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Project, "publish", gate.before(Project.publish))
    handed: list[Any] = []

    async def life() -> None:
        state = PublishState(own_shop)
        state.choose(state.records[0].id, wanted=True)
        state.title = "One"
        state.publish()
        state.as_pdf("one", "en", handed.append)
        assert handed == [None]
        gate.open.set()
        await comes(lambda: not state.busy)
        assert [page.title for page in state.pages] == ["One"]

    page(life)


def test_the_browser_that_prints_ends_with_the_wish(own_shop: Project, tmp_path: Path) -> None:
    """In the place of a browser: a program that writes its number and never ends."""
    program, started = tmp_path / "browser", tmp_path / "started"
    program.write_text(f'#!/bin/sh\necho $$ > "{started}"\nexec sleep 600\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    own_shop.publish([next(iter(own_shop.records.values()))], "One")
    cancel = Cancel()

    def soon() -> None:
        end = time.monotonic() + SECONDS
        while not started.exists() and time.monotonic() < end:
            time.sleep(0.01)
        cancel.set()

    threading.Thread(target=soon, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch, under(cancel):
        patch.setenv("CHROMIUM", str(program))
        with pytest.raises(Cancelled):
            pdf(own_shop, "one")
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
    assert list(own_shop.path.glob(".pdf-*")) == []


def test_a_file_is_handed_over_when_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    button = Download(lambda: None, label="Save")
    monkeypatch.setattr(button, "send", lambda *what: sent.append(what))
    button.hand(("page.pdf", b"%PDF-"))
    button.hand(None)
    assert sent == [({"name": "page.pdf"}, [b"%PDF-"]), ({},)]
