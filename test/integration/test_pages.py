"""A client fetches pages through the VIP, and the backends see that client."""
import random

from support import fetch, webserver
from support.lab import CLIENT


def test_a_page_comes_through_the_vip(lab, start):
    start()
    page = fetch.fetch(lab)
    assert page.status == 200
    assert fetch.backend_of(page) in [backend.name for backend in lab.backends]


def test_pages_come_to_every_source_port(lab, start):
    daemon = start()
    ports = range(20000, 20200)
    pages = fetch.fetch_all(lab, ports)
    assert [page.status for page in pages] == [200] * len(ports)
    assert daemon.settle()["totals"]["dropped"] == 0


def test_the_backend_sees_the_true_client(lab, start):
    start()
    ports = range(21000, 21050)
    pages = fetch.fetch_all(lab, ports)
    assert [fetch.fields(page)["client"] for page in pages] == [f"{CLIENT}:{port}" for port in ports]
    logged = [(entry.client, entry.port) for backend in lab.backends
              for entry in webserver.requests(lab.node_folder(backend.name)) if entry.port in ports]
    assert sorted(logged) == [(CLIENT, port) for port in ports]


def test_a_megabyte_arrives_whole(lab, start):
    start()
    want = fetch.sha256(webserver.large_file())
    pages = fetch.fetch_all(lab, range(22000, 22012), "/large.bin", threads=4)
    assert [fetch.sha256(page.body) for page in pages] == [want] * 12


def test_an_upload_in_full_segments_arrives_whole(lab, start):
    """The way to the backend, which is the one that is encapsulated."""
    start()
    body = random.Random(7).randbytes(3_000_001)
    for port in range(23000, 23006):
        assert fetch.fetch(lab, f"/upload/{port}", port, "PUT", body).status == 201
        kept = [path for backend in lab.backends
                for path in (lab.node_folder(backend.name) / "upload").glob(str(port))]
        assert [path.read_bytes() == body for path in kept] == [True]


def test_one_connection_keeps_to_one_backend(lab, start):
    daemon = start()
    session = fetch.Session(lab, 24000)
    pages = [session.request() for _ in range(50)]
    pages.append(session.request(close=True))
    fetch.close_all(lab, [session])
    assert {(page.status, page.body) for page in pages} == {(200, pages[0].body)}
    assert daemon.settle()["totals"]["flow_inserted"] == 1
