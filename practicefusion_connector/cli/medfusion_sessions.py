"""Opens a stored connection to a Medfusion portal as the environment says; knows no click."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from practicefusion_connector import settings
from practicefusion_connector.cli import output
from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.medfusion.connecting import portal_record
from practicefusion_connector.stores import ConnectionStore

if TYPE_CHECKING:
    from practicefusion_connector.medfusion.client import Medfusion


class Opened(NamedTuple):
    """A portal and the store its connection lies in."""

    portal: Medfusion
    store: ConnectionStore


@contextmanager
def opened(connection_id: str, ledger: Path | None = None) -> Iterator[Opened]:
    """Open a stored connection, with a ledger in a file.

    Raises:
        InvalidInput: the store has no such connection.
        InvalidConfig: it is another system's, or a library is not installed.
    """
    try:
        from practicefusion_connector.medfusion.client import Medfusion
        from practicefusion_connector.medfusion.ledger import Ledger
    except ImportError as error:
        raise InvalidConfig(
            f"Medfusion needs a library that is not installed ({error.name}): "
            "pip install 'practicefusion-connector[medfusion]'"
        ) from error
    with closing(settings.store()) as store:
        connection = portal_record(store, connection_id).connection
        kept = Ledger(ledger or own_ledger(connection.practice_id))
        policy = settings.policy(connection.server)
        with Medfusion.from_store(store, connection_id, ledger=kept, policy=policy) as portal:
            yield Opened(portal, store)


def own_ledger(practice_id: str) -> Path:
    """Return the file of invitations of a practice, in this user's own data folder."""
    from platformdirs import user_data_path

    folder: Path = user_data_path("practicefusion-connector", appauthor=False) / "medfusion"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{practice_id.lower()}.invitations.jsonl"


@contextmanager
def bar(total: int, says: str, *, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show a progress bar, where somebody watches; give the function that moves it on."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = output.console(stderr=True)
    columns = (TextColumn(says), BarColumn(), MofNCompleteColumn())
    hidden = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task("", total=total)
        yield lambda done: progress.advance(task, done)
