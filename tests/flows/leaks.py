"""Secrets that must not be seen anywhere: in a log, a repr, an exception or what led to it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import pytest
from pydantic import BaseModel, SecretStr

from practicefusion_connector.sandbox import Sandbox


class Leaks:
    """Knows the secrets of a test and looks for them wherever it is told to."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self._secrets: dict[str, str] = {}

    def plant(self, name: str, secret: str | SecretStr) -> None:
        """Remember a secret."""
        plain = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
        assert plain, f"{name} is empty, so it would be found everywhere"
        self._secrets[name] = plain

    def plant_all_in(self, model: BaseModel) -> None:
        """Remember every secret a model holds."""
        for name in type(model).model_fields:
            if isinstance(secret := getattr(model, name), SecretStr):
                self.plant(name, secret)

    def plant_tokens(self, sandbox: Sandbox) -> None:
        """Remember every token the practice has issued so far."""
        for number, token in enumerate(issued(sandbox)):
            self.plant(f"token {number}", token)

    def check(self, *shown: object) -> None:
        """Fail where a secret is in the logs so far, or in what `shown` shows of itself."""
        texts = [record.getMessage() + (record.exc_text or "") for record in self._caplog.records]
        texts += [text for thing in shown for text in _texts(thing)]
        for name, secret in self._secrets.items():
            assert not any(secret in text for text in texts), f"{name} was shown"


def issued(sandbox: Sandbox) -> list[str]:
    """Return every access and refresh token the practice has issued."""
    return [*sandbox.tokens._access, *sandbox.tokens._refresh]


def _texts(thing: object) -> Iterator[str]:
    yield repr(thing)
    yield str(thing)
    if isinstance(thing, BaseException):
        yield "".join(traceback.format_exception(thing))
        yield repr(vars(thing))
        for cause in (thing.__cause__, thing.__context__):
            if cause is not None:
                yield from _texts(cause)
