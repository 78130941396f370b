"""Calls to a practice's portal with a bearer token: what goes out, and what may be tried again.

It knows URLs, tokens and media types; what the XML means is read elsewhere. Where a token is
refused the call is repeated with another: a 401 means that nothing was done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode, urlsplit

import requests

from practicefusion_connector import errors
from practicefusion_connector.errors import ConnectorError, InvalidResponse
from practicefusion_connector.fhir.links import within
from practicefusion_connector.medfusion.connection import MedfusionConnection
from practicefusion_connector.medfusion.cursors import Since, parameter
from practicefusion_connector.smart.bearer import authorized
from practicefusion_connector.smart.provider import TokenProvider
from practicefusion_connector.transport import Answer, Run, Transport

_XML = "application/xml"
# Errors that say the server did not take what was sent.
_NOT_TAKEN = (
    errors.Rejected,
    errors.AuthError,
    errors.Forbidden,
    errors.NotFound,
    errors.RateLimited,
    errors.ConnectFailure,
    errors.InvalidConfig,
)
_REFUSED = (
    "The portal refuses every access token of this connection, fresh ones too; connect again."
)


@dataclass(slots=True)
class Posting:
    """A batch to send; `open` says, after an error, that the portal may have taken it."""

    body: bytes
    open: bool = False


class PortalServer:
    """One practice's portal; safe to share between threads."""

    def __init__(
        self, transport: Transport, connection: MedfusionConnection, tokens: TokenProvider
    ) -> None:
        self.connection = connection
        self.transport = transport
        self._tokens = tokens

    def post_batch(self, posting: Posting, run: Run) -> Answer:
        """Send a PatientBatch; repeated only where the portal surely did not take it."""
        return self._send("POST", self.connection.patients_url, run, posting)

    def get_status(self, status_url: str, run: Run) -> Answer:
        """Ask how far the processing of one batch is."""
        return self._send("GET", status_url, run)

    def get_changes(self, since: Since | None, run: Run) -> Answer:
        """Ask for patients who changed since a moment: up to 100, 204 where there are none."""
        told = parameter(since, self.connection.since_unit)
        query = urlencode({"since": told}, safe=",")
        return self._send("GET", f"{self.connection.patients_url}?{query}", run)

    def status_url(self, url: str) -> str | None:
        """Return a status URL where it is one of this practice's; tokens go nowhere else."""
        try:
            resolved = within(self.connection.server, url, of=self.connection.patients_url)
        except InvalidResponse:
            return None
        inside = f"/practice/{self.connection.practice_id}/processingStatus/".lower()
        return resolved if inside in urlsplit(resolved).path.lower() else None

    def _send(self, method: str, url: str, run: Run, posting: Posting | None = None) -> Answer:
        body = posting.body if posting else None

        def attempt(authorization: Mapping[str, str]) -> Answer:
            request = _request(method, url, body, authorization)
            once = partial(self.transport.send, request, run, practice=self.connection.server)
            before = run.trace.attempts
            try:
                return self.transport.retrying(once, run, idempotent=body is None)
            except ConnectorError as error:
                if posting:
                    # A count that did not move says that no request went out.
                    sent = run.trace.attempts > before
                    posting.open = sent and not _surely_not_taken(error)
                raise

        return authorized(self._tokens, run, attempt, refused=_REFUSED)


def _surely_not_taken(error: ConnectorError) -> bool:
    return isinstance(error, _NOT_TAKEN) or error.http_status == 503


def _request(
    method: str, url: str, body: bytes | None, authorization: Mapping[str, str]
) -> requests.PreparedRequest:
    headers = {
        "Accept": _XML,
        "Accept-Encoding": "gzip",
        "User-Agent": "practicefusion-connector",
        **authorization,
    }
    if body is not None:
        headers["Content-Type"] = _XML
    return requests.Request(method, url, headers, data=body).prepare()
