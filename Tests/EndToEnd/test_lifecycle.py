"""From start to end: what stops a start, how many are let in, and how a shutdown treats those who are connected."""

import resource
import signal
import socket
import time

import pytest
from gateway import eventually, run_to_end
from sockets import Peer
from subscriber import event
from websockets.exceptions import ConnectionClosed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_shutdown_tells_everybody_when_to_come_back_and_from_where(start, connect, number):
    gateway = start({"FIML_EVENT_LOOPS": "2"})
    subscribers = [connect(gateway) for _ in range(10)]
    for subscriber in subscribers:
        subscriber.subscribe()
    position = gateway.post(event())
    gateway.signal(number)
    for subscriber in subscribers:
        subscriber.receive("event")
        message = subscriber.receive("going_away")
        assert message["position"] == position[0] and 0 <= message["reconnect_after_ms"] <= 5000
        with pytest.raises(ConnectionClosed) as closed:
            subscriber.next()
        assert closed.value.rcvd.code == 4202
    assert gateway.wait(10) == 0


def test_newcomers_during_a_shutdown_are_sent_away(start):
    gateway = start({"FIML_DRAIN_SECONDS": "3"})
    # A client that never answers the close frame keeps the drain going.
    with Peer(gateway.port) as peer:
        peer.send(b"GET /ws/events HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
        assert peer.file.readline().startswith(b"HTTP/1.1 101")
        gateway.signal(signal.SIGTERM)
        eventually(lambda: "draining" in gateway.log, "the drain begins")
        answer = gateway.get("/readyz")
        assert answer.status == 503 and answer.headers["Retry-After"]
        begin = time.monotonic()
        gateway.signal(signal.SIGTERM)
        assert gateway.wait(5) == 0, "a second signal cuts those who are left"
        assert time.monotonic() - begin < 2


def test_a_port_in_use_stops_the_start_with_one_line(start, tmp_path):
    gateway = start()
    status, said = run_to_end(tmp_path, {"FIML_PORT": str(gateway.port)})
    errors = [line for line in said.splitlines() if "ERROR" in line]
    assert status == 78 and len(errors) == 1
    assert f"127.0.0.1:{gateway.port}" in errors[0] and "in use" in errors[0] and "FIML_PORT" in errors[0]


def test_every_wrong_setting_is_named_with_its_value_and_what_is_allowed(tmp_path):
    settings = {"FIML_PORT": "99999", "FIML_LOG_LEVEL": "LOUD", "REPLAY_SPEED": "fast", "MARKET_DATA_SOURCE": "live"}
    status, said = run_to_end(tmp_path, settings)
    assert status == 78
    for name, value in settings.items():
        lines = [line for line in said.splitlines() if f"{name}={value}" in line]
        assert len(lines) == 1 and "allowed" in lines[0], said


def test_the_place_after_the_last_is_answered_503_and_frees_with_the_next_that_leaves(start, connect):
    gateway = start({"FIML_MAX_CONNECTIONS": "5"})
    subscribers = [connect(gateway) for _ in range(5)]
    with Peer(gateway.port) as peer:
        head = peer.file.read(12)
        assert head == b"HTTP/1.1 503"
        assert b"Retry-After" in peer.file.read()
    subscribers.pop().close()
    eventually(lambda: gateway.get("/livez").status == 200, "a place is free again")
    for subscriber in subscribers:
        assert subscriber.request({"type": "ping", "id": 1}, "pong")


def test_at_the_descriptor_limit_everybody_connected_is_served(start, connect):
    limit = 300
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    gateway = start(prefix=["prlimit", f"--nofile={limit}:{limit}"])
    assert "FIML_MAX_CONNECTIONS" in gateway.log and f"{limit} descriptors" in gateway.log
    assert soft > 2 * limit, "this test needs descriptors of its own"
    with Peer(gateway.port) as publisher:
        # Connected before there is no place left.
        publisher.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert publisher.file.readline() == b"HTTP/1.1 200 OK\r\n"
        subscribers = [connect(gateway) for _ in range(limit - 110)]
        for subscriber in subscribers:
            subscriber.subscribe()
        newcomers = []
        for _ in range(200):
            newcomer = socket.create_connection(("127.0.0.1", gateway.port))
            newcomer.settimeout(5)
            newcomers.append(newcomer)
        body = b'{"type":"price_anomaly","severity":"critical","watchdog":"price_anomaly","description":"d"}'
        publisher.send(b"POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        for subscriber in subscribers:
            assert subscriber.receive("event")["event"]["severity"] == "critical"
        answered = sum(newcomer.recv(12) == b"HTTP/1.1 503" for newcomer in newcomers[20:60])
        assert answered == 40, "a newcomer is told that there is no place"
        for newcomer in newcomers:
            newcomer.close()
    eventually(lambda: gateway.get("/livez").status == 200, "there are places again")
    eventually(lambda: gateway.connections() <= limit - 108, "newcomers are gone again")


