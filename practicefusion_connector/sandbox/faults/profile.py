"""What goes wrong how often: a profile, by name or made to measure."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class FaultProfile:
    """Which requests meet which faults. The same seed and request always meet the same ones."""

    rate: float = 0.0
    """The share of requests that meet a fault, 0 to 1."""
    kinds: Mapping[str, float] = field(default_factory=dict)
    """Kinds of faults with their weights; left out, all kinds weigh the same."""
    seed: int = 1
    times: int | None = None
    """After this many faults everything works again; `None` for no end."""
    token_endpoint: bool = False
    """Whether the token endpoint meets the faults it can: refusals, failures and resets."""
    retry_after: int = 1
    """Seconds a 429 or 503 asks to wait, in whatever form it says so."""
    slow_seconds: float = 1.0
    """How long a slow body takes, and how long a stalled one says nothing."""
    bomb_bytes: int = 100 * 1024 * 1024
    """Size of a gzip bomb once it is inflated."""
    requests_per_second: float | None = None
    """FHIR requests the practice takes; the others get 429, whatever the rate of faults."""
    burst: int = 20
    """FHIR requests the practice takes at once after a quiet time."""

    @classmethod
    def named(cls, name: str) -> FaultProfile:
        """The profile of a name. Raises ValueError for a name there is not."""
        profiles = _profiles()
        if name not in profiles:
            known = ", ".join(sorted(profiles))
            raise ValueError(f"There is no fault profile of this name. There are: {known}.")
        return cls(**profiles[name])

    def draw(self, request: str, occurrence: int, possible: Sequence[str]) -> str | None:
        """The kind of fault a request meets the n-th time it is made, or None."""
        if not possible or self._number("rate", request, occurrence) >= self.rate:
            return None
        weights = {kind: self.kinds.get(kind, 0.0) if self.kinds else 1.0 for kind in possible}
        left = self._number("kind", request, occurrence) * sum(weights.values())
        for kind, weight in weights.items():
            left -= weight
            if left < 0:
                return kind
        return None

    def _number(self, purpose: str, request: str, occurrence: int) -> float:
        """A number from 0 to 1 that depends on nothing but the seed and what is asked."""
        asked = f"{self.seed} {purpose} {request} {occurrence}".encode()
        return int.from_bytes(hashlib.blake2b(asked, digest_size=6).digest(), "big") / 2**48


def profile_names() -> list[str]:
    """The names there are, sorted."""
    return sorted(_profiles())


@cache
def _profiles() -> dict[str, dict[str, Any]]:
    text = Path(__file__).with_name("profiles.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
