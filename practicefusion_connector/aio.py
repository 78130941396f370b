"""The asyncio twin: the same connector, run in threads, so that the loop is never blocked.

There is no second implementation. Each call runs `PracticeFusion` in a thread of its own pool, and
a task that is cancelled stops its run: the next wait or request of that run ends it.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from types import TracebackType
from typing import Any, TypeVar

from practicefusion_connector.connector import PracticeFusion
from practicefusion_connector.methods import AsyncActions, AsyncPagedActions
from practicefusion_connector.result import Result

T = TypeVar("T")
Options = Mapping[str, Any]


class AsyncPracticeFusion(AsyncActions):
    """Runs the actions of a `PracticeFusion` for asyncio; every action is a method here too.

        async with AsyncPracticeFusion(PracticeFusion(connection, tokens)) as pf:
            result = await pf.search_patients(family="Shaw")

    Args:
        connector: what runs the actions; it is closed together with this.
        concurrency: how many actions run at once; further ones wait for their turn.
    """

    def __init__(self, connector: PracticeFusion, *, concurrency: int = 16) -> None:
        self.connector = connector
        self.registry = connector.registry
        self.paged = AsyncPagedActions(self.registry, self.pages)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="practicefusion")

    async def __aenter__(self) -> AsyncPracticeFusion:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Wait for the runs under way, then close the connector."""
        await asyncio.to_thread(self._threads.shutdown)
        self.connector.close()

    async def run(
        self,
        key: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run one action and return its result; takes and raises what `PracticeFusion.run` does."""
        stop = Event()
        run = partial(
            self.connector.run, key, inputs, strict=strict, deadline=deadline, cancel=stop
        )
        return await self._in_thread(run, stop)

    async def pages(
        self,
        key: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncGenerator[Result, None]:
        """Yield a search's pages as they are asked for; see `PracticeFusion.pages`."""
        stop = Event()
        pages = self.connector.pages(key, inputs, strict=strict, deadline=deadline, cancel=stop)
        while (page := await self._in_thread(partial(next, pages, None), stop)) is not None:
            yield page

    async def iterate(
        self, key: str, inputs: Mapping[str, Any] | None = None, *, strict: bool = False
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield a search's resources one by one, reading pages only as they are needed."""
        async for page in self.pages(key, inputs, strict=strict):
            for resource in page.resources:
                yield resource

    async def granted_scopes(self) -> tuple[str, ...]:
        """Return what `PracticeFusion.granted_scopes` returns."""
        return await self._in_thread(self.connector.granted_scopes, Event())

    async def _in_thread(self, function: Callable[[], T], stop: Event) -> T:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, context.run, function)
        except asyncio.CancelledError:
            stop.set()
            raise
