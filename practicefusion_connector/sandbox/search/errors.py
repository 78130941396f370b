"""The one error of the search room."""

from __future__ import annotations


class SearchError(Exception):
    """A search the server does not answer. `code` is one of http://hl7.org/fhir/issue-type.

    The message names the parameter, never its value, which may identify a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
