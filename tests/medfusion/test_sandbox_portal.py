"""The sandbox's portal as any client meets it: plain requests, none of the product's code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from lxml import etree

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sandbox.medfusion.portal import Portal
from practicefusion_connector.sandbox.medfusion.schema import schema
from practicefusion_connector.testing.person import read_forms
from tests.medfusion.conftest import BORN, TIMEOUT, register

NAMESPACE = "http://schema.intuit.com/health/patient/v1"
XML = {"Content-Type": "application/xml"}


def batch(*patients: str, size: int | None = None, namespace: str = NAMESPACE) -> str:
    count = len(patients) if size is None else size
    return (
        f'<p:PatientBatch xmlns:p="{namespace}"><BatchSize>{count}</BatchSize>'
        f"{''.join(patients)}</p:PatientBatch>"
    )


def person(own_id: str = "P1", email: str = "alma@mail.example", name: str = "") -> str:
    return (
        f"<Patient><PatientIdentifier><PracticePatientId>{own_id}</PracticePatientId>"
        f"</PatientIdentifier><Name><FirstName>Alma</FirstName>{name}<LastName>Castro</LastName>"
        f"</Name><DateOfBirth>{BORN}T12:00:00Z</DateOfBirth><Gender>FEMALE</Gender>"
        f"<EmailAddress>{email}</EmailAddress></Patient>"
    )


class Client:
    """What any client does, with a token it got by the vendor's rules."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.origin, self.portal = sandbox.origin, sandbox.portal
        self.base = f"{sandbox.origin}/v1/practice/{self.portal.practice_id}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.portal.issue_token()}"

    def post(self, body: str, headers: dict[str, str] | None = None) -> requests.Response:
        url = f"{self.base}/patient"
        return self.session.post(url, body.encode(), headers=headers or XML, timeout=TIMEOUT)

    def get(self, path: str) -> requests.Response:
        return self.session.get(path if "://" in path else self.base + path, timeout=TIMEOUT)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    made = Client(sandbox)
    yield made
    made.session.close()


def test_the_application_is_looked_up_by_its_token(sandbox: Sandbox, portal: Portal) -> None:
    base = f"{sandbox.origin}/v1/oauth2/oauthapplication"
    found = requests.get(f"{base}/{portal.application_token}", timeout=TIMEOUT)
    assert found.json() == {
        "applicationName": "Sample Portal App",
        "grantTypes": ["password"],
        "clientId": portal.client_id,
        "clientSecret": portal.client_secret,
        "oauthVersion": "2.0",
    }
    assert requests.get(f"{base}/another", timeout=TIMEOUT).status_code == 404


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 200),
        ({"grant_type": "client_credentials"}, 400),
        ({"password": "wrong"}, 401),
        ({"username": "wrong"}, 401),
        ({"client_secret": "wrong"}, 401),
    ],
)
def test_a_token_costs_all_four(
    sandbox: Sandbox, portal: Portal, changed: dict[str, str], status: int
) -> None:
    given = {
        "grant_type": "password",
        "username": portal.username,
        "password": portal.password,
        "client_id": portal.client_id,
        "client_secret": portal.client_secret,
    } | changed
    basic = given.pop("client_id"), given.pop("client_secret")
    url = f"{sandbox.origin}/v1/oauth2/token"
    answer = requests.post(url, data=given, auth=basic, timeout=TIMEOUT)
    assert answer.status_code == status
    if status == 200:
        told = answer.json()
        assert told.keys() == {
            *("tokenType", "expiresIn", "refreshToken", "accessToken", "accessTokenSecret")
        }
        assert (told["expiresIn"], told["refreshToken"]) == (7200, None)
        assert portal.knows_token(told["accessToken"])


def test_a_batch_is_accepted_then_processed(client: Client) -> None:
    client.portal.behaviour.processing_seconds = 3600
    accepted = client.post(batch(person(), person("P2", "boris@fails.example")))
    assert accepted.status_code == 202
    assert accepted.headers["Location"].startswith(f"{client.base}/processingStatus/")
    ids = [node.text for node in etree.fromstring(accepted.content).iter("messageId")]
    assert len(set(ids)) == 2

    assert states(client.get(accepted.headers["Location"])) == ["PROCESSING", "PROCESSING"]
    assert client.get("/patient?since=0,0").status_code == 204
    next(iter(client.portal.jobs.values())).due = 0
    told = client.get(accepted.headers["Location"])
    assert states(told) == ["COMPLETED", "ERROR"]
    assert [node.text for node in etree.fromstring(told.content).iter("MessageId")] == ids
    assert "<Error>No mail can be delivered to the address.</Error>" in told.text


def states(answer: requests.Response) -> list[str | None]:
    return [node.text for node in etree.fromstring(answer.content).iter("State")]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no xml",
        "<PatientBatch/>",
        batch(),
        batch(person(), size=2),
        batch(person(name="<MiddleName/>")),
        batch(person(name="<Nick>N</Nick>")),
        batch(person(email="no address")),
        batch(person().replace("<Gender>FEMALE</Gender>", "")),
        batch(person().replace(f"{BORN}T12:00:00Z", BORN)),
        batch(person().replace("T12:00:00Z", "T12:00:00")),
        batch(person(), namespace="http://schema.intuit.com/health/patient/v2"),
        batch(*(person(f"P{n}") for n in range(101))),
        f'<!DOCTYPE x [<!ENTITY a "Alma">]>{batch(person("&a;"))}',
        f'<!DOCTYPE x SYSTEM "file:///etc/passwd">{batch(person())}',
    ],
)
def test_what_does_not_fit_the_schema_is_refused(client: Client, body: str) -> None:
    answer = client.post(body)
    assert answer.status_code == 400
    assert "Alma" not in answer.text
    assert client.portal.jobs == {}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 415),
        ({}, 415),
        ({**XML, "Authorization": "Bearer unknown"}, 401),
        ({**XML, "Authorization": ""}, 401),
    ],
)
def test_other_media_types_and_tokens_are_refused(
    client: Client, headers: dict[str, str], status: int
) -> None:
    answer = client.post(batch(person()), headers or {"Content-Type": "text/plain"})
    assert answer.status_code == status
    assert client.portal.jobs == {}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/patient", 400),
        ("/patient?since=yesterday", 400),
        ("/processingStatus/unknown", 404),
        ("/balance", 404),
    ],
)
def test_what_there_is_not_is_said(client: Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "/v1/practice/118b460b-8390-4754-8e4a-1dd5ee20f599/patient?since=0",
        "/v9/practice/935134ed-0000-4ca8-897c-b6b1da47e697/patient?since=0",
    ],
)
def test_another_practice_or_version_is_not_here(client: Client, path: str) -> None:
    assert client.get(client.origin + path).status_code == 404


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_changes_come_in_the_version_asked_for(client: Client, version: str) -> None:
    client.post(batch(person()))
    url = f"{client.origin}/{version}/practice/{client.portal.practice_id}/patient?since=0,0"
    answer = client.get(url)
    root: Any = etree.fromstring(answer.content)
    assert schema(version).validate(root)
    assert root.findtext("Patient/Status") == "PROVISIONED"
    later = url.replace("since=0", f"since={answer.headers['Last-Timestamp']}")
    assert client.get(later).status_code == 204


def test_a_page_has_100_and_says_where_to_go_on(client: Client) -> None:
    for start in (0, 100):
        client.post(batch(*(person(f"P{n}") for n in range(start, start + 75))))
    first = client.get("/patient?since=0,0")
    second = client.get(f"/patient?since={first.headers['Last-Timestamp']},0")
    counts = [len(etree.fromstring(page.content).findall("Patient")) for page in (first, second)]
    assert counts == [100, 50]


# The pages


def email_code(client: Client) -> str:
    client.portal.process_due()
    return client.portal.outbox[0].code


def test_the_outbox_leads_to_the_registration(client: Client, sandbox: Sandbox) -> None:
    assert "No invitation has been sent" in client.get(f"{client.origin}/portal/outbox").text
    client.post(batch(person()))
    outbox, code = client.get(f"{client.origin}/portal/outbox").text, email_code(client)
    assert f"/portal/outbox/{code}" in outbox
    message = client.get(f"{client.origin}/portal/outbox/{code}").text
    assert f"/portal/register/{code}" in message
    assert "Dear Alma Castro" in message


def test_every_field_has_a_label_and_what_is_known(client: Client) -> None:
    known = "<HomeAddress><Line1>1 &lt;Mill&gt; Road</Line1></HomeAddress></Patient>"
    client.post(batch(person().replace("</Patient>", known)))
    page = client.get(f"{client.origin}/portal/register/{email_code(client)}").text
    form = read_forms(page)[0]
    for name in form.fields.keys() - {"form_token"}:
        assert f'<label for="{name}">' in page
        assert f'id="{name}"' in page
    assert form.fields["Line1"] == "1 <Mill> Road"


def test_only_who_knows_the_birthday_registers(client: Client, sandbox: Sandbox) -> None:
    client.post(batch(person()))
    client.portal.process_due()
    email = client.portal.outbox[0]
    refused = register(sandbox, email, birth_date="1990-01-01", Line1="2 New Street")
    assert refused.status_code == 400
    assert "not the one the practice has" in refused.text
    assert read_forms(refused.text)[0].fields["Line1"] == "2 New Street"
    assert client.portal.patients["P1"].status == "PROVISIONED"

    welcome = register(sandbox, email, Line1="2 New Street")
    assert "You are registered" in welcome.text
    assert register(sandbox, email).status_code == 200  # it may be edited again
    client.portal.move("P1", "DELETED")
    assert register(sandbox, email).status_code == 409


def test_a_form_another_site_sent_is_refused(client: Client) -> None:
    client.post(batch(person()))
    url = f"{client.origin}/portal/register/{email_code(client)}"
    forged = requests.post(url, data={"birth_date": BORN, "Line1": "x"}, timeout=TIMEOUT)
    assert forged.status_code == 400
    assert client.portal.patients["P1"].status == "PROVISIONED"


def test_a_code_nobody_got_leads_nowhere(client: Client) -> None:
    assert client.get(f"{client.origin}/portal/register/unknown").status_code == 404


def test_what_is_recorded_tells_nobodys_code_or_id(client: Client, sandbox: Sandbox) -> None:
    client.post(batch(person()))
    code = email_code(client)
    client.get(f"{client.origin}/portal/register/{code}")
    recorded = " ".join(request.path for request in sandbox.requests)
    assert code not in recorded
    assert client.portal.practice_id not in recorded


def test_a_state_that_cannot_follow_is_refused(client: Client) -> None:
    client.post(batch(person()))
    client.portal.process_due()
    client.portal.move("P1", "DELETED")
    with pytest.raises(ValueError, match="DELETED cannot become REGISTERED"):
        client.portal.move("P1", "REGISTERED")
