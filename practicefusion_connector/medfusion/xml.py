"""PatientBatch as XML and back: safely, in any version, with nothing lost.

Reading refuses document types, entities and anything that is no PatientBatch, and takes any
version. What `models` does not know is set apart before pydantic-xml reads the rest, and put back
where it was when the batch is written. Errors quote no content.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, get_args, get_origin

from lxml import etree
from pydantic import ValidationError
from pydantic_xml import ParsingError
from pydantic_xml.fields import extract_field_xml_entity_info
from pydantic_xml.typedefs import EntityLocation

from practicefusion_connector.errors import InvalidResponse, ResponseTooLarge
from practicefusion_connector.medfusion.models import Element, PatientBatch, Unknown
from practicefusion_connector.medfusion.versions import VERSIONS, VersionName

# What the models call the two identifiers whose names differ between versions.
_PATIENT_ID, _PRACTICE_ID = "PortalPatientId", "PortalPracticeId"
_READ_AS = {version.patient_id: _PATIENT_ID for version in VERSIONS.values()} | {
    version.practice_id: _PRACTICE_ID for version in VERSIONS.values()
}
# Days that Medfusion writes as xs:dateTime. Noon keeps them the same day in every zone that
# converts them.
_DAYS = ("DateOfBirth", "SubscriberDateOfBirth", "EffectiveDate", "ExpirationDate")
_NOON = "T12:00:00Z"
# Longer than any batch of 100 patients; libxml2's own limits hold for depth and entities.
_MAX_BYTES = 32 * 1024 * 1024

Node = Any  # lxml's elements: its stubs do not know what may be None where


def parse(data: bytes) -> Node:
    """Return the root of a document that comes from elsewhere.

    Raises:
        InvalidResponse: not XML, or with a document type, which may hold entities.
        ResponseTooLarge: over 32 MiB.
    """
    if len(data) > _MAX_BYTES:
        raise ResponseTooLarge(f"The XML is larger than the limit of {_MAX_BYTES} bytes.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    # Raised outside the handler: libxml2's messages quote names and values of the document.
    root: Node
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise InvalidResponse(f"The answer is not XML that can be read ({len(data)} bytes).")
    if root.getroottree().docinfo.internalDTD is not None:
        raise InvalidResponse("The answer's XML has a document type, which may hold entities.")
    return root


def read_batch(data: bytes) -> PatientBatch:
    """Return the batch in `data`, of whichever version.

    Raises:
        InvalidResponse: it cannot be read, or is no PatientBatch.
        ResponseTooLarge: it is over 32 MiB.
    """
    root = parse(data)
    _normalize(root)
    if root.tag != "PatientBatch":
        raise InvalidResponse("The answer is XML, but no PatientBatch.")
    apart = _set_apart(root, PatientBatch)
    path = ""
    try:
        batch: PatientBatch = apart.put_back(PatientBatch.from_xml_tree(root))
        return batch
    except ValidationError as error:
        path = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
    except ParsingError:
        pass
    raise InvalidResponse(f"The answer's PatientBatch has a value that cannot be read: {path}.")


def write_batch(batch: PatientBatch, version: VersionName = "v1") -> bytes:
    """Return the batch as a document of `version`, in document order, without empty elements."""
    written: Node = batch.to_xml_tree(exclude_none=True)
    _restore(written, batch)
    declared = VERSIONS[version]
    names = {_PATIENT_ID: declared.patient_id, _PRACTICE_ID: declared.practice_id}
    for node in written.iter(*_DAYS, *names):
        if node.tag in names:
            node.tag = names[node.tag]
        else:
            node.text += _NOON
    root = etree.Element(f"{{{declared.namespace}}}PatientBatch", nsmap={"p": declared.namespace})
    root.extend(list(written))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _normalize(root: Node) -> None:
    """Take the batch's namespace and a version's own names off the elements."""
    namespace = etree.QName(root).namespace
    for node in root.iter(etree.Element):
        name = etree.QName(node)
        if name.namespace == namespace:
            node.tag = name.localname
        parent = node.getparent()
        if node.tag in _READ_AS and parent.find(_READ_AS[node.tag]) is None:
            node.tag = _READ_AS[node.tag]


class _Child(NamedTuple):
    """A child an element may have: its field, what kind of element it is, whether it repeats."""

    field: str
    kind: type[Element] | None
    repeats: bool


@cache
def _declared(kind: type[Element]) -> tuple[dict[str, _Child], frozenset[str]]:
    """Return what a kind of element may hold: its children by tag, in order, and attributes."""
    children: dict[str, _Child] = {}
    attributes = set()
    for name, field in kind.model_fields.items():
        entity = extract_field_xml_entity_info(field)
        tag = (entity and entity.path) or field.alias or name
        if entity and entity.location is EntityLocation.ATTRIBUTE:
            attributes.add(tag)
        elif name != "unknown":
            repeats = get_origin(field.annotation) is tuple
            children[tag] = _Child(name, _kind_in(field.annotation), repeats)
    return children, frozenset(attributes)


def _kind_in(annotation: Any) -> type[Element] | None:
    """Return the kind of element in an annotation such as `Name | None`, if there is one."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation if issubclass(annotation, Element) else None
    return next((kind for part in get_args(annotation) if (kind := _kind_in(part))), None)


class _Apart:
    """What was set apart of one element, and of the elements in it (by field, in order)."""

    def __init__(self, kind: type[Element]) -> None:
        self.kind = kind
        self.unknown: list[Unknown] = []
        self.within: dict[str, list[_Apart]] = {}

    def put_back(self, found: Any) -> Any:
        """Return the element that was read with what was set apart of it."""
        update: dict[str, Any] = {"unknown": tuple(self.unknown)} if self.unknown else {}
        for field, inner in self.within.items():
            value = getattr(found, field, None)
            several = value if isinstance(value, tuple) else (value,)
            whole = tuple(apart.put_back(one) for apart, one in zip(inner, several, strict=True))
            update[field] = whole if isinstance(value, tuple) else whole[0]
        if not any(update.values()):
            return found
        return (found or self.kind()).model_copy(update=update)


def _set_apart(node: Node, kind: type[Element]) -> _Apart:
    """Take everything out of `node` that `kind` does not declare."""
    children, attributes = _declared(kind)
    apart, after, seen = _Apart(kind), None, set()
    node.text = None
    for name in set(node.attrib) - attributes:
        del node.attrib[name]
    for node_in in list(node):
        node_in.tail = None
        child = children.get(node_in.tag)
        if child is None or (node_in.tag in seen and not child.repeats):
            node.remove(node_in)
            etree.cleanup_namespaces(node_in)
            text = etree.tostring(node_in, encoding="unicode")
            apart.unknown.append(Unknown(after=after, xml=text))
            continue
        seen.add(node_in.tag)
        # An empty element is not written again, so nothing can come behind it.
        after = node_in.tag if len(node_in) or (node_in.text or "").strip() else after
        if child.kind:
            apart.within.setdefault(child.field, []).append(_set_apart(node_in, child.kind))
    return apart


def _restore(node: Node, written: Element) -> None:
    """Put what is unknown back into `node`, which was written from `written`."""
    children, _ = _declared(type(written))
    for tag, child in children.items():
        value = getattr(written, child.field)
        if child.kind and value:
            several = value if isinstance(value, tuple) else (value,)
            for node_in, inner in zip(node.findall(tag), several, strict=True):
                _restore(node_in, inner)
    order = list(children)
    for unknown in reversed(written.unknown):
        before = order[: order.index(unknown.after) + 1] if unknown.after in order else []
        behind = [place for place, node_in in enumerate(node) if node_in.tag in before]
        node.insert(max(behind, default=-1) + 1, parse(unknown.xml.encode()))
