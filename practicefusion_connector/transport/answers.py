"""An answer, on its way or read whole, and the typed error where there is none.

It reads bodies within bounds; who sent the request, and what becomes of a failure, it does not
know.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.errors import MissingHeaderBodySeparatorDefect
from typing import Any, TypeVar

import requests
from urllib3 import exceptions as wire
from urllib3.response import GzipDecoderState

from practicefusion_connector import errors
from practicefusion_connector.transport.bounds import TooDeep, Unreadable, parse_json
from practicefusion_connector.transport.connections import Connections
from practicefusion_connector.transport.policy import Policy
from practicefusion_connector.transport.problems import correlation_id
from practicefusion_connector.transport.redaction import path_template
from practicefusion_connector.transport.run import Run

E = TypeVar("E", bound=errors.ConnectorError)
_CHUNK = 32 * 1024
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


class Incoming:
    """An answer on its way: its header is here, its body is read as it arrives; close it."""

    def __init__(
        self,
        response: requests.Response,
        connections: Connections,
        policy: Policy,
        run: Run,
        asked_for: str,
    ) -> None:
        self.url = response.request.url or ""
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._connections = connections
        self._policy = policy
        self._run = run
        self._asked_for = asked_for

    def close(self) -> None:
        """Give the connection back, or end it where the body was not read to its end."""
        self._response.close()

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in pieces of 32 KiB at most, decompressed.

        Raises:
            ConnectorError: the connection broke, the server fell silent, or the run must end.
        """
        while part := self._part():
            if isinstance(part, errors.ConnectorError):
                raise part
            yield part

    def answer(self) -> Answer | errors.ConnectorError:
        """Return the answer read whole, within the policy's bounds, or what went wrong."""
        limit = self._policy.max_body_bytes
        parts: list[bytes] = []
        size = 0
        while part := self._part():
            # A refusal says what it has to say in its header; its Retry-After counts even where
            # the rest of it is lost.
            if isinstance(part, errors.NetworkFailure) and self.status >= 300:
                break
            if isinstance(part, errors.ConnectorError):
                return part
            size += len(part)
            parts.append(part)
            if self.status >= 300 and size >= min(limit, _LONGEST_ERROR):
                break
            if size > limit:
                return errors.ResponseTooLarge(
                    f"The answer for {self._asked_for} is larger than the limit of {limit} bytes.",
                    http_status=self.status,
                    correlation_id=correlation_id(self.headers, {}),
                )
        body, depth = b"".join(parts), self._policy.max_json_depth
        return Answer(self.url, self.status, self.headers, body, depth)

    def header_problem(self) -> errors.ConnectorError | None:
        """Return what is wrong with the header, if anything."""
        # http.client takes the fields before a line that is none, or before the end of the
        # connection, for the whole header; then even the body's length is a guess.
        message = getattr(getattr(self._response.raw, "_original_response", None), "msg", None)
        if any(
            type(d) is MissingHeaderBodySeparatorDefect for d in getattr(message, "defects", ())
        ):
            return errors.NetworkFailure(
                f"The header of the answer for {self._asked_for} is broken."
            )
        size = sum(len(name) + len(value) for name, value in self.headers.items())
        if size > self._policy.max_header_bytes:
            return _headers_too_large(self._asked_for)
        return None

    def _part(self) -> bytes | errors.ConnectorError:
        # One read of the socket at a time: a body that trickles in must not outlive the deadline.
        # No more than a chunk is decompressed at once, so a bomb goes off no further than that.
        try:
            with self._connections.during(self._run, self._policy.read_timeout):
                part: bytes = self._response.raw.read1(_CHUNK, decode_content=True)
            if part:
                self._run.check()
        except FAILURES as error:
            return typed(error, self._run, self._asked_for)
        if not part and _is_cut(self._response.raw):
            return errors.NetworkFailure(
                f"The answer for {self._asked_for} ends before its compression does."
            )
        return part


def _is_cut(raw: Any) -> bool:
    """Say whether a body that was read to its end stops within its compressed stream.

    Where the length is not known, the end of the connection is the end of the body, and urllib3
    asks no further. What follows a stream that is whole is another one, or nothing of the body.
    """
    decoder = getattr(raw, "_decoder", None)
    stream = getattr(decoder, "_obj", None)
    swallows = getattr(decoder, "_state", None) == GzipDecoderState.SWALLOW_DATA
    return bool(raw.tell()) and not swallows and not getattr(stream, "eof", True)


# What the libraries raise while a request is sent or its answer is read.
FAILURES = (
    errors.ConnectorError,
    requests.RequestException,
    wire.HTTPError,
    OSError,
)


def typed(error: Exception, run: Run, asked_for: str) -> errors.ConnectorError:
    """Return the typed error for what the libraries raised, without their texts."""
    if isinstance(error, errors.ConnectorError):
        return error
    if isinstance(error, requests.Timeout | wire.TimeoutError):
        return _too_slow(error, run, asked_for)
    return _network_failure(error, asked_for)


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
