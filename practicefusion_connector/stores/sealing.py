"""Encryption of stored connections: what lies on disk, in a row or in Redis is always sealed.

Keys are Fernet keys (AES-128-CBC with HMAC-SHA256, from the `cryptography` package). Nothing here
reads the environment by itself: the mapping is passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.stores.base import ConnectionRecord, dump, parse

VARIABLE = "PRACTICEFUSION_STORE_KEY"
_KEYRING_ENTRY = ("practicefusion-connector", "store-key")
_HOW_TO_MAKE_A_KEY = (
    'Make one with: python -c "from cryptography.fernet import Fernet; '
    'print(Fernet.generate_key().decode())"'
)


class Sealer:
    """Seals records with the first key and opens what any of the keys sealed.

    To rotate, put a new key in front, let every worker restart, save each connection once (a
    refresh does), then drop the old key.
    """

    def __init__(self, *keys: str | SecretStr) -> None:
        if not keys:
            raise InvalidConfig(f"A token store needs a key. {_HOW_TO_MAKE_A_KEY}")
        self._count = len(keys)
        self._fernet = MultiFernet([_fernet(key, place) for place, key in enumerate(keys, 1)])

    def __repr__(self) -> str:
        return f"Sealer({self._count} keys)"

    def seal(self, record: ConnectionRecord) -> bytes:
        """Return `record` encrypted, as printable ASCII."""
        return self._fernet.encrypt(dump(record))

    def unseal(self, sealed: bytes | str, connection_id: str) -> ConnectionRecord:
        """Return the record in `sealed`, which must be the one of `connection_id`.

        Raises:
            InvalidConfig: no key fits, the data is damaged, or it is another connection's record.
        """
        try:
            record = parse(self._fernet.decrypt(sealed))
        except InvalidToken:
            raise InvalidConfig(
                f"Connection {connection_id!r} cannot be opened: it is damaged, or sealed with a "
                f"key this store was not given. Add that key (in {VARIABLE}, separated by commas, "
                "the newest first), or connect again.",
                connection_id=connection_id,
            ) from None
        if record.connection.id != connection_id:
            raise InvalidConfig(
                f"The record stored under connection {connection_id!r} belongs to another "
                "connection; somebody moved it. Connect again.",
                connection_id=connection_id,
            )
        return record


class Keyring(Protocol):
    """The part of the `keyring` package (or of one of its backends) that is used here."""

    def get_password(self, service: str, username: str, /) -> str | None:
        """Return what is kept under the two names, or `None`."""
        ...

    def set_password(self, service: str, username: str, password: str, /) -> None:
        """Keep `password` under the two names."""
        ...


def keys_from(
    environment: Mapping[str, str], *, keyring: Keyring | None = None
) -> tuple[SecretStr, ...]:
    """Return the keys for `Sealer`: those in the environment, else the one in the OS keyring.

    Args:
        environment: usually `os.environ`; `PRACTICEFUSION_STORE_KEY` holds one key, or several
            separated by commas with the newest first.
        keyring: a backend of the `keyring` package; left out, the one the machine offers. A key is
            made and kept there when it holds none yet.

    Raises:
        InvalidConfig: there is neither a key in the environment nor a keyring to keep one.
    """
    keys = [key for part in environment.get(VARIABLE, "").split(",") if (key := part.strip())]
    kept = keys or [_kept_key(keyring)]
    return tuple(SecretStr(key) for key in kept)


def _kept_key(backend: Keyring | None) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise _no_key() from None
    try:
        backend = backend or keyring.get_keyring()
        if backend.get_password(*_KEYRING_ENTRY) is None:
            backend.set_password(*_KEYRING_ENTRY, Fernet.generate_key().decode())
        # Read back: a keyring that keeps nothing would lose every connection at the next start.
        kept = backend.get_password(*_KEYRING_ENTRY)
    except KeyringError:
        kept = None
    if kept is None:
        raise _no_key()
    return kept


def _no_key() -> InvalidConfig:
    return InvalidConfig(
        f"The token store has no key: {VARIABLE} is not set and this machine has no usable "
        f"keyring. {_HOW_TO_MAKE_A_KEY} and set {VARIABLE} to it, in every worker alike."
    )


def _fernet(key: str | SecretStr, place: int) -> Fernet:
    try:
        return Fernet(key.get_secret_value() if isinstance(key, SecretStr) else key)
    except ValueError:
        raise InvalidConfig(
            f"Key number {place} of the token store is not a Fernet key, which is 32 bytes in "
            f"URL-safe base64 (44 characters). {_HOW_TO_MAKE_A_KEY}"
        ) from None
