"""Receiving one callback on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import requests

from practicefusion_connector.cli.loopback import Receiver, can_receive
from practicefusion_connector.errors import ReauthRequired


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver("http://127.0.0.1:0/callback") as listening:
        yield listening


def test_only_http_on_loopback_can_be_received() -> None:
    assert can_receive("http://127.0.0.1:8484/callback")
    assert can_receive("http://localhost:8484/callback")
    assert can_receive("http://[::1]:8484/callback")
    assert not can_receive("https://127.0.0.1:8484/callback")
    assert not can_receive("http://example.org/callback")


def test_the_first_answer_is_taken_and_everything_else_passed_over(receiver: Receiver) -> None:
    answers: list[requests.Response] = []
    origin = receiver.redirect_uri.removesuffix("/callback")
    asked = ("/favicon.ico", "/callback", "/other?code=1&state=2", "/callback?code=a%2Bb&state=s")

    def visit() -> None:
        answers.extend(requests.get(origin + path, timeout=10) for path in asked)

    visitor = threading.Thread(target=visit)
    visitor.start()
    came_back = receiver.wait(10)
    visitor.join()
    assert came_back == f"{origin}/callback?code=a%2Bb&state=s"
    assert [answer.status_code for answer in answers] == [404, 404, 404, 200]
    assert "code=" not in answers[-1].text
    assert answers[-1].headers["Cache-Control"] == "no-store"


def test_an_error_is_an_answer_too(receiver: Receiver) -> None:
    url = f"{receiver.redirect_uri}?error=access_denied&state=s"
    visitor = threading.Thread(target=requests.get, args=(url,), kwargs={"timeout": 10})
    visitor.start()
    assert receiver.wait(10) == url
    visitor.join()


def test_after_the_one_callback_nobody_listens() -> None:
    with Receiver("http://127.0.0.1:0/callback") as receiver:
        url = f"{receiver.redirect_uri}?code=c&state=s"
        visitor = threading.Thread(target=requests.get, args=(url,), kwargs={"timeout": 10})
        visitor.start()
        receiver.wait(10)
        visitor.join()
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=1)


def test_it_gives_up_in_time(receiver: Receiver) -> None:
    with pytest.raises(ReauthRequired, match=r"within 0\.01 s"):
        receiver.wait(0.01)
