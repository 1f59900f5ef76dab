"""`GET /events/stream`: the stream as server-sent events (WHATWG HTML 9.2), resumed by Last-Event-ID."""

import itertools
import json
import signal
import threading

import pytest
import sockets
from event_stream import EventStream
from gateway import eventually, faulty_worker, workers
from subscriber import Subscriber, event, position_key
from test_slow_consumer import PAD, QUEUE, flood

SETTINGS = {"FIML_HEARTBEAT_SECONDS": "3600"}


@pytest.fixture
def listen():
    """Opens event streams that are closed at the end."""
    opened = []

    def open(gateway, query="", **options):
        opened.append(EventStream(options.pop("port", gateway.port), query, **options))
        return opened[-1]

    yield open
    for one in opened:
        one.close()


def request(method="GET", path="/events/stream", fields="", version="1.1"):
    return f"{method} {path} HTTP/{version}\r\nHost: localhost\r\n{fields}\r\n".encode()


# What it says


def test_it_begins_with_the_delay_the_welcome_and_the_subscription(gateway, listen):
    [position] = gateway.post([event()])
    stream = listen(gateway)
    assert stream.headers["content-type"] == "text/event-stream"
    assert stream.headers["cache-control"] == "no-cache"
    assert stream.headers["x-accel-buffering"] == "no"
    assert stream.headers["transfer-encoding"] == "chunked" and stream.headers["connection"] == "close"
    assert 1000 <= stream.retry <= 5000
    assert (stream.ack["subscription_id"], stream.ack["recovered"], stream.ack["replaying"]) == ("query", True, 0)
    assert stream.last_event_id == stream.ack["position"] == position, "from where it would resume"


def test_events_come_as_they_are_published_word_for_word_as_over_a_websocket(gateway, listen, connect):
    stream = listen(gateway)
    client = connect(gateway)
    client.subscribe()
    positions = gateway.post([event(description="\N{SNOWMAN} \n\r\u2028 \"quoted\""), event("low")])
    positions += gateway.post([event("critical", symbol=None)])
    for position in positions:
        block = stream.block()
        assert (block.type, block.id) == ("event", position)
        assert block.data == client.socket.recv(10)


@pytest.mark.parametrize("query", [
    "?severities=critical,high", "?min_severity=medium&assets=BTC&include_market_wide=false",
    "?watchdogs=funding_rate", "?assets=E*,SOL", "?event_types=price_anomaly&asset_types=crypto",
    '?where=%7B%22key%22%3A%22data.number%22%2C%22cmp%22%3A%22gte%22%2C%22val%22%3A5%7D'])
def test_a_query_chooses_as_it_does_over_a_websocket(gateway, listen, query):
    stream = listen(gateway, query)
    with Subscriber(gateway.ws("/ws/events" + query)) as client:
        client.receive("subscription_ack")
        severities = ["low", "medium", "high", "critical"]
        gateway.post([
            event(severity, watchdog, symbol=symbol, data={"number": number})
            for number, (severity, watchdog, symbol) in enumerate(itertools.product(
                severities, ["price_anomaly", "funding_rate"], ["BTC", "ETH", "SOL", None]))])
        # It passes all of them.
        [last] = gateway.post([event("critical", "funding_rate", "price_anomaly", "ETH", assets=["BTC", "ETH"],
                                     data={"number": 99})])
        messages = client.until(lambda message: message.get("position") == last)
        expected = [message["position"] for message in messages if message["type"] == "event"]
    assert 1 < len(expected) < 33
    assert stream.events(len(expected)) == expected


def test_the_last_events_and_a_snapshot_can_be_asked_for(gateway, listen):
    positions = gateway.post([event(symbol="LAST", data={"number": number}) for number in range(5)])
    stream = listen(gateway, "?assets=LAST&include_market_wide=false&last=3&snapshot=true")
    assert stream.ack["replaying"] == 3 and stream.last_event_id is None, "nothing was seen yet"
    snapshot = stream.receive("snapshot")
    assert [entry["position"] for entry in snapshot["events"]] == positions[-1:] and stream.last_event_id is None
    assert stream.replayed()[0] == positions[-3:]


def test_a_status_is_told(start, listen):
    gateway = start({
        **SETTINGS, **workers("technical"), "WORKER_POOL_SIZE": "1", "WORKER_EXECUTABLE": faulty_worker(),
        "WORKER_RETRY_ATTEMPTS": "0", "WORKER_HEALTH_CHECK_INTERVAL": "1"}, symbols=["NONSENSE"]).wait_for_workers()
    stream = listen(gateway)
    for _ in range(5):
        gateway.analyze("NONSENSE")
    status = stream.receive("status", skip=())
    assert (status["scope"], status["name"]) == ("worker", "tech_0")
    assert stream.last_event_id == stream.ack["position"], "it has no place in the stream"


# Resuming


def test_what_was_missed_comes_once_and_in_order(gateway, listen):
    stream = listen(gateway, "?severities=high")
    first = stream.last_event_id
    seen = []
    wanted = []
    for number in range(4):
        positions = gateway.post([event("high" if index % 3 else "low") for index in range(20)])
        wanted += [position for index, position in enumerate(positions) if index % 3]
        # Some are not read before the network is gone, and come again.
        seen += stream.events(13 if number < 3 else 5)
    stream.close()
    again = listen(gateway, "?severities=high", last_event_id=stream.last_event_id)
    assert (again.ack["recovered"], again.ack["replaying"]) == (True, 8)
    assert again.last_event_id == stream.last_event_id, "until it has what it missed"
    positions, complete = again.replayed()
    assert seen + positions == wanted
    assert again.last_event_id == complete["position"] >= wanted[-1] > first


def test_the_last_event_id_wins_over_the_query(gateway, listen):
    """A browser repeats the URL when it comes back."""
    positions = gateway.post([event() for _ in range(6)])
    for query in (f"?since={positions[0]}", "?last=5", "?since=1999-01-01T00:00:00Z"):
        assert listen(gateway, query, last_event_id=positions[3]).replayed()[0] == positions[4:]
    assert listen(gateway, f"?since={positions[0]}").replayed()[0] == positions[1:]
    assert listen(gateway, f"?since={positions[1]}", last_event_id="").replayed()[0] == positions[2:]


@pytest.mark.parametrize("loops", ["1", "2"])
def test_a_replay_goes_live_while_events_come_at_full_rate_with_none_skipped_or_repeated(start, listen, loops):
    gateway = start({
        **SETTINGS, "FIML_EVENT_LOOPS": loops, "WATCHDOG_MAX_EVENTS_IN_MEMORY": "100000",
        # They are read one after the other, and nobody is to be too slow.
        "FIML_WS_SEND_QUEUE_BYTES": "1000000000"})
    positions = gateway.post([event() for _ in range(1000)])
    begin = positions[0]
    stop = threading.Event()
    batch = [event() for _ in range(25)]

    def publish():
        while not stop.is_set():
            positions.extend(gateway.post(batch))

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        streams = [
            listen(gateway, last_event_id=begin, version="1.0" if number % 3 == 2 else "1.1") for number in range(6)]
        replays = [stream.replayed() for stream in streams]
    finally:
        stop.set()
        publisher.join()
    for stream, (received, complete) in zip(streams, replays):
        assert complete["events_sent"] == len(received)
        received += stream.events(len(positions) - 1 - len(received))
        assert received == positions[1:]


def test_a_client_that_is_cut_again_and_again_while_events_come_has_each_once(start, listen):
    gateway = start({**SETTINGS, "WATCHDOG_MAX_EVENTS_IN_MEMORY": "100000"})
    positions = gateway.post([event()])
    stop = threading.Event()
    batch = [event("low" if number % 2 else "high") for number in range(10)]

    def publish():
        while not stop.is_set():
            positions.extend(gateway.post(batch))

    publisher = threading.Thread(target=publish)
    publisher.start()
    seen = []
    last = positions[0]
    try:
        for number in range(20):
            stream = listen(gateway, last_event_id=last)
            assert stream.ack["recovered"] is True
            for _ in range(30 + 7 * number):
                message = stream.next()
                seen += [message["position"]] if message["type"] == "event" else []
            last = stream.last_event_id
            stream.reset() if number % 2 else stream.close()
    finally:
        stop.set()
        publisher.join()
    seen += listen(gateway, last_event_id=last).replayed()[0]
    assert seen == positions[1:]


def test_outside_of_what_is_stored_nothing_is_replayed_and_it_is_said(start, listen):
    gateway = start({**SETTINGS, "WATCHDOG_EVENT_PERSISTENCE": "false", "WATCHDOG_MAX_EVENTS_IN_MEMORY": "10"})
    positions = gateway.post([event() for _ in range(25)])
    for last_event_id, reason in (
            (positions[0], "window_exceeded"), ("99999999999999-0", "position_unknown"),
            ("of another server", "position_unknown")):
        stream = listen(gateway, "?last=5", last_event_id=last_event_id)
        assert (stream.ack["recovered"], stream.ack["reason"], stream.ack["replaying"]) == (False, reason, 0)
        assert stream.last_event_id == positions[-1], "else it would be told so for ever"
        positions += gateway.post([event()])
        assert stream.events(1) == positions[-1:], "live all the same"
    assert gateway.sample("resume_total", result="window_exceeded") == 1


def test_a_client_whose_filter_passes_nothing_resumes_from_the_last_heartbeat(start, listen):
    gateway = start({"FIML_HEARTBEAT_SECONDS": "1"})
    stream = listen(gateway, "?severities=critical")
    positions = gateway.post([event("low") for _ in range(50)])
    while position_key((heartbeat := stream.receive("heartbeat"))["position"]) < position_key(positions[-1]):
        assert stream.last_event_id == heartbeat["position"]
    assert stream.last_event_id == heartbeat["position"] == positions[-1]
    assert (heartbeat["events_sent"], heartbeat["active_subscriptions"]) == (0, 1)
    stream.close()
    [missed] = gateway.post([event("critical")])
    again = listen(gateway, "?severities=critical", last_event_id=stream.last_event_id)
    assert again.ack["replaying"] == 1 and again.replayed()[0] == [missed]


# Slow consumers

SLOW = {**SETTINGS, "FIML_WS_SEND_QUEUE_BYTES": str(QUEUE), "FIML_WS_STALL_SECONDS": "60",
        "WATCHDOG_MAX_EVENTS_IN_MEMORY": "100000"}


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_slow_consumer_is_told_exactly_what_it_lost(start, listen, version):
    gateway = start(SLOW)
    stream = listen(gateway, receive_buffer=4096, version=version)
    pattern = ["low", "medium", "high", "low", "medium"] * 20
    pattern[50] = "critical"
    published = flood(gateway, pattern, 20, 100)
    [mark] = gateway.post([event("critical")])
    received, gaps = {}, []
    while (message := stream.next()).get("position") != mark:
        if message["type"] == "event":
            received[message["position"]] = message["event"]["severity"]
            assert not gaps or position_key(message["position"]) > position_key(gaps[0]["from_position"])
        else:
            gaps.append(message)
            assert message["type"] == "gap" and message["reason"] == "slow_consumer"
    assert list(received) == sorted(received, key=position_key)
    for severity in ("low", "medium", "high", "critical"):
        lost = sum(name == severity and position not in received for position, name in published)
        assert sum(gap["by_severity"][severity] for gap in gaps) == lost
        assert severity != "low" or lost > 0
        assert severity != "critical" or lost == 0


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_stream_that_is_full_of_what_may_not_be_shed_ends_and_can_be_resumed(start, listen, version):
    gateway = start(SLOW)
    stream = listen(gateway, receive_buffer=4096, version=version)
    published = [position for position, _ in flood(gateway, ["critical"], 2)]
    messages = stream.to_end()
    assert stream.has_ended
    received = [message["position"] for message in messages if message["type"] == "event"]
    assert received == published[:len(received)] and stream.last_event_id == received[-1]
    assert gateway.sample("event_stream_ends_total", reason="slow_consumer") == 1
    again = listen(gateway, last_event_id=stream.last_event_id)
    assert received + again.replayed()[0] == published


def test_one_that_takes_nothing_is_ended_after_the_stall_time(start, listen):
    gateway = start({**SLOW, "FIML_WS_STALL_SECONDS": "2"})
    stream = listen(gateway, receive_buffer=4096)
    flood(gateway, ["low"], 2)

    def ended():
        gateway.post([event("low", data={"pad": PAD})])
        return gateway.get_json("/connections")["event_streams"] == 0

    eventually(ended, "the stream is ended", 20)
    stream.to_end()
    assert stream.has_ended


def test_a_replay_waits_for_a_slow_consumer_and_loses_nothing(start, listen):
    gateway = start(SLOW)
    positions = gateway.post([event("low", data={"pad": PAD}) for _ in range(900)])
    stream = listen(gateway, receive_buffer=4096, last_event_id=positions[0])
    eventually(lambda: gateway.metric("websocket_send_queue_bytes") > QUEUE / 4, "the replay waits")
    messages = []
    while (message := stream.next())["type"] != "replay_complete":
        messages.append(message)
    assert [message["position"] for message in messages] == positions[1:], "and no gap among them"


# The connection


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_drain_says_when_to_come_back_and_from_where_and_ends_the_stream(start, listen, version):
    gateway = start(SETTINGS)
    streams = [listen(gateway, version=version) for _ in range(3)]
    positions = gateway.post([event() for _ in range(100)])
    gateway.signal(signal.SIGTERM)
    for stream in streams:
        *messages, last = stream.to_end()
        assert stream.has_ended
        assert [message["position"] for message in messages] == positions
        assert last["type"] == "going_away" and last["position"] == stream.last_event_id == positions[-1]
        assert stream.retry == last["reconnect_after_ms"]
        stream.close()
    assert gateway.wait() == 0


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_over_tls(start, listen, certificate, version):
    gateway = start(SETTINGS, tls=certificate)
    context = certificate.client_context()
    options = {
        "port": gateway.tls_port, "version": version,
        "wrap": lambda plain: context.wrap_socket(plain, server_hostname="localhost")}
    positions = gateway.post([event() for _ in range(500)])
    stream = listen(gateway, last_event_id=positions[0], **options)
    positions += gateway.post([event() for _ in range(100)])
    received, _ = stream.replayed()
    received += stream.events(len(positions) - 1 - len(received))
    assert received == positions[1:]
    gateway.signal(signal.SIGTERM)
    assert stream.to_end()[-1]["type"] == "going_away" and stream.has_ended


def test_http_1_0_gets_no_chunks_and_an_end_by_closing(gateway, listen):
    """RFC 9112 6.1: no transfer coding for whoever may not know it."""
    stream = listen(gateway, version="1.0")
    assert not stream.is_chunked and stream.headers["connection"] == "close"
    assert stream.events(0) == [] and gateway.post([event()]) == stream.events(1)


def test_requests_before_it_are_answered_first(gateway, listen):
    """RFC 9112 9.3.2"""
    stream = listen(gateway, before=request(path="/livez") * 50)
    assert gateway.post([event()]) == stream.events(1)


def test_what_the_client_sends_behind_it_is_of_no_effect(gateway, listen):
    stream = listen(gateway)
    before = gateway.get_json("/events")["position"]
    body = json.dumps(event()).encode()
    stream.send(b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    stream.send(b"\0" * 1_000_000)
    [position] = gateway.post([event()])
    assert stream.events(1) == [position]
    assert [entry["position"] for entry in gateway.get_json(f"/events?after={before}")["events"]] == [position]


def test_streams_are_counted_and_forgotten_when_the_client_leaves(start, listen):
    gateway = start(SETTINGS)
    streams = [listen(gateway) for _ in range(5)]
    figures = gateway.get_json("/connections")
    assert (figures["event_streams"], figures["websockets"], figures["subscriptions"]) == (5, 0, 5)
    assert gateway.metric("event_streams") == 5 and gateway.metric("websocket_connections") == 0
    assert gateway.get_json("/health")["connections"] == 5
    for number, stream in enumerate(streams):
        stream.reset() if number % 2 else stream.close()
    eventually(lambda: gateway.metric("event_streams") == 0, "all are gone")
    assert gateway.get_json("/connections")["subscriptions"] == 0
    assert gateway.sample("event_stream_ends_total", reason="client") == 5
    assert gateway.metric("websocket_disconnects_total") == 0


def test_a_quiet_stream_outlives_the_time_limits_of_http_and_shows_signs_of_life(start, listen):
    limits = {f"FIML_HTTP_{name}_TIMEOUT_SECONDS": "1" for name in ("HEADER", "BODY", "IDLE")}
    gateway = start({**SETTINGS, **limits, "FIML_WS_PING_SECONDS": "1", "FIML_WS_PONG_TIMEOUT_SECONDS": "1"})
    stream = listen(gateway)
    for _ in range(4):
        assert stream.lines() == [":"]
    assert gateway.post([event()]) == stream.events(1)


def test_head_has_the_fields_and_no_stream(gateway):
    """RFC 9110 9.3.2"""
    with sockets.HTTP(gateway.port) as peer:
        peer.send(request("HEAD") + request(path="/livez"))
        head = peer.response(to_head=True)
        assert head.status == 200 and head.headers["content-type"] == "text/event-stream"
        assert "content-length" not in head.headers
        assert peer.response().status == 200
    assert gateway.metric("event_streams") == 0


def test_other_methods_are_refused(gateway):
    answer = gateway.request("POST", "/events/stream", "{}")
    assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert gateway.request("OPTIONS", "/events/stream").status == 204


@pytest.mark.parametrize("query", ["severities=hgh", "since=x", "last=-1", "since=1-0&last=1", "limit=5", "color=1"])
def test_a_wrong_query_is_400(gateway, query):
    answer = gateway.get("/events/stream?" + query)
    assert answer.status == 400 and json.loads(answer.content)["error"] == "INVALID_FILTER"


def test_while_the_gateway_drains_it_is_503(start):
    gateway = start({"FIML_DRAIN_SECONDS": "30"})
    with sockets.HTTP(gateway.port) as asking, sockets.WebSocket(gateway.port) as silent:
        asking.send(request()[:20])
        gateway.signal(signal.SIGTERM)
        assert silent.frame().close_code == 4202
        asking.send(request()[20:])
        assert asking.response().status == 503


def test_a_page_of_an_origin_that_is_not_allowed_is_403(start):
    gateway = start({"CORS_ORIGINS": "https://good.example"})
    assert gateway.get("/events/stream", {"Origin": "https://evil.example"}).status == 403
    with EventStream(gateway.port, fields="Origin: https://good.example\r\n") as stream:
        assert stream.headers["access-control-allow-origin"] == "https://good.example"
        assert stream.headers["vary"] == "Origin"
    preflight = gateway.request("OPTIONS", "/events/stream", headers={
        "Origin": "https://good.example", "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "last-event-id"})
    assert "last-event-id" in preflight.headers["Access-Control-Allow-Headers"].lower()
