from __future__ import annotations

from typing import Any

import pytest

from practicefusion_connector.bulk import ExportPlan
from practicefusion_connector.bulk.manifest import Item, items_of, read_manifest, same_origin
from practicefusion_connector.errors import InvalidResponse

BASE = "https://fhir.example.com/r4/practice"
STATUS = f"{BASE}/Export/1"
MOMENT = "2026-06-30T12:00:00.000Z"


def manifest(**more: Any) -> dict[str, Any]:
    return {"transactionTime": MOMENT, "requiresAccessToken": True, "output": [], **more}


def items(*urls: str, **more: Any) -> list[Item]:
    output = [{"type": "Patient", "url": url} for url in urls]
    return items_of([read_manifest(manifest(output=output, **more), STATUS)], BASE, STATUS)


def test_the_request_in_a_manifest_may_be_malformed() -> None:
    assert read_manifest(manifest(request={"not": "a URL"}), STATUS).transaction_time == MOMENT


def test_names_on_disk_follow_type_and_section() -> None:
    body = manifest(
        output=[
            {"type": "Patient", "url": "1", "count": 3},
            {"type": "Goal", "url": "2", "count": "three"},
            {"type": "Patient", "url": "3", "count": -1},
        ],
        deleted=[{"type": "Bundle", "url": "4"}],
        error=[{"type": "OperationOutcome", "url": "5"}, {"url": "6"}],
    )
    found = items_of([read_manifest(body, STATUS)], BASE, STATUS)
    assert [(item.name, item.count) for item in found] == [
        ("Patient.000.ndjson", 3),
        ("Goal.000.ndjson", None),
        ("Patient.001.ndjson", None),
        ("deleted.000.ndjson", None),
        ("error.000.ndjson", None),
        ("error.001.ndjson", None),
    ]
    assert found[0].url == f"{BASE}/Export/1"


@pytest.mark.parametrize(
    ("url", "requires", "entitled"),
    [
        (f"{BASE}/Binary/1", True, True),
        ("https://FHIR.example.com:443/elsewhere/1", True, True),
        ("/files/1", True, True),
        (f"{BASE}/Binary/1", False, False),
        ("https://storage.example.com/1?signature=s", True, False),
        ("https://fhir.example.com:8443/1", True, False),
        ("https://fhir.example.com.evil.example/1", True, False),
        ("https://evil.example/https://fhir.example.com/1", True, False),
    ],
)
def test_a_token_goes_where_it_is_required_and_home(
    url: str, requires: bool, entitled: bool
) -> None:
    (item,) = items(url, requiresAccessToken=requires)
    assert item.entitled is entitled


def test_without_the_word_a_token_goes_home_only() -> None:
    body = manifest(output=[{"type": "Goal", "url": "/a"}, {"type": "Goal", "url": "https://b.io"}])
    del body["requiresAccessToken"]
    found = items_of([read_manifest(body, STATUS)], BASE, STATUS)
    assert [item.entitled for item in found] == [True, False]


@pytest.mark.parametrize(
    "url",
    [
        "http://storage.example.com/1",
        "file:///etc/passwd",
        "ftp://example.com/1",
        "https://user@example.com/1",
        "https://[",
        "",
        None,
        7,
    ],
)
def test_records_travel_over_https_only(url: Any) -> None:
    with pytest.raises(InvalidResponse):
        items(url)


@pytest.mark.parametrize("kind", ["../../etc/cron", "patient", "", None, 3, "A" * 80])
def test_a_type_becomes_a_file_name_only_where_it_is_one(kind: Any) -> None:
    body = manifest(output=[{"type": kind, "url": "/1"}])
    with pytest.raises(InvalidResponse, match="without a type"):
        items_of([read_manifest(body, STATUS)], BASE, STATUS)


@pytest.mark.parametrize("moment", [None, "yesterday", "2026-06-30T12:00:00", 5])
def test_a_manifest_without_its_moment_is_none(moment: Any) -> None:
    with pytest.raises(InvalidResponse, match="transactionTime"):
        read_manifest(manifest(transactionTime=moment), STATUS)


@pytest.mark.parametrize("body", [None, [], "text", {"output": "x", "transactionTime": MOMENT}])
def test_what_is_no_manifest_is_refused(body: Any) -> None:
    with pytest.raises(InvalidResponse):
        read_manifest(body, STATUS)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (MOMENT, MOMENT),
        ("2026-06-30T12:00:00.123456789-05:00", "2026-06-30T12:00:00.123456789-05:00"),
        ("2026-06-30T12:00:00+0000", "2026-06-30T12:00:00+00:00"),
        ("2026-06-30 12:00Z", "2026-06-30T12:00:00+00:00"),
    ],
)
def test_the_next_export_can_ask_since_any_moment_that_is_taken(said: str, kept: str) -> None:
    moment = read_manifest(manifest(transactionTime=said), STATUS).transaction_time
    assert moment == kept
    assert ExportPlan(since=moment).since_text == kept


def test_signatures_are_not_part_of_a_file_s_identity() -> None:
    one, two, other = (items(f"https://b.io/{path}") for path in ("1?sig=a", "1?sig=b", "2"))
    assert one[0].fingerprint == two[0].fingerprint != other[0].fingerprint
    assert "sig" not in repr(one)


def test_same_origin_ignores_paths_and_not_schemes() -> None:
    assert same_origin(BASE, "https://fhir.example.com/other")
    assert not same_origin(BASE, "http://fhir.example.com/other")


def test_files_that_differ_in_their_query_only_are_told_apart() -> None:
    urls = [f"https://storage.example.com/file?name={name}" for name in "ab"]
    one, other = items(*urls)
    assert one.fingerprint != other.fingerprint
    assert [each.fingerprint for each in items(*reversed(urls))] == [
        other.fingerprint,
        one.fingerprint,
    ]
