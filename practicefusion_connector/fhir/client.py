"""Reading and searching one practice's FHIR server with a bearer token.

It sends requests through the transport and refreshes a refused token; it does not know what an
action is for. Every URL it asks lies under the FHIR base.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from practicefusion_connector.errors import (
    AuthExpired,
    ConnectorError,
    InvalidConfig,
    InvalidResponse,
    ReauthRequired,
)
from practicefusion_connector.fhir.bundle import Page, read_page
from practicefusion_connector.smart.provider import TokenProvider
from practicefusion_connector.transport import Answer, Run, Transport

# A refresh by another worker kills the token in flight here, so one 401 proves little; three
# different tokens refused in a row do.
_TOKENS_TRIED = 3
# Wider than RFC 6750 §2.1; the standard library's own refusal would quote the token.
_TOKEN = re.compile(r"[\x21-\x7e]+")


class FhirClient:
    """One practice's FHIR server; safe to share between threads."""

    def __init__(self, transport: Transport, base_url: str, tokens: TokenProvider) -> None:
        self._transport = transport
        self.base_url = base_url
        self._tokens = tokens

    def read(self, resource: str, logical_id: str, run: Run) -> dict[str, Any]:
        """Return one resource (FHIR R4 http §3.1.0.1).

        Raises:
            NotFound: there is none with this id.
            InvalidResponse: the server gave another resource.
        """
        answer = self._get(f"{self.base_url}/{resource}/{logical_id}", run)
        found = answer.json()
        run.warnings.extend(answer.remarks())
        if not isinstance(found, dict) or found.get("resourceType") != resource:
            got = "something else"
        elif found.get("id") != logical_id:
            got = f"another {resource}"
        else:
            return found
        raise answer.named(InvalidResponse(f"The server answered a {resource} read with {got}."))

    def search_url(self, resource: str, query: Iterable[tuple[str, str]]) -> str:
        """Return the URL of a search's first page."""
        encoded = urlencode(list(query))
        return f"{self.base_url}/{resource}" + (f"?{encoded}" if encoded else "")

    def page(self, resource: str, url: str, run: Run) -> Page:
        """Return one page of a search (FHIR R4 search §3.1.1)."""
        answer = self._get(url, run)
        run.trace.pages += 1
        limit = self._transport.policy.max_entries
        try:
            page = read_page(answer.json(), resource, url, limit)
        except ConnectorError as error:
            answer.named(error)
            raise
        page.warnings.extend(answer.remarks())
        return replace(page, size=len(answer.body))

    def _get(self, url: str, run: Run) -> Answer:
        rejected: str | None = None
        for _ in range(_TOKENS_TRIED):
            token = self._tokens.access_token(run, rejected=rejected)
            if token is not None and not _TOKEN.fullmatch(token):
                raise InvalidConfig(
                    "The access token cannot be sent: it is empty, or holds a space, a line break "
                    "or a letter outside ASCII."
                )
            try:
                return self._transport.get(url, _headers(token), run, practice=self.base_url)
            except AuthExpired:
                if token is None:
                    raise ReauthRequired(
                        "The server wants an access token; connect first."
                    ) from None
                rejected = token
        raise ReauthRequired(
            "The server refuses every access token of this connection, fresh ones too; connect "
            "again."
        )


def _headers(token: str | None) -> dict[str, str]:
    headers = {
        "Accept": "application/fhir+json",
        "Accept-Encoding": "gzip",
        "User-Agent": "practicefusion-connector",
    }
    return headers if token is None else {**headers, "Authorization": f"Bearer {token}"}
