"""Encryption of what a job store keeps, where keys are given: Fernet, as for connections."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import SecretStr

from practicefusion_connector.errors import InvalidConfig


class Cipher:
    """Encrypts with the first key and decrypts with any of them.

    `cryptography` is imported with the first cipher: it takes as much memory as all of an export.
    """

    def __init__(self, keys: Sequence[SecretStr | str]) -> None:
        from cryptography.fernet import Fernet, MultiFernet

        plain = [key.get_secret_value() if isinstance(key, SecretStr) else key for key in keys]
        try:
            made = [Fernet(key) for key in plain]
        except ValueError:
            made = []
        if not made:
            raise InvalidConfig(
                "A key of the job store is not a Fernet key, which is 32 bytes in URL-safe base64."
            )
        self._fernet = MultiFernet(made)

    def __repr__(self) -> str:
        return "Cipher()"

    def encrypt(self, text: bytes) -> bytes:
        """Return `text` encrypted, as printable ASCII."""
        return self._fernet.encrypt(text)

    def decrypt(self, sealed: bytes) -> bytes:
        """Return what `encrypt` was given.

        Raises:
            InvalidConfig: it is damaged, or no key fits.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            pass
        raise InvalidConfig(
            "A stored job cannot be opened: it is damaged, or was encrypted with a key this store "
            "was not given."
        )
