"""Links of published pages, from the command line and in the file that keeps them."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.shops import binary, unit_level
from workbench import Project, WorkbenchError
from workbench.cli import main
from workbench.publish import site
from workbench.publish.handout import policy
from workbench.publish.links import Links
from workbench.publish.serve import Entry


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with one published page, `sales`."""
    arms = {"A": binary(60, 500), "B": binary(75, 500)}
    project = unit_level(tmp_path_factory.mktemp("links") / "shop", arms, assignment="random")
    project.publish([project.effect("home")], "Sales")
    return project


def said(shop: Project, *words: str) -> str:
    result = CliRunner().invoke(main, ["link", str(shop.path), *words])
    return result.output.strip()


def opens(shop: Project, link: str) -> bool:
    """Whether a server would let in who comes by this link now."""
    address, _, token = link.partition("?token=")
    assert address == "http://127.0.0.1:8866/p/sales/"
    return Links(shop.path).admits("sales", token)


def test_a_link_is_made_told_again_renewed_and_taken_back(shop: Project) -> None:
    first = said(shop, "sales")
    assert opens(shop, first)
    assert said(shop, "sales") == first
    assert json.loads(said(shop, "sales", "--json")) == {"page": "sales", "link": first}
    second = said(shop, "sales", "--renew")
    assert opens(shop, second)
    assert not opens(shop, first)
    assert "taken back" in said(shop, "sales", "--revoke")
    assert not opens(shop, second)
    third = said(shop, "sales")
    assert opens(shop, third)
    assert third not in (first, second)


def test_there_is_no_link_to_a_page_that_is_not_there(shop: Project) -> None:
    assert "There is no published page “nothing” here." in said(shop, "nothing")
    assert "Choose one of --renew and --revoke" in said(shop, "sales", "--renew", "--revoke")


def test_a_running_server_sees_a_link_taken_back_and_a_file_nobody_else_reads(tmp_path: Path) -> None:
    serving, analyst = Links(tmp_path), Links(tmp_path)
    token = (analyst.offer(["a", "b"], "http://x/")["a"] or "").partition("?token=")[2]
    assert serving.admits("a", token)
    assert not serving.admits("b", token)
    assert not serving.admits("c", token)
    assert not serving.admits("a", "")
    analyst.revoke("a")
    assert not serving.admits("a", token)
    assert stat.S_IMODE((tmp_path / "links.json").stat().st_mode) == 0o600
    (tmp_path / "links.json").unlink()
    assert not serving.admits("a", token)


def test_a_page_that_comes_later_under_the_same_name_gets_a_link_of_its_own(tmp_path: Path) -> None:
    links = Links(tmp_path)
    first = links.offer(["a"], "http://x/")["a"]
    assert links.offer(["a", "b"], "http://x/")["a"] == first
    links.offer(["b"], "http://x/")  # the page was deleted
    assert links.offer(["a"], "http://x/")["a"] != first


def test_a_damaged_file_of_links_opens_nothing(tmp_path: Path) -> None:
    (tmp_path / "links.json").write_text("{", encoding="utf-8")
    with pytest.raises(WorkbenchError, match=r"links\.json"):
        Links(tmp_path).admits("a", "b")


@pytest.mark.parametrize(
    "address",
    ["pages/", "/pages", "https://pages.example.org", "ftp://x.example/", "https:///x/", "//x/", "/x/?a=b/"],
)
def test_an_address_that_pages_cannot_have_is_refused(address: str) -> None:
    with pytest.raises(WorkbenchError, match="is no address for pages"):
        Entry(address)


def test_the_policy_of_a_still_page_allows_the_scripts_that_are_in_it_and_no_other() -> None:
    # echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
    known = "bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI="
    page = "<script>alert(1)</script><script type='application/json'>{}</script><p>&lt;script&gt;x</p>"
    assert f"script-src 'sha256-{known}';" in policy(page)
    assert "script-src 'none';" in policy("<p onclick='alert(1)'>a</p>")


@pytest.mark.requirement("U05")
@pytest.mark.parametrize(
    ("words", "by_links"),
    [
        ([], False),  # only this computer is answered
        (["--base-url", "/pages/"], True),
        (["--base-url", "https://pages.example.org/"], True),
        (["--base-url", "https://pages.example.org/", "--screens"], True),
        (["--links"], True),
        (["--base-url", "/pages/", "--open"], False),  # somebody said so
    ],
)
def test_pages_that_other_computers_reach_open_by_their_links_unless_somebody_says_otherwise(
    shop: Project, monkeypatch: pytest.MonkeyPatch, words: list[str], by_links: bool
) -> None:
    """What the server is told, in place of a server that runs until it is interrupted."""
    told: list[str] = []
    monkeypatch.setattr(site, "serve", lambda *_, entry, **__: told.extend(entry.options()))
    result = CliRunner().invoke(main, ["serve", str(shop.path), *words])
    assert result.exit_code == 0, result.output
    assert f"--PageServer.needs_links={by_links}" in told
