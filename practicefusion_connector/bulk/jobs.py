"""Where jobs are kept, so that a process may die at any moment: rows in SQLite or PostgreSQL.

A job is a small JSON document with a version, and parts under it, one for each file. A write names
the version it knows, so of two processes that hold the same job only one goes on. Documents hold no
record and no token; with keys they are encrypted as well. What is in a document is its owner's
business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import SecretStr
from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    exists,
    literal,
    select,
)

from practicefusion_connector.bulk.cipher import Cipher
from practicefusion_connector.database import Database
from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.stores.base import next_version

Document = dict[str, Any]


class StaleJob(Exception):
    """Somebody else wrote the job first: it is theirs now."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"Job {job_id!r} was taken over by another process meanwhile.")
        self.job_id = job_id


class StoredJob(NamedTuple):
    """A job as it was read, with the version to name when writing it again."""

    document: Document
    version: int


class JobStore:
    """Jobs in two tables, which are created where they are missing; safe to share by threads.

    Args:
        engine: a SQLAlchemy engine, which stays its owner's to dispose of, or a URL such as
            `sqlite:///jobs.db` or `postgresql://user:password@host/database`.
        keys: Fernet keys, the newest first, to encrypt the documents with. Without them the query
            of a status URL is not kept, as it may hold a secret: a job with one cannot be gone on
            with by another process. Practice Fusion's have none.
        prefix: begins the names of the tables, `<prefix>_jobs` and `<prefix>_job_parts`.
    """

    def __init__(
        self,
        engine: Engine | str,
        *,
        keys: Sequence[SecretStr | str] = (),
        prefix: str = "practicefusion",
    ) -> None:
        self._database = Database(engine, name="The job store", example="sqlite:///jobs.db")
        self._cipher = Cipher(keys) if keys else None
        tables = MetaData()
        self._jobs = Table(
            f"{prefix}_jobs",
            tables,
            Column("job_id", String(128), primary_key=True),
            Column("version", BigInteger, nullable=False),
            Column("state", String(32), nullable=False),
            Column("document", LargeBinary, nullable=False),
        )
        self._parts = Table(
            f"{prefix}_job_parts",
            tables,
            Column("job_id", String(128), primary_key=True),
            Column("name", String(128), primary_key=True),
            Column("document", LargeBinary, nullable=False),
        )
        self._database.create(tables)

    def __repr__(self) -> str:
        return f"JobStore({self._database.dialect}, {self._jobs.name!r})"

    @property
    def encrypts(self) -> bool:
        """Whether documents are encrypted, so that they may hold a URL's query."""
        return self._cipher is not None

    def load(self, job_id: str) -> StoredJob | None:
        """Return a job, or `None` where there is none."""
        rows = self._jobs.c
        statement = select(rows.document, rows.version).where(rows.job_id == job_id)
        with self._database.connect() as connection:
            row = connection.execute(statement).one_or_none()
        return row and StoredJob(self._opened(row.document), row.version)

    def save(self, job_id: str, document: Document, *, state: str, expected: int | None) -> int:
        """Write a job if its version is still `expected` (`None`: it must not exist).

        Raises:
            StaleJob: somebody else wrote, created or deleted it first.
        """
        version = next_version(expected)
        written = {"version": version, "state": state, "document": self._closed(document)}
        if not self._database.put(self._jobs, job_id, written, expected=expected):
            raise StaleJob(job_id)
        return version

    def parts(self, job_id: str) -> dict[str, Document]:
        """Return the job's parts by name."""
        rows = self._parts.c
        statement = select(rows.name, rows.document).where(rows.job_id == job_id)
        with self._database.connect() as connection:
            found = connection.execute(statement).all()
        return {row.name: self._opened(row.document) for row in found}

    def save_part(self, job_id: str, name: str, document: Document, *, version: int) -> None:
        """Write one part of a job whose version is still `version`.

        Raises:
            StaleJob: somebody else has the job now.
        """
        rows = self._parts.c
        still = exists().where(*self._is(job_id, version))
        row = literal(job_id), literal(name), literal(self._closed(document), LargeBinary)
        insert = self._database.insert(self._parts).from_select(
            [rows.job_id, rows.name, rows.document], select(*row).where(still)
        )
        upsert = insert.on_conflict_do_update(
            index_elements=[rows.job_id, rows.name], set_={"document": insert.excluded.document}
        )
        if not self._database.touches(upsert, rows.job_id):
            raise StaleJob(job_id)

    def forget_parts(self, job_id: str, *, version: int) -> None:
        """Remove every part of a job whose version is still `version`."""
        still = exists().where(*self._is(job_id, version))
        with self._database.begin() as connection:
            connection.execute(self._parts.delete().where(self._parts.c.job_id == job_id, still))

    def delete(self, job_id: str) -> bool:
        """Remove a job and its parts; return whether there was one."""
        with self._database.begin() as connection:
            connection.execute(self._parts.delete().where(self._parts.c.job_id == job_id))
            gone = self._jobs.delete().where(self._jobs.c.job_id == job_id)
            return bool(connection.execute(gone.returning(self._jobs.c.job_id)).all())

    def states(self) -> dict[str, str]:
        """Return the state of every job, by id."""
        with self._database.connect() as connection:
            found = connection.execute(select(self._jobs.c.job_id, self._jobs.c.state)).all()
        return {row.job_id: row.state for row in found}

    def close(self) -> None:
        """Close the pool, unless the engine was handed in."""
        self._database.close()

    def _is(self, job_id: str, version: int) -> tuple[Any, Any]:
        return self._jobs.c.job_id == job_id, self._jobs.c.version == version

    def _closed(self, document: Mapping[str, Any]) -> bytes:
        text = json.dumps(document).encode()
        return self._cipher.encrypt(text) if self._cipher else text

    def _opened(self, kept: bytes) -> Document:
        text = self._cipher.decrypt(kept) if self._cipher else kept
        try:
            document: Document = json.loads(text)
        except ValueError:
            document = {}
        if not document:
            raise InvalidConfig(
                "A stored job cannot be read: it is damaged, or encrypted and this store was given "
                "no key."
            )
        return document
