"""Faults no honest server has: it wants the token, the memory or the time of its client."""

from __future__ import annotations

import gzip
from functools import cache
from typing import Any

from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.faults.exchange import Exchange, kind


@kind("gzip-bomb")
def _gzip_bomb(exchange: Exchange) -> Response:
    if not exchange.good():
        return exchange.answer
    response = exchange.with_body(_bomb(exchange.profile.bomb_bytes))
    response.headers["Content-Encoding"] = "gzip"
    return response


@cache
def _bomb(size: int) -> bytes:
    # Of blanks: what JSON allows in front of a value, so that only the size is wrong. A gzip file
    # may have many members, which spares compressing it all.
    return gzip.compress(b" " * 2**20) * (size // 2**20 or 1)


@kind("large-header")
def _large_header(exchange: Exchange) -> Response:
    exchange.answer.headers["X-Padding"] = "x" * 60_000
    exchange.answer.headers["X-More-Padding"] = "x" * 60_000
    return exchange.answer


@kind("redirect")
def _redirect(exchange: Exchange) -> Response:
    return Response(status=302, headers={"Location": f"http://{_elsewhere(exchange)}/taken"})


def _next_at(exchange: Exchange, url: str) -> Response:
    def point(body: dict[str, Any]) -> None:
        links = [link for link in body.get("link", []) if link.get("relation") != "next"]
        body["link"] = [*links, {"relation": "next", "url": url}]

    return exchange.changed(point)


@kind("self-next", "search")
def _self_next(exchange: Exchange) -> Response:
    return _next_at(exchange, exchange.url)


@kind("foreign-next", "search")
def _foreign_next(exchange: Exchange) -> Response:
    return _next_at(exchange, f"http://{_elsewhere(exchange)}/fhir/Patient?page=2")


@kind("inside-next", "search")
def _inside_next(exchange: Exchange) -> Response:
    # The address at which clouds tell a machine its own secrets.
    return _next_at(exchange, "http://169.254.169.254/latest/meta-data/")


def _elsewhere(exchange: Exchange) -> str:
    """The same server under another name: another origin, and yet somebody who would listen."""
    return f"localhost:{exchange.environ['SERVER_PORT']}"


@kind("expired-token")
def _expired_token(exchange: Exchange) -> Response:
    scheme, _, token = exchange.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        exchange.expire(token)
    return exchange.answer
