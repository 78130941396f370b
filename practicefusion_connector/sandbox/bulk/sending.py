"""A file of an export over HTTP: whole or in part, compressed or not, and broken off on purpose."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator

from flask import request
from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.answers import operation_outcome
from practicefusion_connector.sandbox.bulk.control import Bulk
from practicefusion_connector.sandbox.http_server import STREAMED

_RANGE = re.compile(r"bytes=(\d+)-")
_PIECE = 64 * 1024
_SECTIONS = {"deleted": ("deleted", "Bundle"), "error": ("error", "OperationOutcome")}


def send_file(bulk: Bulk, handle: str, kind: str, number: int) -> Response:
    """The answer to a request for one file, which is allowed already."""
    bulk.authorized_downloads.append("Authorization" in request.headers)
    wait = bulk.faults.limited()
    if wait is not None:
        response = operation_outcome(429, "throttled", "Too many requests.")
        response.headers["Retry-After"] = str(wait)
        return response
    lost = bulk.faults.missing()
    if lost is not None:
        return operation_outcome(lost, "expired", "This file cannot be had.")
    job = bulk.jobs.get(handle)
    if job is None:
        return operation_outcome(404, "not-found", "There is no such export.")
    if job.is_expired(bulk.rules):
        return operation_outcome(410, "expired", "The export has expired.")
    file = job.file(*_SECTIONS.get(kind, ("output", kind)), number)
    if file is None:
        return operation_outcome(404, "not-found", "There is no such file.")
    size, read = file.content()
    headers = {"ETag": file.etag(handle)}
    mimetype = "application/fhir+ndjson" if bulk.rules.body == "ndjson" else "application/json"
    found = _RANGE.fullmatch(request.headers.get("Range", "")) if bulk.rules.ranges else None
    start, status = 0, 200
    if found is not None:
        start, status = int(found[1]), 206
        if start >= size:
            unfit = Response(status=416)
            unfit.headers["Content-Range"] = f"bytes */{size}"
            return unfit
        headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
    pieces = _gathered(read(start))
    if status == 200 and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers |= {"Content-Encoding": "gzip", "ETag": f"W/{headers['ETag']}"}
        pieces = _compressed(pieces)
    else:
        headers["Content-Length"] = str(size - start)
    cut = bulk.faults.broken()
    if cut is not None:
        pieces = _broken(pieces, cut)
    # Tells the server below to send as it comes, since a file may be larger than memory.
    request.environ[STREAMED] = True
    return Response(pieces, status, headers, mimetype=mimetype)


def _gathered(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines in pieces worth sending."""
    held = bytearray()
    for line in lines:
        held += line
        if len(held) >= _PIECE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(level=1, wbits=31)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


def _broken(pieces: Iterable[bytes], after: int) -> Iterator[bytes]:
    left = after
    for piece in pieces:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            raise ConnectionAbortedError("A fault ended this download.")
