"""Killed with -9 at any moment, a gateway and a Redis lose no event that was answered as published, and whoever comes
back with its last position gets what it missed, in order, once.

All from a seed: FIML_TEST_SEED repeats a run as far as the machine lets it. FIML_CRASH_ROUNDS: how often the gateway is
killed on SQLite (100, which takes some 40 seconds); the others take three tenths of that each.
"""

import os
import random
import time

import pytest
from gateway import Gateway
from load import Load
from servers import Redis

ROUNDS = int(os.environ.get("FIML_CRASH_ROUNDS", "100"))
FEWER = max(1, ROUNDS * 3 // 10)
# Subscribers over Server-Sent Events, beside six over WebSocket.
STREAMS = 2
SETTINGS = {"FIML_HEARTBEAT_SECONDS": "1", "FIML_EVENTS_KEPT": "1000000"}


@pytest.fixture
def seed():
    return int(os.environ.get("FIML_TEST_SEED") or random.SystemRandom().randrange(1 << 32))


@pytest.fixture
def tell(capsys):
    """Prints beside the dots: what a run did, and the seed that does it again."""
    def print_now(text):
        with capsys.disabled():
            print(f"\n{text}", flush=True)

    return print_now


def crash(load, victims, rounds, seed):
    """Kills any of them and starts it again, while events go in and out. Between two kills something is acknowledged:
    nobody learns anything from a gateway that is never up."""
    dice = random.Random(f"{seed} crashes")
    for _ in range(rounds):
        load.wait_for(1)
        time.sleep(dice.uniform(0, 0.3))
        dice.choice(victims).restart()


def run(gateways, victims, rounds, seed, tell, name, allowed=(), **options):
    """Load and crashes, and then nothing is lost, out of order or twice, and nobody was told that it was but for the
    reasons that are allowed."""
    begin = time.monotonic()
    with Load(gateways, seed, pause=0.06, **options) as load:
        crash(load, victims, rounds, seed)
        load.finish().read_back(gateways[0])
    tell(f"{name}: {rounds} rounds in {time.monotonic() - begin:.0f} s, {load}")
    load.assert_good(allowed=allowed)


def test_a_gateway_that_is_killed_loses_nothing_on_sqlite(start, tmp_path, seed, tell):
    gateway = start(SETTINGS | {"FIML_DATA_DIR": str(tmp_path / "data")})
    run([gateway], [gateway], ROUNDS, seed, tell, "gateway killed, SQLite", subscribers=6, streams=STREAMS)


def test_a_gateway_that_is_killed_loses_nothing_on_redis(start, seed, tell):
    with Redis() as redis:
        gateway = start(SETTINGS | redis.settings)
        run([gateway], [gateway], FEWER, seed, tell, "gateway killed, Redis", subscribers=6, streams=STREAMS)


def test_a_redis_that_is_killed_loses_nothing_that_it_has_written(start, seed, tell):
    with Redis(appendonly="yes", appendfsync="always") as redis:
        gateway = start(SETTINGS | redis.settings)
        run([gateway], [redis], FEWER, seed, tell, "Redis killed", subscribers=6, streams=STREAMS)


def test_either_of_two_gateways_on_one_redis_is_killed(tmp_path, seed, tell):
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    with Redis() as redis:
        settings = SETTINGS | redis.settings
        with Gateway(folders[0], settings) as first, Gateway(folders[1], settings) as second:
            gateways = [first, second]
            run(gateways, gateways, FEWER, seed, tell, "either of two gateways killed, Redis",
                subscribers=6, streams=STREAMS)
