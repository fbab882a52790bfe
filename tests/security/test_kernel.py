"""What a reader can make the kernel of a page do, and what it tells."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil
import pytest
import websocket

from tests.security.conftest import ANALYST, Place, Reader, heard, message

ASKED = {
    "silent": False,
    "store_history": False,
    "user_expressions": {},
    "allow_stdin": False,
    "stop_on_error": False,
}


def widgets(socket: websocket.WebSocket) -> tuple[dict[str, str], str]:
    """The widgets of a page as its browser asks for them: name → id; and all that was said."""
    socket.send(message("comm_open", {"comm_id": "c0", "target_name": "jupyter.widget.control", "data": {}}))
    socket.send(message("comm_msg", {"comm_id": "c0", "data": {"method": "request_states"}}))
    said = heard(socket)
    names = {}
    for one in said:
        for model, state in one["content"].get("data", {}).get("states", {}).items():
            names[state["state"].get("description") or state["model_name"]] = model
    return names, json.dumps(said)


@pytest.fixture
def socket(reader: Reader) -> websocket.WebSocket:
    """The websocket of a live page, as a program speaks it that says what it likes."""
    _, kernel = reader.live("shops")
    return reader.speak(f"p/shops/api/kernels/{kernel}/channels?session_id=a")


@pytest.mark.parametrize("channel", ["shell", "control", "stdin", "iopub", "nothing"])
def test_a_reader_runs_no_code(socket: websocket.WebSocket, tmp_path: Path, channel: str) -> None:
    proof = tmp_path / "proof"
    code = f"open({str(proof)!r}, 'w').close()"
    for kind, content in (
        ("execute_request", {**ASKED, "code": code}),
        ("execute_request", {**ASKED, "code": "", "user_expressions": {"a": code}}),
        ("complete_request", {"code": code, "cursor_pos": 3}),
        ("inspect_request", {"code": "secret", "cursor_pos": 3, "detail_level": 1}),
        ("history_request", {"hist_access_type": "tail", "n": 10, "output": True, "raw": True}),
        ("is_complete_request", {"code": code}),
        ("debug_request", {"type": "request", "command": "evaluate", "arguments": {"expression": code}}),
        ("input_reply", {"value": code}),
        ("interrupt_request", {}),
        ("usage_request", {}),
        ("create_subshell_request", {}),
        ("comm_open", {"comm_id": "c1", "target_name": "os.system", "data": {"code": code}}),
        ("comm_open", {"comm_id": "c2", "target_name": "x", "target_module": "os", "data": {"code": code}}),
        ("comm_msg", {"comm_id": "c1", "data": {"method": "custom", "content": {"code": code}}}),
    ):
        socket.send(message(kind, content, channel))
    said = heard(socket)
    kinds = {one["header"]["msg_type"] for one in said}
    assert not kinds & {"execute_reply", "execute_result", "inspect_reply", "complete_reply", "history_reply"}
    assert not kinds & {"debug_reply", "interrupt_reply", "usage_reply", "create_subshell_reply"}
    assert "sk-never-shown" not in json.dumps(said)
    assert not proof.exists()


@pytest.mark.parametrize("button", ["Wrong", "Bare"])
def test_an_error_in_what_a_control_does_tells_nothing(
    socket: websocket.WebSocket, place: Place, button: str
) -> None:
    names, _ = widgets(socket)
    click = {"method": "custom", "content": {"event": "click"}}
    socket.send(message("comm_msg", {"comm_id": names[button], "data": click}))
    said = json.dumps(heard(socket))
    for trace in ("jane-4711", "Traceback", "ValueError", str(place.project), "site-packages", "ipykernel"):
        assert trace not in said.replace("ipykernel_launcher", ""), trace


def test_a_control_does_work(socket: websocket.WebSocket) -> None:
    names, _ = widgets(socket)
    say = {"method": "update", "state": {"value": "hello"}, "buffer_paths": []}
    socket.send(message("comm_msg", {"comm_id": names["Say"], "data": say}))
    assert "HELLO" in json.dumps(heard(socket))


def test_no_variable_and_no_path_is_in_the_state_of_widgets(
    socket: websocket.WebSocket, place: Place
) -> None:
    _, said = widgets(socket)
    for secret in ("sk-never-shown", ANALYST, place.token("shops"), str(place.project), str(place.site)):
        assert secret not in said


def test_nonsense_on_the_websocket_leaves_the_page_alive(reader: Reader) -> None:
    path = f"p/shops/api/kernels/{reader.live('shops')[1]}/channels?session_id="
    for place, nonsense in enumerate(
        (
            "",
            "{}",
            "[]",
            "not json",
            "\x00" * 100,
            json.dumps({"header": {"msg_type": "comm_msg"}}),
        )
    ):
        # a session that comes again within milliseconds may find its former channels being put away
        reader.speak(f"{path}{place}").send(nonsense)
    _, said = widgets(reader.speak(f"{path}a"))
    assert "Say" in said


def test_the_kernel_of_one_page_is_not_reached_from_another(
    place: Place, reader: Reader, stranger: Reader
) -> None:
    _, kernel = reader.live("shops")
    stranger.open(place, "prices")
    _, own = stranger.live("prices")
    for page in ("p/prices/", "p/shops/", ""):
        path = f"{page}api/kernels/{kernel}"
        assert stranger.get(path).status_code in (403, 404)
        with pytest.raises(websocket.WebSocketBadStatusException, match=r"403|404"):
            stranger.speak(f"{path}/channels?session_id=a")
        xsrf = stranger.session.cookies.get("_xsrf")
        stop = stranger.session.post(
            f"{stranger.url}{page}voila/api/shutdown/{kernel}", headers={"X-XSRFToken": str(xsrf)}
        )
        assert stop.status_code in (403, 404)
    assert reader.get(f"p/shops/api/kernels/{kernel}").status_code == 200
    assert stranger.get(f"p/prices/api/kernels/{own}").status_code == 200


def test_nobody_else_can_end_a_readers_kernel_with_their_cookies(reader: Reader) -> None:
    """Another site's form would send the cookies of a reader, were they sent from there, and no token."""
    _, kernel = reader.live("shops")
    (cookie,) = [one for one in reader.session.cookies if one.name == "_xsrf"]
    assert cookie.path == "/x/"
    assert cookie.get_nonstandard_attr("SameSite") == "Strict"
    stop = f"{reader.url}p/shops/voila/api/shutdown/{kernel}"
    for headers in ({}, {"X-XSRFToken": "wrong"}):
        assert reader.session.post(stop, headers=headers).status_code == 403
    assert reader.get(f"p/shops/api/kernels/{kernel}").status_code == 200


def test_readers_have_kernels_of_their_own_and_take_them_along(place: Place, reader: Reader) -> None:
    first, second = reader.live("shops")[1], reader.live("shops")[1]
    assert first != second
    stop = f"{reader.url}p/shops/voila/api/shutdown/"
    xsrf = {"X-XSRFToken": str(reader.session.cookies.get("_xsrf"))}
    before = len(psutil.Process(place.server.process.pid).children())
    for kernel in (first, second):
        assert reader.session.post(stop + kernel, headers=xsrf).status_code == 204
        assert reader.get(f"p/shops/api/kernels/{kernel}").status_code == 404
    end = time.monotonic() + 10
    while len(psutil.Process(place.server.process.pid).children()) > before - 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(psutil.Process(place.server.process.pid).children()) == before - 2


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere the way to a temporary file is too long for it"
)
def test_no_channel_of_a_kernel_is_a_port(socket: websocket.WebSocket, place: Place) -> None:
    """Others who use this computer reach every port of it, but not the files of whoever serves the pages.

    One port is left: where ipykernel hears what child processes print, which takes nothing without a secret.
    """
    widgets(socket)
    served = psutil.Process(place.server.process.pid)
    private = str(place.server.log.parent)  # others may serve pages and notebooks at the same time
    ours = [one for one in served.parent().children() if any(private in part for part in one.cmdline())]
    kernels = [child for one in ours for child in one.children()]
    ports = [
        sum(found.status == "LISTEN" and bool(found.laddr) for found in one.net_connections("tcp"))
        for one in kernels
    ]
    assert max(ports) == 1
