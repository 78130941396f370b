"""An embedded Practice Fusion practice: FHIR R4 and SMART on FHIR on 127.0.0.1.

It is a stand-in for the real server, written from what is publicly known of it. It must not
know the connector's own client: a fake that shares code with what it tests proves nothing.

    from practicefusion_connector.sandbox import Sandbox

    with Sandbox(patients=5) as sandbox:
        print(sandbox.fhir_base_url)
"""

from practicefusion_connector.sandbox.faults import FaultProfile
from practicefusion_connector.sandbox.server import Sandbox
from practicefusion_connector.sandbox.settings import Behaviour

__all__ = ["Behaviour", "FaultProfile", "Sandbox"]
