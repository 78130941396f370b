"""Health over HTTP: `GET /health` says what the service is doing, `POST /run` begins a run.

`/health` answers 200 while the service is healthy and 503 otherwise, for whatever watches it. It
holds counts and times, no record. `/run` is for this machine alone: it is refused where the server
listens on another address, and to web pages, whose browsers say where a request comes from.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from practicefusion_connector.connection import is_loopback
from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.sync.service import SyncService

# Seconds for a client to ask: one that never does must not keep its thread.
_PATIENCE = 10.0
_logger = logging.getLogger("practicefusion_connector")


@contextmanager
def serving(service: SyncService, host: str, port: int) -> Iterator[str]:
    """Serve the health of a service, and give the address.

    Raises:
        InvalidConfig: the port cannot be listened on.
    """
    try:
        server = _Server((host, port), _handler(service, local=is_loopback(host)))
    except OSError as error:
        raise InvalidConfig(
            f"Health cannot be served on port {port} ({error.strerror}); set another one."
        ) from None
    thread = threading.Thread(
        target=server.serve_forever, args=(0.1,), name="practicefusion-health"
    )
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of who goes away before the answer; of a defect, only its name."""
        error = sys.exception()
        if not isinstance(error, OSError):
            _logger.error("Health was asked for and not told: %s.", type(error).__name__)


def _handler(service: SyncService, *, local: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE

        def do_GET(self) -> None:
            if not self._asks_for("/health"):
                self._answer(404, {"error": "There is /health, and POST /run."})
                return
            health = service.health()
            self._answer(200 if health["healthy"] else 503, health)

        def do_POST(self) -> None:
            named = is_loopback(_host(self.headers.get("Host", "")))
            if not self._asks_for("/run"):
                self._answer(404, {"error": "There is /health, and POST /run."})
            elif not (local and named) or self.headers.get("Origin"):
                self._answer(403, {"error": "A run is begun from this machine alone."})
            elif service.trigger():
                self._answer(202, {"started": True})
            else:
                self._answer(409, {"error": "A run is under way."})

        def _asks_for(self, path: str) -> bool:
            return self.path.partition("?")[0] == path

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Say nothing: health is asked for every few seconds."""

    return Handler


def _host(header: str) -> str | None:
    """Return the host that a request names, or `None` where it names none."""
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None
