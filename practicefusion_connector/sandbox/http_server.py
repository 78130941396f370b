"""The HTTP server: threads, keep-alive, quiet.

werkzeug's development server closes every connection. Real servers do not, and a client's
connection reuse is worth testing, so this handler reads the whole body, answers with a length and
keeps the connection. Knows no route.
"""

from __future__ import annotations

import io
import socket
import threading
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_LONGEST = 1_000_000

STREAMED = "practicefusion.streamed"
"""Set in the WSGI environment by a route whose body may be larger than memory."""


class KeepAliveHandler(WSGIRequestHandler):
    """HTTP/1.1 with persistent connections. Bodies must have a Content-Length."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def version_string(self) -> str:
        """The Server header."""
        return "practicefusion-sandbox"

    def run_wsgi(self) -> None:
        """Answer one request."""
        environ = self.make_environ()
        refusal = self._refusal()
        if refusal is not None:
            self.close_connection = True
            return self._send(refusal, environ)
        length = int(self.headers.get("Content-Length") or 0)
        environ["wsgi.input"] = io.BytesIO(self.rfile.read(length) if length else b"")
        response = Response.from_app(self.server.app, environ)
        try:
            if environ.get(STREAMED):
                self._send_as_it_comes(response)
            else:
                self._send(response, environ)
        finally:
            response.close()
        return None

    def _refusal(self) -> Response | None:
        """The answer to a body that will not be read; the connection is of no use after it."""
        if "Transfer-Encoding" in self.headers:
            return Response("A Content-Length is required.", status=411)
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal():
            return Response("The Content-Length is not a number.", status=400)
        return Response("The body is too long.", status=413) if int(length) > _LONGEST else None

    def _send(self, response: Response, environ: dict[str, Any]) -> None:
        body = response.get_data()
        self.send_response(response.status_code)
        for name, value in response.headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        if not (response.status_code < 200 or response.status_code in (204, 304)):
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if environ["REQUEST_METHOD"] != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _send_as_it_comes(self, response: Response) -> None:
        """Send a body piece by piece, chunked where its length is not known."""
        chunked = "Content-Length" not in response.headers
        self.send_response(response.status_code)
        for name, value in response.headers:
            self.send_header(name, value)
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in filter(None, response.iter_encoded()):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: a request line may hold names and codes of patients."""

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing, for the same reason."""


class SandboxServer(ThreadedWSGIServer):
    """A threaded server that also closes the connections clients left open."""

    request_queue_size = 128

    def __init__(self, host: str, port: int) -> None:
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(host, port, _not_ready, handler=KeepAliveHandler)

    def serve(self, application: WSGIApplication) -> None:
        """Answer requests in the calling thread until `stop`."""
        self.app = application
        self.serve_forever(poll_interval=0.01)

    def stop(self) -> None:
        """End `serve`, then every open connection."""
        self.shutdown()
        self.server_close()
        with self._connections_lock:
            open_connections = list(self._connections)
        for connection in open_connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection while it is open."""
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection when it ends."""
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is not worth a traceback on the console."""


def _not_ready(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("503 Service Unavailable", [("Content-Length", "0")])
    return []
