"""The tokens of a connection, as the server gave them (RFC 6749 §5.1).

Plain data: it knows when it expires and never shows itself. Who refreshes it, and when, is decided
elsewhere.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class TokenSet(BaseModel):
    """One answer of a token endpoint.

    Attributes:
        expires_at: POSIX seconds, or `None` where the server did not say.
        scope: the scopes granted, which may be fewer than those asked for.
        context: the launch context and other extras: `patient`, `encounter`,
            `need_patient_banner`, `smart_style_url`, `fhirUser`.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    access_token: SecretStr
    refresh_token: SecretStr | None = None
    id_token: SecretStr | None = None
    scope: tuple[str, ...] = ()
    issued_at: float
    expires_at: float | None = None
    context: dict[str, Any] = Field(default_factory=dict, repr=False)

    def lifetime(self) -> float | None:
        """Return the seconds the access token was given at issue, or `None` where not said."""
        return None if self.expires_at is None else self.expires_at - self.issued_at
