"""Receives one authorization callback on loopback (RFC 8252 §7.3), with the standard library.

It listens on the redirect URI's own port, answers the first request to its path that carries an
answer, and stops. Whether that answer is the right one is for `smart.launch` to say.
"""

from __future__ import annotations

import socket
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from practicefusion_connector.connection import is_loopback
from practicefusion_connector.errors import InvalidConfig, ReauthRequired

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Practice Fusion connector</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:30rem;padding:0 1rem}}
</style></head><body><h1>{title}</h1><p>{text}</p></body></html>
"""
_RECEIVED = _PAGE.format(
    title="The practice has answered",
    text="You can close this window. The terminal says how it went.",
)
_ELSEWHERE = _PAGE.format(title="Nothing here", text="This address waits for a sign-in only.")
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Connection": "close",
}


def can_receive(redirect_uri: str) -> bool:
    """Say whether the browser coming back to `redirect_uri` can be met on this machine."""
    parts = urlsplit(redirect_uri)
    return parts.scheme == "http" and is_loopback(parts.hostname)


class Receiver:
    """Listens for one callback; port 0 in the redirect URI takes any free port.

    Raises:
        InvalidConfig: the port cannot be listened on.
    """

    def __init__(self, redirect_uri: str) -> None:
        parts = urlsplit(redirect_uri)
        host, wanted = parts.hostname or "", 80 if parts.port is None else parts.port
        try:
            self._server = _Server((host, wanted), parts.path or "/")
        except OSError as error:
            raise InvalidConfig(
                f"Port {wanted} of the redirect URI cannot be listened on ({error.strerror}); "
                "free it, give another --redirect-uri, or use --no-browser."
            ) from None
        self.redirect_uri = redirect_uri
        if parts.port == 0:
            shown = f"[{host}]" if ":" in host else host
            netloc = f"{shown}:{self._server.server_address[1]}"
            self.redirect_uri = parts._replace(netloc=netloc).geturl()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def wait(self, seconds: float) -> str:
        """Return the URL the browser came back to.

        Raises:
            ReauthRequired: nobody came back in time.
        """
        ends = time.monotonic() + seconds
        while self._server.query is None:
            left = ends - time.monotonic()
            if left <= 0:
                raise ReauthRequired(
                    f"Nobody came back from the sign-in within {seconds:g} s; connect again, with "
                    "--no-browser where the browser is on another machine."
                )
            self._server.timeout = left
            self._server.handle_request()
        return f"{self.redirect_uri}?{self._server.query}"


class _Server(HTTPServer):
    def __init__(self, address: tuple[str, int], path: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.path = path
        self.query: str | None = None
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that went away is not worth a traceback on the terminal."""


class _Handler(BaseHTTPRequestHandler):
    # A connection that says nothing must not hold up the browser's.
    timeout = 5
    server: _Server

    def do_GET(self) -> None:
        """Take the first answer to the authorization request; everything else is not here."""
        asked = urlsplit(self.path)
        answers = parse_qs(asked.query).keys() & {"code", "error"}
        if asked.path == self.server.path and answers and self.server.query is None:
            self.server.query = asked.query
            self._answer(200, _RECEIVED)
        else:
            self._answer(404, _ELSEWHERE)

    def _answer(self, status: int, page: str) -> None:
        body = page.encode()
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the request line holds the authorization code."""
