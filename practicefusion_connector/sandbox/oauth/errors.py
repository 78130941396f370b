"""The vendor's own errors of the token endpoint, as Authlib raises and answers them."""

from __future__ import annotations

from typing import Any

from authlib.consts import default_json_headers
from authlib.oauth2 import OAuth2Error


class VendorError(OAuth2Error):  # type: ignore[misc]
    """An error in Practice Fusion's shape: `subcode` and `message`."""

    status = 403
    subcode = "Forbidden"
    message = ""

    def __call__(self, uri: str | None = None) -> tuple[int, dict[str, str], list[Any]]:
        """The answer, as Authlib asks for it."""
        body = {"subcode": self.subcode, "message": self.message}
        return self.status, body, list(default_json_headers)


class InvalidLaunchContextError(VendorError):
    """The scope `launch` without a launch from the EHR."""

    error = "invalid_launch_context"
    message = "Invalid launch context"


class ScopeNotPermittedError(VendorError):
    """A scope that is not authorised, or written in a way the server does not take.

    The status of this answer was never recorded; 401 follows its subcode.
    """

    error = "scope_not_permitted"
    status = 401
    subcode = "Unauthorized"
    message = "client does not have permissions to requested scope"


class SystemAccessNotGrantedError(VendorError):
    """The practice has not allowed backend apps. The status is a guess as well."""

    error = "system_access_not_granted"
    message = "practice has not granted access to system application"
