"""Run history: one record for each run whatever its outcome, in every sink, with nothing of PHI."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from practicefusion_connector import PracticeFusion, errors
from practicefusion_connector.history import (
    History,
    JsonLinesSink,
    MemorySink,
    RunRecord,
    SqlSink,
    open_history,
)
from practicefusion_connector.history.summary import bars, over_time, totals
from practicefusion_connector.sandbox import FaultProfile
from tests.robustness.practice import faulty, one, without_sleeping

RECORD = RunRecord(
    at=1_700_000_000.5,
    action="search_patients",
    connection_id="default",
    practice="https://practice.example/fhir",
    code="rate_limited",
    http_status=429,
    duration_ms=12.5,
    attempts=3,
    waits=[(1.5, "rate_limited"), (0.2, "pacing")],
    correlation_ids=["c-1"],
)


def record(number: int) -> RunRecord:
    return RunRecord(1_700_000_000.0 + number, f"action_{number}", "default", "https://x.example")


def test_each_run_leaves_one_record_whatever_its_outcome() -> None:
    sink, cancel = MemorySink(), threading.Event()
    cancel.set()
    with faulty(history=History(sink)) as (pf, sandbox, _):
        patient = next(iter(sandbox.resources["Patient"]))
        pf.run("get_patient", {"id": patient})
        pf.run("search_observations", {"patient": patient, "_count": 2, "max_items": 5})
        for key, inputs, options, kind in (
            ("get_patient", {"id": "does-not-exist"}, {}, errors.NotFound),
            ("get_patient", {"id": patient}, {"cancel": cancel}, errors.Cancelled),
            ("get_patient", {"id": patient}, {"deadline": 0}, errors.DeadlineExceeded),
            ("get_patient", {"nonsense": 1}, {}, errors.InvalidInput),
        ):
            with pytest.raises(kind):
                pf.run(key, inputs, **options)
        first, paged, missing, *others = sink.read()
        assert (first.action, first.code, first.results) == ("get_patient", "ok", 1)
        assert (first.practice, first.connection_id) == (sandbox.fhir_base_url, "default")
        assert (first.attempts, first.refreshes, first.pages) == (3, 1, 0)
        assert first.duration_ms > 0
        assert (paged.results, paged.pages, paged.code) == (5, 3, "ok")
        assert (missing.code, missing.http_status) == ("not_found", 404)
        assert missing.correlation_ids
        assert [r.code for r in others] == ["cancelled", "deadline_exceeded", "invalid_input"]
        assert [r.attempts for r in others] == [0, 0, 0]


def test_each_page_that_is_asked_for_is_a_run_and_so_is_a_failing_one() -> None:
    sink = MemorySink()
    with faulty(history=History(sink)) as (pf, sandbox, _):
        inputs = {"patient": next(iter(sandbox.resources["Patient"])), "_count": 2}
        pages = pf.pages("search_observations", inputs)
        assert [len(next(pages)) for _ in range(3)] == [2, 2, 2]
        pages.close()  # type: ignore[attr-defined]
        assert [(r.results, r.pages, r.code) for r in sink.read()] == [(2, 1, "ok")] * 3
        with pytest.raises(errors.InvalidInput):
            pf.pages("search_observations", {"nonsense": 1})
        assert [r.code for r in sink.read()][3:] == ["invalid_input"]
        sandbox.stop()
        with pytest.raises(errors.NetworkFailure):
            next(pf.pages("search_observations", inputs, deadline=5))
        assert sink.read()[-1].code == "network"


def test_waits_warnings_and_defects_are_in_the_record() -> None:
    sink = MemorySink()
    profile = one("429-seconds", retry_after=30)
    with without_sleeping(), faulty(profile, history=History(sink)) as (pf, sandbox, _):
        patient = next(iter(sandbox.resources["Patient"]))
        pf.run("search_patients", {"gender": "female"})
        assert [why for _, why in sink.read()[-1].waits] == ["rate_limited"]
        assert sink.read()[-1].waited >= 30
        pf._fhir.read = _defect  # type: ignore[assignment,method-assign]
        with pytest.raises(ZeroDivisionError):
            pf.run("get_patient", {"id": patient})
        assert sink.read()[-1].code == "internal"
    with faulty(one("wrong-total"), history=History(sink)) as (pf, _, _):
        pf.run("search_patients", {"gender": "female"})
        assert "total_mismatch" in sink.read()[-1].warnings


def _defect(*_: Any) -> Any:
    return 1 // 0


def test_a_record_holds_no_phi_and_ids_only_as_keyed_hashes_on_request() -> None:
    plain, keyed, otherwise = MemorySink(), MemorySink(), MemorySink()
    with faulty(history=History(plain)) as (pf, sandbox, _):
        patient = next(iter(sandbox.resources["Patient"].values()))
        calls: list[tuple[str, dict[str, Any]]] = [
            ("get_patient", {"id": patient["id"]}),
            ("search_observations", {"patient": f"Patient/{patient['id']}"}),
            ("search_patients", {"birthdate": patient["birthDate"]}),
        ]
        for sink, key in ((plain, None), (keyed, "k1"), (otherwise, "k2")):
            pf._history = History(sink, key=SecretStr(key) if key else None)
            for call in calls:
                pf.run(*call)
        values = json.dumps([r.to_dict() for s in (plain, keyed, otherwise) for r in s.read()])
    for told in (patient["id"], patient["birthDate"], patient["identifier"][0]["value"]):
        assert told not in values
    assert [r.subject for r in plain.read()] == [None] * 3
    read, searched, nobody = (r.subject for r in keyed.read())
    assert read == searched
    assert read
    assert nobody is None
    assert otherwise.read()[0].subject not in (None, read)


def test_a_failing_sink_fails_no_action_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        def write(self, record: RunRecord) -> None:
            raise OSError("disk full at postgresql://user:password@host")

    after = MemorySink()
    with faulty(history=History(Failing(), after)) as (pf, sandbox, _):
        patient = next(iter(sandbox.resources["Patient"]))
        for _ in range(3):
            assert len(pf.run("get_patient", {"id": patient})) == 1
    assert len(after.read()) == 3
    said = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert said == ["Run history cannot be written: Failing raised OSError. This is said once."]


def test_a_run_is_one_structured_log_line_that_nobody_sees_unless_they_listen(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with faulty() as (pf, sandbox, _):
        patient = next(iter(sandbox.resources["Patient"]))
        pf.run("get_patient", {"id": patient})
        assert not caplog.records
        with caplog.at_level(logging.INFO, "practicefusion_connector.runs"):
            pf.run("get_patient", {"id": patient})
    line = caplog.records[0]
    assert line.message.startswith("get_patient ok, ")
    assert vars(line)["run"]["results"] == 1
    assert patient not in line.message + str(vars(line)["run"])
    assert capfd.readouterr().err == ""


def test_the_memory_ring_forgets_the_oldest() -> None:
    sink = MemorySink(limit=3)
    for number in range(5):
        sink.write(record(number))
    assert [r.action for r in sink.read()] == ["action_2", "action_3", "action_4"]
    assert [r.action for r in sink.read(2)] == ["action_3", "action_4"]
    assert sink.read(0) == []


def test_json_lines_come_back_as_they_were_and_only_for_this_user(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "runs.jsonl"
    sink = JsonLinesSink(path)
    assert sink.read() == []
    sink.write(RECORD)
    sink.write(record(1))
    assert sink.read() == [RECORD, record(1)]
    assert sink.read(1) == [record(1)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_json_lines_are_put_aside_by_size_and_the_oldest_are_dropped(tmp_path: Path) -> None:
    sink = JsonLinesSink(tmp_path / "runs.jsonl", max_bytes=1000, keep=2)
    for number in range(30):
        sink.write(record(number))
    files = sorted(path.name for path in tmp_path.iterdir())
    assert len(files) <= 3
    kept = [int(r.action.removeprefix("action_")) for r in sink.read()]
    assert kept == list(range(kept[0], 30))
    assert 5 < len(kept) < 30
    assert [r.action for r in sink.read(4)] == [f"action_{n}" for n in range(26, 30)]


def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    sink = JsonLinesSink(path)
    sink.write(RECORD)
    path.write_bytes(path.read_bytes() + b'{"at": 1\n[]\n{"at": 2}\n\xff\n' + path.read_bytes())
    assert sink.read() == [RECORD, RECORD]


def _write_many(path: Path, worker: int) -> None:
    sink = JsonLinesSink(path, max_bytes=20_000, keep=100)
    for number in range(200):
        sink.write(record(1000 * worker + number))


def test_processes_that_write_one_file_lose_and_mix_nothing(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write_many, args=(path, n)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    written = {f"action_{1000 * worker + n}" for worker in range(2) for n in range(200)}
    found = [r.action for r in JsonLinesSink(path).read()]
    assert len(found) == 400
    assert set(found) == written


def _check_rows(address: str) -> None:
    sink = SqlSink(address, table=f"runs_{os.getpid()}", keep_days=None)
    sink.write(RECORD)
    sink.write(record(1))
    assert sink.read() == [RECORD, record(1)]
    assert sink.read(1) == [record(1)]
    again = SqlSink(address, table=f"runs_{os.getpid()}", keep_days=None)
    assert again.read() == [RECORD, record(1)]
    for opened in (sink, again):
        opened.close()


def test_rows_in_sqlite(tmp_path: Path) -> None:
    _check_rows(f"sqlite:///{tmp_path}/history.db")


def test_rows_in_postgresql(postgresql_url: str) -> None:
    _check_rows(postgresql_url)


def test_rows_are_kept_as_long_as_asked(tmp_path: Path) -> None:
    now = 1_700_000_000.0 + 10 * 86_400
    address = f"sqlite:///{tmp_path}/history.db"
    SqlSink(address, keep_days=None).write(record(0))
    sink = SqlSink(address, keep_days=5, clock=lambda: now)
    sink.write(RunRecord(now, "action_new", "default", "https://x.example"))
    assert [r.action for r in sink.read()] == ["action_new"]
    sink.close()


def test_a_history_is_opened_by_its_name(tmp_path: Path) -> None:
    assert isinstance(open_history(str(tmp_path / "runs.jsonl")), JsonLinesSink)
    opened = open_history(f"sqlite:///{tmp_path}/history.db")
    assert isinstance(opened, SqlSink)
    assert "history.db" not in repr(opened)
    opened.close()
    for wrong in ("postgresql://user:secret@host:port/db", "postgresql://user:p@secret@host/db"):
        with pytest.raises(errors.InvalidConfig, match=r"^The history's URL cannot") as caught:
            open_history(wrong)
        assert "secret" not in str(caught.value)


def test_a_history_that_would_keep_nothing_is_refused() -> None:
    for nothing in ("sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true"):
        with pytest.raises(errors.InvalidConfig, match=r"needs a SQLite file, .* MemorySink"):
            open_history(nothing)
    with pytest.raises(errors.InvalidConfig, match="history works with sqlite and postgresql"):
        open_history("mysql://user:secret@host/db")


def test_no_action_waits_long_for_a_file_that_others_write_to(tmp_path: Path) -> None:
    sink = SqlSink(f"sqlite:///{tmp_path}/history.db")
    with sink._database.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5_000
    sink.close()


def test_what_many_runs_amount_to() -> None:
    records = [*(record(number) for number in range(10)), RECORD]
    sums = totals(records)
    assert (sums.runs, sums.failures, sums.requests) == (11, 1, 3)
    assert sums.waited == {"rate_limited": 1.5, "pacing": 0.2}
    assert sums.codes == {"ok": 10, "rate_limited": 1}
    spans = over_time(records, 3)
    assert [span.runs for span in spans] == [4, 3, 4]
    assert sum(span.failures for span in spans) == 1
    assert over_time([], 3) == []
    assert [span.runs for span in over_time([RECORD], 2)] == [1, 0]
    assert bars([0, 1, 4, 8]) == " ▁▄█"[:1] + bars([1, 4, 8])
    assert bars([]) == ""


def test_a_host_may_follow_many_connectors_with_one_history() -> None:
    sink = MemorySink()
    history = History(sink, telemetry=False)
    for _ in range(2):
        with faulty(FaultProfile(), history=history) as (pf, sandbox, _):
            assert isinstance(pf, PracticeFusion)
            pf.run("get_patient", {"id": next(iter(sandbox.resources["Patient"]))})
    assert len({r.practice for r in sink.read()}) == 2
