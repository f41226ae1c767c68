"""A PostgreSQL server of one's own: on loopback, in a folder of its own, run by an ordinary user.

pytest-postgresql does not serve here: it starts the server as whoever runs the tests, which PostgreSQL
refuses to root; it stops it in good order, where `kill` is a crash; and `teachbox bench trust` is no test.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

PATIENCE = 60.0  # for a busy machine


def binaries() -> Path | None:
    """The folder with initdb and postgres; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next(
        (place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None
    )


class NoServerHere(ValueError):
    """PostgreSQL is not installed; the text is a sentence."""


def need_server() -> Path:
    """The folder of its programs. Raises NoServerHere."""
    found = binaries()
    if found is None:
        raise NoServerHere(
            "a shared store needs postgresql: scripts/need-system installs it on Debian as root."
        )
    return found


class Server:
    """Started by the constructor; `kill` is a crash of the server, `start` recovers from it.

    Without `fsync` it is quicker, and a killed process still loses nothing that it has written.
    """

    def __init__(self, fsync: bool = False) -> None:
        self.bin = need_server()
        self._user = "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"
        self.folder = Path(tempfile.mkdtemp(prefix="teachbox-pg-"))
        self._data = self.folder / "data"
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.folder, self._user)
        self._fsync = "on" if fsync else "off"
        plain = ("-U", "teachbox", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self._run("initdb", "-D", self._data, *plain)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        log = (self.folder / "log").open("ab")
        options = ["-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)]
        small = ["-c", "shared_buffers=16MB", "-c", "max_connections=60", "-c", "wal_level=minimal"]
        small += ["-c", "max_wal_senders=0", "-c", f"fsync={self._fsync}"]
        self._process = subprocess.Popen(
            [self.bin / "postgres", "-D", self._data, *options, *small],
            stdout=log,
            stderr=log,
            **self._as_user(),
        )
        log.close()
        end = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                said = (self.folder / "log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"PostgreSQL does not answer: {said}")
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9 of the server and all of its processes, as if the machine had died."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # no child may come after they were counted
        while _state(self._process.pid) not in "TZX":
            time.sleep(0.001)
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        pids = [int(pid) for pid in children.read_text().split()] if children.exists() else []
        for pid in [self._process.pid, *pids]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()
        end = time.monotonic() + PATIENCE
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            if time.monotonic() > end:
                raise RuntimeError("PostgreSQL's processes do not end")
            time.sleep(0.01)

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"study_{uuid4().hex[:8]}"
        self.sql("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://teachbox@127.0.0.1:{self.port}/{name}"

    def sql(self, database: str, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the server's own user."""
        import psycopg

        where = f"postgresql://teachbox@127.0.0.1:{self.port}/{database}"
        with psycopg.connect(where, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        import psycopg

        try:
            self.sql("postgres", "SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [self.bin / program, *map(str, arguments)], capture_output=True, text=True, **self._as_user()
        )
        if done.returncode:
            raise RuntimeError(done.stderr)

    def _as_user(self) -> dict[str, Any]:
        own: dict[str, Any] = {"cwd": self.folder, "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}}
        return (
            {**own, "user": self._user, "group": pwd.getpwnam(self._user).pw_gid} if os.getuid() == 0 else own
        )


def _state(pid: int) -> str:
    """The letter by which Linux tells what a process is doing (T: stopped, Z: ended)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "T"  # gone, or a system that does not tell
