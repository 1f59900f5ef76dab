"""Each setting of workers, analyses and the language model by two values, and what a user sees of them. A test is named
after its setting."""

import http.server
import json
import threading
import time

import pytest
from gateway import FAULTS, WORKERS, eventually, faulty_worker, run_to_end, workers

ONE = {
    **workers("technical"), "WORKER_POOL_SIZE": "1", "WORKER_RETRY_ATTEMPTS": "0", "WORKER_RETRY_DELAY": "0",
    "WORKER_HEALTH_CHECK_INTERVAL": "1", "CACHE_TTL_TECHNICAL": "0",
}
# What keeps which findings.
KEPT_BY = {
    "CACHE_TTL_PRICE": ["options"], "CACHE_TTL_FUNDAMENTALS": ["fundamentals"],
    "CACHE_TTL_TECHNICAL": ["technical", "risk", "correlation"], "CACHE_TTL_NEWS": ["news", "sentiment"],
    "CACHE_TTL_MACRO": ["macro"],
}


@pytest.fixture
def faulty(start):
    """A gateway on faulty workers, ready."""
    def begin(settings=None):
        settings = {**ONE, "WORKER_EXECUTABLE": faulty_worker(), **(settings or {})}
        return start(settings, symbols=["GOOD", *FAULTS]).wait_for_workers()
    return begin


@pytest.fixture
def working(start):
    """A gateway on workers of its own and the recorded market, ready."""
    def begin(settings):
        return start({**ONE, **settings}).wait_for_workers()
    return begin


def technical(gateway, symbol):
    return gateway.analyze(symbol, "technical")["analyses"]["technical"]


def tasks(gateway, status):
    return gateway.sample("worker_tasks_total", worker_type="technical", status=status)


def timed(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


# Workers

@pytest.mark.parametrize(("value", "full", "half"), [("1", 1, 1), ("6", 6, 3)])
def test_worker_pool_size(start, value, full, half):
    gateway = start({**workers("technical", "risk"), "WORKER_POOL_SIZE": value}).wait_for_workers()
    types = [one["worker_type"] for one in gateway.get_json("/workers")["workers"]]
    assert (types.count("technical"), types.count("risk")) == (full, half)


@pytest.mark.parametrize("name", WORKERS)
def test_enable_worker(start, name):
    gateway = start({**workers(*WORKERS), f"ENABLE_{name.upper()}_WORKER": "false", "WORKER_POOL_SIZE": "1"})
    gateway.wait_for_workers()
    assert sorted(gateway.hosts()) == sorted(set(WORKERS) - {name})
    assert gateway.analyze("AAPL", name, status=400)["error"] == "INVALID_MESSAGE"


@pytest.mark.parametrize(("value", "at_once"), [("1", 1), ("2", 2)])
def test_worker_max_concurrent_tasks(faulty, value, at_once):
    gateway = faulty({"WORKER_MAX_CONCURRENT_TASKS": value, "WORKER_TASK_TIMEOUT": "30"})
    for number in range(3):
        asset = {"symbol": "HANG", "asset_type": "equity", "exchange": f"x{number}"}
        gateway.analyze("HANG", status=202, wait=False, asset=asset)
    eventually(lambda: gateway.worker("tech_0")["tasks_in_progress"] == at_once, "it has as many as it may")
    time.sleep(0.5)
    assert gateway.worker("tech_0")["tasks_in_progress"] == at_once


@pytest.mark.parametrize(("value", "least", "most"), [("1", 0.9, 4), ("5", 4.9, 9)])
def test_worker_task_timeout(faulty, value, least, most):
    gateway = faulty({"WORKER_TASK_TIMEOUT": value})

    def hang():
        assert technical(gateway, "HANG")["status"] == "timed_out"

    assert least < timed(hang) < most


@pytest.mark.parametrize(("value", "tries"), [("0", 1), ("2", 3)])
def test_worker_retry_attempts(faulty, value, tries):
    gateway = faulty({"WORKER_RETRY_ATTEMPTS": value})
    assert technical(gateway, "NONSENSE")["status"] == "failed"
    assert tasks(gateway, "failed") == tries


@pytest.mark.parametrize(("value", "least", "most"), [("0", 0, 2), ("4", 2.9, 8)])
def test_worker_retry_delay(faulty, value, least, most):
    gateway = faulty({"WORKER_RETRY_ATTEMPTS": "1", "WORKER_RETRY_DELAY": value})
    assert least <= timed(lambda: technical(gateway, "NONSENSE")) < most


@pytest.mark.parametrize(("value", "is_told"), [("1", True), ("86400", False)])
def test_worker_health_check_interval(faulty, connect, value, is_told):
    gateway = faulty({"WORKER_HEALTH_CHECK_INTERVAL": value, "WORKER_CIRCUIT_BREAKER_THRESHOLD": "1000"})
    client = connect(gateway)
    for _ in range(10):
        technical(gateway, "NONSENSE")

    def told():
        return "tech_0 is unhealthy" in gateway.log

    if is_told:
        eventually(told, "it is told at the next look")
        client.until(lambda message: message["type"] == "status")
    else:
        time.sleep(2)
        assert not told(), "the next look is tomorrow"


@pytest.mark.parametrize("value", ["64", "2048"])
def test_worker_memory_limit_mb(faulty, value):
    gateway = faulty({"WORKER_MEMORY_LIMIT_MB": value, "WORKER_TASK_TIMEOUT": "10"})
    assert gateway.get_json("/health/workers")["limits"]["memory_limit_mb"] == int(value)
    if value == "64":
        before = gateway.hosts()["technical"]["pid"]
        result = technical(gateway, "ALLOCATE")
        assert result["status"] == "failed" and result["error"]
        eventually(
            lambda: gateway.hosts()["technical"]["pid"] not in (None, before), "another process works", 30)


@pytest.mark.parametrize("value", ["1", "2"])
def test_worker_cpu_limit(faulty, value):
    gateway = faulty({"WORKER_CPU_LIMIT": value})
    assert gateway.get_json("/health/workers")["limits"]["cpu_limit"] == float(value)
    limited_by = gateway.hosts()["technical"]["cpu_limited_by"]
    assert "cgroup" in limited_by or f"affinity to {value} core" in limited_by


def test_worker_error_rate_threshold(faulty):
    statuses = {}
    for value in ("0.3", "1"):
        gateway = faulty({"WORKER_ERROR_RATE_THRESHOLD": value, "WORKER_CIRCUIT_BREAKER_THRESHOLD": "1000"})
        for symbol in ["GOOD", "NONSENSE"] * 10:
            technical(gateway, symbol)
        eventually(
            lambda: gateway.worker("tech_0")["status"] == "unhealthy" or value == "1", "half of its tasks are too many")
        statuses[value] = gateway.worker("tech_0")["status"]
    assert statuses["0.3"] == "unhealthy" and statuses["1"] != "unhealthy"


@pytest.mark.parametrize(("value", "state"), [("2", 2), ("5", 0)])
def test_worker_circuit_breaker_threshold(faulty, value, state):
    gateway = faulty({"WORKER_CIRCUIT_BREAKER_THRESHOLD": value})
    for _ in range(2):
        technical(gateway, "NONSENSE")
    assert gateway.sample("worker_circuit_state", worker_id="tech_0") == state


@pytest.mark.parametrize(("value", "status"), [("1", "completed"), ("60", "unavailable")])
def test_worker_circuit_breaker_timeout(faulty, value, status):
    gateway = faulty({"WORKER_CIRCUIT_BREAKER_THRESHOLD": "1", "WORKER_CIRCUIT_BREAKER_TIMEOUT": value})
    technical(gateway, "NONSENSE")
    assert gateway.sample("worker_circuit_state", worker_id="tech_0") == 2
    time.sleep(1.5)
    assert technical(gateway, "GOOD")["status"] == status


# Analyses

@pytest.mark.parametrize(("value", "status"), [("1", 503), ("2", 200)])
def test_max_concurrent_tasks(faulty, value, status):
    gateway = faulty({
        "MAX_CONCURRENT_TASKS": value, "MAX_QUEUED_TASKS": "0", "WORKER_POOL_SIZE": "2", "WORKER_TASK_TIMEOUT": "30"})
    gateway.analyze("HANG", status=202, wait=False)
    gateway.analyze("GOOD", status=status)


@pytest.mark.parametrize(("value", "status"), [("0", 503), ("1", 202)])
def test_max_queued_tasks(faulty, value, status):
    gateway = faulty({"MAX_CONCURRENT_TASKS": "1", "MAX_QUEUED_TASKS": value, "WORKER_TASK_TIMEOUT": "30"})
    gateway.analyze("HANG", status=202, wait=False)
    gateway.analyze("GOOD", status=status, wait=False)


@pytest.mark.parametrize(("value", "least", "most"), [("1", 0.9, 4), ("5", 4.9, 9)])
def test_async_task_timeout(faulty, value, least, most):
    gateway = faulty({"ASYNC_TASK_TIMEOUT": value, "WORKER_TASK_TIMEOUT": "60"})

    def hang():
        """What has not answered by then has timed out, or all of it has."""
        answer = gateway.request("POST", "/analysis", json.dumps({"asset": {"symbol": "HANG", "asset_type": "equity"}}))
        assert answer.status == 503 or "timed_out" in answer.content.decode(), answer.content

    assert least < timed(hang) < most


@pytest.mark.parametrize(("value", "status"), [("1", 404), ("3600", 200)])
def test_task_result_ttl(faulty, value, status):
    gateway = faulty({"TASK_RESULT_TTL": value})
    path = f"/analysis/{gateway.analyze('GOOD', status=202, wait=False)['task_id']}"

    def ended():
        answer = gateway.get(path)
        return answer.status == 404 or json.loads(answer.content)["status"] == "completed"

    eventually(ended, "it ends", 20)
    time.sleep(2.5)
    assert gateway.get(path).status == status


@pytest.mark.parametrize(("name", "types"), KEPT_BY.items())
def test_cache_ttl(working, name, types):
    for value, is_kept in [("0", 0), ("600", 1)]:
        gateway = working({**workers(*types), name: value})
        for _ in range(2):
            gateway.analyze("AAPL", *types)
        assert gateway.sample("analysis_requests_total", result="cached") == is_kept, value


# The language model

class LanguageModel:
    """A server under the address of Azure OpenAI, which remembers what it is asked and answers rubbish."""

    def __init__(self):
        self.asked = []
        self.pause = 0
        model = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                model.asked.append((self.path, dict(self.headers), json.loads(body)))
                time.sleep(model.pause)
                answer = b'{"choices":[{"message":{"role":"assistant","content":"no JSON"}}]}'
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def settings(self):
        return {
            "AZURE_OPENAI_ENDPOINT": f"http://127.0.0.1:{self.server.server_address[1]}", "AZURE_OPENAI_API_KEY": "s3cret-key",
            "AZURE_OPENAI_DEPLOYMENT_NAME": "chat-of-ours",
        }

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def model():
    running = LanguageModel()
    yield running
    running.close()


def interpreted(gateway):
    return {one["interpreted_by"] for one in gateway.analyze("AAPL")["analyses"].values() if one["status"] == "completed"}


@pytest.mark.parametrize("version", ["2024-10-21", "2025-01-01-preview"])
def test_azure_openai_endpoint_key_deployment_and_version(working, model, version):
    settings = {**workers(*WORKERS), **model.settings(), "AZURE_OPENAI_API_VERSION": version}
    gateway = working(settings)
    assert interpreted(gateway) == {"rules"}, "rubbish is not taken"
    assert model.asked
    for path, headers, _ in model.asked:
        assert path == f"/openai/deployments/chat-of-ours/chat/completions?api-version={version}"
        assert {name.lower(): value for name, value in headers.items()}["api-key"] == "s3cret-key"
    health = gateway.get_json("/health/workers")
    assert health["language_model"]["configured"] is True
    assert "s3cret-key" not in gateway.log and "s3cret-key" not in json.dumps(health)


@pytest.mark.parametrize("missing", ["AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_DEPLOYMENT_NAME"])
def test_a_language_model_of_which_a_part_is_not_set_is_a_wrong_setting(tmp_path, model, missing):
    settings = model.settings()
    del settings[missing]
    status, log = run_to_end(tmp_path, settings)
    assert status == 78 and missing in log and "s3cret-key" not in log


@pytest.mark.parametrize("value", ["64", "300"])
def test_azure_openai_max_tokens(working, model, value):
    gateway = working({**workers(*WORKERS), **model.settings(), "AZURE_OPENAI_MAX_TOKENS": value})
    interpreted(gateway)
    assert model.asked and all(int(value) in body.values() for _, _, body in model.asked)


@pytest.mark.parametrize(("value", "is_asked"), [("0", False), ("1000000", True)])
def test_azure_openai_tokens_per_day(working, model, value, is_asked):
    gateway = working({**workers(*WORKERS), **model.settings(), "AZURE_OPENAI_TOKENS_PER_DAY": value})
    assert interpreted(gateway) == {"rules"} and bool(model.asked) == is_asked


def test_azure_openai_timeout_seconds(working, model):
    model.pause = 8
    gateway = working({**workers(*WORKERS), **model.settings(), "AZURE_OPENAI_TIMEOUT_SECONDS": "1"})
    assert 0.9 < timed(lambda: interpreted(gateway)) < 6
