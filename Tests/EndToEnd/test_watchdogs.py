"""The watchdogs read, switched, restarted and set while they run, over HTTP."""

import json

import pytest
from gateway import eventually

SETTINGS = {"WATCHDOG_GLOBAL_ENABLED": "true", "WATCHDOG_HEALTH_CHECK_INTERVAL": "1"}
NAMES = [
    "earnings_anomaly", "unusual_volume", "whale_movement", "funding_rate", "liquidity_drop", "correlation_breakdown",
    "exchange_outage", "price_anomaly",
]


@pytest.fixture(autouse=True)
def ready(gateway):
    eventually(lambda: gateway.get("/health/watchdogs").status == 200, "the watchdogs are set up")


def patch(gateway, name, settings):
    return gateway.request("PATCH", f"/watchdogs/{name}", body=json.dumps(settings).encode())


@pytest.mark.parametrize("root", ["/watchdogs", "/dashboard/watchdogs"])
def test_all_are_listed_with_their_settings(gateway, root):
    answer = gateway.get_json(root)
    assert [one["name"] for one in answer["watchdogs"]] == NAMES
    assert answer["running"] and answer["total_watchdogs"] == 8
    assert answer["watchdogs"][0]["settings"]["EARNINGS_SURPRISE_THRESHOLD_PCT"] == "10"
    one = gateway.get_json(f"{root}/whale_movement")
    assert one["name"] == "whale_movement" and one["settings"]["WHALE_MOVEMENT_MIN_USD"] == "1000000"


@pytest.mark.parametrize("root", ["/watchdogs", "/dashboard/watchdogs"])
def test_one_is_switched_off_and_on(gateway, root):
    off = gateway.request("POST", f"{root}/funding_rate/disable")
    assert off.status == 200 and json.loads(off.content)["status"] == "disabled"
    assert gateway.get_json("/health/watchdogs")["enabled_watchdogs"] == 7
    assert json.loads(off.content)["settings"]["ENABLE_FUNDING_RATE_WATCHDOG"] == "false"
    assert "funding_rate" in gateway.get_json("/health")["watchdogs"]["blind"]
    on = gateway.request("POST", f"{root}/funding_rate/enable")
    assert on.status == 200 and json.loads(on.content)["status"] != "disabled"
    assert gateway.request("POST", f"{root}/funding_rate/restart").status == 200
    assert gateway.get_json("/health/watchdogs")["enabled_watchdogs"] == 8


def test_a_threshold_set_while_it_runs_takes_effect(gateway):
    answer = patch(gateway, "price_anomaly", {"PRICE_ANOMALY_THRESHOLD_PCT": 0.01, "PRICE_ANOMALY_CHECK_INTERVAL": "30"})
    assert answer.status == 200, answer.content
    assert json.loads(answer.content)["settings"]["PRICE_ANOMALY_THRESHOLD_PCT"] == "0.01"

    def small():
        events = gateway.get_json("/events?watchdogs=price_anomaly&limit=1000")["events"]
        return any(abs(one["event"]["data"]["change_pct"]) < 5 and one["event"]["status"] == "firing" for one in events)

    eventually(small, "a small move fires", 60)


@pytest.mark.parametrize(
    "settings, said",
    [
        ({"PRICE_ANOMALY_THRESHOLD_PCT": 0}, "a number from 0.01 to 100"),
        ({"PRICE_ANOMALY_THRESHOLD_PCT": None}, "a number from 0.01 to 100"),
        ({"WHALE_MOVEMENT_MIN_USD": 5000}, "no setting of price_anomaly"),
        ({"FIML_PORT": 1}, "no setting of price_anomaly"),
        ({"PRICE_ANOMALY_ASSETS": ["A B"]}, "symbols separated by commas"),
        ({}, "an object of settings"), ([], "an object of settings"), ("x", "an object of settings"),
    ])
def test_a_wrong_setting_changes_nothing_and_is_named(gateway, settings, said):
    before = gateway.get_json("/watchdogs/price_anomaly")["settings"]
    answer = patch(gateway, "price_anomaly", settings)
    assert answer.status == 400 and said in json.loads(answer.content)["detail"], answer.content
    assert gateway.get_json("/watchdogs/price_anomaly")["settings"] == before


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_page_that_was_not_named_changes_nothing(gateway, origin):
    before = gateway.get_json("/watchdogs/price_anomaly")["settings"]
    for answer in (
        gateway.request("POST", "/watchdogs/price_anomaly/disable", headers={"Origin": origin}),
        gateway.request(
            "PATCH", "/watchdogs/price_anomaly", b'{"PRICE_ANOMALY_CHECK_INTERVAL": 1}', {"Origin": origin}),
    ):
        assert answer.status == 403 and "CORS_ORIGINS" in json.loads(answer.content)["detail"]
    assert gateway.get_json("/watchdogs/price_anomaly")["settings"] == before


def test_a_page_that_is_named_may(start):
    gateway = start({**SETTINGS, "CORS_ORIGINS": "https://dashboard.example"})
    eventually(lambda: gateway.get("/health/watchdogs").status == 200, "the watchdogs are set up")
    answer = gateway.request(
        "POST", "/watchdogs/price_anomaly/disable", headers={"Origin": "https://dashboard.example"})
    assert answer.status == 200 and json.loads(answer.content)["status"] == "disabled"


def test_a_wrong_path_or_method_is_answered_with_what_there_is(gateway):
    unknown = gateway.get("/watchdogs/nobody")
    assert unknown.status == 404 and "whale_movement" in json.loads(unknown.content)["detail"]
    assert gateway.request("POST", "/watchdogs/whale_movement/explode").status == 404
    wrong = gateway.request("DELETE", "/watchdogs/whale_movement")
    assert wrong.status == 405 and wrong.headers["Allow"] == "GET, HEAD, PATCH, OPTIONS"
    assert gateway.request("GET", "/watchdogs/whale_movement/enable").status == 405
    assert gateway.request("PATCH", "/watchdogs/whale_movement", body=b"{").status == 400


def test_a_replay_asks_no_provider(gateway):
    health = gateway.get_json("/health/providers")
    assert (health["source"], health["status"], health["providers"]) == ("replay", "unused", [])
