"""Practice Fusion's FHIR R4 API as ready actions.

    from practicefusion_connector import Connection, HostTokens, PracticeFusion

    connection = Connection.of(fhir_base_url="https://…", client_id="…")
    with PracticeFusion(connection, HostTokens(lambda: access_token)) as pf:
        result = pf.run("search_observations", {"patient": "…", "category": "vital-signs"})

Names are imported when they are first used, so that importing the package costs little.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from practicefusion_connector.aio import AsyncPracticeFusion
    from practicefusion_connector.connection import Connection
    from practicefusion_connector.connector import PracticeFusion
    from practicefusion_connector.errors import ActionWarning, ConnectorError
    from practicefusion_connector.history import History
    from practicefusion_connector.registry import Action, Parameter, Registry
    from practicefusion_connector.result import Result
    from practicefusion_connector.smart.provider import (
        HostTokens,
        ManagedTokens,
        NoTokens,
        TokenProvider,
    )
    from practicefusion_connector.smart.tokens import TokenSet
    from practicefusion_connector.transport import Policy

_HOMES = {
    "Action": "registry",
    "ActionWarning": "errors",
    "AsyncPracticeFusion": "aio",
    "Connection": "connection",
    "ConnectorError": "errors",
    "History": "history",
    "HostTokens": "smart.provider",
    "ManagedTokens": "smart.provider",
    "NoTokens": "smart.provider",
    "Parameter": "registry",
    "Policy": "transport",
    "PracticeFusion": "connector",
    "Registry": "registry",
    "Result": "result",
    "TokenProvider": "smart.provider",
    "TokenSet": "smart.tokens",
}

__all__ = [
    "Action",
    "ActionWarning",
    "AsyncPracticeFusion",
    "Connection",
    "ConnectorError",
    "History",
    "HostTokens",
    "ManagedTokens",
    "NoTokens",
    "Parameter",
    "Policy",
    "PracticeFusion",
    "Registry",
    "Result",
    "TokenProvider",
    "TokenSet",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
