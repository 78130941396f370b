"""A requests-oauthlib session that sends through the connector's transport.

Also how an application proves who it is at the endpoints that take tokens: one place for the
secret in the body, in the header, and for the signed assertion.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlsplit

import requests
from oauthlib.oauth2 import Client
from requests.adapters import BaseAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from practicefusion_connector.connection import Connection
from practicefusion_connector.transport import Run, Transport

_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Proof(NamedTuple):
    """Who the application is: members for the body, or an Authorization header."""

    body: dict[str, Any]
    auth: AuthBase | None


def open_session(
    transport: Transport,
    connection: Connection,
    run: Run,
    scheme: str,
    client: Client | None = None,
) -> OAuth2Session:
    """Return a session whose requests go through `transport`, with `scheme` for the real one."""
    # No scope is given to the session: oauthlib raises where the granted scopes differ from those
    # asked for, which real servers do and which is reported, not refused.
    session = OAuth2Session(
        connection.client_id, client=client, redirect_uri=connection.redirect_uri
    )
    session.trust_env = False
    session.mount("https://", _TransportAdapter(transport, run, scheme, connection.fhir_base_url))
    return session


def with_scheme(url: str, scheme: str) -> str:
    """Return `url` with another scheme.

    oauthlib refuses http even on loopback, where RFC 8252 §8.3 allows it; its only switch is an
    environment variable for the whole process. So it is shown https throughout, and what is sent
    has the scheme the endpoint was declared with (http only on loopback: `checked_url`).
    """
    return urlsplit(url)._replace(scheme=scheme).geturl()


def client_authentication(connection: Connection, audience: str, now: float) -> Proof:
    """Return the proof of one request: an assertion, a secret (RFC 6749 §2.3.1), or nothing.

    An assertion must not be sent twice, so this is called anew for each attempt.
    """
    if connection.private_key is not None:
        from practicefusion_connector.smart.keys import client_assertion

        assertion = client_assertion(connection, audience, now)
        body = {"client_assertion_type": _JWT_BEARER, "client_assertion": assertion}
        return Proof(body, None)
    if connection.client_secret is None:
        return Proof({}, None)
    secret = connection.client_secret.get_secret_value()
    if connection.auth_method == "client_secret_post":
        return Proof({"client_secret": secret}, None)
    if connection.auth_method == "client_secret_basic_raw":
        return Proof({}, HTTPBasicAuth(connection.client_id, secret))
    return Proof({}, HTTPBasicAuth(quote_plus(connection.client_id), quote_plus(secret)))


class _TransportAdapter(BaseAdapter):
    """Lets a requests session send through the connector's transport."""

    def __init__(self, transport: Transport, run: Run, scheme: str, practice: str) -> None:
        super().__init__()
        self._transport = transport
        self._run = run
        self._scheme = scheme
        self._practice = practice

    def send(
        self, request: requests.PreparedRequest, *_: object, **__: object
    ) -> requests.Response:
        """Send once; who asks decides on another attempt."""
        request.url = with_scheme(request.url or "", self._scheme)
        answer = self._transport.send(request, self._run, practice=self._practice)
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response._content = answer.body
        response.url = answer.url
        response.request = request
        return response

    def close(self) -> None:
        """Leave the transport open; it is not this adapter's."""
