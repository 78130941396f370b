"""Where a test keeps its connections, told so that other processes can open the same store."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from redis import Redis
from sqlalchemy import create_engine, text

from practicefusion_connector.stores import (
    ConnectionStore,
    FileStore,
    RedisStore,
    Sealer,
    SqlStore,
)

PERSISTENT = ("file", "sqlite", "postgresql", "redis")


class Place(NamedTuple):
    """A kind of store, where it lies, and the prefix that keeps tests apart."""

    kind: str
    where: str
    prefix: str
    keys: tuple[str, ...]

    def open(self) -> ConnectionStore:
        sealer = Sealer(*self.keys)
        if self.kind == "file":
            return FileStore(self.where, sealer)
        if self.kind == "redis":
            return RedisStore(self.where, sealer, prefix=self.prefix)
        return SqlStore(self.where, sealer, prefix=self.prefix)

    def contents(self) -> bytes:
        """Return everything that lies at rest, as somebody who stole it would read it."""
        if self.kind == "redis":
            with Redis.from_url(self.where) as client:
                keys = list(client.scan_iter(match=f"{self.prefix}:connection:*"))
                return repr([(key, client.hgetall(key)) for key in keys]).encode()
        if self.kind == "postgresql":
            table = f'"{self.prefix}_connections"'
            engine = create_engine(self.where)
            with engine.connect() as connection:
                rows = connection.execute(text(f"SELECT * FROM {table}")).all()
            engine.dispose()
            return repr([tuple(row) for row in rows]).encode()
        folder = Path(self.where.removeprefix("sqlite:///"))
        files = [folder] if folder.is_file() else list(folder.iterdir())
        return b"\n".join(file.read_bytes() for file in files)

    def clean(self) -> None:
        """Remove what the test left in a service that others use too."""
        if self.kind == "redis":
            with Redis.from_url(self.where) as client:
                for key in client.scan_iter(match=f"{self.prefix}:*"):
                    client.delete(key)
        if self.kind == "postgresql":
            engine = create_engine(self.where)
            with engine.begin() as connection:
                for table in ("connections", "leases"):
                    connection.execute(text(f'DROP TABLE IF EXISTS "{self.prefix}_{table}"'))
            engine.dispose()
