"""A connection to a Medfusion portal: which practice, which application, which user.

Pure data with checks, like `Connection`, and the record a store keeps of it. What is not certain
about the vendor's API is a setting here. Secrets are `SecretStr`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NoReturn
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from practicefusion_connector.connection import checked_url, connection_of
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.medfusion.versions import VersionName
from practicefusion_connector.stores.base import ConnectionRecord

SERVERS = {
    "test": "https://integration.demo.medfusion.net",
    "production": "https://integration.medfusion.net",
}
SinceUnit = Literal["seconds", "milliseconds"]


def _server(server: str) -> str:
    url = checked_url(SERVERS.get(server, server))
    if urlsplit(url).path:
        raise ValueError("it must be test, production, or a URL without a path")
    return url


class MedfusionConnection(BaseModel):
    """One practice's portal, reached by one application as one user.

    Build it with `MedfusionConnection.of(...)`, which raises `InvalidConfig`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str = Field(
        default="medfusion",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        title="Connection ID",
        description="The host's own name for this connection.",
    )
    server: Annotated[str, AfterValidator(_server)] = Field(
        default="production",
        validate_default=True,
        title="Server",
        description="test, production, or the server's own URL.",
    )
    practice_id: str = Field(
        pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
        title="Practice ID",
        description="The practice's integration ID at Medfusion, a UUID.",
    )
    application_token: SecretStr | None = Field(
        default=None,
        title="Application Token",
        description="What Medfusion gave the application; client ID and secret follow from it.",
    )
    client_id: str | None = Field(
        default=None, title="Client ID", description="In place of the application token."
    )
    client_secret: SecretStr | None = Field(
        default=None, title="Client Secret", description="Goes with the client ID."
    )
    username: str = Field(min_length=1, title="User Name", description="The integration user.")
    password: SecretStr = Field(min_length=1, title="Password")
    version: VersionName = Field(
        default="v1",
        title="Version",
        description="Of the patient schema: its namespace, the names of ids, the URLs.",
    )
    patient_noun: str = Field(
        default="patient",
        pattern=r"^[A-Za-z]+$",
        title="Patient Noun",
        description="The last part of the URL that takes and gives patients.",
    )
    since_unit: SinceUnit = Field(
        default="seconds",
        title="Unit of Since",
        description="In what the server counts the moments of changes since 1970.",
    )
    vendor_name: str = Field(
        default="practicefusion-connector",
        min_length=1,
        title="Vendor Name",
        description="Who sends the batches.",
    )

    @model_validator(mode="after")
    def _has_application(self) -> MedfusionConnection:
        if self.application_token is None and not self.has_client:
            raise ValueError("it needs an application token, or a client ID with its secret")
        return self

    @property
    def has_client(self) -> bool:
        """Whether client id and secret are known, so that no look-up is needed."""
        return bool(self.client_id and self.client_secret)

    @property
    def practice_url(self) -> str:
        """The URL all of the practice's calls lie under."""
        return f"{self.server}/{self.version}/practice/{self.practice_id}"

    @property
    def patients_url(self) -> str:
        """The URL that takes and gives patients."""
        return f"{self.practice_url}/{self.patient_noun}"

    @property
    def fhir_base_url(self) -> NoReturn:
        """Refuse: what asks for it takes this for a connection to Practice Fusion."""
        raise InvalidInput(
            f'Connection "{self.id}" leads to a Medfusion portal, which has no FHIR server; use '
            "the medfusion actions with it.",
            problems=[{"path": "connection", "message": "it leads to a Medfusion portal"}],
        )

    @classmethod
    def of(cls, **fields: Any) -> MedfusionConnection:
        """Build it from form fields, or raise `InvalidConfig` naming each wrong field."""
        return connection_of(cls, fields, whole="application_token")


class MedfusionRecord(ConnectionRecord):
    """What a store keeps of a portal's connection, beside its tokens.

    Attributes:
        cursor: how far its changes were followed; `None` before the first.
    """

    system: Literal["medfusion"] = "medfusion"
    # A store needs only `id` of a connection; whoever needs more checks the record's class.
    connection: MedfusionConnection  # type: ignore[assignment]
    cursor: str | None = None
