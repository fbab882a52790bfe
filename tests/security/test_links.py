"""Who has no link, a wrong one, one that was taken back, or that of another page, sees nothing."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator

import pytest

from tests.security.conftest import ANALYST, Place, Reader
from workbench.publish.links import Links
from workbench.publish.serve import Entry, Server, serving

REFUSED = ("This page opens by its link only.", "Esta página solo se abre con su enlace.")
ADDRESSES = (
    "p/shops/",
    "p/shops/index.html",
    "p/shops/r1.json",
    "p/shops/live",
    "p/nothing/",
    "p/nothing/live",
)
ANALYSTS = (
    "",
    "voila/render/index.ipynb",
    "voila/render/3-effect-lab.ipynb",
    "voila/render/page.ipynb?page=shops",
)


@pytest.mark.requirement("U05")
def test_the_link_opens_its_page_once_and_a_cookie_for_that_page_alone_does_from_then_on(
    place: Place, stranger: Reader
) -> None:
    answer = stranger.get(f"p/shops/?lang=es&token={place.token('shops')}")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/x/p/shops/?lang=es"  # the token is out of the address
    cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Lax", "Path=/x/p/shops/"):
        assert part in cookie
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Sales rose" in stranger.get("p/shops/").text
    assert "page=shops" in stranger.live("shops")[0]


@pytest.mark.parametrize("address", [*ADDRESSES, *ANALYSTS])
def test_without_a_link_nothing_opens_and_words_say_so(stranger: Reader, address: str) -> None:
    answer = stranger.get(address)
    assert answer.status_code == 403
    assert all(words in answer.text for words in REFUSED)
    assert "Sales" not in answer.text


@pytest.mark.parametrize("token", ["", "wrong", "0" * 43, "%00", "é", "None", "null", "../shops", "x" * 3000])
def test_a_wrong_token_opens_nothing_and_leaves_no_cookie(stranger: Reader, token: str) -> None:
    answer = stranger.get(f"p/shops/?token={token}")
    assert answer.status_code == 403
    assert "workbench-shops" not in answer.headers.get("Set-Cookie", "")
    assert stranger.get("p/shops/").status_code == 403


def test_part_of_a_token_and_a_token_with_more_to_it_open_nothing(place: Place, stranger: Reader) -> None:
    token = place.token("shops")
    for wrong in (token[:-1], token + "A", token.swapcase()):
        assert stranger.get(f"p/shops/?token={wrong}").status_code == 403


def test_the_token_of_one_page_opens_no_other_and_no_screen(place: Place, reader: Reader) -> None:
    token = place.token("shops")
    for address in ("p/prices/", "p/prices/live", "p/changed/", *ANALYSTS):
        assert reader.get(address).status_code == 403
        assert reader.get(f"{address}{'&' if '?' in address else '?'}token={token}").status_code == 403
    reader.session.cookies.set("workbench-prices", token)  # somebody who writes cookies by hand
    reader.session.cookies.set("workbench-analyst", token)
    for address in ("p/prices/", "p/prices/live", *ANALYSTS):
        assert reader.get(address).status_code == 403


def test_the_live_page_shows_its_own_publication_whichever_the_address_asks_for(reader: Reader) -> None:
    text = reader.get("p/shops/live?page=prices&lang=es").text
    assert "page page=shops&amp;lang=es project None" in text


def test_the_way_home_is_for_those_whom_it_lets_in_whatever_the_address_asks_for(
    place: Place, reader: Reader, stranger: Reader
) -> None:
    """The live page is told by the server alone who may go home; messages link there for nobody else."""
    token = place.token("shops")
    for asked in ("", "?home=yes", "?home=yes&lang=es", f"?token={token}&home=yes"):
        assert "home" not in reader.get(f"p/shops/live{asked}", follow=True).text.partition("page page=")[2]
    for address, status in (("p/shops/r2.json", 404), ("nothing/at/all", 404), ("p/prices/", 403)):
        answer = reader.get(address)
        assert answer.status_code == status
        assert not re.search(r'href="/x/["?]', answer.text)
        assert "Inicio" not in answer.text
    stranger.get(f"?token={ANALYST}")
    assert "page page=shops&amp;home=yes project" in stranger.live("shops")[0]
    answer = stranger.get("nothing/at/all")
    assert answer.status_code == 404
    assert 'href="/x/?lang=en"' in answer.text


def test_a_link_that_was_taken_back_opens_nothing_and_a_new_one_does(place: Place, stranger: Reader) -> None:
    links = Links(place.project)
    old = place.token("prices")
    stranger.open(place, "prices")
    _, kernel = stranger.live("prices")
    socket = stranger.speak(f"p/prices/api/kernels/{kernel}/channels?session_id=a")
    links.revoke("prices")
    assert links.get("prices") is None
    for address in ("p/prices/", "p/prices/live", f"p/prices/api/kernels/{kernel}", f"p/prices/?token={old}"):
        assert stranger.get(address).status_code == 403
    socket.send("{}")  # a page that is still open is cut off as well
    while socket.connected and socket.recv():
        pass
    assert not socket.connected
    links.offer(["shops", "prices", "changed"], "http://127.0.0.1/")  # a server that starts makes no new one
    assert links.get("prices") is None
    links.renew("prices")
    assert stranger.get(f"p/prices/?token={old}").status_code == 403
    stranger.open(place, "prices")


def test_links_are_read_by_their_owner_alone_and_lie_outside_what_is_published(place: Place) -> None:
    file = place.project / "links.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert place.project / "published" not in file.parents
    for published in (place.project / "published").rglob("*"):
        if published.is_file():
            assert place.token("shops") not in published.read_text("utf-8", "replace")


def test_the_analyst_opens_everything(place: Place, stranger: Reader) -> None:
    answer = stranger.get(f"?token={ANALYST}")
    assert answer.headers["Location"] == "/x/"
    assert "Path=/x/;" in answer.headers["Set-Cookie"] + ";"
    for address in ("p/shops/", "p/prices/", ""):
        assert stranger.get(address).status_code == 200
    assert "the analyst reads rows" in stranger.get("voila/render/3-effect-lab.ipynb").text


def test_the_analysts_token_is_in_no_command_line_and_in_no_page_s_environment(place: Place) -> None:
    import psutil

    family = [psutil.Process(place.server.process.pid)]
    family += family[0].children(recursive=True)
    assert len(family) > 1
    for member in family:
        assert ANALYST not in " ".join(member.cmdline())
    for member in family[1:]:
        assert ANALYST not in str(member.environ())


def test_a_page_that_was_changed_after_it_was_published_shows_no_number(
    place: Place, stranger: Reader
) -> None:
    stranger.session.cookies.set("workbench-analyst", ANALYST)
    answer = stranger.get("p/changed/")
    assert answer.status_code == 409
    assert "not what was published" in answer.text
    assert "Sales" not in answer.text


@pytest.fixture(scope="module")
def behind_a_proxy(place: Place) -> Iterator[Server]:
    """A server of the same pages that readers reach by HTTPS, and where nobody is the analyst."""
    entry = Entry("https://pages.example.org/x/", place.project / "published", place.project)
    with serving(place.site, entry=entry) as server:
        yield server


def test_where_nobody_is_the_analyst_no_token_is_the_analysts(behind_a_proxy: Server) -> None:
    """Attack: a token of nothing, whose hash is that of the token which nobody has."""
    for cookies in ({}, {"workbench-analyst": ""}, {"workbench-analyst": '""'}):
        stranger = Reader(behind_a_proxy)
        stranger.session.cookies.update(cookies)
        for address in (*ADDRESSES, *ANALYSTS):
            assert stranger.get(address).status_code == 403
            token = f"{'&' if '?' in address else '?'}token="
            assert stranger.get(address + token).status_code == 403
        assert 'href="/x/' not in stranger.get("nothing/at/all").text


def test_a_cookie_of_a_page_that_is_reached_by_https_is_sent_by_no_other_way(
    place: Place, behind_a_proxy: Server
) -> None:
    answer = Reader(behind_a_proxy).get(
        f"p/shops/?token={place.token('shops')}", Host="pages.example.org", **{"X-Forwarded-Proto": "https"}
    )
    assert answer.status_code == 302
    assert "secure" in answer.headers["Set-Cookie"].lower().split("; ")
