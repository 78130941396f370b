"""Starts and stops the practice. This is the sandbox's public face."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from practicefusion_connector.sandbox import settings
from practicefusion_connector.sandbox.app import create_app
from practicefusion_connector.sandbox.bulk.control import Bulk
from practicefusion_connector.sandbox.data_dir import Problem, load_directory
from practicefusion_connector.sandbox.faults import FaultProfile, FaultRecord, Faults
from practicefusion_connector.sandbox.http_server import SandboxServer
from practicefusion_connector.sandbox.medfusion.portal import Portal
from practicefusion_connector.sandbox.oauth.tokens import TokenStore
from practicefusion_connector.sandbox.population import generate
from practicefusion_connector.sandbox.practice import Practice
from practicefusion_connector.sandbox.record import RequestRecord
from practicefusion_connector.sandbox.settings import Behaviour
from practicefusion_connector.sandbox.store import Resource, ResourceStore

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Middleware = Callable[["WSGIApplication"], "WSGIApplication"]
"""Wraps the practice's WSGI application. The raw socket is `environ["werkzeug.socket"]`."""

_HOST = "127.0.0.1"


class Sandbox:
    """One Practice Fusion practice on 127.0.0.1, for development and tests.

    `port` 0 picks a free one. `data` is a folder of FHIR files to serve in place of the invented
    population, which `seed` and `patients` shape. `behaviour` may be changed while it runs.
    `faults` is a profile of what goes wrong, or the name of one; see `sandbox.faults`.
    `middleware` wraps the whole application, the first one outermost.

    Use it as a context manager, or call `start` and `stop`.
    """

    def __init__(
        self,
        port: int = 0,
        data: Path | str | None = None,
        seed: int = 1,
        patients: int = 20,
        behaviour: Behaviour | None = None,
        middleware: Sequence[Middleware] = (),
        faults: FaultProfile | str | None = None,
    ) -> None:
        self.data_problems: list[Problem] = []
        """Files and lines of `data` that could not be used: where, and why."""
        if data is None:
            loaded = generate(seed=seed, patients=patients)
        else:
            loaded, self.data_problems = load_directory(Path(data))
        self.requests = RequestRecord()
        """What was asked so far, without anything that identifies."""
        self._practice = Practice(ResourceStore(loaded), behaviour or Behaviour())
        self.bulk = Bulk(self._practice)
        """Bulk exports, with the control tests need: `update`, `delete`, `expire`, `faults`."""
        self._port = port
        self._middleware = tuple(middleware)
        self.faults = FaultRecord()
        """What went wrong so far on purpose."""
        if faults is not None:
            profile = FaultProfile.named(faults) if isinstance(faults, str) else faults
            tap = Faults(profile, self.faults, settings.BASE_PATH, self.tokens.expire_one)
            self._middleware += (tap,)
        self._server: SandboxServer | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Listen, and return once requests are answered."""
        if self._server is not None:
            raise RuntimeError("This sandbox is already running.")
        server = SandboxServer(_HOST, self._port)
        self._practice.listen_at(f"http://{_HOST}:{server.port}")
        application: WSGIApplication = create_app(self._practice, self.requests, self.bulk)
        for wrap in reversed(self._middleware):
            application = wrap(application)
        self._server = server
        self._thread = threading.Thread(
            target=server.serve, args=(application,), name="practicefusion-sandbox", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening and close every connection. Stopping twice is harmless."""
        if self._server is None or self._thread is None:
            return
        self._server.stop()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:PORT`."""
        if not self._practice.origin:
            raise RuntimeError("The sandbox has no address until it is started.")
        return self._practice.origin

    @property
    def fhir_base_url(self) -> str:
        """The FHIR base URL of the practice, without a slash at its end."""
        return self.origin + settings.BASE_PATH

    @property
    def practice_id(self) -> str:
        """The practice's GUID, always the same."""
        return settings.PRACTICE_ID

    @property
    def client_id(self) -> str:
        """A confidential app; any loopback redirect URI will do."""
        return settings.CONFIDENTIAL_CLIENT_ID

    @property
    def client_secret(self) -> str:
        """The confidential app's secret. It holds characters that Basic has to get right."""
        return settings.CONFIDENTIAL_CLIENT_SECRET

    @property
    def public_client_id(self) -> str:
        """An app without a secret."""
        return settings.PUBLIC_CLIENT_ID

    @property
    def backend_client_id(self) -> str:
        """A backend app: `register_jwks`, or `backend_client_secret`."""
        return settings.BACKEND_CLIENT_ID

    @property
    def backend_client_secret(self) -> str:
        """The backend app's secret."""
        return settings.BACKEND_CLIENT_SECRET

    def register_jwks(self, jwks: dict[str, Any], url: str | None = None) -> None:
        """Register the backend app's public keys; `url` is what a `jku` header must equal."""
        client = self._practice.clients[settings.BACKEND_CLIENT_ID]
        client.jwks, client.jwks_url = jwks, url

    @property
    def users(self) -> list[dict[str, str | None]]:
        """Who can log in: username, password, role, patient id (or None) and name."""
        return [
            {
                "username": user.username,
                "password": user.password,
                "role": user.role,
                "patient": user.patient,
                "name": user.name,
            }
            for user in self._practice.users.values()
        ]

    @property
    def behaviour(self) -> Behaviour:
        """The knobs. Turn them while it runs; the object itself stays."""
        return self._practice.behaviour

    @property
    def tokens(self) -> TokenStore:
        """Every grant and token, with the control tests need: `expire_access` and others."""
        return self._practice.tokens

    @property
    def portal(self) -> Portal:
        """The practice's Medfusion portal, at the same origin: credentials, outbox, knobs."""
        return self._practice.portal

    @property
    def resources(self) -> dict[str, dict[str, Resource]]:
        """The whole data: resources by id, by type."""
        return self._practice.store.by_type
