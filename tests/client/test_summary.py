"""The summary view of results: asked for or taken later, with a user's own columns."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from practicefusion_connector import PracticeFusion
from practicefusion_connector.errors import InvalidConfig
from tests.client.practice import authorized


def test_rows_stand_in_the_place_of_resources(pf: PracticeFusion) -> None:
    full = pf.run("search_patients", {"max_items": 3})
    rows = pf.run("search_patients", {"max_items": 3, "view": "summary"})

    assert full.to_dict()["resources"] == full.resources
    assert "rows" not in full.to_dict()
    assert rows.to_dict()["rows"] == rows.summary() == full.summary()
    assert "resources" not in rows.to_dict()
    assert rows.resources == full.resources
    assert [row["id"] for row in rows.summary()] == [each["id"] for each in full.resources]
    assert rows.summary()[0]["family"] == full.resources[0]["name"][0]["family"]


def test_a_get_and_a_page_give_rows_too(pf: PracticeFusion) -> None:
    page = next(pf.pages("search_patients", {"view": "summary"}))
    row = page.summary()[0]

    assert pf.run("get_patient", {"id": row["id"], "view": "summary"}).to_dict()["rows"] == [row]


def test_an_empty_result_has_no_rows(pf: PracticeFusion) -> None:
    inputs = {"family": "Nobody of this name"}

    assert pf.run("search_patients", inputs).summary() == []
    assert pf.run("search_patients", {**inputs, "view": "summary"}).to_dict()["rows"] == []


def test_a_result_survives_a_queue(pf: PracticeFusion) -> None:
    result = pf.run("search_patients", {"max_items": 2, "view": "summary"})

    again = pickle.loads(pickle.dumps(result))
    assert again == result
    assert again.summary() == result.summary()


def test_a_row_is_not_in_the_repr(pf: PracticeFusion) -> None:
    result = pf.run("search_patients", {"max_items": 1, "view": "summary"})

    assert str(result.summary()[0]["family"]) not in repr(result)


def test_a_user_s_columns_are_added(tmp_path: Path) -> None:
    column = {"name": "initial", "path": "name.first().family.substring(0, 1)", "type": "string"}
    (tmp_path / "Patient.json").write_text(json.dumps({"select": [{"column": [column]}]}))
    with authorized(views=tmp_path) as (_, pf):
        asked = pf.run("search_patients", {"max_items": 1, "view": "summary"}).summary()
        later = pf.run("search_patients", {"max_items": 1}).summary()

    assert asked == later
    assert asked[0]["initial"] == str(asked[0]["family"])[0]


def test_a_cell_that_cannot_be_filled_is_null_and_told(tmp_path: Path) -> None:
    column = {"name": "given", "path": "name.given", "type": "string"}
    (tmp_path / "Patient.json").write_text(json.dumps({"select": [{"column": [column]}]}))
    with authorized(views=tmp_path) as (_, pf):
        result = pf.run("search_patients", {"view": "summary", "page_size": 200})
        rows = pf.run("search_patients", {"page_size": 200}).summary()

    several = [row for row in result.summary() if row["given"] is None]
    assert several
    assert rows == result.summary()
    told = [warning for warning in result.warnings if warning.code == "summary"]
    assert told
    assert all('column "given"' in warning.message for warning in told)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Patient"),
        ('{"select": [{"column": [{"name": "x", "path": "name.("}]}]}', "x"),
    ],
)
def test_a_wrong_view_is_refused_when_the_connector_is_made(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "Patient.json").write_text(text)
    refused = pytest.raises(InvalidConfig, match=f"summary view of Patient.*{reason}")
    with refused, authorized(views=tmp_path):
        pass


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="is not there"), authorized(views=tmp_path / "none"):
        pass
