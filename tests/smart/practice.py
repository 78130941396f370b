"""A practice as `responses` plays it, and a connection to it with secrets worth looking for."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import responses

from practicefusion_connector.connection import Connection
from practicefusion_connector.smart.discovery import Endpoints
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.transport import Policy, Transport

# An address and no name: calls to another host than the practice's ask the DNS about the practice.
BASE = "https://203.0.113.7/fhir/r4/v1/practice"
AUTHORIZE = "https://login.example/oauth/authorize"
TOKEN = "https://login.example/oauth/token"
ENDPOINTS = Endpoints(AUTHORIZE, TOKEN, issuer="https://login.example")
SECRET = "secret+canary/with="
ACCESS, REFRESH, CODE = "access-canary", "refresh-canary", "code-canary"
NOW = 1_795_221_200.0


def connection(**fields: Any) -> Connection:
    """Return a provider's connection; fields given replace its own."""
    usual: dict[str, Any] = {
        "fhir_base_url": BASE,
        "client_id": "app id",
        "client_secret": SECRET,
        "redirect_uri": "https://host.example/callback",
    }
    return Connection.of(**(usual | fields))


def transport() -> Transport:
    """Return a transport with a fixed clock, no jitter and no pace."""
    policy = Policy(requests_per_second=None)
    return Transport(policy, clock=lambda: NOW, uniform=lambda least, most: least)


def tokens(**fields: Any) -> TokenSet:
    """Return a set of tokens issued now, good for 300 seconds."""
    usual: dict[str, Any] = {
        "access_token": ACCESS,
        "refresh_token": REFRESH,
        "scope": ("user/Patient.read",),
        "issued_at": NOW,
        "expires_at": NOW + 300,
        "context": {"patient": "p1"},
    }
    return TokenSet(**(usual | fields))


def granted(**fields: Any) -> dict[str, Any]:
    """Return a token endpoint's good answer."""
    return {"access_token": "new-access", "token_type": "Bearer", "expires_in": 300} | fields


def form(call: responses.Call) -> dict[str, str]:
    """Return the form fields of a request."""
    body = call.request.body or ""
    return dict(parse_qsl(body.decode() if isinstance(body, bytes) else str(body)))
