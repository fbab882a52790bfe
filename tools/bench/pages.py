"""`make bench-pages`: how soon readers can read and use a page, beside stock Voilà on the same machine.

    still        the still page: until its text is painted and its chart is there (Chromium), until it is
                 sent (HTTP)
    live         the live page: until its text is painted and its chart is there (Chromium, one reader), until
                 every cell is there and all widgets have told their state (HTTP and websocket, all at once)
    click        from setting a control to its answer, with all pages open
    memory       of the server and everything it started, shared memory counted once (PSS)

Stock Voilà serves a notebook that reads the same records and shows them with the same view, with its own
template and a plain kernel a reader.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no types
import websocket

from tools.bench.page_readers import LiveReader, browser, fetch
from workbench import Project
from workbench.demo import EXPERIMENT, SELF_SELECTED, load_sample
from workbench.publish.site import serving_project
from workbench.records import AnyRecord

_REPEATS = 3
_CLICKS = 5  # of each reader, while all pages are open
_SOAKING = 20  # readers at once
_VANISH = 0.2  # of those who leave, how many do so without a word
_CULLED = 240.0  # seconds after which the kernels of those have to be gone
_DRAWN = ".wb-chart svg, .wb-place svg"

_STOCK = """
from pathlib import Path
from IPython.display import display
from workbench.locale import Texts
from workbench.publish import bundle
from workbench.publish.page import record_view
page, records = bundle.read(Path({published!r}), {slug!r})
t = Texts("en", page.project.currency)
display(*[record_view(record, t) for record in records])
"""


@dataclass(frozen=True)
class Figures:
    """What a burst took: seconds of each reader until the page was there, and of each answer; megabytes.

    Whoever never got the page waited infinitely long.
    """

    readers: int
    opened: list[float]
    clicks: list[float]
    memory_mb: float


def bench_pages(readers: Sequence[int], stock: bool) -> None:
    """Still and live pages for so many readers at once, beside stock Voilà if wanted."""
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as folder, browser() as chromium:
        project, slug = _publication(Path(folder))
        with serving_project(project) as server:
            page = f"{server.url}p/{slug}/"
            LiveReader(page + "live").close()  # the first waits until the imports are done
            still = [chromium.until(page, _DRAWN) for _ in range(_REPEATS)]
            _say("still page, Chromium: text, chart", *zip(*still, strict=True))
            live = [chromium.until(page + "live", _DRAWN) for _ in range(_REPEATS)]
            _say("live page, Chromium: text, chart", *zip(*live, strict=True))
            sent = {number: _at_once(number, lambda: fetch(page)) for number in readers}
            for number, seconds in sent.items():
                _say(f"still page, {number} readers at once", seconds)
            ours = []
            for number in readers:
                ours.append(_burst(page + "live", number))
                _say_burst("live page", ours[-1])
        _judge(still, live, sent, ours)
        if stock:
            with _stock_voila(Path(folder), project, slug) as url:
                opened = [chromium.until(url, _DRAWN) for _ in range(_REPEATS)]
                _say("stock Voilà, Chromium: text, chart", *zip(*opened, strict=True))
            for number in readers:  # a server each, since the kernels of closed pages stay
                with _stock_voila(Path(folder), project, slug) as url:
                    _say_burst("stock Voilà", _burst(url, number))


def soak(minutes: float) -> None:
    """Readers who come and go: errors, memory every half minute, and the kernels that are left afterwards."""
    errors: list[str] = []
    visits = 0
    end = 0.0

    def read(page: str) -> None:
        nonlocal visits
        while time.monotonic() < end:
            try:
                fetch(page)
                someone = LiveReader(page + "live")
                for _ in range(random.randrange(4)):
                    someone.set_control()
                    time.sleep(random.random())
                (someone.vanish if random.random() < _VANISH else someone.close)()
                visits += 1
            except Exception as error:  # whatever goes wrong for a reader is what is counted here
                errors.append(f"{type(error).__name__}: {error}"[:200])
            time.sleep(2 * random.random())

    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as folder:
        project, slug = _publication(Path(folder))
        with serving_project(project) as server, ThreadPoolExecutor(_SOAKING) as pool:
            page = f"{server.url}p/{slug}/"
            LiveReader(page + "live").close()
            before = _memory()
            end = time.monotonic() + 60 * minutes
            done = [pool.submit(read, page) for _ in range(_SOAKING)]
            while not all(one.done() for one in done):
                time.sleep(min(30.0, max(1.0, end - time.monotonic())))
                memory = _memory()
                now = f"  {visits:>5} visits, {_kernels(server.process.pid):>3} kernels, {memory:5.0f} MB"
                print(now, flush=True)
            limit = time.monotonic() + _CULLED
            while _kernels(server.process.pid) and time.monotonic() < limit:
                time.sleep(1)
            left, rest = _kernels(server.process.pid), _memory()
            said = server.log.read_text(encoding="utf-8", errors="replace")
    print(f"soak of {minutes:g} minutes, {_SOAKING} readers: {visits} visits, {len(errors)} errors")
    for one in errors[:5]:
        print("  " + one)
    print(f"  kernels left: {left}; memory before the readers {before:.0f} MB, after them {rest:.0f} MB")
    kinds = Counter(
        re.findall(r"^(?:\x1b\[\d+m)?([\w.]*(?:Error|Exception)\b[^\n]{,80})", said, re.MULTILINE)
    )
    print(f"  in the server's log: {len(said.splitlines())} lines; {dict(kinds.most_common(5))}")


def _publication(folder: Path) -> tuple[Project, str]:
    """The sample shop and the slug of a page of an effect and of an association, which has controls."""
    os.environ.setdefault("WORKBENCH_KEYS", str(folder / "keys"))
    project = Project.create(folder / "shop")
    load_sample(project)
    records: list[AnyRecord] = [
        project.effect(EXPERIMENT, "conversion", by="device"),
        project.not_random(SELF_SELECTED),
    ]
    return project, project.publish(records, "Bench").slug


@contextmanager
def _stock_voila(folder: Path, project: Project, slug: str) -> Iterator[str]:
    """The same results on Voilà as it comes: yields the page's address."""
    code = _STOCK.format(published=str(project.path / "published"), slug=slug)
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    cell: dict[str, object] = {
        "cell_type": "code",
        "id": "a",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": code,
    }
    notebook = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    file = folder / "stock.ipynb"
    file.write_text(json.dumps(notebook), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    env = {**os.environ, **{name: str(folder / "stock" / name) for name in places}}
    command = [
        sys.executable,
        "-m",
        "voila",
        str(file),
        "--no-browser",
        f"--port={port}",
        "--Voila.ip=127.0.0.1",
    ]
    with (folder / "stock.log").open("wb") as log:
        process = subprocess.Popen([*command, "--Voila.port_retries=0"], env=env, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}/"
    try:
        end = time.monotonic() + 120
        while True:
            try:
                fetch(url + "voila/static/voila.js")
                break
            except (OSError, RuntimeError):
                if process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.1)
        yield url
    finally:
        everything = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        process.terminate()  # it then stops its kernels, most of them
        psutil.wait_procs(everything, timeout=60)
        for one in everything:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()


def _at_once(number: int, task: Callable[[], float]) -> list[float]:
    """What `number` readers who come at once get from `task`."""
    with ThreadPoolExecutor(number) as pool:
        return [one.result() for one in [pool.submit(task) for _ in range(number)]]


def _burst(url: str, number: int) -> Figures:
    """Readers who open a live page at once, and use it while all others have it open."""
    someones: list[LiveReader] = []

    def come() -> float:
        begin = time.perf_counter()
        try:
            someones.append(LiveReader(url))
        except (OSError, RuntimeError, websocket.WebSocketException) as error:
            print(f"  a reader went away without the page: {error}", flush=True)
            return math.inf
        return time.perf_counter() - begin

    before = _memory()
    opened = _at_once(number, come)
    memory = _memory() - before
    clicks = [someone.set_control() for _ in range(_CLICKS) for someone in someones]
    for someone in someones:
        someone.close()
    return Figures(number, opened, clicks, memory)


def _memory() -> float:
    """Megabytes of all processes that were started here; what they share counts once."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            used = process.memory_full_info()
            total += getattr(used, "pss", used.uss)
        except psutil.Error:
            continue  # it has ended meanwhile
    return total / 1e6


def _kernels(server: int) -> int:
    return len(psutil.Process(server).children())


def _judge(
    still: list[list[float]], live: list[list[float]], sent: dict[int, list[float]], ours: list[Figures]
) -> None:
    """The goals of published pages, and whether they were met."""
    of = {figures.readers: figures for figures in ours}
    most = of.get(50)
    print("goals:")
    _goal("still page for one, readable, Chromium", statistics.median(one[0] for one in still), 0.5, "s")
    _goal("still page for 50, 95th percentile", _percentile(sent[50]) if 50 in sent else None, 1, "s")
    _goal("live page for one, chart, Chromium", statistics.median(one[1] for one in live), 2, "s")
    _goal("live page for 50, the last", max(most.opened) if most else None, 10, "s")
    _goal("memory of 50 live pages", most.memory_mb if most else None, 2000, "MB")
    _goal("setting a control, 50 open", statistics.median(most.clicks) if most else None, 0.15, "s")


def _goal(name: str, value: float | None, most: float, unit: str) -> None:
    if value is None:
        print(f"  not run  {name}: goal < {most:g} {unit}")
    else:
        verdict = "met" if value < most else "MISSED"
        print(f"  {verdict:<7}  {name}: {value:.3g} {unit}, goal < {most:g} {unit}")


def _percentile(seconds: list[float]) -> float:
    return sorted(seconds)[max(0, round(0.95 * len(seconds)) - 1)]


def _say(name: str, *figures: Sequence[float]) -> None:
    """The median of each series, with its range."""
    parts = [f"{statistics.median(one):.2f} s ({min(one):.2f} to {max(one):.2f})" for one in figures]
    print(f"{name:<42} {', '.join(parts)}", flush=True)


def _say_burst(name: str, figures: Figures) -> None:
    _say(f"{name}, {figures.readers} readers at once", figures.opened)
    median = 1000 * statistics.median(figures.clicks)
    slow = 1000 * _percentile(figures.clicks)
    print(
        f"{'':<42} {figures.memory_mb:.0f} MB, a control answers in {median:.0f} ms (95 %: {slow:.0f})",
        flush=True,
    )
