"""Analyses by request and reply on the recorded market, over HTTP and over the socket, by the real worker hosts."""

import json
import os
import pty
import subprocess
import threading

import pytest
from gateway import FAULTS, WORKERS, binary, eventually, faulty_worker, workers

SETTINGS = {**workers(*WORKERS), "WORKER_POOL_SIZE": "2"}
APPLE = {"symbol": "AAPL", "asset_type": "equity"}
IDS = [
    "fund_0", "fund_1", "tech_0", "tech_1", "macro_0", "sent_0", "sent_1", "corr_0", "risk_0", "news_0", "news_1", "opt_0",
]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def ready(gateway):
    gateway.wait_for_workers()


def post(gateway, path, body, headers=JSON):
    return gateway.request("POST", path, body if isinstance(body, (str, bytes)) else json.dumps(body), headers, timeout=60)


def verdict(score):
    """The guide's steps."""
    steps = [(7.5, "strong_buy"), (6.5, "buy"), (5.5, "hold"), (4.5, "sell")]
    return next((word for step, word in steps if score >= step), "strong_sell")


# POST /analysis

def test_all_eight_workers_judge_an_asset_and_the_aggregate_is_over_those_that_answered(gateway):
    analysis = gateway.analyze("AAPL")
    assert (analysis["asset"], analysis["asset_type"]) == ("AAPL", "equity")
    found = analysis["analyses"]
    assert sorted(found) == sorted(WORKERS)
    answered = {name: one["score"] for name, one in found.items() if one["status"] == "completed"}
    assert {"technical", "risk"} <= set(answered), "the recording has its daily bars"
    for name, one in found.items():
        assert (one["asset"], one["analysis_type"]) == ("AAPL", name)
        assert one["status"] == "completed" or one["missing"] or one["error"], "who finds nothing says why"
    aggregate = analysis["aggregate"]
    assert aggregate["scores"] == answered and aggregate["agent_count"] == len(answered)
    assert aggregate["coverage"] == {"answered": len(answered), "asked": 8, "fraction": len(answered) / 8}
    weights = {name: aggregate["weights"][name] for name in answered}
    mean = sum(answered[name] * weight for name, weight in weights.items()) / sum(weights.values())
    assert aggregate["overall_score"] == pytest.approx(mean, abs=0.01)
    assert aggregate["recommendation"] == verdict(aggregate["overall_score"])


def test_curl_is_answered_without_a_content_type_of_its_own(gateway):
    answer = subprocess.run(
        ["curl", "-s", "-d", json.dumps({"asset": APPLE}), f"http://127.0.0.1:{gateway.port}/analysis"],
        capture_output=True, check=True, timeout=60)
    assert sorted(json.loads(answer.stdout)["analyses"]) == sorted(WORKERS)


def test_only_the_agents_that_are_named_judge(gateway):
    analysis = gateway.analyze("AAPL", "risk", "technical")
    assert sorted(analysis["analyses"]) == ["risk", "technical"]
    assert analysis["aggregate"]["coverage"]["asked"] == 2


def test_what_was_found_a_moment_ago_is_given_again(gateway):
    first = gateway.analyze("SPY", "technical", "risk", asset_type="etf")
    before = gateway.sample("analysis_requests_total", result="cached")
    computed = gateway.sample("analysis_requests_total", result="computed")
    again = gateway.analyze("SPY", "technical", "risk", asset_type="etf")
    assert again["analyses"] == first["analyses"] and again["aggregate"] == first["aggregate"]
    assert gateway.sample("analysis_requests_total", result="cached") == before + 1
    assert gateway.sample("analysis_requests_total", result="computed") == computed


def test_an_asset_that_nobody_knows_is_answered_by_what_is_missing(gateway):
    analysis = gateway.analyze("NOSUCH", "technical", "risk")
    for one in analysis["analyses"].values():
        assert one["status"] == "insufficient_data" and one["score"] is None
        assert "bars" in [missing["need"] for missing in one["missing"]]
    aggregate = analysis["aggregate"]
    assert (aggregate["overall_score"], aggregate["recommendation"], aggregate["agent_count"]) == (None, None, 0)


# Tasks

def test_a_task_is_polled_to_its_result_and_stays_as_it_is(gateway):
    answer = post(gateway, "/analysis", {"asset": APPLE, "agents": ["technical", "risk"], "wait": False})
    task = json.loads(answer.content)
    assert answer.status == 202 and answer.headers["Location"] == f"/analysis/{task['task_id']}"
    assert task["total_steps"] == 2 and task["asset"] == "AAPL"

    def ended():
        now = gateway.get_json(answer.headers["Location"])
        return now["status"] not in ("queued", "running") and now

    done = eventually(ended, "the task ends", 30)
    assert (done["status"], done["progress"], done["completed_steps"]) == ("completed", 1, 2)
    assert sorted(done["result"]["analyses"]) == ["risk", "technical"] and done["error"] is None
    assert done["finished_at"] >= done["created_at"]
    cancelled = gateway.request("DELETE", answer.headers["Location"])
    assert cancelled.status == 200 and json.loads(cancelled.content) == done


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("name", ["task_none", "", "a/b", "x" * 300])
def test_a_task_that_is_not_there_is_404(gateway, method, name):
    answer = gateway.request(method, f"/analysis/{name}")
    assert answer.status == 404 and "TASK_RESULT_TTL" in json.loads(answer.content)["detail"]


def test_a_task_is_cancelled(start):
    hangs = {**workers("technical"), "WORKER_EXECUTABLE": faulty_worker()}
    gateway = start(hangs, symbols=FAULTS).wait_for_workers()
    task = gateway.analyze("HANG", "technical", status=202, wait=False)
    path = f"/analysis/{task['task_id']}"
    assert gateway.get_json(path)["status"] in ("queued", "running")
    answer = gateway.request("DELETE", path)
    cancelled = json.loads(answer.content)
    assert answer.status == 200 and cancelled["status"] == "cancelled" and cancelled["result"] is None
    for _ in range(2):
        assert gateway.get_json(path)["status"] == "cancelled"
    assert gateway.request("DELETE", path).status == 200


# POST /analysis/batch

def test_a_batch_is_answered_in_its_order(gateway):
    symbols = [("SPY", "etf"), ("AAPL", "equity"), ("NOSUCH", "equity"), ("BTC", "crypto"), ("AAPL", "equity")]
    assets = [{"symbol": symbol, "asset_type": kind} for symbol, kind in symbols]
    answer = post(gateway, "/analysis/batch", {"assets": assets, "agents": ["technical"]})
    analyses = json.loads(answer.content)["analyses"]
    assert answer.status == 200 and [(one["asset"], one["asset_type"]) for one in analyses] == symbols
    statuses = [one["analyses"]["technical"]["status"] for one in analyses]
    assert statuses == ["completed", "completed", "insufficient_data", "completed", "completed"]
    assert analyses[1]["analyses"]["technical"]["score"] == analyses[4]["analyses"]["technical"]["score"]


def test_a_batch_of_fifty_is_answered_and_one_of_51_is_not(gateway):
    assets = [{"symbol": f"A{number}", "asset_type": "equity"} for number in range(51)]
    answer = post(gateway, "/analysis/batch", {"assets": assets[:50], "agents": ["risk"]})
    assert [one["asset"] for one in json.loads(answer.content)["analyses"]] == [f"A{number}" for number in range(50)]
    answer = post(gateway, "/analysis/batch", {"assets": assets})
    assert answer.status == 400 and "50" in json.loads(answer.content)["detail"]


# What is wrong

WRONG = [
    ("{", 400, "INVALID_JSON", "line 1"), ("", 400, "INVALID_JSON", "text"), ("[]", 400, "INVALID_MESSAGE", "object"),
    ({}, 400, "INVALID_MESSAGE", "asset is required"), ({"asset": "AAPL"}, 400, "INVALID_MESSAGE", "asset must be an object"),
    ({"asset": {"symbol": "AAPL"}}, 400, "INVALID_MESSAGE", "asset.asset_type is required"),
    ({"asset": {**APPLE, "symbol": "A B"}}, 400, "INVALID_MESSAGE", "asset.symbol"),
    ({"asset": {**APPLE, "asset_type": "stock"}}, 400, "INVALID_MESSAGE", "equity, crypto"),
    ({"asset": {**APPLE, "isin": "x"}}, 400, "INVALID_MESSAGE", "isin"),
    ({"asset": APPLE, "agent": ["risk"]}, 400, "INVALID_MESSAGE", "asset, agents, wait"),
    ({"asset": APPLE, "agents": []}, 400, "INVALID_MESSAGE", "agents must not be empty"),
    ({"asset": APPLE, "agents": "risk"}, 400, "INVALID_MESSAGE", "agents must be a list"),
    ({"asset": APPLE, "agents": ["astrology"]}, 400, "INVALID_MESSAGE", "fundamentals, technical"),
    ({"asset": APPLE, "agents": ["risk", "risk"]}, 400, "INVALID_MESSAGE", "a second time"),
    ({"asset": APPLE, "wait": "no"}, 400, "INVALID_MESSAGE", "wait must be true or false"),
    (json.dumps({"asset": APPLE}) + " " * 65_536, 413, "MESSAGE_TOO_LARGE", "65536"),
]


@pytest.mark.parametrize(("body", "status", "code", "words"), WRONG)
def test_a_wrong_request_is_answered_by_what_is_wrong(gateway, body, status, code, words):
    answer = post(gateway, "/analysis", body)
    problem = json.loads(answer.content)
    assert (answer.status, problem["error"]) == (status, code) and words in problem["detail"], problem


@pytest.mark.parametrize(("body", "words"), [
    ({}, "assets is required"), ({"assets": []}, "assets must not be empty"), ({"assets": [APPLE, {}]}, "assets[1].symbol"),
    ({"assets": [APPLE], "wait": True}, "assets, agents"), ({"assets": [APPLE], "agents": [1]}, "agents[0]")])
def test_a_wrong_batch_is_answered_by_what_is_wrong(gateway, body, words):
    answer = post(gateway, "/analysis/batch", body)
    assert answer.status == 400 and words in json.loads(answer.content)["detail"]


@pytest.mark.parametrize(("headers", "status"), [
    ({"Content-Type": "text/plain"}, 415), ({"Content-Type": "application/json; charset=utf-8"}, 200), ({}, 200),
    ({"Content-Type": "application/x-www-form-urlencoded"}, 200), ({"Content-Type": "application/jsonfoo"}, 415),
    ({"Origin": "https://page.example"}, 415),
    ({"Content-Type": "application/json", "Origin": "https://page.example"}, 200),
    ({"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://page.example"}, 415)])
def test_content_that_is_not_json_is_refused_and_a_pages_form_too(gateway, headers, status):
    assert post(gateway, "/analysis", {"asset": APPLE, "agents": ["risk"]}, headers).status == status


@pytest.mark.parametrize(("method", "path", "allowed"), [
    ("GET", "/analysis", "POST, OPTIONS"), ("GET", "/analysis/batch", "POST, OPTIONS"),
    ("POST", "/analysis/task_1", "GET, HEAD, DELETE, OPTIONS"), ("POST", "/workers", "GET, HEAD, OPTIONS"),
    ("DELETE", "/workers/tech_0", "GET, HEAD, OPTIONS"), ("POST", "/health/workers", "GET, HEAD, OPTIONS")])
def test_a_wrong_method_is_405_and_options_says_what_is_right(gateway, method, path, allowed):
    answer = gateway.request(method, path)
    assert answer.status == 405 and answer.headers["Allow"] == allowed
    answer = gateway.request("OPTIONS", path, headers={"Origin": "https://page.example"})
    assert answer.status == 204 and answer.headers["Access-Control-Allow-Methods"] == allowed


def test_an_agent_that_is_switched_off_is_refused_by_those_that_are_on(start):
    gateway = start(workers("technical", "risk")).wait_for_workers()
    problem = gateway.analyze("AAPL", "news", status=400)
    assert problem["error"] == "INVALID_MESSAGE" and "news" in problem["detail"] and "technical, risk" in problem["detail"]
    assert sorted(gateway.analyze("AAPL")["analyses"]) == ["risk", "technical"]
    batch = post(gateway, "/analysis/batch", {"assets": [APPLE], "agents": ["news"]})
    assert batch.status == 400 and "technical, risk" in json.loads(batch.content)["detail"]


def test_without_any_worker_nothing_is_analysed_and_the_gateway_is_well(start):
    gateway = start()
    assert gateway.analyze("AAPL", status=503)["error"] == "UNAVAILABLE"
    health = gateway.get_json("/health")
    assert health["status"] == "healthy" and health["workers"] == {"total": 0, "healthy": 0}
    eventually(lambda: gateway.get("/health/workers").status == 200, "the summary is there")
    assert gateway.get_json("/health/workers")["hosts"] == []


def test_more_than_may_wait_are_refused_with_retry_after(start):
    gateway = start({
        **workers("technical"), "WORKER_EXECUTABLE": faulty_worker(), "MAX_CONCURRENT_TASKS": "1", "MAX_QUEUED_TASKS": "0",
        "WORKER_TASK_TIMEOUT": "3", "WORKER_RETRY_ATTEMPTS": "0"}, symbols=FAULTS).wait_for_workers()
    task = gateway.analyze("HANG", status=202, wait=False)
    wanted = {"asset": APPLE}
    answer = post(gateway, "/analysis", wanted)
    assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
    assert json.loads(answer.content)["error"] == "UNAVAILABLE"
    batch = json.loads(post(gateway, "/analysis/batch", {"assets": [APPLE]}).content)["analyses"]
    assert batch[0]["asset"] == "AAPL" and batch[0]["error"]["error_code"] == "UNAVAILABLE"
    assert batch[0]["error"]["retry_after_ms"] >= 1000
    assert gateway.sample("analysis_requests_total", result="refused") == 2
    gateway.request("DELETE", f"/analysis/{task['task_id']}")
    eventually(lambda: post(gateway, "/analysis", wanted).status == 200, "there is a place again", 30)


# The socket

def analyses(client, request):
    """What is told of an analysis, up to its end."""
    client.send({"type": "analyze", **request})
    return [
        message for message in client.until(lambda message: message["type"] in ("analysis", "error"), 60)
        if message["type"] != "heartbeat"]


def test_the_socket_tells_each_step_and_then_the_analysis(gateway, connect):
    client = connect(gateway)
    *updates, last = analyses(client, {"id": "a", "asset": {"symbol": "QQQ", "asset_type": "etf"}, "agents": ["technical", "risk"]})
    assert last["type"] == "analysis" and last["id"] == "a"
    assert {update["type"] for update in updates} == {"task_update"} and {update["id"] for update in updates} == {"a"}
    assert {update["task_id"] for update in updates} == {last["task_id"]}
    steps = [update for update in updates if update["step"]]
    assert sorted(step["step"]["worker"] for step in steps) == ["risk", "technical"]
    assert [step["completed_steps"] for step in steps] == [1, 2] and steps[0]["progress"] == 0.5
    for step in steps:
        result = last["result"]["analyses"][step["step"]["worker"]]
        assert (result["status"], result["score"]) == (step["step"]["status"], step["step"]["score"])
    assert last["result"]["analyses"] == gateway.analyze("QQQ", "technical", "risk", asset_type="etf")["analyses"]
    assert gateway.sample("websocket_messages_sent_total", type="analysis") >= 1
    assert gateway.sample("websocket_messages_sent_total", type="task_update") >= 2


def test_what_the_socket_asks_for_wrongly_is_refused(gateway, connect):
    client = connect(gateway)
    for wanted, words in [
        ({}, "asset is required"), ({"asset": {"symbol": "AAPL"}}, "asset.asset_type"), ({"asset": APPLE, "agents": []}, "agents"),
        ({"asset": APPLE, "wait": True}, "wait"), ({"asset": APPLE, "agents": ["astrology"]}, "fundamentals"),
    ]:
        error = client.refused({"type": "analyze", "id": 9, **wanted}, "INVALID_MESSAGE", id=9)
        assert words in error["message"]
    client.refused({"type": "health", "id": 9}, "INVALID_MESSAGE", id=9)
    error = client.refused({"type": "health", "id": 9, "scope": "cache"}, "INVALID_MESSAGE", id=9)
    assert "watchdogs, workers, providers" in error["message"]
    client.request({"type": "ping", "id": 1}, "pong")


def test_the_socket_is_refused_what_cannot_be_done(start, connect):
    gateway = start({
        **workers("technical"), "WORKER_EXECUTABLE": faulty_worker(), "MAX_CONCURRENT_TASKS": "4", "MAX_QUEUED_TASKS": "0",
    }, symbols=FAULTS).wait_for_workers()
    client, other = connect(gateway), connect(gateway)
    assert "technical" in client.refused(
        {"type": "analyze", "id": 1, "asset": APPLE, "agents": ["news"]}, "INVALID_MESSAGE", id=1)["message"]
    hanging = {"symbol": "HANG", "asset_type": "equity"}
    for number in range(4):
        # Different assets, so that each is one of its own; whatever is told of a start is read later.
        client.send({"type": "analyze", "id": number, "asset": {**hanging, "exchange": f"x{number}"}})
    client.send({"type": "analyze", "id": 5, "asset": APPLE})
    error = client.until(lambda message: message["type"] == "error")[-1]
    assert (error["id"], error["error_code"], error["retryable"]) == (5, "RATE_LIMITED", True)
    other.send({"type": "analyze", "id": 6, "asset": APPLE})
    error = other.until(lambda message: message["type"] == "error")[-1]
    assert (error["id"], error["error_code"]) == (6, "UNAVAILABLE") and error["retry_after_ms"] >= 1000
    client.close()
    gateway.assert_healthy()


@pytest.mark.parametrize("scope", ["watchdogs", "workers", "providers"])
def test_the_socket_tells_health_as_http_does(gateway, connect, scope):
    eventually(lambda: gateway.get(f"/health/{scope}").status == 200, "there is a first look")
    answer = connect(gateway).request({"type": "health", "id": 8, "scope": scope}, "health")
    assert answer["scope"] == scope and set(answer["summary"]) == set(gateway.get_json(f"/health/{scope}"))


# Workers

def test_the_workers_have_the_ids_figures_and_metrics_of_their_pools(gateway):
    gateway.analyze("AAPL", "technical", "risk")
    assert [one["worker_id"] for one in gateway.get_json("/workers")["workers"]] == IDS
    technical = [gateway.worker("tech_0"), gateway.worker("tech_1")]
    assert {one["worker_type"] for one in technical} == {"technical"}
    assert sum(one["tasks_completed"] for one in technical) >= 1
    assert all(one["last_heartbeat"] and one["memory_usage_mb"] > 0 for one in technical)
    done = sum(gateway.sample("worker_tasks_total", worker_type="technical", status=status) for status in ("success", "failed"))
    assert done >= 1
    assert gateway.sample("worker_execution_seconds_count", worker_type="technical") >= 1
    for worker_id in IDS:
        assert gateway.sample("worker_health_status", worker_id=worker_id) == 1
        assert gateway.sample("worker_circuit_state", worker_id=worker_id) == 0
    assert gateway.sample("worker_host_memory_bytes", worker_type="risk") > 1_000_000


def test_a_worker_that_is_not_there_is_404_with_those_that_are(gateway):
    answer = gateway.get("/workers/tech_2")
    assert answer.status == 404 and all(worker_id in json.loads(answer.content)["detail"] for worker_id in IDS)


def test_the_health_of_the_workers_says_what_they_run_in(gateway):
    health = gateway.get_json("/health/workers")
    assert (health["total_workers"], health["healthy_workers"], health["unhealthy_workers"]) == (12, 12, 0)
    assert health["open_circuits"] == [] and health["language_model"]["configured"] is False
    assert health["limits"] == {"memory_limit_mb": 2048, "cpu_limit": 2}
    hosts = gateway.hosts()
    assert sorted(hosts) == sorted(WORKERS)
    for host in hosts.values():
        assert host["state"] == "running" and os.path.exists(f"/proc/{host['pid']}")
        assert host["memory_usage_mb"] > 0 and host["memory_limited_by"] and host["cpu_limited_by"], host
    assert len({host["pid"] for host in hosts.values()}) == 8, "each type has a process of its own"


def test_many_requests_at_once_are_all_answered(gateway):
    answers = []

    def ask(number):
        answers.append(gateway.analyze(f"M{number % 10}", "technical", "risk"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 100


def test_a_person_who_starts_a_worker_is_told_who_does(tmp_path):
    controller, terminal = pty.openpty()
    try:
        ended = subprocess.run([binary(), "worker", "risk"], stdin=terminal, capture_output=True, text=True, timeout=10)
    finally:
        os.close(controller)
        os.close(terminal)
    assert ended.returncode == 2 and len(ended.stderr.splitlines()) == 1 and "gateway" in ended.stderr
