"""Kernels copied from one process are kernels of their own: numbers, environment, interrupt, end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.kernelspec import KernelSpecManager

from workbench.publish import forkserver

pytestmark = pytest.mark.skipif(not forkserver.AVAILABLE, reason="processes are copied on Linux only")

Kernel = tuple[KernelManager, BlockingKernelClient]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = str(tmp_path_factory.mktemp("kernels") / "socket")
    process = subprocess.Popen(forkserver.server_command(path, ["numpy", "colorsys"]))
    while not Path(path).exists():
        time.sleep(0.01)
    yield path
    process.terminate()
    process.wait(10)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Kernel]]:
    """`start(address, **environment)` starts a kernel the way Jupyter does."""
    with ExitStack() as ends:

        def start(address: str, **environment: str) -> Kernel:
            folder = tmp_path / "python3"
            folder.mkdir(exist_ok=True)
            spec = {"argv": forkserver.kernel_command(address), "display_name": "x", "language": "python"}
            (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
            manager = KernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(tmp_path)]))
            manager.start_kernel(cwd=str(tmp_path), env={**os.environ, **environment})
            ends.callback(manager.shutdown_kernel, now=True)
            client = manager.blocking_client()
            client.start_channels()
            ends.callback(client.stop_channels)
            client.wait_for_ready(timeout=60)
            return manager, client

        yield start


def value(kernel: Kernel, expression: str) -> str:
    """The text of an expression's value in a kernel, or the name of the error it raises."""
    reply = kernel[1].execute("", user_expressions={"it": expression}, reply=True, timeout=60)
    answer = reply["content"]["user_expressions"]["it"]
    return answer["data"]["text/plain"] if answer["status"] == "ok" else answer["ename"]


def gone(process: psutil.Process) -> bool:
    """Whether the process ends within some seconds."""
    end = time.monotonic() + 10
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < end:
        time.sleep(0.05)
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_kernel_begins_with_what_the_server_has_imported(
    address: str, start: Callable[..., Kernel]
) -> None:
    kernel = start(address)
    assert value(kernel, "'colorsys' in __import__('sys').modules") == "True"


def test_a_kernel_has_the_place_and_the_environment_it_was_asked_with(
    address: str, start: Callable[..., Kernel], tmp_path: Path
) -> None:
    kernel = start(address, SHOP="corner-shop")
    assert value(kernel, "__import__('os').getcwd()") == repr(str(tmp_path))
    assert value(kernel, "__import__('os').environ['SHOP']") == "'corner-shop'"


def test_two_readers_do_not_share_their_random_numbers(address: str, start: Callable[..., Kernel]) -> None:
    one, two = start(address), start(address)
    for draw in ("__import__('random').random()", "float(__import__('numpy').random.random())"):
        assert value(one, draw) != value(two, draw)


def test_an_endless_computation_can_be_interrupted(address: str, start: Callable[..., Kernel]) -> None:
    manager, client = start(address)
    client.execute("running = True\nprint('begun')\nwhile True:\n    pass", stop_on_error=False)
    while client.get_iopub_msg(timeout=20)["msg_type"] != "stream":
        pass
    manager.interrupt_kernel()
    assert client.get_shell_msg(timeout=20)["content"]["ename"] == "KeyboardInterrupt"
    assert value((manager, client), "running") == "True"


def test_a_kernel_that_jupyter_kills_is_gone_with_what_it_started(
    address: str, start: Callable[..., Kernel]
) -> None:
    kernel = start(address)
    copy = psutil.Process(int(value(kernel, "__import__('os').getpid()")))
    child = int(value(kernel, "__import__('subprocess').Popen(['sleep', '600']).pid"))
    sleeper = psutil.Process(child)
    kernel[0].shutdown_kernel(now=True)
    assert gone(copy)
    assert gone(sleeper)


def test_jupyter_sees_a_kernel_that_dies(address: str, start: Callable[..., Kernel]) -> None:
    manager, client = start(address)
    assert manager.is_alive()
    client.execute("__import__('os')._exit(1)")
    end = time.monotonic() + 10
    while manager.is_alive() and time.monotonic() < end:
        time.sleep(0.05)
    assert not manager.is_alive()


def test_an_interrupt_that_comes_too_late_is_no_error(
    address: str, start: Callable[..., Kernel], capfd: pytest.CaptureFixture[str]
) -> None:
    kernel = start(address)
    copy = psutil.Process(int(value(kernel, "__import__('os').getpid()")))
    stand_in = psutil.Process(kernel[0].provisioner.pid)
    stand_in.suspend()
    copy.kill()
    assert gone(copy)
    kernel[0].interrupt_kernel()
    stand_in.resume()
    assert gone(stand_in)
    assert capfd.readouterr().err == ""


def test_without_the_server_the_kernel_is_a_plain_one(start: Callable[..., Kernel], tmp_path: Path) -> None:
    kernel = start(str(tmp_path / "nobody"))
    assert value(kernel, "__import__('sys').executable") == repr(sys.executable)
    assert value(kernel, "'colorsys' in __import__('sys').modules") == "False"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import ipywidgets\nipywidgets.Layout()", "widget"),
        (
            "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
            "thread",
        ),
    ],
)
def test_what_a_copy_would_lack_is_not_copied(
    start: Callable[..., Kernel], tmp_path: Path, code: str, reason: str
) -> None:
    (tmp_path / "unfit.py").write_text(code, encoding="utf-8")
    path = str(tmp_path / "socket")
    server = subprocess.run(
        forkserver.server_command(path, ["unfit"]),
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    assert reason in server.stderr
    assert value(start(path), "1 + 1") == "2"


def test_what_copies_need_is_made_ready_before_each_and_again_when_it_changes(
    start: Callable[..., Kernel], tmp_path: Path
) -> None:
    wanted = tmp_path / "wanted"
    (tmp_path / "shelf.py").write_text(
        "from pathlib import Path\nmade = []\n"
        "def stock():\n"
        f"    wanted = Path({str(wanted)!r}).read_text().split()\n"
        "    if wanted == made:\n        return False\n"
        "    made[:] = wanted\n    return True\n"
        "def broken():\n    raise ValueError\n",
        encoding="utf-8",
    )
    wanted.write_text("apples", encoding="utf-8")
    path = str(tmp_path / "socket")
    command = forkserver.server_command(path, ["shelf:broken", "shelf:stock"])
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    assert server.stderr is not None
    try:
        while not Path(path).exists():
            time.sleep(0.01)
        made = "__import__('sys').modules['shelf'].made"
        assert value(start(path), made) == "['apples']"
        wanted.write_text("apples pears", encoding="utf-8")
        assert value(start(path), made) == "['apples', 'pears']"
    finally:
        server.terminate()
    assert server.stderr.read().count(b"Traceback") == 1
