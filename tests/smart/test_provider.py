"""Who refreshes when: early, once for many threads, and only where nobody else has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event, Lock, Thread

import pytest

from practicefusion_connector import errors
from practicefusion_connector.connection import Connection
from practicefusion_connector.smart.provider import HostTokens, ManagedTokens
from practicefusion_connector.smart.tokens import TokenSet
from practicefusion_connector.stores import ConnectionRecord, MemoryStore, Stored
from practicefusion_connector.transport import Run
from tests.leaks import everything_said
from tests.smart.practice import ACCESS, NOW, REFRESH, SECRET, connection, tokens

Renewing = Callable[[TokenSet | None, Run], TokenSet]


class World:
    """A store with one connection, a clock, and a token endpoint that counts."""

    def __init__(self, had: TokenSet | None = None) -> None:
        self.now = NOW
        self.store = MemoryStore()
        self.renewals = 0
        self.behaviour: Renewing = lambda old, run: self.next()
        self._lock = Lock()
        record = ConnectionRecord(connection=connection(), tokens=had or tokens())
        self.store.save(record, expected=None)

    def next(self) -> TokenSet:
        """Return the next tokens: `access-1`, `access-2`, …"""
        name = f"access-{self.renewals}"
        return tokens(access_token=name, issued_at=self.now, expires_at=self.now + 300)

    def renew(self, ours: Connection, old: TokenSet | None, run: Run) -> TokenSet:
        """Play the token endpoint."""
        with self._lock:
            self.renewals += 1
        assert ours == connection()
        return self.behaviour(old, run)

    def provider(self, early: float = 1.0) -> ManagedTokens:
        """Return a worker's provider; `early` stands for the random part of its margin."""
        return ManagedTokens(
            "default",
            self.store,
            self.renew,
            clock=lambda: self.now,
            uniform=lambda least, most: least + (most - least) * early,
        )

    def stored(self) -> Stored:
        """Return what is in the store."""
        found = self.store.load("default")
        assert found is not None
        return found

    def write(self, **changes: object) -> None:
        """Change the record as another worker would."""
        stored = self.stored()
        self.store.save(stored.record.model_copy(update=changes), expected=stored.version)

    def access(self) -> str:
        """Return the access token in the store."""
        found = self.stored().record.tokens
        assert found is not None
        return found.access_token.get_secret_value()


@pytest.mark.parametrize(
    ("early", "seconds", "refreshed"),
    [(1.0, 269.9, 0), (1.0, 270, 1), (0.0, 284.9, 0), (0.0, 285, 1), (1.0, 301, 1)],
)
def test_a_token_is_renewed_a_tenth_of_its_life_early_at_most(
    early: float, seconds: float, refreshed: int
) -> None:
    world = World()
    provider = world.provider(early)
    assert provider.access_token(Run(10)) == ACCESS
    world.now = NOW + seconds
    assert provider.access_token(Run(10)) == (f"access-{refreshed}" if refreshed else ACCESS)
    assert world.renewals == refreshed


def test_a_long_lived_token_is_renewed_at_most_a_minute_early() -> None:
    world = World(tokens(expires_at=NOW + 36_000))
    provider = world.provider()
    world.now = NOW + 36_000 - 61
    assert provider.access_token(Run(10)) == ACCESS
    world.now += 1
    assert provider.access_token(Run(10)) == "access-1"


def test_a_token_without_an_end_is_used_until_it_is_refused() -> None:
    world = World(tokens(expires_at=None))
    provider = world.provider()
    world.now += 10_000_000
    assert provider.access_token(Run(10)) == ACCESS
    assert provider.access_token(Run(10), rejected=ACCESS) == "access-1"


def test_new_tokens_are_stored_and_the_old_ones_handed_to_the_refresh() -> None:
    world = World()
    seen: list[TokenSet | None] = []

    def noted(old: TokenSet | None, run: Run) -> TokenSet:
        seen.append(old)
        return world.next()

    world.behaviour = noted
    before = world.stored()
    run = Run(10)
    assert world.provider().access_token(run, rejected=ACCESS) == "access-1"
    assert seen == [before.record.tokens]
    assert world.access() == "access-1"
    assert world.stored().version > before.version
    assert world.stored().record.status == "active"


def test_a_refused_token_that_somebody_else_replaced_costs_no_refresh() -> None:
    world = World()
    provider = world.provider()
    assert provider.access_token(Run(10)) == ACCESS
    world.write(tokens=tokens(access_token="of-another-worker"))
    assert provider.access_token(Run(10), rejected=ACCESS) == "of-another-worker"
    assert world.renewals == 0


def test_a_token_once_known_is_not_looked_up_again() -> None:
    world = World()
    provider = world.provider()
    provider.access_token(Run(10))
    world.write(tokens=tokens(access_token="newer"))
    assert provider.access_token(Run(10)) == ACCESS


def test_fifty_threads_make_one_refresh() -> None:
    world = World()
    provider = world.provider()
    together = Barrier(50)

    def ask(_: int) -> str:
        together.wait(30)
        return provider.access_token(Run(30), rejected=ACCESS)

    with ThreadPoolExecutor(50) as threads:
        got = set(threads.map(ask, range(50)))
    assert got == {"access-1"}
    assert world.renewals == 1


def test_many_workers_with_one_store_make_one_refresh() -> None:
    world = World()
    workers = [world.provider() for _ in range(8)]
    together = Barrier(32)

    def ask(number: int) -> str:
        together.wait(30)
        return workers[number % 8].access_token(Run(30), rejected=ACCESS)

    with ThreadPoolExecutor(32) as threads:
        got = set(threads.map(ask, range(32)))
    assert got == {"access-1"}
    assert world.renewals == 1


def test_a_refresh_under_way_is_waited_for_no_longer_than_the_caller_has() -> None:
    world = World()
    inside, leave = Event(), Event()

    def slow(old: TokenSet | None, run: Run) -> TokenSet:
        inside.set()
        leave.wait(30)
        return world.next()

    world.behaviour = slow
    provider, other = world.provider(), world.provider()
    thread = Thread(target=lambda: provider.access_token(Run(30), rejected=ACCESS))
    thread.start()
    assert inside.wait(30)
    try:
        # A thread of the same worker, and another worker with the same store.
        for late in (provider, other):
            with pytest.raises(errors.RefreshBusy) as caught:
                late.access_token(Run(0.05), rejected=ACCESS)
            assert caught.value.retryable
    finally:
        leave.set()
        thread.join(30)
    assert world.renewals == 1
    assert other.access_token(Run(10), rejected=ACCESS) == "access-1"


def test_a_caller_who_cancels_waits_for_no_refresh() -> None:
    world = World()
    inside, leave, cancel = Event(), Event(), Event()

    def slow(old: TokenSet | None, run: Run) -> TokenSet:
        inside.set()
        leave.wait(30)
        return world.next()

    world.behaviour = slow
    provider = world.provider()
    thread = Thread(target=lambda: provider.access_token(Run(30), rejected=ACCESS))
    thread.start()
    assert inside.wait(30)
    cancel.set()
    try:
        with pytest.raises(errors.Cancelled):
            provider.access_token(Run(30, cancel=cancel), rejected=ACCESS)
    finally:
        leave.set()
        thread.join(30)


def test_a_lease_not_had_is_no_matter_where_its_holder_has_just_finished(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    provider, holder = world.provider(), world.provider()

    @contextmanager
    def late(connection_id: str, *, ttl: float, wait: float) -> Iterator[None]:
        monkeypatch.setattr(world.store, "lease", held)
        holder.access_token(Run(30), rejected=ACCESS)
        raise errors.RefreshBusy("held by another worker")
        yield

    held = world.store.lease
    monkeypatch.setattr(world.store, "lease", late)

    assert provider.access_token(Run(30), rejected=ACCESS) == "access-1"
    assert world.renewals == 1


def test_a_short_deadline_does_not_cut_a_refresh_off() -> None:
    world = World()
    left: list[float] = []

    def noted(old: TokenSet | None, run: Run) -> TokenSet:
        left.append(run.remaining())
        return world.next()

    world.behaviour = noted
    world.provider().access_token(Run(1), rejected=ACCESS)
    assert left[0] > 1


def test_what_the_refresh_cost_is_in_the_caller_s_trace() -> None:
    world = World()

    def counted(old: TokenSet | None, run: Run) -> TokenSet:
        run.trace.refreshes += 1
        return world.next()

    world.behaviour = counted
    run = Run(10)
    world.provider().access_token(run, rejected=ACCESS)
    assert run.trace.refreshes == 1


def dead(old: TokenSet | None, run: Run) -> TokenSet:
    raise errors.ReauthRequired("The grant is no longer good.")


def test_a_dead_grant_marks_the_record_and_keeps_it() -> None:
    world = World()
    world.behaviour = dead
    provider = world.provider()
    with pytest.raises(errors.ReauthRequired) as caught:
        provider.access_token(Run(10), rejected=ACCESS)
    record = world.stored().record
    assert record.status == "reauth_required"
    assert record.status_reason == "The grant is no longer good."
    assert record.tokens == tokens()
    assert not [s for s in (SECRET, ACCESS, REFRESH) if s in everything_said(caught.value)]
    # And nobody asks the server again until a person has connected anew.
    for late in (provider, world.provider()):
        with pytest.raises(errors.ReauthRequired, match="no longer good"):
            late.access_token(Run(10), rejected=ACCESS)
    assert world.renewals == 1
    world.write(status="active", status_reason=None, tokens=tokens(access_token="anew"))
    assert provider.access_token(Run(10), rejected=ACCESS) == "anew"


def test_a_dead_grant_that_somebody_renewed_meanwhile_is_not_dead() -> None:
    world = World()

    def beaten(old: TokenSet | None, run: Run) -> TokenSet:
        world.write(tokens=tokens(access_token="of-the-winner"))
        return dead(old, run)

    world.behaviour = beaten
    assert world.provider().access_token(Run(10), rejected=ACCESS) == "of-the-winner"
    assert world.stored().record.status == "active"


def test_a_race_that_is_lost_keeps_the_winner_s_tokens() -> None:
    world = World()

    def beaten(old: TokenSet | None, run: Run) -> TokenSet:
        world.write(tokens=tokens(access_token="of-the-winner"))
        return world.next()

    world.behaviour = beaten
    assert world.provider().access_token(Run(10), rejected=ACCESS) == "of-the-winner"
    assert world.access() == "of-the-winner"


@pytest.mark.parametrize(
    "passing",
    [errors.UpstreamUnavailable("x"), errors.Timeout("x"), errors.RateLimited("x", retry_after=9)],
)
def test_a_passing_failure_leaves_the_grant_alone(passing: errors.ConnectorError) -> None:
    world = World()

    def fails(old: TokenSet | None, run: Run) -> TokenSet:
        raise passing

    world.behaviour = fails
    provider = world.provider()
    with pytest.raises(type(passing)):
        provider.access_token(Run(10), rejected=ACCESS)
    assert world.stored().record.status == "active"
    assert world.access() == ACCESS
    world.behaviour = lambda old, run: world.next()
    assert provider.access_token(Run(10), rejected=ACCESS) == "access-2"


def test_a_connection_that_is_not_there_or_was_revoked_needs_a_person() -> None:
    world = World()
    world.write(status="revoked", status_reason="The connection was disconnected.")
    with pytest.raises(errors.ReauthRequired, match="disconnected"):
        world.provider().access_token(Run(10))
    world.store.delete("default")
    with pytest.raises(errors.ReauthRequired, match="connect first"):
        world.provider().access_token(Run(10))
    assert world.renewals == 0


def test_a_connection_without_tokens_gets_its_first() -> None:
    world = World()
    world.write(tokens=None)
    assert world.provider().access_token(Run(10)) == "access-1"


# A host's own tokens ---------------------------------------------------------------------------


def test_a_host_s_token_is_asked_for_each_time() -> None:
    given = iter(["first", "second"])
    provider = HostTokens(lambda: next(given))
    assert provider.access_token(Run(10)) == "first"
    assert provider.access_token(Run(10), rejected="first") == "second"


def test_a_host_that_still_gives_the_refused_token_must_refresh_it() -> None:
    with pytest.raises(errors.AuthExpired, match="refresh it") as caught:
        HostTokens(lambda: ACCESS).access_token(Run(10), rejected=ACCESS)
    assert ACCESS not in everything_said(caught.value)
    assert caught.value.remedy == "refresh"


def test_neither_provider_shows_a_token() -> None:
    world = World()
    provider = world.provider()
    provider.access_token(Run(10))
    shown = repr(provider) + repr(HostTokens(lambda: ACCESS)) + repr(world.stored())
    assert not [secret for secret in (SECRET, ACCESS, REFRESH) if secret in shown]
