"""The task that runs an action."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import Any

from celery import Celery, Task

from practicefusion_connector.connector import PracticeFusion
from practicefusion_connector.tasks.delivery import declared, retried
from practicefusion_connector.tasks.host import Host
from practicefusion_connector.transport import Transport

_RETRIES = 12


def add(app: Celery, host: Host) -> None:
    """Add the task to an application."""

    # Celery logs what a task returned; here that is patients' data.
    @declared(app, "execute_action", max_retries=_RETRIES, resultrepr_maxsize=1)
    def execute_action(
        task: Task,
        connection_id: str,
        key: str,
        input: Mapping[str, Any] | None = None,  # noqa: A002
    ) -> dict[str, Any]:
        """Run an action of a stored connection and return its result; see `Result.to_dict`."""
        with retried(task), ExitStack() as stack:
            store = stack.enter_context(closing(host.open_store()))
            stored = store.load(connection_id)
            base = stored.record.connection.fhir_base_url if stored else ""
            transport = Transport(host.policy_for(base), pacing=host.pacing)
            stack.enter_context(closing(transport))
            pf = stack.enter_context(
                PracticeFusion.from_store(store, connection_id, transport=transport)
            )
            return pf.run(key, input).to_dict()
