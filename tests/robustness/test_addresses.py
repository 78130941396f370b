"""Which addresses are called: what a server names cannot make the connector call inside."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from urllib3.util import connection as dialling

from practicefusion_connector import errors
from practicefusion_connector.transport import Policy, Run, Transport, addresses, connections
from practicefusion_connector.transport.addresses import kind_of
from tests.transport.wire import WireServer, ok, says, serving

ONCE = Policy(attempts=1)
PUBLIC = "https://practice.example/fhir"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("8.8.8.8", "public"),
        ("2606:4700::1111", "public"),
        ("127.0.0.1", "loopback"),
        ("127.8.8.8", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "loopback"),
        ("::", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("64:ff9b::7f00:1", "loopback"),
        ("2002:7f00:1::", "loopback"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "private"),
        ("fd00::1", "private"),
        ("224.0.0.1", "private"),
        ("255.255.255.255", "private"),
        ("169.254.169.254", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("::ffff:169.254.169.254", "link-local"),
    ],
)
def test_kinds_of_addresses(address: str, kind: str) -> None:
    assert kind_of(address) == kind


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names and their addresses, instead of the real ones."""
    known: dict[str, list[str]] = {}
    real = addresses.resolve

    def resolve(host: str, port: int | None) -> list[str]:
        return known.get(host) or real(host, port)

    monkeypatch.setattr(addresses, "resolve", resolve)
    monkeypatch.setattr(connections, "resolve", resolve)
    return known


@pytest.fixture
def server() -> Iterator[WireServer]:
    body = ok(b'{"resourceType": "Patient"}', "Content-Type: application/json")
    with serving(says(body), says(body)) as running:
        yield running


def ask(url: str, practice: str | None, policy: Policy = ONCE) -> object:
    transport = Transport(policy)
    try:
        return transport.get(url, {"Authorization": "Bearer t"}, Run(10), practice=practice).json()
    finally:
        transport.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.example"])
def test_a_public_practice_cannot_name_this_machine(
    host: str, names: dict[str, list[str]], server: WireServer
) -> None:
    names["practice.example"] = ["8.8.8.8"]
    names["evil.example"] = ["127.0.0.1"]
    url = server.url.replace("127.0.0.1", host)
    with pytest.raises(errors.InvalidResponse, match="inside this network") as caught:
        ask(f"{url}/token", PUBLIC)
    assert caught.value.code == "invalid_response"
    assert server.connections == 0


def test_a_host_whose_name_only_begins_like_the_practices_is_another(
    names: dict[str, list[str]], server: WireServer
) -> None:
    names["practice.example"] = ["8.8.8.8"]
    names["practice.example.evil"] = ["127.0.0.1"]
    with pytest.raises(errors.InvalidResponse):
        ask(server.url.replace("127.0.0.1", "practice.example.evil"), "http://practice.example")
    assert server.connections == 0


def test_one_inside_address_among_public_ones_is_enough(
    names: dict[str, list[str]], server: WireServer
) -> None:
    names["practice.example"] = ["8.8.8.8"]
    names["mixed.example"] = ["8.8.4.4", "127.0.0.1"]
    with pytest.raises(errors.InvalidResponse):
        ask(server.url.replace("127.0.0.1", "mixed.example"), PUBLIC)
    assert server.connections == 0


def test_a_practice_on_this_machine_may_name_it_but_not_the_network_around(
    names: dict[str, list[str]], server: WireServer
) -> None:
    here = "http://localhost:9/fhir"
    names["localhost"] = ["127.0.0.1"]
    assert ask(server.url, here) == {"resourceType": "Patient"}
    for inside in ("http://169.254.169.254/latest", "http://10.0.0.1/", "http://[fe80::1]/"):
        with pytest.raises(errors.InvalidResponse):
            ask(inside, here)


def test_a_practice_inside_may_name_its_own_kind_of_place(
    names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    def nobody_there(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        called.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(dialling, "create_connection", nobody_there)
    names["practice.example"] = ["10.1.1.1"]
    names["neighbour.example"] = ["10.1.1.2"]
    with pytest.raises(errors.InvalidResponse):
        ask("http://127.0.0.1:9/", PUBLIC)
    assert called == []
    with pytest.raises(errors.ConnectFailure):
        ask("http://neighbour.example:9/", PUBLIC)
    assert called == ["10.1.1.2"]


def test_the_practices_own_server_may_be_anywhere_unless_the_policy_says_otherwise(
    names: dict[str, list[str]], server: WireServer
) -> None:
    names["practice.example"] = ["127.0.0.1"]
    own = server.url.replace("127.0.0.1", "practice.example")
    assert ask(f"{own}/Patient/1", own) == {"resourceType": "Patient"}
    strict = Policy(attempts=1, public_addresses_only=True)
    with pytest.raises(errors.InvalidResponse):
        ask(f"{own}/Patient/1", own, strict)
    assert server.connections == 1


def test_the_connection_goes_to_the_address_that_was_judged(
    names: dict[str, list[str]], server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    names["practice.example"] = ["127.0.0.1"]
    asked: list[str] = []
    real = socket.getaddrinfo

    def spy(host: str, *args: object, **options: object) -> object:
        asked.append(host)
        return real(host, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", spy)
    own = server.url.replace("127.0.0.1", "practice.example")
    ask(f"{own}/Patient/1", own)
    # A second look-up of the name could give another answer than the one judged.
    assert set(asked) == {"127.0.0.1"}
    assert b"Host: practice.example:" in server.requests[0]


def test_a_connection_opened_for_a_practice_inside_serves_no_practice_outside(
    names: dict[str, list[str]], server: WireServer
) -> None:
    names["practice.example"] = ["8.8.8.8"]
    transport = Transport(ONCE)
    try:
        transport.get(f"{server.url}/token", {}, Run(10), practice="http://127.0.0.1:9/fhir")
        with pytest.raises(errors.InvalidResponse):
            transport.get(f"{server.url}/token", {}, Run(10), practice=PUBLIC)
    finally:
        transport.close()
    assert len(server.requests) == 1


def test_a_second_address_is_tried_where_the_first_does_not_answer(
    names: dict[str, list[str]], server: WireServer
) -> None:
    names["practice.example"] = ["127.255.255.254", "127.0.0.1"]
    own = server.url.replace("127.0.0.1", "practice.example")
    assert ask(f"{own}/Patient/1", own) == {"resourceType": "Patient"}


def test_a_name_that_does_not_resolve_is_a_connection_never_made() -> None:
    with pytest.raises(errors.ConnectFailure):
        ask("http://does-not-exist.invalid/", "http://does-not-exist.invalid")
