"""What can be turned on the sandbox, and the constants of its one practice.

Knows no HTTP, no OAuth and no FHIR: values only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from werkzeug.wrappers import Request, Response

from practicefusion_connector.sandbox.bulk.settings import ExportBehaviour

PRACTICE_ID: Final = "5a3d0b0e-4c1f-4e0a-9a53-0d6f2b7c1e44"
PRACTICE_NAME: Final = "Cedar Hollow Family Practice"
BASE_PATH: Final = f"/fhir/r4/v1/{PRACTICE_ID}"

TODAY: Final = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
"""The sandbox's own "now" for its records, so that the same seed gives the same practice."""

CONFIDENTIAL_CLIENT_ID: Final = "sandbox-confidential-app"
CONFIDENTIAL_CLIENT_SECRET: Final = "sandbox+secret/with=reserved-characters"  # noqa: S105
PUBLIC_CLIENT_ID: Final = "sandbox-public-app"
BACKEND_CLIENT_ID: Final = "sandbox-backend-app"
BACKEND_CLIENT_SECRET: Final = "sandbox+backend/secret="  # noqa: S105


@dataclass
class Behaviour:
    """How the practice behaves. Every knob is read at each request, so it may change while it runs.

    The defaults are what is known of Practice Fusion's own server; where nothing is known the
    comment says so.
    """

    access_token_seconds: int = 300
    """Lifetime of a person's access token."""
    system_token_seconds: int = 3600
    """Lifetime of a backend app's access token (the value of the vendor's own example)."""
    code_seconds: int = 60
    """Lifetime of an authorization code (not known; short on purpose)."""
    refresh_rotates: bool = False
    """Whether a refresh issues a new refresh token; replay of a used one then ends the grant."""
    refresh_kills_previous_access: bool = True
    """Whether a refresh makes the grant's earlier access tokens invalid."""
    refresh_needs_offline_access: bool = True
    """Whether a refresh token is issued only with the scope offline_access."""
    granted_scopes_filter: Callable[[str], bool] | None = None
    """Keeps a scope when it returns true; the others are dropped without a word."""
    token_auth_methods: frozenset[str] = field(
        default_factory=lambda: frozenset(
            {"client_secret_post", "client_secret_basic", "private_key_jwt", "none"}
        )
    )
    """How an app may authenticate at the token endpoint."""
    practice_grants_system_apps: bool = True
    """Whether the practice has allowed backend apps at all."""
    advertise_revocation: bool = False
    """Whether smart-configuration names a revocation endpoint. It works either way."""
    authorize_sends_issuer: bool = False
    """Whether the redirect to the app carries `iss` (RFC 9207)."""
    default_page_size: int = 20
    """Entries in a page when `_count` is absent (not known)."""
    maximum_page_size: int = 200
    """The most entries in a page (not known; 200 has been used)."""
    total_reported: bool = True
    """Whether a search Bundle carries `total`."""
    search_mode: bool = False
    """Whether entries carry `search.mode`."""
    ignored_parameters: frozenset[str] = frozenset()
    """Search parameters the server drops without a word, and leaves out of its `self` link."""
    export: ExportBehaviour = field(default_factory=ExportBehaviour)
    """How bulk export behaves: knobs of their own."""
    before_request: Callable[[Request], Response | None] | None = None
    """Called before every request; an answer it returns is sent in place of the real one."""
