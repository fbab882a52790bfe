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
from collections.abc import Sequence

AVAILABLE = sys.platform == "linux"
_STARTED = b"."
_INTERRUPT = b"i"


def plain_command(connection_file: str = "{connection_file}") -> list[str]:
    """What starts an ordinary kernel, of this Python whichever kernels a person has installed."""
    errors_only = "--IPKernelApp.log_level=40"
    return [sys.executable, "-m", "ipykernel_launcher", "-f", connection_file, errors_only]


def kernel_command(address: str) -> list[str]:
    """What starts a kernel where there is a server: the stand-in, in the barest Python there is."""
    return [sys.executable, "-I", "-S", __file__, address, "{connection_file}"]


def server_command(address: str, modules: Sequence[str]) -> list[str]:
    """What starts the server; it imports `modules` and calls each `module:function`, once for all kernels."""
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
    signal.signal(signal.SIGINT, lambda *_: connection.send(_INTERRUPT))
    while os.getppid() == parent:
        if select.select([connection], [], [], 1)[0]:
            return


def serve(address: str, modules: list[str]) -> None:
    """Import, then make a copy for everyone who connects, until the process that started this one is gone."""
    import gc
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
    for module in ("ipykernel.kernelapp", "ipykernel.zmqshell", "ipykernel.debugger", *modules):
        name, _, prepare = module.partition(":")
        loaded = importlib.import_module(name)
        if prepare:
            getattr(loaded, prepare)()
    if (reason := _unfit()) is not None:
        print(f"Kernels start plainly: {reason}.", file=sys.stderr)
        return
    # The threads Python warns of are OpenBLAS's and jemalloc's: both end and start theirs around a fork.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    gc.collect()
    gc.freeze()  # what is shared stays shared: the collector of a copy does not touch it
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended copies need no farewell
    while os.getppid() == parent:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        with connection:
            if os.fork() == 0:
                listener.close()
                _become_kernel(connection)


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

        from ipykernel.kernelapp import IPKernelApp

        app = IPKernelApp.instance()
        parent = f"--IPKernelApp.parent_handle={os.getppid()}"  # it ends when the server does
        app.initialize([*plain_command(request["file"])[3:], parent])
        _tell_widgets()
        app.start()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


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
