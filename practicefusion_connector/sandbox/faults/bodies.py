"""Faults of the body: not JSON, not FHIR, or JSON that two readers read in two ways."""

from __future__ import annotations

from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.faults.exchange import Exchange, kind


@kind("html")
def _html(exchange: Exchange) -> Response:
    page = "<!doctype html><title>Sign in</title><p>Your session has ended."
    return Response(page, content_type="text/html; charset=utf-8")


@kind("empty")
def _empty(exchange: Exchange) -> Response:
    return exchange.with_body(b"")


@kind("cut-json")
def _cut_json(exchange: Exchange) -> Response:
    body = exchange.answer.get_data()
    return exchange.with_body(body[: len(body) // 2])


@kind("no-utf-8")
def _no_utf_8(exchange: Exchange) -> Response:
    return exchange.with_body(
        exchange.answer.get_data().replace(b'"resourceType"', b'"\xff\xfe"', 1)
    )


def _put_first(exchange: Exchange, member: bytes) -> Response:
    return exchange.with_body(b"{" + member + b"," + exchange.answer.get_data().lstrip()[1:])


@kind("duplicate-key")
def _duplicate_key(exchange: Exchange) -> Response:
    return _put_first(exchange, b'"id":"another"')


@kind("nan")
def _nan(exchange: Exchange) -> Response:
    return _put_first(exchange, b'"x":NaN')


@kind("huge-number")
def _huge_number(exchange: Exchange) -> Response:
    return _put_first(exchange, b'"x":1e999')


@kind("deep")
def _deep(exchange: Exchange) -> Response:
    return _put_first(exchange, b'"x":' + b"[" * 150 + b"]" * 150)


@kind("wrong-content-type")
def _wrong_content_type(exchange: Exchange) -> Response:
    if exchange.good():
        exchange.answer.headers["Content-Type"] = "text/plain"
    return exchange.answer


@kind("wrong-resource")
def _wrong_resource(exchange: Exchange) -> Response:
    return exchange.changed(lambda body: body.update(resourceType="Basic"))


@kind("wrong-bundle-type", "search")
def _wrong_bundle_type(exchange: Exchange) -> Response:
    return exchange.changed(lambda body: body.update(type="transaction-response"))


@kind("empty-entry", "search")
def _empty_entry(exchange: Exchange) -> Response:
    return exchange.changed(lambda body: body.setdefault("entry", []).append({"fullUrl": "urn:x"}))


@kind("wrong-total", "search")
def _wrong_total(exchange: Exchange) -> Response:
    return exchange.changed(lambda body: body.update(total=-1))


@kind("broken-gzip")
def _broken_gzip(exchange: Exchange) -> Response:
    response = exchange.with_body(b"\x1f\x8b\x08\x00 this is no gzip")
    if exchange.good():
        response.headers["Content-Encoding"] = "gzip"
    return response
