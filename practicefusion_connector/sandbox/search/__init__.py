"""FHIR search over the practice's records (FHIR R4 section 3.1.1).

Knows search parameters and values. Knows no HTTP, no OAuth and no paging.
"""

from practicefusion_connector.sandbox.search.engine import SearchEngine
from practicefusion_connector.sandbox.search.errors import SearchError

__all__ = ["SearchEngine", "SearchError"]
