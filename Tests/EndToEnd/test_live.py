"""The eight watchdogs on a live market: providers' real paths, over real HTTP, played by a local server."""

import signal
import time

import pytest
from gateway import eventually
from providers import Providers

FAST = {
    "WATCHDOG_GLOBAL_ENABLED": "true", "WATCHDOG_RETRY_DELAY_SECONDS": "0", "WATCHDOG_HEALTH_CHECK_INTERVAL": "1",
    "PRICE_ANOMALY_WINDOW_SECONDS": "4", "PRICE_ANOMALY_ASSETS": "BTC,ETH",
    # Only what needs no key, and no more often than the providers' rates allow.
    "WHALE_MOVEMENT_ASSETS": "BTC", "WHALE_MOVEMENT_CHECK_INTERVAL": "20", "LIQUIDITY_DROP_ASSETS": "BTC",
    "EARNINGS_ANOMALY_ASSETS": "AMZN", "EARNINGS_ANOMALY_CHECK_INTERVAL": "5", "UNUSUAL_VOLUME_ASSETS": "AAPL,SPY",
} | {
    f"{name}_CHECK_INTERVAL": "1"
    for name in (
        "UNUSUAL_VOLUME", "FUNDING_RATE", "LIQUIDITY_DROP", "CORRELATION_BREAKDOWN", "EXCHANGE_OUTAGE",
        "PRICE_ANOMALY",
    )
}


@pytest.fixture
def market():
    with Providers() as providers:
        yield providers


def statuses(gateway):
    return {one["name"]: one["status"] for one in gateway.get_json("/health/watchdogs")["watchdogs"]}


def next_of(subscriber, kind, seconds=30):
    """The next message of a type; others, as changes of status, may come before it."""
    end = time.monotonic() + seconds
    while (message := subscriber.next(max(0.1, end - time.monotonic())))["type"] != kind:
        pass
    return message


def all_healthy(gateway):
    health = gateway.get("/health/watchdogs")
    return health.status == 200 and set(statuses(gateway).values()) == {"healthy"}


def events(gateway, query=""):
    return gateway.get_json(f"/events?limit=1000{query}")["events"]


def firing(gateway, name):
    return [one for one in events(gateway, f"&watchdogs={name}") if one["event"]["status"] == "firing"]


def test_all_eight_are_healthy_fire_on_what_happens_and_resolve_when_it_is_over(start, market):
    # Daily bars are asked for once a minute, so these two are wrong from the start.
    market.volume_today["AAPL"] = 6
    market.against = {"QQQ", "ETH", "TLT"}
    gateway = start({**FAST, **market.settings()})
    eventually(lambda: all_healthy(gateway), "all eight see their market", 30)
    # Ten snapshots make a mean of the depth, and a price four seconds ago is needed.
    eventually(lambda: watchdog(gateway, "liquidity_drop")["checks_performed"] > 12, "there is history", 30)
    assert {one["event"]["watchdog"] for one in events(gateway)} == {"unusual_volume", "correlation_breakdown"}

    market.prices["BTC"] *= 0.85
    market.funding = dict.fromkeys(market.funding, -0.004)
    market.depth = 0.2
    market.surprises["AMZN"] = (10.3, 1.46)
    market.mine([("b" * 64, 200.0), ("c" * 64, 1.0)])
    market.faults["coinbase"] = 503
    expected = {
        "price_anomaly": ("flash_crash", "critical", "BTC"), "unusual_volume": ("unusual_volume", "critical", "AAPL"),
        "funding_rate": ("funding_spike", "critical", "BTC"), "liquidity_drop": ("liquidity_drop", "critical", "BTC"),
        "earnings_anomaly": ("earnings_anomaly", "high", "AMZN"), "whale_movement": ("whale_movement", "high", "BTC"),
    }
    for name, (kind, severity, symbol) in expected.items():
        def seen():
            return [one["event"] for one in firing(gateway, name) if one["event"]["asset"]["symbol"] == symbol]
        event = eventually(seen, f"{name} fires", 30)[0]
        assert (event["type"], event["severity"]) == (kind, severity), event
        assert event["evidence"]["observed"] is not None and event["data"], event
    outage = eventually(lambda: firing(gateway, "exchange_outage"), "exchange_outage fires", 20)[0]["event"]
    assert (outage["asset"], outage["data"]["exchange"], outage["data"]["status_code"]) == (None, "coinbase", 503)
    assert outage["severity"] == "high"
    breaks = firing(gateway, "correlation_breakdown")
    assert {tuple(one["event"]["assets"]) for one in breaks} <= {("BTC", "ETH"), ("SPY", "QQQ"), ("GLD", "TLT"), ("BTC", "SPY")}
    assert all(len(one["event"]["assets"]) == 2 for one in breaks)

    market.faults = {}
    market.depth = 1.0
    market.funding = dict.fromkeys(market.funding, 0.0001)
    for name in ("price_anomaly", "funding_rate", "liquidity_drop", "exchange_outage"):
        eventually(
            lambda: [one for one in events(gateway, f"&watchdogs={name}") if one["event"]["status"] == "resolved"],
            f"{name} resolves", 20)
    assert statuses(gateway)["exchange_outage"] == "healthy"


def watchdog(gateway, name):
    return gateway.get_json(f"/watchdogs/{name}")


def test_what_fires_is_told_once_also_over_a_kill_and_the_history_is_still_there(start, market, connect):
    settings = {
        **FAST, **market.settings(), "WATCHDOG_HEALTH_CHECK_INTERVAL": "60", "FIML_DATA_DIR": "kept"}
    market.funding = dict.fromkeys(market.funding, 0.004)
    market.surprises["AMZN"] = (10.3, 1.46)
    first = start(settings)
    eventually(lambda: len(firing(first, "funding_rate")) == 3, "funding fires for three assets", 20)
    eventually(lambda: firing(first, "earnings_anomaly"), "earnings fire", 20)
    told = {one["event"]["fingerprint"]: one["event"]["starts_at"] for one in events(first)}
    told_ids = {one["event"]["event_id"] for one in events(first)}
    time.sleep(0.5)
    first.signal(signal.SIGKILL)
    first.wait()

    second = start(settings)
    eventually(lambda: watchdog(second, "funding_rate")["checks_performed"] >= 3, "it is checked again", 20)
    kept = [one["event"] for one in events(second) if one["event"]["fingerprint"] in told]
    assert {one["event_id"] for one in kept} == told_ids, "all is still there, and nothing is told a second time"
    subscriber = connect(second)
    subscriber.send({"type": "subscribe", "id": 1, "subscription_id": "all", "filter": {}, "snapshot": True})
    snapshot = next_of(subscriber, "snapshot")
    assert {one["event"]["fingerprint"] for one in snapshot["events"]} >= set(told)
    market.funding = dict.fromkeys(market.funding, 0.0001)

    def resolved():
        return [one["event"] for one in events(second, "&watchdogs=funding_rate") if one["event"]["status"] == "resolved"]

    ended = eventually(lambda: len(resolved()) == 3 and resolved(), "all three end", 20)
    assert {one["fingerprint"]: one["starts_at"] for one in ended}.items() <= told.items()


@pytest.mark.parametrize("fault", [500, 429, 404, "empty", "garbled", "cut"])
def test_a_provider_that_fails_is_told_and_the_next_one_is_asked(start, market, fault):
    market.faults["binance"] = fault
    gateway = start({**FAST, **market.settings(), "EXCHANGE_OUTAGE_EXCHANGES": "coinbase,kraken"})

    def judged():
        one = watchdog(gateway, "correlation_breakdown")
        return one["status"] == "healthy" and one

    eventually(judged, "bars come from the next provider", 40)
    assert ("bybit", "/v5/market/kline") in market.asked

    def told():
        """Health is taken once a second."""
        providers = {one["name"]: one for one in gateway.get_json("/health/providers")["providers"]}
        binance = providers["binance"]
        return binance["failures"] > 0 and binance["last_error"] and providers["bybit"]["last_success"]

    eventually(told, "the provider's failure is told")
    assert gateway.get("/health").status == 200


def test_when_no_provider_answers_the_watchdogs_say_so_by_event_and_status_message(start, market, connect):
    market.faults = dict.fromkeys(["binance_futures", "bybit", "okx"], 500)
    gateway = start({**FAST, **market.settings(), "WATCHDOG_CHECK_TIMEOUT_SECONDS": "10"})
    subscriber = connect(gateway)
    subscriber.subscribe("health", {"event_types": ["watchdog_health"]}, last=100)
    event = next_of(subscriber, "event", 60)["event"]
    assert (event["watchdog"], event["status"], event["severity"]) == ("funding_rate", "firing", "medium")
    assert event["asset"] is None and "funding_rate is unhealthy" in event["description"]
    eventually(lambda: statuses(gateway)["funding_rate"] == "unhealthy", "health tells the same")
    assert statuses(gateway)["exchange_outage"] == "healthy", "one that fails holds nobody back"
    market.faults = {}
    status = next_of(subscriber, "status", 90)
    while (status["name"], status["state"]) != ("funding_rate", "healthy"):
        status = next_of(subscriber, "status", 90)
    assert status["scope"] == "watchdog" and status["reason"]
    resolved = next_of(subscriber, "event", 30)["event"]
    assert (resolved["fingerprint"], resolved["status"]) == (event["fingerprint"], "resolved")


def test_a_stop_does_not_wait_for_providers_that_hang(start, market):
    market.faults = dict.fromkeys(["binance", "yahoo", "bybit"], "slow")
    gateway = start({**FAST, **market.settings()})
    time.sleep(1)
    begin = time.monotonic()
    gateway.signal(signal.SIGTERM)
    assert gateway.wait(10) == 0
    assert time.monotonic() - begin < 6
