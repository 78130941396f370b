"""Invite patients of the practice to its Medfusion patient portal, straight from a search.

Who matches the search and has an e-mail address in the chart gets an invitation; nobody gets a
second one, however often this runs. Then it says who was invited, who was before, and why others
could not be.

    python examples/portal_invitation.py
    python examples/portal_invitation.py --connection clinic --portal portal --search family=Shaw
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from _practice import arguments

from practicefusion_connector import PracticeFusion
from practicefusion_connector.cli.medfusion_sessions import opened
from practicefusion_connector.cli.sessions import connected, in_sandbox
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.medfusion import (
    Medfusion,
    MedfusionConnection,
    Patient,
    connect,
)
from practicefusion_connector.medfusion.invitation import invitation
from practicefusion_connector.stores import MemoryStore


@contextmanager
def both(connection: str | None, portal: str) -> Iterator[tuple[PracticeFusion, Medfusion]]:
    """Open the practice and its portal: stored ones, or the sandbox's."""
    if connection:
        with connected(connection) as pf, opened(portal) as stored:
            yield pf, stored.portal
        return
    with in_sandbox() as (sandbox, pf), closing(MemoryStore()) as store:
        own = sandbox.portal
        fields = {"practice_id": own.practice_id, "application_token": own.application_token}
        user = {"username": own.username, "password": own.password}
        connect(store, MedfusionConnection.of(server=sandbox.origin, **fields, **user))
        with Medfusion.from_store(store, "medfusion") as made:
            yield pf, made


def main() -> None:
    """Search, check, invite, report."""
    parser = arguments(__doc__)
    parser.add_argument("--portal", default="medfusion", help="the stored connection to the portal")
    parser.add_argument("--search", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--wait", type=float, default=600, help="seconds for the processing")
    asked = parser.parse_args()
    criteria = dict(pair.split("=", 1) for pair in asked.search) or {"gender": "female"}
    with both(asked.connection, asked.portal) as (pf, portal):
        patients: list[Patient] = []
        for resource in pf.iterate("search_patients", criteria):
            try:
                patients.append(invitation(resource))
            except InvalidInput as refused:
                print(f"Patient/{resource['id']} not invited: {refused.message}")
        rows, _ = portal.invite(patients)
        for row in rows:
            print(f"{row.practice_patient_id}: {row.outcome}. {row.problem or ''}".rstrip())
        waiting = {row.status_url for row in rows if row.outcome == "accepted" and row.status_url}
        interval = 60 if asked.connection else 0.5
        for status in portal.watch(sorted(waiting), interval=interval, timeout=asked.wait):
            for message in status.messages:
                if message.state != "completed":
                    print(f"{message.message_id}: {message.state}. {message.error or ''}".rstrip())
        print(f"{len(rows)} found, {sum(row.outcome == 'accepted' for row in rows)} invited.")


if __name__ == "__main__":
    main()
