"""The node server in `node/`, and what it holds: looked at over HTTP, as any client would."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from practicefusion_connector.smart.provider import NoTokens
from practicefusion_connector.sync import Bounds, FhirServer, FhirTarget, Pace
from practicefusion_connector.transport import Policy, Transport

NODE = Path(__file__).parent / "node"
SYSTEM = "https://practicefusion.com/fhir"


@contextmanager
def running(faults: int) -> Iterator[str]:
    """Run the server and give its base URL; skip where its packages are not installed."""
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules").is_dir():
        pytest.skip("service missing: node packages (npm install in tests/sync/node)")
    with subprocess.Popen(
        [node, str(NODE / "server.mjs")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "FAULTS": str(faults)},
    ) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def reset(base_url: str) -> None:
    """Let the server forget everything."""
    answer = requests.post(base_url.replace("/fhir/R4", "/reset"), timeout=60)
    assert answer.status_code == 200


@contextmanager
def target_at(
    base_url: str, *, bounds: Bounds | None = None, source: str | None = None
) -> Iterator[FhirTarget]:
    """Give a target that writes to the server; failures are waited for in milliseconds."""
    transport = Transport(Policy(backoff=0.005, read_timeout=60.0))
    pace = Pace(bounds)
    server = FhirServer(transport, base_url, NoTokens(), pace)
    try:
        yield FhirTarget(
            server, source=source, size=lambda: pace.size, workers=lambda: pace.workers
        )
    finally:
        transport.close()


class Held:
    """What the server holds, found by the ids of the source."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url
        self._http = requests.Session()
        self._http.trust_env = False

    def close(self) -> None:
        self._http.close()

    def every(self, kind: str) -> list[dict[str, Any]]:
        """Return all resources of a type."""
        answer = self._http.get(f"{self._base}/{kind}?_count=10000", timeout=60)
        assert answer.status_code == 200
        return [entry["resource"] for entry in answer.json().get("entry", ())]

    def by_source_id(self, kind: str) -> dict[str, list[dict[str, Any]]]:
        """Return all resources of a type by their id at the source."""
        found: dict[str, list[dict[str, Any]]] = {}
        for resource in self.every(kind):
            found.setdefault(source_id(resource), []).append(resource)
        return found

    def read(self, reference: str) -> dict[str, Any] | None:
        """Follow a reference."""
        answer = self._http.get(f"{self._base}/{quote(reference)}", timeout=60)
        return answer.json() if answer.status_code == 200 else None


def source_id(resource: dict[str, Any]) -> str:
    """Return the id of the source that a resource of the target carries."""
    system = f"{SYSTEM}/{resource['resourceType']}-id"
    identifiers = resource.get("identifier", [])
    listed = identifiers if isinstance(identifiers, list) else [identifiers]
    given = [
        *((each.get("system"), each.get("value")) for each in listed),
        *((tag.get("system"), tag.get("code")) for tag in resource.get("meta", {}).get("tag", ())),
    ]
    (found,) = [value for each, value in given if each == system]
    return str(found)
