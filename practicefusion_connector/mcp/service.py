"""How the server is reached: over stdio by the host that started it, or over streamable HTTP.

HTTP is for this machine unless told otherwise: it listens on loopback, refuses requests that name
another host (DNS rebinding), and beyond loopback it wants a bearer token. It knows no tool.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import Callable, Sequence
from typing import Any

import uvicorn
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend
from mcp.server.auth.provider import AccessToken
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.middleware.authentication import AuthenticationMiddleware

from practicefusion_connector.connection import is_loopback
from practicefusion_connector.errors import InvalidConfig

PATH = "/mcp"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - refused without names


def serve_stdio(server: Server[Any]) -> None:
    """Serve the process's stdin and stdout until stdin ends."""

    async def serve() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    asyncio.run(serve())


def serve_http(
    server: Server[Any],
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    token: SecretStr | None = None,
    allowed_hosts: Sequence[str] = (),
    ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve HTTP until the process is told to stop.

    Args:
        port: where to listen; 0 takes a free one.
        token: what clients must send as bearer token; beyond loopback there must be one.
        allowed_hosts: names under which clients reach the server, with a port where it is not the
            one listened on, such as `mcp.example.com:443`.
        ready: called with the server's URL once it listens.

    Raises:
        InvalidConfig: the address cannot be listened on, or is beyond loopback and lacks a token
            or, where it is every address, the names of hosts.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            # From here on clients wait in line; uvicorn answers them once it runs.
            listening.listen()
        except OSError as error:
            raise InvalidConfig(
                f"Port {port} of {host} cannot be listened on: {error.strerror}."
            ) from None
        port = listening.getsockname()[1]
        app = http_app(server, host, port, token=token, allowed_hosts=allowed_hosts)
        ready(f"http://{_in_url(host)}:{port}{PATH}")
        settings = uvicorn.Config(app, log_level="warning", access_log=False)
        uvicorn.Server(settings).run(sockets=[listening])


def http_app(
    server: Server[Any],
    host: str,
    port: int,
    *,
    token: SecretStr | None = None,
    allowed_hosts: Sequence[str] = (),
) -> Starlette:
    """Return the ASGI application, for a host that serves it itself; see `serve_http`."""
    if token is not None and not token.get_secret_value():
        raise InvalidConfig("The bearer token that clients send must not be empty.")
    if not is_loopback(host) and token is None:
        raise InvalidConfig("Beyond loopback the server needs a bearer token that clients send.")
    if host in _EVERYWHERE and not allowed_hosts:
        raise InvalidConfig("Listening on every address, name the hosts that clients may ask for.")
    verifier = None if token is None else _OneToken(token)
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        stateless_http=True,
        transport_security=_security(host, port, allowed_hosts),
        token_verifier=verifier,
    )
    if verifier is not None:
        app.add_middleware(AuthenticationMiddleware, backend=BearerAuthBackend(verifier))
    return app


def _security(host: str, port: int, allowed_hosts: Sequence[str]) -> TransportSecuritySettings:
    own = _LOOPBACK if is_loopback(host) else (_in_url(host),)
    names = [f"{name}:{port}" for name in own]
    for name in allowed_hosts:
        names += [name] if ":" in name else [name, f"{name}:{port}"]
    origins = [f"{scheme}://{name}" for name in names for scheme in ("http", "https")]
    return TransportSecuritySettings(allowed_hosts=names, allowed_origins=origins)


class _OneToken:
    """Knows the one token that clients may send."""

    def __init__(self, token: SecretStr) -> None:
        self._token = token

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what the token stands for, or `None` where it is another."""
        if not hmac.compare_digest(token.encode(), self._token.get_secret_value().encode()):
            return None
        return AccessToken(token=token, client_id="client", scopes=[])


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
