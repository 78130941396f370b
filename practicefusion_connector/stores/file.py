"""Connections as encrypted files in one folder, for the processes of one machine (POSIX).

Each connection is one file that only its owner can read. It is replaced as a whole, so that readers
and crashes meet the old record or the new one, never a half. The locks are the operating system's
(`filelock`): they end with the process that holds them.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.stores.base import (
    ConnectionRecord,
    StaleVersion,
    Stored,
    busy,
    checked_id,
    next_version,
    pause,
)
from practicefusion_connector.stores.sealing import Sealer


class FileStore:
    """A `ConnectionStore` in a folder, which is made (for its owner alone) where it is missing."""

    def __init__(self, folder: str | os.PathLike[str], sealer: Sealer) -> None:
        if os.name != "posix":
            raise InvalidConfig(
                "FileStore needs a POSIX system, whose file modes keep others out; use SqlStore "
                "with SQLite here."
            )
        self._folder = Path(folder).absolute()
        self._sealer = sealer
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_shared(self._folder.stat(), self._folder, "700")
        self._remove_leftovers()

    def __repr__(self) -> str:
        return f"FileStore({str(self._folder)!r})"

    def load(self, connection_id: str) -> Stored | None:
        """See `ConnectionStore.load`; refuses a file that other users can read."""
        read = _read(self._path(connection_id, "sealed"), connection_id)
        return read and Stored(self._sealer.unseal(read[1], connection_id), read[0])

    def save(self, record: ConnectionRecord, *, expected: int | None) -> int:
        """See `ConnectionStore.save`."""
        connection_id = record.connection.id
        path = self._path(connection_id, "sealed")
        sealed = self._sealer.seal(record)
        with self._lock(connection_id, "lock"):
            read = _read(path, connection_id)
            if (read and read[0]) != expected:
                raise StaleVersion(connection_id)
            version = next_version(expected)
            _replace(path, b"%d\n%b\n" % (version, sealed))
        return version

    def delete(self, connection_id: str) -> bool:
        """See `ConnectionStore.delete`; the empty lock files stay, as others may wait on them."""
        with self._lock(connection_id, "lock"):
            try:
                self._path(connection_id, "sealed").unlink()
            except FileNotFoundError:
                return False
            _sync_folder(self._folder)
        return True

    def ids(self) -> list[str]:
        """See `ConnectionStore.ids`."""
        return sorted(_id_of(path) for path in self._folder.glob("*.sealed"))

    @contextmanager
    def lease(self, connection_id: str, *, ttl: float, wait: float) -> Iterator[None]:
        """See `ConnectionStore.lease`; it ends with its process, so `ttl` is not needed."""
        lock = self._lock(connection_id, "lease")
        try:
            lock.acquire(timeout=max(wait, 0), poll_interval=pause())
        except Timeout:
            raise busy(connection_id, wait) from None
        try:
            yield
        finally:
            lock.release()

    def close(self) -> None:
        """Nothing stays open between calls."""

    def _path(self, connection_id: str, suffix: str) -> Path:
        # Base32, because some file systems take "A" and "a" for the same name.
        name = base64.b32encode(checked_id(connection_id).encode()).decode()
        return self._folder / f"{name.rstrip('=').lower()}.{suffix}"

    def _lock(self, connection_id: str, kind: str) -> FileLock:
        path = self._path(connection_id, kind)
        return FileLock(path, mode=0o600, thread_local=False, poll_interval=0.02)

    def _remove_leftovers(self) -> None:
        """Remove what writers left that died; one that still lives holds its lock."""
        for leftover in self._folder.glob("*.tmp"):
            with suppress(Timeout), self._lock(_id_of(leftover), "lock").acquire(timeout=0):
                leftover.unlink(missing_ok=True)


def _id_of(path: Path) -> str:
    name = path.stem.upper()
    return base64.b32decode(name + "=" * (-len(name) % 8)).decode()


def _read(path: Path, connection_id: str) -> tuple[int, bytes] | None:
    try:
        with path.open("rb") as file:
            _refuse_shared(os.fstat(file.fileno()), path, "600")
            version, _, sealed = file.read().partition(b"\n")
    except FileNotFoundError:
        return None
    if not version.isdigit():
        raise InvalidConfig(
            f"The file of connection {connection_id!r} is damaged. Delete the connection and "
            "connect again.",
            connection_id=connection_id,
        )
    return int(version), sealed.strip()


def _replace(path: Path, content: bytes) -> None:
    """Write `content` under the path's name so that it survives a crash whole or not at all."""
    # The caller holds the lock, so a file of this name is a dead writer's leftover.
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    os.replace(temporary, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    # The new name is on disk only once the folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_shared(status: os.stat_result, path: Path, mode: str) -> None:
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InvalidConfig(
            f"Other users of this machine may open {str(path)!r}, which belongs to a token store. "
            f"Close it with: chmod {mode} {path}"
        )
