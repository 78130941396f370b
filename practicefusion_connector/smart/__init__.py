"""SMART on FHIR: discovery, launches, tokens, refresh, identity, revocation, the directory.

The names here are the flat surface for hosts; a host that runs OAuth itself can use just the one it
lacks. They are imported when they are first used: tokens alone cost no OAuth library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from practicefusion_connector.smart.check import ConnectionCheck
    from practicefusion_connector.smart.consent import categories, scopes_of
    from practicefusion_connector.smart.directory import Directory, Practice
    from practicefusion_connector.smart.discovery import Endpoints, discover
    from practicefusion_connector.smart.functions import (
        authorize_url,
        client_credentials,
        exchange_code,
        refresh,
        revoke,
        test_connection,
    )
    from practicefusion_connector.smart.known_servers import KnownServers
    from practicefusion_connector.smart.provider import HostTokens, ManagedTokens, TokenProvider
    from practicefusion_connector.smart.renew import renewal
    from practicefusion_connector.smart.revocation import Disconnected, disconnect
    from practicefusion_connector.smart.tokens import TokenSet

_HOMES = {
    "ConnectionCheck": "check",
    "Directory": "directory",
    "Disconnected": "revocation",
    "Endpoints": "discovery",
    "HostTokens": "provider",
    "KnownServers": "known_servers",
    "ManagedTokens": "provider",
    "Practice": "directory",
    "TokenProvider": "provider",
    "TokenSet": "tokens",
    "authorize_url": "functions",
    "categories": "consent",
    "client_credentials": "functions",
    "disconnect": "revocation",
    "discover": "discovery",
    "exchange_code": "functions",
    "refresh": "functions",
    "renewal": "renew",
    "revoke": "functions",
    "scopes_of": "consent",
    "test_connection": "functions",
}

__all__ = [
    "ConnectionCheck",
    "Directory",
    "Disconnected",
    "Endpoints",
    "HostTokens",
    "KnownServers",
    "ManagedTokens",
    "Practice",
    "TokenProvider",
    "TokenSet",
    "authorize_url",
    "categories",
    "client_credentials",
    "disconnect",
    "discover",
    "exchange_code",
    "refresh",
    "renewal",
    "revoke",
    "scopes_of",
    "test_connection",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
