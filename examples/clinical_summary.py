"""Write a one-page clinical summary of a patient for care coordination.

What a care manager or the next practice wants to know at a glance: problems, allergies, medication,
latest vital signs and results, goals, plans, and who is on the care team.

    python examples/clinical_summary.py
    python examples/clinical_summary.py --connection clinic --patient f6832e6e-…
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from _practice import arguments, first_patient, practice

from practicefusion_connector import PracticeFusion
from practicefusion_connector.fhir.views import rows


class Section(NamedTuple):
    """One part of the summary: where it comes from, and how a record reads in one line."""

    title: str
    action: str
    inputs: dict[str, Any]
    columns: tuple[str, ...]
    latest_first: bool = False
    most: int = 10


SECTIONS = (
    Section(
        "Problems",
        "search_conditions",
        {"category": "problem-list-item", "clinical_status": "active"},
        ("display", "onset"),
    ),
    Section(
        "Allergies",
        "search_allergy_intolerances",
        {"clinical_status": "active"},
        ("display", "criticality", "reactions"),
    ),
    Section(
        "Medications",
        "search_medication_requests",
        {"status": "active", "intent": "order"},
        ("medication", "dosage"),
    ),
    Section(
        "Vital signs",
        "search_observations",
        {"category": "vital-signs"},
        ("date", "display", "value", "components"),
        latest_first=True,
    ),
    Section(
        "Results",
        "search_observations",
        {"category": "laboratory"},
        ("date", "display", "value", "interpretation"),
        latest_first=True,
    ),
    Section("Goals", "search_goals", {}, ("description", "achievement_status", "due_date")),
    Section("Care plan", "search_care_plans", {"category": "assess-plan"}, ("title", "text")),
    Section("Care team", "search_care_teams", {"status": "active"}, ("name", "members", "roles")),
)


def lines(pf: PracticeFusion, section: Section, patient: str) -> Iterator[str]:
    """Yield a section's records as lines, the latest first where that matters."""
    records = pf.iterate(section.action, {"patient": patient, **section.inputs})
    found = list(rows(pf.registry.action(section.action).resource, records))
    if section.latest_first:
        # Sorted here: whether the server sorts is not known.
        found.sort(key=lambda row: str(row["date"] or ""), reverse=True)
    for row in found[: section.most]:
        yield ", ".join(str(row[name]) for name in section.columns if row[name])
    if len(found) > section.most:
        yield f"… and {len(found) - section.most} more"


def main() -> None:
    """Print the summary of the patient asked for."""
    parser = arguments(__doc__)
    parser.add_argument("--patient", metavar="ID", help="left out, any patient of the practice")
    asked = parser.parse_args()
    with practice(asked.connection) as pf:
        patient = asked.patient or first_patient(pf)
        row = next(rows("Patient", [pf.run("get_patient", {"id": patient}).resource]))
        print(f"{row['name']}, {row['gender']}, born {row['birth_date']}, record {row['mrn']}")
        for section in SECTIONS:
            print(f"\n{section.title}")
            for line in list(lines(pf, section, patient)) or ["none on file"]:
                print(f"  - {line}")


if __name__ == "__main__":
    main()
