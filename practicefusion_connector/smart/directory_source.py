"""Where the practice directory comes from: its URL, a cache on disk, or a downloaded file.

The cache holds what was read, not the megabytes it was read from, with the ETag to ask again by.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from practicefusion_connector.connection import is_loopback
from practicefusion_connector.errors import (
    ConnectorError,
    InvalidConfig,
    InvalidInput,
    InvalidResponse,
)
from practicefusion_connector.files import replace_file
from practicefusion_connector.smart.directory import Directory, Practice, parse
from practicefusion_connector.transport import Run, Transport

SERVICE_BASE_URLS = "https://www.practicefusion.com/assets/static_files/ServiceBaseURLs.json"

# Bump when what is cached changes its shape: an older file is then fetched anew.
_LAYOUT = 1
_DAY = 86_400.0


class _Copy(NamedTuple):
    directory: Directory
    etag: str | None
    last_modified: str | None


def load(
    source: str,
    transport: Transport,
    run: Run,
    *,
    cache: Path | None = None,
    fresh_for: float = _DAY,
) -> Directory:
    """Return the directory from a URL or a file.

    A cached copy younger than `fresh_for` seconds is used as it is; an older one is confirmed with
    the server by its ETag; where the server gives no good answer it is used all the same, and its
    `note` says how old it is.

    Args:
        source: the URL of a ServiceBaseURLs bundle, or the path of a downloaded one.
        transport: asks the server, and tells the time.
        run: its deadline.
        cache: a folder for the copy; none is kept where left out.
        fresh_for: seconds.

    Raises:
        InvalidInput: there is no such file, or the URL is not https.
        InvalidResponse: what came is no practice directory.
        ConnectorError: the server could not be asked, and there is no copy.
    """
    parts = urlsplit(source)
    if parts.scheme not in ("http", "https"):
        return _from_file(Path(source))
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        # Whoever could change it on the way could name the hosts that secrets are then sent to.
        raise InvalidInput(
            "The practice directory must come over https.",
            problems=[{"path": "directory", "message": "must begin with https://"}],
        )
    file = cache / f"practices-{_short_hash(source)}.json" if cache else None
    cached = _read_cache(file) if file else None
    now = transport.clock()
    if cached and 0 <= now - (cached.directory.fetched_at or 0.0) < fresh_for:
        return cached.directory
    try:
        copy = _ask(source, transport, run, cached)
    except ConnectorError as error:
        if cached is None:
            raise
        return _aged(cached.directory, now, error)
    if file:
        _write_cache(file, copy)
    return copy.directory


def _from_file(path: Path) -> Directory:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise InvalidInput(
            f"The practice directory cannot be read: {error.strerror}.",
            problems=[{"path": "directory", "message": "must be a URL or a readable file"}],
        ) from error
    except ValueError:
        document = None
    return parse(document)


def _ask(source: str, transport: Transport, run: Run, known: _Copy | None) -> _Copy:
    """Return the server's directory, or the known one where it is unchanged (RFC 9110 §13.1.2)."""
    headers = {"Accept": "application/fhir+json, application/json", "Accept-Encoding": "gzip"}
    if known and known.etag:
        headers["If-None-Match"] = known.etag
    if known and known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    now = transport.clock()
    try:
        answer = transport.get(source, headers, run)
    except InvalidResponse as error:
        # The transport follows no 3xx; this one says "not modified" and is an answer.
        if known is None or error.http_status != 304:
            raise
        return known._replace(directory=replace(known.directory, fetched_at=now))
    directory = replace(parse(answer.json()), fetched_at=now)
    return _Copy(directory, answer.headers.get("ETag"), answer.headers.get("Last-Modified"))


def _aged(directory: Directory, now: float, error: ConnectorError) -> Directory:
    days = max(0.0, now - (directory.fetched_at or 0.0)) / _DAY
    age = f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} hours"
    return replace(
        directory,
        note=f"This copy of the practice directory is {age} old; a newer one could not be had "
        f"({error.code}).",
    )


def _read_cache(file: Path) -> _Copy | None:
    try:
        kept = json.loads(file.read_bytes())
        if kept["layout"] != _LAYOUT:
            return None
        directory = Directory(
            tuple(Practice(**row) for row in kept["practices"]),
            kept["problems"],
            float(kept["fetched_at"]),
        )
        return _Copy(directory, kept["etag"], kept["last_modified"])
    except (OSError, ValueError, TypeError, KeyError):
        # Missing or damaged is the same: the server is asked.
        return None


def _write_cache(file: Path, copy: _Copy) -> None:
    kept = {
        "layout": _LAYOUT,
        "fetched_at": copy.directory.fetched_at,
        "etag": copy.etag,
        "last_modified": copy.last_modified,
        "problems": dict(copy.directory.problems),
        "practices": [asdict(practice) for practice in copy.directory],
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, json.dumps(kept).encode())
    except OSError as error:
        raise InvalidConfig(
            f"The practice directory cannot be cached: {error.strerror}."
        ) from error


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
