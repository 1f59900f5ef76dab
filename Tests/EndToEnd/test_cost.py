"""What a delivered frame may cost that does not vary: no allocation, and one system call for all that a connection
gets in one turn. Times are the benchmark's matter."""

import pathlib
import struct
import subprocess

import pytest
import schemas
import sockets
from event_stream import EventStream
from subscriber import event

PUBLICATIONS = 25
FEW, MANY = 100, 300
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n"


@pytest.fixture(scope="module")
def counter(tmp_path_factory):
    """The library that counts a gateway's calls."""
    library = tmp_path_factory.mktemp("count") / "count_calls.so"
    source = pathlib.Path(__file__).with_name("count_calls.c")
    subprocess.run(["gcc", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


@pytest.fixture
def counts(tmp_path):
    """Where they are counted: allocations, then sends."""
    path = tmp_path / "counts"
    path.write_bytes(bytes(16))
    return path


def subscribers(port, count, path, headers, wrap):
    if path == "event stream":
        return [EventStream(port, "?min_severity=low", wrap=wrap) for _ in range(count)]
    path = "/ws/events?min_severity=low"
    clients = [sockets.WebSocket(port, path, headers, wrap=wrap) for _ in range(count)]
    for client in clients:
        assert schemas.check_message(client.frame().payload)["type"] == "welcome"
        assert schemas.check_message(client.frame().payload)["type"] == "subscription_ack"
    return clients


def receive(client):
    if isinstance(client, EventStream):
        assert client.chunk().startswith(b"id: ")
    else:
        assert client.frame().opcode == sockets.TEXT


def calls(gateway, counts, clients, events_at_once):
    """Allocations and sends while as many events as there are publications times `events_at_once` reach all clients."""
    batch = [event("low") for _ in range(events_at_once)]

    def publish():
        gateway.post(batch)
        for client in clients:
            for _ in range(events_at_once):
                receive(client)

    publish()  # What is made once is made now.
    before = struct.unpack("QQ", counts.read_bytes())
    for _ in range(PUBLICATIONS):
        publish()
    return [after - earlier for after, earlier in zip(struct.unpack("QQ", counts.read_bytes()), before)]


@pytest.mark.parametrize("path", ["plain", "deflate", "tls", "event stream"])
@pytest.mark.parametrize("events_at_once", [1, 8])
def test_one_subscriber_more_costs_one_send_a_turn_and_no_allocation(
        start, certificate, counter, counts, path, events_at_once):
    # Nothing is sent but events.
    quiet = {"FIML_HEARTBEAT_SECONDS": "3600", "FIML_WS_PING_SECONDS": "3600"}
    settings = {**quiet, "LD_PRELOAD": str(counter), "COUNT_CALLS": str(counts)}
    gateway = start(settings, tls=certificate if path == "tls" else None)
    headers = DEFLATE if path == "deflate" else ""
    port, wrap = gateway.port, None
    if path == "tls":
        context = certificate.client_context()
        port, wrap = gateway.tls_port, lambda plain: context.wrap_socket(plain, server_hostname="localhost")
    clients = subscribers(port, FEW, path, headers, wrap)
    few = calls(gateway, counts, clients, events_at_once)
    clients += subscribers(port, MANY - FEW, path, headers, wrap)
    many = calls(gateway, counts, clients, events_at_once)
    for client in clients:
        client.close()

    turns = (MANY - FEW) * PUBLICATIONS
    allocations, sends = ((more - less) / turns for more, less in zip(many, few))
    # The little that there is belongs to the publications, whose number is the same, and to the clock.
    assert allocations < 0.05
    assert 0.99 < sends < 1.01
