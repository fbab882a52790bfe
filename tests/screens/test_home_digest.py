"""The digest on the home is handed over as a file, made beside the page."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.screens.pages import words
from workbench import Project, screens
from workbench.locale import Texts
from workbench.publish import digest
from workbench.screens.home_digest import DigestState
from workbench.screens.inbox import Sent

T = Texts("en")


@pytest.mark.requirement("U03")
def test_the_file_is_the_digest_and_the_next_one_begins_where_it_ended(own_shop: Project) -> None:
    state, taken = DigestState(own_shop), list[Sent | None]()
    state.since = date(2026, 1, 1)
    state.make("html", "es", taken.append)
    assert digest.digest(own_shop).since is None
    state.since = None
    state.make("html", "en", taken.append)
    state.work.wait(60)
    assert len(taken) == 2
    for one, language in zip(taken, ("es", "en"), strict=True):
        assert one is not None
        assert one[0] == f"digest-{digest.local(own_shop, datetime.now(UTC)).date().isoformat()}.html"
        assert f'<html lang="{language}"' in one[1].decode()
    assert state.notice is not None
    assert T(state.notice).startswith("So far: 3 questions were answered for the first time")
    made = json.loads((own_shop.path / digest.FILE).read_text("utf-8"))
    assert [one["aside"] for one in made] == [True, False]


def test_a_browser_that_prints_nothing_is_named_and_no_digest_was_made(
    own_shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM", "false")
    state, taken = DigestState(own_shop), list[Sent | None]()
    state.make("pdf", "en", taken.append)
    state.work.wait(60)
    assert taken == [None]
    assert state.problem is not None
    assert "did not print the page" in T(state.problem)
    assert not (own_shop.path / digest.FILE).exists()
    assert not list(Path(own_shop.path).glob(".pdf-*"))


def test_the_home_says_from_when_on_it_tells(own_shop: Project) -> None:
    assert "there has been no digest before today" in words(screens.home(own_shop, "en"))
    made = [{"at": "2026-01-05T09:00:00+00:00", "aside": False, "shown": []}]
    (own_shop.path / digest.FILE).write_text(json.dumps(made), encoding="utf-8")
    assert "everything since the last digest, of 5 Jan 2026" in words(screens.home(own_shop, "en"))
