"""Resuming: `since`, `last` and `snapshot` of a subscription (protocol, "Resume")."""

import datetime
import threading
import time

import pytest
import schemas
import sockets
from subscriber import descriptions, event, position_key

SETTINGS = {"WATCHDOG_MAX_EVENTS_IN_MEMORY": "50000"}


def replayed(client):
    """The events of a replay, and its end."""
    messages = client.until(lambda message: message["type"] == "replay_complete")
    events = [message for message in messages if message["type"] == "event"]
    return events, messages[-1]


def test_since_a_position_replays_what_came_after_it_then_goes_live(gateway, connect):
    positions = gateway.post([event(description=str(number)) for number in range(10)])
    client = connect(gateway)
    ack = client.subscribe("s", since=positions[3])
    assert (ack["recovered"], ack["replaying"]) == (True, 6)
    events, complete = replayed(client)
    assert descriptions(events) == [str(number) for number in range(4, 10)]
    assert [message["position"] for message in events] == positions[4:]
    assert complete["events_sent"] == 6 and complete["position"] == positions[-1]
    gateway.post(event(description="live"))
    assert descriptions(client.events(1)) == ["live"]


def test_since_the_newest_position_replays_nothing_and_is_recovered(gateway, connect):
    [position] = gateway.post([event()])
    client = connect(gateway)
    ack = client.subscribe("s", since=position)
    assert (ack["recovered"], ack["replaying"]) == (True, 0)
    events, complete = replayed(client)
    assert events == [] and complete["events_sent"] == 0


def test_a_long_replay_waits_for_nothing_but_its_connection(gateway, connect):
    [before] = gateway.post([event()])
    for _ in range(10):
        gateway.post([event(data={"text": "x" * 500}) for _ in range(1000)])
    for _ in range(5):
        begin = time.monotonic()
        with sockets.WebSocket(gateway.port, f"/ws/events?since={before}") as client:
            while not (frame := client.frame()).payload.startswith(b'{"type":"replay_complete"'):
                assert frame.opcode == sockets.TEXT
        assert time.monotonic() - begin < 5, "nothing else happens that could wake it"


def test_a_replay_passes_the_filter(gateway, connect):
    [before] = gateway.post([event()])
    gateway.post([event("low", description="no"), event("critical", description="yes")] * 300)
    client = connect(gateway)
    assert client.subscribe("s", {"min_severity": "high"}, since=before)["replaying"] == 300
    assert descriptions(replayed(client)[0]) == ["yes"] * 300


def test_since_a_time_replays_what_was_published_from_then_on(gateway, connect):
    gateway.post(event(description="before"))
    time.sleep(0.02)
    moment = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    gateway.post([event(description="a"), event(description="b")])
    client = connect(gateway)
    assert client.subscribe("s", since=moment)["recovered"] is True
    assert descriptions(replayed(client)[0]) == ["a", "b"]


def test_last_replays_so_many_that_match(gateway, connect):
    gateway.post([event("high", description="1"), event("low"), event("high", description="2"), event("low"),
                  event("high", description="3"), event("low")])
    client = connect(gateway)
    ack = client.subscribe("s", {"severities": ["high"]}, last=2)
    assert ack["replaying"] == 2
    assert descriptions(replayed(client)[0]) == ["2", "3"]


def test_last_0_replays_nothing(gateway, connect):
    gateway.post(event())
    client = connect(gateway)
    assert client.subscribe("s", last=0)["replaying"] == 0


def test_the_query_string_resumes_too(gateway, connect):
    positions = gateway.post([event(description="a"), event(description="b")])
    client = connect(gateway, f"/ws/events?since={positions[0]}")
    assert client.receive("subscription_ack")["recovered"] is True
    assert descriptions(replayed(client)[0]) == ["b"]


def test_from_outside_the_window_nothing_is_replayed_and_it_is_said(start, connect):
    gateway = start({"WATCHDOG_EVENT_PERSISTENCE": "false", "WATCHDOG_MAX_EVENTS_IN_MEMORY": "10"})
    first = gateway.post([event()])[0]
    gateway.post([event() for _ in range(20)])
    client = connect(gateway)
    ack = client.subscribe("old", since=first)
    assert (ack["recovered"], ack["reason"], ack["replaying"]) == (False, "window_exceeded", 0)
    ack = client.subscribe("time", since="2020-01-01T00:00:00Z")
    assert (ack["recovered"], ack["reason"]) == (False, "window_exceeded")
    ack = client.subscribe("future", since="99999999999999-0")
    assert (ack["recovered"], ack["reason"]) == (False, "position_unknown")
    gateway.post(event(description="live"))
    assert descriptions(client.events(1)) == ["live"], "and it is live all the same"


def test_the_earliest_position_of_the_welcome_can_be_resumed_from(start, connect):
    gateway = start({"WATCHDOG_EVENT_PERSISTENCE": "false", "WATCHDOG_MAX_EVENTS_IN_MEMORY": "10"})
    positions = gateway.post([event() for _ in range(25)])
    client = connect(gateway)
    ack = client.subscribe("s", since=client.welcome["earliest_position"])
    assert (ack["recovered"], ack["replaying"]) == (True, 10)
    assert [message["position"] for message in replayed(client)[0]] == positions[-10:]


def test_a_snapshot_shows_what_is_firing_now_and_nothing_else(start, connect):
    gateway = start()
    gateway.post([
        event("high", symbol="BTC", description="BTC began"),
        event("high", symbol="ETH", description="ETH began"),
        event("high", symbol="BTC", status="updated", description="BTC goes on"),
        event("high", symbol="ETH", status="resolved", description="ETH is over"),
        event("low", symbol="SOL", description="SOL began")])
    client = connect(gateway)
    client.subscribe("s", {"min_severity": "medium"}, snapshot=True)
    snapshot = client.receive("snapshot")
    assert snapshot["subscription_id"] == "s" and snapshot["complete"] is True
    assert [entry["event"]["description"] for entry in snapshot["events"]] == ["BTC goes on"]


@pytest.mark.parametrize("loops", ["1", "2"])
def test_a_replay_goes_live_while_events_come_at_full_rate_with_none_skipped_or_repeated(start, connect, loops):
    gateway = start({**SETTINGS, "FIML_EVENT_LOOPS": loops})
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
        clients = [connect(gateway, compression="deflate" if number % 2 else None) for number in range(6)]
        for number, client in enumerate(clients):
            client.send({"type": "subscribe", "id": number, "subscription_id": "s", "since": begin})
        replays = []
        for client in clients:
            texts = [client.socket.recv(10)]
            while not texts[-1].startswith('{"type":"replay_complete"'):
                texts.append(client.socket.recv(10))
            replays.append(texts)
    finally:
        stop.set()
        publisher.join()
    for client, texts in zip(clients, replays):
        ack, *events, complete = [schemas.check_message(text) for text in texts]
        assert (ack["type"], ack["recovered"]) == ("subscription_ack", True)
        received = [message["position"] for message in events if message["type"] == "event"]
        assert position_key(complete["position"]) >= position_key(received[-1])
        assert complete["events_sent"] == len(received)
        received += [message["position"] for message in client.events(len(positions) - 1 - len(received))]
        assert received == positions[1:]


def test_a_client_that_comes_back_from_its_last_position_is_complete(gateway, connect):
    first = connect(gateway)
    first.subscribe("s")
    all_positions = []
    seen = []
    for number in range(5):
        all_positions += gateway.post([event() for _ in range(20)])
        seen += [message["position"] for message in first.events(10 if number == 4 else 20)]
    first.socket.socket.close()  # no close frame: the network is gone
    all_positions += gateway.post([event() for _ in range(30)])
    second = connect(gateway)
    assert second.subscribe("s", since=seen[-1])["recovered"] is True
    seen += [message["position"] for message in replayed(second)[0]]
    assert seen == all_positions


def test_two_subscriptions_of_which_one_replays_keep_the_live_one_live(gateway, connect):
    [before] = gateway.post([event()])
    gateway.post([event(symbol="OLD", description="old")])
    client = connect(gateway)
    client.subscribe("live", {"assets": ["NEW"], "include_market_wide": False})
    client.subscribe("replay", {"assets": ["OLD"], "include_market_wide": False}, since=before)
    assert descriptions(replayed(client)[0]) == ["old"]
    gateway.post([event(symbol="NEW", description="new"), event(symbol="OLD", description="older")])
    assert descriptions(client.events(2)) == ["new", "older"]


def test_a_subscription_can_be_given_up_while_it_replays(gateway, connect):
    [before] = gateway.post([event()])
    gateway.post([event() for _ in range(1000)])
    client = connect(gateway)
    client.send({"type": "subscribe", "id": 1, "subscription_id": "s", "since": before})
    client.send({"type": "unsubscribe", "id": 2, "subscription_id": "s"})
    messages = client.until(lambda message: message["type"] == "unsubscribe_ack")
    assert messages[0]["type"] == "subscription_ack"
    client.send({"type": "ping", "id": 3})
    after = client.until(lambda message: message["type"] == "pong")
    assert [message["type"] for message in after] == ["pong"], "no event after the acknowledgement"


def test_a_replay_of_more_than_may_wait_goes_on_though_nothing_else_happens(start, connect):
    gateway = start({"FIML_WS_SEND_QUEUE_BYTES": "65536", "FIML_HEARTBEAT_SECONDS": "3600"})
    positions = gateway.post([event("low", data={"pad": "x" * 500}) for _ in range(1000)])
    client = connect(gateway, f"/ws/events?since={positions[0]}")
    client.receive("subscription_ack")
    assert [message["position"] for message in replayed(client)[0]] == positions[1:]


def test_a_replay_beside_a_live_subscription_sheds_nothing(start, connect):
    gateway = start({"FIML_EVENTS_KEPT": "100000"})
    first = gateway.post([event("high", description="first")])[0]
    for _ in range(20):
        gateway.post([event("high", data={"pad": "x" * 200}) for _ in range(1000)])
    client = connect(gateway)
    client.subscribe("live", {"severities": ["medium"]})
    client.send({"type": "subscribe", "id": 7, "subscription_id": "old", "since": first,
                 "filter": {"severities": ["high"]}})
    posted = [gateway.post([event("medium", description=str(number))])[0] for number in range(50)]
    seen = client.until(
        lambda message: message["type"] == "replay_complete" or message["type"] == "gap", 60)
    assert seen[-1]["type"] == "replay_complete", seen[-1]
    live = {message["position"] for message in seen if message["type"] == "event"
            and message["event"]["severity"] == "medium"}
    while live != set(posted):
        live |= {message["position"] for message in client.events(1)}
