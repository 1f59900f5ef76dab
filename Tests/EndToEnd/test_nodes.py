"""Several gateways on one Redis are one: publish to any, subscribe at any, resume at another; each watchdog runs on one
of them at a time, and moves when that one dies, hangs or is cut off."""

import contextlib
import json
import random

import pytest
from gateway import Gateway, eventually
from load import Load
from providers import Providers
from proxy import Proxy
from servers import Redis
from subscriber import descriptions, event
from test_settings import FUNDING, RATES

LEASE = 2
SETTINGS = {
    "FIML_HEARTBEAT_SECONDS": "1", "FIML_LEASE_SECONDS": str(LEASE), "REDIS_SOCKET_TIMEOUT": "1",
}
NAMES = ["a", "b", "c"]
# A lease and then some: machines are starved.
SOON = LEASE + 30


@pytest.fixture
def redis():
    with Redis() as server:
        yield server


@contextlib.contextmanager
def cluster(redis, folder, settings=None, through=None):
    """Three gateways, by name; `through` is the wire of one of them: {"b": proxy}."""
    with contextlib.ExitStack() as stack:
        nodes = {}
        for name in NAMES:
            place = folder / name
            place.mkdir()
            wire = (through or {}).get(name)
            own = redis.through(wire) if wire else redis.settings
            nodes[name] = stack.enter_context(
                Gateway(place, {**SETTINGS, **own, "FIML_NODE_ID": name, **(settings or {})}))
        yield nodes


def membership(gateway):
    """What a node's health says of the cluster: who lives, and who runs which watchdogs."""
    said = json.loads(gateway.get("/health").content)["cluster"]
    return ({node["node_id"] for node in said["nodes"]},
            {node["node_id"]: node["watchdogs"] for node in said["nodes"]})


def owners(gateway):
    """Who runs each watchdog, as a node sees it; the lists may name several."""
    found = {}
    for node, watchdogs in membership(gateway)[1].items():
        for watchdog in watchdogs:
            found.setdefault(watchdog, []).append(node)
    return found


def checks(nodes, watchdog):
    """How often each node has checked, successfully or not."""
    text = {name: node.get("/metrics").content.decode() for name, node in nodes.items()}
    return {
        name: sum(float(line.split()[-1]) for line in lines.splitlines()
                  if line.startswith("watchdog_checks_total{") and f'watchdog="{watchdog}"' in line)
        for name, lines in text.items()}


def runners(nodes, watchdog, times=3):
    """Which nodes check it by now: those whose count rises, until one of them has done so `times` more."""
    before = checks(nodes, watchdog)
    eventually(lambda: max(count - before[name] for name, count in checks(nodes, watchdog).items()) >= times,
               f"{watchdog} is checked", SOON)
    return [name for name, count in checks(nodes, watchdog).items() if count > before[name]]


def test_publish_to_any_subscribe_at_any_in_one_order(redis, tmp_path, connect):
    with cluster(redis, tmp_path) as nodes:
        clients = {name: connect(node) for name, node in nodes.items()}
        for client in clients.values():
            client.subscribe()
        dice = random.Random(5)
        published = []
        for number in range(60):
            batch = [event(description=f"{number}.{part}") for part in range(dice.randrange(1, 5))]
            published += list(zip(dice.choice(list(nodes.values())).post(batch), batch))
        for client in clients.values():
            received = client.events(len(published))
            assert [message["position"] for message in received] == [position for position, _ in published]
            assert descriptions(received) == [one["description"] for _, one in published]
        stored = [node.get_json("/events?limit=1000")["events"] for node in nodes.values()]
        assert stored[0] == stored[1] == stored[2]


def test_a_client_resumes_at_another_node_than_before(redis, tmp_path, connect):
    with cluster(redis, tmp_path) as nodes:
        a, b, c = nodes.values()
        client = connect(a)
        client.subscribe()
        positions = a.post([event() for _ in range(10)])
        last = client.events(10)[-1]["position"]
        client.close()
        positions += b.post([event() for _ in range(10)])
        client = connect(c)
        ack = client.subscribe("s", since=last)
        assert (ack["recovered"], ack["replaying"]) == (True, 10)
        assert [message["position"] for message in client.events(10)] == positions[10:]


def test_load_at_three_nodes_while_one_is_killed_one_paused_and_one_cut_off(redis, tmp_path):
    with Proxy(redis.port) as wire, cluster(redis, tmp_path, through={"c": wire}) as nodes:
        a, b, c = nodes.values()
        with Load([a, b, c], "three nodes", publishers=3, subscribers=6, streams=2, patience=5) as load:
            load.wait_for(50)
            a.stop()
            load.wait_for(50)
            a.start()
            with b.paused():
                load.wait_for(50)
            wire.cut()
            load.wait_for(50)
            wire.heal()
            wire.stall()
            load.wait_for(50)
            wire.heal()
            load.wait_for(50)
            load.finish().read_back(b)
        load.assert_good()


def test_every_watchdog_runs_on_one_node_and_moves_when_that_is_killed(redis, tmp_path):
    with cluster(redis, tmp_path, {"WATCHDOG_GLOBAL_ENABLED": "true"}) as nodes:
        def all_run_once(among, names):
            for name in among:
                found = owners(nodes[name])
                if len(found) != 8 or any(len(who) != 1 or who[0] not in names for who in found.values()):
                    return None
            return found

        found = eventually(lambda: all_run_once(NAMES, NAMES), "each of the eight runs on one node", SOON)
        victim = found["price_anomaly"][0]
        nodes[victim].stop()
        rest = [name for name in NAMES if name != victim]
        eventually(lambda: all_run_once(rest, rest), "what it ran has moved", SOON)
        assert victim not in membership(nodes[rest[0]])[0]
        nodes[victim].start()
        eventually(lambda: all(victim in membership(node)[0] for node in nodes.values()),
                   "it is a member again", SOON)
        eventually(lambda: all_run_once(NAMES, NAMES), "each runs on one node still", SOON)


@pytest.fixture
def watched(redis, tmp_path):
    """Three nodes on a live market, of which one runs funding_rate each second; the wire is b's."""
    with Providers() as market, Proxy(redis.port) as wire:
        market.wire = wire
        with cluster(redis, tmp_path, {**FUNDING, **market.settings()}, through={"b": wire}) as nodes:
            yield market, nodes


def fire(market, is_firing=True):
    market.funding = dict.fromkeys(RATES, 0.004 if is_firing else 0.0001) | {"binance": 0.004 if is_firing else 0.0001}


def told(nodes, name):
    """The events of funding_rate, oldest first, as a node has them."""
    page = nodes[name].get_json("/events?watchdogs=funding_rate&event_types=funding_spike&limit=1000")
    return [entry["event"] for entry in page["events"]]


def owner(nodes):
    """Who runs funding_rate, once it is one."""
    return eventually(lambda: (who := runners(nodes, "funding_rate")) and len(who) == 1 and who[0],
                      "one node runs funding_rate", SOON)


def assert_one_alert(nodes, name):
    """One condition, told as firing once, whoever found it."""
    firing = [one["fingerprint"] for one in told(nodes, name) if one["status"] == "firing"]
    assert len(firing) == len(set(firing)) and firing, told(nodes, name)


def test_what_fires_is_told_once_though_its_node_is_killed(watched):
    market, nodes = watched
    first = owner(nodes)
    fire(market)
    eventually(lambda: told(nodes, first), "it fires", SOON)
    nodes[first].stop()
    rest = {name: node for name, node in nodes.items() if name != first}
    second = owner(rest)
    runners(rest, "funding_rate")
    assert_one_alert(rest, second)
    fire(market, False)
    eventually(lambda: told(rest, second)[-1]["status"] == "resolved", "the new owner ends it", SOON)
    assert_one_alert(rest, second)


def test_a_node_that_hung_and_goes_on_finds_its_lease_gone(watched):
    market, nodes = watched
    first = owner(nodes)
    rest = {name: node for name, node in nodes.items() if name != first}
    with nodes[first].paused():
        second = owner(rest)
        fire(market)
        eventually(lambda: told(rest, second), "the new owner tells", SOON)
        by_new = [one["event_id"] for one in told(rest, second)]
    assert owner(nodes) in rest, "the old owner does not run beside the new one"
    runners(nodes, "funding_rate")
    assert_one_alert(nodes, second)
    assert [one["event_id"] for one in told(nodes, first)] == by_new, "nor did it tell anything"
    nodes[first].assert_alive()


def test_a_node_that_is_cut_off_from_redis_stops_its_watchdogs_within_the_lease(watched, connect):
    market, nodes = watched
    # The one with the wire is to own it: the others leave until it does.
    while (first := owner(nodes)) != "b":
        nodes[first].restart()
    rest = {name: node for name, node in nodes.items() if name != "b"}
    market.wire.stall()
    second = owner(rest)
    fire(market)
    eventually(lambda: told(rest, second), "the new owner tells", SOON)
    assert runners(nodes, "funding_rate") == [second], "the one that is cut off does not run"
    answer = nodes["b"].request(
        "POST", "/events", json.dumps(event()), {"Content-Type": "application/json"}, timeout=30)
    assert answer.status == 503
    market.wire.heal()
    eventually(lambda: told(nodes, "b"), "it sees what it missed", SOON)
    assert_one_alert(nodes, "b")
    assert len(runners(nodes, "funding_rate")) == 1


def test_a_node_that_hung_checks_no_more_once_its_lease_is_over(watched):
    market, nodes = watched
    first = owner(nodes)
    rest = {name: node for name, node in nodes.items() if name != first}
    with nodes[first].paused():
        second = owner(rest)
        before = {name: checks({name: rest[name]}, "funding_rate")[name] for name in rest}
    # What it had begun when it hung may end; then it has heard of its lease.
    eventually(lambda: "funding_rate stands by" in nodes[first].log, "it stands by", SOON)
    ended = checks(nodes, "funding_rate")[first]
    for _ in range(3):
        assert runners(nodes, "funding_rate") == [second]
    after = checks(nodes, "funding_rate")
    assert after[first] == ended and after[second] > before[second]
    assert all(after[name] == before[name] for name in rest if name != second)


def test_what_fires_goes_on_firing_once_after_redis_was_emptied(redis, watched):
    market, nodes = watched
    owner(nodes)
    fire(market)
    names = {one["fingerprint"] for one in eventually(lambda: told(nodes, "a"), "it fires", SOON)}
    redis.flush()
    owner(nodes)
    runners(nodes, "funding_rate", 5)
    assert not [one for one in told(nodes, "a") if one["status"] == "firing"], "it was told before"
    fire(market, False)
    eventually(lambda: {one["fingerprint"] for one in told(nodes, "a") if one["status"] == "resolved"} == names,
               "it ends", SOON)
    assert len([one for one in told(nodes, "a") if one["status"] == "resolved"]) == len(names)


def test_what_fires_of_a_watchdog_that_nobody_runs_any_more_ends(redis, watched):
    market, nodes = watched
    first = owner(nodes)
    fire(market)
    eventually(lambda: told(nodes, first), "it fires", SOON)
    nodes[first].stop()
    rest = {name: node for name, node in nodes.items() if name != first}
    for node in rest.values():
        assert node.request("POST", "/watchdogs/funding_rate/disable").status == 200
    name = min(rest)
    eventually(lambda: told(rest, name)[-1]["status"] == "resolved", "somebody ends it", 5 * LEASE + SOON)
    assert_one_alert(rest, name)
    eventually(lambda: redis.cli("EXISTS", "fiml:lease:watchdog:funding_rate") == "0", "nobody keeps it", SOON)


def test_settings_of_absurd_length_are_passed_on_as_they_hold(watched):
    _, nodes = watched
    body = json.dumps({"FUNDING_RATE_ASSETS": "ETH" + "," * 70_000 + "BTC"}).encode()
    assert nodes["a"].request("PATCH", "/watchdogs/funding_rate", body).status == 200
    for node in nodes.values():
        eventually(lambda: node.get_json("/watchdogs/funding_rate")["settings"]["FUNDING_RATE_ASSETS"] == "ETH,BTC",
                   "the others have it too", SOON)
        node.assert_alive()


def test_what_is_switched_and_set_at_one_node_holds_at_all_and_after_a_restart_and_a_cut_wire(watched):
    market, nodes = watched

    def are(enabled, interval, among="abc"):
        def said(node):
            one = node.get_json("/watchdogs/funding_rate")["settings"]
            return one["ENABLE_FUNDING_RATE_WATCHDOG"], one["FUNDING_RATE_CHECK_INTERVAL"]

        eventually(lambda: all(said(nodes[name]) == (enabled, interval) for name in among),
                   f"{among} have {enabled} and {interval}", SOON)

    market.wire.stall()
    for interval in (7, 9):
        assert nodes["a"].request(
            "PATCH", "/watchdogs/funding_rate",
            json.dumps({"FUNDING_RATE_CHECK_INTERVAL": interval}).encode()).status == 200
    assert nodes["c"].request("POST", "/watchdogs/funding_rate/disable").status == 200
    are("false", "9", "ac")
    market.wire.heal()
    are("false", "9")
    nodes["a"].restart()
    are("false", "9")
    assert nodes["a"].request("POST", "/watchdogs/funding_rate/enable").status == 200
    are("true", "9")
