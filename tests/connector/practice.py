"""A connector over a practice that `responses` plays: patient 1 has seven conditions."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses

from practicefusion_connector import Connection, HostTokens, Policy, PracticeFusion, TokenProvider
from practicefusion_connector.transport import Transport

BASE = "https://ehr.example/fhir/r4"
TOKEN = "token-canary"
COUNT = 7
CONDITIONS = [f"c{number}" for number in range(1, COUNT + 1)]


def connector(tokens: TokenProvider | None = None, **policy: Any) -> PracticeFusion:
    """Return a connector that waits for no jitter and keeps no pace."""
    connection = Connection.of(id="north", fhir_base_url=BASE, client_id="app")
    transport = Transport(
        Policy(requests_per_second=None, **policy), uniform=lambda least, most: least
    )
    return PracticeFusion(connection, tokens or HostTokens(lambda: TOKEN), transport=transport)


def condition(name: str) -> dict[str, Any]:
    """Return a resource that is valid FHIR."""
    return {"resourceType": "Condition", "id": name, "subject": {"reference": "Patient/1"}}


def serve_conditions(*, size: int = 3, total: bool = True, provenance: bool = False) -> None:
    """Serve the conditions in pages, and each by its id, as Practice Fusion does."""

    def search(request: Any) -> tuple[int, dict[str, str], str]:
        asked = parse_qs(urlsplit(request.url).query)
        number = int(asked.get("page", ["1"])[0])
        found = CONDITIONS[(number - 1) * size : number * size]
        links = {"self": request.url}
        if number * size < COUNT:
            links["next"] = f"{BASE}/Condition?patient=1&page={number + 1}"
        resources = [condition(name) for name in found]
        if provenance:
            resources.append({"resourceType": "Provenance", "id": f"p{number}"})
        bundle: dict[str, Any] = {
            "resourceType": "Bundle",
            "type": "searchset",
            "link": [{"relation": relation, "url": url} for relation, url in links.items()],
            "entry": [{"resource": resource} for resource in resources],
            **({"total": COUNT} if total else {}),
        }
        headers = {"Content-Type": "application/fhir+json", "pfCorrelationId": f"page-{number}"}
        return 200, headers, json.dumps(bundle)

    responses.add_callback(responses.GET, f"{BASE}/Condition", search)
    for name in CONDITIONS:
        responses.get(
            f"{BASE}/Condition/{name}",
            json=condition(name),
            content_type="application/fhir+json",
        )


def ids(resources: list[dict[str, Any]]) -> list[str]:
    """Return the ids of resources."""
    return [resource["id"] for resource in resources]


def asked() -> int:
    """Return how many requests there were."""
    return len(responses.calls)
