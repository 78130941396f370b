"""`practicefusion demo --medfusion`: a portal from a CSV file to a registered patient, over HTTP.

The portal is the sandbox's. What comes out is counted from what was sent, read and written, not
from what was meant.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import requests

from practicefusion_connector.cli import output
from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.stores import ConnectionStore, MemoryStore

if TYPE_CHECKING:
    from practicefusion_connector.medfusion import Medfusion
    from practicefusion_connector.sandbox import Sandbox

_ROWS = 250
_FIRST = ("Alma", "Boris", "Celia", "Dario", "Edith", "Farid", "Greta", "Hugo", "Ines", "Jonas")
_LAST = ("Abbott", "Becker", "Castro", "Dalton", "Ellery", "Fabian", "Garner", "Hadley", "Ibsen")
# What is wrong with five rows, and in which.
_BAD = {
    12: {"last_name": ""},
    60: {"date_of_birth": "31.12.1970"},
    111: {"email": "not an address"},
    180: {"gender": "yes"},
    244: {"practice_patient_id": "MRN-0100"},
}
_FAILING = (33, 199)
_NEW_LINE = "77 Harbor Street"
_TIMEOUT = 10.0


@dataclass(slots=True)
class PortalDemo:
    """What the demonstration counted.

    Attributes:
        refused_rows: rows of the CSV file named as wrong before anything was sent.
        invited: patients the portal accepted.
        batches: requests that took.
        failed_processing: invitations the portal accepted and then could not process.
        followed: changed patients delivered, as FHIR, with the address the patient typed.
        delivered_twice: of those, how many a restart delivered again.
    """

    refused_rows: int = 0
    invited: int = 0
    batches: int = 0
    failed_processing: int = 0
    followed: int = 0
    delivered_twice: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything went as it must."""
        bad, failing = len(_BAD), len(_FAILING)
        return self == PortalDemo(bad, _ROWS - bad, -(-(_ROWS - bad) // 100), failing, 1, 0)


def show_medfusion_demo(*, as_json: bool) -> int:
    """Run the demonstration, show what it counted, and return the exit code."""
    counted = run_medfusion_demo()
    if as_json:
        output.put_json(asdict(counted))
    else:
        rows = [(name.replace("_", " ").capitalize(), n) for name, n in asdict(counted).items()]
        output.put_table(["A patient portal on this machine", ""], rows)
        output.say("Try next: practicefusion medfusion --help")
    return 0 if counted.ok else output.FAILED


def run_medfusion_demo() -> PortalDemo:
    """Invite 245 of 250 patients, let one register and move house, and follow the change.

    Raises:
        InvalidConfig: a library of the sandbox or of Medfusion is not installed.
    """
    try:
        from practicefusion_connector.medfusion import Ledger, Medfusion
        from practicefusion_connector.sandbox import Sandbox
    except ImportError as error:
        raise InvalidConfig(
            f"The demonstration needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[all]'"
        ) from error
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        sandbox = opened.enter_context(Sandbox(patients=1))
        sandbox.portal.behaviour.processing_seconds = 0.2
        store = opened.enter_context(closing(MemoryStore()))
        name = _connect(store, sandbox)
        ledger = Ledger(folder / "invitations.jsonl")
        portal = opened.enter_context(Medfusion.from_store(store, name, ledger=ledger))
        counted = PortalDemo()
        _invite(portal, folder / "patients.csv", counted)
        _register(sandbox)
        _follow(portal, store, folder / "changes.ndjson", counted)
    return counted


def _connect(store: ConnectionStore, sandbox: Sandbox) -> str:
    from practicefusion_connector.medfusion import MedfusionConnection, connect

    portal = sandbox.portal
    connection = MedfusionConnection.of(
        server=sandbox.origin,
        practice_id=portal.practice_id,
        application_token=portal.application_token,
        username=portal.username,
        password=portal.password,
    )
    return connect(store, connection).id


def _invite(portal: Medfusion, file: Path, counted: PortalDemo) -> None:
    from practicefusion_connector.medfusion.patient_file import read_rows

    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(next(_patients())))
        writer.writeheader()
        writer.writerows(_patients())
    rows = read_rows(file)
    counted.refused_rows = sum(bool(row.problems) for row in rows)
    sent, _ = portal.invite([row.patient for row in rows if row.patient])
    accepted = [row for row in sent if row.outcome == "accepted"]
    counted.invited = len(accepted)
    counted.batches = len({row.batch_id for row in accepted})
    urls = list(dict.fromkeys(row.status_url for row in accepted if row.status_url))
    found = portal.watch(urls, interval=0.1, timeout=60)
    states = Counter(message.state for status in found for message in status.messages)
    counted.failed_processing = states["failed"]


def _patients() -> Iterator[dict[str, str]]:
    """Yield the rows; the names are put together, nobody is meant."""
    for row in range(2, _ROWS + 2):
        domain = "fails.example" if row in _FAILING else "mail.example"
        yield {
            "practice_patient_id": f"MRN-{row:04d}",
            "first_name": _FIRST[row % len(_FIRST)],
            "last_name": _LAST[row % len(_LAST)],
            "date_of_birth": f"{1940 + row % 60}-{1 + row % 12:02d}-{1 + row % 28:02d}",
            "gender": ("female", "male", "other")[row % 3],
            "email": f"patient{row}@{domain}",
            "line1": f"{row} Old Mill Road",
            "city": "Springfield",
            "state": "IL",
            "zip_code": "62701",
        } | _BAD.get(row, {})


def _register(sandbox: Sandbox) -> None:
    """Register as the first patient who got an e-mail, on the portal's own page."""
    from practicefusion_connector.testing.person import read_forms

    email = sandbox.portal.outbox[0]
    born = next(row for row in _patients() if row["practice_patient_id"] == email.patient)
    url = urljoin(sandbox.origin, f"/portal/register/{email.code}")
    with requests.Session() as browser:
        browser.trust_env = False
        form = read_forms(browser.get(url, timeout=_TIMEOUT).text)[0]
        form.fields |= {"birth_date": born["date_of_birth"], "Line1": _NEW_LINE}
        browser.post(url, data=form.fields, timeout=_TIMEOUT).raise_for_status()


def _follow(portal: Medfusion, store: ConnectionStore, file: Path, counted: PortalDemo) -> None:
    """Follow, begin anew, and begin anew as if the cursor had been lost with a crash."""
    from practicefusion_connector.medfusion import Follower, JsonLines

    Follower(portal, store, JsonLines(file)).once()
    Follower(portal, store, JsonLines(file)).once()
    stored = store.load(portal.connection.id)
    if stored:
        store.save(stored.record.model_copy(update={"cursor": None}), expected=stored.version)
    Follower(portal, store, JsonLines(file)).once()
    delivered = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    unique = {line["identifier"][0]["value"]: line for line in delivered}
    counted.followed = sum(_moved(line) for line in unique.values())
    counted.delivered_twice = len(delivered) - len(unique)


def _moved(patient: dict[str, list[dict[str, list[str]]]]) -> bool:
    return patient["address"][0]["line"][0] == _NEW_LINE
