"""The connections requests are sent over: to judged addresses only, and never past the deadline.

urllib3 resolves a name and connects in one step, and counts its read timeout anew with each byte.
The connections here resolve first, refuse addresses that may not be called, connect to exactly
those that were judged, and look at the run's deadline and cancel token whenever they wait for the
server: a server that trickles out a byte now and then holds nobody.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import Any, ClassVar, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from practicefusion_connector.errors import InvalidResponse
from practicefusion_connector.transport.addresses import Kind, kind_of, resolve
from practicefusion_connector.transport.run import Run

# How soon a tripped cancel token is noticed while the server is silent, in seconds.
_LOOK_UP = 0.25
_Buffer = Any  # what a raw stream reads into: bytearray or memoryview


class Connections(HTTPAdapter):
    """requests' adapter with a pool of its own; safe to share between threads.

    Args:
        allowed: the kinds of places inside the network that may be called; `None` for any.
    """

    def __init__(self, allowed: frozenset[Kind] | None) -> None:
        self.allowed = allowed
        self._now = threading.local()
        super().__init__(pool_maxsize=64)

    @contextmanager
    def during(self, run: Run, read_timeout: float) -> Iterator[None]:
        """Let whatever this thread sends obey `run`; the server may be silent `read_timeout`."""
        self._now.patience = run, read_timeout
        try:
            yield
        finally:
            self._now.patience = None

    def patience(self) -> tuple[Run, float] | None:
        """Return the run this thread sends for and how long the server may be silent."""
        return getattr(self._now, "patience", None)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools of connections; requests calls this."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self, judged=True)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Return the pools behind a proxy: it resolves the names, so it judges the addresses."""
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _pools(self, judged=False)
        return manager


class _Patient(io.RawIOBase):
    """A socket's bytes, waited for no longer than the run and the read timeout allow."""

    def __init__(self, sock: socket.socket, owner: Connections) -> None:
        self._sock = sock
        # Counted by the socket: it stays open until the answer was read, whoever closes it before.
        self._held = sock.makefile("rb", buffering=0)
        self._owner = owner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: _Buffer) -> int:
        patience = self._owner.patience()
        if patience is None:
            return self._sock.recv_into(buffer)
        run, read_timeout = patience
        silent_until = time.monotonic() + read_timeout
        while True:
            run.check()
            left = min(silent_until - time.monotonic(), run.remaining())
            self._sock.settimeout(max(0.001, min(left, _LOOK_UP) if run.cancel else left))
            try:
                return self._sock.recv_into(buffer)
            except TimeoutError:
                if time.monotonic() >= silent_until:
                    raise

    def close(self) -> None:
        self._held.close()
        super().close()


class _Patiently:
    """What `HTTPResponse` takes for a socket: it only makes a file of it."""

    def __init__(self, sock: socket.socket, owner: Connections) -> None:
        self._sock = sock
        self._owner = owner

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Patient(self._sock, self._owner))


class _Guarded(HTTPConnection):
    owner: ClassVar[Connections]
    judged: ClassVar[bool]

    def response_class(  # type: ignore[override]
        self, sock: socket.socket, *args: Any, **options: Any
    ) -> HTTPResponse:
        """Return the answer to come over `sock`; http.client calls this."""
        patiently = cast(socket.socket, _Patiently(sock, self.owner))
        return HTTPResponse(patiently, *args, **options)

    def _new_conn(self) -> socket.socket:
        if not self.judged:
            return super()._new_conn()
        name = self._dns_host
        addresses = self._judged_addresses(name)
        for address in addresses[:-1]:
            try:
                return self._connected(address, name)
            except (NewConnectionError, ConnectTimeoutError):
                continue
        return self._connected(addresses[-1], name)

    def _judged_addresses(self, name: str) -> list[str]:
        try:
            found = resolve(name, self.port)
        except (OSError, UnicodeError) as error:
            raise NameResolutionError(self.host, self, cast(socket.gaierror, error)) from None
        allowed = self.owner.allowed
        # One inside address among public ones is how a name is made to point inside unnoticed.
        if allowed is not None and any(
            (kind := kind_of(address)) != "public" and kind not in allowed for address in found
        ):
            raise InvalidResponse(
                "The server names an address inside this network, and the connection's own server "
                "is not there; it is not called."
            )
        return found

    def _connected(self, address: str, name: str) -> socket.socket:
        """Connect to the address that was judged; the certificate is still checked for the name."""
        self._dns_host = address
        try:
            return super()._new_conn()
        finally:
            self._dns_host = name


class _GuardedTLS(_Guarded, HTTPSConnection):
    pass


def _pools(owner: Connections, *, judged: bool) -> dict[str, type[HTTPConnectionPool]]:
    marks = {"owner": owner, "judged": judged}
    plain = type("GuardedConnection", (_Guarded,), marks)
    secure = type("GuardedTLSConnection", (_GuardedTLS,), marks)
    return {
        "http": type("GuardedPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("GuardedTLSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
