"""A PostgreSQL server of its own: in a temporary folder, on a free port of 127.0.0.1, stopped with the test."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg

from settings.keeping import Postgresql

PASSWORD = "PASSWORD-OF-POSTGRESQL"
"""Of the user `hotline`, and of the superuser."""

_WAIT_S = 60.0


def programs() -> Path | None:
    """The folder with the server's programs: Debian and Ubuntu keep them out of the path, by version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return None if on_path is None else Path(on_path).parent


class PostgresServer:
    """Its data folder, and whatever process serves it now. Use `running()`."""

    def __init__(self, folder: Path, *, shared_buffers: str = "16MB") -> None:
        """shared_buffers: the memory in which it keeps pages, as PostgreSQL writes it."""
        found = programs()
        assert found is not None, "PostgreSQL's server is missing: run 'make setup'"
        self._folder = folder
        self._bin = found
        self._shared_buffers = shared_buffers
        # The server refuses to run as root: then it runs as the user whom its package made.
        self._as: dict[str, Any] = (
            {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
        )
        self._databases = 0
        self._child: subprocess.Popen[bytes] | None = None
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def make(self) -> None:
        if self._as:
            shutil.chown(self._folder, "postgres", "postgres")
        password = self._folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        password.chmod(0o644)
        options = ("--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8", "--locale=C", "--no-sync")
        data = self._folder / "data"
        done = self._run([self._bin / "initdb", "--pgdata", data, "--username=super", *options])
        assert done.returncode == 0, done.stderr.decode()
        key, named = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"), ("-subj", "/CN=test", "-addext")
        made = ("-keyout", data / "server.key", "-out", self.certificate, "-days", "2", "-nodes")
        done = self._run(["openssl", "req", "-x509", "-newkey", *key, *made, *named, "subjectAltName=IP:127.0.0.1"])
        assert done.returncode == 0, done.stderr.decode()

    @property
    def certificate(self) -> Path:
        """What the server shows; nobody trusts it by itself."""
        return self._folder / "data" / "server.crt"

    def start(self) -> None:
        """Starts it and waits until it answers; what an earlier one left behind may take a moment to end."""
        for _ in range(int(_WAIT_S / 0.05)):
            if self._child is None or self._child.poll() is not None:
                self._child = self._begin()
            ready = self._run([self._bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)])
            if ready.returncode == 0:
                return
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(0.05)
        raise AssertionError((self._folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:])

    def kill(self) -> None:
        """As when its machine dies: every process of it, at once."""
        self._signal(signal.SIGKILL)
        if self._child is not None:
            self._child.wait(_WAIT_S)

    def hang(self) -> None:
        """It takes connections and answers nothing, until `go_on`."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self.go_on()
            self._child.send_signal(signal.SIGQUIT)  # At once, without writing everything down: that may take a while.
            try:
                self._child.wait(_WAIT_S)
            except subprocess.TimeoutExpired:
                self.kill()

    async def database(self) -> Postgresql:
        """A new database that belongs to the user `hotline`."""
        self._databases += 1
        name = f"hotline_{self._databases}"
        connection = await self.superuser()
        try:
            if not await connection.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = 'hotline'"):
                await connection.execute(f"CREATE ROLE hotline LOGIN PASSWORD '{PASSWORD}'")
            await connection.execute(f"CREATE DATABASE {name} OWNER hotline")
        finally:
            await connection.close()
        return Postgresql(port=self.port, database=name)

    async def superuser(self, database: str = "postgres") -> asyncpg.Connection:
        """A connection that may do everything."""
        return await asyncpg.connect(
            host="127.0.0.1", port=self.port, user="super", password=PASSWORD, database=database, timeout=_WAIT_S
        )

    def _begin(self) -> "subprocess.Popen[bytes]":
        wanted = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "shared_buffers": self._shared_buffers,
            "ssl": "on",
            "fsync": "on",
        }
        options = [part for name, value in wanted.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [self._bin / "postgres", "-D", self._folder / "data", "-p", str(self.port), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=_ENVIRONMENT, **self._as,
            )  # fmt: skip

    def _run(self, command: list[Path | str]) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            command, capture_output=True, check=False, timeout=_WAIT_S, cwd="/", env=_ENVIRONMENT, **self._as
        )

    def _signal(self, which: signal.Signals) -> None:
        if self._child is None or self._child.poll() is not None:
            return
        pid = self._child.pid
        with suppress(FileNotFoundError, ProcessLookupError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
            self._child.send_signal(which)  # First: it must start no further ones.
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(int(child), which)


_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}


@contextmanager
def running(*, shared_buffers: str = "16MB") -> Iterator[PostgresServer]:
    """A server until the end of the block."""
    # Not below pytest's folder, into which only its owner can look.
    with tempfile.TemporaryDirectory(prefix="hotline-postgres.", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder), shared_buffers=shared_buffers)
        server.make()
        try:
            server.start()
            yield server
        finally:
            server.stop()
