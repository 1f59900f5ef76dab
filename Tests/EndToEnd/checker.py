"""Whether a history of publications and deliveries is one that the protocol allows. It knows nothing of how the gateway
works: what was asked, what was answered, what arrived, and what the protocol promises of the three.

Every attempt to publish has an event id of its own. One that was answered 201 is acknowledged; of any other nobody
knows: it may be in the stream or not, but not twice.
"""

import dataclasses
import fnmatch

SEVERITIES = ["low", "medium", "high", "critical"]


def position_key(position):
    """Positions in their order."""
    milliseconds, _, sequence = position.partition("-")
    return int(milliseconds), int(sequence)


def passes(filter, event):
    """Whether a filter (without `where`) lets an event through, by the words of the protocol: lists mean OR, fields
    mean AND, null or absent means any."""
    def named(field, value):
        return filter.get(field) is None or value in filter[field]

    if not (named("severities", event["severity"]) and named("watchdogs", event["watchdog"])
            and named("event_types", event["type"])):
        return False
    if SEVERITIES.index(event["severity"]) < SEVERITIES.index(filter.get("min_severity") or "low"):
        return False
    if filter.get("assets") is not None:
        symbols = event.get("assets") or ([event["asset"]["symbol"]] if event.get("asset") else [])
        if not symbols:
            return filter.get("include_market_wide", True)
        return any(fnmatch.fnmatchcase(symbol, asset) for symbol in symbols for asset in filter["assets"])
    return True


@dataclasses.dataclass
class Attempt:
    """One event of one request to publish. Times are of one clock, in seconds."""

    event: dict
    sent: float
    position: str | None = None
    """Where it was acknowledged to stand; None where it was not."""
    answered: float | None = None
    request: int = 0
    """Events of one request stand in its order."""


@dataclasses.dataclass
class Connection:
    """What one connection of a subscriber saw, in the order in which it came."""

    since: str | None = None
    """Where it asked to go on from; None to be live."""
    recovered: bool | None = None
    """As the acknowledgement said; None where none came."""
    reason: str | None = None
    position: str | None = None
    """Of the acknowledgement."""
    events: list = dataclasses.field(default_factory=list)
    """(position, event id, event)."""
    marks: list = dataclasses.field(default_factory=list)
    """(number of events before it, position) of heartbeats and ends of replays: complete up to there."""
    gaps: list = dataclasses.field(default_factory=list)
    """(after, up to) of what it was told it does not get."""


@dataclasses.dataclass
class View:
    """A subscriber over all its connections, each of which goes on where the last one ended."""

    name: str
    filter: dict
    connections: list = dataclasses.field(default_factory=list)

    def told(self, allowed=()):
        """What it was told that it does not get, but for those reasons: (after, up to), keys of positions."""
        missing = [(position_key(after), position_key(until))
                   for connection in self.connections for after, until in connection.gaps]
        for connection in self.connections:
            if connection.since and connection.recovered is False and connection.reason not in allowed:
                missing.append((position_key(connection.since), position_key(connection.position)))
        return missing

    def events(self):
        return [entry for connection in self.connections for entry in connection.events]


@dataclasses.dataclass
class Violation:
    """`kind`: lost, disordered, repeated, duplicated, unpublished, altered, displaced, unfiltered."""

    kind: str
    what: str

    def __str__(self):
        return f"{self.kind}: {self.what}"


def check(attempts, views):
    """All violations in a history: `attempts` by event id, and every subscriber's view."""
    violations = _order_of_answers(attempts) + _places(attempts, views)
    for view in views:
        for number, connection in enumerate(view.connections):
            violations += _connection(view, number, connection, attempts)
        violations += _repetitions(view) + _losses(view, attempts)
    return violations


def _order_of_answers(attempts):
    """An event that was sent after another was acknowledged stands after it; events of a request in its order."""
    found = []
    acknowledged = [attempt for attempt in attempts.values() if attempt.position]
    last = {}
    for attempt in acknowledged:
        before = last.get(attempt.request)
        if before and position_key(before.position) >= position_key(attempt.position):
            found.append(Violation("disordered", f"{_id(before)} at {before.position} comes before {_id(attempt)} at "
                                   f"{attempt.position} in their request"))
        last[attempt.request] = attempt
    answers = sorted(acknowledged, key=lambda attempt: attempt.answered)
    highest, index = None, 0
    for attempt in sorted(acknowledged, key=lambda attempt: attempt.sent):
        while index < len(answers) and answers[index].answered < attempt.sent:
            if highest is None or position_key(answers[index].position) > position_key(highest.position):
                highest = answers[index]
            index += 1
        if highest and position_key(highest.position) >= position_key(attempt.position):
            found.append(Violation("disordered", f"{_id(attempt)} was sent after {_id(highest)} was acknowledged at "
                                   f"{highest.position}, and stands at {attempt.position}"))
    return found


def _places(attempts, views):
    """Every event has one position, for everybody, and every position one event."""
    found = []
    places = {}
    residents = {}

    def note(event_id, position, who):
        known, first = places.setdefault(event_id, (position, who))
        if known != position:
            found.append(Violation("displaced", f"{event_id} stands at {known} for {first}, at {position} for {who}"))
        resident, first = residents.setdefault(position, (event_id, who))
        if resident != event_id:
            found.append(Violation("displaced", f"at {position} stands {resident} for {first}, {event_id} for {who}"))

    for event_id, attempt in attempts.items():
        if attempt.position:
            note(event_id, attempt.position, "its publisher")
    for view in views:
        for position, event_id, _ in view.events():
            note(event_id, position, view.name)
    return found


def _connection(view, number, connection, attempts):
    """What is wrong within one connection."""
    found = []
    who = f"{view.name}, connection {number}"
    last = position_key(connection.since) if connection.since and connection.recovered else None
    marks = list(connection.marks)
    for count, (position, event_id, event) in enumerate(connection.events):
        key = position_key(position)
        while marks and marks[0][0] <= count:
            mark = marks.pop(0)[1]
            if key <= position_key(mark):
                found.append(Violation("disordered", f"{who}: {event_id} at {position} comes after the word that "
                                       f"everything up to {mark} had come"))
        if last is not None and key <= last:
            kind = "repeated" if key == last else "disordered"
            found.append(Violation(kind, f"{who}: {event_id} at {position} comes after {last[0]}-{last[1]}"))
        last = key if last is None else max(last, key)
        if event_id not in attempts:
            found.append(Violation("unpublished", f"{who}: nobody published {event_id} at {position}"))
        elif _differs(attempts[event_id].event, event):
            found.append(Violation("altered", f"{who}: {event_id} was {attempts[event_id].event}, came as {event}"))
        if not passes(view.filter, event):
            found.append(Violation("unfiltered", f"{who}: {event_id} at {position} does not pass {view.filter}"))
    return found


def _repetitions(view):
    """An event is there once, however many connections brought it: after deduplication by position."""
    found = []
    places = {}
    for position, event_id, _ in view.events():
        if places.setdefault(event_id, position) != position:
            found.append(Violation("duplicated", f"{view.name}: {event_id} at {places[event_id]} and at {position}"))
    return found


def _losses(view, attempts):
    """Acknowledged events that pass the filter, stand after where the view begins, and are neither there nor told."""
    begin = next((connection.since or connection.position for connection in view.connections
                  if connection.recovered is not None or connection.events), None)
    if begin is None:
        return [Violation("lost", f"{view.name}: never subscribed")]
    received = {event_id for _, event_id, _ in view.events()}
    told = view.told()
    found = []
    for event_id, attempt in attempts.items():
        if not attempt.position or event_id in received or not passes(view.filter, attempt.event):
            continue
        key = position_key(attempt.position)
        if key > position_key(begin) and not any(after < key <= until for after, until in told):
            found.append(Violation("lost", f"{view.name}: {event_id}, acknowledged at {attempt.position}, never came"))
    return found


def _differs(sent, received):
    """Whether anything that was sent came as something else; the gateway adds members."""
    return any(not _same(value, received.get(name)) for name, value in sent.items())


def _same(sent, received):
    if isinstance(sent, dict) and isinstance(received, dict):
        return all(_same(value, received.get(name)) for name, value in sent.items())
    return sent == received


def _id(attempt):
    return attempt.event["event_id"]
