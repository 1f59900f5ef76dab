"""Sessions outlive connections, gateways and nodes: wherever results are kept, they are."""

import contextlib
import secrets
import signal

import pytest
from gateway import Gateway, eventually
from servers import Postgres, Redis
from subscriber import descriptions, event
from test_sessions import cut, enter, replayed
from websockets.exceptions import ConnectionClosed

SETTINGS = {"FIML_EVENT_LOOPS": "2", "FIML_LOG_LEVEL": "debug", "REDIS_SOCKET_TIMEOUT": "1", "FIML_LEASE_SECONDS": "2"}


@pytest.fixture
def name():
    return f"bot-{secrets.token_urlsafe(16)}"


@contextlib.contextmanager
def nowhere():
    yield None


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
def store(request):
    """The server that keeps sessions, if any."""
    servers = {"sqlite": nowhere, "postgresql": Postgres, "redis": Redis}
    with servers[request.param]() as server:
        yield server


def settings_of(store):
    return {**SETTINGS, **(store.settings if store else {})}


def written(gateway):
    eventually(lambda: gateway.metric("sessions_unwritten") == 0, "what clients have confirmed is written", 30)


def confirmed(gateway, connect, name):
    """A bot that has confirmed one event, of a session that is written."""
    bot = connect(gateway)
    enter(bot, name)
    bot.subscribe("high", {"min_severity": "high"})
    position = gateway.post([event("high", description="1")])[0]
    assert descriptions(bot.events(1)) == ["1"]
    bot.send({"type": "ack", "position": position})
    bot.request({"type": "ping", "id": 9}, "pong")
    return bot


def comes_back(gateway, connect, name, expected):
    bot = connect(gateway)
    ack = enter(bot, name)
    assert ack["resumed"], ack
    assert [kept["recovered"] for kept in ack["subscriptions"]] == [True]
    assert sorted(descriptions(replayed(bot, "high"))) == sorted(expected)
    return bot


@pytest.mark.parametrize("end", ["killed", "ended in order"])
def test_a_session_outlives_the_gateway(start, connect, name, store, end):
    gateway = start(settings_of(store))
    bot = confirmed(gateway, connect, name)
    if end == "killed":
        written(gateway)
    missed = [event("high", description="2"), event("low", description="-"), event("critical", description="3")]
    cut(bot)
    gateway.post(missed)
    if end != "killed":
        gateway.signal(signal.SIGTERM)
        assert gateway.wait(20) == 0
    gateway.restart()
    gateway.post([event("high", description="4")])
    comes_back(gateway, connect, name, ["2", "3", "4"])


def test_a_bot_comes_back_at_another_node_and_the_older_connection_is_told(connect, name, tmp_path):
    with Redis() as redis, contextlib.ExitStack() as stack:
        nodes = []
        for node in ("a", "b"):
            (tmp_path / node).mkdir()
            nodes.append(stack.enter_context(
                Gateway(tmp_path / node, {**SETTINGS, **redis.settings, "FIML_NODE_ID": node})))
        a, b = nodes
        older = confirmed(a, connect, name)
        written(a)
        a.post([event("high", description="2")])
        newer = comes_back(b, connect, name, ["2"])
        with pytest.raises(ConnectionClosed) as closed:
            older.until(lambda message: False, 30)
        assert closed.value.rcvd.code == 4006
        a.post([event("high", description="live")])
        assert descriptions(newer.events(1)) == ["live"]


def test_while_the_store_is_away_a_session_is_not_taken_for_a_new_one(start, connect, name):
    with Postgres() as postgres:
        gateway = start(settings_of(postgres))
        cut(confirmed(gateway, connect, name))
        written(gateway)
        postgres.kill()
        gateway.restart()
        bot = connect(gateway)
        refused = bot.request({"type": "session", "id": 1, "session": name}, "error")
        assert (refused["error_code"], refused["retryable"]) == ("UNAVAILABLE", True), refused
        postgres.start()

        def is_back():
            bot.send({"type": "session", "id": 2, "session": name})
            answer = bot.until(lambda message: message.get("id") == 2, 30)[-1]
            return answer["type"] == "session_ack" and answer

        assert eventually(is_back, "the session is there again", 60)["resumed"]


# Settings

@pytest.mark.parametrize("hours, asked, seconds", [
    ({}, None, 24 * 3600), ({"SESSION_DEFAULT_TTL_HOURS": "2"}, None, 2 * 3600), ({}, 48, 48 * 3600),
    ({}, 8000, 168 * 3600), ({"SESSION_MAX_TTL_HOURS": "30"}, 48, 30 * 3600)])
def test_session_ttl_hours(start, connect, name, hours, asked, seconds):
    bot = connect(start(hours))
    ack = enter(bot, name, **({"ttl_hours": asked} if asked else {}))
    assert ack["ttl_seconds"] == seconds


def test_postgres_pool_size(start, connect):
    with Postgres() as postgres:
        gateway = start({**settings_of(postgres), "POSTGRES_POOL_SIZE": "1"})
        for _ in range(5):
            enter(connect(gateway), f"bot-{secrets.token_urlsafe(16)}")
            assert gateway.get("/analysis/task_unknown").status == 404
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fiml-gateway'"
        assert postgres.psql(count).strip() == "1"
