"""The Medfusion patient portal: invite patients, follow what they register and change.

A second system beside Practice Fusion's FHIR server, with its own wire format, on the same floors:
one transport, one store, one error tree. Names are imported when they are first used; the XML
needs the extra `medfusion`.

    from practicefusion_connector.medfusion import Medfusion

    with Medfusion.from_store(store, "portal", ledger=Ledger(path)) as portal:
        result = portal.run("medfusion_invite_patients", {"patients": [...]})
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from practicefusion_connector.medfusion.client import Medfusion
    from practicefusion_connector.medfusion.connecting import connect
    from practicefusion_connector.medfusion.connection import MedfusionConnection, MedfusionRecord
    from practicefusion_connector.medfusion.fhir import coverages, from_fhir, to_fhir
    from practicefusion_connector.medfusion.following import Follower
    from practicefusion_connector.medfusion.ledger import Ledger
    from practicefusion_connector.medfusion.models import Patient, PatientBatch
    from practicefusion_connector.medfusion.sinks import JsonLines
    from practicefusion_connector.medfusion.xml import read_batch, write_batch

_HOMES = {
    "Follower": "following",
    "JsonLines": "sinks",
    "Ledger": "ledger",
    "Medfusion": "client",
    "MedfusionConnection": "connection",
    "MedfusionRecord": "connection",
    "Patient": "models",
    "PatientBatch": "models",
    "connect": "connecting",
    "coverages": "fhir",
    "from_fhir": "fhir",
    "read_batch": "xml",
    "to_fhir": "fhir",
    "write_batch": "xml",
}

__all__ = [
    "Follower",
    "JsonLines",
    "Ledger",
    "Medfusion",
    "MedfusionConnection",
    "MedfusionRecord",
    "Patient",
    "PatientBatch",
    "connect",
    "coverages",
    "from_fhir",
    "read_batch",
    "to_fhir",
    "write_batch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ImportError as error:
        raise ImportError(
            f"Medfusion needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[medfusion]'",
            name=error.name,
        ) from error


def __dir__() -> list[str]:
    return __all__
