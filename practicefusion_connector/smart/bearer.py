"""Requests with an access token (RFC 6750 §2.1), and a new token where the server refuses one.

The one place that decides what a 401 leads to. It knows tokens; what is sent, and where, is known
by whoever sends it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from practicefusion_connector.errors import AuthExpired, InvalidConfig, ReauthRequired
from practicefusion_connector.smart.provider import TokenProvider
from practicefusion_connector.transport import Run

T = TypeVar("T")

# A refresh by another worker kills the token in flight here, so one 401 proves little; three
# different tokens refused in a row do.
_TOKENS_TRIED = 3
# Wider than RFC 6750 §2.1; the standard library's own refusal would quote the token.
_TOKEN = re.compile(r"[\x21-\x7e]+")
_REFUSED = (
    "The server refuses every access token of this connection, fresh ones too; connect again."
)


def authorized(
    tokens: TokenProvider,
    run: Run,
    attempt: Callable[[Mapping[str, str]], T],
    *,
    refused: str = _REFUSED,
) -> T:
    """Return what `attempt` returns, called again with another token where one is refused.

    Args:
        attempt: sends with these headers, which are empty where the server wants no token. It
            raises `AuthExpired` where the server refuses the token, and then has done nothing.
        refused: the sentence to raise once three tokens were refused.

    Raises:
        AuthExpired: the host must refresh the token it holds.
        InvalidConfig: the token cannot be sent in a header.
        ReauthRequired: a person must connect, or connect again.
        RefreshBusy: another worker holds the refresh.
    """
    rejected: str | None = None
    for _ in range(_TOKENS_TRIED):
        token = tokens.access_token(run, rejected=rejected)
        if token is not None and not _TOKEN.fullmatch(token):
            raise InvalidConfig(
                "The access token cannot be sent: it is empty, or holds a space, a line break "
                "or a letter outside ASCII."
            )
        try:
            return attempt({} if token is None else {"Authorization": f"Bearer {token}"})
        except AuthExpired:
            rejected = token
        if rejected is None:
            raise ReauthRequired("The server wants an access token; connect first.")
    raise ReauthRequired(refused)
