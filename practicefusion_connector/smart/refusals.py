"""What it means when a token endpoint says no (RFC 6749 §5.2, and what real servers send).

A dead grant, a wrong application and a passing failure look alike on the wire: 400, 401 and 403
with bodies of several shapes. Each function takes the transport's error and returns the one to
raise.
"""

from __future__ import annotations

from practicefusion_connector import errors
from practicefusion_connector.errors import ConnectorError


def code_refused(error: ConnectorError) -> ConnectorError:
    """Say what a refused code exchange means."""
    if "invalid_grant" in _codes(error):
        return _retold(
            error, errors.ReauthRequired, "The authorization code is no longer good; begin again."
        )
    if "launch context" in _spoken(error):
        return _retold(
            error,
            errors.InvalidConfig,
            'The scope "launch" belongs to a launch from the EHR; leave it out of a standalone '
            "launch.",
        )
    return application_refused(error)


def refresh_refused(error: ConnectorError) -> ConnectorError:
    """Tell a dead grant from a passing failure: servers say it as 400, 401 or 403."""
    if (
        error.http_status in (400, 401, 403)
        and "invalid_client" not in _codes(error)
        and not _passing(error)
    ):
        return _retold(
            error,
            errors.ReauthRequired,
            "The grant is no longer good: it expired, or the patient or the practice revoked it. "
            "A person must connect again.",
        )
    return application_refused(error)


def application_refused(error: ConnectorError) -> ConnectorError:
    """Say what is wrong with the application: its scopes, its permission, its credentials."""
    if _passing(error) or error.http_status not in (400, 401, 403):
        return error
    said = _spoken(error)
    if "practice has not granted" in said:
        return _retold(
            error, errors.Forbidden, "The practice has not granted access to this application."
        )
    if (
        isinstance(error, errors.MissingScope)
        or "invalid_scope" in _codes(error)
        or "requested scope" in said
    ):
        return _retold(
            error,
            errors.InvalidConfig,
            "The application may not ask for one of the scopes, or a scope is misspelt "
            "(user/ and patient/ scopes end in .read, system/ scopes in .rs).",
        )
    return _retold(
        error,
        errors.InvalidConfig,
        "The token endpoint refuses the application: check client id, client secret, how the "
        "secret is sent, and the redirect URI; with a private key, its key id, the registered "
        "JWKS and this machine's clock.",
    )


def _codes(error: ConnectorError) -> set[str]:
    return {issue["code"] for issue in error.issues}


def _spoken(error: ConnectorError) -> str:
    return (error.diagnostics or "").lower()


def _passing(error: ConnectorError) -> bool:
    return error.retryable and not isinstance(error, errors.AuthExpired)


def _retold(error: ConnectorError, kind: type[ConnectorError], message: str) -> ConnectorError:
    return kind(
        message,
        http_status=error.http_status,
        correlation_id=error.correlation_id,
        issues=error.issues,
        diagnostics=error.diagnostics,
    )
