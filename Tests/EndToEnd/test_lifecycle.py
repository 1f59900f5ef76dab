"""How a gateway starts, ends, and what it does when places or descriptors run out."""

import contextlib
import json
import re
import signal
import socket
import time

import pytest
import sockets
from gateway import eventually, run_to_end
from subscriber import Subscriber, event

SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)


@SIGNALS
def test_a_signal_drains(start, connect, number):
    """Production deployment: going_away, close 4202, exit 0"""
    gateway = start()
    subscribers = [connect(gateway) for _ in range(3)]
    for subscriber in subscribers:
        subscriber.subscribe()
    positions = gateway.post([event() for _ in range(100)])
    gateway.signal(number)
    for subscriber in subscribers:
        messages, closed = subscriber.closing()
        messages = [message for message in messages if message["type"] != "heartbeat"]
        assert [message["position"] for message in messages[:-1]] == positions
        last = messages[-1]
        assert last["type"] == "going_away" and 0 <= last["reconnect_after_ms"] <= 5000
        assert last["position"] == positions[-1]
        assert closed[0] == 4202
    assert gateway.wait() == 0
    assert '"level":"ERROR"' not in gateway.log


@contextlib.contextmanager
def draining(gateway, number=signal.SIGTERM):
    """A gateway that drains, held up by a peer that does not answer its close frame."""
    with sockets.WebSocket(gateway.port) as silent:
        gateway.signal(number)
        assert silent.frame().close_code == 4202
        yield


@SIGNALS
def test_a_second_signal_cuts(start, number):
    gateway = start({"FIML_DRAIN_SECONDS": "30"})
    with draining(gateway, number):
        assert gateway.process.poll() is None
        began = time.monotonic()
        gateway.signal(number)
        gateway.wait(4)
        assert time.monotonic() - began < 4


def test_while_it_drains_it_is_not_ready(start):
    gateway = start({"FIML_DRAIN_SECONDS": "30"})
    assert gateway.get("/readyz").status == 200
    with sockets.HTTP(gateway.port) as asking:
        # Begun before the signal, so that it is no newcomer.
        asking.send(b"GET /readyz HTTP/1.1\r\nHost: loc")
        with draining(gateway):
            asking.send(b"alhost\r\n\r\n")
            assert asking.response().status == 503
            # Who asks now is told as much, or not let in.
            with contextlib.suppress(ConnectionError):
                assert gateway.get("/readyz").status == 503


def test_a_port_in_use_fails_the_start(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, log = run_to_end(tmp_path, {"FIML_PORT": str(port)})
    assert status > 0
    assert len([line for line in log.splitlines() if str(port) in line]) == 1, log


def test_each_wrong_setting_has_its_line(tmp_path):
    wrong = {
        "FIML_PORT": "70000", "FIML_MAX_CONNECTIONS": "many", "FIML_DEV_ENDPOINTS": "perhaps",
        "FIML_LOG_LEVEL": "LOUD", "FIML_DRAIN_SECONDS": "-1",
    }
    allowed = {
        "FIML_PORT": "65535", "FIML_MAX_CONNECTIONS": "1000000", "FIML_DEV_ENDPOINTS": "true",
        "FIML_LOG_LEVEL": "WARNING", "FIML_DRAIN_SECONDS": "30",
    }
    status, log = run_to_end(tmp_path, wrong)
    lines = log.splitlines()
    assert status == 78 and len(lines) == len(wrong), log
    for name, value in wrong.items():
        [line] = [line for line in lines if name in line]
        assert value in line and allowed[name] in line.partition(value)[2].replace(",", "").replace("_", ""), line


def test_without_descriptors_those_who_are_connected_are_served(start):
    gateway = start(prefix=["prlimit", "--nofile=300:300"])
    [warning] = [line for line in gateway.log.splitlines() if "FIML_MAX_CONNECTIONS" in line]
    assert json.loads(warning)["level"] == "WARNING" and "300" in warning
    places = int(re.search(r"at most (\d+) connections", warning).group(1))
    with contextlib.ExitStack() as opened:
        publisher = opened.enter_context(sockets.HTTP(gateway.port))
        subscribers = [opened.enter_context(Subscriber(gateway.ws())) for _ in range(places - 5)]
        for subscriber in subscribers:
            subscriber.subscribe(filter={"severities": ["critical"]})
        # Far more than there are places and descriptors: they are told so, or wait.
        newcomers = [opened.enter_context(sockets.HTTP(gateway.port)) for _ in range(300)]
        answer = newcomers[10].response()
        assert answer.status == 503 and "retry-after" in answer.headers
        body = json.dumps(event("critical")).encode()
        publisher.send(
            b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        assert publisher.response().status == 201
        for subscriber in subscribers:
            assert subscriber.receive("event")["event"]["severity"] == "critical"
    eventually(lambda: gateway.descriptors() < 60, "descriptors are given back")
    gateway.assert_healthy()


def test_the_sixth_of_five_places_waits_for_one_to_be_left(start):
    gateway = start({"FIML_MAX_CONNECTIONS": "5"})
    with contextlib.ExitStack() as opened:

        def gets_in():
            """A connection that has ended may be counted until its end has been seen."""
            try:
                return opened.enter_context(sockets.WebSocket(gateway.port))
            except (AssertionError, ConnectionError):
                return None

        five = [eventually(gets_in, "there is a place") for _ in range(5)]
        with sockets.HTTP(gateway.port) as sixth:
            answer = sixth.response()
            assert answer.status == 503 and int(answer.headers["retry-after"]) > 0 and sixth.is_closed()
            five.pop().close()
            # The sixth has not ended its side, and holds no place by that.
            late = eventually(gets_in, "the place that was left is taken", 2)
        for peer in [*five, late]:
            peer.send_frame(sockets.TEXT, b"served")
            assert peer.frame().payload == b"served"
    gateway.assert_healthy()
