"""Pages of a search whose resources are written to a file as the server wrote them."""

from __future__ import annotations

from practicefusion_connector.bulk import exact
from practicefusion_connector.fhir.bundle import Page, read_page
from practicefusion_connector.fhir.client import FhirClient
from practicefusion_connector.transport import Run


class ExactPages(FhirClient):
    """A FHIR client whose pages keep every decimal as the server wrote it."""

    def page(self, resource: str, url: str, run: Run) -> Page:
        """Return one page; its resources are for `exact.write`."""
        answer = self._get(url, run)
        # Read strictly first: what can be read in two ways is refused.
        answer.json()
        return read_page(exact.read(answer.body), resource, url, self._transport.policy.max_entries)
