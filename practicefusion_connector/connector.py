"""The facade a host embeds: one connection, every action, one way to run them.

Every face (command line, MCP, tasks) runs an action through `PracticeFusion.run`; nothing here
knows which face called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from types import TracebackType
from typing import Any

from practicefusion_connector.connection import Connection
from practicefusion_connector.errors import ActionWarning, ConnectorError, InvalidInput, Rejected
from practicefusion_connector.fhir.bundle import Page, ignored_parameters
from practicefusion_connector.fhir.client import FhirClient
from practicefusion_connector.fhir.cursor import Cursor, CursorCodec
from practicefusion_connector.fhir.links import within
from practicefusion_connector.fhir.paging import walk
from practicefusion_connector.registry import Registry, Request, check, shipped
from practicefusion_connector.result import Result, joined
from practicefusion_connector.smart.consent import categories
from practicefusion_connector.smart.provider import ManagedTokens, TokenProvider
from practicefusion_connector.stores import ConnectionStore
from practicefusion_connector.transport import Policy, Run, Transport


class PracticeFusion:
    """Runs actions against one practice; safe to share between threads.

    Args:
        connection: which practice and application.
        tokens: hands out the access token (`HostTokens`, `ManagedTokens` or the host's own).
        policy: timeouts, retries and bounds.
        registry: the actions; the shipped ones where left out.
        transport: to share its connection pool between connectors; its policy is used.
    """

    def __init__(
        self,
        connection: Connection,
        tokens: TokenProvider,
        *,
        policy: Policy | None = None,
        registry: Registry | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.connection = connection
        self.registry = registry or shipped()
        self._owned = None if transport else Transport(policy)
        self._transport = transport or self._owned or Transport(policy)
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
        made = cls(stored.record.connection, tokens, registry=registry, transport=wire)
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
        resources are there. Where there is more, `next_cursor` says where to go on.

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
        request = self._request(key, inputs)
        run = self._begin(deadline, cancel)
        results = self._results(request, strict, lambda: run)
        return next(results) if request.max_items is None else joined(list(results))

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
        request = self._request(key, inputs)
        return self._results(request, strict, lambda: self._begin(deadline, cancel))

    def iterate(
        self, key: str, inputs: Mapping[str, Any] | None = None, *, strict: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Yield a search's resources one by one, reading pages only as they are needed."""
        for result in self.pages(key, inputs, strict=strict):
            yield from result.resources

    def categories(self, granted_scopes: Iterable[str] | None = None) -> dict[str, list[str]]:
        """Return the data categories the grant covers, each with the actions that read it.

        The grant's scopes are taken from the store where it holds the tokens; a host that holds
        them itself passes `granted_scopes`.
        """
        if granted_scopes is None:
            own = self._tokens.granted_scopes() if isinstance(self._tokens, ManagedTokens) else ()
            granted_scopes = own or self.connection.scopes or ()
        return categories(granted_scopes, self.registry)

    def _begin(self, deadline: float | None, cancel: Event | None) -> Run:
        return Run(self._transport.policy.deadline if deadline is None else deadline, cancel=cancel)

    def _request(self, key: str, inputs: Mapping[str, Any] | None) -> Request:
        with self._named(key):
            return check(self.registry.action(key), inputs, self.connection.fhir_base_url)

    def _results(
        self, request: Request, strict: bool, begin: Callable[[], Run]
    ) -> Iterator[Result]:
        key = request.action.key
        with self._named(key):
            if request.action.operation == "get":
                run = begin()
                found = self._fhir.read(request.action.resource, request.logical_id, run)
                yield Result(key, [found], warnings=list(run.warnings), trace=run.finish())
            else:
                yield from self._searched(request, strict, begin)

    @contextmanager
    def _named(self, key: str) -> Iterator[None]:
        """Name the action and the connection in every error on its way out."""
        try:
            yield
        except ConnectorError as error:
            error.action = key
            error.connection_id = self.connection.id
            raise

    def _searched(
        self, request: Request, strict: bool, begin: Callable[[], Run]
    ) -> Iterator[Result]:
        key, left = request.action.key, request.max_items
        notes = list(request.warnings)
        start = self._start(request)
        limit = self._transport.policy.max_pages
        for step in walk(self._fhir, request.action.resource, start, begin, limit):
            if step.place is start and request.cursor is None:
                notes += _ignored(request, step.page, strict)
            resources, after = step.first(left)
            yield Result(
                key,
                resources,
                # A page whose rest is read later gave its includes the first time.
                [] if step.place.skip else step.page.included,
                step.page.total,
                self._cursors.write(key, after) if after else None,
                [*notes, *step.page.warnings],
                step.run.finish(),
            )
            notes = []
            left = None if left is None else left - len(resources)
            if left is not None and left <= 0:
                return

    def _start(self, request: Request) -> Cursor:
        if request.cursor is None:
            return Cursor(self._fhir.search_url(request.action.resource, request.query))
        place = self._cursors.read(request.action.key, request.cursor)
        base = self.connection.fhir_base_url
        return replace(place, url=within(base, place.url, of=base))


def _ignored(request: Request, page: Page, strict: bool) -> list[ActionWarning]:
    names = ignored_parameters(request.query, page)
    if names and strict:
        raise Rejected(
            f"The server ignored {', '.join(names)}, so its answer holds more than was asked for.",
            problems=[{"path": name, "message": "was ignored by the server"} for name in names],
        )
    return [
        ActionWarning("parameter_ignored", f"The server ignored {name}; its answer may hold more.")
        for name in names
    ]
