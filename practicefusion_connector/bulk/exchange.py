"""Requests of an export: sent with the access token where it may go, a refused token replaced.

Polling goes on for hours and tokens live for minutes, so each request asks the provider anew. It
knows what a token is, and nothing of manifests or files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from threading import Event

import requests
from requests.structures import CaseInsensitiveDict

from practicefusion_connector.bulk.manifest import same_origin
from practicefusion_connector.errors import InvalidResponse
from practicefusion_connector.smart.bearer import authorized
from practicefusion_connector.smart.provider import TokenProvider
from practicefusion_connector.transport import Answer, Incoming, Run, Transport


class Exchange:
    """Sends the requests of one export; safe to share between threads."""

    def __init__(
        self,
        transport: Transport,
        base_url: str,
        tokens: TokenProvider,
        cancel: Event | None = None,
    ) -> None:
        self.transport = transport
        self.base_url = base_url
        self.tokens = tokens
        self.cancel = cancel

    def run(self, deadline: float | None = None) -> Run:
        """Begin a run of its own for one step; the policy's deadline where none is given."""
        limit = self.transport.policy.deadline if deadline is None else deadline
        return Run(limit, cancel=self.cancel)

    def once(self, method: str, url: str, run: Run, headers: Mapping[str, str]) -> Answer:
        """Send one request with the access token; only a refused token makes it two.

        Raises:
            InvalidResponse: the URL is not on the FHIR server's own origin.
        """
        if not same_origin(self.base_url, url):
            raise InvalidResponse(
                "The server's export lives on another server; it is not asked, because the access "
                "token would go along."
            )

        def attempt(authorization: Mapping[str, str]) -> Answer:
            request = _prepared(method, url, {**headers, **authorization})
            return self.transport.send(request, run, practice=self.base_url)

        return authorized(self.tokens, run, attempt)

    @contextmanager
    def stream(
        self, url: str, run: Run, headers: Mapping[str, str], *, entitled: bool
    ) -> Iterator[Incoming]:
        """Give the answer to one GET while its body is on its way; a token only where entitled."""
        with ExitStack() as stack:

            def attempt(authorization: Mapping[str, str]) -> Incoming:
                request = _prepared("GET", url, {**headers, **authorization})
                opened = self.transport.stream(request, run, practice=self.base_url)
                return stack.enter_context(opened)

            yield authorized(self.tokens, run, attempt) if entitled else attempt({})


def _prepared(method: str, url: str, headers: Mapping[str, str]) -> requests.PreparedRequest:
    request = requests.PreparedRequest()
    request.method, request.url = method, url
    own = {"Accept-Encoding": "gzip", "User-Agent": "practicefusion-connector"}
    request.headers = CaseInsensitiveDict({**own, **headers})
    request.hooks = {"response": []}
    return request
