"""Workers that break down, are killed, or stand still: what was asked of them ends as documented, their circuits move as
documented, no event is missed by whoever is subscribed, and no process is left behind."""

import os
import pathlib
import signal
import threading
import time

import pytest
from gateway import WORKERS, eventually, faulty_worker, workers
from subscriber import event

# Of faulty workers: one that fails is not asked again, and the next one is asked at once.
FAULTY = {
    **workers("technical"), "WORKER_POOL_SIZE": "1", "WORKER_RETRY_ATTEMPTS": "0", "WORKER_RETRY_DELAY": "0",
    "WORKER_TASK_TIMEOUT": "2", "WORKER_MEMORY_LIMIT_MB": "64", "WORKER_HEALTH_CHECK_INTERVAL": "1",
    "WORKER_MAX_HEARTBEAT_AGE": "10", "CACHE_TTL_TECHNICAL": "0",
}
FAULTS = {
    "THROW": "insufficient_data", "HANG": "timed_out", "SPIN": "timed_out", "RUBBISH": "failed", "NONSENSE": "failed",
    "ALLOCATE": "failed", "TRAP": "failed", "EXIT": "failed", "KILL": "failed",
}
SYMBOLS = ["AAPL", "GOOD", *FAULTS]
# Assets that are asked for in turn, so that no two requests at once are for the same one.
MANY = [f"N{number}" for number in range(40)]
# How an analysis may end while its host is shot at; whoever finds nothing says why.
ENDS = {"completed", "insufficient_data", "failed", "timed_out", "unavailable"}


def is_alive(process_id):
    """Neither gone nor waiting for whoever asks for its exit status (proc_pid_stat(5))."""
    try:
        stat = pathlib.Path(f"/proc/{process_id}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


class Publishing:
    """Publishes an event each few milliseconds, for as long as its `with` lasts."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.positions = []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.is_over.is_set():
            self.positions += self.gateway.post(event())
            time.sleep(0.005)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join(30)


class Asking:
    """Asks for analyses from several threads, each of assets of its own, for as long as its `with` lasts."""

    def __init__(self, gateway, agent, threads=4):
        self.gateway, self.agent = gateway, agent
        self.results = []
        self.faults = []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(threads)]

    def run(self, thread):
        number = 0
        while not self.is_over.is_set():
            number += 1
            try:
                symbol = MANY[(4 * number + thread) % len(MANY)]
                analysis = self.gateway.analyze(symbol, self.agent, timeout=90)
                self.results.append(analysis["analyses"][self.agent])
            except (AssertionError, OSError) as fault:
                self.faults.append(fault)
                return

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join(120)


def received(subscriber, positions):
    """The positions of the events that came, up to the last that was published; nothing was left out."""
    messages = subscriber.until(
        lambda message: message["type"] == "event" and message["position"] == positions[-1], 60)
    assert "gap" not in {message["type"] for message in messages}
    return [message["position"] for message in messages if message["type"] == "event"]


# Real hosts

@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=lambda number: number.name)
def test_a_host_that_is_shot_or_stands_still_is_replaced_and_no_event_is_missed(start, connect, number):
    gateway = start({
        **workers("technical", "risk"), "WORKER_POOL_SIZE": "2", "WORKER_MAX_HEARTBEAT_AGE": "10", "WORKER_TASK_TIMEOUT": "15",
        "WORKER_HEALTH_CHECK_INTERVAL": "1", "WORKER_RETRY_DELAY": "0", "CACHE_TTL_TECHNICAL": "0",
    }, symbols=MANY).wait_for_workers()
    before = gateway.hosts()["technical"]
    other = gateway.hosts()["risk"]
    subscriber = connect(gateway)
    subscriber.subscribe()

    def replaced():
        host = gateway.hosts()["technical"]
        return host["state"] == "running" and host["pid"] != before["pid"] and host

    with Publishing(gateway) as published, Asking(gateway, "technical") as asked:
        eventually(lambda: len(asked.results) > 20 or asked.faults, "analyses are answered", 30)
        os.kill(before["pid"], number)
        host = eventually(replaced, "another process works", 60)
        so_far = len(asked.results)
        eventually(lambda: len(asked.results) > so_far + 20 or asked.faults, "analyses are answered again", 60)
    assert received(subscriber, published.positions) == published.positions
    assert asked.faults == []
    for result in asked.results:
        assert result["status"] in ENDS
        assert result["status"] == "completed" or result["missing"] or result["error"], result
    assert host["restarts"] == 1 and host["last_exit"]
    assert gateway.sample("worker_host_restarts_total", worker_type="technical") == 1
    assert gateway.hosts()["risk"]["pid"] == other["pid"], "the other type's is left alone"
    assert not is_alive(before["pid"])
    assert "technical" in gateway.log and "started again" in gateway.log
    # One whose last task failed is degraded until it has another; none is unhealthy.
    eventually(lambda: gateway.get_json("/health")["status"] == "healthy", "the whole is well again", 30)


def test_a_worker_that_becomes_unhealthy_is_told_to_everybody(start, connect):
    gateway = start({
        **workers("technical"), "WORKER_POOL_SIZE": "1", "WORKER_EXECUTABLE": faulty_worker(), "WORKER_RETRY_ATTEMPTS": "0",
        "WORKER_HEALTH_CHECK_INTERVAL": "1"}, symbols=SYMBOLS).wait_for_workers()
    client = connect(gateway)  # without any subscription
    for _ in range(5):
        gateway.analyze("NONSENSE")
    status = client.until(lambda message: message["type"] == "status" and message["state"] == "unhealthy")[-1]
    assert (status["scope"], status["name"]) == ("worker", "tech_0") and status["reason"]
    eventually(lambda: gateway.get_json("/health")["status"] == "degraded", "the whole is degraded")
    assert gateway.get("/health").status == 200, "events are served"
    assert gateway.sample("worker_health_status", worker_id="tech_0") == 0


# Every fault

@pytest.mark.parametrize(("symbol", "end"), FAULTS.items())
def test_a_fault_ends_as_documented_and_the_next_asset_is_answered(start, connect, symbol, end):
    # Asked again and again while its host starts anew, the worker would have its circuit opened for a minute.
    settings = {**FAULTY, "WORKER_EXECUTABLE": faulty_worker(), "WORKER_CIRCUIT_BREAKER_THRESHOLD": "1000"}
    gateway = start(settings, symbols=SYMBOLS).wait_for_workers()
    subscriber = connect(gateway)
    subscriber.subscribe()
    with Publishing(gateway) as published:
        result = gateway.analyze(symbol)["analyses"]["technical"]
        assert (result["status"], result["score"]) == (end, None), result
        assert result["error"] or result["missing"], "it is said why"

        def answered():
            return gateway.analyze("GOOD")["analyses"]["technical"]["status"] == "completed"

        eventually(answered, "the next asset is answered", 60)
    assert received(subscriber, published.positions) == published.positions
    kind = {"timed_out": "timeout", "failed": "failed", "insufficient_data": "success"}[end]
    assert gateway.sample("worker_tasks_total", worker_type="technical", status=kind) >= 1
    assert gateway.sample("worker_tasks_total", worker_type="technical", status="success") >= 1
    gateway.assert_healthy()


def test_the_circuit_opens_after_five_failures_and_closes_by_one_success(start):
    gateway = start({
        **FAULTY, "WORKER_EXECUTABLE": faulty_worker(), "WORKER_CIRCUIT_BREAKER_TIMEOUT": "3"},
        symbols=SYMBOLS).wait_for_workers()

    def circuit():
        return gateway.sample("worker_circuit_state", worker_id="tech_0")

    for count in range(5):
        assert circuit() == 0, f"closed after {count}"
        assert gateway.analyze("NONSENSE")["analyses"]["technical"]["status"] == "failed"
    assert circuit() == 2
    result = gateway.analyze("GOOD")["analyses"]["technical"]
    assert result["status"] == "unavailable" and result["error"]
    eventually(
        lambda: gateway.get_json("/health/workers")["open_circuits"] == [{"worker_id": "tech_0", "circuit": "open"}],
        "health shows it")
    assert "the circuit of tech_0 is open, was closed" in gateway.log

    def tried():
        return gateway.analyze("NONSENSE")["analyses"]["technical"]["status"] == "failed"

    eventually(tried, "one is let through after three seconds", 10)
    assert circuit() == 2, "its failure opens the circuit again"
    eventually(lambda: gateway.analyze("GOOD")["analyses"]["technical"]["status"] == "completed", "one answers", 10)
    assert circuit() == 0
    eventually(lambda: gateway.get_json("/health/workers")["open_circuits"] == [], "health shows it")
    assert "is half_open, was open" in gateway.log and "is closed, was half_open" in gateway.log


def test_a_fault_of_one_type_leaves_the_answers_of_the_others(start):
    gateway = start({
        **FAULTY, **workers("technical", "risk"), "WORKER_EXECUTABLE": faulty_worker(), "WORKER_TASK_TIMEOUT": "2",
    }, symbols=SYMBOLS).wait_for_workers()
    analysis = gateway.analyze("NONSENSE")
    assert {one["status"] for one in analysis["analyses"].values()} == {"failed"}
    aggregate = analysis["aggregate"]
    assert aggregate["overall_score"] is None and aggregate["coverage"] == {"answered": 0, "asked": 2, "fraction": 0}
    good = gateway.analyze("GOOD")["aggregate"]
    assert good["coverage"]["answered"] == 2 and good["overall_score"] is not None


@pytest.mark.parametrize("program", ["/nonexistent/worker", "/bin/false", "/bin/true"])
def test_a_gateway_whose_workers_cannot_start_serves_events_and_says_so(start, connect, program):
    gateway = start({**FAULTY, "WORKER_EXECUTABLE": program})
    subscriber = connect(gateway)
    subscriber.subscribe()
    with Publishing(gateway) as published:
        eventually(lambda: gateway.get_json("/health")["status"] == "degraded", "health says so", 30)
        assert gateway.get("/health").status == 200
        host = gateway.hosts().get("technical")
        assert host is None or host["state"] != "running" or host["restarts"] > 0
        answer = gateway.request(
            "POST", "/analysis", '{"asset":{"symbol":"AAPL","asset_type":"equity"}}', timeout=60)
        assert answer.status in (200, 503), answer.content
    assert received(subscriber, published.positions) == published.positions
    assert "technical" in gateway.log


# The end

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
@pytest.mark.parametrize("symbol", ["AAPL", "HANG", "SPIN"])
def test_no_process_is_left_behind(start, number, symbol):
    settings = {**workers(*WORKERS), "WORKER_POOL_SIZE": "2", "FIML_DRAIN_SECONDS": "1"}
    if symbol != "AAPL":
        settings["WORKER_EXECUTABLE"] = faulty_worker()
    gateway = start(settings, symbols=SYMBOLS).wait_for_workers()
    children = [host["pid"] for host in gateway.hosts().values()]
    assert len(children) == 8 and all(map(is_alive, children))
    gateway.analyze(symbol, status=202, wait=False)
    began = time.monotonic()
    gateway.signal(number)
    status = gateway.wait(15)
    assert status == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    eventually(lambda: not any(map(is_alive, children)), "all have ended", 10)
    assert time.monotonic() - began < 20


def test_a_drain_refuses_what_is_new_and_ends_what_waits(start):
    gateway = start({
        **workers("technical"), "WORKER_EXECUTABLE": faulty_worker(), "FIML_DRAIN_SECONDS": "3", "MAX_CONCURRENT_TASKS": "1",
        "WORKER_TASK_TIMEOUT": "60"}, symbols=SYMBOLS).wait_for_workers()
    gateway.analyze("HANG", status=202, wait=False)
    answers = []

    def ask():
        answer = gateway.request(
            "POST", "/analysis", '{"asset":{"symbol":"AAPL","asset_type":"equity"}}', timeout=30)
        answers.append(answer.status)

    waiting = threading.Thread(target=ask)
    waiting.start()
    time.sleep(0.3)
    assert answers == [], "it waits for its turn"
    gateway.signal(signal.SIGTERM)
    waiting.join(10)
    assert answers == [503]
    assert gateway.wait(15) == 0


def test_a_drain_tells_the_socket_that_an_analysis_will_not_be_answered(start, connect):
    gateway = start({**FAULTY, "WORKER_EXECUTABLE": faulty_worker(), "WORKER_TASK_TIMEOUT": "60"}, symbols=SYMBOLS)
    gateway.wait_for_workers()
    client = connect(gateway)
    client.send({"type": "analyze", "id": "slow", "asset": {"symbol": "HANG", "asset_type": "equity"}})
    client.until(lambda message: message["type"] == "task_update")
    gateway.signal(signal.SIGTERM)
    error = client.until(lambda message: message["type"] == "error")[-1]
    assert (error["id"], error["error_code"]) == ("slow", "UNAVAILABLE") and error["retry_after_ms"]
    assert client.next()["type"] == "going_away"
    assert gateway.wait(15) == 0
