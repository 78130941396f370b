"""The outcome of a job that is done, told from its ledger and its folder. It sends nothing."""

from __future__ import annotations

from dataclasses import replace

from practicefusion_connector.bulk.checking import Validation
from practicefusion_connector.bulk.folder import Folder
from practicefusion_connector.bulk.ledger import FilePart, Ledger, template_of
from practicefusion_connector.bulk.manifest import Section
from practicefusion_connector.bulk.outcome import ExportedFile, ExportOutcome, FindingCount
from practicefusion_connector.errors import ActionWarning


def outcome_of(
    ledger: Ledger, folder: Folder, validation: Validation, *, resumed: bool
) -> ExportOutcome:
    """Return the outcome of a finished job."""
    job = ledger.job
    parts = dict(sorted(ledger.parts.items()))
    counts: dict[str, int] = {}
    for part in parts.values():
        for kind, count in part.counts.items() if part.section == "output" else ():
            counts[kind] = counts.get(kind, 0) + count

    def files(section: Section) -> list[ExportedFile]:
        return [
            ExportedFile(
                folder.file(name), part.resource_type, part.count, part.bytes, part.complete
            )
            for name, part in parts.items()
            if part.section == section
        ]

    return ExportOutcome(
        transaction_time=job.transaction_time or "",
        files=files("output"),
        deleted=files("deleted"),
        errors=files("error"),
        counts=counts,
        quarantined=sum(part.aside for part in parts.values()),
        findings=_findings(parts),
        mode=job.mode,
        status_url=template_of(job.status_url),
        resumed=resumed,
        since=job.since,
        left_out=job.refused,
        lacking=sorted({*job.lacking, *_short(parts)}),
        warnings=[ActionWarning(*each) for each in job.warnings] + _remarks(parts, validation),
    )


def _short(parts: dict[str, FilePart]) -> set[str]:
    """Return the types of files that hold another number of resources than said."""
    return {
        part.resource_type
        for part in parts.values()
        if part.section == "output" and not part.complete
    }


def _findings(parts: dict[str, FilePart]) -> list[FindingCount]:
    found: dict[tuple[str, str, str], FindingCount] = {}
    for name, part in parts.items():
        for kind, path, rule, count, line in part.findings:
            known = found.get((kind, path, rule))
            found[kind, path, rule] = (
                replace(known, count=known.count + count)
                if known
                else FindingCount(kind, path, rule, count, name, line)
            )
    return list(found.values())


def _remarks(parts: dict[str, FilePart], validation: Validation) -> list[ActionWarning]:
    """Return what is odd about the files, in words without a name of a patient."""
    remarks = [
        ActionWarning("count_mismatch", f"{name} holds another number of resources than said.")
        for name, part in parts.items()
        if not part.complete
    ]
    unchecked = sorted({kind for part in parts.values() for kind in part.unchecked})
    if unchecked and validation != "none":
        remarks.append(
            ActionWarning("not_validated", f"There is no R4 schema of {', '.join(unchecked)}.")
        )
    return remarks
