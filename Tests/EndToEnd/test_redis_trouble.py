"""Trouble with Redis: what holds while it is away, slow, paused or emptied, and after; and what it is asked for."""

import json
import time

import pytest
from gateway import eventually, free_port
from load import Load
from proxy import Proxy
from servers import Redis, redis_settings
from subscriber import descriptions, event, position_key
from test_store_trouble import assert_in_trouble, assert_well_again, ends_with_one_line, publish

SETTINGS = {"FIML_HEARTBEAT_SECONDS": "1", "REDIS_SOCKET_TIMEOUT": "2"}


@pytest.fixture
def redis():
    with Redis() as server:
        yield server


def test_a_gateway_whose_redis_is_not_there_does_not_start(tmp_path):
    port = free_port()
    ends_with_one_line(tmp_path, redis_settings(port), f"127.0.0.1:{port}")


@pytest.mark.parametrize("password", [None, "wrong"])
def test_a_gateway_with_a_wrong_password_does_not_start_and_does_not_tell_it(tmp_path, password):
    with Redis(password="r1ght") as redis:
        line = ends_with_one_line(tmp_path, redis_settings(redis.port, password), "REDIS_PASSWORD")
        assert "r1ght" not in line and '"wrong"' not in line


def test_a_database_that_does_not_exist_is_refused(tmp_path, redis):
    ends_with_one_line(tmp_path, redis_settings(redis.port, database=99), "99")


def test_password_and_database_number_are_used(start):
    with Redis(password="pass word'\"\\", database=3) as redis:
        gateway = start(SETTINGS | redis.settings)
        gateway.post([event(description="here")])
        assert "here" in redis.cli("XRANGE", "watchdog:events", "-", "+")
        redis.database = 0
        assert redis.cli("DBSIZE") == "0"
        gateway.assert_healthy()


def test_everybody_can_read_the_stream_with_redis_cli(start, redis):
    gateway = start(SETTINGS | redis.settings)
    positions = gateway.post([event("critical", description="ü first"), event(symbol=None, description="second")])
    lines = redis.cli("--json", "XRANGE", "watchdog:events", "-", "+")
    entries = json.loads(lines)
    assert [position for position, _ in entries] == positions, "the stream's ids are the positions"
    stored = [dict(zip(fields[::2], fields[1::2])) if isinstance(fields, list) else fields for _, fields in entries]
    assert stored[0]["severity"] == "critical" and "ü first" in json.dumps(stored[0], ensure_ascii=False)


def test_what_another_program_adds_to_the_stream_is_taken_in(start, connect, redis):
    gateway = start(SETTINGS | redis.settings)
    client = connect(gateway)
    client.subscribe()
    [before] = gateway.post([event(description="ours")])
    foreign = event(description="theirs", event_id="evt_foreign")
    position = redis.cli("XADD", "watchdog:events", "*", "event", json.dumps(foreign))
    redis.cli("XADD", "watchdog:events", "*", "event", "{not JSON")
    redis.cli("XADD", "watchdog:events", "*", "anything", "else")
    gateway.post([event(description="ours again")])
    messages = client.events(3)
    assert descriptions(messages) == ["ours", "theirs", "ours again"]
    assert messages[1]["position"] == position and messages[1]["event"]["event_id"] == "evt_foreign"
    assert client.subscribe("again", since=before)["replaying"] == 2
    gateway.assert_alive()


def test_a_redis_that_goes_away_refuses_publishers_until_it_is_back(start, redis):
    gateway = start(SETTINGS | redis.settings)
    with Load([gateway], "Redis gone", publishers=2, subscribers=4) as load:
        load.wait_for(100)
        redis.kill()
        assert_in_trouble(gateway, "redis")
        assert gateway.get("/livez").status == 200
        redis.start()
        assert_well_again(gateway)
        load.finish().read_back(gateway)
    load.assert_good_beside_others()


def test_a_redis_that_is_paused_refuses_publishers_in_time_and_loses_nothing(start, redis):
    gateway = start(SETTINGS | redis.settings)
    with Load([gateway], "Redis paused", publishers=2, subscribers=4) as load:
        load.wait_for(100)
        with redis.paused():
            begin = time.monotonic()
            assert_in_trouble(gateway, "redis")
            assert time.monotonic() - begin < 10, "REDIS_SOCKET_TIMEOUT is 2 s"
        assert_well_again(gateway)
        load.finish().read_back(gateway)
    load.assert_good_beside_others()


def test_a_slow_redis_makes_answers_slow_and_nothing_else(start, connect, redis):
    with Proxy(redis.port) as wire:
        gateway = start(SETTINGS | redis.through(wire))
        client = connect(gateway)
        client.subscribe()
        wire.delay(0.3)
        begin = time.monotonic()
        gateway.post([event(description="slow")])
        assert time.monotonic() - begin >= 0.6
        assert descriptions(client.events(1)) == ["slow"]
        begin = time.monotonic()
        assert gateway.get("/livez").status == 200
        client.request({"type": "ping", "id": 1}, "pong")
        assert time.monotonic() - begin < 0.3, "nobody else waits for it"
        wire.heal()
        assert_well_again(gateway)


def test_a_wire_that_is_cut_and_healed_is_taken_up_again(start, redis):
    with Proxy(redis.port) as wire:
        gateway = start(SETTINGS | redis.through(wire))
        with Load([gateway], "wire cut", publishers=2, subscribers=4) as load:
            for break_it in (wire.cut, wire.stall):
                load.wait_for(50)
                break_it()
                assert_in_trouble(gateway, "redis")
                wire.heal()
                assert_well_again(gateway)
            load.finish().read_back(gateway)
        load.assert_good_beside_others()


@pytest.mark.parametrize("how", ["flush", "empty"])
def test_a_redis_that_lost_everything_is_a_loss_that_is_told(start, connect, redis, how):
    gateway = start(SETTINGS | redis.settings)
    client = connect(gateway)
    client.subscribe()
    positions = gateway.post([event() for _ in range(100)])
    client.events(100)
    getattr(redis, how)()
    new = assert_well_again(gateway)
    assert position_key(new) > position_key(positions[-1]), "positions go on growing"
    client.until(lambda message: message["type"] == "event" and message["position"] == new)
    other = connect(gateway)
    for position in positions[:-1]:
        ack = other.subscribe(f"since {position}", since=position)
        assert (ack["recovered"], ack["reason"]) == (False, "window_exceeded")
        other.request({"type": "unsubscribe", "id": 1, "subscription_id": f"since {position}"}, "unsubscribe_ack")
    stored = [entry["position"] for entry in gateway.get_json("/events?limit=1000")["events"]]
    assert positions[0] not in stored and new in stored


def test_a_flush_under_load_is_told_to_whom_it_cost_something(start, redis):
    gateway = start(SETTINGS | redis.settings)
    with Load([gateway], "flush", publishers=2, subscribers=4) as load:
        for _ in range(3):
            load.wait_for(200)
            redis.flush()
            assert_well_again(gateway)
        load.finish()
    load.assert_good_beside_others(losses_may_be_told=True)


def test_a_redis_out_of_memory_refuses_publishers_until_there_is_room(start):
    with Redis(maxmemory="3mb", **{"maxmemory-policy": "noeviction"}) as redis:
        gateway = start(SETTINGS | redis.settings)
        one = event(description="x" * 500)
        eventually(lambda: publish(gateway, [one] * 200).status == 503, "its memory is full", 60)
        assert_in_trouble(gateway, "redis")
        redis.cli("CONFIG", "SET", "maxmemory", "100mb")
        assert_well_again(gateway)
        gateway.assert_alive()
