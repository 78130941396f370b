"""Token parameters: codes, identifiers, booleans and contact points (FHIR R4 3.1.1.4.10)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from practicefusion_connector.sandbox.search.escaping import split_unescaped, unescape
from practicefusion_connector.sandbox.search.matching import Resolve
from practicefusion_connector.sandbox.search.parameters import SearchParameter


class Token(NamedTuple):
    """An indexed token. `system` is None where the element has none of its own."""

    system: str | None
    code: str
    implied_system: bool = False


class WantedToken(NamedTuple):
    """`code` (system None), `system|code`, `|code` (system empty) or `system|` (code empty)."""

    system: str | None
    code: str


class TokenMatcher:
    """Codes match exactly; a contact point matches by its stored text, character for character."""

    def extract(
        self, element: Any, parameter: SearchParameter, resolve: Resolve
    ) -> Iterable[Token]:
        """Tokens of a Coding, CodeableConcept, Identifier, ContactPoint, code or boolean."""
        if isinstance(element, bool):
            yield Token(None, "true" if element else "false", implied_system=True)
        elif isinstance(element, str):
            yield Token(None, element, implied_system=True)
        elif isinstance(element, dict):
            codings = element.get("coding")
            for part in codings if isinstance(codings, list) else [element]:
                code = part.get("code", part.get("value")) if isinstance(part, dict) else None
                if isinstance(code, str):
                    yield Token(part.get("system"), code)

    def parse(self, text: str, parameter: SearchParameter, resolve: Resolve) -> WantedToken:
        """Every text is a token."""
        parts = split_unescaped(text, "|", limit=1)
        if len(parts) == 1:
            return WantedToken(None, unescape(parts[0]))
        return WantedToken(unescape(parts[0]), unescape(parts[1]))

    def matches(self, value: Token, wanted: WantedToken) -> bool:
        """A plain code or boolean has the system its value set implies: any named one is taken."""
        if wanted.code and value.code != wanted.code:
            return False
        if wanted.system is None or value.implied_system:
            return True
        return (value.system or "") == wanted.system

    def sort_key(self, value: Token) -> str:
        """By code."""
        return value.code
