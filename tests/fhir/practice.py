"""A FHIR server as `responses` plays it: one search in pages, and a client to read it."""

from __future__ import annotations

from typing import Any

import responses

from practicefusion_connector.fhir.client import FhirClient
from practicefusion_connector.smart.provider import HostTokens
from practicefusion_connector.transport import Policy, Transport

BASE = "https://ehr.example/fhir/r4"
TOKEN = "token-canary"
POLICY = Policy(requests_per_second=None)


def client(**policy: Any) -> FhirClient:
    """Return a client that holds a token, waits for no jitter and keeps no pace."""
    transport = Transport(
        Policy(requests_per_second=None, **policy), uniform=lambda least, most: least
    )
    return FhirClient(transport, BASE, HostTokens(lambda: TOKEN))


def condition(number: int) -> dict[str, Any]:
    """Return a resource."""
    return {"resourceType": "Condition", "id": f"c{number}"}


def bundle(*resources: dict[str, Any], **links: str) -> dict[str, Any]:
    """Return a searchset without `search.mode`, as Practice Fusion writes it."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": relation, "url": url} for relation, url in links.items()],
        "entry": [{"resource": resource} for resource in resources],
    }


def page_url(number: int) -> str:
    """Return the address of a page of the search for one patient's conditions."""
    return f"{BASE}/Condition?patient=1&page={number}"


def serve_pages(*pages: list[dict[str, Any]]) -> None:
    """Serve these pages, each linked to the next, the first also without a page number."""
    for number, resources in enumerate(pages, 1):
        links = {"next": page_url(number + 1)} if number < len(pages) else {}
        content = bundle(*resources, self=page_url(number), **links)
        responses.get(page_url(number), json=content, content_type="application/fhir+json")
        if number == 1:
            responses.get(
                f"{BASE}/Condition?patient=1", json=content, content_type="application/fhir+json"
            )


def asked() -> list[str]:
    """Return the URLs asked for so far, relative to the base."""
    return [str(call.request.url).removeprefix(BASE) for call in responses.calls]
