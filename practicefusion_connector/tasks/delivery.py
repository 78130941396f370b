"""How tasks are declared, and when Celery is asked to deliver one again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from celery import Celery, Task
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from practicefusion_connector.errors import ConnectorError
from practicefusion_connector.sync.state.state import SyncBusy
from practicefusion_connector.sync.turns import TooEarly

_LONGEST_BACKOFF = 300.0


def declared(app: Celery, name: str, **options: Any) -> Callable[[Any], Any]:
    """Return a decorator that makes a function a task; it is given the task itself first."""
    # Not shared: a process may have two applications, each with a host of its own.
    chosen = {"max_retries": None, "shared": False, **options}
    made: Callable[[Any], Any] = app.task(bind=True, name=f"practicefusion.{name}", **chosen)
    return made


@contextmanager
def retried(task: Task) -> Iterator[None]:
    """Let Celery deliver a task again where that helps, when the error says."""
    problem: Exception
    try:
        yield
        return
    except TooEarly as error:
        problem, wait = error, error.seconds
    except (ConnectorError, OperationalError, RedisError) as error:
        after = wait_after(task, error)
        if after is None:
            raise
        problem, wait = error, after
    raise task.retry(exc=problem, countdown=bounded(task.app, wait))


def wait_after(task: Task, error: Exception) -> float | None:
    """Return the seconds after which a task that failed is tried again; `None`: it is not."""
    retries: int = task.request.retries
    own = min(2.0 ** min(retries, 10), _LONGEST_BACKOFF)
    # The state's database or Redis may be away for a moment; another's step soon ends.
    if isinstance(error, SyncBusy) or not isinstance(error, ConnectorError):
        return own
    return max(error.retry_after or 0.0, own) if error.retryable else None


def bounded(app: Celery, wait: float) -> float:
    """Return a countdown of at most `wait` seconds, during which Redis delivers no task twice."""
    # A countdown is spent in a worker, unacknowledged; kombu's own timeout is an hour.
    timeout = app.conf.broker_transport_options.get("visibility_timeout", 3600)
    return min(wait, float(timeout) / 2)


def redelivered(task: Task) -> bool:
    """Say whether the task was delivered before and not acknowledged: its worker may have died."""
    return bool((task.request.delivery_info or {}).get("redelivered"))
