"""Which links of a server may be followed: only those on the FHIR base's own origin and path.

Pure. The access token goes wherever a link is followed to, so a link elsewhere is an error and not
a page.
"""

from __future__ import annotations

from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from practicefusion_connector.errors import InvalidResponse

_DEFAULT_PORTS = {"https": 443, "http": 80}


def within(base_url: str, link: str, *, of: str) -> str:
    """Return `link`, resolved against the URL it came `of`, where it lies under `base_url`.

    Default ports are the same as none and host names ignore case (RFC 3986 §6.2.3); apart from
    being resolved the link is left as it is.

    Raises:
        InvalidResponse: where the link leads anywhere else.
    """
    try:
        resolved = urljoin(of, link)
        here, there = urlsplit(base_url), urlsplit(resolved)
        same_origin = _origin(here) == _origin(there)
    except ValueError:
        same_origin = False
    root = urlsplit(base_url).path.rstrip("/")
    inside = same_origin and (there.path == root or there.path.startswith(root + "/"))
    if not inside or "@" in there.netloc or ".." in unquote(there.path).split("/"):
        raise InvalidResponse(
            "The server's link leads away from its own FHIR base; it is not followed, because the "
            "access token would go along."
        )
    return resolved


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
