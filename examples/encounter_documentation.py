"""Look up what was documented at a patient's latest visits.

For each visit: when and what kind it was, and the diagnoses, orders, results and notes that refer
to it, as a biller or a quality reviewer needs them. A visit without a note is marked.

    python examples/encounter_documentation.py
    python examples/encounter_documentation.py --connection clinic --patient f6832e6e-… --visits 3
"""

from __future__ import annotations

from typing import Any

from _practice import arguments, first_patient, practice

from practicefusion_connector import PracticeFusion
from practicefusion_connector.fhir.views import rows

# What refers to a visit: by title, the search that takes the visit's id, and the columns to show.
DOCUMENTED: dict[str, tuple[str, tuple[str, ...]]] = {
    "Diagnoses": ("search_conditions", ("display", "clinical_status")),
    "Procedures": ("search_procedures", ("display", "status")),
    "Orders": ("search_medication_requests", ("medication", "status")),
    "Reports": ("search_diagnostic_reports", ("display", "status")),
    "Notes": ("search_document_references", ("type", "date", "status")),
}


def documentation(pf: PracticeFusion, patient: str, visit: str) -> dict[str, list[str]]:
    """Return what refers to the visit, by title, one line for each record."""
    found: dict[str, list[str]] = {}
    for title, (action, columns) in DOCUMENTED.items():
        records = pf.iterate(action, {"patient": patient, "encounter": visit})
        found[title] = [
            ", ".join(str(row[name]) for name in columns if row[name])
            for row in rows(pf.registry.action(action).resource, records)
        ]
    return found


def latest_visits(pf: PracticeFusion, patient: str, most: int) -> list[dict[str, Any]]:
    """Return the summary rows of the patient's visits, the latest first."""
    found = list(rows("Encounter", pf.iterate("search_encounters", {"patient": patient})))
    return sorted(found, key=lambda row: str(row["start"] or ""), reverse=True)[:most]


def main() -> None:
    """Print the documentation of the patient's latest visits."""
    parser = arguments(__doc__)
    parser.add_argument("--patient", metavar="ID", help="left out, any patient of the practice")
    parser.add_argument("--visits", type=int, default=5, help="how many visits, the latest first")
    asked = parser.parse_args()
    with practice(asked.connection) as pf:
        patient = asked.patient or first_patient(pf)
        for visit in latest_visits(pf, patient, asked.visits):
            print(f"{visit['start']}  {visit['type'] or visit['class']} ({visit['status']})")
            found = documentation(pf, patient, str(visit["id"]))
            for title, entries in found.items():
                for entry in entries:
                    print(f"  {title}: {entry}")
            if not found["Notes"]:
                print("  Notes: MISSING")


if __name__ == "__main__":
    main()
