"""The report's page, opened by a real browser: it stands alone and draws its charts."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from practicefusion_connector.sync import SyncReport
from practicefusion_connector.sync.reports.html import page

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def report() -> SyncReport:
    return SyncReport(
        sync="<clinic> into tables",
        run=7,
        started="2026-07-01T03:00:00Z",
        finished="2026-07-01T03:10:00Z",
        status="incomplete",
        target="duckdb",
        mode="export",
        types={"Patient": {"read": 30, "created": 20, "failed": 10}, "Goal": {"unchanged": 3}},
        seconds={"exporting": 4.0, "applying Patient": 2.0},
        quarantine={"Patient": {"unparsable": 10}},
    )


def test_the_page_loads_nothing_and_repeats_nothing_unescaped() -> None:
    text = page(report())
    assert "&lt;clinic&gt;" in text
    assert "<clinic>" not in text
    assert "<script" not in text
    assert "src=" not in text
    for word in ("created", "unparsable", "exporting", "15"):
        assert word in text
    assert SyncReport.from_dict(report().to_dict()) == report()


def test_a_run_without_anything_has_no_empty_charts() -> None:
    assert page(report()).count("<svg") == 3
    quiet = page(SyncReport(sync="clinic", run=8, started="2026-07-02T03:00:00Z"))
    assert "<svg" not in quiet
    assert quiet.count("Nothing.") == 3


@pytest.fixture
def served() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    body = page(report()).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            found = self.path == "/report.html"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body if found else b"")

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/report.html", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_browser_shows_it(served: tuple[str, list[str]]) -> None:
    webdriver = pytest.importorskip("selenium.webdriver", reason="service missing: selenium")
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("service missing: chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in FLAGS:
        options.add_argument(flag)
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        url, asked = served
        opened.get(url)
        charts = opened.find_elements("css selector", "svg")
        assert len(charts) == 3
        assert all(chart.size["width"] > 300 and chart.size["height"] > 50 for chart in charts)
        assert "Patient" in charts[0].text
        assert "Run 7: incomplete" in opened.find_element("css selector", "body").text
        assert not [entry for entry in opened.get_log("browser") if "favicon" not in str(entry)]
    finally:
        opened.quit()
    assert {path for path in asked if "favicon" not in path} == {"/report.html"}
