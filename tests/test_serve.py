"""The page server from outside: what it hands out, what it keeps to itself, and that it ends in order."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from workbench.errors import WorkbenchError
from workbench.publish.serve import Server, serving

PAGE = """
import os, sys
rows = "not for readers"
print(sys.executable, os.environ["SHOP"], os.environ["HTTP_ACCEPT_LANGUAGE"])
"""


def write_notebook(path: Path, code: str) -> None:
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "a",
        "metadata": {},
        "outputs": [],
        "source": code,
    }
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    notebook = {
        "cells": [{**cell, "source": code}],
        "metadata": {"kernelspec": spec},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_notebook(folder / "index.ipynb", PAGE)
    write_notebook(folder / "wrong.ipynb", "customer = 'jane-4711'\nraise ValueError(customer)")
    (folder / "orders.csv").write_text("customer,value\njane-4711,10\n", encoding="utf-8")
    (folder / "chart.png").write_bytes(b"\x89PNG")
    return folder


@pytest.fixture(scope="module")
def server(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server started by a person whose own Jupyter is set up to get in the way."""
    home = tmp_path_factory.mktemp("home")
    kernel = home / ".local" / "share" / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {"argv": ["/nowhere/python"], "display_name": "Python 3", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    settings = {"VoilaConfiguration": {"show_tracebacks": True, "strip_sources": False, "template": "lab"}}
    (home / ".jupyter").mkdir()
    (home / ".jupyter" / "voila.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        with serving(site, env={"SHOP": "corner-shop"}) as running:
            yield running


def get(server: Server, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of an answer."""
    request = urllib.request.Request(server.url + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


def test_pages_run_in_this_python_whatever_kernels_a_person_has(server: Server) -> None:
    status, text, _ = get(server, "voila/render/index.ipynb", **{"Accept-Language": "es-ES"})
    assert status == 200
    assert f"{sys.executable} corner-shop es-ES" in text


@pytest.mark.requirement("G02")
def test_a_page_names_no_other_computer(server: Server) -> None:
    for path in ("", "voila/render/index.ipynb", "voila/render/nothing.ipynb"):
        _, text, _ = get(server, path)
        assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?\s*(?:https?:)?//[^"')]*""", text) == []


def test_neither_code_nor_variables_reach_the_reader(server: Server) -> None:
    for wish in ("", "?template=lab", "?template=classic&theme=dark"):
        _, text, _ = get(server, "voila/render/index.ipynb" + wish)
        assert "not for readers" not in text
        assert "wb-loading" in text


def test_an_error_reaches_the_log_and_not_the_reader(server: Server) -> None:
    _, text, _ = get(server, "voila/render/wrong.ipynb")
    assert "This page could not be computed." in text
    assert "jane-4711" not in text
    assert "Traceback" not in text
    assert "jane-4711" in server.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["orders.csv", "chart.png", "index.ipynb", "../server.log"])
def test_no_file_is_handed_out(server: Server, name: str) -> None:
    for path in (f"voila/files/{name}", f"files/{name}"):
        status, text, _ = get(server, path)
        assert status in (403, 404)
        assert "jane-4711" not in text


def test_a_foreign_name_for_this_computer_is_refused(server: Server) -> None:
    assert get(server, "voila/render/nothing.ipynb", Host="shop.example")[0] == 403
    assert get(server, "voila/render/nothing.ipynb", Host="localhost")[0] == 404


def test_only_this_computer_is_answered(server: Server) -> None:
    """Others come through a proxy, which brings TLS with it."""
    family = [psutil.Process(server.process.pid)]
    family += family[0].children(recursive=True)
    heard = [
        one.laddr.ip for member in family for one in member.net_connections("tcp") if one.status == "LISTEN"
    ]
    assert heard
    assert set(heard) == {"127.0.0.1"}


def test_pages_may_neither_evaluate_text_nor_speak_to_others(server: Server) -> None:
    policy = get(server, "voila/render/nothing.ipynb")[2]["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert "unsafe-eval" not in policy


def test_the_first_page_is_the_index_in_the_language_asked_for(server: Server) -> None:
    assert 'content="0; url=/voila/render/index.ipynb?lang=es"' in get(server, "?lang=es")[1]


def test_without_an_index_the_pages_are_listed(tmp_path: Path) -> None:
    write_notebook(tmp_path / "sales in May.ipynb", "1")
    with serving(tmp_path) as server:
        text = get(server, "")[1]
    assert 'href="/voila/render/sales%20in%20May.ipynb?"' in text


def test_an_unknown_address_gets_a_sentence_in_both_languages(server: Server) -> None:
    for path in ("nonsense", "voila/render/nothing.ipynb", "voila/tree/nothing"):
        status, text, _ = get(server, path)
        assert status == 404
        assert "There is no page at this address." in text
        assert "No hay ninguna página en esta dirección." in text


def test_a_port_in_use_is_named_with_the_way_out(site: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(WorkbenchError, match=rf"Port {port} .*--port"), serving(site, port):
            pass


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="nowhere"), serving(tmp_path / "nowhere"):
        pass


@pytest.mark.long
def test_told_to_end_the_server_takes_its_kernels_along(site: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from workbench.publish.serve import serve\n"
        "serve(Path(sys.argv[1]), port=0, env={'SHOP': 'x'}, ready=lambda url: print(url, flush=True))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(site)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    url = process.stdout.readline().strip()
    with urllib.request.urlopen(url + "voila/render/index.ipynb", timeout=60) as answer:
        answer.read()
    family = psutil.Process(process.pid).children(recursive=True)
    assert any("kernel" in " ".join(member.cmdline()) for member in family)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    process.stdout.close()
    end = time.monotonic() + 10
    while any(member.is_running() for member in family) and time.monotonic() < end:
        time.sleep(0.1)
    assert [member for member in family if member.is_running()] == []
