"""Settings of where events are kept, each with two values, and what a user sees of them."""

import contextlib
import sqlite3

import pytest
from gateway import eventually, terminate
from subscriber import event
from test_store_trouble import database


def stored(gateway):
    return len(gateway.get_json("/events?limit=1000")["events"])


@pytest.mark.parametrize("value, kept", [("5", 5), ("1000", 20)])
def test_fiml_events_kept(start, tmp_path, value, kept):
    settings = {"FIML_EVENTS_KEPT": value, "FIML_DATA_DIR": str(tmp_path / "data")}
    gateway = start(settings)
    gateway.post([event() for _ in range(20)])
    eventually(lambda: stored(gateway) == kept, "the rest is let go of", 30)
    gateway.restart()
    assert stored(gateway) == kept


@pytest.mark.parametrize("value, kept", [("1", 1), ("24", 6)])
def test_fiml_events_kept_hours(start, tmp_path, value, kept):
    gateway = start({"FIML_EVENTS_KEPT_HOURS": value, "FIML_DATA_DIR": str(tmp_path / "data")})
    gateway.post([event() for _ in range(5)])
    terminate(gateway)
    assert gateway.wait() == 0
    with contextlib.closing(sqlite3.connect(database(tmp_path / "data"))) as events:
        events.execute("UPDATE events SET milliseconds = milliseconds - 7200000")
        events.execute("UPDATE stream SET earliest_milliseconds = earliest_milliseconds - 7200000")
        events.commit()
    gateway.start()
    gateway.post([event()])
    eventually(lambda: stored(gateway) == kept, "what is older is let go of", 30)


@pytest.mark.parametrize("value, kept", [("true", 3), ("false", 0)])
def test_watchdog_event_persistence_keeps_what_was_published(start, tmp_path, value, kept):
    gateway = start({"WATCHDOG_EVENT_PERSISTENCE": value, "FIML_DATA_DIR": str(tmp_path / "data")})
    gateway.post([event() for _ in range(3)])
    gateway.restart()
    assert stored(gateway) == kept
