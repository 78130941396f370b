"""Reading and searching one practice's FHIR server with a bearer token.

It sends requests through the transport and refreshes a refused token; it does not know what an
action is for. Every URL it asks lies under the FHIR base.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from practicefusion_connector.errors import ConnectorError, InvalidResponse
from practicefusion_connector.fhir.bundle import Page, read_page
from practicefusion_connector.smart.bearer import authorized
from practicefusion_connector.smart.provider import TokenProvider
from practicefusion_connector.transport import Answer, Run, Transport

_HEADERS = {
    "Accept": "application/fhir+json",
    "Accept-Encoding": "gzip",
    "User-Agent": "practicefusion-connector",
}


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
        def attempt(authorization: Mapping[str, str]) -> Answer:
            headers = {**_HEADERS, **authorization}
            return self._transport.get(url, headers, run, practice=self.base_url)

        return authorized(self._tokens, run, attempt)
