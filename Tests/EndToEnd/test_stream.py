"""The event stream: `fiml.v1.json` over WebSocket, as the protocol's sections describe it."""

import json
import time

import pytest
import sockets
from subscriber import (
    Subscriber, delivered_before_mark, descriptions, event, position_key, subscribe_to_marks)
from websockets.exceptions import InvalidStatus


def test_a_connection_begins_with_a_welcome_that_states_protocol_position_and_limits(gateway, connect):
    client = connect(gateway)
    assert client.socket.subprotocol == "fiml.v1.json"
    welcome = client.welcome
    assert welcome["protocol"] == "fiml.v1.json" and welcome["authenticated"] is True
    assert welcome["limits"]["max_subscriptions"] == 64
    assert position_key(welcome["earliest_position"]) <= position_key(welcome["position"])


def test_the_subprotocol_is_spoken_also_where_none_is_offered(gateway, connect):
    client = connect(gateway, subprotocols=None)
    assert client.welcome["protocol"] == "fiml.v1.json"


def test_ws_is_an_alias(gateway, connect):
    assert connect(gateway, "/ws").welcome["protocol"] == "fiml.v1.json"


def test_connection_ids_differ(gateway, connect):
    ids = {connect(gateway).welcome["connection_id"] for _ in range(10)}
    assert len(ids) == 10


FILTERS = {
    "no filter": ({}, ["low BTC", "high ETH", "critical volume", "wide", "equity", "two assets"]),
    "min_severity": ({"min_severity": "high"}, ["high ETH", "critical volume", "wide"]),
    "severities": ({"severities": ["low", "critical"]}, ["low BTC", "critical volume"]),
    "both severities": ({"severities": ["low", "critical"], "min_severity": "high"}, ["critical volume"]),
    "watchdogs": ({"watchdogs": ["unusual_volume"]}, ["critical volume"]),
    "watchdog of another type": ({"watchdogs": ["funding_rate"]}, ["equity"]),
    "event_types": ({"event_types": ["flash_crash", "funding_spike"]}, ["high ETH", "equity"]),
    "asset": ({"assets": ["BTC"], "include_market_wide": False}, ["low BTC", "two assets"]),
    "asset with asterisk": ({"assets": ["ETH*"], "include_market_wide": False}, ["high ETH", "two assets"]),
    "assets take market-wide events along": ({"assets": ["AAPL"]}, ["wide", "equity"]),
    "asset in lower case": ({"assets": ["aapl"], "include_market_wide": False}, ["equity"]),
    "asset_types": ({"asset_types": ["equity"], "include_market_wide": False}, ["equity"]),
    "fields mean AND": ({"assets": ["ETH*"], "min_severity": "high", "include_market_wide": False}, ["high ETH"]),
    "null means any": ({"severities": None, "assets": None, "watchdogs": ["unusual_volume"]}, ["critical volume"]),
    "where gte on data": ({"where": {"key": "data.ratio", "cmp": "gte", "val": 7.5}}, ["critical volume"]),
    "where ex": ({"where": {"key": "data.ratio", "cmp": "ex"}}, ["critical volume"]),
    "where lacks": (
        {"where": {"key": "data.ratio", "cmp": "neq", "val": 7.5}},
        ["low BTC", "high ETH", "wide", "equity", "two assets"]),
    "where tree": (
        {"where": {"op": "or", "nodes": [
            {"op": "and", "nodes": [
                {"key": "severity", "cmp": "eq", "val": "high"},
                {"key": "type", "cmp": "sw", "val": "flash"}]},
            {"op": "not", "nodes": [{"key": "asset.asset_type", "cmp": "in", "vals": ["crypto"]}]}]}},
        ["high ETH", "wide", "equity"]),
    "nothing passes": ({"severities": ["low"], "watchdogs": ["unusual_volume"]}, []),
}


def one_of_each_kind():
    return [
        event("low", symbol="BTC", description="low BTC"),
        event("high", type="flash_crash", symbol="ETHUSDT", description="high ETH"),
        event("critical", "unusual_volume", symbol="SOL", description="critical volume", data={"ratio": 7.5}),
        event("high", "liquidity_drop", symbol=None, description="wide"),
        event("medium", "funding_rate", asset={"symbol": "AAPL", "asset_type": "equity"}, description="equity"),
        event("medium", symbol="BTC", assets=["BTC", "ETH"], description="two assets"),
    ]


@pytest.mark.parametrize("name", FILTERS)
def test_a_subscriber_gets_what_its_filter_passes(gateway, connect, name):
    filter, expected = FILTERS[name]
    client = connect(gateway)
    subscribe_to_marks(client)
    client.subscribe("s", filter)
    gateway.post(one_of_each_kind())
    assert descriptions(delivered_before_mark(gateway, client)) == expected


def test_what_is_published_is_what_arrives_with_its_position_and_defaults(gateway, connect):
    client = connect(gateway)
    client.subscribe()
    sent = event("critical", data={"usd": 1.5, "deep": {"list": [1, None, "ü"]}}, metadata={"source": "test"},
                 evidence={"rule": "r", "operator": "gte", "threshold": 1.0, "observed": 2.5})
    [position] = gateway.post(sent)
    [message] = client.events(1)
    assert message["position"] == position
    received = message["event"]
    for name in ("type", "severity", "watchdog", "description", "data", "metadata"):
        assert received[name] == sent[name]
    assert received["status"] == "firing" and received["assets"] == ["BTC"]
    assert received["asset"] == {"currency": "USD", **sent["asset"]}
    assert {"subscription_id", "id"}.isdisjoint(message), "an event frame carries nothing of a subscription (rule 5)"


def test_positions_grow_strictly(gateway, connect):
    client = connect(gateway)
    client.subscribe()
    gateway.post([event() for _ in range(500)])
    positions = [position_key(message["position"]) for message in client.events(500)]
    assert positions == sorted(set(positions))


def test_an_event_comes_once_also_where_several_subscriptions_want_it(gateway, connect):
    client = connect(gateway)
    subscribe_to_marks(client)
    client.subscribe("a", {"min_severity": "low"})
    client.subscribe("b", {"assets": ["BTC"]})
    client.subscribe("c")
    gateway.post([event(description="once"), event("low", symbol="XRP", description="twice")])
    assert descriptions(delivered_before_mark(gateway, client)) == ["once", "twice"]


def test_update_subscription_changes_the_filter_in_place(gateway, connect):
    client = connect(gateway)
    subscribe_to_marks(client)
    client.subscribe("s", {"assets": ["BTC"]})
    ack = client.request(
        {"type": "update_subscription", "id": "u", "subscription_id": "s", "filter": {"assets": ["ETH"]}},
        "subscription_ack")
    assert ack["subscription_id"] == "s" and ack["recovered"] is True
    gateway.post([event(symbol="BTC", description="before"), event(symbol="ETH", description="after")])
    assert descriptions(delivered_before_mark(gateway, client)) == ["after"]


def test_after_unsubscribe_nothing_comes(gateway, connect):
    client = connect(gateway)
    subscribe_to_marks(client)
    client.subscribe("s")
    ack = client.request({"type": "unsubscribe", "id": 4, "subscription_id": "s"}, "unsubscribe_ack")
    assert ack["subscription_id"] == "s"
    gateway.post(event())
    assert delivered_before_mark(gateway, client) == []


def test_list_subscriptions_shows_the_filters(gateway, connect):
    client = connect(gateway)
    client.subscribe("a", {"severities": ["critical", "high"], "assets": ["btc"]})
    client.subscribe("b")
    answer = client.request({"type": "list_subscriptions", "id": 5}, "subscriptions")
    shown = {entry["subscription_id"]: entry["filter"] for entry in answer["subscriptions"]}
    assert shown["b"] == {}
    assert sorted(shown["a"]["severities"]) == ["critical", "high"] and shown["a"]["assets"] == ["BTC"]
    client.subscribe("again", shown["a"])


@pytest.mark.parametrize("id", [0, -7, 2**53, "x", "ü" * 64])
def test_ping_is_answered_with_its_id(gateway, connect, id):
    assert connect(gateway).request({"type": "ping", "id": id}, "pong")["id"] == id


def test_a_request_without_id_is_answered_without(gateway, connect):
    client = connect(gateway)
    client.send({"type": "ping"})
    assert "id" not in client.receive("pong")


QUERIES = {
    "severities=critical,high&assets=BTC": ["high BTC"],
    "min_severity=high&assets=BTC,ETH*&include_market_wide=false": ["high BTC", "critical ETHUSDT"],
    "watchdogs=unusual_volume": ["volume"],
    "where=%7B%22key%22%3A%22data.n%22%2C%22cmp%22%3A%22gt%22%2C%22val%22%3A3%7D": ["volume"],
}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_string_subscribes_at_once(gateway, connect, query):
    client = connect(gateway, "/ws/events?" + query)
    assert client.receive("subscription_ack")["subscription_id"] == "query"
    subscribe_to_marks(client)
    gateway.post([
        event("high", symbol="BTC", description="high BTC", data={"n": 1}),
        event("critical", symbol="ETHUSDT", description="critical ETHUSDT"),
        event("medium", "unusual_volume", symbol="SOL", description="volume", data={"n": 4})])
    assert descriptions(delivered_before_mark(gateway, client)) == QUERIES[query]


@pytest.mark.parametrize("query", ["severities=hgh", "color=red", "last=x", "since=1-0&last=2", "snapshot=1"])
def test_a_wrong_query_string_is_answered_400_before_the_handshake(gateway, query):
    with pytest.raises(InvalidStatus) as refused:
        Subscriber(gateway.ws("/ws/events?" + query))
    assert refused.value.response.status_code == 400


def subscribing(**filter):
    return {"type": "subscribe", "id": 9, "subscription_id": "x", "filter": filter}


@pytest.mark.parametrize(("message", "code", "named"), [
    (subscribing(severities=["hgh"]), "INVALID_FILTER", ["hgh", "low, medium, high, critical"]),
    (subscribing(watchdogs=["funding_spike"]), "INVALID_FILTER", ["funding_spike", "funding_rate", "price_anomaly"]),
    (subscribing(event_types=["funding_rate"]), "INVALID_FILTER", ["funding_rate", "funding_spike"]),
    (subscribing(asset_types=["stock"]), "INVALID_FILTER", ["stock", "equity", "crypto"]),
    (subscribing(severity=["high"]), "INVALID_FILTER", ["severity", "severities"]),
    (subscribing(severities="high"), "INVALID_FILTER", ["severities"]),
    (subscribing(severities=[]), "INVALID_FILTER", ["severities"]),
    (subscribing(where={"key": "type", "cmp": "ge", "val": 1}), "INVALID_FILTER", ["ge", "gte", "filter.where.cmp"]),
    (subscribing(where={"op": "and", "nodes": [{"key": "type", "cmp": "ex"}] * 64}), "INVALID_FILTER", ["64"]),
    ({"type": "subscribe", "id": 9}, "INVALID_MESSAGE", ["subscription_id"]),
    ({"type": "subscribe", "id": 9, "subscription_id": "x", "filtre": {}}, "INVALID_MESSAGE", ["filtre", "filter"]),
    ({"type": "subscribe", "id": 9, "subscription_id": "x", "since": "1-0", "last": 1}, "INVALID_MESSAGE", ["since"]),
    ({"type": "subscribe", "id": 9, "subscription_id": "x", "since": "yesterday"}, "INVALID_MESSAGE", ["since"]),
    ({"type": "subscribe", "id": 9, "subscription_id": "x", "last": 1001}, "INVALID_MESSAGE", ["last", "1000"]),
    ({"type": "suscribe", "id": 9}, "INVALID_MESSAGE_TYPE", ["suscribe", "subscribe", "list_subscriptions"]),
    ({"id": 9}, "INVALID_MESSAGE", ["type"]),
    ({"type": "ping", "id": 9, "extra": 1}, "INVALID_MESSAGE", ["extra"]),
    ({"type": "unsubscribe", "id": 9, "subscription_id": "none"}, "UNSUBSCRIBE_ERROR", ["none"]),
    ({"type": "update_subscription", "id": 9, "subscription_id": "none", "filter": {}}, "SUBSCRIPTION_ERROR",
     ["none"]),
    ({"type": "auth", "id": 9, "token": "x"}, "UNAVAILABLE", ["auth"]),
])
def test_a_wrong_request_is_answered_by_its_code_and_names_what_is_allowed(gateway, connect, message, code, named):
    client = connect(gateway)
    error = client.refused(message, code, id=9)
    for word in named:
        assert word in error["message"], error
    client.request({"type": "ping", "id": 1}, "pong")


@pytest.mark.parametrize("text", ["", "{", "nul", '{"type":"ping"}x', '{"type":"ping","type":"ping"}', "[" * 200,
                                  '{"a":"\\ud800"}', "\u0000", '{"type":"ping","id":01}'])
def test_text_that_is_not_json_is_answered_invalid_json(gateway, connect, text):
    client = connect(gateway)
    client.refused(text, "INVALID_JSON")
    client.request({"type": "ping", "id": 1}, "pong")


@pytest.mark.parametrize("text", ["[]", "1", '"ping"', "null", '{"type":1}', '{"type":"ping","id":1.5}',
                                  json.dumps({"type": "ping", "id": "x" * 65})])
def test_json_that_is_no_message_is_answered_invalid_message(gateway, connect, text):
    connect(gateway).refused(text, "INVALID_MESSAGE")


def test_a_second_subscription_of_the_same_id_is_refused(gateway, connect):
    client = connect(gateway)
    client.subscribe("s")
    client.refused({"type": "subscribe", "id": 3, "subscription_id": "s"}, "ALREADY_SUBSCRIBED", id=3)


def test_the_65th_subscription_is_refused_and_the_64_go_on(gateway, connect):
    client = connect(gateway)
    for number in range(64):
        client.subscribe(f"s{number}")
    client.refused(
        {"type": "subscribe", "id": 3, "subscription_id": "s64"}, "SUBSCRIPTION_LIMIT_EXCEEDED", id=3)
    gateway.post(event(description="still"))
    assert descriptions(client.events(1)) == ["still"]


def test_a_binary_message_closes_with_1003(gateway, connect):
    client = connect(gateway)
    client.send(b'{"type":"ping"}')
    assert client.closing()[1][0] == 1003


def test_a_message_over_the_limit_closes_with_1009(gateway, connect):
    limit = connect(gateway).welcome["limits"]["max_message_bytes"]
    fits, over = connect(gateway), connect(gateway)
    text = json.dumps({"type": "ping", "id": 1})
    fits.send(text + " " * (limit - len(text)))
    assert fits.receive("pong")["id"] == 1
    over.send(text + " " * (limit + 1 - len(text)))
    assert over.closing()[1][0] == 1009


def test_a_compressed_message_over_the_inflated_limit_closes_with_1009(gateway, connect):
    client = connect(gateway, compression="deflate")
    client.send(" " * 60_000 + '{"type":"ping","id":1}')
    assert client.receive("pong")["id"] == 1
    client.send(" " * 70_000)
    assert client.closing()[1][0] == 1009


def test_requests_over_the_rate_are_refused_with_a_delay_after_which_they_succeed(start, connect):
    gateway = start({"FIML_WS_REQUESTS_PER_SECOND": "10", "FIML_WS_REQUEST_BURST": "20"})
    client = connect(gateway)
    for number in range(40):
        client.send({"type": "ping", "id": number})
    answers = [client.next() for _ in range(40)]
    refusals = [answer for answer in answers if answer["type"] == "error"]
    assert [answer["id"] for answer in answers[:20]] == list(range(20))
    assert 15 <= len(refusals) <= 20
    assert all(answer["error_code"] == "RATE_LIMITED" and answer["retryable"] for answer in refusals)
    time.sleep(refusals[-1]["retry_after_ms"] / 1000)
    client.request({"type": "ping", "id": 1}, "pong")


def test_a_client_that_ignores_the_rate_is_closed_with_4101(start):
    gateway = start({"FIML_WS_REQUESTS_PER_SECOND": "1", "FIML_WS_REQUEST_BURST": "1"})
    with sockets.WebSocket(gateway.port, "/ws/events") as client:
        client.send(sockets.frame(sockets.TEXT, b'{"type":"ping"}') * 150)
        assert client.close_code() == 4101


def test_heartbeats_tell_the_position_and_what_was_sent(start, connect):
    gateway = start({"FIML_HEARTBEAT_SECONDS": "1"})
    client = connect(gateway)
    assert client.welcome["heartbeat_seconds"] == 1
    client.subscribe("s", {"min_severity": "high"})
    positions = gateway.post([event("high"), event("low"), event("critical"), event("low")])
    client.events(2)
    began = time.monotonic()
    first = client.receive("heartbeat", 3)
    assert first["position"] == positions[-1], "complete also beyond the last event that the filter passed"
    assert (first["events_sent"], first["events_dropped"], first["active_subscriptions"]) == (2, 0, 1)
    second = client.receive("heartbeat", 3)
    assert 0.8 < time.monotonic() - began < 3.5
    assert second["events_sent"] == 2


def test_a_silent_client_is_pinged_and_closed_with_4201_where_no_pong_comes(start):
    gateway = start({"FIML_WS_PING_SECONDS": "1", "FIML_WS_PONG_TIMEOUT_SECONDS": "1"})
    with sockets.WebSocket(gateway.port, "/ws/events") as client:
        assert client.frame().opcode == sockets.TEXT
        for _ in range(2):
            ping = client.frame()
            assert ping.opcode == sockets.PING, "one that answers stays, and is pinged again"
            client.send_frame(sockets.PONG, ping.payload)
        assert client.frame().opcode == sockets.PING
        assert client.close_code() == 4201


def test_deflated_and_plain_subscribers_get_the_same_messages(gateway, connect):
    plain, deflated = connect(gateway), connect(gateway, compression="deflate")
    assert "permessage-deflate" in deflated.socket.response.headers["Sec-WebSocket-Extensions"]
    assert "Sec-WebSocket-Extensions" not in plain.socket.response.headers
    for client in (plain, deflated):
        client.subscribe()
    gateway.post([event(data={"text": "lorem ipsum " * (number % 50)}) for number in range(200)])
    assert plain.events(200) == deflated.events(200)


def test_subscribers_on_two_event_loops_see_the_same_order(start, connect):
    gateway = start({"FIML_EVENT_LOOPS": "2"})
    clients = [connect(gateway) for _ in range(24)]
    loops = gateway.get_json("/connections")["loops"]
    assert len(loops) == 2 and all(loop["connections"] > 0 for loop in loops), loops
    for client in clients:
        client.subscribe()
    for _ in range(20):
        gateway.post([event() for _ in range(10)])
    received = [client.events(200) for client in clients]
    assert all(events == received[0] for events in received)
    positions = [position_key(message["position"]) for message in received[0]]
    assert positions == sorted(set(positions))
