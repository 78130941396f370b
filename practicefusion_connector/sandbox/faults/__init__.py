"""Faults on tap: what goes wrong in the field, injected on purpose, the same way for a seed.

    from practicefusion_connector.sandbox import FaultProfile, Sandbox

    with Sandbox(faults="unreliable") as sandbox: ...
    with Sandbox(faults=FaultProfile(rate=0.2, kinds={"503": 1, "reset": 1}, seed=7)) as sandbox:
        ...
        for fault in sandbox.faults:
            print(fault.kind, fault.path)

Knows HTTP and the shape of a Bundle; knows nothing of the practice behind it.
"""

from practicefusion_connector.sandbox.faults.middleware import Faults
from practicefusion_connector.sandbox.faults.profile import FaultProfile, profile_names
from practicefusion_connector.sandbox.faults.record import FaultRecord, InjectedFault

__all__ = ["FaultProfile", "FaultRecord", "Faults", "InjectedFault", "profile_names"]
