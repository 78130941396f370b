"""Puts a sync together from its settings: source, target, state, and closes them after use.

What depends on the environment (the store of connections, the way to a server) is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from errno import EPIPE
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from practicefusion_connector.errors import ConnectorError, UpstreamUnavailable
from practicefusion_connector.sync.config import SyncSettings, WrongSettings
from practicefusion_connector.sync.engine import Sync, SyncProgress
from practicefusion_connector.sync.naming import check_named
from practicefusion_connector.sync.past import NeverRun, ever_run, is_there
from practicefusion_connector.sync.planning import SyncPlan
from practicefusion_connector.sync.state.state import State
from practicefusion_connector.sync.wiring import PolicyFor, StoreOpener, Wiring, check_target
from practicefusion_connector.transport.pacing import Pacing

if TYPE_CHECKING:
    from practicefusion_connector.bulk import Patience


@contextmanager
def built(
    settings: SyncSettings,
    plan: SyncPlan,
    *,
    policy_for: PolicyFor,
    open_store: StoreOpener,
    progress: Callable[[SyncProgress], None] | None = None,
    pacing: Pacing | None = None,
    patience: Patience | None = None,
) -> Iterator[Sync]:
    """Give the sync that the settings describe.

    Args:
        settings: source, target, folder.
        plan: what to sync.
        policy_for: the policy for the server at a URL, with limits as keywords.
        open_store: opens the store of connections, where one is named.
        progress: told what happens.
        pacing: the practices' paces; those of the process where left out.
        patience: how to wait for an export, see `bulk.Patience`.

    Raises:
        InvalidConfig: the settings do not fit together, a library is missing, or the disk does not
            take what is written.
        InvalidInput: there is no connection of the name given.
        UpstreamUnavailable: a database that the sync keeps something in does not answer.
    """
    with _typed(), ExitStack() as stack:
        check_target(settings.target.to)
        wiring = Wiring(settings, policy_for, open_store, stack, pacing)
        source = wiring.source(patience)
        state = stack.enter_context(closing(wiring.state()))
        yield Sync(source, wiring.target(source), state, plan, progress=progress)


@contextmanager
def state_of(
    settings: SyncSettings, *, policy_for: PolicyFor, open_store: StoreOpener
) -> Iterator[State]:
    """Give the state of a sync, without opening its target."""
    with _typed(), ExitStack() as stack:
        check_named(settings.target.to)
        wiring = Wiring(settings, policy_for, open_store, stack)
        yield stack.enter_context(closing(wiring.state()))


@contextmanager
def known_state(
    settings: SyncSettings, *, policy_for: PolicyFor, open_store: StoreOpener
) -> Iterator[State]:
    """Give the state of a sync that was begun before; where there is none, none is made.

    Raises:
        NeverRun: no run of this source into this target was begun.
        WrongSettings: there is no target.
    """
    with _typed(), ExitStack() as stack:
        check_named(settings.target.to)
        wiring = Wiring(settings, policy_for, open_store, stack)
        url = wiring.state_url
        if not is_there(url) or not ever_run(url, wiring.name):
            raise NeverRun("Nothing was synced from this source into this target yet.")
        yield stack.enter_context(closing(wiring.state()))


@contextmanager
def _typed() -> Iterator[None]:
    """Give what the disk and the databases refuse a sentence; their own text may hold anything."""
    refused: ConnectorError
    try:
        yield
        return
    except OperationalError:
        refused = UpstreamUnavailable(
            "A database that the sync needs cannot be used: see whether it answers, what rights "
            "there are and whether its disk has room. The next run goes on where this one stopped."
        )
    except OSError as error:
        # Without a number it is a library's own; a broken pipe is that of whoever looked on.
        if error.errno in (None, EPIPE):
            raise
        refused = WrongSettings(
            f"The sync's folder or target cannot be written to or read ({error.strerror}): look at "
            "its rights and at the room on its disk. The next run goes on where this one stopped."
        )
    raise refused
