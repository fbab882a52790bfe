"""A PostgreSQL server, a Spark cluster and a Spark Connect server of our own, on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyspark

from tools.engines import postgres_folder

HERE = "127.0.0.1"
PATIENCE = 90.0  # seconds for a server to answer, on a busy machine
SPARK = Path(pyspark.__file__).parent
OWNER, OWNER_PASSWORD = "owner", "öwner's p@ss/word?"
READER, READER_PASSWORD = "reader", "r:3@der/ñ %41"


def free_port() -> int:
    """A port of this computer that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return int(probe.getsockname()[1])


def wait_for(done: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until `done`, while the process lives and patience lasts."""
    end = time.monotonic() + PATIENCE
    while not done():
        if process.poll() is not None or time.monotonic() > end:
            raise AssertionError(f"{process.args!r} did not start: {log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.1)


def _says(log: Path, words: str) -> bool:
    return words in log.read_text(errors="replace")


def answers(port: int) -> bool:
    """Whether somebody listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HERE, port)) == 0


@contextmanager
def running(command: list[str], log: Path, stop: int = signal.SIGTERM, **options: Any) -> Iterator[Any]:
    """A program that is ended, by its own number, when it is no longer wanted."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, **options
        )
    try:
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


# --- PostgreSQL -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Postgres:
    """A server with an owner of tables and a role that may only read them."""

    port: int
    sockets: Path
    start: Callable[[], None]
    stop: Callable[[], None]

    def address(self, user: str = READER, database: str = "shop", **options: str) -> str:
        """The address of a project's engine, without a password."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgresql://{user}@{HERE}:{self.port}/{database}" + (f"?{query}" if query else "")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A new server; as root it runs as the user `postgres` or `nobody`, since it refuses to run as root."""
    folder = postgres_folder()
    assert folder is not None, "there is no PostgreSQL server; python -m tools.engines installs it"
    home = Path(tempfile.mkdtemp(prefix="workbench-postgres-"))
    data, log, secret = home / "data", home / "log", home / "password"
    secret.write_text(OWNER_PASSWORD, encoding="utf-8")
    log.touch()
    as_user: dict[str, Any] = {"cwd": home}
    if os.geteuid() == 0:
        who = next(pwd.getpwnam(name) for name in ("postgres", "nobody") if name in _users())
        as_user |= {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        for place in (home, log, secret):
            os.chown(place, who.pw_uid, who.pw_gid)
    made = subprocess.run(
        [
            folder / "initdb",
            f"--pgdata={data}",
            f"--username={OWNER}",
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **as_user,
    )
    assert made.returncode == 0, made.stderr
    port = free_port()
    command = [str(folder / "postgres"), "-D", str(data), "-p", str(port), "-h", HERE, "-k", str(home), "-F"]
    ready = [str(folder / "pg_isready"), "-q", "-h", HERE, "-p", str(port)]
    alive: list[Any] = []

    def start() -> None:
        context = running(command, log, signal.SIGINT, **as_user)  # SIGINT: end sessions, then stop
        process = context.__enter__()
        alive.append(context)
        wait_for(lambda: subprocess.run(ready, check=False).returncode == 0, process, log)

    def stop() -> None:
        alive.pop().__exit__(None, None, None)

    start()
    try:
        yield Postgres(port, home, start, stop)
    finally:
        while alive:
            stop()
        shutil.rmtree(home)


def _users() -> set[str]:
    return {entry.pw_name for entry in pwd.getpwall()}


# --- Spark ----------------------------------------------------------------------------------------------


# Half the processor time of a Spark that lives for a minute.
QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


def _environment(home: Path, memory: str = "256m") -> Mapping[str, str]:
    return {
        **os.environ,
        "SPARK_HOME": str(SPARK),
        "SPARK_LOCAL_IP": HERE,
        "SPARK_LOCAL_DIRS": str(home),
        "SPARK_DAEMON_MEMORY": memory,
        "JAVA_TOOL_OPTIONS": QUICK_JAVA,
    }


def _spark_class(name: str, *arguments: str) -> list[str]:
    return [str(SPARK / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", "--host", HERE, *arguments]


@contextmanager
def spark_master() -> Iterator[str]:
    """The master of a standalone cluster; gives its `host:port`."""
    with _folder("spark") as home:
        port, log = free_port(), home / "log"
        command = _spark_class("master.Master", "--port", str(port), "--webui-port", "0")
        with running(command, log, env=_environment(home)) as process:
            wait_for(lambda: answers(port), process, log)
            yield f"{HERE}:{port}"


@contextmanager
def spark_workers(master: str, count: int) -> Iterator[None]:
    """Workers of one core each, started at the same time."""
    with _folder("spark") as home, ExitStack() as stack:
        started = []
        for number in range(count):
            log = home / f"log{number}"
            command = _spark_class("worker.Worker", "--cores", "1", "--memory", "1g", "--webui-port", "0")
            command += ["--work-dir", str(home), f"spark://{master}"]
            started.append((stack.enter_context(running(command, log, env=_environment(home))), log))
        for process, log in started:
            wait_for(partial(_says, log, "Successfully registered"), process, log)
        yield


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix=f"workbench-{name}-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def connect_server() -> Iterator[str]:
    """A Spark Connect server with two cores; gives its `host:port`."""
    with _folder("connect") as home:
        port, log = free_port(), home / "log"
        settings = {
            "spark.connect.grpc.binding.address": HERE,
            "spark.connect.grpc.binding.port": port,
            "spark.driver.host": HERE,
            "spark.sql.shuffle.partitions": 2,
            "spark.sql.session.timeZone": "Europe/Madrid",  # the engine has to ask for UTC
            "spark.sql.warehouse.dir": home / "warehouse",
            "spark.ui.enabled": "false",
        }
        command = [str(SPARK / "bin" / "spark-submit"), "--master", "local[2]"]
        for name, value in settings.items():
            command += ["--conf", f"{name}={value}"]
        command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
        with running(command, log, env=_environment(home, "1g"), cwd=home) as process:
            wait_for(lambda: answers(port), process, log)
            yield f"{HERE}:{port}"
