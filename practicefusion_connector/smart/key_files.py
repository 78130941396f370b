"""A file of an application's private keys: one in use, and a second during a rotation.

It is a JWK Set (RFC 7517 §5) that only its owner can read, oldest key first. Its whole text may be
a connection's `private_key`; `key_id` then says which of the two signs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from practicefusion_connector.connection import Algorithm
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.files import replace_file
from practicefusion_connector.smart.keys import generate, public_jwk


def create(path: Path, algorithm: Algorithm) -> str:
    """Write a new key to `path` and return its id; a file that is there is never overwritten."""
    if path.exists():
        raise _refused("there is such a file already; rotate its key, or name another file.")
    key = generate(algorithm)
    _write(path, [key])
    return str(key["kid"])


def public_set(path: Path) -> dict[str, Any]:
    """Return the JWK Set to host: the public halves of the file's keys."""
    return {"keys": [public_jwk(key) for key in _read(path)]}


def key_ids(path: Path) -> list[str]:
    """Return the ids of the file's keys, oldest first."""
    return [str(key["kid"]) for key in _read(path)]


def rotate(path: Path) -> str:
    """Add a second key of the same kind and return its id; the first goes on signing."""
    keys = _read(path)
    if len(keys) > 1:
        raise _refused("it holds two keys already; finish that rotation first.")
    keys.append(generate(keys[0]["alg"]))
    _write(path, keys)
    return str(keys[-1]["kid"])


def finish(path: Path) -> list[str]:
    """Keep only the newest key and return the ids of those dropped."""
    keys = _read(path)
    if len(keys) < 2:
        raise _refused("it holds one key only, so there is no rotation to finish.")
    _write(path, keys[-1:])
    return [str(key["kid"]) for key in keys[:-1]]


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        document = json.loads(path.read_bytes())
        keys: list[dict[str, Any]] = document["keys"]
        if keys and all(key["d"] and key["kid"] and key["alg"] for key in keys):
            return keys
    except OSError as error:
        raise _refused(f"it cannot be read ({error.strerror}).") from error
    except (ValueError, TypeError, KeyError):
        # The cause would quote the file, which is all secret.
        pass
    raise _refused("it is no key file of this program.")


def _write(path: Path, keys: list[dict[str, Any]]) -> None:
    try:
        replace_file(path, json.dumps({"keys": keys}, indent=1).encode())
    except OSError as error:
        raise _refused(f"it cannot be written ({error.strerror}).") from error


def _refused(message: str) -> InvalidInput:
    return InvalidInput(
        f"The key file is not usable: {message}", problems=[{"path": "file", "message": message}]
    )
