"""A practice in a real FHIR server: each resource once, references to the server's own ids."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from practicefusion_connector.sandbox import Sandbox
from practicefusion_connector.sync import Bounds, FolderSource, State, Sync, SyncPlan
from tests.sync.data import REAL, Resource, read, references, write
from tests.sync.fhir_server import Held, source_id, target_at
from tests.sync.practice import served, source_of

ALIASES = "identifier="


def keys(resources: Sequence[Resource]) -> dict[tuple[str, str], Resource]:
    return {(each["resourceType"], each["id"]): each for each in resources}


def by_alias(resources: Sequence[Resource]) -> dict[str, tuple[str, str]]:
    found = {}
    for each in resources:
        for identifier in each.get("identifier", ()):
            token = f"{identifier.get('system', '')}|{identifier.get('value')}"
            found[f"{each['resourceType']}?{ALIASES}{token}"] = (each["resourceType"], each["id"])
    return found


def check_equal(source: Sequence[Resource], held: Held) -> int:
    """Check that the server holds each resource once, and follow every reference; count them."""
    there = {kind: held.by_source_id(kind) for kind in {each["resourceType"] for each in source}}
    known, named = keys(source), by_alias(source)
    followed = 0
    for each in source:
        (kept,) = there[each["resourceType"]][each["id"]]
        assert kept["id"] != each["id"]
        for old, new in references(each, kept):
            if old["reference"].startswith("#"):
                continue
            parts = old["reference"].split("/")
            meant = named.get(old["reference"], (parts[0], parts[-1]))
            if meant in known:
                landed = held.read(new["reference"])
                assert landed is not None, f"{each['resourceType']} dangles"
                assert (landed["resourceType"], source_id(landed)) == meant
                followed += 1
            else:
                assert "reference" not in new
                assert new["identifier"]["value"]
    for kind, resources in there.items():
        assert len(resources) == sum(1 for each in source if each["resourceType"] == kind)
    return followed


def sync(folder: Path, url: str, state: State, **plan: bool) -> dict[str, int]:
    with target_at(url, bounds=Bounds(first=20, largest=200)) as target:
        report = Sync(FolderSource(folder), target, state, SyncPlan(**plan)).run()  # type: ignore[arg-type]
    assert report.status == "done", report.quarantine
    return dict(report.to_dict()["totals"])


def test_a_practice_arrives_whole_and_stays_in_step(
    tmp_path: Path, people: list[Resource], fhir_url: str, held: Held, state: State
) -> None:
    folder = write(tmp_path / "export", people)
    first = sync(folder, fhir_url, state)
    assert first["created"] == len(people)
    assert "failed" not in first
    assert check_equal(people, held) > 100
    versions = {r["id"]: r["meta"]["versionId"] for r in held.every("Observation")}

    second = sync(folder, fhir_url, state)
    assert second == {"read": len(people), "unchanged": len(people)}
    assert {r["id"]: r["meta"]["versionId"] for r in held.every("Observation")} == versions

    changed = copy.deepcopy(people)
    patient = next(each for each in changed if each["resourceType"] == "Patient")
    patient["birthDate"] = "1950-05-05"
    gone = next(each for each in changed if each["resourceType"] == "Provenance")
    changed.remove(gone)
    write(folder, changed)
    third = sync(folder, fhir_url, state, delete_missing=True)
    assert (third["updated"], third["deleted"]) == (1, 1)
    (now,) = held.by_source_id("Patient")[patient["id"]]
    assert now["birthDate"] == "1950-05-05"
    assert gone["id"] not in held.by_source_id("Provenance")
    check_equal(changed, held)


def test_references_in_circles_and_forwards_are_mended(
    tmp_path: Path, fhir_url: str, held: Held, state: State
) -> None:
    def of(kind: str, id_: str, **rest: object) -> Resource:
        return {"resourceType": kind, "id": id_, **rest}

    source = [
        of("Organization", "a", partOf={"reference": "Organization/b"}, name="A"),
        of("Organization", "b", partOf={"reference": "Organization/a"}, name="B"),
        of(
            "Encounter",
            "e",
            status="finished",
            **{"class": {"code": "AMB"}},
            diagnosis=[{"condition": {"reference": "Condition/c", "identifier": {"value": "own"}}}],
        ),
        of("Condition", "c", subject={"reference": "Patient/not-here", "display": "Somebody"}),
    ]
    with target_at(fhir_url) as target:
        report = Sync(FolderSource(write(tmp_path / "export", source)), target, state).run()
    assert report.references_mended == 3
    assert report.references_open == 1
    assert check_equal(source, held) == 3
    (encounter,) = held.by_source_id("Encounter")["e"]
    assert encounter["diagnosis"][0]["condition"]["identifier"] == {"value": "own"}

    source.append(of("Patient", "not-here", name=[{"family": "Here"}]))
    with target_at(fhir_url) as target:
        report = Sync(FolderSource(write(tmp_path / "export", source)), target, state).run()
    assert report.references_mended == 1
    assert report.references_open == 0
    assert check_equal(source, held) == 4


def test_what_is_gone_is_found_where_its_id_was_forgotten(
    tmp_path: Path, fhir_url: str, held: Held, state: State
) -> None:
    """Among them are types that are found by a tag."""
    kinds = ("Patient", "Provenance")
    two: list[Resource] = [{"resourceType": "Patient", "id": name} for name in ("a", "b")]
    for each in ("c", "d"):
        agent = [{"who": {"display": "Somebody"}}]
        about = {"target": [{"reference": "Patient/a"}], "recorded": "2026-01-01T00:00:00Z"}
        two.append({"resourceType": "Provenance", "id": each, "agent": agent, **about})
    sync(write(tmp_path / "export", two), fhir_url, state)
    state.reset(everything=True)
    folder = write(tmp_path / "export", [two[0], two[2]])
    assert sync(folder, fhir_url, state, delete_missing=True)["deleted"] == 2
    assert [set(held.by_source_id(kind)) for kind in kinds] == [{"a"}, {"c"}]


def test_an_only_identifier_stays_the_source_s(
    tmp_path: Path, fhir_url: str, held: Held, state: State
) -> None:
    """R4 gives some types one identifier at most."""
    own = {"system": "urn:maps", "value": "7"}
    given: Resource = {"resourceType": "ConceptMap", "id": "a", "identifier": own}
    for status in ("draft", "active"):
        given["status"] = status
        sync(write(tmp_path / "export", [given]), fhir_url, state)
        (kept,) = held.every("ConceptMap")
        assert (kept["identifier"], kept["status"], source_id(kept)) == (own, status, "a")


def test_what_the_server_refuses_waits_in_quarantine(
    tmp_path: Path, people: list[Resource], fhir_url: str, state: State
) -> None:
    folder = write(tmp_path / "export", people[:30])
    kind = people[0]["resourceType"]
    with (folder / f"{kind}.000.ndjson").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"resourceType": kind, "id": "x", "nonsense": True}) + "\n")
        file.write("not json\n")
    with target_at(fhir_url) as target:
        report = Sync(FolderSource(folder), target, state).run()
    assert report.status == "incomplete"
    assert report.held == [kind]
    assert report.total("created") == 30
    reasons = {(r.code, r.line, r.file) for r in state.quarantine.rows()}
    lines = sum(1 for each in people[:30] if each["resourceType"] == kind)
    name = f"{kind}.000.ndjson"
    assert {(line, file) for _, line, file in reasons} == {(lines + 1, name), (lines + 2, name)}
    assert "unparsable" in {code for code, _, _ in reasons}
    held = {mark.type for mark in state.ledger.watermarks() if mark.instant is None}
    assert held == {kind}


@pytest.mark.soak
@pytest.mark.skipif(not REAL.is_dir(), reason="the data of ten patients is not here")
def test_ten_real_patients_served_by_a_practice(
    tmp_path: Path, fhir_url: str, held: Held, state: State
) -> None:
    """Three runs: everything, nothing, an update and a deletion; each reference is followed."""
    with Sandbox(data=REAL) as sandbox:
        types = tuple(sandbox.bulk.types)
        scopes = tuple(f"system/{kind}.rs" for kind in types)

        def records() -> list[Resource]:
            return list(served(sandbox, types).values())

        with (
            source_of(sandbox, tmp_path, scopes=scopes) as source,
            target_at(fhir_url, source=sandbox.fhir_base_url) as target,
        ):
            sync = Sync(source, target, state, SyncPlan(types=types))
            assert sync.run().total("created") == len(records()) == len(list(read(REAL)))
            assert check_equal(records(), held) > 20_000
            assert sync.run().changes == 0

            patient = next(iter(sandbox.resources["Patient"]))
            sandbox.bulk.update("Patient", patient, birthDate="1950-05-05")
            # The data's Devices are referred to by nothing.
            gone = next(iter(sandbox.resources["Device"]))
            sandbox.bulk.delete("Device", gone)
            third = sync.run()
        assert (third.total("updated"), third.total("deleted"), third.changes) == (1, 1, 2)
        (now,) = held.by_source_id("Patient")[patient]
        assert now["birthDate"] == "1950-05-05"
        assert gone not in held.by_source_id("Device")
        assert check_equal(records(), held) > 20_000
        assert sandbox.bulk.kickoffs == 3
