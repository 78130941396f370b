"""A resource as a FHIR server gets it, the entry that sends it, and what the answer means.

Pure: from values to values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from practicefusion_connector.sync.items import Applied, Item, Key, Resource
from practicefusion_connector.sync.targets.fhir_server import EntryAnswer
from practicefusion_connector.sync.targets.references import References, aliases

Search = Literal["identifier", "_tag"]

# R4's types whose resources have no identifier, or one at most, which is the source's to set.
TAGGED = frozenset(
    {
        "AdverseEvent",
        "AuditEvent",
        "Binary",
        "Bundle",
        "CapabilityStatement",
        "CompartmentDefinition",
        "Composition",
        "ConceptMap",
        "GraphDefinition",
        "ImplementationGuide",
        "Linkage",
        "MedicationKnowledge",
        "MedicinalProductContraindication",
        "MedicinalProductIndication",
        "MedicinalProductIngredient",
        "MedicinalProductInteraction",
        "MedicinalProductManufactured",
        "MedicinalProductUndesirableEffect",
        "MessageHeader",
        "NamingSystem",
        "OperationDefinition",
        "OperationOutcome",
        "Parameters",
        "Provenance",
        "QuestionnaireResponse",
        "SearchParameter",
        "SpecimenDefinition",
        "Subscription",
        "SubstanceNucleicAcid",
        "SubstancePolymer",
        "SubstanceProtein",
        "SubstanceReferenceInformation",
        "SubstanceSourceMaterial",
        "SubstanceSpecification",
        "TerminologyCapabilities",
        "TestReport",
        "TestScript",
        "VerificationResult",
    }
)
# What the target sets itself.
_OWN_META = ("versionId", "lastUpdated")


def prepared(
    item: Item, held: Mapping[Key, str], search: Search | None, references: References
) -> tuple[Resource, tuple[Key, ...]]:
    """Return a resource as the target gets it, and what it refers to that is not there.

    Its decimals are as `bulk.exact` reads them, for a `FhirServer` to write.

    Args:
        item: as the source gives it.
        held: the target's ids of what it refers to.
        search: how it is found again: by an identifier that is added, else by a tag.
        references: rewrites what it refers to.
    """
    copy, missing = references.rewritten(item.exact, held)
    del copy["id"]
    meta = copy.get("meta")
    meta = dict(meta) if isinstance(meta, dict) else {}
    for name in _OWN_META:
        meta.pop(name, None)
    system = references.system_of(item.key.type)
    if search == "identifier":
        given = copy.get("identifier")
        listed = given if isinstance(given, list) else []
        copy["identifier"] = [*listed, {"system": system, "value": item.key.id}]
    else:
        tags = meta.get("tag")
        listed = tags if isinstance(tags, list) else []
        meta["tag"] = [*listed, {"system": system, "code": item.key.id}]
    copy["meta"] = meta
    if not meta:
        del copy["meta"]
    return copy, missing


def is_of_another(item: Item, answer: EntryAnswer, system: str) -> bool:
    """Say whether an answer shows a resource that carries the source's id of another one.

    Args:
        system: of the identifier or tag that was sent along.
    """
    shown = answer.resource or {}
    meta, given = shown.get("meta"), shown.get("identifier")
    tags = meta.get("tag") if isinstance(meta, dict) else None
    listed = [each for some in (given, tags) if isinstance(some, list) for each in some]
    own = [each for each in listed if isinstance(each, dict) and each.get("system") == system]
    ids = {str(each.get("value", each.get("code"))) for each in own}
    return bool(ids) and item.key.id not in ids


def found_id(answer: EntryAnswer) -> str | None:
    """Return the id of the one resource that a search found."""
    listed = (answer.resource or {}).get("entry")
    found = [each.get("resource") for each in listed or () if isinstance(each, dict)]
    ids = [each.get("id") for each in found if isinstance(each, dict)]
    return ids[0] if len(ids) == 1 and isinstance(ids[0], str) else None


def put_entry(url: str, resource: Resource) -> dict[str, Any]:
    """Return the entry that puts a resource at a URL."""
    return {"resource": resource, "request": {"method": "PUT", "url": url}}


def conditional_entry(resource: Resource, target_id: str) -> dict[str, Any]:
    """Return the entry that writes a resource back unless somebody else has changed it."""
    entry = put_entry(f"{resource['resourceType']}/{target_id}", resource)
    meta = resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, dict) else None
    if version:
        entry["request"]["ifMatch"] = f'W/"{version}"'
    return entry


def applied(item: Item, answer: EntryAnswer, missing: tuple[Key, ...]) -> Applied:
    """Return what became of an item, by the answer to its entry."""
    if not answer.ok:
        return Applied("failed", code=answer.code or "refused", http_status=answer.status)
    if answer.id is None:
        return Applied("failed", code="no_location", http_status=answer.status)
    return Applied(
        "created" if answer.status == 201 else "updated",
        answer.id,
        missing,
        aliases(item.resource),
        http_status=answer.status,
    )


def deleted(answer: EntryAnswer) -> Applied:
    """Return what became of a deletion; what is not there is deleted."""
    if answer.ok or answer.status in (404, 410):
        return Applied("updated", http_status=answer.status)
    return Applied("failed", code=answer.code or "refused", http_status=answer.status)
