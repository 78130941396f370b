"""The wire: one request sent safely, retried by one policy, read within bounds.

It knows nothing of OAuth or FHIR beyond the shapes in which this server says what went wrong.
"""

from practicefusion_connector.transport.answers import Answer, Incoming
from practicefusion_connector.transport.http import Transport
from practicefusion_connector.transport.policy import Policy
from practicefusion_connector.transport.run import Run, Trace

__all__ = ["Answer", "Incoming", "Policy", "Run", "Trace", "Transport"]
