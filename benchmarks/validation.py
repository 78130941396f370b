"""What validation costs beside parsing: CPU per resource, as ratios in one run.

Each side runs in turns over the same texts and the least of the rounds counts. With US Core's
examples (a folder of JSON files) the figures are of real resources, else of two small ones.

    python -m benchmarks.validation [--examples FOLDER] [--rounds N] [--json]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from practicefusion_connector.fhir.validation import validator_for

SMALL: list[dict[str, Any]] = [
    {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": "urn:example", "value": "1"}],
        "name": [{"use": "official", "family": "Example", "given": ["Ada", "Bea"]}],
        "telecom": [{"system": "phone", "value": "555-0142", "use": "home"}],
        "gender": "female",
        "birthDate": "1970-01-01",
        "address": [{"line": ["1 Main St"], "city": "Springfield", "state": "IL"}],
    },
    {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "category": [{"coding": [{"system": "urn:example", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-01-01T09:30:00Z",
        "valueQuantity": {"value": 70.5, "unit": "kg", "code": "kg"},
    },
]
TYPES = ("Patient", "Observation", "Condition", "MedicationRequest")


def texts(folder: Path | None) -> dict[str, list[str]]:
    """Return the resources of each type as JSON text."""
    found = [json.dumps(each) for each in SMALL]
    if folder:
        found = [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*-*.json"))]
    by_type: dict[str, list[str]] = {}
    for text in found:
        by_type.setdefault(json.loads(text)["resourceType"], []).append(text)
    return {name: by_type[name] for name in TYPES if name in by_type}


def cpu(work: Callable[[], object], seconds: float) -> float:
    """Return the CPU seconds of one call, over as many as fit into the time."""
    calls, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds:
        work()
        calls += 1
    return spent / calls


def measure(bodies: list[str], resource: str, rounds: int) -> dict[str, float]:
    """Return microseconds per resource of parsing and of validating, and their ratio."""
    validate = validator_for(resource)
    parsed = [json.loads(body) for body in bodies]
    if any(map(validate, parsed)):
        raise SystemExit(f"a {resource} is not valid; the figures would be of something else")
    sides = {
        "parse": lambda: [json.loads(body) for body in bodies],
        "validate": lambda: [validate(each) for each in parsed],
    }
    least = {name: float("inf") for name in sides}
    for _ in range(rounds):
        for name, work in sides.items():
            least[name] = min(least[name], cpu(work, 0.1) / len(bodies))
    return {
        "resources": len(bodies),
        "parse_us": round(least["parse"] * 1e6, 2),
        "validate_us": round(least["validate"] * 1e6, 2),
        "ratio": round(least["validate"] / least["parse"], 3),
    }


def compile_time() -> float:
    """Return the CPU milliseconds of compiling all validators."""
    start = time.process_time()
    validator_for("Patient")
    return round((time.process_time() - start) * 1e3, 1)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="CPU of validating beside that of json.loads.")
    parser.add_argument("--examples", type=Path, help="a folder of FHIR resources as JSON files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    figures: dict[str, Any] = {"compile_ms": compile_time()}
    for resource, bodies in texts(options.examples).items():
        figures[resource] = measure(bodies, resource, options.rounds)
    if options.json:
        print(json.dumps(figures))
        return
    print(f"compiling all validators, once: {figures.pop('compile_ms')} ms")
    for resource, row in figures.items():
        print(
            f"{resource}: json.loads {row['parse_us']} µs, validation {row['validate_us']} µs, "
            f"{row['ratio']} of parsing ({row['resources']} resources)"
        )


if __name__ == "__main__":
    main()
