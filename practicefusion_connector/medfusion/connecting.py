"""Making a stored connection to a portal: the application looked up once, a first token got."""

from __future__ import annotations

from contextlib import closing

from practicefusion_connector.errors import InvalidConfig, InvalidInput
from practicefusion_connector.medfusion.connection import MedfusionConnection, MedfusionRecord
from practicefusion_connector.medfusion.oauth import fetch_token, look_up
from practicefusion_connector.stores import ConnectionStore, StaleVersion
from practicefusion_connector.transport import Policy, Run, Transport

_SAVES_TRIED = 5


def connect(
    store: ConnectionStore, connection: MedfusionConnection, *, policy: Policy | None = None
) -> MedfusionConnection:
    """Prove the credentials, keep the connection with its first token, and return it.

    A connection of the same id is replaced; how far its changes were followed is kept where it
    led to the same practice.

    Raises:
        InvalidConfig: the application is not known, or the id belongs to another system.
        ReauthRequired: the credentials are refused.
        ConnectorError: the server could not be asked.
    """
    with closing(Transport(policy)) as transport:
        run = Run(transport.policy.deadline)
        application = look_up(transport, connection, run)
        tokens = fetch_token(transport, connection, application, run)
    known = connection.model_copy(update=application._asdict())
    record = MedfusionRecord(connection=known, tokens=tokens)
    for _ in range(_SAVES_TRIED):
        stored = store.load(known.id)
        try:
            store.save(
                record.model_copy(update={"cursor": _cursor(stored and stored.record, known)}),
                expected=stored.version if stored else None,
            )
        except StaleVersion:
            continue
        return known
    raise InvalidConfig("Other workers keep writing to this connection; connect again.")


def _cursor(record: object, connection: MedfusionConnection) -> str | None:
    if record is None:
        return None
    if not isinstance(record, MedfusionRecord):
        raise InvalidConfig(
            f'Connection "{connection.id}" leads to a Practice Fusion practice; give this one '
            "another name."
        )
    same = record.connection.practice_url == connection.practice_url
    return record.cursor if same else None


def portal_record(store: ConnectionStore, connection_id: str) -> MedfusionRecord:
    """Return the record of a stored connection to a portal.

    Raises:
        InvalidInput: the store has no connection of this id.
        InvalidConfig: it leads to a Practice Fusion practice.
    """
    stored = store.load(connection_id)
    if stored is None:
        raise InvalidInput(
            "There is no connection of this id in the store; make one with "
            "practicefusion medfusion connect.",
            problems=[{"path": "connection_id", "message": "there is none of this id"}],
        )
    if not isinstance(stored.record, MedfusionRecord):
        raise InvalidConfig(
            f'Connection "{connection_id}" leads to a Practice Fusion practice, not to a Medfusion '
            "portal."
        )
    return stored.record
