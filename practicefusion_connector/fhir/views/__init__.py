"""Views: flat rows of FHIR resources, declared as SQL on FHIR v2 ViewDefinitions.

    definition ─► selection ─► view ─► rows
                      │
                 expression ── plain (compiled) or fhirpath (fhirpathpy)

Pure: from values to values, without network. `load_view` gives the shipped summary of a resource
type, `View.from_definition` compiles any definition. This room knows no action and no client.
"""

from practicefusion_connector.fhir.views.errors import ViewError
from practicefusion_connector.fhir.views.selection import Column
from practicefusion_connector.fhir.views.summary import (
    load_view,
    rows,
    shipped_definition,
    summarized,
)
from practicefusion_connector.fhir.views.view import View

__all__ = [
    "Column",
    "View",
    "ViewError",
    "load_view",
    "rows",
    "shipped_definition",
    "summarized",
]
