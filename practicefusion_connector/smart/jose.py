"""The JOSE library (joserfc, the extra `smart`): a missing one is explained in one place."""

from __future__ import annotations

from practicefusion_connector.errors import InvalidConfig

try:
    from joserfc import errors, jwk, jwt
except ImportError as error:
    raise InvalidConfig(
        "Signed tokens (id_token, private keys) need a library that is not installed: "
        "pip install 'practicefusion-connector[smart]'"
    ) from error

__all__ = ["errors", "jwk", "jwt"]
