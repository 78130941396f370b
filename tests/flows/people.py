"""What people do in these tests: authorize an application, launch one from the EHR."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urljoin

import requests

from practicefusion_connector.connection import Connection
from practicefusion_connector.registry import shipped
from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.smart import launch
from practicefusion_connector.smart.known_servers import KnownServers
from practicefusion_connector.smart.scopes import scopes_for
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.testing.person import approve, read_forms
from practicefusion_connector.transport import Run, Transport

CALLBACK = "http://127.0.0.1:1/callback"


def connection(sandbox: Sandbox, **fields: Any) -> Connection:
    """Return a connection of the confidential application."""
    given = {
        "fhir_base_url": sandbox.fhir_base_url,
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "redirect_uri": CALLBACK,
    }
    return Connection.of(**(given | fields))


def allow(url: str, person: str = "provider", **choices: Any) -> str:
    """Log in at the authorization URL and allow everything; return the callback URL."""
    return approve(url, person, f"{person}-password", **choices)


def connect(
    wire: Transport,
    servers: KnownServers,
    to: Connection,
    scopes: Iterable[str] | None = None,
    person: str = "provider",
) -> TokenSet:
    """Go through a standalone launch as a person would."""
    run = Run(30)
    endpoints = servers.endpoints(wire, to, run)
    asked = scopes or to.scopes or scopes_for(shipped(), to.level)
    pending = launch.begin(to, endpoints, asked)
    callback = allow(pending.url.get_secret_value(), person)
    return launch.complete(wire, to, endpoints, pending, callback, run, servers=servers)


def launch_from_ehr(sandbox: Sandbox, patient: str) -> str:
    """Open the app from the EHR's page for a patient; return the launch URL it is opened at."""
    with requests.Session() as browser:
        browser.trust_env = False
        parameters = {"client_id": sandbox.client_id, "launch_url": "http://127.0.0.1:1/launch"}
        page = browser.get(f"{sandbox.origin}/launch", params=parameters, timeout=10)
        login = next(form for form in read_forms(page.text) if "password" in form.fields)
        login.fields.update(username="provider", password="provider-password")
        page = browser.post(urljoin(page.url, login.action), data=login.fields, timeout=10)
        chart = next(form for form in read_forms(page.text) if "patient" in form.choices)
        chart.fields |= {"patient": patient, "encounter": "on"}
        opened = browser.post(
            urljoin(page.url, chart.action), data=chart.fields, allow_redirects=False, timeout=10
        )
    return opened.headers["Location"]
