"""The checker of histories itself: it says nothing of a good one, and finds each wrong that it is there for."""

import pytest
from checker import Attempt, Connection, View, check, passes


def event(number, severity="high", symbol="BTC"):
    return {
        "event_id": f"e{number}", "type": "price_anomaly", "severity": severity, "watchdog": "price_anomaly",
        "asset": {"symbol": symbol, "asset_type": "crypto"}, "data": {"number": number}}


class History:
    """Ten events, of which the fifth was not acknowledged, and two subscribers who got what they should."""

    def __init__(self):
        self.attempts = {}
        for number in range(1, 11):
            self.attempts[f"e{number}"] = Attempt(
                event(number, "high" if number % 2 else "low"), sent=number, position=f"{number}-0",
                answered=number + 0.5, request=number)
        self.attempts["e5"].position = self.attempts["e5"].answered = None
        self.all = View("all", {}, [
            Connection(recovered=True, position="0-0", events=self.events(1, 2, 3), marks=[(0, "0-0")]),
            Connection(since="3-0", recovered=True, position="3-0", events=self.events(4, 6, 7), marks=[(2, "6-0")]),
            Connection(since="7-0"),
            Connection(since="7-0", recovered=True, position="7-0", events=self.events(8, 9, 10))])
        self.high = View("high", {"min_severity": "high"}, [
            Connection(recovered=True, position="0-0", events=self.events(1, 3, 5, 7, 9))])

    def events(self, *numbers):
        return [(f"{number}-0", f"e{number}", event(number, "high" if number % 2 else "low")) for number in numbers]

    def kinds(self):
        return {violation.kind for violation in check(self.attempts, [self.all, self.high])}


def test_nothing_is_said_of_a_good_history():
    history = History()
    assert check(history.attempts, [history.all, history.high]) == []


def lost(history):
    del history.high.connections[0].events[1]


def lost_between_connections(history):
    del history.all.connections[1].events[0]


def lost_at_the_end(history):
    history.all.connections[3].events.pop()


def never_subscribed(history):
    history.high.connections = [Connection(), Connection()]


def out_of_order(history):
    history.all.connections[0].events.reverse()


def behind_a_heartbeat(history):
    history.high.connections[0].marks.insert(0, (2, "9-0"))


def behind_the_end_of_a_replay(history):
    history.all.connections[1].marks[0] = (1, "6-0")


def repeated_in_a_connection(history):
    events = history.high.connections[0].events
    events.insert(1, events[0])


def repeated_after_resuming(history):
    history.all.connections[1].marks = []
    history.all.connections[1].events[:0] = history.events(3)


def resumed_too_early(history):
    history.all.connections[1].marks = []
    history.all.connections[1].events[:0] = history.events(2)


def stored_twice(history):
    position, event_id, content = history.all.connections[3].events[0]
    history.all.connections[3].events.append(("11-0", event_id, content))


def stored_twice_for_different_subscribers(history):
    history.all.connections[1].events.insert(1, ("5-0", "e5", event(5)))
    history.all.connections[1].marks = []
    history.high.connections[0].events[2] = ("5-1", "e5", event(5))


def position_of_the_answer_is_another(history):
    history.attempts["e9"].position = "9-1"


def position_given_twice(history):
    history.attempts["e11"] = Attempt(event(11), sent=11, position="10-0", answered=11.5, request=11)
    history.high.connections[0].events.append(("10-0", "e11", event(11)))


def published_by_nobody(history):
    history.high.connections[0].events.append(("12-0", "e12", event(12)))


def altered(history):
    history.high.connections[0].events[0][2]["data"]["number"] = 77


def not_filtered(history):
    history.high.connections[0].events.insert(1, history.events(2)[0])


def a_later_event_before_an_acknowledged_one(history):
    for number, position in ((6, "7-0"), (7, "6-0")):
        history.attempts[f"e{number}"].position = position


def a_batch_in_another_order(history):
    history.attempts["e2"].request = history.attempts["e1"].request
    history.attempts["e1"].position, history.attempts["e2"].position = "2-0", "1-0"
    history.attempts["e1"].answered = history.attempts["e2"].answered = 9
    history.attempts["e2"].sent = 1


WRONGS = {
    lost: {"lost"},
    lost_between_connections: {"lost"},
    lost_at_the_end: {"lost"},
    never_subscribed: {"lost"},
    out_of_order: {"disordered"},
    behind_a_heartbeat: {"disordered"},
    behind_the_end_of_a_replay: {"disordered"},
    repeated_in_a_connection: {"repeated"},
    repeated_after_resuming: {"repeated"},
    resumed_too_early: {"disordered"},
    stored_twice: {"duplicated", "displaced"},
    stored_twice_for_different_subscribers: {"displaced"},
    position_of_the_answer_is_another: {"displaced"},
    position_given_twice: {"displaced", "disordered", "lost"},
    published_by_nobody: {"unpublished"},
    altered: {"altered"},
    not_filtered: {"unfiltered"},
    a_later_event_before_an_acknowledged_one: {"disordered", "displaced"},
    a_batch_in_another_order: {"disordered", "displaced"},
}


@pytest.mark.parametrize("wrong", WRONGS, ids=lambda wrong: wrong.__name__)
def test_a_wrong_is_found_and_named(wrong):
    history = History()
    wrong(history)
    assert history.kinds() == WRONGS[wrong]


def test_what_was_told_is_not_lost():
    history = History()
    lost(history)
    history.high.connections[0].gaps.append(("2-0", "3-0"))
    assert history.kinds() == set()
    history.high.connections[0].gaps[0] = ("3-0", "4-0")
    assert history.kinds() == {"lost"}, "a gap is told after a position, up to another"


def test_a_window_that_is_exceeded_excuses_what_lies_in_it_and_nothing_else():
    history = History()
    history.all.connections[1] = Connection(
        since="3-0", recovered=False, reason="window_exceeded", position="6-0", events=history.events(7))
    assert history.kinds() == set()
    history.all.connections[1].position = "4-0"
    assert history.kinds() == {"lost"}


def test_who_could_not_resume_was_told_of_a_loss_unless_its_reason_is_allowed():
    history = History()
    history.all.connections[1] = Connection(
        since="3-0", recovered=False, reason="position_unknown", position="3-0", events=history.events(4, 6, 7))
    assert history.kinds() == set()
    assert len(history.all.told()) == len(history.all.told(["window_exceeded"])) == 1
    assert history.all.told(["position_unknown"]) == []


@pytest.mark.parametrize("filter, expected", [
    ({}, [True, True, True]),
    ({"assets": ["BTC*"]}, [True, False, True]),
    ({"assets": ["ETH"], "include_market_wide": False}, [False, True, False]),
    ({"severities": ["low"], "assets": ["ETH"]}, [False, True, False]),
    ({"min_severity": "medium", "watchdogs": None}, [True, False, True]),
    ({"event_types": ["flash_crash"]}, [False, False, False]),
])
def test_a_filter_is_read_as_the_protocol_says(filter, expected):
    events = [event(1, symbol="BTCUSDT"), event(2, "low", "ETH"), event(3) | {"asset": None}]
    assert [passes(filter, one) for one in events] == expected
