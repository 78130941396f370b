"""Enrich an intake form with what the practice already knows about the patient.

A patient fills in a form with a name and a birth date. The script finds the one record that fits,
and adds the contact data, allergies, active problems, medications and immunizations on file, so
that nobody asks for them again. Where no record fits, or several do, it says so and adds nothing: a
person must decide.

    python examples/patient_intake_enrichment.py
    python examples/patient_intake_enrichment.py --connection clinic \
        --family Morales --given Alicia --birthdate 1954-06-23
"""

from __future__ import annotations

import json
from typing import Any

from _practice import arguments, first_patient, practice

from practicefusion_connector import PracticeFusion
from practicefusion_connector.fhir.views import rows

# What the form gains: by section, the action, its inputs beside the patient, and summary columns.
SECTIONS: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "allergies": (
        "search_allergy_intolerances",
        {"clinical_status": "active"},
        ("display", "criticality", "reactions"),
    ),
    "problems": (
        "search_conditions",
        {"category": "problem-list-item", "clinical_status": "active"},
        ("display", "onset"),
    ),
    "medications": (
        "search_medication_requests",
        {"status": "active", "intent": "order"},
        ("medication", "dosage"),
    ),
    "immunizations": ("search_immunizations", {"status": "completed"}, ("vaccine", "date")),
}
CONTACT = ("name", "birth_date", "gender", "phone", "email", "address", "language")


def enrich(pf: PracticeFusion, form: dict[str, str]) -> dict[str, Any]:
    """Return the form with what is on file, and how the patient was matched."""
    found = list(pf.iterate("search_patients", form))
    if len(found) != 1:
        return {"form": form, "match": "none" if not found else "several", "on_file": None}
    contact = next(rows("Patient", found))
    on_file: dict[str, Any] = {"patient": found[0]["id"]}
    on_file |= {name: contact[name] for name in CONTACT if contact[name]}
    for section, (action, inputs, columns) in SECTIONS.items():
        records = list(pf.iterate(action, {"patient": found[0]["id"], **inputs}))
        resource = pf.registry.action(action).resource
        on_file[section] = [
            {name: row[name] for name in columns if row[name]} for row in rows(resource, records)
        ]
    return {"form": form, "match": "one", "on_file": on_file}


def form_of_a_walk_in(pf: PracticeFusion) -> dict[str, str]:
    """Return the form one of the practice's own patients would fill in."""
    row = next(rows("Patient", [pf.run("get_patient", {"id": first_patient(pf)}).resource]))
    return {
        "family": str(row["family"]),
        "given": str(row["given"]).split()[0],
        "birthdate": str(row["birth_date"]),
    }


def main() -> None:
    """Read the form from the arguments, enrich it, and print it as JSON."""
    parser = arguments(__doc__)
    for field in ("family", "given", "birthdate"):
        parser.add_argument(f"--{field}")
    asked = vars(parser.parse_args())
    with practice(asked.pop("connection")) as pf:
        form = {name: value for name, value in asked.items() if value} or form_of_a_walk_in(pf)
        print(json.dumps(enrich(pf, form), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
