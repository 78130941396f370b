"""Whether the settings name a target there is, told before anything is opened for it."""

from __future__ import annotations

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.sync.config import WrongSettings
from practicefusion_connector.sync.targets.warehouse import destination_of

# Every other is a warehouse's.
_SCHEMES = frozenset({"duckdb", "parquet", "ndjson", "http", "https"})


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


def check_target(to: str) -> None:
    """Check that there is a target, and that it is one of those known.

    Raises:
        WrongSettings: it is not.
    """
    check_named(to)
    if to.partition(":")[0] in _SCHEMES:
        return
    try:
        destination_of(to)
    except InvalidConfig as error:
        reason = error.message
    else:
        return
    raise WrongSettings(reason)
