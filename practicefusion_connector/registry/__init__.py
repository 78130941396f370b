"""The declarative registry: which actions there are, what they accept, how inputs are checked.

Pure after loading: it reads `actions/` once and never the network.
"""

from practicefusion_connector.registry.definitions import Action, Parameter
from practicefusion_connector.registry.inputs import Request, check
from practicefusion_connector.registry.loading import Registry, shipped

__all__ = ["Action", "Parameter", "Registry", "Request", "check", "shipped"]
