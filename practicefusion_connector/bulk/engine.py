"""The SQLAlchemy engine behind a URL, with the options that workers which may die need."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from practicefusion_connector.errors import InvalidConfig


def open_engine(address: str) -> Engine:
    """Return the engine a URL names; its owner disposes of it.

    Raises:
        InvalidConfig: it cannot be read, or keeps nothing.
    """
    try:
        url = make_url(address)
        if "@" in (url.host or ""):
            raise ValueError("a part of the password was taken for the host")
    except (ArgumentError, ValueError):
        # The reason is not passed on: it may quote the URL, and with it the password.
        raise InvalidConfig(
            "The job store's URL cannot be read. It looks like sqlite:///jobs.db or "
            "postgresql://user:password@host/database, with special characters percent-encoded."
        ) from None
    options: dict[str, Any] = {"hide_parameters": True}
    if url.get_backend_name() == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise InvalidConfig("The job store needs a SQLite file, as in sqlite:///jobs.db.")
        options["connect_args"] = {"timeout": 30}
    else:
        options["pool_pre_ping"] = True  # a restarted database costs no job
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, **options)
