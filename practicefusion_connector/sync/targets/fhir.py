"""A FHIR R4 server as a target: conditional updates, references to the server's own ids.

Each resource is updated on a search that finds it by its id at the source (FHIR R4 http
§3.1.0.7.1): by an identifier, which is added; or, for a type without identifiers, by a tag. Sent
again, after a kill or a broken answer, it meets itself. Where the server searches a type by
neither, its resources are created once and then updated under the id that is remembered; a creation
cut off between the server and this process is not sent again, but put into quarantine as
`in_doubt`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.sync.items import Applied, Item, Key
from practicefusion_connector.sync.targets.base import Finished, Memory
from practicefusion_connector.sync.targets.entries import (
    TAGGED,
    Search,
    applied,
    conditional_entry,
    deleted,
    found_id,
    is_of_another,
    prepared,
    put_entry,
)
from practicefusion_connector.sync.targets.fhir_server import EntryAnswer, FhirServer
from practicefusion_connector.sync.targets.references import References

_MOST_BYTES = 4 * 1024 * 1024
_MENDED_AT_ONCE = 50


class FhirTarget:
    """A FHIR server to sync into.

    Args:
        server: where it is and how it is asked.
        source: the base URL of the source's FHIR server, where known.
        system: begins the systems of the identifiers that are added; each ends in `/{type}-id`.
        size: says how many resources the next batch may hold, and `workers` how many go at once.
    """

    whole_files = False
    keeps_versions = False

    def __init__(
        self,
        server: FhirServer,
        *,
        source: str | None,
        system: str = "https://practicefusion.com/fhir",
        size: Callable[[], int],
        workers: Callable[[], int],
    ) -> None:
        self.name = "fhir"
        self._server = server
        self._references = References(source, system)
        self._size = size
        self._workers = workers
        self._searches: dict[str, Search | None] = {}
        self._memory: Memory | None = None

    @property
    def batch(self) -> tuple[int, int]:
        """See `Target`."""
        return self._size(), _MOST_BYTES

    @property
    def workers(self) -> int:
        """See `Target`."""
        return self._workers()

    def open(self, memory: Memory) -> str | None:
        """See `Target`; a server carries no mark, so its address stands for it."""
        self._memory = memory
        return hashlib.sha256(self._server.base_url.encode()).hexdigest()[:32]

    def apply(self, resource_type: str, items: Sequence[Item]) -> list[Applied]:
        """See `Target`."""
        search = self._search(resource_type)
        memory = self._asked()
        wanted = {key for item in items for key in self._references.wanted(item.resource)}
        own = {item.key for item in items} if search is None else set()
        held = memory.held(wanted | own)
        if search is None:
            return self._by_remembered_id(items, held)
        ready = [prepared(item, held, search, self._references) for item in items]
        entries = [
            put_entry(f"{resource_type}?{self._query(search, item.key)}", resource)
            for item, (resource, _) in zip(items, ready, strict=True)
        ]
        answers = self._named(items, self._server.batch(entries), search)
        self._refuse_mixed_up(items, answers)
        return [
            applied(item, answer, open_)
            for item, answer, (_, open_) in zip(items, answers, ready, strict=True)
        ]

    def take(self, run: int, path: Path, name: str) -> None:
        """See `Target`; a server takes no files."""
        raise InvalidConfig("A FHIR server takes resources, not files.")

    def delete(self, keys: Sequence[tuple[Key, str | None]]) -> list[Applied]:
        """See `Target`."""
        places = {key: self._place(key, target_id) for key, target_id in keys}
        there = {key: place for key, place in places.items() if place is not None}
        entries = [{"request": {"method": "DELETE", "url": place}} for place in there.values()]
        answers = dict(zip(there, self._server.batch(entries), strict=True))
        gone = EntryAnswer(404)
        return [deleted(answers.get(key, gone)) for key, _ in keys]

    def finish(self, run: int, progress: Callable[[int], None]) -> Finished:
        """Make references literal whose target has arrived since they were written."""
        memory = self._asked()
        mended, after = 0, None
        while waiting := memory.ready(after, _MENDED_AT_ONCE):
            after = waiting[-1][0]
            read = self._server.batch(
                [
                    {"request": {"method": "GET", "url": f"{key.type}/{target_id}"}}
                    for key, target_id, _ in waiting
                ]
            )
            changes = []
            for (key, target_id, found), answer in zip(waiting, read, strict=True):
                if answer.ok and answer.resource is not None and answer.id == target_id:
                    copy, done = self._references.made_literal(dict(answer.resource), found)
                    changes.append((key, tuple(found), done, conditional_entry(copy, target_id)))
            mended += self._mend(memory, changes)
            progress(mended)
        return Finished(mended, memory.waiting())

    def close(self) -> None:
        """See `Target`; the server's connections are their owner's."""

    def _mend(
        self, memory: Memory, changes: list[tuple[Key, tuple[Key, ...], tuple[Key, ...], Any]]
    ) -> int:
        """Write resources back, and note what they wait for no longer."""
        changed = [change for change in changes if change[2]]
        answers = self._server.batch([entry for _, _, _, entry in changed])
        mended = 0
        for (key, found, done, _), answer in zip(changed, answers, strict=True):
            if answer.ok:
                memory.settled(key, found)
                mended += len(done)
        for key, found, done, _ in changes:
            if not done:
                memory.settled(key, found)
        return mended

    def _asked(self) -> Memory:
        if self._memory is None:
            raise InvalidConfig("The target is not open.")
        return self._memory

    def _search(self, resource_type: str) -> Search | None:
        """Return the search that finds a type's resources by their source ids."""
        if resource_type not in self._searches:
            self._searches[resource_type] = self._probed(resource_type)
        return self._searches[resource_type]

    def _probed(self, resource_type: str) -> Search | None:
        token = f"{self._references.system_of(resource_type)}|{uuid.uuid4()}"
        names: tuple[Search, ...] = ("_tag",)
        if resource_type not in TAGGED:
            names = ("identifier", "_tag")
        for name in names:
            if self._server.takes_search(resource_type, name, token):
                return name
        return None

    def _place(self, key: Key, target_id: str | None) -> str | None:
        """Return where a resource is: by its id or, where that was forgotten, by a search."""
        if target_id is not None:
            return f"{key.type}/{target_id}"
        search = self._search(key.type)
        return f"{key.type}?{self._query(search, key)}" if search else None

    def _query(self, search: Search, key: Key) -> str:
        return f"{search}={quote(f'{self._references.system_of(key.type)}|{key.id}', safe='')}"

    def _by_remembered_id(self, items: Sequence[Item], held: Any) -> list[Applied]:
        """Create what is new and update the rest under the ids remembered."""
        memory = self._asked()
        doubtful = memory.in_doubt(item.key for item in items if item.key not in held)
        sent = [item for item in items if item.key not in doubtful]
        memory.intend(item.key for item in sent if item.key not in held)
        ready = [prepared(item, held, None, self._references) for item in sent]
        entries = [
            put_entry(f"{item.key.type}/{held[item.key]}", {**resource, "id": held[item.key]})
            if item.key in held
            else {"resource": resource, "request": {"method": "POST", "url": item.key.type}}
            for item, (resource, _) in zip(sent, ready, strict=True)
        ]
        answers = self._named(sent, self._server.batch(entries, repeatable=False), None)
        self._refuse_mixed_up(sent, answers)
        done = {
            item.key: applied(item, answer, missing)
            for item, answer, (_, missing) in zip(sent, answers, ready, strict=True)
        }
        unknown = Applied("failed", code="in_doubt")
        return [done.get(item.key, unknown) for item in items]

    def _named(
        self, items: Sequence[Item], answers: Sequence[EntryAnswer], search: Search | None
    ) -> list[EntryAnswer]:
        """Return answers with the ids they leave out: updates need not say one (R4 §3.1.0.4)."""
        nameless = [i.key for i, a in zip(items, answers, strict=True) if a.ok and a.id is None]
        if not nameless:
            return list(answers)
        ids: dict[Key, str | None] = dict(self._asked().held(nameless))
        unknown = [key for key in nameless if key not in ids] if search else []
        urls = [f"{key.type}?{self._query(search, key)}" for key in unknown if search]
        found = self._server.batch([{"request": {"method": "GET", "url": url}} for url in urls])
        ids |= zip(unknown, map(found_id, found), strict=True)
        return [
            replace(answer, id=ids.get(item.key)) if answer.ok and answer.id is None else answer
            for item, answer in zip(items, answers, strict=True)
        ]

    def _refuse_mixed_up(self, items: Sequence[Item], answers: Sequence[EntryAnswer]) -> None:
        """Stop where answers are not about what was asked: references would name others."""
        for item, answer in zip(items, answers, strict=True):
            if is_of_another(item, answer, self._references.system_of(item.key.type)):
                raise InvalidConfig(
                    "The target answered a batch in another order than it was asked (FHIR R4 http "
                    "§3.1.0.11). Nothing more is sent; such a server cannot be synced into."
                )
        ids = [answer.id for answer in answers if answer.ok]
        if None in ids or len(set(ids)) == len(ids):
            return
        raise InvalidConfig(
            "The target took different resources for one: it does not honour the search of a "
            "conditional update. Nothing more is sent; such a server cannot be synced into."
        )
