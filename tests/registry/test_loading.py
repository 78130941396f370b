"""Loading action files: the shipped ones, a host's own beside them, and files that are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from practicefusion_connector.errors import InvalidConfig, InvalidInput
from practicefusion_connector.registry import Registry, check, shipped

LOCATION = """
resource    = "Location"
noun        = "location"
plural      = "locations"
sensitivity = "directory"

[scopes]
v1 = "Location.read"
v2 = "Location.rs"

[get]
title       = "Get Location by ID"
description = "Returns one place."
sample      = { id = "1" }

[search]
title       = "Search Locations"
description = "Finds places."
shared      = ["_id"]
sample      = { name = "Main" }

[search.parameters.name]
type     = "string"
support  = "fhir-r4"
or       = true
says     = "Name of the place."
examples = ["Main"]
"""


def test_the_shipped_actions_are_33_and_one_extension() -> None:
    registry = shipped()
    core = registry.core()
    assert len(core) == 33
    assert [action.key for action in registry if action.extension] == ["search_provenances"]
    assert len(registry) == 34
    assert sum(action.operation == "get" for action in core) == 17
    assert registry is shipped()


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(InvalidInput, match='Did you mean "search_patients"'):
        shipped().action("search_patient")
    with pytest.raises(InvalidInput, match="no action with this key") as caught:
        shipped().action("zzz")
    assert "Did you mean" not in str(caught.value)


def test_a_host_s_own_file_is_an_action_like_the_others(tmp_path: Path) -> None:
    (tmp_path / "location.toml").write_text(LOCATION)
    (tmp_path / "notes.txt").write_text("not an action")
    registry = Registry.load(tmp_path)
    assert len(registry) == len(shipped()) + 2
    assert registry.action("get_location").title == "Get Location by ID"
    request = check(registry.action("search_locations"), {"name": "A,B", "id": "7"}, "https://x/r4")
    assert request.query == (("name", r"A\,B"), ("_id", "7"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("resource =", "does not declare"),
        ("", "neither"),
        (LOCATION.replace('resource    = "Location"', ""), "resource"),
        (LOCATION.replace('plural      = "locations"', ""), "plural"),
        (LOCATION.replace('"locations"', "5"), "does not declare"),
        (LOCATION.replace("[scopes]", "[scope]"), "scopes"),
        (LOCATION.replace('type     = "string"', 'type = "text"'), "type"),
        (LOCATION.replace('says     = "Name of the place."', ""), "says"),
        (LOCATION.replace('support  = "fhir-r4"', 'support = "fhir-r4"\ncolour = "red"'), "colour"),
        (LOCATION.replace('["_id"]', '["_everything"]'), "_everything"),
        (LOCATION.split("[search]")[0] + "search = 'all'", "does not declare"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "location.toml").write_text(content)
    with pytest.raises(InvalidConfig, match=r"location\.toml") as caught:
        Registry.load(tmp_path)
    assert told in str(caught.value)


def test_a_file_that_is_no_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "location.toml").write_bytes(b'resource = "\xff"')
    with pytest.raises(InvalidConfig, match=r"location\.toml"):
        Registry.load(tmp_path)


def test_the_same_key_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(LOCATION)
    (tmp_path / "b.toml").write_text(LOCATION)
    with pytest.raises(InvalidConfig, match="get_location"):
        Registry.load(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="nowhere"):
        Registry.load(tmp_path / "nowhere")
