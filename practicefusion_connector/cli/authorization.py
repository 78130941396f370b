"""A standalone launch with a person in it: discovery, their consent, tokens.

How the person is asked (a browser, a pasted address, the sandbox's pages) is passed in. Knows no
click and no store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass

from practicefusion_connector.connection import Connection
from practicefusion_connector.registry import Action
from practicefusion_connector.smart import launch
from practicefusion_connector.smart.discovery import discover
from practicefusion_connector.smart.renew import renewal, system_scopes
from practicefusion_connector.smart.scopes import covers, not_granted, scopes_for
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.transport import Policy, Run, Transport

_REQUEST_DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person allowed, beside what was asked for."""

    tokens: TokenSet
    asked: tuple[str, ...]

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes granted; a server that names none granted all (RFC 6749 §5.1)."""
        return self.tokens.scope or self.asked

    @property
    def dropped(self) -> tuple[str, ...]:
        """The scopes asked for that were not granted."""
        return not_granted(self.asked, self.scopes)

    def without(self, actions: Iterable[Action]) -> list[Action]:
        """Return those of `actions` that the grant does not let run."""
        return [action for action in actions if not covers(self.scopes, action)]


def authorize(
    connection: Connection,
    actions: Iterable[Action],
    ask: Callable[[str], str],
    policy: Policy | None = None,
) -> Grant:
    """Have a person authorize `connection` for `actions` (SMART App Launch 2.0 §2.0.8).

    Args:
        ask: takes the URL to open in a browser; returns the one the browser came back to.

    Raises:
        ConnectorError: as `launch.begin` and `launch.complete`.
    """
    with closing(Transport(policy)) as transport:
        endpoints = discover(transport, connection, Run(_REQUEST_DEADLINE))
        scopes = connection.scopes or scopes_for(actions, connection.level)
        pending = launch.begin(connection, endpoints, scopes)
        callback = ask(pending.url.get_secret_value())
        # The person's time does not count: the exchange has a deadline of its own.
        run = Run(_REQUEST_DEADLINE)
        tokens = launch.complete(transport, connection, endpoints, pending, callback, run)
    return Grant(tokens, pending.scopes)


def sign_in(connection: Connection, policy: Policy | None = None) -> Grant:
    """Get the first tokens of a system connection, which asks no person (SMART Backend Services).

    Raises:
        ConnectorError: as `oauth.client_credentials`.
    """
    with closing(Transport(policy)) as transport:
        tokens = renewal(transport)(connection, None, Run(_REQUEST_DEADLINE))
    return Grant(tokens, system_scopes(connection))
