"""What an action costs over the bare minimum: CPU of reads and of paging, as ratios in one run.

The floor is the standard library's `http.client` on a kept connection with `json.loads`. Both sides
talk to the same little server in another process, in turns, and the least of the rounds counts.

    python -m benchmarks.hot_path [--reads N] [--rounds N] [--json]
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import socketserver
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from multiprocessing.connection import Connection as Pipe

from practicefusion_connector import Connection, HostTokens, PracticeFusion

PAGES, PAGE_SIZE = 10, 100
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"family": "Example", "given": ["Ada", "Bea"]}],
    "telecom": [{"system": "phone", "value": "(716) 555-0142"}],
    "birthDate": "1970-01-01",
}
OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "category": [{"coding": [{"system": "urn:example", "code": "vital-signs"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9", "display": "BP"}]},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2026-01-01T09:30:00Z",
    "component": [{"code": {"text": "x"}, "valueQuantity": {"value": n}} for n in (120, 80)],
}


def page(base: str, number: int) -> bytes:
    """Return one page of a search as the server would send it."""
    query = f"{base}/Observation?patient=p1&page="
    links = [{"relation": "self", "url": f"{query}{number}"}]
    if number < PAGES:
        links.append({"relation": "next", "url": f"{query}{number + 1}"})
    entries = [{"resource": {**OBSERVATION, "id": f"o{number}-{n}"}} for n in range(PAGE_SIZE)]
    bundle = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
    return json.dumps(bundle).encode()


def serve(pipe: Pipe) -> None:
    """Serve prepared bodies until the process is stopped."""
    bodies: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.removeprefix("/fhir/")
            body = bodies[path.partition("page=")[2] or path.partition("?")[0]]
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: "
                + str(len(body)).encode()
                + b"\r\n\r\n"
                + body
            )

        def log_message(self, *_: object) -> None:
            return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        base = f"http://127.0.0.1:{server.server_address[1]}/fhir"
        bodies["Patient/p1"] = json.dumps(PATIENT).encode()
        bodies |= {str(number): page(base, number) for number in range(1, PAGES + 1)}
        bodies["Observation"] = bodies["1"]
        pipe.send(base)
        server.serve_forever()


def cpu_ms(work: Callable[[], object]) -> float:
    """Return the CPU milliseconds `work` takes in this process."""
    before = time.process_time()
    work()
    return (time.process_time() - before) * 1000


def measure(base: str, reads: int, rounds: int) -> dict[str, float]:
    """Return CPU milliseconds of connector and floor, and their ratios."""
    host = base.split("/")[2]
    bare = http.client.HTTPConnection(host)

    def fetch(path: str) -> dict[str, object]:
        bare.request("GET", path, headers={"Authorization": "Bearer x"})
        body: dict[str, object] = json.loads(bare.getresponse().read())
        return body

    def floor_read() -> None:
        for _ in range(reads):
            fetch("/fhir/Patient/p1")

    def floor_pages() -> None:
        for number in range(1, PAGES + 1):
            fetch(f"/fhir/Observation?patient=p1&page={number}")

    connection = Connection.of(fhir_base_url=base, client_id="benchmark")
    with PracticeFusion(connection, HostTokens(lambda: "x")) as pf:

        def run_read() -> None:
            for _ in range(reads):
                pf.run("get_patient", {"id": "p1"})

        def run_pages() -> None:
            found = pf.run("search_observations", {"patient": "p1", "max_items": PAGES * PAGE_SIZE})
            assert len(found) == PAGES * PAGE_SIZE

        works = {
            "floor_read": floor_read,
            "read": run_read,
            "floor_pages": floor_pages,
            "pages": run_pages,
        }
        for work in works.values():
            work()
        least = {name: min(cpu_ms(work) for _ in range(rounds)) for name, work in works.items()}
    bare.close()
    return {
        "read_ms": round(least["read"] / reads, 3),
        "floor_read_ms": round(least["floor_read"] / reads, 3),
        "read_ratio": round(least["read"] / least["floor_read"], 2),
        "pages_ms": round(least["pages"], 1),
        "floor_pages_ms": round(least["floor_pages"], 1),
        "pages_ratio": round(least["pages"] / least["floor_pages"], 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        figures = measure(ours.recv(), given.reads, given.rounds)
    finally:
        server.terminate()
        server.join()
    if given.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
