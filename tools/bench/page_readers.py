"""Readers of served pages: a real browser, and programs that do by HTTP and websocket what a browser does."""

from __future__ import annotations

import json
import re
import struct
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
import websocket

from tools.browser import find

_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
_PROTOCOL = "v1.kernel.websocket.jupyter.org"
_WAIT = 300.0  # seconds until a reader goes away; a burst on a slow machine takes long


class LiveReader:
    """A live page as a browser opens it: all of its cells, then the state of all of its widgets.

    It speaks as JupyterLab's services do in a browser: `v1.kernel.websocket.jupyter.org`
    (https://jupyter-server.readthedocs.io/en/stable/developers/websocket-protocols.html).

    Args:
        url: Of the page; its addresses begin where its HTML says.

    Raises:
        RuntimeError: the page is not one, or its kernel does not answer for minutes.
    """

    def __init__(self, url: str) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        text = self._session.get(url, timeout=_WAIT).text
        kernel = re.search(r'"kernelId": "([0-9a-f-]{36})"', text)
        base = re.search(r'"baseUrl": "([^"]*)"', text)
        if not kernel or not base or "wb-loading_failed" in text:
            raise RuntimeError(f"no kernel behind {url}: {text[:300]}")
        self._root = url.split("/", 3)[0] + "//" + url.split("/", 3)[2] + base[1]
        self.kernel = kernel[1]
        address = f"{self._root}api/kernels/{self.kernel}/channels?session_id={uuid.uuid4().hex}"
        self._socket = websocket.create_connection(
            address.replace("http", "ws", 1), timeout=_WAIT, http_no_proxy=["*"], subprotocols=[_PROTOCOL]
        )
        self._tell("comm_open", {"comm_id": "bench", "target_name": "jupyter.widget.control", "data": {}})
        said = self._tell("comm_msg", {"comm_id": "bench", "data": {"method": "request_states"}})
        states = [
            one["content"]["data"]["states"] for one in said if "states" in one["content"].get("data", {})
        ]
        self._sliders = [
            name
            for state in states
            for name, widget in state.items()
            if {"min", "max", "value"} <= set(widget["state"])
        ]
        if not self._sliders:
            raise RuntimeError("the page has no slider to set")
        self._value = 0

    def set_control(self) -> float:
        """Set a control of the page; seconds until Python has done all that follows."""
        begin = time.perf_counter()
        self._value = self._value % 5 + 1
        state = {"method": "update", "state": {"value": self._value}, "buffer_paths": []}
        said = self._tell("comm_msg", {"comm_id": self._sliders[0], "data": state})
        if not any(one["header"]["msg_type"] == "comm_msg" for one in said):
            raise RuntimeError("nothing answered the control")
        return time.perf_counter() - begin

    def close(self) -> None:
        """What a closed tab does."""
        cookie = str(self._session.cookies.get("_xsrf", path=None))
        self._socket.close()
        self._session.post(
            f"{self._root}voila/api/shutdown/{self.kernel}", headers={"X-XSRFToken": cookie}, timeout=_WAIT
        )

    def vanish(self) -> None:
        """What a laptop does that is shut."""
        self._socket.close()

    def _tell(self, kind: str, content: dict[str, Any]) -> list[dict[str, Any]]:
        """Send a message; all that was said until the kernel had done with it."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": kind, "username": "", "session": number, "version": "5.3"}
        header["date"] = "2026-01-01T00:00:00Z"
        metadata = {"version": "1.0.0" if kind == "comm_open" else ""}
        self._socket.send_binary(_framed("shell", header, {}, metadata, content))
        said: list[dict[str, Any]] = []
        limit = time.monotonic() + _WAIT
        while time.monotonic() < limit:
            kind, frame = self._socket.recv_data(control_frame=True)  # signs of life are no answer
            if kind != websocket.ABNF.OPCODE_BINARY:
                continue
            one = _parts(frame)
            said.append(one)
            ended = one["content"].get("execution_state") == "idle"
            if ended and one["parent_header"].get("msg_id") == number:
                return said
        raise RuntimeError(f"the kernel did not answer for {_WAIT:g} seconds")


def _framed(channel: str, *parts: dict[str, Any]) -> bytes:
    """The number of places, where each part begins and the last ends, the channel, the parts."""
    packed = [channel.encode(), *(json.dumps(part).encode() for part in parts)]
    places = [8 * (len(packed) + 2)]
    for part in packed:
        places.append(places[-1] + len(part))
    return struct.pack(f"<{len(places) + 1}Q", len(places), *places) + b"".join(packed)


def _parts(frame: bytes) -> dict[str, Any]:
    """A message's header, that of what it answers, and what it says; its buffers are left out."""
    (number,) = struct.unpack_from("<Q", frame)
    places = struct.unpack_from(f"<{number}Q", frame, 8)
    names = ("channel", "header", "parent_header", "metadata", "content")
    found = {name: frame[begin:end] for name, begin, end in zip(names, places, places[1:], strict=False)}
    return {name: json.loads(part) for name, part in found.items() if name != "channel"}


def fetch(url: str, session: requests.Session | None = None) -> float:
    """Seconds until a page has come whole, packed as browsers want it.

    Raises:
        RuntimeError: when something else than the page came.
    """
    begin = time.perf_counter()
    answer = (session or requests).get(url, timeout=_WAIT)
    if answer.status_code != 200:
        raise RuntimeError(f"{url} answered {answer.status_code}")
    return time.perf_counter() - begin


# The moment the largest text that has been seen so far was painted, in ms from the click on the link.
_PAINTED = """() => new Promise((told) => {
  const last = (list) => told(list.getEntries().at(-1).startTime);
  new PerformanceObserver(last).observe({ type: "largest-contentful-paint", buffered: true });
})"""


class Browser:
    """One Chromium."""

    def __init__(self, chromium: Any) -> None:
        self._chromium = chromium

    def until(self, url: str, *selectors: str) -> list[float]:
        """Seconds until the page's largest text is painted, and until each selector is seen; no cache."""
        context = self._chromium.new_context()
        page = context.new_page()
        begin = time.perf_counter()
        page.goto(url, wait_until="commit", timeout=_WAIT * 1000)
        seconds = []
        for one in selectors:
            page.wait_for_selector(one, state="visible", timeout=_WAIT * 1000)
            seconds.append(time.perf_counter() - begin)
        seconds.insert(0, page.evaluate(_PAINTED) / 1000)
        page.close(run_before_unload=True)
        context.close()
        return seconds


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium while the block runs.

    Raises:
        SystemExit: there is none.
    """
    from playwright.sync_api import sync_playwright

    program = find()
    if program is None:
        raise SystemExit("There is no Chromium: `make browser` installs one.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield Browser(chromium)
        chromium.close()
