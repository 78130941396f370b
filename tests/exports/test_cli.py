"""`practicefusion catalog` shows and writes what the functions return."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from practicefusion_connector.catalog import catalog as rendered
from practicefusion_connector.cli.catalog import catalog
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.exports import FORMATS, export
from practicefusion_connector.registry import shipped
from tests.exports.test_new_action import COVERAGE


def output(*arguments: str) -> str:
    ran = CliRunner().invoke(catalog, list(arguments), catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.stdout


@pytest.mark.parametrize("format_name", FORMATS)
def test_an_export_goes_to_standard_output(format_name: str) -> None:
    assert output("export", "--format", format_name) == export(rendered(shipped()), format_name)


def test_an_export_goes_to_a_file_and_leaves_no_other(tmp_path: Path) -> None:
    file = tmp_path / "tools.json"
    file.write_text("old", "utf-8")
    assert output("export", "--format", "mcp", "--output", str(file)) == ""
    assert len(json.loads(file.read_text("utf-8"))["tools"]) == 34
    assert list(tmp_path.iterdir()) == [file]


def test_actions_of_ones_own_are_exported_too(tmp_path: Path) -> None:
    (tmp_path / "coverage.toml").write_text(COVERAGE, "utf-8")
    told = output("export", "--format", "mcp", "--actions", str(tmp_path))
    assert [tool["name"] for tool in json.loads(told)["tools"]][-1] == "search_coverages"


def test_show_lists_every_action_and_explains_one() -> None:
    table = output("show")
    assert all(action.key in table for action in shipped())
    assert json.loads(output("show", "--json")) == json.loads(json.dumps(rendered(shipped())))
    assert json.loads(output("show", "get_goal"))["title"] == "Get Goal by ID"


def test_an_unknown_action_or_format_is_told() -> None:
    with pytest.raises(InvalidInput, match='Did you mean "get_goal"'):
        output("show", "get_gaol")
    ran = CliRunner().invoke(catalog, ["export", "--format", "soap"])
    assert ran.exit_code == 2
    assert "'openapi'" in ran.output
