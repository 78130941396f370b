"""Faults of the connection: reset, cut off, slow, silent."""

from __future__ import annotations

import socket
import time

from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.faults.exchange import Exchange, kind

_DRIPS = 20


@kind("reset", "read", "search", "token")
def _reset(exchange: Exchange) -> Response:
    return exchange.drop(reset=True)


@kind("reset-in-body")
def _reset_in_body(exchange: Exchange) -> Response:
    head, body = exchange.raw()
    return exchange.drop(head + body[: len(body) // 2], reset=True)


@kind("truncated")
def _truncated(exchange: Exchange) -> Response:
    head, body = exchange.raw()
    return exchange.drop(head + body[: len(body) // 2])


@kind("slow")
def _slow(exchange: Exchange) -> Response:
    head, body = exchange.raw()
    raw: socket.socket = exchange.environ["werkzeug.socket"]
    raw.sendall(head)
    size = max(1, -(-len(body) // _DRIPS))
    for start in range(0, len(body), size):
        raw.sendall(body[start : start + size])
        time.sleep(exchange.profile.slow_seconds / _DRIPS)
    return exchange.drop()


@kind("stalled")
def _stalled(exchange: Exchange) -> Response:
    head, body = exchange.raw()
    exchange.environ["werkzeug.socket"].sendall(head + body[: len(body) // 2])
    time.sleep(exchange.profile.slow_seconds)
    return exchange.drop()
