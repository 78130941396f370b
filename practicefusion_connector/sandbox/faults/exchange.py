"""One exchange that a fault is done to, and the register of the kinds of faults.

A fault is a function from an `Exchange` to the answer sent instead. It may ask the practice for
the real answer and spoil it, answer by itself, or write to the socket and drop the connection.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.faults.profile import FaultProfile

Asked = Literal["read", "search", "token"]


class Exchange:
    """One request, the way to its real answer, and the socket it came over."""

    def __init__(
        self,
        environ: dict[str, Any],
        profile: FaultProfile,
        real: Callable[[], Response],
        expire: Callable[[str], None],
    ) -> None:
        self.environ = environ
        self.profile = profile
        self.expire = expire
        self._real = real

    @cached_property
    def answer(self) -> Response:
        """The practice's own answer."""
        return self._real()

    @property
    def url(self) -> str:
        """The URL as the client wrote it."""
        host, path = self.environ["HTTP_HOST"], self.environ["PATH_INFO"]
        query = self.environ.get("QUERY_STRING", "")
        return f"http://{host}{path}" + (f"?{query}" if query else "")

    def good(self) -> bool:
        """Whether the real answer is one that can be spoilt: JSON, and no refusal."""
        return self.answer.status_code == 200 and "json" in (self.answer.content_type or "")

    def changed(self, change: Callable[[dict[str, Any]], None]) -> Response:
        """The real answer with its JSON changed in place."""
        if not self.good():
            return self.answer
        body = json.loads(self.answer.get_data())
        change(body)
        return self.with_body(json.dumps(body, separators=(",", ":")).encode())

    def with_body(self, body: bytes) -> Response:
        """The real answer with another body."""
        if not self.good():
            return self.answer
        self.answer.set_data(body)
        return self.answer

    def drop(self, sent: bytes = b"", *, reset: bool = False) -> Response:
        """Send raw bytes and end the connection; never returns."""
        raw: socket.socket = self.environ["werkzeug.socket"]
        raw.sendall(sent)
        if reset:
            # Lingering for no time is how a socket says RST instead of FIN.
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.close(raw.detach())
        raise ConnectionAbortedError("A fault ended this connection.")

    def raw(self) -> tuple[bytes, bytes]:
        """Head and body of the real answer as they would go over the wire, to be closed after."""
        body = self.answer.get_data()
        fields = [f"{n}: {v}" for n, v in self.answer.headers if n.lower() != "content-length"]
        lines = [f"HTTP/1.1 {self.answer.status}", *fields, f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"), body


Fault = Callable[[Exchange], Response]


@dataclass(frozen=True)
class Kind:
    """One kind: what it does, and to which requests it can be done."""

    fault: Fault
    asked: frozenset[Asked]


KINDS: dict[str, Kind] = {}


def kind(name: str, *asked: Asked) -> Callable[[Fault], Fault]:
    """Register a fault under a name."""

    def register(fault: Fault) -> Fault:
        KINDS[name] = Kind(fault, frozenset(asked or ("read", "search")))
        return fault

    return register
