"""The practice as one object: its records, its apps and people, its tokens, its behaviour.

Every room that answers requests is given this object; it knows none of them.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from practicefusion_connector.sandbox import settings
from practicefusion_connector.sandbox.medfusion.portal import Portal
from practicefusion_connector.sandbox.oauth.keys import SigningKey
from practicefusion_connector.sandbox.oauth.models import Client, LaunchContext, User
from practicefusion_connector.sandbox.oauth.tokens import TokenStore
from practicefusion_connector.sandbox.search import SearchEngine
from practicefusion_connector.sandbox.settings import Behaviour
from practicefusion_connector.sandbox.store import Resource, ResourceStore


def display_name(resource: Resource | None) -> str:
    """The name of a patient or practitioner as a person reads it."""
    names = (resource or {}).get("name") or [{}]
    name = names[0]
    if name.get("text"):
        return str(name["text"])
    words = [*name.get("prefix", ()), *name.get("given", ()), name.get("family", "")]
    return " ".join(word for word in words if word) or "Unnamed"


def sample_clients() -> dict[str, Client]:
    """The three kinds of app, registered with the practice from the start."""
    clients = [
        Client(
            settings.CONFIDENTIAL_CLIENT_ID,
            "Sample Clinic App",
            client_secret=settings.CONFIDENTIAL_CLIENT_SECRET,
        ),
        Client(settings.PUBLIC_CLIENT_ID, "Sample Phone App"),
        Client(
            settings.BACKEND_CLIENT_ID,
            "Sample Backend App",
            client_secret=settings.BACKEND_CLIENT_SECRET,
            grant_types=frozenset({"client_credentials"}),
        ),
    ]
    return {client.client_id: client for client in clients}


def sample_users(store: ResourceStore) -> dict[str, User]:
    """A provider and two patients who can log in, taken from the records there are."""
    practitioner = next(store.of_type("Practitioner"), None)
    users = [
        User(
            username="provider",
            password="provider-password",  # noqa: S106
            role="provider",
            name=display_name(practitioner) if practitioner else "Provider",
            fhir_user=f"Practitioner/{practitioner['id']}" if practitioner else None,
        )
    ]
    for number, patient in enumerate(list(store.of_type("Patient"))[:2], start=1):
        suffix = "" if number == 1 else str(number)
        users.append(
            User(
                username=f"patient{suffix}",
                password=f"patient{suffix}-password",
                role="patient",
                name=display_name(patient),
                fhir_user=f"Patient/{patient['id']}",
                patient=patient["id"],
            )
        )
    return {user.username: user for user in users}


@dataclass
class Practice:
    """Everything one running sandbox has. `origin` is known once it listens."""

    store: ResourceStore
    behaviour: Behaviour
    tokens: TokenStore = field(default_factory=TokenStore)
    signing_key: SigningKey = field(default_factory=SigningKey)
    clients: dict[str, Client] = field(default_factory=sample_clients)
    portal: Portal = field(default_factory=Portal)
    origin: str = ""

    def __post_init__(self) -> None:
        self.engine = SearchEngine(self.store)
        self.users = sample_users(self.store)
        self._kept: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        """The FHIR base URL, which is also the audience and the issuer."""
        return self.origin + settings.BASE_PATH

    def listen_at(self, origin: str) -> None:
        """Tell the practice where it can be reached."""
        self.origin = origin
        self.store.base_url = self.base_url

    def keep(self, value: Any) -> str:
        """Keep a value under a new opaque handle: a launch, or a request that awaits consent."""
        handle = uuid.uuid4().hex
        with self._lock:
            self._kept[handle] = value
            while len(self._kept) > 1000:
                del self._kept[next(iter(self._kept))]
        return handle

    def kept(self, handle: str) -> Any:
        """The value behind a handle, or None."""
        return self._kept.get(handle)

    def drop(self, handle: str) -> None:
        """Forget a handle."""
        with self._lock:
            self._kept.pop(handle, None)

    def launch(self, handle: str | None) -> LaunchContext | None:
        """The EHR launch behind the opaque value an app sent back."""
        value = self.kept(handle) if handle else None
        return value if isinstance(value, LaunchContext) else None

    def latest_encounter(self, patient: str) -> str | None:
        """The encounter of a patient that began last."""
        criteria = [("patient", patient)]
        found = self.engine.search("Encounter", criteria, ["-date"])
        return str(found[0]["id"]) if found else None
