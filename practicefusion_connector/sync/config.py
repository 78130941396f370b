"""What to sync, where to and when: read from a TOML file and from variables, as checked values.

It is given the variables' values and opens nothing. The names that begin with `PF_` are those users
of the earlier Medplum integration have; a variable outranks the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from practicefusion_connector.errors import InvalidConfig, sentence
from practicefusion_connector.fhir.types import why_unknown
from practicefusion_connector.sync.cron import read_cron
from practicefusion_connector.sync.planning import SyncPlan

# Variable, and where its value belongs.
VARIABLES: dict[str, tuple[str, str]] = {
    "PF_SYNC_ENABLED": ("schedule", "enabled"),
    "PF_SYNC_INTERVAL_MS": ("schedule", "interval_ms"),
    "PF_SYNC_CRON": ("schedule", "cron"),
    "PF_SYNC_RUN_ON_STARTUP": ("schedule", "run_on_startup"),
    "PF_FHIR_BASE_URL": ("source", "fhir_base_url"),
    "PF_CLIENT_ID": ("source", "client_id"),
    "PF_CLIENT_SECRET": ("source", "client_secret"),
    "PF_PRIVATE_KEY": ("source", "private_key"),
    "PF_KEY_ID": ("source", "key_id"),
    "PF_CONNECTION": ("source", "connection"),
    "PF_RESOURCE_TYPES": ("source", "types"),
    "PF_GROUPS": ("source", "groups"),
    "PF_SYNC_TARGET": ("target", "to"),
    "PF_SYNC_TARGET_CONNECTION": ("target", "connection"),
    "PF_SYNC_TARGET_CLIENT_ID": ("target", "client_id"),
    "PF_SYNC_TARGET_CLIENT_SECRET": ("target", "client_secret"),
    "PF_SYNC_TARGET_TOKEN": ("target", "token"),
    "PF_SYNC_FOLDER": ("sync", "folder"),
    "PF_SYNC_STATE": ("sync", "state"),
}
_LISTS = frozenset({"types", "groups"})
# Where records come from, and how a practice or a target is signed in to, are said in one of these
# ways.
_ALTERNATIVES = {
    "source": (
        ("connection", "fhir_base_url", "folder"),
        ("private_key", "private_key_file", "client_secret"),
    ),
    "target": (("token", "connection", "client_id"),),
}


class WrongSettings(InvalidConfig):
    """The settings of a sync cannot be used."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SourceSettings(_Section):
    """Where resources come from: a stored connection, a practice's URL and keys, or a folder."""

    connection: str | None = None
    fhir_base_url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    private_key: SecretStr | None = None
    private_key_file: Path | None = None
    key_id: str | None = None
    folder: Path | None = None
    types: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    system: bool = False
    mode: Literal["auto", "export", "crawl"] = "auto"
    type_filter: tuple[str, ...] = ()
    validation: Literal["report", "quarantine", "none"] = "report"
    keep_files: bool = False

    @field_validator("types")
    @classmethod
    def _known(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := why_unknown(types):
            raise ValueError(wrong)
        return types


class TargetSettings(_Section):
    """Where they go.

    `to` is a FHIR base URL, `duckdb:`, `parquet:` or `ndjson:` with a path, or a warehouse's URL.
    """

    to: str = ""
    connection: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    token: SecretStr | None = None
    dataset: str = "practicefusion"
    views: Path | None = None
    identifier_system: str = "https://practicefusion.com/fhir"
    workers: int = Field(default=4, ge=1, le=16)


class ScheduleSettings(_Section):
    """When: every so many milliseconds, or by cron (five fields, in the machine's time zone)."""

    enabled: bool = True
    interval_ms: int = Field(default=24 * 3600 * 1000, ge=1000, le=366 * 24 * 3600 * 1000)
    cron: str | None = None
    run_on_startup: bool = False

    @field_validator("cron")
    @classmethod
    def _readable(cls, cron: str | None) -> str | None:
        if cron is not None:
            read_cron(cron)
        return cron


class HealthSettings(_Section):
    """Where health is told; port 0 takes a free one, none given serves no HTTP."""

    host: str = "127.0.0.1"
    port: int | None = Field(default=8787, ge=0, le=65535)


class SyncOptions(_Section):
    """The rest: where state, exports and reports lie, and what the user consents to."""

    name: str | None = None
    folder: Path = Path("sync")
    state: str | None = None
    delete_missing: bool = False
    accept_quarantine: bool = False


class SyncSettings(_Section):
    """Everything a sync needs to know."""

    source: SourceSettings = SourceSettings()
    target: TargetSettings = TargetSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    health: HealthSettings = HealthSettings()
    sync: SyncOptions = SyncOptions()

    def of(self, connection_id: str) -> SyncSettings:
        """Return the settings for one of many connections that share them.

        Its folder lies under the common one, its state goes by a name of its own; `{connection}` in
        the target becomes its id. A practice or a folder that the settings name by themselves is
        not read.
        """
        source = {"connection": connection_id, "fhir_base_url": None, "folder": None}
        to = self.target.to.replace("{connection}", connection_id)
        name = self.sync.name and f"{self.sync.name} {connection_id}"
        sync = {"folder": self.sync.folder / connection_id, "name": name}
        return self.model_copy(
            update={
                "source": self.source.model_copy(update=source),
                "target": self.target.model_copy(update={"to": to}),
                "sync": self.sync.model_copy(update=sync),
            }
        )

    def plan(self, *, full: bool = False, accept_quarantine: bool = False) -> SyncPlan:
        """Return what to sync."""
        source = self.source
        scopes = tuple(f"group:{group}" for group in source.groups)
        return SyncPlan(
            scopes=scopes or (("system",) if source.system else ("patient",)),
            types=source.types,
            full=full,
            delete_missing=self.sync.delete_missing,
            accept_quarantine=accept_quarantine or self.sync.accept_quarantine,
        )


def read_settings(
    file: Path | None,
    variables: Mapping[str, str],
    given: Mapping[str, Mapping[str, Any]] | None = None,
) -> SyncSettings:
    """Return the settings of a file, changed by variables, changed by what a caller gives.

    Raises:
        WrongSettings: the file cannot be read, or a value is wrong; it is named, never repeated.
    """
    merged: dict[str, dict[str, Any]] = _from_file(file) if file else {}
    from_variables: dict[str, dict[str, Any]] = {}
    for name, (section, field) in VARIABLES.items():
        if value := variables.get(name, "").strip():
            parsed: Any = value
            if field in _LISTS:
                parsed = [part.strip() for part in value.split(",") if part.strip()]
            from_variables.setdefault(section, {})[field] = parsed
    for layer in (from_variables, given or {}):
        for section, fields in layer.items():
            present = {name: value for name, value in fields.items() if value not in (None, (), "")}
            _outrank(merged.setdefault(section, {}), present, _ALTERNATIVES.get(section, ()))
    try:
        return SyncSettings.model_validate(merged)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)
    problems = [
        {
            "path": ".".join(map(str, item["loc"])),
            "message": item["msg"].removeprefix("Value error, ").rstrip("."),
        }
        for item in wrong
    ]
    told = "; ".join(f"{problem['path']}: {problem['message']}" for problem in problems)
    message = sentence(f"The sync's settings cannot be used: {told}")
    raise WrongSettings(message, problems=problems)


def _outrank(
    lower: dict[str, Any], higher: dict[str, Any], alternatives: Sequence[Sequence[str]]
) -> None:
    """Put a layer over a lower one; where it names an alternative, the lower one's are void."""
    for ways in alternatives:
        if any(name in higher for name in ways):
            for name in ways:
                lower.pop(name, None)
    lower.update(higher)


def _from_file(file: Path) -> dict[str, dict[str, Any]]:
    try:
        read = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    except UnicodeDecodeError:
        reason = "it is not text in UTF-8"
    except tomllib.TOMLDecodeError as error:
        reason = str(error)
    else:
        loose = [name for name, value in read.items() if not isinstance(value, dict)]
        if not loose:
            return read
        reason = f"{', '.join(sorted(loose))} must be in a section such as [source]"
    raise WrongSettings(f"The sync's settings file {file.name} cannot be used: {reason}.")
