"""One request over the wire: an answer within bounds, or a typed error.

It picks the connections a request may use, and knows nothing of retries, OAuth or FHIR.
"""

from __future__ import annotations

from contextlib import closing
from urllib.parse import urlsplit

import requests

from practicefusion_connector import errors
from practicefusion_connector.transport.addresses import Kind, kinds_at
from practicefusion_connector.transport.answers import FAILURES, Answer, Incoming, typed
from practicefusion_connector.transport.connections import Connections
from practicefusion_connector.transport.policy import Policy
from practicefusion_connector.transport.run import Run


class Wire:
    """Sends single requests; safe to share between threads."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._proxies = dict(policy.proxies)
        # Apart, so that a connection opened to a place inside for one practice serves no other.
        self._connections: dict[frozenset[Kind] | None, Connections] = {}

    def close(self) -> None:
        """Close every pooled connection."""
        for connections in self._connections.values():
            connections.close()

    def exchange(
        self, request: requests.PreparedRequest, run: Run, practice: str | None, asked_for: str
    ) -> Answer | errors.ConnectorError:
        """Send once and read the answer.

        Errors are returned, to be raised outside the handler: the text of the libraries' own
        exceptions holds the URL with its query, and an exception's context would carry it along.

        Args:
            practice: the FHIR base URL of the connection; `None` where the request goes to an
                address its caller vouches for.
            asked_for: a path template safe to show.
        """
        outcome = self.open(request, run, practice, asked_for)
        if isinstance(outcome, errors.ConnectorError):
            return outcome
        with closing(outcome) as incoming:
            return incoming.answer()

    def open(
        self, request: requests.PreparedRequest, run: Run, practice: str | None, asked_for: str
    ) -> Incoming | errors.ConnectorError:
        """Send once and return the answer with its body still to be read; the caller closes it.

        Takes what `exchange` does, and returns errors as it does.
        """
        policy, left = self._policy, max(run.remaining(), 0.001)
        try:
            connections = self._connections_for(request.url or "", practice)
            with connections.during(run, policy.read_timeout):
                response = connections.send(
                    request,
                    stream=True,
                    timeout=(min(policy.connect_timeout, left), min(policy.read_timeout, left)),
                    verify=policy.ca_bundle or True,
                    proxies=self._proxies,
                )
            incoming = Incoming(response, connections, policy, run, asked_for)
        except FAILURES as error:
            return typed(error, run, asked_for)
        problem = incoming.header_problem()
        if problem is not None:
            incoming.close()
            return problem
        return incoming

    def _connections_for(self, url: str, practice: str | None) -> Connections:
        """Return connections that may go to the practice's own places inside, and to no others."""
        allowed: frozenset[Kind] | None
        if self._policy.public_addresses_only:
            allowed = frozenset()
        elif practice is None:
            allowed = None
        else:
            here, there = urlsplit(practice).hostname or "", urlsplit(url).hostname
            allowed = None if here == there else kinds_at(here)
        # `setdefault` is one step; an adapter too many, made by another thread, has no sockets yet.
        return self._connections.get(allowed) or self._connections.setdefault(
            allowed, Connections(allowed)
        )
