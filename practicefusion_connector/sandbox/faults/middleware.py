"""The tap: decides for each request whether it meets a fault, and records those that do."""

from __future__ import annotations

import math
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from practicefusion_connector.sandbox.faults.exchange import Asked, Exchange
from practicefusion_connector.sandbox.faults.kinds import KINDS
from practicefusion_connector.sandbox.faults.limiter import TokenBucket
from practicefusion_connector.sandbox.faults.profile import FaultProfile
from practicefusion_connector.sandbox.faults.record import FaultRecord, InjectedFault, fingerprint

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

_RESOURCE = re.compile(r"/([A-Z][A-Za-z]+)(/[A-Za-z0-9.\-]+)?")


class Faults:
    """WSGI middleware. `expire` makes an access token invalid."""

    def __init__(
        self,
        profile: FaultProfile,
        record: FaultRecord,
        base_path: str,
        expire: Callable[[str], None],
    ) -> None:
        unknown = sorted(set(profile.kinds) - set(KINDS))
        if unknown:
            known = ", ".join(KINDS)
            raise ValueError(f"There is no fault {', '.join(unknown)}. There are: {known}.")
        self._profile = profile
        self._record = record
        self._base_path = base_path
        self._expire = expire
        self._seen: Counter[str] = Counter()
        self._left = math.inf if profile.times is None else profile.times
        self._lock = threading.Lock()
        rate = profile.requests_per_second
        self._bucket = TokenBucket(rate, profile.burst) if rate else None

    def __call__(self, application: WSGIApplication) -> WSGIApplication:
        """Wrap the practice's application."""

        def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
            asked, path = self._asked(environ)
            response = self._over_the_limit(environ, path) if asked in ("read", "search") else None
            if response is None and asked is not None:
                kind = self._drawn(environ, asked, path)
                if kind is not None:
                    exchange = Exchange(
                        environ,
                        self._profile,
                        lambda: Response.from_app(application, environ, buffered=True),
                        self._expire,
                    )
                    response = KINDS[kind].fault(exchange)
            return (response or application)(environ, start_response)

        return answer

    def _asked(self, environ: dict[str, Any]) -> tuple[Asked | None, str]:
        """What kind of request this is, and its path with the id masked."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        below = path.removeprefix(self._base_path)
        if method == "POST" and below == "/token":
            return ("token" if self._profile.token_endpoint else None), "token"
        found = _RESOURCE.fullmatch(below) if method == "GET" and below != path else None
        if found is None:
            return None, below
        return ("read", f"{found[1]}/{{id}}") if found[2] else ("search", found[1])

    def _drawn(self, environ: dict[str, Any], asked: Asked, path: str) -> str | None:
        profile = self._profile
        request = _fingerprint(environ)
        possible = [
            name
            for name, kind in KINDS.items()
            if asked in kind.asked and (not profile.kinds or profile.kinds.get(name))
        ]
        with self._lock:
            self._seen[request] += 1
            # Which of two equal requests came first does not matter: they meet the same two fates.
            name = profile.draw(request, self._seen[request], possible)
            if name is None or self._left < 1:
                return None
            self._left -= 1
        self._record.add(InjectedFault(name, environ["REQUEST_METHOD"], path, request))
        return name

    def _over_the_limit(self, environ: dict[str, Any], path: str) -> Response | None:
        wait = self._bucket.take() if self._bucket else 0.0
        if not wait:
            return None
        self._record.add(
            InjectedFault("limit", environ["REQUEST_METHOD"], path, _fingerprint(environ))
        )
        response = Response(status=429)
        response.headers["Retry-After"] = str(math.ceil(wait))
        return response


def _fingerprint(environ: dict[str, Any]) -> str:
    query = environ.get("QUERY_STRING", "")
    return fingerprint(
        environ["REQUEST_METHOD"], environ["PATH_INFO"] + (f"?{query}" if query else "")
    )
