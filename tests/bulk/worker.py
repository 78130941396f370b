"""An export in a process of its own that kills itself at a moment it is told.

python -m tests.bulk.worker < {"connection": …, "folder": …, "jobs": …, "plan": …, "die": …}
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import closing
from pathlib import Path

from practicefusion_connector.bulk import Export, ExportPlan, JobStore, Patience, Progress
from practicefusion_connector.connection import Connection
from practicefusion_connector.smart.provider import ManagedTokens
from practicefusion_connector.smart.renew import renewal
from practicefusion_connector.stores import ConnectionRecord, MemoryStore
from practicefusion_connector.transport import Policy, Transport


def main() -> None:
    asked = json.load(sys.stdin)
    connection, store = Connection.of(**asked["connection"]), MemoryStore()
    store.save(ConnectionRecord(connection=connection), expected=None)
    die, seen = asked.get("die"), 0

    def progress(told: Progress) -> None:
        nonlocal seen
        if die and told.stage == die["stage"]:
            seen += 1
            if seen >= die["times"]:
                os.kill(os.getpid(), signal.SIGKILL)

    with (
        closing(JobStore(asked["jobs"])) as jobs,
        closing(Transport(Policy(backoff=0.0))) as transport,
    ):
        export = Export(
            connection,
            ManagedTokens(connection.id, store, renewal(transport)),
            Path(asked["folder"]),
            jobs,
            transport=transport,
            concurrency=asked.get("concurrency", 2),
            patience=Patience(first=0.01, shortest=0.01),
            progress=progress,
        )
        outcome = export.run(ExportPlan(**asked["plan"]))
    json.dump(outcome.to_dict(), sys.stdout)


if __name__ == "__main__":
    main()
