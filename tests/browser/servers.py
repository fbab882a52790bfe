"""Tabs that see this computer only, and what browser tests need to know of the servers they open."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from workbench.publish.serve import Server

LOCAL = ("file:", "http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")

# "Run all" is dropped without a word while the kernel is not connected, hence the waits.
RUN_ALL = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = app.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  await app.commands.execute("notebook:run-all-cells");
  return panel.content.widgets
    .filter((cell) => cell.model.type === "code")
    .map((cell) => cell.model.outputs)
    .flatMap((list) => Array.from({ length: list.length }, (_, i) => list.get(i).toJSON()))
    .filter((output) => output.output_type === "error")
    .map((output) => `${output.ename}: ${output.evalue}`);
}"""


@contextmanager
def new_tab(browser: Any, **options: Any) -> Iterator[Any]:
    """An empty tab, 1280 wide and in English if `options` do not say otherwise.

    Its `outside` lists the addresses outside this computer that were asked for; the browser finds none of
    them (`ARGUMENTS` in tests/conftest.py). `errors` is what JavaScript failed with. At the end both must be
    empty.
    """
    context = browser.new_context(
        **{"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options}
    )
    tab = context.new_page()
    tab.outside, tab.errors = [], []

    def look(request: Any) -> None:
        if not request.url.startswith(LOCAL):
            tab.outside.append(request.url)

    context.on("request", look)  # a route would hold each request up, and turn the browser's memory off
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    try:
        yield tab
    finally:
        context.close()
    assert not tab.errors, tab.errors
    assert not tab.outside, tab.outside


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether the condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


def kernels(server: Server) -> int:
    """How many kernels a server runs."""
    return len(psutil.Process(server.process.pid).children())


def run_in_lab(page: Any, lab_url: str, notebook: str) -> None:
    """Open a notebook in JupyterLab and run it from top to bottom; an error in a cell fails the test."""
    page.goto(f"{lab_url}lab/tree/{notebook}?reset")
    page.wait_for_function("window.jupyterapp")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    errors = page.evaluate(RUN_ALL)
    assert not errors, errors


@contextmanager
def jupyterlab(notebooks: Path, private: Path) -> Iterator[str]:
    """A JupyterLab on a folder, with settings of its own in another; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    news = private / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    log = private / "lab.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                *("--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"),
                *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
                f"--ServerApp.root_dir={notebooks}",
            ],
            env={**os.environ, **{name: str(private / folder) for name, folder in places.items()}},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}/"

    def answers() -> bool:
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")[-2000:]
        try:
            urllib.request.urlopen(url + "api", timeout=5).close()
        except OSError:
            return False
        return True

    try:
        assert until(answers, 60), "JupyterLab does not answer"
        yield url
    finally:
        process.terminate()  # JupyterLab then stops its kernels
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
