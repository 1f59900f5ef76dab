"""The main job on its default input: a recorded market in, filtered events out, health that tells the truth."""

import time

from gateway import eventually

REPLAY = {"WATCHDOG_GLOBAL_ENABLED": "true"}


def test_the_first_events_come_within_ten_seconds_and_conditions_begin_and_end(start, connect):
    begin = time.monotonic()
    gateway = start(REPLAY)
    subscriber = connect(gateway)
    subscriber.subscribe("moves", {"watchdogs": ["price_anomaly"], "min_severity": "high"}, last=100)
    firing = {}
    ended = 0
    while ended < 2:
        message = subscriber.next(15)
        if message["type"] != "event":
            continue
        event = message["event"]
        assert event["watchdog"] == "price_anomaly" and event["severity"] in ("high", "critical")
        if event["status"] == "firing":
            assert time.monotonic() - begin < 10 or firing, "the first comes within ten seconds"
            assert event["fingerprint"] not in firing, "one condition is one alert"
            assert abs(event["data"]["change_pct"]) > 5 and event["evidence"]["threshold"] == 5
            firing[event["fingerprint"]] = event["starts_at"]
        elif event["status"] == "resolved":
            assert firing.pop(event["fingerprint"]) == event["starts_at"] < event["ends_at"]
            ended += 1

    def counted():
        """Health is taken once a second."""
        watchdogs = gateway.get_json("/health/watchdogs")["watchdogs"]
        moves = next(one for one in watchdogs if one["name"] == "price_anomaly")
        return moves["status"] == "healthy" and moves["events_emitted"] >= 4

    eventually(counted, "the watchdog's figures count its events")
    eventually(lambda: gateway.get("/health").status == 200, "the gateway is healthy")
    assert gateway.metric("watchdog_events_total") >= 2


def test_all_eight_fire_within_a_minute_of_a_start_without_settings(start, connect):
    gateway = start(REPLAY)
    begin = time.monotonic()
    subscriber = connect(gateway)
    subscriber.subscribe("all", {}, last=1000)
    fired = {}
    while len(fired) < 8 and time.monotonic() - begin < 60:
        message = subscriber.next(30)
        if message["type"] == "event" and message["event"]["status"] == "firing":
            fired.setdefault(message["event"]["watchdog"], message["event"])
    assert len(fired) == 8, sorted(fired)
    assert fired["whale_movement"]["data"]["usd_value"] > 19_000_000
    assert fired["earnings_anomaly"]["data"]["surprise_pct"] > 10
    assert fired["exchange_outage"]["data"]["status_code"] == 503
    assert sorted(fired["correlation_breakdown"]["assets"]) == ["QQQ", "SPY"]
    assert fired["liquidity_drop"]["data"]["depth_ratio"] < 0.5
    gateway.assert_healthy()


def test_a_threshold_and_a_switch_take_effect(start):
    gateway = start({**REPLAY, "PRICE_ANOMALY_THRESHOLD_PCT": "0.01", "ENABLE_UNUSUAL_VOLUME_WATCHDOG": "false"})
    eventually(lambda: gateway.get_json("/events?watchdogs=price_anomaly")["events"], "any move fires", 10)
    health = gateway.get_json("/health/watchdogs")
    status = {one["name"]: one["status"] for one in health["watchdogs"]}
    assert status["unusual_volume"] == "disabled" and health["enabled_watchdogs"] == 7
    assert gateway.get_json("/events?watchdogs=unusual_volume")["events"] == []


def test_a_market_without_events_publishes_none(start):
    # A day of the recording takes a day.
    gateway = start({**REPLAY, "REPLAY_SPEED": "1"})
    time.sleep(2)
    assert gateway.get_json("/events")["events"] == []
