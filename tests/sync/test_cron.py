"""Cron's fields: what they mean, and that a served sync and Celery's beat keep the same times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from celery import Celery
from hypothesis import given, settings
from hypothesis import strategies as st

from practicefusion_connector.errors import InvalidConfig
from practicefusion_connector.sync.config import ScheduleSettings, read_settings
from practicefusion_connector.sync.cron import Cron, read_cron
from practicefusion_connector.sync.service import _trigger
from practicefusion_connector.tasks.schedule import kept_by_beat

BEGIN = datetime(2026, 1, 1, 12, 7, tzinfo=UTC)
SUN, MON, TUE, WED, THU, FRI, SAT = range(7)


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("0", {SUN}),
        ("7", {SUN}),
        ("SUN", {SUN}),
        ("1-5", {MON, TUE, WED, THU, FRI}),
        ("Mon-Fri", {MON, TUE, WED, THU, FRI}),
        ("mon-5", {MON, TUE, WED, THU, FRI}),
        ("5-7", {FRI, SAT, SUN}),
        ("7-1", {SUN, MON}),
        ("7-7", {SUN}),
        ("fri-mon", {FRI, SAT, SUN, MON}),
        ("sat-sun", {SAT, SUN}),
        ("sun-thu", {SUN, MON, TUE, WED, THU}),
        ("sun,1", {SUN, MON}),
        ("0,6,mon-tue", {SUN, SAT, MON, TUE}),
        ("*/2", {SUN, TUE, THU, SAT}),
        ("1-7/3", {MON, THU, SUN}),
        ("fri-mon/2", {FRI, SUN}),
        ("0-7", set(range(7))),
        ("*", set(range(7))),
    ],
)
def test_days_of_the_week_by_number_by_name_and_in_ranges(field: str, days: set[int]) -> None:
    said = read_cron(f"0 3 * * {field}").weekday
    assert (set(range(7)) if said == "*" else set(map(int, said.split(",")))) == days


def test_every_field_is_numbers_in_the_end() -> None:
    read = read_cron(" */20  22-2/2 1-3,31 JAN,nov-dec */2 ")
    assert read == Cron("0,20,40", "0,2,22", "1,2,3,31", "1,11,12", "0,2,4,6")
    assert read.weekday_names == "sun,tue,thu,sat"
    assert read_cron("* * 1-31 * *") == Cron("*", "*", "*", "*", "*")


@pytest.mark.parametrize(
    ("cron", "told"),
    [
        ("", "five fields"),
        ("every day", "five fields"),
        ("@daily", "five fields"),
        ("0 3 * * * *", "five fields"),
        ("60 3 * * *", "minute must be numbers from 0 to 59"),
        ("0 24 * * *", "hour must be"),
        ("0 mon * * *", "hour must be"),
        ("0 3 0 * *", "day of the month must be numbers from 1 to 31"),
        ("0 3 last * *", "day of the month must be"),
        ("0 3 * 13 *", "month must be numbers from 1 to 12 or jan to dec"),
        ("0 3 * mon *", "month must be"),
        ("0 3 * * 8", "day of the week must be numbers from 0 to 7 or sun to sat"),
        ("0 3 * * monday", "day of the week must be"),
        ("0 3 * * 6#1", "day of the week must be"),
        ("0 3 * * 1,", "day of the week must be"),
        ("0 3 * * 1-2-3", "day of the week must be"),
        ("0 3 * * -1", "day of the week must be"),
        ("*/0 3 * * *", "minute must be"),
        ("5/10 3 * * *", "minute must be"),
        ("0 3 31 feb,apr *", "its month has no such day"),
    ],
)
def test_what_cron_does_not_know_is_refused_and_named(cron: str, told: str) -> None:
    with pytest.raises(InvalidConfig, match=rf"schedule\.cron: .*{told}"):
        read_settings(None, {}, {"schedule": {"cron": cron or " "}})


def served(cron: str) -> Iterator[datetime]:
    """Yield when `sync serve` runs."""
    trigger = _trigger(ScheduleSettings(cron=cron))
    trigger.timezone, moment = UTC, BEGIN
    while True:
        moment = trigger.get_next_fire_time(None, moment + timedelta(seconds=1))
        yield moment.astimezone(UTC)


def beaten(cron: str) -> Iterator[datetime]:
    """Yield when Celery's beat sends the task that starts the syncs."""
    app = Celery("test", set_as_current=False)
    app.conf.update({**kept_by_beat(app, ScheduleSettings(cron=cron)), "timezone": "UTC"})
    (entry,) = app.conf.beat_schedule.values()
    schedule = entry["schedule"]
    schedule.app, moment = app, BEGIN
    schedule.nowfun = lambda: moment
    while True:
        moment += schedule.remaining_estimate(moment)
        yield moment.astimezone(UTC)


EXPRESSIONS = (
    "0 3 * * *",
    "*/15 8-18 * * mon-fri",
    "30 1,13 * * sun,1",
    "0 3 * * fri-mon",
    "0 3 * * 5-7",
    "0 3 * * mon-5",
    "0 3 1,15 * *",
    "0 3 1-7 * 1",
    "0 22-2/2 * jan-dec/2 *",
    "0 0 29 2 *",
    "59 23 31 * */2",
)


@pytest.mark.parametrize("cron", EXPRESSIONS)
def test_a_served_sync_and_beat_keep_the_same_times(cron: str) -> None:
    assert list(islice(served(cron), 12)) == list(islice(beaten(cron), 12))


def parts(low: int, high: int) -> st.SearchStrategy[str]:
    numbers = st.integers(low, high).map(str)
    ranges = st.builds("{}-{}".format, numbers, numbers)
    stepped = st.builds("{}/{}".format, st.one_of(st.just("*"), ranges), st.integers(1, 9))
    one = st.one_of(st.just("*"), numbers, ranges, stepped)
    return st.lists(one, min_size=1, max_size=3).map(",".join)


@settings(max_examples=60, deadline=None)
@given(st.tuples(parts(0, 59), parts(0, 23), parts(1, 28), parts(1, 12), parts(0, 7)))
def test_whatever_the_fields_they_agree(fields: tuple[str, ...]) -> None:
    cron = " ".join(fields)
    assert list(islice(served(cron), 4)) == list(islice(beaten(cron), 4))


def test_a_day_of_the_month_and_one_of_the_week_must_both_be_met() -> None:
    """Unlike in Unix's cron, where either is enough."""
    for moments in (served("0 3 13 * fri"), beaten("0 3 13 * fri")):
        assert {(each.day, each.weekday()) for each in islice(moments, 5)} == {(13, 4)}
