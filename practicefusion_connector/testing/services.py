"""Private PostgreSQL and Redis servers for tests and benchmarks, started from installed binaries.

Each listens on a Unix socket in a temporary folder, keeps nothing, and ends with its context.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class MissingService(Exception):
    """A server's binary is not installed; the message names it."""


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL server and give the SQLAlchemy URL of its database."""
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    # The name on the PATH may be a link; the other programs lie beside the real one.
    binaries = Path(_binary("postgres", "postgresql", *newest_first)).resolve().parent
    with _private_folder("postgres", "nobody") as (folder, account):
        data = folder / "data"
        initdb: list[Any] = [binaries / "initdb", "-D", data, "-U", "tests", "-A", "trust"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **account)
        options = ["-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        command = [binaries / "postgres", "-D", data, *options]
        with _running(command, [binaries / "pg_isready", "-h", folder], folder, account):
            yield f"postgresql+psycopg://tests@/postgres?host={folder}"


@contextmanager
def redis() -> Iterator[str]:
    """Run a Redis server and give its URL."""
    server, client = _binary("redis-server", "redis"), _binary("redis-cli", "redis")
    with _private_folder("redis", "nobody") as (folder, account):
        socket = folder / "redis.sock"
        command = [server, "--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""]
        with _running(command, [client, "-s", socket, "-e", "ping"], folder, account):
            yield f"unix://{socket}"


def _binary(name: str, service: str, *folders: Path) -> str:
    """Return the path of a server's binary, or raise `MissingService`."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, folders)])
    found = shutil.which(name, path=path)
    if found is None:
        raise MissingService(f"{service} ({name} is not installed)")
    return found


@contextmanager
def _private_folder(*accounts: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Make a folder for a server; PostgreSQL refuses to run as root, so root steps down."""
    # A short path, as the name of a Unix socket holds 107 bytes at most.
    folder = Path(tempfile.mkdtemp(prefix="pf-"))
    try:
        if os.geteuid() != 0:
            yield folder, {}
            return
        known = {entry.pw_name for entry in pwd.getpwall()}
        account = next(name for name in accounts if name in known)
        shutil.chown(folder, account)
        entry = pwd.getpwnam(account)
        yield folder, {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(
    command: list[Any], ready: list[Any], folder: Path, account: dict[str, Any]
) -> Iterator[None]:
    """Run a server for as long as the context lasts, and begin once it answers."""
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **account)
    try:
        deadline = time.monotonic() + 60
        while subprocess.run(ready, capture_output=True, check=False).returncode != 0:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start: {(folder / 'log').read_text()}")
            time.sleep(0.05)
        yield
    finally:
        # PostgreSQL's fast shutdown, which waits for no client; Redis stops on it as well.
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)
