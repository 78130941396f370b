"""What a worker is given by whoever runs it; the tasks themselves read no environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from practicefusion_connector.stores import ConnectionStore
from practicefusion_connector.sync.config import ScheduleSettings, SyncSettings
from practicefusion_connector.sync.wiring import PolicyFor
from practicefusion_connector.transport.pacing import Pacing


@dataclass(frozen=True, slots=True)
class Host:
    """What a worker is given.

    Attributes:
        open_store: opens the store of connections; each task closes it again.
        policy_for: the policy for the server at a URL, with limits as keywords.
        settings_for: the settings of a connection's sync; its folder and its state's database must
            be shared by all workers, the folder under the same path.
        pacing: the practices' paces, shared through Redis.
        slice: seconds one task of a sync works at most before it lets others have a turn. A step
            that is late by more is overdue: a start sends it again.
        first_wait: seconds before the second look at an export's status; each wait is longer.
        schedule: when `celery beat` has every practice synced; never, where there is none.
    """

    open_store: Callable[[], ConnectionStore]
    policy_for: PolicyFor
    settings_for: Callable[[str], SyncSettings]
    pacing: Pacing | None = None
    slice: float = 60.0
    first_wait: float = 2.0
    schedule: ScheduleSettings | None = None
