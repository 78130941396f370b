"""The facade a host embeds: one connection, every action, one way to run them.

Every face (command line, MCP, tasks) runs an action through `PracticeFusion.run`; nothing here
knows which face called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import ConnectorError, InvalidInput, MissingScope
from practicefusion_connector.fhir.client import FhirClient
from practicefusion_connector.fhir.cursor import CursorCodec
from practicefusion_connector.history import Entry, History
from practicefusion_connector.methods import Actions, PagedActions
from practicefusion_connector.registry import Registry, Request, check, shipped
from practicefusion_connector.result import Result, joined
from practicefusion_connector.searching import searched
from practicefusion_connector.shaping import Shaping
from practicefusion_connector.smart.consent import categories
from practicefusion_connector.smart.provider import ManagedTokens, TokenProvider
from practicefusion_connector.smart.scopes import scopes_for
from practicefusion_connector.stores import ConnectionStore
from practicefusion_connector.summaries import checked_views
from practicefusion_connector.transport import Policy, Run, Transport


class PracticeFusion(Actions):
    """Runs actions against one practice; safe to share between threads.

    Every action is a method too: `search_patients(family="Shaw")` is `run` with these inputs, and
    `paged.search_patients(family="Shaw")` is `pages`.

    Args:
        connection: which practice and application.
        tokens: hands out the access token (`HostTokens`, `ManagedTokens` or the host's own).
        policy: timeouts, retries and bounds.
        registry: the actions; the shipped ones where left out.
        transport: to share its connection pool between connectors; its policy is used.
        views: a folder with the user's own summary views, see `summaries`.
        history: where a record of each run goes, see `history`.
    """

    def __init__(
        self,
        connection: Connection,
        tokens: TokenProvider,
        *,
        policy: Policy | None = None,
        registry: Registry | None = None,
        transport: Transport | None = None,
        views: Path | None = None,
        history: History | None = None,
    ) -> None:
        self.connection = connection
        self.registry = registry or shipped()
        self.paged = PagedActions(self.registry, self.pages)
        self._views = checked_views(views, self.registry)
        self._owned = None if transport else Transport(policy)
        self._transport = transport or self._owned or Transport(policy)
        self._history = history or History()
        self._tokens = tokens
        self._fhir = FhirClient(self._transport, connection.fhir_base_url, tokens)
        secret = connection.client_secret
        self._cursors = CursorCodec(
            connection.fhir_base_url,
            connection.client_id,
            secret.get_secret_value() if secret else None,
        )

    @classmethod
    def from_store(
        cls,
        store: ConnectionStore,
        connection_id: str,
        *,
        policy: Policy | None = None,
        registry: Registry | None = None,
        transport: Transport | None = None,
        views: Path | None = None,
        history: History | None = None,
    ) -> PracticeFusion:
        """Return the connector of a stored connection; its tokens are renewed in the store.

        Raises:
            InvalidInput: the store has no such connection.
        """
        from practicefusion_connector.smart.renew import renewal

        stored = store.load(connection_id)
        if stored is None:
            raise InvalidInput(
                "There is no connection of this id in the store; connect first.",
                problems=[{"path": "connection_id", "message": "there is none of this id"}],
            )
        wire = transport or Transport(policy)
        tokens = ManagedTokens(connection_id, store, renewal(wire))
        made = cls(
            stored.record.connection,
            tokens,
            registry=registry,
            transport=wire,
            views=views,
            history=history,
        )
        made._owned = None if transport else wire
        return made

    def __enter__(self) -> PracticeFusion:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections, where they are this connector's own."""
        if self._owned:
            self._owned.close()

    def run(
        self,
        key: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Run one action and return its result.

        A search reads one page; with the input `max_items` it follows pages until that many
        resources are there. No result is larger than the input `max_output_bytes`. Where there is
        more, `next_cursor` says where to go on.

        Args:
            key: the action's key, such as `search_patients`.
            inputs: by input name or FHIR spelling.
            strict: raise `Rejected` where the server ignored a search parameter, instead of the
                warning `parameter_ignored`.
            deadline: seconds for everything, waits included; the policy's where left out.
            cancel: an event that stops the run when set, waits included.

        Raises:
            InvalidInput: before anything is sent, naming each wrong input.
            ConnectorError: everything else; see `practicefusion_connector.errors`.
        """
        with self._entry(key) as entry:
            request = self._request(key, inputs, entry)
            run = entry.begin(self._begin(deadline, cancel))
            together = request.max_items is not None
            results = self._results(request, strict, lambda: run, together=together)
            return entry.add(joined(list(results)) if together else next(results))

    def pages(
        self,
        key: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield a search's pages as they are asked for, each with a deadline of its own.

        Takes and raises what `run` does; the input `max_items` ends it early.
        """
        with self._entry(key) as entry:
            request = self._request(key, inputs, entry)

        def begin() -> Run:
            return entry.begin(self._begin(deadline, cancel))

        return entry.follow(self._results(request, strict, begin))

    def iterate(
        self, key: str, inputs: Mapping[str, Any] | None = None, *, strict: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Yield a search's resources one by one, reading pages only as they are needed."""
        for result in self.pages(key, inputs, strict=strict):
            yield from result.resources

    def granted_scopes(self) -> tuple[str, ...]:
        """Return the scopes granted, where the store holds the tokens; else those declared."""
        own = self._tokens.granted_scopes() if isinstance(self._tokens, ManagedTokens) else ()
        return own or self.connection.scopes or ()

    def categories(self, granted_scopes: Iterable[str] | None = None) -> dict[str, list[str]]:
        """Return the data categories the grant covers, each with the actions that read it.

        A host that holds the tokens itself passes its `granted_scopes`.
        """
        scopes = self.granted_scopes() if granted_scopes is None else granted_scopes
        return categories(scopes, self.registry)

    def _begin(self, deadline: float | None, cancel: Event | None) -> Run:
        return Run(self._transport.policy.deadline if deadline is None else deadline, cancel=cancel)

    def _entry(self, key: str) -> Entry:
        return self._history.entry(key, self.connection.id, self.connection.fhir_base_url)

    def _request(self, key: str, inputs: Mapping[str, Any] | None, entry: Entry) -> Request:
        with self._named(key):
            request = check(self.registry.action(key), inputs, self.connection.fhir_base_url)
        entry.about(request)
        return request

    def _results(
        self, request: Request, strict: bool, begin: Callable[[], Run], *, together: bool = False
    ) -> Iterator[Result]:
        key, resource = request.action.key, request.action.resource
        with self._named(key):
            seal = partial(self._cursors.write, key)
            shaping = Shaping(request, self._views, seal, together=together)
            if request.action.operation == "get":
                run = begin()
                yield shaping.one(self._fhir.read(resource, request.logical_id, run), run)
                return
            limit = self._transport.policy.max_pages
            yield from searched(
                self._fhir, request, self._cursors, shaping, begin, strict=strict, max_pages=limit
            )

    @contextmanager
    def _named(self, key: str) -> Iterator[None]:
        """Name the action and the connection in every error on its way out."""
        try:
            yield
        except ConnectorError as error:
            error.action = key
            error.connection_id = self.connection.id
            if isinstance(error, MissingScope) and not error.missing_scopes:
                # Few servers say which; the action knows what it needs.
                needed = scopes_for([self.registry.action(key)], self.connection.level)
                error.missing_scopes = [needed[-1]]
            raise
