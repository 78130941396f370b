"""One request over the wire: an answer read whole and within bounds, or a typed error.

It picks the connections a request may use, and knows nothing of retries, OAuth or FHIR.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.errors import MissingHeaderBodySeparatorDefect
from typing import TypeVar
from urllib.parse import urlsplit

import requests
from urllib3 import exceptions as wire

from practicefusion_connector import errors
from practicefusion_connector.transport.addresses import Kind, kinds_at
from practicefusion_connector.transport.bounds import TooDeep, Unreadable, parse_json
from practicefusion_connector.transport.connections import Connections
from practicefusion_connector.transport.policy import Policy
from practicefusion_connector.transport.problems import correlation_id
from practicefusion_connector.transport.redaction import path_template
from practicefusion_connector.transport.run import Run

E = TypeVar("E", bound=errors.ConnectorError)
_CHUNK = 64 * 1024
# What goes wrong is said in the first bytes; a failing server's page may be of any size.
_LONGEST_ERROR = 64 * 1024
# OpenSSL's names for what trying again will not change: a certificate, or a port without TLS.
_NOT_TRUSTED = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read whole (one that is not 2xx: its first 64 KiB)."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    max_depth: int = 64

    def json(self) -> object:
        """Return the parsed body.

        Raises:
            InvalidResponse: it is not JSON, or JSON that can be read in two ways.
            ResponseTooLarge: it is nested deeper than the limit.
        """
        kind: type[errors.ConnectorError] = errors.InvalidResponse
        try:
            return parse_json(self.body, self.max_depth)
        except Unreadable as error:
            why = str(error)
            if isinstance(error, TooDeep):
                kind = errors.ResponseTooLarge
        raise self.named(
            kind(
                f"The server's answer for {path_template(self.url)} {why} "
                f"({self.content_type or 'no content type'}, {len(self.body)} bytes)."
            )
        )

    def named(self, error: E) -> E:
        """Return `error` with the status and the server's own id of this answer."""
        error.http_status = self.status
        error.correlation_id = correlation_id(self.headers, {})
        return error

    @property
    def content_type(self) -> str:
        """The media type in small letters, without parameters; empty where none was sent."""
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()

    def remarks(self) -> Iterator[errors.ActionWarning]:
        """Yield what is odd about an answer that could be read all the same."""
        if not self.content_type.removesuffix("+fhir").endswith("json"):
            yield errors.ActionWarning(
                "unexpected_content_type", "The server sent JSON under another content type."
            )


class Wire:
    """Sends single requests; safe to share between threads."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._proxies = dict(policy.proxies)
        # Apart, so that a connection opened to a place inside for one practice serves no other.
        self._connections: dict[frozenset[Kind] | None, Connections] = {}

    def close(self) -> None:
        """Close every pooled connection."""
        for connections in self._connections.values():
            connections.close()

    def exchange(
        self, request: requests.PreparedRequest, run: Run, practice: str | None, asked_for: str
    ) -> Answer | errors.ConnectorError:
        """Send once and read the answer.

        Errors are returned, to be raised outside the handler: the text of the libraries' own
        exceptions holds the URL with its query, and an exception's context would carry it along.

        Args:
            practice: the FHIR base URL of the connection; `None` where the request goes to an
                address its caller vouches for.
            asked_for: a path template safe to show.
        """
        policy, left = self._policy, max(run.remaining(), 0.001)
        url = request.url or ""
        try:
            connections = self._connections_for(url, practice)
            with connections.during(run, policy.read_timeout):
                response = connections.send(
                    request,
                    stream=True,
                    timeout=(min(policy.connect_timeout, left), min(policy.read_timeout, left)),
                    verify=policy.ca_bundle or True,
                    proxies=self._proxies,
                )
                try:
                    self._check_headers(response, asked_for)
                    body = self._read(response, run, asked_for)
                finally:
                    response.close()
        except errors.ConnectorError as error:
            return error
        except (requests.Timeout, wire.TimeoutError) as error:
            return _too_slow(error, run, asked_for)
        except (requests.RequestException, wire.HTTPError, OSError) as error:
            return _network_failure(error, asked_for)
        return Answer(url, response.status_code, response.headers, body, policy.max_json_depth)

    def _connections_for(self, url: str, practice: str | None) -> Connections:
        """Return connections that may go to the practice's own places inside, and to no others."""
        allowed: frozenset[Kind] | None
        if self._policy.public_addresses_only:
            allowed = frozenset()
        elif practice is None or url.startswith(practice):
            allowed = None
        else:
            here, there = urlsplit(practice).hostname or "", urlsplit(url).hostname
            allowed = None if here == there else kinds_at(here)
        # `setdefault` is one step; an adapter too many, made by another thread, has no sockets yet.
        return self._connections.get(allowed) or self._connections.setdefault(
            allowed, Connections(allowed)
        )

    def _check_headers(self, response: requests.Response, asked_for: str) -> None:
        # http.client takes the fields before a line that is none, or before the end of the
        # connection, for the whole header; then even the body's length is a guess.
        message = getattr(getattr(response.raw, "_original_response", None), "msg", None)
        if any(
            type(d) is MissingHeaderBodySeparatorDefect for d in getattr(message, "defects", ())
        ):
            raise errors.NetworkFailure(f"The header of the answer for {asked_for} is broken.")
        size = sum(len(name) + len(value) for name, value in response.headers.items())
        if size > self._policy.max_header_bytes:
            raise _headers_too_large(asked_for)

    def _read(self, response: requests.Response, run: Run, asked_for: str) -> bytes:
        limit = self._policy.max_body_bytes
        parts: list[bytes] = []
        size = 0
        # One read of the socket at a time: a body that trickles in must not outlive the deadline.
        # No more than a chunk is decompressed at once, so a bomb goes off no further than that.
        while part := response.raw.read1(_CHUNK, decode_content=True):
            size += len(part)
            parts.append(part)
            if response.status_code >= 300 and size >= _LONGEST_ERROR:
                break
            if size > limit:
                raise errors.ResponseTooLarge(
                    f"The answer for {asked_for} is larger than the limit of {limit} bytes.",
                    http_status=response.status_code,
                    correlation_id=correlation_id(response.headers, {}),
                )
            run.check()
        return b"".join(parts)


def _too_slow(error: Exception, run: Run, asked_for: str) -> errors.ConnectorError:
    if run.remaining() <= 0:
        return errors.DeadlineExceeded(f"The action's deadline passed for {asked_for}.")
    if isinstance(error, requests.ConnectTimeout):
        return errors.ConnectFailure(f"The server was not reached in time for {asked_for}.")
    return errors.Timeout(f"The server did not answer in time for {asked_for}.")


def _network_failure(error: Exception, asked_for: str) -> errors.ConnectorError:
    if any(sign in str(error) for sign in _NOT_TRUSTED):
        return errors.InvalidConfig(
            f"The server's TLS certificate could not be verified for {asked_for}; "
            "check the base URL, or name the right certificate authorities."
        )
    if isinstance(error, wire.DecodeError):
        return errors.InvalidResponse(f"The answer for {asked_for} could not be decompressed.")
    reason = error.args[0] if error.args else None
    # Any other reason, a broken TLS session for one, may have come after the request was sent.
    if isinstance(reason, wire.MaxRetryError) and isinstance(
        reason.reason, wire.NewConnectionError
    ):
        return errors.ConnectFailure(f"The server could not be reached for {asked_for}.")
    if isinstance(reason, wire.ProtocolError) and _too_many_headers(reason.args[-1]):
        return _headers_too_large(asked_for)
    return errors.NetworkFailure(f"The connection to the server broke off for {asked_for}.")


def _too_many_headers(reason: object) -> bool:
    # http.client has limits of its own: 100 fields, and 64 KiB for a line.
    return isinstance(reason, http.client.LineTooLong) or type(reason) is http.client.HTTPException


def _headers_too_large(asked_for: str) -> errors.ResponseTooLarge:
    return errors.ResponseTooLarge(f"The header of the answer for {asked_for} is too large.")
