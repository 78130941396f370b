"""All kinds of faults there are; a room that holds some registers them when it is imported."""

from practicefusion_connector.sandbox.faults import bodies, connection, hostile, refusals
from practicefusion_connector.sandbox.faults.exchange import KINDS

__all__ = ["KINDS", "bodies", "connection", "hostile", "refusals"]
