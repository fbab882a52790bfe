"""A real browser, published pages and a JupyterLab for it to open; every address outside is blocked."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from workbench.publish.serve import Server, serving

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parents[1] / "notebooks"
ARGUMENTS = [
    "--no-sandbox",  # containers have no user namespaces
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
LOCAL = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "about:")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; without one the tests fail, they are never left out."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        names = ("chromium", "chromium-browser", "google-chrome")
        found = [os.environ.get("CHROMIUM"), *map(shutil.which, names), playwright.chromium.executable_path]
        program = next((path for path in found if path and Path(path).exists()), None)
        if program is None:
            pytest.fail("There is no Chromium for the browser tests: run `make browser`.", pytrace=False)
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """An empty tab, 1280 wide, in English. A JavaScript error, or a request to the outside, fails the test.

    `page.outside` lists the outside addresses asked for so far.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    tab = context.new_page()
    tab.outside, errors = [], []

    def block(route: Any) -> None:
        tab.outside.append(route.request.url)
        route.abort()

    context.route(lambda url: not url.startswith(LOCAL), block)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    context.close()
    assert not errors
    assert tab.outside == []


@pytest.fixture(scope="session")
def publish() -> Iterator[Callable[..., Server]]:
    """`publish(folder, env=None)` serves a folder of notebooks until the tests end."""
    with ExitStack() as servers:
        yield lambda folder, env=None: servers.enter_context(serving(folder, env=env))


def kernels(server: Server) -> int:
    """How many kernels a server runs: its child processes."""
    return len(psutil.Process(server.process.pid).children())


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether the condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


# "Run all" is dropped without a word while the kernel is not connected, hence the waits.
RUN_ALL = """async () => {
  const app = window.jupyterapp;
  await app.restored;
  const panel = app.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  await app.commands.execute("notebook:run-all-cells");
  const outputs = (model) => Array.from({ length: model.outputs.length }, (_, i) => model.outputs.get(i).toJSON());
  return panel.content.widgets
    .filter((cell) => cell.model.type === "code")
    .flatMap((cell) => outputs(cell.model))
    .filter((output) => output.output_type === "error")
    .map((output) => `${output.ename}: ${output.evalue}`);
}"""


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab on a copy of a folder of notebooks."""

    url: str

    def run(self, page: Any, notebook: str) -> None:
        """Open a notebook of the folder and run it from top to bottom; an error in a cell fails the test."""
        page.goto(f"{self.url}lab/tree/{notebook}?reset")
        page.wait_for_function("window.jupyterapp")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        assert page.evaluate(RUN_ALL) == []


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Lab]]:
    """`laboratory(folder)` starts a JupyterLab on a copy of the folder, since it saves what it runs."""
    with ExitStack() as servers:

        def start(folder: Path) -> Lab:
            private = tmp_path_factory.mktemp("lab")
            shutil.copytree(folder, private / "notebooks")
            process, url = _start_lab(private)
            servers.callback(_stop, process)
            return Lab(url)

        yield start


@pytest.fixture(scope="session")
def lab(laboratory: Callable[[Path], Lab]) -> Lab:
    """JupyterLab on the notebooks of the workbench."""
    return laboratory(NOTEBOOKS)


def _start_lab(private: Path) -> tuple[subprocess.Popen[bytes], str]:
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
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--IdentityProvider.token="),
            *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1"),
            *(f"--ServerApp.root_dir={private / 'notebooks'}", "--LabApp.expose_app_in_browser=True"),
        ],
        env={**os.environ, **{name: str(private / folder) for name, folder in places.items()}},
        stdout=log.open("wb"),
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}/"

    def answers() -> bool:
        if process.poll() is not None:
            return True
        try:
            urllib.request.urlopen(url + "api", timeout=5).close()
        except OSError:
            return False
        return True

    if not until(answers, 60) or process.poll() is not None:
        _stop(process)
        pytest.fail(log.read_text(encoding="utf-8", errors="replace")[-2000:], pytrace=False)
    return process, url


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # JupyterLab then stops its kernels
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
