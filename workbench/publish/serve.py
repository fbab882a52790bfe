"""Hand the pages of a folder out: one Voilà server, on this computer only, with its own settings.

Other computers reach it through a proxy on this one, which brings TLS with it; `Entry` says at which address.
The server (`server.py`) runs in a process of its own. Settings, kernels and connection files of the person's
own Jupyter play no part: everything it reads is in this package (`jupyter/`) or in a private folder that
lives as long as the server.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from workbench.charts.picture import BROUGHT
from workbench.errors import WorkbenchError
from workbench.publish import forkserver

HOST = "127.0.0.1"
_JUPYTER = Path(__file__).parent / "jupyter"
ANALYST = "WORKBENCH_ANALYST"
PRELOAD = (  # what every page imports, and what its first chart waits for
    "pandas",
    "workbench.publish.page",
    "workbench.publish.guard",
    "workbench.publish.warm:pages",
)
_START = 60.0  # seconds a server may take to answer
_STOP = 20.0  # seconds it may take to stop its kernels


@dataclass(frozen=True)
class Entry:
    """Who comes in, and by which address.

    Attributes:
        address: Where readers find the pages: a path on this computer, such as `/pages/`, or the address at
            which a proxy hands them on, such as `https://pages.example.org/`; ends in a slash.
        published: The folder of publications; none are handed out without.
        links: The project's folder with its links; pages are open to whoever reaches this computer without.
        analyst: A token that opens everything where links are asked for; nobody has it if it is empty.
    """

    address: str = "/"
    published: Path | None = None
    links: Path | None = None
    analyst: str = ""

    def __post_init__(self) -> None:
        address = urlsplit(self.address)
        whole = (address.scheme in ("http", "https") and address.hostname) or not (
            address.scheme or address.netloc
        )
        if not whole or not address.path.startswith("/") or not address.path.endswith("/") or address.query:
            raise WorkbenchError(
                "“{address}” is no address for pages: write a path such as /pages/, or all of it such as"
                " https://pages.example.org/, with a slash at its end.",
                address=self.address,
            )

    @property
    def path(self) -> str:
        """The part of the address after the host."""
        return urlsplit(self.address).path

    def options(self) -> list[str]:
        """What the server is told."""
        address = urlsplit(self.address)
        return [
            f"--Voila.base_url={self.path}",
            f"--PageServer.https={address.scheme == 'https'}",
            *([f"--PageServer.hosts={address.hostname}"] if address.hostname else []),
            *([f"--PageServer.published={self.published.resolve()}"] if self.published else []),
            *([f"--PageServer.links={self.links.resolve()}"] if self.links else []),
            f"--PageServer.needs_links={self.links is not None}",
        ]


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: Where its first page is, ending in a slash.
        process: The process; its children are the kernels, one for each open page.
        log: What it has written: errors of pages, with their tracebacks.
    """

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def serving(
    site: Path,
    port: int = 0,
    env: Mapping[str, str] | None = None,
    *,
    entry: Entry = Entry(),
    aloud: bool = False,
) -> Iterator[Server]:
    """Serve the notebooks of a folder while the block runs.

    Args:
        site: A folder of notebooks; `index.ipynb` is the first page.
        port: Where to listen; 0 takes any free port.
        env: Further environment variables for the pages.
        entry: Who comes in.
        aloud: Errors of pages go to this process's standard error, not to the log.

    Raises:
        WorkbenchError: There is no such folder, the port is in use, or the server does not start.
    """
    if not site.is_dir():
        raise WorkbenchError("There is no folder {folder}; publish something first.", folder=site)
    port = free_port(port)
    with ExitStack() as ends:
        folder = tempfile.TemporaryDirectory(prefix="workbench-", ignore_cleanup_errors=True)
        private = Path(ends.enter_context(folder))
        log = private / "server.log"
        log.touch()
        out = None if aloud else ends.enter_context(log.open("ab"))
        environment = {**_environment(private), **(env or {})}

        def start(command: list[str], **more: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                command,
                cwd=private,
                env={**environment, **more},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl+C reaches us alone; we stop it in order
            )
            ends.callback(_stop, process)
            return process

        address = str(private / "kernels")
        if forkserver.AVAILABLE:
            start(forkserver.server_command(address, PRELOAD))
        _write_kernel(private, address)
        command = [*_server_command(site, port, private), *entry.options()]
        process = start(
            command, **{ANALYST: entry.analyst}
        )  # not among the options, which everybody can list
        server = Server(f"http://{HOST}:{port}{entry.path}", process, log)
        _wait(server)
        yield server


def serve(
    site: Path,
    *,
    port: int = 8866,
    open_browser: bool = False,
    env: Mapping[str, str] | None = None,
    entry: Entry = Entry(),
    ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve the notebooks of a folder until the process is interrupted or told to end.

    Args:
        site: A folder of notebooks; `index.ipynb` is the first page.
        port: Where to listen.
        open_browser: Open the first page once it is there.
        env: Further environment variables for the pages.
        entry: Who comes in.
        ready: Called with the address once the server answers.

    Raises:
        WorkbenchError: There is no such folder, the port is in use, or the server stops by itself.
    """

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        with serving(site, port, env, entry=entry, aloud=True) as server:
            ready(server.url)
            if open_browser:
                webbrowser.open(server.url)
            server.process.wait()
            raise _stopped(server)
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)


def free_port(port: int) -> int:
    with socket.socket() as probe:
        if os.name == "posix":  # a port that was closed a moment ago counts as free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise WorkbenchError(
                "Port {port} is in use on this computer; stop what uses it or choose another with --port.",
                port=port,
            ) from error
        return int(probe.getsockname()[1])


def _environment(private: Path) -> dict[str, str]:
    """The server's environment: our template and kernel come first, the person's settings do not come."""
    paths = [str(private / "data"), str(_JUPYTER), os.environ.get("JUPYTER_PATH", "")]
    return {
        **os.environ,
        "JUPYTER_PATH": os.pathsep.join(filter(None, paths)),
        "JUPYTER_CONFIG_DIR": str(private / "config"),
        "JUPYTER_DATA_DIR": str(private / "data"),
        "JUPYTER_RUNTIME_DIR": str(private / "runtime"),
        "IPYTHONDIR": str(private / "ipython"),
        BROUGHT: "yes",
    }


def _write_kernel(private: Path, address: str) -> None:
    """The one kernel that pages run in: this Python, whichever others the person has installed."""
    command = forkserver.kernel_command(address) if forkserver.AVAILABLE else forkserver.plain_command()
    folder = private / "data" / "kernels" / "python3"
    folder.mkdir(parents=True)
    spec = {"argv": command, "display_name": "Python", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def _server_command(site: Path, port: int, private: Path) -> list[str]:
    return [
        sys.executable,
        *("-c", "from workbench.publish.server import main; main()", str(site.resolve())),
        f"--Voila.port={port}",
        f"--Voila.config_file_paths={_JUPYTER}",
        f"--Voila.connection_dir_root={private}",
    ]


def _wait(server: Server) -> None:
    end = time.monotonic() + _START
    while time.monotonic() < end:
        if server.process.poll() is not None:
            raise _stopped(server)
        try:
            urllib.request.urlopen(server.url + "voila/static/voila.js", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise WorkbenchError("The page server did not answer within {seconds:count} seconds.", seconds=_START)


def _stopped(server: Server) -> WorkbenchError:
    said = server.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return WorkbenchError(
        "The page server stopped by itself (exit code {code}). {reason}",
        code=server.process.returncode,
        reason=said[-1] if said else "",
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # Voilà then stops its kernels
    try:
        process.wait(_STOP)
    except subprocess.TimeoutExpired:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
