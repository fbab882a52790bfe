"""A server whose pages open by their links, and readers who try what they may not."""

from __future__ import annotations

import http.client
import json
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
import pytest
import requests
import websocket

from workbench.publish import seal
from workbench.publish.links import Links
from workbench.publish.serve import Entry, Server, serving

ANALYST = "the-analyst-s-own-token"

STILL = """<!DOCTYPE html><html lang="en"><title>Sales</title><body><h1>Sales rose</h1>
<script>document.body.dataset.ran = "yes"</script></body></html>"""

# The page of every publication here: it works, and some of what it does goes wrong.
LIVE = """
import os
import ipywidgets
secret = "sk-never-shown-8181"
wrong = ipywidgets.Button(description="Wrong")
bare = ipywidgets.Button(description="Bare")
out = ipywidgets.Output()
said = ipywidgets.Text(description="Say")
def fail(_):
    with out:
        raise ValueError("customer jane-4711")
def fail_bare(_):
    raise ValueError("customer jane-4711")
def answer(change):
    out.append_stdout(change["new"].upper())
wrong.on_click(fail)
bare.on_click(fail_bare)
said.observe(answer, "value")
print("page", os.environ["QUERY_STRING"], "project", os.environ.get("WORKBENCH_PROJECT"))
ipywidgets.VBox([wrong, bare, said, out])
"""

SCREEN = 'print("the analyst reads", "rows")'


@dataclass(frozen=True)
class Place:
    """A server and what lies around it.

    Attributes:
        server: The server.
        project: Its project, with `published` and the links.
        site: The folder of notebooks.
    """

    server: Server
    project: Path
    site: Path

    def token(self, slug: str) -> str:
        """The token of a page's link as it is now."""
        link = Links(self.project).get(slug)
        assert link
        return link.partition("?token=")[2]


class Reader:
    """Somebody with a browser and, perhaps, a link; or a program that speaks HTTP as it likes."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, *, follow: bool = False, **headers: str) -> requests.Response:
        """What is answered to an address."""
        return self.session.get(self.url + path, headers=headers, timeout=60, allow_redirects=follow)

    def raw(self, target: str, method: str = "GET", **headers: str) -> tuple[int, str]:
        """Status and text of what is answered to a path as it is written, dots and all."""
        address = urlsplit(self.url)
        assert address.hostname
        line = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        cookie = "; ".join(f"{one.name}={one.value}" for one in self.session.cookies)
        line.request(method, target, headers={"Cookie": cookie, **headers})
        answer = line.getresponse()
        text = answer.read().decode("utf-8", "replace")
        line.close()
        return answer.status, text

    def open(self, place: Place, slug: str) -> None:
        """Follow the link of a page."""
        assert self.get(f"p/{slug}/?token={place.token(slug)}", follow=True).status_code == 200

    def live(self, slug: str) -> tuple[str, str]:
        """Open the live page; its text and the id of its kernel."""
        text = self.get(f"p/{slug}/live").text
        found = re.search(r'"kernelId": "([0-9a-f-]{36})"', text)
        assert found, text[:400]
        return text, found[1]

    def speak(self, path: str, **options: Any) -> websocket.WebSocket:
        """A websocket, with this reader's cookies for that address."""
        url = self.url.replace("http", "ws", 1) + path
        request = requests.Request("GET", self.url + path)
        cookie = self.session.prepare_request(request).headers.get("Cookie", "")
        return websocket.create_connection(url, cookie=cookie, timeout=20, http_no_proxy=["*"], **options)


def message(kind: str, content: dict[str, Any], channel: str = "shell") -> str:
    """A message to a kernel."""
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "username": "reader",
        "session": uuid.uuid4().hex,
        "version": "5.3",
        "date": "2026-01-01T00:00:00Z",
    }
    metadata = {"version": "1.0.0"}  # of the protocol of widgets
    parts = {"header": header, "parent_header": {}, "metadata": metadata, "content": content, "buffers": []}
    return json.dumps({**parts, "channel": channel})


def heard(socket: websocket.WebSocket) -> list[dict[str, Any]]:
    """What is said on a websocket until all that was sent before has been done."""
    question = message("kernel_info_request", {})
    socket.send(question)
    asked = json.loads(question)["header"]["msg_id"]
    said: list[dict[str, Any]] = []
    for _ in range(1000):
        said.append(json.loads(socket.recv()))
        ended = said[-1]["content"].get("execution_state") == "idle"
        if ended and said[-1]["parent_header"].get("msg_id") == asked:
            break
    return said


def write_notebook(path: Path, code: str) -> None:
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    cells = [nbformat.v4.new_code_cell(code)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def write_version(published: Path, slug: str, files: dict[str, bytes]) -> Path:
    """A version of a page as it is laid out, with these files."""
    folder = published / slug / "versions" / "1"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    digests = {name: seal.file_digest(name, content) for name, content in files.items()}
    (folder / seal.MANIFEST).write_text(json.dumps({"title": slug, "files": digests}), encoding="utf-8")
    (folder / seal.SEAL).write_text("00", encoding="utf-8")
    (published / slug / "current").write_text("1", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Three pages (of shops, of prices, and one that was changed after it was published), and a screen."""
    project = tmp_path_factory.mktemp("project")
    site = tmp_path_factory.mktemp("site")
    write_notebook(site / "page.ipynb", LIVE)
    write_notebook(site / "index.ipynb", SCREEN)
    write_notebook(site / "3-effect-lab.ipynb", SCREEN)
    published = project / "published"
    write_version(published, "shops", {"index.html": STILL.encode(), "r1.json": b'{"n": 10}'})
    write_version(published, "prices", {"index.html": STILL.encode()})
    changed = write_version(published, "changed", {"index.html": STILL.encode()})
    (changed / "index.html").write_text(STILL.replace("rose", "fell"), encoding="utf-8")
    for folder in (site, project, published, published / "shops", published / "shops" / "versions" / "1"):
        for name in ("orders.csv", ".env", "chart.png", "evil.svg", "x.ipynb.PNG"):
            if not (folder / name).exists() and folder.name != "1":
                (folder / name).write_text("customer,value\njane-4711,10\n", encoding="utf-8")
    Links(project).offer(["shops", "prices", "changed"], "http://127.0.0.1/")
    entry = Entry("/x/", published, project, ANALYST)
    env = {"WORKBENCH_PROJECT": str(project), "PATH": os.environ["PATH"]}
    with serving(site, env=env, entry=entry) as server:
        yield Place(server, project, site)


@pytest.fixture
def stranger(place: Place) -> Reader:
    """Somebody without any link."""
    return Reader(place.server)


@pytest.fixture
def reader(place: Place) -> Reader:
    """Somebody with the link of the page of shops, who has opened it."""
    someone = Reader(place.server)
    someone.open(place, "shops")
    return someone
