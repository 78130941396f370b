"""Every action as a method, for consoles at run time and for type checkers in the stub."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from practicefusion_connector import PracticeFusion
from practicefusion_connector.aio import AsyncPracticeFusion
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.methods import ASYNC_OPTIONS, OPTIONS, arguments
from practicefusion_connector.registry import shipped
from scripts.generate_client import TARGET, stub


def test_a_method_runs_its_action(pf: PracticeFusion) -> None:
    found = pf.search_patients(max_items=1)
    patient = found.resource["id"]

    assert found.action == "search_patients"
    assert pf.get_patient(patient).resource == pf.get_patient(id=patient).resource
    assert pf.search_patients(id=patient, view="summary").summary()[0]["id"] == patient


def test_inputs_are_checked_by_the_registry_alone(pf: PracticeFusion) -> None:
    with pytest.raises(InvalidInput, match='Did you mean "family"') as caught:
        pf.search_patients(familly="Shaw")  # type: ignore[call-arg]
    assert caught.value.problems[0]["path"] == "familly"
    with pytest.raises(InvalidInput, match="id is required"):
        pf.get_patient()  # type: ignore[call-arg]


def test_a_word_of_python_s_own_gets_an_underscore(pf: PracticeFusion) -> None:
    result = pf.search_encounters(class_="AMB")

    assert result.resources
    assert {each["class"]["code"] for each in result.resources} == {"AMB"}


def test_options_go_to_the_run(pf: PracticeFusion) -> None:
    from practicefusion_connector.errors import DeadlineExceeded

    with pytest.raises(DeadlineExceeded):
        pf.search_patients(deadline=0.0)


def test_paged_gives_the_pages_of_a_search(pf: PracticeFusion) -> None:
    pages = list(pf.paged.search_patients(page_size=8))

    assert [len(page) for page in pages] == [8, 8, 4]
    assert [page.has_more for page in pages] == [True, True, False]
    with pytest.raises(AttributeError):
        pf.paged.get_patient  # type: ignore[attr-defined] # noqa: B018


def test_there_are_no_other_methods(pf: PracticeFusion) -> None:
    with pytest.raises(AttributeError, match="search_patient'"):
        pf.search_patient  # type: ignore[attr-defined] # noqa: B018
    assert {action.key for action in shipped()} <= set(dir(pf))
    assert "get_patient" not in dir(pf.paged)


def test_consoles_see_signature_and_words(pf: PracticeFusion) -> None:
    signature = inspect.signature(pf.search_patients)
    documented = inspect.getdoc(pf.search_patients) or ""

    assert list(signature.parameters)[:2] == ["name", "family"]
    assert signature.parameters["family"].kind is inspect.Parameter.KEYWORD_ONLY
    assert str(inspect.signature(pf.get_patient)).startswith("(id: 'str', *, ")
    assert documented.startswith("Search Patients.\n")
    assert "\n    family: Family name" in documented
    assert pf.search_patients.__name__ == "search_patients"


def test_the_asyncio_twin_takes_no_cancel_event(pf: PracticeFusion) -> None:
    twin = AsyncPracticeFusion(pf)

    assert "cancel" in inspect.signature(pf.search_patients).parameters
    assert "cancel" not in inspect.signature(twin.search_patients).parameters
    assert inspect.iscoroutinefunction(twin.run)


@pytest.mark.parametrize("action", list(shipped()), ids=lambda action: action.key)
def test_no_input_has_an_option_s_name(action: object) -> None:
    from practicefusion_connector.registry import Action

    assert isinstance(action, Action)
    assert not arguments(action).keys() & OPTIONS.keys()
    assert ASYNC_OPTIONS.items() <= OPTIONS.items()


def test_the_stub_in_the_repository_is_the_one_the_actions_make() -> None:
    assert TARGET.read_text("utf-8") == stub(shipped()), "run python scripts/generate_client.py"


SNIPPET = """
import datetime

from practicefusion_connector import Connection, HostTokens, PracticeFusion
from practicefusion_connector.aio import AsyncPracticeFusion

connection = Connection.of(fhir_base_url="https://example.org/fhir", client_id="x")
pf = PracticeFusion(connection, HostTokens(lambda: "token"))
twin = AsyncPracticeFusion(pf)

result = pf.search_patients(family="Shaw", birthdate={{"ge": datetime.date(1980, 1, 1)}})
rows = pf.get_patient("1", view="summary").summary()
pages = [page.has_more for page in pf.paged.search_encounters(class_="AMB", page_size=50)]
total: int | None = pf.search_observations(patient="1", code=["8867-4", "85354-9"]).total


async def use() -> int:
    async for page in twin.paged.search_patients(gender="female"):
        print(page.total)
    return len(await twin.search_conditions(patient="1"))


{line}
"""
WRONG = {
    'pf.search_patients(familly="Shaw")': 'Unexpected keyword argument "familly"',
    "pf.search_patients(page_size='ten')": 'Argument "page_size"',
    'pf.get_patient("1", view="short")': 'Argument "view"',
    "pf.get_patient()": 'Missing positional argument "id"',
    "pf.search_patient()": 'has no attribute "search_patient"',
    'pf.paged.get_patient("1")': 'has no attribute "get_patient"',
    'twin.search_patients(familly="Shaw")': 'Unexpected keyword argument "familly"',
    "twin.search_patients(cancel=None)": 'Unexpected keyword argument "cancel"',
}


def test_mypy_sees_the_signatures(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="service missing: mypy is not installed")
    wrong = tmp_path / "wrong.py"
    right = tmp_path / "right.py"
    right.write_text(SNIPPET.format(line=""))
    wrong.write_text(SNIPPET.format(line="\n".join(WRONG)))
    command = [sys.executable, "-m", "mypy", "--strict", "--no-color-output", "--config-file="]
    command.append(f"--cache-dir={tmp_path / 'cache'}")
    checked = subprocess.run(
        [*command, str(right), str(wrong)], capture_output=True, text=True, check=False
    )

    complaints = [line for line in checked.stdout.splitlines() if "error:" in line]
    assert [line for line in complaints if "right.py" in line] == []
    told = [line for line in complaints if "wrong.py" in line and "[misc]" not in line]
    for expected in WRONG.values():
        assert any(expected in line for line in told), expected
    assert len(told) == len(WRONG) + sum("unused-coroutine" in line for line in told)
