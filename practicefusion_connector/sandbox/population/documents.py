"""What was written down, and who recorded what: documents and provenance."""

from __future__ import annotations

import base64
from datetime import timedelta
from itertools import takewhile
from typing import Any

from practicefusion_connector.sandbox.population.chart import Chart
from practicefusion_connector.sandbox.population.elements import (
    coding,
    concept,
    moment,
    period,
    reference,
)
from practicefusion_connector.sandbox.population.encounters import at
from practicefusion_connector.sandbox.store import Resource

_FACILITY_MINUTES = timedelta(minutes=45)


def build_documents(chart: Chart) -> list[Resource]:
    """A note of the last visit, and for some a letter that stands on an earlier note."""
    note = _document(chart, 0)
    if chart.number % 2 == 0:
        return [note]
    letter = _document(chart, 1)
    relation = "replaces" if chart.number % 4 == 1 else "appends"
    letter["relatesTo"] = [{"code": relation, "target": reference(note)}]
    if relation == "replaces":
        note["status"] = "superseded"
    return [note, letter]


def _document(chart: Chart, shift: int) -> Resource:
    row = chart.pick("documents", shift)
    visit = chart.visits[-1 - shift]
    number = chart.register.number("DocumentReference") + 1
    return chart.register.add(
        "DocumentReference",
        profile="us-core-documentreference",
        masterIdentifier={"system": "urn:ietf:rfc:3986", "value": f"urn:oid:2.25.{4000 + number}"},
        identifier=[{"system": "urn:practicefusion:document", "value": f"DOC-{number:05d}"}],
        status="current",
        type=concept(row["type"]),
        category=[concept(row["category"])],
        subject=chart.subject,
        date=at(visit, 30),
        author=[reference(visit.practitioner)],
        authenticator=reference(visit.practitioner) if shift == 0 else None,
        custodian=reference(chart.around.practice if shift == 0 else chart.around.hospital),
        description=f"{row['type'][2]}, {visit.start:%B %Y}",
        content=[{"attachment": _attachment(chart, row, number), "format": coding(row["format"])}],
        context={
            "encounter": [reference(visit.encounter)],
            "event": [concept(row["event"])],
            "period": period(visit.start, _FACILITY_MINUTES),
            "facilityType": concept(row["facility"]),
        },
    )


def _attachment(chart: Chart, row: dict[str, Any], number: int) -> dict[str, Any]:
    """The text inline, or as a Binary: real documents come both ways."""
    data = base64.b64encode(row["text"].encode()).decode()
    attachment: dict[str, Any] = {"contentType": "text/plain", "language": row["language"]}
    if number % 3 == 0:
        binary = chart.register.add("Binary", contentType="text/plain", data=data)
        binary["securityContext"] = chart.subject
        return {**attachment, "url": f"Binary/{binary['id']}"}
    return {**attachment, "data": data, "title": row["type"][2]}


def build_provenance(chart: Chart, documents: list[Resource], problems: list[Resource]) -> None:
    """Who recorded the chart itself, its documents, its problems, and the rest of it."""
    visit = chart.visits[-1]
    author = [_agent("author", reference(visit.practitioner), reference(chart.around.practice))]
    chart.register.add(
        "Provenance",
        profile="us-core-provenance",
        target=[chart.subject],
        occurredDateTime=at(visit, 1),
        recorded=at(visit, 2),
        agent=author,
    )
    source = {"role": "source", "what": reference(documents[0])}
    chart.register.add(
        "Provenance",
        profile="us-core-provenance",
        target=[reference(problem) for problem in problems],
        occurredDateTime=at(visit, 5),
        recorded=at(visit, 12),
        agent=author,
        entity=[source],
    )
    chart.register.add(
        "Provenance",
        profile="us-core-provenance",
        target=[reference(document) for document in documents],
        recorded=moment(visit.start + timedelta(hours=2)),
        agent=[_agent("transmitter", reference(chart.around.laboratory))],
    )
    chart.register.add(
        "Provenance",
        profile="us-core-provenance",
        target=[reference(first) for first in _first_of_each_type(chart)],
        recorded=at(visit, 15),
        agent=author,
    )


def _first_of_each_type(chart: Chart) -> list[Resource]:
    own = takewhile(lambda made: made is not chart.patient, reversed(chart.register.resources))
    firsts = {made["resourceType"]: made for made in own}
    return [made for name, made in firsts.items() if name not in ("Provenance", "Binary")]


def _agent(
    kind: str, who: dict[str, Any], on_behalf_of: dict[str, Any] | None = None
) -> dict[str, Any]:
    agent = {"type": concept(["provenance-agent", kind, kind.capitalize()]), "who": who}
    return {**agent, "onBehalfOf": on_behalf_of} if on_behalf_of else agent
