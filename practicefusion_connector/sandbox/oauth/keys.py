"""The practice's signing key: made once for each sandbox, published as a JWK Set."""

from __future__ import annotations

import threading
from typing import Any

from joserfc.jwk import RSAKey

SIGNING_KEY_ID = "sandbox_jwt_signing_key_v1"


class SigningKey:
    """An RSA key for RS256, made when it is first needed, since that takes a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: RSAKey | None = None

    def private(self) -> RSAKey:
        """The key that signs id_tokens."""
        with self._lock:
            if self._key is None:
                parameters: Any = {"kid": SIGNING_KEY_ID, "use": "sig", "alg": "RS256"}
                self._key = RSAKey.generate_key(2048, parameters)
            return self._key

    def public_set(self) -> dict[str, Any]:
        """The JWK Set an app checks id_tokens with."""
        return {"keys": [dict(self.private().as_dict(private=False))]}
