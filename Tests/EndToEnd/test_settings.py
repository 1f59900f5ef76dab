"""Settings of the watchdogs that only a whole process shows: each with two values, and what a user sees of them.

All other settings of the watchdogs are in SettingEffectTests.swift, which also checks that none is missing: a test
here is named after its setting.
"""

import signal
import time

import pytest
from gateway import eventually
from providers import Providers
from subscriber import event

WATCHDOGS = [
    "EARNINGS_ANOMALY", "UNUSUAL_VOLUME", "WHALE_MOVEMENT", "FUNDING_RATE", "LIQUIDITY_DROP", "CORRELATION_BREAKDOWN",
    "EXCHANGE_OUTAGE", "PRICE_ANOMALY",
]
# A live market on which only funding_rate looks, each second, and gives up at its first failure.
FUNDING = {f"ENABLE_{name}_WATCHDOG": "false" for name in WATCHDOGS} | {
    "WATCHDOG_GLOBAL_ENABLED": "true", "ENABLE_FUNDING_RATE_WATCHDOG": "true", "FUNDING_RATE_CHECK_INTERVAL": "1",
    "FUNDING_RATE_ASSETS": "BTC", "WATCHDOG_RETRY_DELAY_SECONDS": "0", "WATCHDOG_CONSECUTIVE_FAILURE_THRESHOLD": "1",
}
RATES = ["binance_futures", "bybit", "okx"]


@pytest.fixture
def market():
    with Providers() as providers:
        yield providers


def funding(gateway):
    return gateway.get_json("/watchdogs/funding_rate")


def events(gateway):
    return [one["event"] for one in gateway.get_json("/events?limit=1000")["events"]]


def checked(gateway):
    """Twice: what came of the first check has then been told."""
    eventually(
        lambda: gateway.get("/health/watchdogs").status == 200 and funding(gateway)["checks_performed"] > 1,
        "funding_rate is checked", 20)


@pytest.mark.parametrize("value, are_events", [("true", True), ("false", False)])
def test_watchdog_event_stream_enabled(start, value, are_events):
    gateway = start({"WATCHDOG_GLOBAL_ENABLED": "true", "WATCHDOG_EVENT_STREAM_ENABLED": value})
    eventually(lambda: gateway.metric("watchdog_events_total") >= 5, "conditions are found", 20)
    eventually(lambda: bool(events(gateway)) == are_events, "they are told or not")


@pytest.mark.parametrize("value, kept", [("true", True), ("false", False)])
def test_watchdog_event_persistence(start, market, tmp_path, value, kept):
    kept_in = {"WATCHDOG_EVENT_PERSISTENCE": value, "FIML_DATA_DIR": str(tmp_path / "data")}
    settings = {**FUNDING, **market.settings(), **kept_in}
    market.funding = dict.fromkeys(RATES, 0.004) | {"binance": 0.004}
    first = start(settings)
    eventually(lambda: events(first), "funding fires", 20)
    told = [one["event_id"] for one in events(first)]
    first.signal(signal.SIGTERM)
    assert first.wait() == 0

    second = start(settings)
    checked(second)
    again = [one["event_id"] for one in events(second)]
    assert (again == told) == kept, "what was kept is still there, and not told a second time"
    assert len(again) == len(told)


@pytest.mark.parametrize("value, sent", [("true", 1), ("false", 0)])
def test_watchdog_websocket_broadcast(start, connect, value, sent):
    gateway = start({"WATCHDOG_WEBSOCKET_BROADCAST": value, "FIML_HEARTBEAT_SECONDS": "1"})
    client = connect(gateway)
    client.subscribe()
    gateway.post(event())
    assert len(events(gateway)) == 1, "it can be read either way"
    # The second heartbeat began a second later than the event, at least.
    heartbeats = [client.until(lambda message: message["type"] == "heartbeat")[-1] for _ in range(2)]
    assert heartbeats[-1]["events_sent"] == sent


@pytest.mark.parametrize("value, is_read", [("5", True), ("1000", False)])
def test_watchdog_max_events_in_memory(start, value, is_read):
    gateway = start({"WATCHDOG_MAX_EVENTS_IN_MEMORY": value})
    gateway.post([event() for _ in range(20)])
    assert len(events(gateway)) == 20
    assert (gateway.metric("event_store_pages_read_total") > 0) == is_read, "read back from the store, or not"


def test_watchdog_max_events_in_memory_are_all_without_persistence(start):
    gateway = start({"WATCHDOG_MAX_EVENTS_IN_MEMORY": "5", "WATCHDOG_EVENT_PERSISTENCE": "false"})
    gateway.post([event() for _ in range(20)])
    assert len(events(gateway)) == 5


@pytest.mark.parametrize("value, is_told", [("1", True), ("86400", False)])
def test_watchdog_health_check_interval(start, market, value, is_told):
    market.faults = dict.fromkeys(RATES, 500)
    gateway = start({**FUNDING, **market.settings(), "WATCHDOG_HEALTH_CHECK_INTERVAL": value})
    checked(gateway)
    eventually(lambda: funding(gateway)["status"] == "unhealthy", "the check fails", 20)
    if is_told:
        eventually(lambda: events(gateway), "it is told at the next look", 5)
        assert events(gateway)[0]["type"] == "watchdog_health"
    else:
        time.sleep(2)
        assert events(gateway) == [], "the next look is tomorrow"


@pytest.mark.parametrize("value, status", [("1", "stale"), ("300", "healthy")])
def test_watchdog_stale_seconds(start, market, value, status):
    gateway = start({**FUNDING, **market.settings(), "WATCHDOG_STALE_SECONDS": value})
    checked(gateway)
    eventually(lambda: funding(gateway)["status"] == "healthy", "funding_rate sees its market", 20)
    market.faults = dict.fromkeys(RATES, "slow")

    def is_waiting():
        """For longer than two intervals, which no setting makes stale, and one second."""
        return funding(gateway)["seconds_since_last_check"] > 2.5

    eventually(is_waiting, "no answer comes", 10)
    assert funding(gateway)["status"] == status
