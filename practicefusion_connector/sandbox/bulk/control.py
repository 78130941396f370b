"""The practice's exports as one object: its jobs, its groups, and the control tests have."""

from __future__ import annotations

import copy
import threading
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from practicefusion_connector.sandbox.bulk.faults import ExportFaults
from practicefusion_connector.sandbox.bulk.job import ExportFile, ExportJob, Section, cut
from practicefusion_connector.sandbox.bulk.lines import Lines
from practicefusion_connector.sandbox.bulk.settings import ExportBehaviour
from practicefusion_connector.sandbox.bulk.snapshot import (
    Asked,
    Deleted,
    Extras,
    deletions,
    exportable,
    plain_lines,
    snapshot,
)
from practicefusion_connector.sandbox.practice import Practice
from practicefusion_connector.sandbox.search import SearchEngine
from practicefusion_connector.sandbox.settings import TODAY
from practicefusion_connector.sandbox.store import Resource

_GROUP_LIMIT = 1000
_TEST_GROUP_SIZE = 9
_TICK = timedelta(milliseconds=1)


class Bulk:
    """Exports of one practice. Changes made here appear in searches and in later exports."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self.faults = ExportFaults()
        """What is to go wrong, so many times each."""
        self.kickoffs = 0
        """How many jobs were started."""
        self.authorized_downloads: list[bool] = []
        """For each download whether a token came along."""
        self._jobs: dict[str, ExportJob] = {}
        self._deleted: list[Deleted] = []
        self._groups: dict[str, list[str]] = {}
        self._extras = Extras()
        self._lock = threading.Lock()
        self._latest = TODAY
        patients = [patient["id"] for patient in practice.store.of_type("Patient")]
        self.group_id = self.add_group(patients[:_TEST_GROUP_SIZE], "bulk-test-group")
        """A group of nine patients, as the vendor's own sandbox publishes one."""

    @property
    def rules(self) -> ExportBehaviour:
        """The knobs, the same object as `behaviour.export`."""
        return self.practice.behaviour.export

    @property
    def types(self) -> list[str]:
        """The types of the practice's records that an export may hold."""
        return sorted(exportable(self.practice.store.by_type))

    # Groups

    def add_group(self, patients: Iterable[str], group_id: str | None = None) -> str:
        """Make a group of patients, 1,000 at most, and return its id."""
        members = list(patients)
        if len(members) > _GROUP_LIMIT:
            raise ValueError(f"A group has {_GROUP_LIMIT:,} patients at most.")
        group_id = group_id or str(uuid.uuid4())
        self._groups[group_id] = members
        return group_id

    def members(self, group_id: str) -> list[str] | None:
        """The ids of a group's patients, or None where there is no such group."""
        return self._groups.get(group_id)

    def group(self, group_id: str) -> Resource | None:
        """The Group resource, or None."""
        members = self._groups.get(group_id)
        if members is None:
            return None
        return {
            "resourceType": "Group",
            "id": group_id,
            "type": "person",
            "actual": True,
            "quantity": len(members),
            "member": [{"entity": {"reference": f"Patient/{each}"}} for each in members],
        }

    # Changes between exports

    def now(self) -> datetime:
        """The practice's time: never before its records', and later with each call."""
        with self._lock:
            self._latest = max(self._latest + _TICK, datetime.now(UTC))
            return self._latest

    def update(self, resource_type: str, resource_id: str, **elements: Any) -> Resource:
        """Change elements of a resource; it has a new version and was updated now."""
        known = self.practice.store.by_type[resource_type][resource_id]
        made = copy.deepcopy({**known, **elements})
        version = int(known.get("meta", {}).get("versionId", "0")) + 1
        made["meta"] = {
            **known.get("meta", {}),
            "versionId": str(version),
            "lastUpdated": _instant(self.now()),
        }
        self._put(made)
        return made

    def create(self, resource: Resource) -> Resource:
        """Add a resource under the id it has, updated now."""
        made = copy.deepcopy(resource)
        meta = made.get("meta", {})
        made["meta"] = {**meta, "versionId": "1", "lastUpdated": _instant(self.now())}
        self._put(made)
        return made

    def delete(self, resource_type: str, resource_id: str) -> None:
        """Remove a resource; later exports tell that it went."""
        store = self.practice.store
        known = store.by_type[resource_type][resource_id]
        patients = frozenset(store.patients_of(known))
        self._deleted.append(Deleted(resource_type, resource_id, patients, self.now()))
        del store.by_type[resource_type][resource_id]
        self.practice.engine = SearchEngine(store)

    def _put(self, resource: Resource) -> None:
        store = self.practice.store
        store.by_type.setdefault(resource["resourceType"], {})[resource["id"]] = resource
        # Its indexes hold what was there before.
        self.practice.engine = SearchEngine(store)

    # What exports hold beside the records

    def inject(self, resource_type: str, line: bytes) -> None:
        """Put a raw line at the beginning of a type's first file from now on."""
        self._extras.lines.setdefault(resource_type, []).append(line.rstrip(b"\n") + b"\n")

    def add_error(self, code: str = "processing", diagnostics: str = "A record failed.") -> None:
        """Let later exports report an error about something they could not export."""
        issue = {"severity": "error", "code": code, "diagnostics": diagnostics}
        self._extras.outcomes.append({"resourceType": "OperationOutcome", "issue": [issue]})

    # Jobs

    def expire(self) -> None:
        """Let every job there is expire now."""
        for job in self._jobs.values():
            job.expired = True

    def lapse_signatures(self) -> None:
        """Let every signed URL given out so far lapse; the manifest has fresh ones."""
        for job in self._jobs.values():
            job.signature = uuid.uuid4().hex

    @property
    def jobs(self) -> dict[str, ExportJob]:
        """The jobs that were neither cancelled nor deleted, by handle."""
        return self._jobs

    def start(self, asked: Asked, request: str, client_id: str) -> ExportJob:
        """Begin a job: a snapshot of what there is now."""
        rules, moment = self.rules, self.now()
        found = snapshot(self.practice.store, asked, self._extras, rules.patients)
        files = [
            file for kind, lines in found.items() for file in cut("output", kind, lines, rules)
        ]
        files += self._beside("deleted", "Bundle", deletions(self._deleted, asked))
        files += self._beside("error", "OperationOutcome", plain_lines(self._extras.outcomes))
        job = ExportJob(str(uuid.uuid4()), request, _instant(moment), files, client_id)
        with self._lock:
            self._jobs[job.handle] = job
            self.kickoffs += 1
        return job

    def drop(self, handle: str) -> bool:
        """Cancel or delete a job; say whether there was one."""
        return self._jobs.pop(handle, None) is not None

    def _beside(self, section: Section, kind: str, lines: Lines | None) -> list[ExportFile]:
        return list(cut(section, kind, lines, self.rules)) if lines else []


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
