"""The whole way over real HTTP: a CSV file, three batches, a browser, a followed change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from practicefusion_connector.cli import medfusion_demo
from practicefusion_connector.sandbox import Sandbox
from tests.medfusion.commands import HEAD, Command
from tests.medfusion.conftest import BORN

BAD = {
    7: ("last_name", ",Castro,", ",,"),
    50: ("date_of_birth", BORN, "29 Feb 80"),
    101: ("email", "@mail.example", " at mail"),
    180: ("gender", ",female,", ",yes,"),
    251: ("practice_patient_id", "P251", "P100"),
}
FAILING = (33, 199)


def write_patients(file: Path) -> None:
    lines = [HEAD]
    for row in range(2, 252):
        domain = "fails.example" if row in FAILING else "mail.example"
        line = (
            f"P{row},Alma,Castro,{BORN},female,patient{row}@{domain},{row} Mill Road,Springfield,IL"
        )
        if row in BAD:
            _, good, bad = BAD[row]
            assert good in line
            line = line.replace(good, bad)
        lines.append(line)
    file.write_text("\n".join(lines) + "\n")


def test_from_a_csv_file_to_a_followed_registration(
    command: Command, sandbox: Sandbox, tmp_path: Path, browser: webdriver.Chrome
) -> None:
    file, out = tmp_path / "patients.csv", tmp_path / "changes.ndjson"
    write_patients(file)
    command.connect(sandbox)

    refused = command.invite(file, code=2)
    assert "5 of 250 rows cannot be invited, and nothing was sent." in refused.stderr
    for row, (column, _, _) in BAD.items():
        assert f"row {row}: {column}" in refused.stderr
    assert "29 Feb" not in refused.stderr
    assert posts(sandbox) == 0

    report = tmp_path / "report.jsonl"
    ended = command.invite(file, "--skip-invalid", "--report", str(report), code=1)
    assert posts(sandbox) == 3
    assert "243 processed" in ended.stdout
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    by_outcome: dict[str, list[int]] = {}
    for line in lines:
        by_outcome.setdefault(line["outcome"], []).append(line["row"])
    assert [line["row"] for line in lines] == list(range(2, 252))
    assert by_outcome["invalid"] == sorted(BAD)
    assert by_outcome["failed"] == list(FAILING)
    assert len(by_outcome["processed"]) == 243
    failed = next(line for line in lines if line["outcome"] == "failed")
    assert failed["why"] == "No mail can be delivered to the address."

    register_in(browser, sandbox, "P42", "77 Harbor Street")

    for _ in range(3):  # each time as after a restart
        command("follow", "--once", "--out", str(out))
    (changed,) = [json.loads(line) for line in out.read_text().splitlines()]
    assert changed["resourceType"] == "Patient"
    assert changed["identifier"][0]["value"] == "P42"
    assert changed["address"][0]["line"] == ["77 Harbor Street"]
    assert changed["address"][0]["city"] == "Springfield"
    assert changed["meta"]["tag"][0]["code"] == "REGISTERED"

    again = command.invite(file, "--skip-invalid", "--json", code=1)
    told: dict[str, Any] = json.loads(again.stdout)["outcomes"]
    # Only who failed is tried again, and fails again.
    assert told == {"already_invited": 243, "failed": 2, "invalid": 5}
    assert len(sandbox.portal.outbox) == 243


def posts(sandbox: Sandbox) -> int:
    return sum(r.method == "POST" and r.path.endswith("/patient") for r in sandbox.requests)


def register_in(browser: webdriver.Chrome, sandbox: Sandbox, patient: str, line: str) -> None:
    """Follow the e-mail's link and register, with the keyboard alone."""
    email = next(email for email in sandbox.portal.outbox if email.patient == patient)
    browser.get(f"{sandbox.origin}/portal/outbox")
    browser.find_element(By.LINK_TEXT, email.to).send_keys(Keys.ENTER)
    browser.find_element(By.LINK_TEXT, "Register now").send_keys(Keys.ENTER)
    birth_date = browser.switch_to.active_element
    assert birth_date.get_attribute("name") == "birth_date"
    birth_date.send_keys(BORN, Keys.TAB)
    street = browser.switch_to.active_element
    assert street.get_attribute("name") == "Line1"
    street.send_keys(Keys.CONTROL, "a")
    street.send_keys(line, Keys.ENTER)
    assert browser.find_element(By.TAG_NAME, "h1").text == "You are registered"


def test_the_demonstration_counts_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert medfusion_demo.show_medfusion_demo(as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "refused_rows": 5,
        "invited": 245,
        "batches": 3,
        "failed_processing": 2,
        "followed": 1,
        "delivered_twice": 0,
    }
    bad = medfusion_demo.PortalDemo(**told | {"delivered_twice": 1})
    monkeypatch.setattr(medfusion_demo, "run_medfusion_demo", lambda: bad)
    assert medfusion_demo.show_medfusion_demo(as_json=False) == 1
    assert "245" in capsys.readouterr().out
