"""Files, paths, origins and parameters: what is asked for beside the pages is not handed out."""

from __future__ import annotations

import gzip
import re

import pytest
import websocket

from tests.security.conftest import ANALYST, STILL, Place, Reader

# where a path would lead to that is taken at its word
CLIMBS = (
    "../../../links.json",
    "../../../project.toml",
    "../../../../../../../../etc/passwd",
    "..%2f..%2f..%2flinks.json",
    "%2e%2e/%2e%2e/%2e%2e/links.json",
    "..%252f..%252flinks.json",
    "....//....//links.json",
    "..\\..\\links.json",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "index.html%00.png",
    "versions/1/index.html",
    "manifest.json",
    "seal",
    "current",
    "orders.csv",
    ".env",
    "chart.png",
    "evil.svg",
    "x.ipynb.PNG",
)
DOORS = (
    "/x/p/shops/",
    "/x/p/shops/voila/static/",
    "/x/p/shops/voila/templates/",
    "/x/voila/files/",
    "/x/files/",
    "/x/voila/static/",
    "/x/voila/templates/workbench/static/",
    "/x/voila/labextensions/",
    "/x/voila/api/themes/",
    "/x/voila/render/",
    "/x/voila/tree/",
    "/x/voila/api/contents/",
    "/x/api/contents/",
    "/x/p/../",
    "/x/p/..%2f",
    "/",
)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_no_path_leads_out_of_what_was_published(
    place: Place, door: str, who: str, request: pytest.FixtureRequest
) -> None:
    someone: Reader = request.getfixturevalue(who)
    for climb in CLIMBS:
        status, text = someone.raw(door + climb)
        assert status in (301, 302, 400, 403, 404, 405), (door + climb, status)
        for secret in ("jane-4711", "root:", place.token("shops"), "nbformat", '"files"'):
            assert secret not in text, door + climb


def test_files_that_the_manifest_names_are_handed_out(reader: Reader) -> None:
    assert reader.get("p/shops/r1.json").json() == {"n": 10}
    assert reader.get("p/shops/r2.json").status_code == 404


def test_a_file_put_beside_a_page_later_closes_the_page(place: Place, reader: Reader) -> None:
    extra = place.project / "published" / "shops" / "versions" / "1" / "later.html"
    extra.write_text("<script>alert(1)</script>", encoding="utf-8")
    try:
        assert reader.get("p/shops/later.html").status_code == 409
        assert reader.get("p/shops/").status_code == 409
    finally:
        extra.unlink()
    assert reader.get("p/shops/").status_code == 200


def test_what_jupyter_and_voila_would_answer_is_not_there(reader: Reader, stranger: Reader) -> None:
    stranger.session.cookies.set("workbench-analyst", ANALYST)
    for someone in (reader, stranger):
        for path in (
            *(
                "api/kernels",
                "api/kernelspecs",
                "api/sessions",
                "api/terminals",
                "api/contents",
                "api/status",
            ),
            *("api/me", "api", "login", "logout", "lab", "tree", "nbconvert/html/index.ipynb", "terminals/1"),
            *("voila/api/contents/", "voila/tree", "voila/files/index.ipynb", "metrics", "static/x.js"),
        ):
            assert someone.get(path).status_code == 404, path


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:1", "null", "http://127.0.0.1.evil.example"]
)
def test_a_foreign_page_reaches_neither_the_kernel_nor_what_is_answered(reader: Reader, origin: str) -> None:
    _, kernel = reader.live("shops")
    channels = f"p/shops/api/kernels/{kernel}/channels?session_id=a"
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        reader.speak(channels, origin=origin)
    answer = reader.get(f"p/shops/api/kernels/{kernel}", Origin=origin)
    assert answer.status_code == 404
    for path in ("p/shops/", "p/shops/r1.json", "p/shops/live"):
        headers = reader.get(path, Origin=origin).headers
        assert not [name for name in headers if name.startswith("Access-Control-")]
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_foreign_page_cannot_stop_a_kernel(reader: Reader) -> None:
    _, kernel = reader.live("shops")
    for method, path in (("POST", f"voila/api/shutdown/{kernel}"), ("DELETE", f"api/kernels/{kernel}")):
        assert (
            reader.raw(f"/x/p/shops/{path}", method)[0] == 403
        )  # it cannot read the cookie that has to be repeated
        assert reader.raw(f"/x/p/shops/{path}", method, Origin="https://evil.example")[0] in (403, 404)
    assert reader.get(f"p/shops/api/kernels/{kernel}").status_code == 200


def test_a_foreign_name_for_this_computer_is_refused(reader: Reader) -> None:
    """Attack: a page of another name, which leads to this computer, asks with the cookies of this one."""
    here = reader.url.split("/")[2]
    for path in ("p/shops/", "p/shops/r1.json", "p/shops/live"):
        assert reader.raw(f"/x/{path}", Host=here)[0] == 200
        assert reader.raw(f"/x/{path}", Host="evil.example")[0] == 403, path


@pytest.mark.parametrize(
    "wish",
    [
        "template=lab",
        "template=../../..",
        "template=/etc",
        "theme=dark",
        "theme=../../..",
        "template=classic&theme=x",
    ],
)
def test_nobody_chooses_another_template_or_theme(reader: Reader, wish: str) -> None:
    text, _ = reader.live("shops")
    plain = re.sub(r"[0-9a-f-]{32,}", "", text)
    answer = reader.get(f"p/shops/live?{wish}")
    assert answer.status_code == 200
    told = re.sub(r"[0-9a-f-]{32,}", "", answer.text)
    assert "wb-loading" in told
    assert len(told) == pytest.approx(len(plain), abs=200)


@pytest.mark.parametrize(
    "path", ["p/shops/", "p/shops/live", "p/shops/r1.json", "p/nothing/", "voila/static/voila.js", "x"]
)
@pytest.mark.requirement("G02")
def test_every_answer_forbids_what_no_page_needs(reader: Reader, path: str) -> None:
    headers = reader.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Server" not in headers
    policy = dict(rule.strip().partition(" ")[::2] for rule in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    for what in ("connect-src", "form-action"):  # to whom a page may speak
        assert policy[what] in ("'none'", "'self'")
    assert "data:" not in policy["script-src"]
    assert "unsafe-eval" not in str(policy)
    assert not re.search(r"https?:|wss?:|\*", str(policy))
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_a_still_page_runs_the_scripts_it_was_published_with_and_no_other(reader: Reader) -> None:
    policy = reader.get("p/shops/").headers["Content-Security-Policy"]
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", scripts[1])
    assert "connect-src 'none'" in policy


def test_a_still_page_is_packed_and_sent_once(reader: Reader) -> None:
    first = reader.get("p/shops/", **{"Accept-Encoding": "gzip"})
    assert first.headers["Content-Encoding"] == "gzip"
    assert first.text == STILL
    assert first.headers["Cache-Control"] == "private, no-cache"
    plain = reader.get("p/shops/", **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert len(gzip.compress(plain.content)) > 0
    again = reader.get("p/shops/", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
