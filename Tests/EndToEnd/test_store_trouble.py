"""Trouble with the embedded store: publishers are refused while nothing can be stored, subscribers go on where that is
safe, health and metrics say so, and afterwards all is well without a restart. Nothing is lost silently."""

import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess

import pytest
from gateway import Gateway, eventually, run_to_end, terminate
from load import Load
from providers import Providers
from servers import program
from subscriber import descriptions, event, position_key
from test_settings import FUNDING, RATES, checked

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def data(tmp_path):
    """FIML_DATA_DIR."""
    return tmp_path / "data"


@pytest.fixture
def keep(start, data):
    """Starts a gateway that keeps its events there."""
    def begin(settings=None, **options):
        return start({"FIML_DATA_DIR": str(data), "FIML_HEARTBEAT_SECONDS": "1", **(settings or {})}, **options)

    return begin


def database(folder):
    """The one file that events are in."""
    [found] = pathlib.Path(folder).glob("events.db")
    return found


def publish(gateway, one=None):
    return gateway.request("POST", "/events", json.dumps(one or event()), JSON, timeout=60)


def trouble(gateway):
    """What health says of the event store; None where it says that all is well."""
    store = json.loads(gateway.get("/health").content)["event_store"]
    return None if store["status"] == "healthy" else store


def assert_in_trouble(gateway, kind="sqlite"):
    """As everybody sees it: publishers, health, metrics."""
    answer = eventually(
        lambda: (answer := publish(gateway)).status == 503 and answer, "a publisher is refused", 60)
    assert int(answer.headers["Retry-After"]) >= 1
    problem = json.loads(answer.content)
    assert problem["error"] == "UNAVAILABLE" and problem["detail"], problem
    store = eventually(lambda: trouble(gateway), "health tells", 10)
    assert store["kind"] == kind and store["reason"], store
    assert gateway.metric("event_store_up") == 0
    return store


def assert_well_again(gateway):
    """Without a restart."""
    positions = eventually(
        lambda: (answer := publish(gateway)).status == 201 and json.loads(answer.content), "events are taken again", 60)
    eventually(lambda: trouble(gateway) is None, "health tells that all is well", 10)
    assert gateway.metric("event_store_up") == 1
    return positions["events"][0]["position"]


@contextlib.contextmanager
def mounted(folder, options):
    """A tmpfs of its own."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
    if done.returncode != 0:
        assert not os.environ.get("CI"), f"CI can mount: {done.stderr}"
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Takes all the room that is left; the file that has it."""
    ballast = folder / "ballast"
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def test_a_full_disk_refuses_publishers_and_recovers_when_there_is_room(keep, data, connect):
    with mounted(data, "size=24m"):
        gateway = keep()
        client = connect(gateway)
        client.subscribe()
        with Load([gateway], "full disk", publishers=1, subscribers=2) as load:
            load.wait_for(100)
            ballast = fill(data)
            eventually(lambda: load.publishers[0].refused > 3, "the disk is full", 120)
            assert_in_trouble(gateway)
            assert gateway.get("/livez").status == 200
            assert gateway.get_json("/events?limit=10")["events"], "what is stored can be read"
            client.until(lambda message: message["type"] == "heartbeat")
            ballast.unlink()
            assert_well_again(gateway)
            load.finish()
        load.assert_good_beside_others()
        gateway.stop()
        gateway.start()
        load.read_back(gateway).assert_good_beside_others()


@contextlib.contextmanager
def locked(path):
    """By another process, as by a user who looks at it with sqlite3 and forgets to leave."""
    process = subprocess.Popen(
        [program("sqlite3", "sqlite3"), path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)
    try:
        process.stdin.write(".timeout 20000\nBEGIN EXCLUSIVE;\n.print locked\n")
        process.stdin.flush()
        assert process.stdout.readline() == "locked\n"
        yield
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_a_database_that_another_process_locks_refuses_publishers_until_it_is_free(keep, data, connect):
    gateway = keep()
    client = connect(gateway)
    client.subscribe()
    before = gateway.post([event(description="before")])
    with locked(database(data)):
        assert_in_trouble(gateway)
        client.until(lambda message: message["type"] == "heartbeat")
    after = assert_well_again(gateway)
    assert position_key(after) > position_key(before[0])
    gateway.restart()
    stored = gateway.get_json("/events?limit=1000")["events"]
    assert {before[0], after} <= {entry["position"] for entry in stored}


def test_what_a_watchdog_finds_meanwhile_is_told_at_once_and_stored_later(keep, data, connect):
    with Providers() as market:
        gateway = keep({**FUNDING, **market.settings()})
        checked(gateway)
        client = connect(gateway)
        client.subscribe("s", {"watchdogs": ["funding_rate"]})
        before = client.welcome["position"]
        with locked(database(data)):
            assert_in_trouble(gateway)
            market.funding = dict.fromkeys(RATES, 0.004) | {"binance": 0.004}
            [told] = [message for message in client.until(lambda message: message["type"] == "event", 30)
                      if message["type"] == "event"]
            assert told["event"]["type"] == "funding_spike"
        assert_well_again(gateway)
        gateway.restart()
        client = connect(gateway)
        assert client.subscribe("s", {"watchdogs": ["funding_rate"]}, since=before)["recovered"]
        [again] = client.events(1)
        assert again == told, "at the same place"


@pytest.mark.parametrize("harm", ["cut in half", "garbage", "empty"])
def test_a_damaged_database_is_put_aside_and_nobody_resumes_over_what_it_lost(keep, data, connect, harm):
    gateway = keep()
    positions = [position for _ in range(4) for position in gateway.post([event() for _ in range(500)])]
    terminate(gateway)
    assert gateway.wait() == 0
    path = database(data)
    content = path.read_bytes()
    path.write_bytes({"cut in half": content[: len(content) // 2], "garbage": os.urandom(50_000), "empty": b""}[harm])
    gateway.start()
    client = connect(gateway)
    for position in (positions[0], positions[1000], positions[-1]):
        ack = client.subscribe(f"since {position}", since=position)
        if ack["recovered"]:
            assert ack["replaying"] == len(positions) - 1 - positions.index(position), "all of it or nothing"
            client.until(lambda message: message["type"] == "replay_complete")
        else:
            assert ack["reason"] in ("window_exceeded", "position_unknown")
    [new] = gateway.post([event(description="new")])
    assert position_key(new) > position_key(positions[-1]), "positions go on growing"
    assert descriptions(client.events(1)) == ["new"]
    gateway.assert_alive()
    if harm != "empty":
        said = [line for line in gateway.log.splitlines() if path.name in line]
        assert said, "the log says what became of it"
        [aside] = [file for file in data.iterdir() if file.name.startswith(path.name + ".")
                   and file.suffix not in (".lock",) and "-wal" not in file.name and "-shm" not in file.name]
        assert aside.stat().st_size > 0


def ends_with_one_line(folder, settings, *words):
    """A gateway that cannot start says why in one line, and what to do."""
    # As many connections as any machine allows: nothing is to be said of them.
    status, log = run_to_end(folder, {"FIML_MAX_CONNECTIONS": "100", **settings})
    lines = log.strip().splitlines()
    assert status != 0 and len(lines) == 1, log
    assert all(word in lines[0] for word in words), log
    return lines[0]


def test_a_second_gateway_on_the_same_data_is_refused(keep, data, tmp_path):
    gateway = keep()
    other = tmp_path / "other"
    other.mkdir()
    ends_with_one_line(other, {"FIML_DATA_DIR": str(data)}, str(data))
    gateway.post([event()])
    gateway.assert_healthy()
    gateway.stop()
    with Gateway(other, {"FIML_DATA_DIR": str(data)}) as second:
        assert len(second.get_json("/events")["events"]) == 1, "it takes over what the first left"


def test_a_directory_that_cannot_be_written_to_is_refused(data, tmp_path):
    if os.getuid() == 0:
        with mounted(data, "size=1m,ro"):
            ends_with_one_line(tmp_path, {"FIML_DATA_DIR": str(data)}, str(data))
    else:
        data.mkdir(mode=0o555)
        ends_with_one_line(tmp_path, {"FIML_DATA_DIR": str(data)}, str(data))


def test_a_file_in_the_place_of_the_directory_is_refused(data, tmp_path):
    data.write_text("not a directory")
    ends_with_one_line(tmp_path, {"FIML_DATA_DIR": str(data)}, str(data))


def test_a_database_of_a_later_version_is_refused_and_left_alone(keep, data, tmp_path):
    gateway = keep()
    gateway.post([event()])
    terminate(gateway)
    gateway.wait()
    with contextlib.closing(sqlite3.connect(database(data))) as connection:
        connection.execute("PRAGMA user_version = 999")
        connection.commit()
    before = database(data).read_bytes()
    ends_with_one_line(tmp_path, {"FIML_DATA_DIR": str(data)}, "999")
    assert database(data).read_bytes() == before


def test_positions_go_on_growing_after_the_directory_is_deleted(keep, data):
    gateway = keep()
    [old] = gateway.post([event()])
    gateway.stop()
    shutil.rmtree(data)
    gateway.start()
    [new] = gateway.post([event()])
    assert position_key(new) > position_key(old)
