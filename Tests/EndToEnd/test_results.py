"""Results that outlive the gateway: in SQLite, in a real PostgreSQL, in a real Redis; and what the gateway says of them."""

import contextlib
import json

import pytest
from gateway import FAULTS, Gateway, eventually, faulty_worker, terminate, workers
from servers import Postgres, Redis

PAIR = workers("technical", "risk")
HANGS = {**workers("technical"), "WORKER_EXECUTABLE": faulty_worker()}
STORES = ["sqlite", "postgresql", "redis"]


@contextlib.contextmanager
def store(kind):
    """The settings of a gateway that keeps results there."""
    if kind == "sqlite":
        yield {}
        return
    with Postgres() if kind == "postgresql" else Redis() as server:
        yield {**server.settings, "FIML_NODE_ID": "one"}


@pytest.fixture(params=STORES)
def kept(request):
    with store(request.param) as settings:
        yield settings


@pytest.fixture(scope="module")
def postgres():
    """One server for the tests that leave it as it was."""
    with Postgres() as server:
        yield server


def task_of(gateway, symbol, *agents):
    """A task's path."""
    return f"/analysis/{gateway.analyze(symbol, *agents, status=202, wait=False)['task_id']}"


def ended(gateway, path):
    def is_over():
        task = gateway.get_json(path)
        return task["status"] not in ("queued", "running") and task

    return eventually(is_over, f"{path} ends", 120)


def database(gateway, status, seconds=60):
    """What /health/db says, once that is its status."""
    def said():
        answer = gateway.get("/health/db")
        health = json.loads(answer.content)
        assert (answer.status == 503) == (health["status"] == "unhealthy")
        return health["status"] == status and health

    return eventually(said, f"/health/db says {status}", seconds)


def restart(gateway):
    """Killed, without a word, and started again."""
    gateway.stop()
    return gateway.start().wait_for_workers()


# Tasks

def test_the_result_of_a_task_is_the_same_after_a_kill(start, kept):
    gateway = start({**PAIR, **kept}, symbols=["ACME"]).wait_for_workers()
    database(gateway, "healthy")
    path = task_of(gateway, "ACME", "technical", "risk")
    before = ended(gateway, path)
    assert before["status"] == "completed"
    restart(gateway)
    assert gateway.get_json(path) == before
    cancelled = gateway.request("DELETE", path)
    assert cancelled.status == 200 and json.loads(cancelled.content) == before


def test_a_task_that_a_kill_has_ended_has_failed_and_says_why(start, kept):
    gateway = start({**HANGS, **kept}, symbols=FAULTS).wait_for_workers()
    database(gateway, "healthy")
    path = task_of(gateway, "HANG", "technical")
    assert gateway.get_json(path)["status"] in ("queued", "running")
    restart(gateway)
    lost = gateway.get_json(path)
    assert lost["status"] == "failed" and lost["result"] is None and lost["finished_at"]
    assert lost["error"] == "the gateway was restarted before it ended"
    assert json.loads(gateway.request("DELETE", path).content) == lost
    assert gateway.get_json(path) == lost


def test_every_task_that_was_answered_is_known_after_a_kill(start):
    gateway = start(PAIR, symbols=["ACME", "EMCA"]).wait_for_workers()
    paths = [task_of(gateway, symbol, agent) for symbol in ("ACME", "EMCA", "NONE") for agent in ("technical", "risk")]
    restart(gateway)
    for path in paths:
        assert gateway.get_json(path)["status"] in ("completed", "failed"), path


def test_a_task_that_ended_is_forgotten_after_its_time(start):
    gateway = start({**PAIR, "TASK_RESULT_TTL": "1"}, symbols=["ACME"]).wait_for_workers()
    path = task_of(gateway, "ACME", "risk")
    eventually(lambda: gateway.get(path).status == 404, "it is forgotten", 60)
    restart(gateway)
    assert gateway.get(path).status == 404


def test_another_gateway_knows_of_a_task_but_does_not_cancel_it(tmp_path, postgres):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    settings = {**HANGS, **postgres.settings}
    with (Gateway(folders[0], {**settings, "FIML_NODE_ID": "a"}, symbols=FAULTS) as a,
          Gateway(folders[1], {**settings, "FIML_NODE_ID": "b"}, symbols=FAULTS) as b):
        for gateway in (a, b):
            database(gateway.wait_for_workers(), "healthy")
        path = task_of(a, "HANG", "technical")
        assert b.get_json(path)["status"] == "running"
        refused = b.request("DELETE", path)
        assert refused.status == 409 and "the gateway a is at this task" in json.loads(refused.content)["detail"]
        assert a.request("DELETE", path).status == 200
        assert ended(a, path)["status"] == "cancelled"
        eventually(lambda: b.get_json(path) == a.get_json(path), "b is told", 60)


def test_a_task_of_a_gateway_that_is_gone_has_failed_once_the_others_know(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    with Redis() as redis:
        settings = {**HANGS, **redis.settings, "FIML_LEASE_SECONDS": "2"}
        with (Gateway(folders[0], {**settings, "FIML_NODE_ID": "a"}, symbols=FAULTS) as a,
              Gateway(folders[1], {**settings, "FIML_NODE_ID": "b"}, symbols=FAULTS) as b):
            for gateway in (a, b):
                database(gateway.wait_for_workers(), "healthy")
            path = task_of(a, "HANG", "technical")
            assert b.get_json(path)["status"] == "running"
            a.stop()
            lost = ended(b, path)
            assert (lost["status"], lost["error"]) == ("failed", "the gateway a stopped before it ended")


def test_a_task_of_a_gateway_that_was_restarted_has_failed_at_the_others_too(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    with Redis() as redis:
        settings = {**HANGS, **redis.settings, "FIML_LEASE_SECONDS": "2", "ASYNC_TASK_TIMEOUT": "600"}
        with (Gateway(folders[0], {**settings, "FIML_NODE_ID": "a"}, symbols=FAULTS) as a,
              Gateway(folders[1], {**settings, "FIML_NODE_ID": "b"}, symbols=FAULTS) as b):
            for gateway in (a, b):
                database(gateway.wait_for_workers(), "healthy")
            path = task_of(a, "HANG", "technical")
            assert b.get_json(path)["status"] == "running"
            restart(a)
            # b is asked first: a would write down what it answers.
            lost = ended(b, path)
            assert (lost["status"], lost["error"]) == ("failed", "the gateway a stopped before it ended")
            assert a.get_json(path) == lost


# Findings

def test_findings_are_given_again_after_a_kill(start, kept):
    gateway = start({**PAIR, **kept}, symbols=["ACME"]).wait_for_workers()
    database(gateway, "healthy")
    before = gateway.analyze("ACME", "technical", "risk")
    eventually(lambda: gateway.metric("results_kept_total") >= 2, "they are kept", 60)
    restart(gateway)
    database(gateway, "healthy")
    again = gateway.analyze("ACME", "technical", "risk")
    assert again["analyses"] == before["analyses"]
    tasks = [gateway.sample("worker_tasks_total", worker_type=one, status="success") for one in ("technical", "risk")]
    assert tasks == [0, 0], "nobody has judged anew"
    assert gateway.sample("results_hits_total", place="store") == 2
    cache = gateway.get_json("/health/cache")
    assert (cache["store"]["hits"], cache["memory"]["misses"], cache["memory"]["hits"]) == (2, 2, 0)
    assert gateway.analyze("ACME", "technical", "risk") == again
    cache = gateway.get_json("/health/cache")
    assert (cache["memory"]["hits"], cache["memory"]["hit_ratio"]) == (2, 0.5)


def test_findings_of_another_recording_are_not_given(start, tmp_path):
    gateway = start(PAIR, symbols=["ACME"]).wait_for_workers()
    database(gateway, "healthy")
    before = gateway.analyze("ACME", "risk")
    eventually(lambda: gateway.metric("results_kept_total") >= 1, "kept", 60)
    gateway.stop()
    file = tmp_path / "ACME_daily.csv"
    rows = file.read_text().splitlines()
    file.write_text("\n".join(rows[:-40]) + "\n")
    gateway.start().wait_for_workers()
    after = gateway.analyze("ACME", "risk")
    assert after["analyses"]["risk"]["as_of"] < before["analyses"]["risk"]["as_of"]


# What it says

def test_without_a_store_results_end_with_the_process(start):
    gateway = start({**PAIR, "WATCHDOG_EVENT_PERSISTENCE": "false"}, symbols=["ACME"]).wait_for_workers()
    assert gateway.get_json("/health/db")["status"] == "disabled"
    cache = gateway.get_json("/health/cache")
    assert (cache["status"], cache["store"], cache["redis"]) == ("healthy", None, None)
    path = task_of(gateway, "ACME", "risk")
    assert ended(gateway, path)["status"] == "completed"
    restart(gateway)
    assert gateway.get(path).status == 404
    assert not (gateway.folder / "data").exists()


def test_sqlite_says_what_and_where_it_is(start):
    gateway = start(PAIR, symbols=["ACME"]).wait_for_workers()
    health = database(gateway, "healthy")
    assert health["store"] == "sqlite" and health["place"].endswith("results.db")
    assert health["version"] and health["latency_ms"] >= 0 and health["error"] is None
    assert gateway.metric("results_store_up") == 1


def test_postgresql_that_is_away_holds_nobody_up_and_gets_what_has_gathered(start, postgres):
    postgres.kill()
    try:
        gateway = start({**PAIR, **postgres.settings}, symbols=["ACME"]).wait_for_workers()
        health = database(gateway, "unhealthy")
        assert health["store"] == "postgresql" and health["place"] == f"127.0.0.1:{postgres.port}/fiml"
        assert "refused" in health["error"] and health["version"] is None and health["since"]
        assert gateway.metric("results_store_up") == 0
        path = task_of(gateway, "ACME", "technical", "risk")
        before = ended(gateway, path)
        assert before["status"] == "completed"
        assert gateway.get_json("/health/cache")["status"] == "degraded"
    finally:
        postgres.start()
    health = database(gateway, "healthy", 120)
    assert health["version"][0].isdigit() and health["error"] is None
    eventually(lambda: gateway.get_json("/health/db")["pending_writes"] == 0, "all is written", 60)
    restart(gateway)
    database(gateway, "healthy")
    assert gateway.get_json(path) == before
    assert postgres.password not in gateway.log and "se'cret" not in gateway.log


def test_postgresql_that_is_killed_at_work_is_said_and_used_again(start, postgres):
    gateway = start({**PAIR, **postgres.settings}, symbols=["ACME", "EMCA"]).wait_for_workers()
    database(gateway, "healthy")
    postgres.kill()
    try:
        database(gateway, "unhealthy")
        before = gateway.analyze("EMCA", "technical", "risk")
        path = task_of(gateway, "EMCA", "technical", "risk")
        assert ended(gateway, path)["result"]["analyses"] == before["analyses"]
    finally:
        postgres.start()
    database(gateway, "healthy", 120)
    gateway.assert_healthy()
    told = [json.loads(line)["message"] for line in gateway.log.splitlines() if "results are" in line]
    assert len([line for line in told if "not kept" in line]) == 1 and "kept again" in told[-1], told


def test_postgresql_that_hangs_is_said_and_costs_half_a_second(start, postgres):
    gateway = start({**PAIR, **postgres.settings}, symbols=["ACME"]).wait_for_workers()
    database(gateway, "healthy")
    with postgres.paused():
        assert gateway.analyze("ACME", "technical", "risk")["aggregate"]["agent_count"] == 2
        database(gateway, "unhealthy", 120)
    database(gateway, "healthy", 120)


def test_a_wrong_password_is_said_and_the_gateway_serves(start, postgres):
    wrong = {**postgres.settings, "POSTGRES_PASSWORD": "no such word"}
    gateway = start({**PAIR, **wrong}, symbols=["ACME"]).wait_for_workers()
    health = database(gateway, "unhealthy")
    assert "password" in health["error"] and "no such word" not in json.dumps(health)
    assert gateway.analyze("ACME", "risk")["aggregate"]["agent_count"] == 1
    assert "no such word" not in gateway.log


def test_redis_beside_postgresql_is_shown(start, postgres):
    with Redis(password="let me in") as redis:
        gateway = start({**PAIR, **postgres.settings, **redis.settings}, symbols=["ACME"]).wait_for_workers()
        database(gateway, "healthy")

        def shown(status):
            said = gateway.get_json("/health/cache")["redis"]
            return said["status"] == status and said

        said = eventually(lambda: shown("healthy"), "Redis is there", 60)
        assert said["place"] == f"127.0.0.1:{redis.port}/0" and said["version"]
        redis.kill()
        assert eventually(lambda: shown("unhealthy"), "Redis is away", 60)["error"]
        assert gateway.get_json("/health/cache")["status"] == "degraded"


def test_a_stop_in_order_keeps_what_waits(start):
    gateway = start(PAIR, symbols=["ACME"]).wait_for_workers()
    path = task_of(gateway, "ACME", "risk")
    before = ended(gateway, path)
    terminate(gateway)
    assert gateway.wait() == 0
    gateway.start().wait_for_workers()
    assert gateway.get_json(path) == before
