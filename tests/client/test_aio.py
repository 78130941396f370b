"""The asyncio twin: the same results, the loop never blocked, a cancelled task stops its run."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import Any

import pytest

from practicefusion_connector import HostTokens, PracticeFusion
from practicefusion_connector.aio import AsyncPracticeFusion
from practicefusion_connector.errors import InvalidInput
from practicefusion_connector.transport import Run

WAIT = 30.0


class Gate:
    """Hands out a token once the gate is open, and notices a run that was stopped before."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.waiting = Event()
        self.open = Event()
        self.stopped = Event()

    def access_token(self, run: Run, *, rejected: str | None = None) -> str:
        self.waiting.set()
        while not self.open.is_set():
            if run.cancel is not None and run.cancel.wait(0.01):
                self.stopped.set()
                run.check()
        return self.token


@pytest.fixture
def gated(pf: PracticeFusion) -> tuple[Gate, AsyncPracticeFusion]:
    tokens = pf._tokens
    assert isinstance(tokens, HostTokens)
    gate = Gate(tokens._token())
    return gate, AsyncPracticeFusion(PracticeFusion(pf.connection, gate), concurrency=4)


def run(coroutine: Any) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, WAIT))


def test_results_are_the_same(pf: PracticeFusion) -> None:
    async def use() -> None:
        twin = AsyncPracticeFusion(pf)
        expected = pf.search_patients(page_size=8)
        result = await twin.search_patients(page_size=8)
        assert result.resources == expected.resources
        assert (await twin.run("get_patient", {"id": result.resource["id"]})).resource
        pages = [page async for page in twin.paged.search_patients(page_size=8)]
        assert [len(page) for page in pages] == [8, 8, 4]
        found = [each["id"] async for each in twin.iterate("search_patients", {"page_size": 8})]
        assert found == [each["id"] for page in pages for each in page.resources]
        with pytest.raises(InvalidInput, match='Did you mean "family"'):
            await twin.search_patients(familly="Shaw")  # type: ignore[call-arg]

    run(use())


def test_the_loop_goes_on_while_an_action_waits(gated: tuple[Gate, AsyncPracticeFusion]) -> None:
    gate, twin = gated

    async def use() -> None:
        async with twin:
            tasks = [asyncio.create_task(twin.search_patients(max_items=1)) for _ in range(4)]
            await asyncio.to_thread(gate.waiting.wait, WAIT)
            # Only a loop that is not blocked gets here to open the gate.
            assert not any(task.done() for task in tasks)
            gate.open.set()
            results = await asyncio.gather(*tasks)
            assert [len(result) for result in results] == [1, 1, 1, 1]

    run(use())


def test_a_cancelled_task_stops_its_run(gated: tuple[Gate, AsyncPracticeFusion]) -> None:
    gate, twin = gated

    async def use() -> None:
        async with twin:
            task = asyncio.create_task(twin.search_patients())
            await asyncio.to_thread(gate.waiting.wait, WAIT)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(gate.stopped.wait, WAIT)

    run(use())


def test_pages_can_be_left_early(pf: PracticeFusion) -> None:
    async def use() -> int:
        async for page in AsyncPracticeFusion(pf).paged.search_patients(page_size=5):
            return len(page)
        return 0

    assert run(use()) == 5


def test_closing_closes_the_connector(gated: tuple[Gate, AsyncPracticeFusion]) -> None:
    gate, twin = gated
    gate.open.set()

    async def use() -> None:
        async with twin:
            assert len(await twin.search_patients(max_items=2)) == 2
        with pytest.raises(RuntimeError):
            await twin.search_patients()

    run(use())
