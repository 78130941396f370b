"""What the portal says about a batch: accepted under which ids, and how far each message is.

The vendor publishes no schema of these answers, so they are read by the names of their elements
wherever those stand, and nothing else is relied on. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lxml import etree

from practicefusion_connector.medfusion.xml import Node, parse

State = Literal["pending", "completed", "failed"]

_STATES: dict[str, State] = {"COMPLETED": "completed", "ERROR": "failed"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came with a 202: the job of the whole batch, a message for each patient."""

    job_id: str | None
    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a batch; `error` is the portal's own text and may tell of the patient."""

    message_id: str | None
    state: State
    error: str | None


def read_receipt(data: bytes) -> Receipt:
    """Return what a ProcessingResponse tells; raises `InvalidResponse` where it is not XML."""
    root = parse(data)
    jobs = [text for node in _named(root, "datajobid") if (text := _text(node))]
    messages = [text for node in _named(root, "messageid") if (text := _text(node))]
    return Receipt(jobs[0] if jobs else None, tuple(messages))


def read_status(data: bytes) -> list[Message]:
    """Return the state of each message, in the order given; raises `InvalidResponse`.

    Whatever is neither COMPLETED nor ERROR is still being processed.
    """
    return [_message(node.getparent(), node) for node in _named(parse(data), "state")]


def _message(parent: Node, state: Node) -> Message:
    said = {} if parent is None else {_name(child): _text(child) for child in parent}
    given = {} if parent is None else {name.lower(): text for name, text in parent.attrib.items()}
    found = _STATES.get(_text(state).upper(), "pending")
    return Message(
        said.get("messageid") or given.get("messageid") or given.get("id") or None,
        found,
        (said.get("error") or None) if found == "failed" else None,
    )


def _named(root: Node, name: str) -> Iterator[Node]:
    return (node for node in root.iter(etree.Element) if _name(node) == name)


def _name(node: Node) -> str:
    return etree.QName(node).localname.lower()


def _text(node: Node) -> str:
    return " ".join("".join(node.itertext()).split())
