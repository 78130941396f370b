from __future__ import annotations

import pytest

from practicefusion_connector.fhir.types import resource_types, why_unknown
from practicefusion_connector.fhir.validation import validated


def test_every_type_of_r4_is_known() -> None:
    assert len(resource_types()) == 146
    assert set(validated()) <= resource_types()
    assert why_unknown(resource_types()) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Goals", '"Goals" is no resource type of FHIR R4. Did you mean "Goal"?'),
        ("patient", '"patient" is no resource type of FHIR R4. Did you mean "Patient"?'),
        ("Qqqqqqq", '"Qqqqqqq" is no resource type of FHIR R4.'),
        ("Patient?name=Shaw", "One of them is no resource type of FHIR R4."),
    ],
)
def test_a_slip_is_told_with_the_way_out(name: str, told: str) -> None:
    assert why_unknown(["Patient", name, "Nonsense"]) == told
