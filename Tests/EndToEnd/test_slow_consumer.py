"""Slow consumers: what they lose, in which order, and how they hear of it. Others notice nothing."""

import json
import time

import pytest
import schemas
import sockets
from subscriber import event, position_key

QUEUE = 65_536
# The smallest queue; stalls are not waited for but where a test says so.
SETTINGS = {
    "FIML_WS_SEND_QUEUE_BYTES": str(QUEUE), "FIML_WS_STALL_SECONDS": "60",
    "WATCHDOG_MAX_EVENTS_IN_MEMORY": "100000",
}
PAD = "x" * 500


def slow_client(gateway, filter=None, path="/ws/events"):
    """Subscribed, then it stops reading. Its receive buffer is small, so that what it does not read stays with the
    gateway: the kernel holds a few hundred kilobytes at most."""
    client = sockets.WebSocket(gateway.port, path, receive_buffer=4096)
    client.send_frame(sockets.TEXT, json.dumps(
        {"type": "subscribe", "subscription_id": "s", **({"filter": filter} if filter else {})}).encode())
    assert schemas.check_message(client.frame().payload)["type"] == "welcome"
    assert schemas.check_message(client.frame().payload)["type"] == "subscription_ack"
    return client


def flood(gateway, severities, batches, size=50):
    """Publishes until the kernel takes no more for the slow client, then so many batches more, whose severities go
    round; every event: (position, severity)."""
    published = []

    def publish(names):
        batch = [event(name, data={"pad": PAD}) for name in names]
        published.extend(zip(gateway.post(batch), names))

    # The peer's last acknowledgements may come 40 ms late, and each makes room: the kernel takes no more once the queue
    # has stayed as it is for a quarter of a second.
    queued, unchanged = 0, 0
    while unchanged < 5:
        if queued == 0:
            assert len(published) < 20_000, "the client is not slow"
            publish(["low"] * 50)
        time.sleep(0.05)
        before, queued = queued, gateway.metric("websocket_send_queue_bytes")
        unchanged = unchanged + 1 if queued == before > 0 else 0
    for number in range(batches):
        publish([severities[(number * size + index) % len(severities)] for index in range(size)])
    return published


def read_until_mark(client):
    """Reads on, to the mark that is published last: all messages."""
    messages = []
    while True:
        frame = client.frame()
        assert frame is not None, "closed before the mark came"
        if frame.opcode == sockets.CLOSE:
            raise AssertionError(f"closed with {frame.close_code}")
        if frame.opcode != sockets.TEXT:
            continue
        messages.append(schemas.check_message(frame.payload))
        if messages[-1]["type"] == "event" and messages[-1]["event"]["metadata"].get("mark"):
            return messages[:-1]


def publish_mark(gateway):
    gateway.post(event("critical", metadata={"mark": True}))


def test_a_slow_consumer_loses_the_lowest_severities_first_and_never_a_critical_event(gateway):
    client = slow_client(gateway)
    # One in a hundred is critical, so that those alone stay below the bound.
    pattern = ["low", "medium", "high", "low", "medium"] * 20
    pattern[50] = "critical"
    published = flood(gateway, pattern, 20, 100)
    publish_mark(gateway)
    messages = read_until_mark(client)
    client.close()

    received = {message["position"] for message in messages if message["type"] == "event"}
    lost = [(position, severity) for position, severity in published if position not in received]
    lost_by_severity = {name: sum(severity == name for _, severity in lost) for name in
                        ("low", "medium", "high", "critical")}
    assert lost, "the consumer was slow"
    assert lost_by_severity["critical"] == 0
    assert lost_by_severity["low"] > 0

    gaps = [message for message in messages if message["type"] == "gap"]
    told = {name: sum(gap["by_severity"][name] for gap in gaps) for name in lost_by_severity}
    assert told == lost_by_severity, "what is lost is told, exactly"
    assert sum(gap["dropped"] for gap in gaps) == len(lost)
    assert all(gap["reason"] == "slow_consumer" for gap in gaps)

    lost_positions = {position for position, _ in lost}
    told_ranges = [(position_key(gap["from_position"]), position_key(gap["to_position"])) for gap in gaps]
    assert all(
        any(low <= position_key(position) <= high for low, high in told_ranges) for position in lost_positions)
    assert all(gap["from_position"] in lost_positions and gap["to_position"] in lost_positions for gap in gaps)


def test_a_gap_comes_before_any_event_that_is_later_than_what_it_tells_of(gateway):
    client = slow_client(gateway)
    flood(gateway, ["low", "high", "medium"], 10)
    publish_mark(gateway)
    messages = read_until_mark(client)
    client.close()
    first_lost = None
    for message in messages:
        if message["type"] == "gap" and first_lost is None:
            first_lost = position_key(message["from_position"])
    assert first_lost is not None
    for message in messages:
        if message["type"] == "gap":
            break
        if message["type"] == "event":
            assert position_key(message["position"]) < first_lost


def test_while_lower_severities_remain_higher_ones_are_not_shed(gateway):
    client = slow_client(gateway)
    # One in a hundred is high: twenty, of 1.1 kB each, have room in half of the queue.
    flood(gateway, ["low"] * 50 + ["high"] + ["medium"] * 49, 40)
    publish_mark(gateway)
    gaps = [message for message in read_until_mark(client) if message["type"] == "gap"]
    client.close()
    assert sum(gap["by_severity"]["low"] for gap in gaps) > 0
    assert sum(gap["by_severity"]["medium"] for gap in gaps) > 0
    assert sum(gap["by_severity"]["high"] for gap in gaps) == 0


def test_the_gap_names_a_backfill_that_returns_what_was_lost(gateway):
    client = slow_client(gateway)
    published = flood(gateway, ["low"], 6)
    publish_mark(gateway)
    messages = read_until_mark(client)
    client.close()
    received = {message["position"] for message in messages if message["type"] == "event"}
    lost = {position for position, _ in published} - received
    gap = next(message for message in messages if message["type"] == "gap")
    found = set()
    path = gap["backfill"] + "&limit=1000"
    answer = gateway.get_json(path)
    found |= {entry["position"] for entry in answer["events"]}
    assert {position for position in lost
            if position_key(gap["from_position"]) <= position_key(position) <= position_key(gap["to_position"])
            } <= found


def test_the_heartbeat_after_a_loss_counts_what_was_sent_and_dropped(start):
    gateway = start({**SETTINGS, "FIML_HEARTBEAT_SECONDS": "1"})
    client = slow_client(gateway)
    published = flood(gateway, ["low"], 10)
    publish_mark(gateway)
    messages = read_until_mark(client)
    heartbeat = None
    while heartbeat is None or heartbeat["type"] != "heartbeat":
        heartbeat = schemas.check_message(client.frame().payload)
        messages.append(heartbeat)
    client.close()
    dropped = sum(message["dropped"] for message in messages if message["type"] == "gap")
    assert heartbeat["events_dropped"] == dropped > 0
    assert heartbeat["events_sent"] == len(published) + 1 - dropped


def test_only_what_may_not_be_shed_closes_with_4102(gateway):
    client = slow_client(gateway)
    flood(gateway, ["critical"], 2)
    frames = client.frames_to_end()
    client.close()
    assert frames[-1].opcode == sockets.CLOSE and frames[-1].close_code == 4102
    for frame in frames[:-1]:
        schemas.check_message(frame.payload)


def test_a_consumer_that_takes_nothing_is_closed_with_4102_after_the_stall_time(start):
    gateway = start({**SETTINGS, "FIML_WS_STALL_SECONDS": "2"})
    client = slow_client(gateway)
    began = time.monotonic()
    flood(gateway, ["low"], 2)
    while gateway.get_json("/connections")["websockets"] and time.monotonic() < began + 15:
        # What is published meanwhile is no progress: only what the peer takes is.
        gateway.post([event("low", data={"pad": PAD})] * 50)
        time.sleep(0.05)
    assert 2 < time.monotonic() - began < 15
    assert gateway.metric('websocket_disconnects_total') >= 1
    frames = client.frames_to_end()
    client.close()
    assert frames[-1].opcode == sockets.CLOSE and frames[-1].close_code == 4102


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_fast_client_sees_everything_without_delay_while_others_are_stuck(gateway, connect, compression):
    fast = connect(gateway, compression=compression)
    fast.subscribe("s", {"watchdogs": ["price_anomaly"]})
    stuck = [slow_client(gateway) for _ in range(20)]
    worst = 0.0
    for _ in range(100):
        batch = [event("low", data={"pad": PAD}) for _ in range(20)]
        positions = gateway.post(batch)
        began = time.monotonic()
        assert [message["position"] for message in fast.events(20)] == positions
        worst = max(worst, time.monotonic() - began)
    for client in stuck:
        client.close()
    assert worst < 1, f"slowest batch took {worst:.3f} s"


def test_a_replay_waits_for_a_slow_consumer_and_loses_nothing(gateway):
    positions = gateway.post([event("low", data={"pad": PAD}) for _ in range(700)])
    client = sockets.WebSocket(gateway.port, receive_buffer=4096, path=f"/ws/events?since={positions[0]}")
    time.sleep(0.3)
    received = []
    while True:
        message = schemas.check_message(client.frame().payload)
        assert message["type"] != "gap"
        if message["type"] == "replay_complete":
            break
        if message["type"] == "event":
            received.append(message["position"])
    client.close()
    assert received == positions[1:]
