"""Where the directory comes from: the server, the cache, a file; and what happens offline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from practicefusion_connector.errors import (
    ConnectorError,
    InvalidConfig,
    InvalidInput,
    InvalidResponse,
)
from practicefusion_connector.sandbox import Behaviour, Sandbox
from practicefusion_connector.smart.directory import Directory
from practicefusion_connector.smart.directory_source import load
from practicefusion_connector.transport import Policy, Run, Transport
from tests.directory.conftest import endpoint, guid, organization, patient, provider

DAY = 86_400.0


class Published:
    """A directory on a server: what it answers, and what it was asked."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.etag: str | None = '"first"'
        self.down = False
        self.asked: list[str | None] = []
        self.statuses: list[int] = []
        self.now = 1_000_000.0

    def __call__(self, request: Request) -> Response | None:
        if request.path != "/directory.json":
            return None
        self.asked.append(request.headers.get("If-None-Match"))
        if self.down:
            response = Response(status=503)
        elif self.etag and request.headers.get("If-None-Match") == self.etag:
            response = Response(status=304)
        else:
            response = Response(self.body, mimetype="application/json")
            if self.etag:
                response.headers["ETag"] = self.etag
        self.statuses.append(response.status_code)
        return response


@pytest.fixture
def published(body: bytes) -> Published:
    return Published(body)


@pytest.fixture
def url(published: Published) -> Iterator[str]:
    with Sandbox(patients=1, behaviour=Behaviour(before_request=published)) as sandbox:
        yield f"{sandbox.origin}/directory.json"


def read(url: str, published: Published, cache: Path | None, **more: float) -> Directory:
    policy = Policy(attempts=1)
    with closing(Transport(policy, clock=lambda: published.now)) as transport:
        return load(url, transport, Run(30), cache=cache, **more)


def test_it_is_fetched_once_a_day(url: str, published: Published, tmp_path: Path) -> None:
    first = read(url, published, tmp_path)
    published.now += DAY / 2
    second = read(url, published, tmp_path)
    assert published.statuses == [200]
    assert second == first
    assert second.problems == first.problems
    assert len(second.search("pediatric")) == 3


def test_an_old_copy_is_confirmed_by_its_etag(
    url: str, published: Published, tmp_path: Path
) -> None:
    read(url, published, tmp_path)
    published.now += DAY + 1
    confirmed = read(url, published, tmp_path)
    assert published.statuses == [200, 304]
    assert published.asked == [None, '"first"']
    assert confirmed.fetched_at == published.now
    published.now += DAY - 1
    read(url, published, tmp_path)
    assert len(published.statuses) == 2


def test_a_new_directory_takes_the_old_ones_place(
    url: str, published: Published, tmp_path: Path
) -> None:
    read(url, published, tmp_path)
    published.body, published.etag = published.body.replace(b"Las Vegas", b"Reno"), '"second"'
    published.now += DAY + 1
    assert read(url, published, tmp_path).search("reno")
    assert len(list(tmp_path.iterdir())) == 1


def test_offline_the_copy_serves_and_says_its_age(
    url: str, published: Published, tmp_path: Path
) -> None:
    first = read(url, published, tmp_path)
    assert first.note == ""
    published.down = True
    published.now += 3.1 * DAY
    aged = read(url, published, tmp_path)
    assert aged.practices == first.practices
    assert "3 days old" in aged.note
    published.now -= 2 * DAY
    assert "26 hours old" in read(url, published, tmp_path).note


def test_offline_without_a_copy_it_is_an_error(
    url: str, published: Published, tmp_path: Path
) -> None:
    published.down = True
    with pytest.raises(ConnectorError) as failed:
        read(url, published, tmp_path)
    assert failed.value.code == "upstream_unavailable"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"layout": 0}', '{"layout": 1}'])
def test_a_damaged_copy_is_replaced(
    url: str, published: Published, tmp_path: Path, damage: str
) -> None:
    read(url, published, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text(damage)
    assert len(read(url, published, tmp_path)) == 4
    assert published.statuses == [200, 200]
    assert published.asked == [None, None]


def test_each_directory_has_a_copy_of_its_own(
    url: str, published: Published, tmp_path: Path
) -> None:
    read(url, published, tmp_path)
    with pytest.raises(ConnectorError):
        read(url.replace("directory", "another"), published, tmp_path)


def test_without_a_cache_it_is_asked_each_time(url: str, published: Published) -> None:
    read(url, published, None)
    read(url, published, None)
    assert published.statuses == [200, 200]


def test_a_broken_directory_does_not_take_a_good_ones_place(
    url: str, published: Published, tmp_path: Path
) -> None:
    read(url, published, tmp_path)
    published.body, published.etag = b"[]", '"broken"'
    published.now += DAY + 1
    for _ in range(2):
        old = read(url, published, tmp_path)
        assert len(old) == 4
        assert "24 hours old" in old.note
        assert "invalid_response" in old.note


def test_a_downloaded_file_needs_no_server(
    published: Published, body: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "ServiceBaseURLs.json"
    file.write_bytes(body)
    directory = read(str(file), published, None)
    assert (len(directory), directory.fetched_at, directory.note) == (4, None, "")


def test_a_file_that_is_none_is_explained(published: Published, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read(str(tmp_path / "missing.json"), published, None)
    (tmp_path / "page.html").write_text("<html>")
    with pytest.raises(InvalidResponse):
        read(str(tmp_path / "page.html"), published, None)


def test_a_directory_that_could_be_changed_on_the_way_is_refused(published: Published) -> None:
    with pytest.raises(InvalidInput, match="over https"):
        read("http://directory.example/ServiceBaseURLs.json", published, None)


def test_a_copy_from_the_future_is_asked_for_again(
    url: str, published: Published, tmp_path: Path
) -> None:
    read(url, published, tmp_path)
    published.now -= DAY
    read(url, published, tmp_path)
    assert published.statuses == [200, 304]


def test_a_cache_that_cannot_be_written_is_explained(
    url: str, published: Published, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    with pytest.raises(InvalidConfig, match="cannot be cached"):
        read(url, published, tmp_path / "taken")


def test_thousands_of_practices_are_read_and_searched(published: Published, tmp_path: Path) -> None:
    entries = []
    for number in range(4000):
        entries.append(endpoint(f"p{number}", "Provider / System Access", provider(guid(number))))
        entries.append(endpoint(f"c{number}", "Patient Access", patient(guid(number))))
        name, references = f"Practice {number:04d} of Reno", (f"p{number}", f"Endpoint/c{number}")
        entries.append(organization(name, *references))
    file = tmp_path / "big.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "entry": entries}))
    directory = read(str(file), published, None)
    assert (len(directory), dict(directory.problems)) == (4000, {})
    (found,) = directory.search("reno 3999")
    assert (found.provider_url, found.patient_url) == (provider(guid(3999)), patient(guid(3999)))


def test_the_sandbox_is_in_its_own_directory(tmp_path: Path) -> None:
    with Sandbox(patients=1) as sandbox, closing(Transport()) as transport:
        source = f"{sandbox.origin}/ServiceBaseURLs.json"
        first = load(source, transport, Run(30), cache=tmp_path, fresh_for=0)
        again = load(source, transport, Run(30), cache=tmp_path, fresh_for=0)
        (practice,) = first.search("cedar hollow")
        assert practice.provider_url == sandbox.fhir_base_url
        assert practice.guid == sandbox.practice_id
        assert sandbox.fhir_base_url in again
        asked = [r.status for r in sandbox.requests if r.path == "/ServiceBaseURLs.json"]
    assert asked == [200, 304]
    assert len(first) > 10
    assert dict(first.problems) == {}
