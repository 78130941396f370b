"""What a refused token leads to: another one, three at most, and then a person."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from practicefusion_connector import errors
from practicefusion_connector.smart.bearer import authorized
from practicefusion_connector.smart.provider import HostTokens
from practicefusion_connector.transport import Run
from tests.leaks import everything_said


class Tokens:
    """Hands out these tokens, one after the other, and notes which was refused."""

    def __init__(self, *tokens: str | None) -> None:
        self._tokens = iter(tokens)
        self.rejected: list[str | None] = []

    def access_token(self, run: Run, *, rejected: str | None = None) -> str | None:
        self.rejected.append(rejected)
        return next(self._tokens)


class Server:
    """Takes these tokens and refuses all others, each request with an error of its own."""

    def __init__(self, *good: str | None) -> None:
        self._good = {f"Bearer {token}" if token else None for token in good}
        self.asked: list[Mapping[str, str]] = []

    def answer(self, authorization: Mapping[str, str]) -> str:
        self.asked.append(authorization)
        if authorization.get("Authorization") in self._good:
            return "answer"
        raise errors.AuthExpired("The server refuses the canary.", http_status=401)


def test_a_good_token_is_sent_once() -> None:
    tokens, server = Tokens("a"), Server("a")
    assert authorized(tokens, Run(1), server.answer) == "answer"
    assert server.asked == [{"Authorization": "Bearer a"}]
    assert tokens.rejected == [None]


def test_an_open_server_is_asked_without_one() -> None:
    server = Server(None)
    assert authorized(Tokens(None), Run(1), server.answer) == "answer"
    assert server.asked == [{}]


def test_a_refused_token_goes_back_for_another() -> None:
    tokens, server = Tokens("a", "b", "c"), Server("c")
    assert authorized(tokens, Run(1), server.answer) == "answer"
    assert [sent["Authorization"] for sent in server.asked] == ["Bearer a", "Bearer b", "Bearer c"]
    assert tokens.rejected == [None, "a", "b"]


def test_three_refused_tokens_need_a_person() -> None:
    tokens, server = Tokens("a-canary", "b-canary", "c-canary", "d-canary"), Server("d-canary")
    with pytest.raises(errors.ReauthRequired, match=r"refuses every access token .* connect again"):
        authorized(tokens, Run(1), server.answer)
    assert len(server.asked) == 3
    with pytest.raises(errors.ReauthRequired, match=r"^The target does\.$"):
        authorized(Tokens(*"abc"), Run(1), Server().answer, refused="The target does.")


def test_a_server_that_wants_a_token_where_there_is_none_is_to_be_connected_first() -> None:
    for tokens in (Tokens(None), Tokens("a", None)):
        with pytest.raises(errors.ReauthRequired, match="wants an access token; connect first"):
            authorized(tokens, Run(1), Server().answer)


def test_no_error_brings_another_along() -> None:
    server = Server()
    for tokens in (Tokens(None), Tokens(*"abc"), HostTokens(lambda: "host-canary")):
        with pytest.raises(errors.AuthError) as caught:
            authorized(tokens, Run(1), server.answer)
        assert caught.value.__context__ is None
        assert "canary" not in everything_said(caught.value)


def test_a_host_s_refused_token_is_the_host_s_to_refresh() -> None:
    server = Server()
    with pytest.raises(errors.AuthExpired, match="refresh it and run again"):
        authorized(HostTokens(lambda: "a"), Run(1), server.answer)
    assert len(server.asked) == 1


@pytest.mark.parametrize("token", ["", "a b", "canary\n", "canary\r\nX-Evil: 1", "canary-é", "\0"])
def test_a_token_no_header_can_carry_is_never_sent(token: str) -> None:
    for tokens in (Tokens(token), Tokens("refused", token)):
        server = Server()
        with pytest.raises(errors.InvalidConfig, match="access token cannot be sent") as caught:
            authorized(tokens, Run(1), server.answer)
        assert "canary" not in everything_said(caught.value)
        assert all(sent == {"Authorization": "Bearer refused"} for sent in server.asked)


@pytest.mark.parametrize("error", [errors.Forbidden("no"), errors.UpstreamUnavailable("later")])
def test_no_other_failure_costs_a_token(error: errors.ConnectorError) -> None:
    def fail(authorization: Mapping[str, str]) -> str:
        raise error

    tokens = Tokens("a", "b")
    with pytest.raises(type(error)) as caught:
        authorized(tokens, Run(1), fail)
    assert caught.value is error
    assert tokens.rejected == [None]
