"""Kernels that start at once: one process imports what pages need and is copied for each reader.

Three processes take part. The *server* imports, then waits at a socket file. For each kernel Jupyter starts
a *stand-in*, this file run on its own, which asks the server for a copy of itself and lives exactly as long
as that copy. The *copy* is an ordinary kernel. If the server is not there the stand-in becomes a plain
kernel, only slower.

Between stand-in and copy there is one connection: its end is the end of both, and a byte sent along it
interrupts the kernel. Linux only: elsewhere a process that has loaded system libraries cannot be copied
safely.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

AVAILABLE = sys.platform == "linux"
_KERNEL = (  # what every kernel imports, some of it only once it has begun
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "tornado.platform.asyncio",
    "psutil",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
)
_STARTED = b"."
_INTERRUPT = b"i"


def plain_command(connection_file: str = "{connection_file}") -> list[str]:
    """What starts an ordinary kernel, of this Python whichever kernels a person has installed."""
    # errors only, and no history: nobody types here
    options = ("--IPKernelApp.log_level=40", "--HistoryManager.enabled=False")
    return [sys.executable, "-m", "ipykernel_launcher", "-f", connection_file, *options]


def kernel_command(address: str) -> list[str]:
    """What starts a kernel where there is a server: the stand-in, in the barest Python there is."""
    return [sys.executable, "-I", "-S", __file__, address, "{connection_file}"]


def server_command(address: str, modules: Sequence[str]) -> list[str]:
    """What starts the server; it imports `modules`, once for all kernels.

    A `module:function` is called as well, and again when time has passed: it makes ready what copies need,
    and returns whether there was anything to do.
    """
    return [sys.executable, "-m", "workbench.publish.forkserver", address, "--serve", *modules]


def stand_in(address: str, connection_file: str) -> None:
    """Be the kernel for Jupyter: start its copy, pass interrupts on, end when it ends."""
    parent = os.getppid()
    connection = socket.socket(socket.AF_UNIX)
    request = json.dumps({"file": connection_file, "cwd": os.getcwd(), "env": dict(os.environ)})
    try:
        connection.connect(address)
        connection.sendall(request.encode() + b"\n")
        started = connection.recv(1) == _STARTED
    except OSError:
        started = False
    if not started:
        os.execv(sys.executable, plain_command(connection_file))

    def interrupt(*_: object) -> None:
        with suppress(OSError):  # the copy has ended meanwhile, and so will this
            connection.send(_INTERRUPT)

    signal.signal(signal.SIGINT, interrupt)
    while os.getppid() == parent:
        if select.select([connection], [], [], 1)[0]:
            return


def serve(address: str, modules: list[str]) -> None:
    """Import, then make a copy for everyone who connects, until the process that started this one is gone."""
    import importlib
    import warnings

    parent = os.getppid()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    os.chmod(address, 0o600)
    listener.listen(128)  # whoever comes before the imports are done waits here
    listener.settimeout(1)
    # Nobody debugs a page. ipykernel would import the debugger anew in each copy, 130 modules and 8 MB.
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # how Python notes that there is none
    prepares = []
    for module in (*_KERNEL, *modules):
        name, _, prepare = module.partition(":")
        loaded = importlib.import_module(name)
        if prepare:
            prepares.append(getattr(loaded, prepare))
    # The threads Python warns of are OpenBLAS's and jemalloc's: both end and start theirs around a fork.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended copies need no farewell
    _make_ready(prepares)
    _freeze()
    while os.getppid() == parent:
        try:
            connection = listener.accept()[0]
        except TimeoutError:
            connection = None
        if _make_ready(prepares):
            _freeze()
        if (reason := _unfit()) is not None:
            print(f"Kernels start plainly: {reason}.", file=sys.stderr)
            return
        if connection is None:
            continue
        with connection:
            if os.fork() == 0:
                listener.close()
                _become_kernel(connection)


def _freeze() -> None:
    """What is shared stays shared: the collector of a copy does not touch it."""
    import gc

    gc.collect()
    gc.freeze()


def _make_ready(prepares: list[Callable[[], bool]]) -> bool:
    """Whether there was anything to do; what fails is said once, and copies do without."""
    import traceback

    new = False
    for prepare in list(prepares):
        try:
            new = prepare() or new
        except Exception:
            traceback.print_exc()
            prepares.remove(prepare)
            new = True
    return new


def _unfit() -> str | None:
    """Why this process must not be copied, after its imports; None if it may be."""
    import threading

    if threading.active_count() > 1:
        return "an imported module has started a thread, which a copy would lack"
    widgets = sys.modules.get("ipywidgets")
    if widgets and widgets.Widget.get_manager_state()["state"]:
        return "an imported module has made a widget, which no page of a copy would know"
    return None


def _become_kernel(connection: socket.socket) -> None:
    """The life of a copy; it never returns."""
    import random
    import threading
    import traceback

    try:
        connection.settimeout(None)
        request = json.loads(connection.makefile().readline())
        os.setsid()
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        random.seed()  # or all readers would share one stream of random numbers
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed()
        connection.sendall(_STARTED)
        threading.Thread(target=_follow, args=(connection,), daemon=True).start()

        from ipykernel import ipkernel
        from ipykernel.kernelapp import IPKernelApp

        app = IPKernelApp.instance()
        parent = f"--IPKernelApp.parent_handle={os.getppid()}"  # it ends when the server does
        ipkernel.sys = _Bare()
        app.initialize([*plain_command(request["file"])[3:], parent])
        ipkernel.sys = sys
        _tell_widgets()
        app.start()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


class _Bare:
    """`sys` without its modules, while a kernel begins.

    It looks at the file of each for the debugger that it does not have; having been looked at, 12 MB of them
    are no longer shared.
    """

    def __init__(self) -> None:
        self.modules: dict[str, object] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(sys, name)


def _tell_widgets() -> None:
    """Let a page ask for the state of all widgets at once.

    ipywidgets does that when it is imported in a kernel; here it was imported before there was one. Without
    it a page asks for each widget by itself. That pages make widgets in the kernel, which ipywidgets allows
    as well, no page of ours needs.
    """
    if widgets := sys.modules.get("ipywidgets"):
        import comm

        manager = comm.get_comm_manager()
        manager.register_target("jupyter.widget.control", widgets.Widget.handle_control_comm_opened)


def _follow(connection: socket.socket) -> None:
    """Do what the stand-in says; without it, end, and take along what this kernel has started."""
    while connection.recv(1) == _INTERRUPT:
        os.kill(os.getpid(), signal.SIGINT)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    if sys.argv[2:3] == ["--serve"]:
        serve(sys.argv[1], sys.argv[3:])
    else:
        stand_in(sys.argv[1], sys.argv[2])
