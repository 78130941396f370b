"""The root command: what it imports, how it ends, what it says when something goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import click
import pytest

from practicefusion_connector import cli, errors
from practicefusion_connector.cli import output
from practicefusion_connector.cli.app import Root
from tests.cli.conftest import Commands

HEAVY = ("requests", "flask", "pydantic", "fhir", "rich", "authlib", "fhirpathpy")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from practicefusion_connector.cli import main\n"
        "sys.argv = ['practicefusion', '--help']\n"
        "try: main()\n"
        "finally: print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(ended.stderr.split())
    for command in ("demo", "actions", "connect", "connections", "sandbox"):
        assert f"  {command} " in ended.stdout
    for line in ("Exit codes:", "2  wrong usage or invalid input", "3  authorization is needed"):
        assert line in ended.stdout


@pytest.mark.parametrize("command", ["demo", "actions", "connect", "connections", "sandbox"])
def test_every_command_has_help(commands: Commands, command: str) -> None:
    ended = commands(command, "--help")
    assert ended.code == 0
    assert ended.out.startswith(f"Usage: practicefusion {command}")


def test_listing_actions_needs_no_sandbox() -> None:
    code = (
        "import sys; from practicefusion_connector.cli import main\n"
        "sys.argv = ['practicefusion', 'actions', 'list', '--json']\n"
        "try: main()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(json.loads(ended.stdout)) == 33
    assert not {"flask", "authlib", "requests"} & set(ended.stderr.split())


def test_without_its_libraries_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name == "rich" else object())
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert said.out == ""
    assert "(rich): pip install 'practicefusion-connector[all]'\n" in said.err
    assert said.err.count("\n") == 1


def test_version(commands: Commands) -> None:
    ended = commands("--version")
    assert ended.code == 0
    assert ended.out.startswith("practicefusion, version ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "invalid_input: No such command 'nothing'. See practicefusion --help."),
        (["--nothing"], "invalid_input: No such option '--nothing'. See practicefusion --help."),
        (["actions", "show"], "invalid_input: Missing argument 'ACTION'."),
        (["demo", "--data", "/nowhere"], "invalid_input: Invalid value for '--data':"),
        (["actions", "show", "get_patent"], "invalid_input: There is no action with this key."),
        (["sandbox", "--port", "70000"], "invalid_input: Invalid value for '--port':"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    commands: Commands, arguments: list[str], said: str
) -> None:
    commands(*arguments).failed_in_one_line(2, said)


def test_wrong_usage_as_json(commands: Commands) -> None:
    ended = commands("actions", "show", "get_patent", "--json")
    assert ended.code == 2
    assert ended.out == ""
    problem = json.loads(ended.err)
    assert problem["code"] == "invalid_input"
    assert 'Did you mean "get_patient"?' in problem["detail"]


def test_every_error_code_has_an_exit_code() -> None:
    assert output.EXIT_CODES.keys() == errors.CODES.keys()
    assert set(output.EXIT_CODES.values()) == {1, 2, 3, 4}


def test_an_error_says_all_that_helps(capsys: pytest.CaptureFixture[str]) -> None:
    error = errors.RateLimited(
        "Slow\ndown.", retry_after=30, correlation_id="c-1", diagnostics="Jane Roe is born 1980"
    )
    assert output.tell(error) == 4
    assert capsys.readouterr().err == (
        "rate_limited: Slow down. Wait for the time given, then try again. "
        "The server asks for 30 s. (correlation id c-1)\n"
    )
    assert output.tell(errors.MissingScope("No.", missing_scopes=["user/Goal.read"])) == 3
    assert "Missing: user/Goal.read." in capsys.readouterr().err


@click.command()
@click.argument("how")
def broken(how: str) -> None:
    """Fail in one of several ways."""
    if how == "defect":
        raise ValueError("Jane Roe is born 1980")
    if how == "interrupt":
        raise KeyboardInterrupt
    raise errors.Timeout("The server did not answer.")


@pytest.fixture
def root() -> Root:
    home = f"{__name__}:broken"
    return Root(name="practicefusion", homes={"broken": (home, "Fail.")})


def end(root: Root, *arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        root.main(arguments)
    return ended.value.code


@pytest.mark.parametrize(
    "store", ["redis://:{secret}@127.0.0.1:1/0", "postgresql://me:{secret}@127.0.0.1:1/db"]
)
def test_a_store_that_is_away_is_no_defect(stored: Commands, store: str) -> None:
    stored.environment["PRACTICEFUSION_STORE"] = store.format(secret="canary-of-the-store")
    ran = stored("connections", "list")
    ran.failed_in_one_line(4, "upstream_unavailable: The database of the store")
    assert "canary" not in ran.err


def test_a_defect_is_one_line_without_its_text(
    root: Root, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end(root, "broken", "defect") == 1
    said = capsys.readouterr().err
    assert said.startswith(f"internal: ValueError at {__name__}:")
    assert said.count("\n") == 1
    assert "Jane" not in said


def test_an_interrupt_is_quiet(root: Root, capsys: pytest.CaptureFixture[str]) -> None:
    assert end(root, "broken", "interrupt") == 130
    assert capsys.readouterr().err.strip() == ""


def test_server_trouble_is_exit_code_4(root: Root, capsys: pytest.CaptureFixture[str]) -> None:
    assert end(root, "broken", "timeout") == 4
    assert capsys.readouterr().err.startswith("timeout: The server did not answer.")


def test_a_closed_pipe_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "practicefusion_connector.cli", "actions", "list", "--json"],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert ended.returncode == 1
    assert ended.stderr == ""


@pytest.mark.parametrize("hostile", ["\x1b[2Jx", "a\nb", "tab\tx", "\x9b31m", "\u202eevil"])
def test_nothing_steers_the_terminal(hostile: str) -> None:
    assert output.plain(hostile).isprintable()


@pytest.mark.parametrize("room", [-20, 5, 13, 40, 200])
def test_columns_fit_the_room_there_is(room: int) -> None:
    widths = output._shared(room, [8, 60, 30])
    assert sum(widths) + 3 * len(widths) <= max(room, 0)
    if room == 200:
        assert widths == [8, 60, 30]
