"""Where connections and their tokens are kept: memory, files, SQL, Redis, or a host's own store.

The stores differ in who can share them; what they promise is the same (`ConnectionStore`). The
libraries behind the last three are extras, imported when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.stores.base import (
    ConnectionRecord,
    ConnectionStore,
    StaleVersion,
    Status,
    Stored,
)
from practicefusion_connector.stores.memory import MemoryStore

if TYPE_CHECKING:
    from practicefusion_connector.stores.file import FileStore
    from practicefusion_connector.stores.redis import RedisStore
    from practicefusion_connector.stores.sealing import Sealer, keys_from
    from practicefusion_connector.stores.sql import SqlStore

__all__ = [
    "ConnectionRecord",
    "ConnectionStore",
    "FileStore",
    "MemoryStore",
    "RedisStore",
    "Sealer",
    "SqlStore",
    "StaleVersion",
    "Status",
    "Stored",
    "keys_from",
    "open_store",
]

# Where each name that needs an extra lives, and the extra.
_LAZY = {
    "FileStore": ("file", "file"),
    "RedisStore": ("redis", "redis"),
    "Sealer": ("sealing", "file"),
    "SqlStore": ("sql", "sql"),
    "keys_from": ("sealing", "file"),
}

# Which store answers to which scheme of a URL, a driver's name (`postgresql+psycopg`) left out.
_SCHEMES = {
    "file": "FileStore",
    "sqlite": "SqlStore",
    "postgresql": "SqlStore",
    "redis": "RedisStore",
    "rediss": "RedisStore",
    "unix": "RedisStore",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, extra = _LAZY[name]
    try:
        return getattr(import_module(f"{__name__}.{module}"), name)
    except ImportError as error:
        raise ImportError(_needs(name, extra, error), name=error.name) from error


def __dir__() -> list[str]:
    return __all__


def open_store(url: str, sealer: Sealer | None = None) -> ConnectionStore:
    """Open the store a URL names; `close` it after use.

    Args:
        url: `memory:`, `file:///folder`, `sqlite:///file`, `postgresql://…` or `redis://…`
            (also `rediss://…` and `unix:///socket`).
        sealer: encrypts what is stored; every store but `memory:` needs one.

    Raises:
        InvalidConfig: the URL names no store, there is no sealer, or a library is missing.
    """
    scheme = url.partition(":")[0].partition("+")[0]
    if scheme == "memory":
        return MemoryStore()
    if scheme not in _SCHEMES:
        raise InvalidConfig(
            "The token store's URL names no store: it must begin with memory:, "
            + ", ".join(f"{known}://" for known in _SCHEMES)
            + "."
        )
    name = _SCHEMES[scheme]
    if sealer is None:
        raise InvalidConfig(
            f"{name} encrypts what it keeps and needs a key: pass Sealer(*keys_from(os.environ))."
        )
    try:
        store: ConnectionStore = __getattr__(name)(
            _folder(url) if scheme == "file" else url, sealer
        )
    except ImportError as error:
        raise InvalidConfig(_needs(name, _LAZY[name][1], error)) from error
    return store


def _folder(url: str) -> str:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise InvalidConfig(
            "A file store's URL has three slashes and an absolute path: file:///folder."
        )
    return unquote(parts.path)


def _needs(name: str, extra: str, error: ImportError) -> str:
    return (
        f"{name} needs a library that is not installed ({error.name}): "
        f"pip install 'practicefusion-connector[{extra}]'"
    )
