"""Analysis runs wherever worker hosts are: a gateway whose workers are switched off has those of others on its Redis do
it, also when one of them dies meanwhile; what nobody has is refused, with a time to come back."""

import concurrent.futures
import contextlib
import json

import pytest
from gateway import WORKERS, Gateway, eventually, faulty_worker, workers
from servers import Redis

SETTINGS = {
    "FIML_LEASE_SECONDS": "2", "REDIS_SOCKET_TIMEOUT": "1", "WORKER_POOL_SIZE": "1", "WORKER_RETRY_DELAY": "0",
    # Nodes on one Redis share what they found, too; here each is to compute.
    **{f"CACHE_TTL_{name}": "0" for name in ("PRICE", "FUNDAMENTALS", "TECHNICAL", "NEWS", "MACRO")},
}
# Longer than a node's silence about its tasks, and machines are starved.
SOON = 90


@pytest.fixture
def redis():
    with Redis() as server:
        yield server


@pytest.fixture
def node(redis, tmp_path):
    """Starts a gateway of that name; without workers unless some are named."""
    with contextlib.ExitStack() as stack:
        def begin(name, *types, settings=None, **options):
            place = tmp_path / name
            place.mkdir()
            own = {**SETTINGS, **redis.settings, **workers(*types), "FIML_NODE_ID": name, **(settings or {})}
            gateway = stack.enter_context(Gateway(place, own, **options))
            return gateway.wait_for_workers() if types else gateway
        yield begin


def offered(gateway):
    """The types of workers that a node knows of at others."""
    return {one["worker_type"] for one in gateway.get_json("/workers")["workers"] if one.get("remote")}


def await_offered(gateway, *types):
    eventually(lambda: offered(gateway) == set(types), f"the others offer {types}", SOON)


def refusal(gateway, *agents):
    """What a refused analysis is answered, and after how many seconds it may be asked for again."""
    wanted = {"asset": {"symbol": "AAPL", "asset_type": "equity"}, **({"agents": agents} if agents else {})}
    answer = gateway.request(
        "POST", "/analysis", json.dumps(wanted), {"Content-Type": "application/json"}, timeout=SOON)
    assert answer.status == 503, answer.content
    return json.loads(answer.content)["detail"], int(answer.headers["Retry-After"])


def test_a_gateway_without_workers_answers_with_the_findings_of_another(node):
    a, b = node("a"), node("b", *WORKERS)
    await_offered(a, *WORKERS)
    here, there = b.analyze("AAPL"), a.analyze("AAPL")
    assert there["aggregate"]["coverage"] == {"answered": 8, "asked": 8, "fraction": 1}
    assert there["aggregate"]["scores"] == here["aggregate"]["scores"]
    assert {name: one["worker_id"] for name, one in there["analyses"].items()} \
        == {name: f"{name}@redis" for name in WORKERS}
    assert a.worker("risk@redis")["tasks_completed"] == 1
    assert b.worker("risk_0")["tasks_completed"] == 2
    assert a.hosts()["risk"]["remote"] and a.get_json("/health")["workers"] == {"total": 8, "healthy": 8}
    assert offered(b) == set()
    a.assert_healthy()
    b.assert_healthy()


def test_each_type_is_done_where_it_is(node):
    a, b = node("a", "technical", "risk"), node("b", "news", "risk")
    await_offered(a, "news")
    await_offered(b, "technical")
    for gateway, remote in [(a, "news"), (b, "technical")]:
        found = gateway.analyze("AAPL")["analyses"]
        assert sorted(found) == ["news", "risk", "technical"]
        assert {name for name, one in found.items() if one["worker_id"] == f"{name}@redis"} == {remote}
        assert list(gateway.analyze("AAPL", remote)["analyses"]) == [remote]


def test_what_a_killed_gateway_had_taken_is_done_by_another(node, redis):
    a = node("a", symbols=["HANG"])
    b = node("b", "technical", settings={"WORKER_EXECUTABLE": faulty_worker()})
    await_offered(a, "technical")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(a.analyze, "HANG", "technical", timeout=2 * SOON)
        eventually(lambda: "b" in redis.cli("XPENDING", "fiml:tasks:technical", "hosts").split(), "b has it", SOON)
        c = node("c", "technical")
        eventually(lambda: len(json.loads(a.get("/health").content)["cluster"]["nodes"]) == 3, "a knows of c", SOON)
        b.stop()
        found = answer.result(2 * SOON)["analyses"]["technical"]
    assert (found["status"], found["worker_id"], found["attempts"]) == ("completed", "technical@redis", 1)
    assert c.worker("tech_0")["tasks_completed"] == 1
    assert redis.cli("XLEN", "fiml:tasks:technical").strip() == "0"


def test_what_no_gateway_has_is_refused_with_a_time_to_come_back(node):
    a = node("a")
    assert refusal(a) == ("all workers are switched off here, and no other gateway has them now", 5)
    b = node("b", "technical")
    await_offered(a, "technical")
    assert refusal(a, "technical", "news") == (
        "news workers are switched off here, and no other gateway has them now", 5)
    assert a.analyze("AAPL")["aggregate"]["coverage"]["asked"] == 1
    b.stop()
    await_offered(a)
    assert refusal(a, "technical") == (
        "technical workers are switched off here, and no other gateway has them now", 5)
    a.assert_healthy()


def test_while_redis_is_away_what_others_have_is_refused_and_what_is_here_done(node, redis):
    a, b, c = node("a"), node("b", "technical", "risk"), node("c", "risk")
    await_offered(a, "technical", "risk")
    await_offered(c, "technical")
    redis.kill()
    eventually(lambda: "cannot be reached" in refusal(a)[0], "a knows", SOON)
    assert "Redis does not answer" in refusal(c, "technical")[0]
    assert c.analyze("AAPL")["aggregate"]["coverage"] == {"answered": 1, "asked": 1, "fraction": 1}
    assert a.worker("risk@redis")["reason"] == "the other gateways cannot be reached"
    redis.start()
    await_offered(a, "technical", "risk")
    assert a.analyze("AAPL")["aggregate"]["coverage"]["answered"] == 2
    for gateway in (a, b, c):
        gateway.assert_alive()


def test_a_task_from_a_gateway_that_is_gone_leaves_nothing_for_long(node, redis):
    a = node("a", symbols=["AAPL"])
    b = node("b", "technical")
    await_offered(a, "technical")
    a.analyze("AAPL", "technical")
    a.stop()
    redis.cli("XADD", "fiml:tasks:technical", "*", "id", "x", "node", "a", "payload", "no figures", "deadline", "9" * 15)
    eventually(lambda: redis.cli("XLEN", "fiml:results:a").strip() == "2", "the answer is there", SOON)
    assert 0 < int(redis.cli("PTTL", "fiml:results:a")) <= 3_600_000
    b.assert_healthy()
