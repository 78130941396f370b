"""What a sync is known by, and whether its settings name a target, before anything is opened."""

from __future__ import annotations

import hashlib

from practicefusion_connector.sync.config import WrongSettings


def check_named(to: str) -> None:
    """Check that there is a target.

    Raises:
        WrongSettings: there is none.
    """
    if not to.partition(":")[2]:
        raise WrongSettings(
            "The sync has no target: give a FHIR base URL, duckdb:FILE, parquet:FOLDER, "
            "ndjson:FOLDER or the URL of a warehouse."
        )


def state_name(source: str, base_url: str | None, to: str) -> str:
    """Return what a state is known by: another practice or another target is another sync."""
    practice = f"{source}-{digest_of(base_url)}" if base_url else source
    return f"{practice} into {to.partition(':')[0]}-{digest_of(to)}"


def digest_of(place: str) -> str:
    """Return a name for a place, the same whoever signs in there and with whatever password."""
    scheme, url, rest = place.partition("://")
    host, slash, path = rest.partition("/")
    place = scheme + url + host.rpartition("@")[2] + slash + path
    return hashlib.sha256(place.rstrip("/").encode()).hexdigest()[:12]
