"""Sessions: a client that names one goes on where it confirmed it was (public-schema/README.md, "Sessions")."""

import contextlib
import random
import secrets
import socket
import subprocess
import threading

import pytest
from gateway import binary, eventually
from subscriber import descriptions, event, position_key
from websockets.exceptions import ConnectionClosed

SETTINGS = {"FIML_EVENT_LOOPS": "2", "FIML_WS_MAX_SUBSCRIPTIONS": "100", "FIML_LOG_LEVEL": "debug"}


@pytest.fixture
def name():
    return f"bot-{secrets.token_urlsafe(16)}"


def enter(client, name, id=1, **more):
    return client.request({"type": "session", "id": id, "session": name, **more}, "session_ack")


def cut(client):
    """The network fails: no close frame."""
    client.socket.socket.shutdown(socket.SHUT_RDWR)


def replayed(client, *subscriptions):
    """The events of the replays of these subscriptions."""
    left = set(subscriptions)

    def is_last(message):
        if message["type"] == "replay_complete":
            left.discard(message["subscription_id"])
        return not left

    return [message for message in client.until(is_last, 120) if message["type"] == "event"]


def forgotten(gateway, connect, name):
    """Whether nothing is kept of it; it is then as new."""
    client = connect(gateway)
    return not enter(client, name)["resumed"]


def test_a_bot_comes_back_with_one_message_and_misses_nothing(gateway, connect, name):
    bot = connect(gateway)
    ack = enter(bot, name, ttl_hours=2)
    assert (ack["resumed"], ack["subscriptions"], ack["dropped"], ack["ttl_seconds"]) == (False, [], [], 7200)
    bot.subscribe("high", {"min_severity": "high"})
    bot.subscribe("low", {"severities": ["low"]})
    positions = gateway.post([event("high", description="1"), event("low", description="2")])
    assert descriptions(bot.events(2)) == ["1", "2"]
    bot.send({"type": "ack", "position": positions[1]})
    bot.request({"type": "ping", "id": 9}, "pong")
    cut(bot)
    missed = gateway.post([event("low", description="3"), event("medium"), event("critical", description="4")])
    bot = connect(gateway)
    ack = enter(bot, name)
    assert (ack["resumed"], ack["position"], ack["ttl_seconds"]) == (True, positions[1], 7200)
    assert [(kept["subscription_id"], kept["filter"], kept["position"], kept["recovered"], kept["replaying"])
            for kept in ack["subscriptions"]] == [
        ("high", {"min_severity": "high"}, positions[1], True, 1),
        ("low", {"severities": ["low"]}, positions[1], True, 1)]
    events = replayed(bot, "high", "low")
    assert sorted(message["position"] for message in events) == [missed[0], missed[2]]
    gateway.post(event("high", description="live"))
    assert descriptions(bot.events(1)) == ["live"]


def test_what_was_delivered_and_not_confirmed_comes_again(gateway, connect, name):
    bot = connect(gateway)
    enter(bot, name)
    bot.subscribe("s")
    positions = gateway.post([event(description=str(number)) for number in range(5)])
    bot.events(5)
    bot.send({"type": "ack", "position": positions[1]})
    bot.send({"type": "ack", "position": positions[0]})
    # An orderly end confirms nothing either.
    bot.close()
    bot = connect(gateway)
    assert enter(bot, name)["position"] == positions[1], "one from before is ignored"
    assert descriptions(replayed(bot, "s")) == ["2", "3", "4"]


def test_the_newer_connection_wins_and_the_older_is_told(gateway, connect, name):
    older = connect(gateway)
    enter(older, name)
    older.subscribe("s")
    newer = connect(gateway)
    assert enter(newer, name)["resumed"] is True
    messages, close = older.closing()
    assert [message["error_code"] for message in messages if message["type"] == "error"] == ["SESSION_TAKEN"]
    assert close == (4006, "session taken over")
    replayed(newer, "s")
    gateway.post(event(description="for the newer"))
    assert descriptions(newer.events(1)) == ["for the newer"]


def test_of_many_that_come_at_once_one_stays(gateway, connect, name):
    clients = [connect(gateway) for _ in range(20)]
    for client in clients:
        client.send({"type": "session", "id": 1, "session": name})
    ends = []

    def read(client):
        with contextlib.suppress(TimeoutError):
            ends.append(client.closing()[1])

    for client in clients:
        client.timeout = 5
    readers = [threading.Thread(target=read, args=[client]) for client in clients]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert ends == [(4006, "session taken over")] * 19


def test_the_address_alone_is_enough(gateway, connect, name):
    path = f"/ws/events?session={name}&ttl_hours=1&severities=critical"
    bot = connect(gateway, path)
    ack = bot.receive("session_ack")
    assert (ack["resumed"], ack["ttl_seconds"]) == (False, 3600)
    assert bot.receive("subscription_ack")["subscription_id"] == "query"
    [first] = gateway.post(event("critical"))
    bot.events(1)
    bot.send({"type": "ack", "position": first})
    bot.request({"type": "ping"}, "pong")
    cut(bot)
    gateway.post([event("critical", description="missed"), event("low", description="not asked for")])
    bot = connect(gateway, path)
    assert [kept["subscription_id"] for kept in bot.receive("session_ack")["subscriptions"]] == ["query"]
    assert descriptions(replayed(bot, "query")) == ["missed"]
    bot.close()
    bot = connect(gateway, f"/ws/events?session={name}&severities=low")
    [kept] = bot.receive("session_ack")["subscriptions"]
    assert (kept["filter"], kept["position"]) == ({"severities": ["low"]}, first), "another filter, the same place"
    assert descriptions(replayed(bot, "query")) == ["not asked for"]


def test_a_session_without_a_filter_in_the_address_subscribes_to_nothing(gateway, connect, name):
    bot = connect(gateway, f"/ws/events?session={name}")
    bot.receive("session_ack")
    assert bot.request({"type": "list_subscriptions", "id": 1}, "subscriptions")["subscriptions"] == []


@pytest.mark.parametrize("query", ["session=short", "session=", "ttl_hours=1", "session=a+name+with+spaces+in+it"])
def test_a_wrong_address_is_refused(gateway, query):
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    answer = gateway.get(f"/ws/events?{query}", headers=upgrade)
    assert answer.status == 400 and b"INVALID_MESSAGE" in answer.content


def test_what_is_asked_before_the_answer_is_answered_after_it_in_order(gateway, connect, name):
    bot = connect(gateway)
    bot.send({"type": "session", "id": 1, "session": name})
    for number in range(20):
        bot.send({"type": "subscribe", "id": number, "subscription_id": f"s{number}"})
    bot.receive("session_ack")
    assert [bot.receive("subscription_ack")["id"] for _ in range(20)] == list(range(20))
    bot.close()
    kept = enter(connect(gateway), name)["subscriptions"]
    assert [entry["subscription_id"] for entry in kept] == [f"s{number}" for number in range(20)]


def test_changed_and_ended_subscriptions_are_kept_as_they_are(gateway, connect, name):
    bot = connect(gateway)
    enter(bot, name)
    for id in ("a", "b"):
        bot.subscribe(id)
    bot.request({"type": "update_subscription", "id": 1, "subscription_id": "a", "filter": {"assets": ["eth"]}},
                "subscription_ack")
    bot.request({"type": "unsubscribe", "id": 2, "subscription_id": "b"}, "unsubscribe_ack")
    cut(bot)
    kept = enter(connect(gateway), name)["subscriptions"]
    assert [(entry["subscription_id"], entry["filter"]) for entry in kept] == [("a", {"assets": ["ETH"]})]


def test_what_is_wrong_is_refused(gateway, connect, name):
    bot = connect(gateway)
    for message in ({"type": "ack", "position": bot.welcome["position"]}, {"type": "end_session"}):
        assert "there is no session" in bot.refused({**message, "id": 1}, "INVALID_MESSAGE", 1)["message"]
    bot.subscribe("s")
    assert "before the first subscription" in bot.refused(
        {"type": "session", "id": 2, "session": name}, "INVALID_MESSAGE", 2)["message"]
    bot.request({"type": "unsubscribe", "id": 3, "subscription_id": "s"}, "unsubscribe_ack")
    enter(bot, name)
    assert "has a session already" in bot.refused(
        {"type": "session", "id": 4, "session": name}, "INVALID_MESSAGE", 4)["message"]
    assert "was never sent" in bot.refused(
        {"type": "ack", "id": 5, "position": "99999999999999-0"}, "INVALID_MESSAGE", 5)["message"]
    bot.send({"type": "ack", "position": bot.welcome["position"]})
    bot.request({"type": "ping", "id": 6}, "pong")


def test_a_session_has_64_subscriptions(gateway, connect, name):
    bot = connect(gateway)
    enter(bot, name)
    for number in range(64):
        bot.subscribe(f"s{number}")
    bot.refused({"type": "subscribe", "id": 1, "subscription_id": "more"}, "SUBSCRIPTION_LIMIT_EXCEEDED", 1)
    bot.request({"type": "unsubscribe", "id": 2, "subscription_id": "s5"}, "unsubscribe_ack")
    bot.subscribe("more")
    bot.close()
    assert len(enter(connect(gateway), name)["subscriptions"]) == 64


def test_an_ended_session_is_forgotten_and_its_subscriptions_go_on(gateway, connect, name):
    bot = connect(gateway)
    enter(bot, name)
    bot.subscribe("s")
    bot.request({"type": "end_session", "id": 10}, "end_session_ack")
    gateway.post(event(description="still live"))
    assert descriptions(bot.events(1)) == ["still live"]
    assert forgotten(gateway, connect, name)


def test_a_loss_is_told_until_the_client_has_confirmed_something_after_it(start, connect, name):
    gateway = start({"WATCHDOG_EVENT_PERSISTENCE": "false", "WATCHDOG_MAX_EVENTS_IN_MEMORY": "10"})
    bot = connect(gateway)
    enter(bot, name)
    bot.subscribe("s")
    cut(bot)
    gateway.post([event() for _ in range(30)])
    for _ in range(2):
        bot = connect(gateway)
        [kept] = enter(bot, name)["subscriptions"]
        assert (kept["recovered"], kept["reason"], kept["replaying"]) == (False, "window_exceeded", 0)
        cut(bot)
    bot = connect(gateway)
    enter(bot, name)
    [position] = gateway.post(event())
    bot.events(1)
    bot.send({"type": "ack", "position": position})
    bot.request({"type": "ping"}, "pong")
    cut(bot)
    [kept] = enter(connect(gateway), name)["subscriptions"]
    assert (kept["recovered"], kept["position"]) == (True, position)


PATIENT = {"FIML_WS_STALL_SECONDS": "120", "WATCHDOG_MAX_EVENTS_IN_MEMORY": "10000"}


def publish_much(gateway):
    """More than the kernel takes for a client that does not read: 20 MB, less than the store keeps."""
    batch = [event("low", data={"pad": "x" * 8_000}, metadata={"pad": "x" * 8_000}) for _ in range(60)]
    return [position for _ in range(20) for position in gateway.post(batch)]


def test_within_a_replay_the_position_of_another_subscription_s_event_confirms_nothing(start, connect, name):
    gateway = start(PATIENT)
    # A client that does not read: its replay stands still once what the kernel takes is full.
    bot = connect(gateway, max_queue=1)
    enter(bot, name)
    [begin] = gateway.post(event("low"))
    bot.subscribe("live", {"severities": ["critical"]})
    positions = publish_much(gateway)
    old = {"severities": ["low"]}
    bot.send({"type": "subscribe", "id": 1, "subscription_id": "old", "filter": old, "since": begin})
    [live] = gateway.post(event("critical"))
    bot.send({"type": "ack", "position": live})
    bot = connect(gateway)
    kept = {entry["subscription_id"]: entry["position"] for entry in enter(bot, name)["subscriptions"]}
    assert kept == {"live": live, "old": begin}
    assert [message["position"] for message in replayed(bot, "old", "live")] == positions


def test_within_a_replay_a_heartbeat_s_position_confirms(start, connect, name):
    gateway = start({**PATIENT, "FIML_HEARTBEAT_SECONDS": "1"})
    bot = connect(gateway, max_queue=1)
    enter(bot, name)
    [begin] = gateway.post(event("low"))
    positions = publish_much(gateway)
    bot.send({"type": "subscribe", "id": 1, "subscription_id": "old", "since": begin})
    bot.until(lambda message: message["type"] == "subscription_ack")
    # Not read for longer than a heartbeat takes to come: one stands in the middle of the replay.
    def told():
        return gateway.sample("websocket_messages_sent_total", type="heartbeat")

    before = told()
    eventually(lambda: told() >= before + 2, "heartbeats", 120)
    messages = bot.until(lambda message: message["type"] == "heartbeat", 120)
    heartbeat = messages[-1]["position"]
    assert position_key(heartbeat) < position_key(positions[-1])
    seen = [message["position"] for message in messages if message["type"] == "event"]
    assert seen == [position for position in positions if position_key(position) <= position_key(heartbeat)]
    bot.send({"type": "ack", "position": heartbeat})
    second = connect(gateway)
    [kept] = enter(second, name)["subscriptions"]
    assert kept["position"] == heartbeat
    assert [message["position"] for message in replayed(second, "old")] == positions[len(seen):]


@pytest.mark.parametrize("first", ["live", "ended", None])
def test_a_heartbeat_from_before_a_replay_confirms_nothing_of_it(start, connect, name, first):
    gateway = start({**PATIENT, "FIML_HEARTBEAT_SECONDS": "1"})
    bot = connect(gateway, max_queue=1)
    enter(bot, name)
    [begin] = gateway.post(event("low"))
    if first:
        bot.subscribe(first, {"severities": ["critical"]})
    if first == "ended":
        bot.request({"type": "unsubscribe", "id": 2, "subscription_id": first}, "unsubscribe_ack")
    positions = publish_much(gateway)
    heartbeat = ""
    while heartbeat != positions[-1]:
        heartbeat = bot.receive("heartbeat")["position"]
    bot.send({"type": "subscribe", "id": 1, "subscription_id": "old", "since": begin})
    bot.send({"type": "ack", "position": heartbeat})
    bot.send({"type": "ping", "id": 3})
    # Which it does not read: that what was sent before it was heard.
    eventually(lambda: gateway.sample("websocket_messages_sent_total", type="pong") == 1, "a pong", 120)
    bot = connect(gateway)
    kept = {entry["subscription_id"]: entry["position"] for entry in enter(bot, name)["subscriptions"]}
    assert kept == {"old": begin, **({"live": heartbeat} if first == "live" else {})}
    assert [message["position"] for message in replayed(bot, *kept)] == positions


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_bot_that_is_cut_off_again_and_again_loses_nothing(gateway, connect, name, seed):
    chance = random.Random(seed)
    bot = connect(gateway)
    enter(bot, name)
    bot.subscribe("high", {"min_severity": "high"})
    bot.subscribe("btc", {"assets": ["BTC"]})
    published = []
    is_over = threading.Event()

    def publish():
        while not is_over.is_set():
            severities = [chance.choice(["low", "high"]) for _ in range(5)]
            batch = [event(severity, symbol=chance.choice(["BTC", "ETH"])) for severity in severities]
            wanted = [entry["severity"] == "high" or entry["asset"]["symbol"] == "BTC" for entry in batch]
            published.extend(
                position for position, is_wanted in zip(gateway.post(batch), wanted, strict=True) if is_wanted)

    publisher = threading.Thread(target=publish)
    publisher.start()
    seen, resumes = set(), 0
    replaying = set()
    try:
        while resumes < 40:
            for _ in range(chance.randrange(60)):
                message = bot.next()
                if message["type"] == "event":
                    seen.add(message["position"])
                elif message["type"] == "replay_complete":
                    replaying.discard(message["subscription_id"])
                if message["type"] == "heartbeat" or (message["type"] == "event" and not replaying):
                    if chance.random() < 0.2:
                        bot.send({"type": "ack", "position": message["position"]})
            # Sometimes the new connection comes before the old one is known to be gone.
            if chance.random() < 0.5:
                cut(bot)
            bot = connect(gateway)
            ack = enter(bot, name)
            assert ack["resumed"] and [kept["recovered"] for kept in ack["subscriptions"]] == [True, True]
            replaying = {kept["subscription_id"] for kept in ack["subscriptions"]}
            resumes += 1
    finally:
        is_over.set()
        publisher.join()
    with contextlib.suppress(TimeoutError, ConnectionClosed):
        while not seen >= set(published):
            message = bot.next(20)
            if message["type"] == "event":
                seen.add(message["position"])
    assert sorted(set(published) - seen, key=position_key) == []


def test_a_name_is_logged_nowhere(gateway, connect, name):
    connect(gateway, f"/ws/events?session={name}")
    connect(gateway, f"/ws/events?session={name}").receive("session_ack")
    assert name not in gateway.log


def test_tail_goes_on_where_its_session_was_and_ends_when_it_is_taken_over(gateway, connect, name):
    tail = [binary(), "tail", "--url", gateway.ws(), "--session", name]
    older = connect(gateway)
    enter(older, name)
    older.subscribe("tail", {"min_severity": "low"})
    gateway.post([event(description=f"number {number}") for number in range(5)])
    # Of the 5, each run prints what the one before did not; the filter becomes that of the run.
    for words, numbers in ([["--count", "2"], [0, 1]], [["--count", "2"], [2, 3]], [["--timeout", "5"], [4]]):
        run = subprocess.run([*tail, *words], capture_output=True, text=True, timeout=120, check=True)
        assert [f"number {number}" in line for number, line in zip(numbers, run.stdout.splitlines(), strict=True)] \
            == [True] * len(numbers), run
    assert older.closing()[1] == (4006, "session taken over")
    with subprocess.Popen(tail, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as last:
        eventually(lambda: gateway.connections() == 1, "it is connected", 120)
        # However long it takes until it has its session: who comes after that has it.
        while last.poll() is None:
            enter(connect(gateway), name)
        assert last.wait(120) == 1
        assert "4006 session taken over" in last.stderr.read()
