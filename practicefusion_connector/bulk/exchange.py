"""Requests of an export: sent with the access token where it may go, a refused token replaced.

Polling goes on for hours and tokens live for minutes, so each request asks the provider anew. It
knows what a token is, and nothing of manifests or files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from threading import Event
from typing import TypeVar

import requests
from requests.structures import CaseInsensitiveDict

from practicefusion_connector.bulk.manifest import same_origin
from practicefusion_connector.errors import (
    AuthExpired,
    InvalidConfig,
    InvalidResponse,
    ReauthRequired,
)
from practicefusion_connector.smart.provider import TokenProvider
from practicefusion_connector.transport import Answer, Incoming, Run, Transport

T = TypeVar("T")

# A refresh by another worker kills the token in flight here, so one 401 proves little; three
# different tokens refused in a row do.
_TOKENS_TRIED = 3
_TOKEN = re.compile(r"[\x21-\x7e]+")


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

        return self._with_token(attempt, run)

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

            yield self._with_token(attempt, run) if entitled else attempt({})

    def _with_token(self, attempt: Callable[[Mapping[str, str]], T], run: Run) -> T:
        rejected: str | None = None
        for _ in range(_TOKENS_TRIED):
            token = self.tokens.access_token(run, rejected=rejected)
            if token is None:
                return attempt({})
            if not _TOKEN.fullmatch(token):
                raise InvalidConfig(
                    "The access token cannot be sent: it is empty, or holds a space, a line break "
                    "or a letter outside ASCII."
                )
            try:
                return attempt({"Authorization": f"Bearer {token}"})
            except AuthExpired:
                rejected = token
        raise ReauthRequired(
            "The server refuses every access token of this connection, fresh ones too; connect "
            "again."
        )


def _prepared(method: str, url: str, headers: Mapping[str, str]) -> requests.PreparedRequest:
    request = requests.PreparedRequest()
    request.method, request.url = method, url
    own = {"Accept-Encoding": "gzip", "User-Agent": "practicefusion-connector"}
    request.headers = CaseInsensitiveDict({**own, **headers})
    request.hooks = {"response": []}
    return request
