"""A real socket server that says exactly the bytes it is given, and a run that never sleeps."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from practicefusion_connector.transport import Run

Script = Callable[[socket.socket], None]


class FastRun(Run):
    """A run whose clock moves only when it sleeps, and which remembers how long it slept."""

    def __init__(self, deadline: float = 120.0, cancel: threading.Event | None = None) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        super().__init__(deadline, cancel=cancel, clock=lambda: self.now)

    def sleep(self, seconds: float, reason: str) -> None:
        """Let the clock jump, and note why."""
        self.slept.append(seconds)
        self.trace.waits.append((seconds, reason))
        self.now += seconds
        self.check()


class WireServer:
    """Answers the n-th request with the n-th script; counts connections and keeps requests."""

    def __init__(self, scripts: list[Script]) -> None:
        self._scripts = iter(scripts)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.connections = 0
        self.requests: list[bytes] = []
        self.done = threading.Event()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                self._open.append(connection)
                with suppress(OSError):
                    self._talk(connection)
                with suppress(OSError):
                    connection.close()

    def _talk(self, connection: socket.socket) -> None:
        while request := self._request(connection):
            self.requests.append(request)
            next(self._scripts)(connection)

    @staticmethod
    def _request(connection: socket.socket) -> bytes:
        read = b""
        while b"\r\n\r\n" not in read:
            part = connection.recv(4096)
            if not part:
                return b""
            read += part
        return read

    def close(self) -> None:
        """End every conversation and the server's thread."""
        self.done.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        assert not self._thread.is_alive()


@contextmanager
def serving(*scripts: Script) -> Iterator[WireServer]:
    """Serve these scripts, one for each request, for as long as the context lasts."""
    server = WireServer(list(scripts))
    try:
        yield server
    finally:
        server.close()


def says(*parts: bytes) -> Script:
    """Return a script that sends these bytes and keeps the connection."""

    def script(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)

    return script


def hangs_up(*parts: bytes, reset: bool = False) -> Script:
    """Return a script that sends these bytes and then closes, or resets, the connection."""

    def script(connection: socket.socket) -> None:
        says(*parts)(connection)
        if reset:
            # Linger with no time is how a socket sends RST instead of FIN.
            linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.close()

    return script


def says_nothing(connection: socket.socket) -> None:
    """Wait until the client gives up."""
    connection.recv(1)


def ok(body: bytes, *headers: str) -> bytes:
    """Return a whole 200 answer."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
