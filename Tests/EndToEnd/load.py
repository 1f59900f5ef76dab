"""Load from a seed, with a history of it for the checker: publishers that never give up, subscribers with filters that
come back from where they were, over WebSocket and over Server-Sent Events.

    with Load([gateway], seed, publishers=2, subscribers=4) as load:
        ...  # gateways are killed and started again
        load.finish()
    assert load.violations() == []
"""

import contextlib
import http.client
import itertools
import json
import random
import threading
import time
import urllib.parse

import sockets
from checker import Attempt, Connection, View, check, passes, position_key
from gateway import eventually

SYMBOLS = ["BTC", "ETH", "ETHUSDT", "SOL", None]
WATCHDOGS = ["price_anomaly", "unusual_volume", "whale_movement"]
SEVERITIES = ["low", "medium", "high", "critical"]
FILTERS = [
    {},
    {"min_severity": "high"},
    {"assets": ["ETH*"], "include_market_wide": False},
    {"watchdogs": ["unusual_volume", "whale_movement"], "severities": ["low", "critical"]},
    {"assets": ["SOL"]},
    {"event_types": ["price_anomaly"], "min_severity": "medium"},
]
PAUSE = 0.01
"""Seconds before something is tried again."""


def one_event(event_id, dice, **more):
    """An event by chance; its id tells it from every other attempt."""
    watchdog, symbol = dice.choice(WATCHDOGS), dice.choice(SYMBOLS)
    return {
        "event_id": event_id, "type": watchdog, "watchdog": watchdog, "severity": dice.choice(SEVERITIES),
        "asset": {"symbol": symbol, "asset_type": "crypto"} if symbol else None,
        "description": "load", "data": {"number": dice.randrange(1 << 30)}, **more}


class Wrong(Exception):
    """The gateway answered what it must never answer, however often it is killed: nothing to try again after."""


class Worker(threading.Thread):
    """A thread whose failure is told by `Load.finish`, not printed and forgotten."""

    def __init__(self, load, name):
        super().__init__(name=name, daemon=True)
        self.load = load
        self.dice = random.Random(f"{load.seed} {name}")
        self.failure = None

    def run(self):
        try:
            self.work()
        except Exception as error:
            self.failure = error

    def gateway(self):
        """Any of them: whoever is turned away at one tries another."""
        return self.dice.choice(self.load.gateways)


class Publisher(Worker):
    """Over a connection that is kept alive, single events and batches. What is not acknowledged is published again
    under another id: whether the first is in the stream, nobody knows."""

    def __init__(self, load, number):
        super().__init__(load, f"p{number}")
        self.attempts = {}
        self.requests = 0
        self.acknowledged = 0
        self.refused = 0
        self.lost = 0

    def work(self):
        while not self.load.is_stopping.is_set():
            with contextlib.closing(self.connection()) as connection:
                while not self.load.is_stopping.is_set():
                    size = 1 if self.dice.random() < 0.5 else self.dice.randrange(2, 40)
                    ids = [f"{self.name}-{self.requests}-{number}" for number in range(size)]
                    if not self.publish(connection, [one_event(event_id, self.dice) for event_id in ids]):
                        break
                    time.sleep(self.load.pause * self.dice.random())
            time.sleep(PAUSE)

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.gateway().port, timeout=self.load.patience)

    def publish(self, connection, events):
        """One request; whether the connection is good for another."""
        self.requests += 1
        number = f"{self.name}-{self.requests}"
        sent = time.monotonic()
        for event in events:
            self.attempts[event["event_id"]] = Attempt(event, sent, request=number)
        body = json.dumps(events[0] if len(events) == 1 else events)
        try:
            connection.request("POST", "/events", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            document = json.loads(answer.read())
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            self.lost += 1
            return False
        if answer.status == 503:
            assert answer.headers["Retry-After"], "503 says when to try again"
            self.refused += 1
            time.sleep(0.05)
            return True
        assert answer.status == 201, (answer.status, document)
        answered = time.monotonic()
        assert len(document["events"]) == len(events)
        for event, stored in zip(events, document["events"]):
            assert stored["event_id"] == event["event_id"]
            attempt = self.attempts[stored["event_id"]]
            attempt.position, attempt.answered = stored["position"], answered
        self.acknowledged += len(events)
        return True


class Subscriber(Worker):
    """Comes back, to any gateway, from the last position that it saw, until it has been told the last event."""

    def __init__(self, load, name, filter):
        super().__init__(load, name)
        self.view = View(name, filter)
        self.position = None
        self.subscribed = threading.Event()

    def work(self):
        while not self.is_done():
            # A connection is written down only once it asked for something.
            with contextlib.suppress(OSError, AssertionError, http.client.HTTPException):
                self.follow(self.gateway())
            time.sleep(PAUSE)

    def is_done(self):
        if self.load.is_over.is_set():
            return True
        end = self.load.end
        return end is not None and self.position is not None and self.position_key() >= position_key(end(self.view))

    def position_key(self):
        return position_key(self.position)

    def begin(self):
        self.view.connections.append(Connection(since=self.position))
        return self.view.connections[-1]

    def take(self, connection, message):
        """One message of the stream."""
        match message["type"]:
            case "subscription_ack":
                connection.recovered = message["recovered"]
                connection.reason = message.get("reason")
                connection.position = message["position"]
                if connection.since is None or not message["recovered"]:
                    self.position = message["position"]
                self.subscribed.set()
            case "event":
                event = message["event"]
                connection.events.append((message["position"], event["event_id"], event))
                self.position = message["position"]
            case "heartbeat" | "replay_complete":
                connection.marks.append((len(connection.events), message["position"]))
                # Not before the acknowledgement: what is replayed comes after it.
                if connection.recovered is not None:
                    self.position = max(self.position, message["position"], key=position_key)
            case "gap":
                connection.gaps.append((message["from_position"], message["to_position"]))


class WebSocketSubscriber(Subscriber):
    def follow(self, gateway):
        with sockets.WebSocket(gateway.port, "/ws/events", timeout=self.load.patience) as socket:
            connection = self.begin()
            request = {"type": "subscribe", "id": 1, "subscription_id": "s", "filter": self.view.filter}
            if self.position:
                request["since"] = self.position
            socket.send_frame(sockets.TEXT, json.dumps(request).encode())
            while not self.is_done():
                frame = socket.frame()
                if frame is None or frame.opcode == sockets.CLOSE:
                    return
                if frame.opcode == sockets.PING:
                    socket.send_frame(sockets.PONG, frame.payload)
                elif frame.opcode == sockets.TEXT:
                    message = json.loads(frame.payload)
                    if message["type"] == "error" and message["status"] in (500, 503):
                        return
                    if message["type"] == "error":
                        raise Wrong(message)
                    self.take(connection, message)


class EventSourceSubscriber(Subscriber):
    """As a browser's EventSource: what it has is the id of the last event (HTML 9.2)."""

    def follow(self, gateway):
        query = urllib.parse.urlencode({
            name: str(value).lower() if isinstance(value, bool) else ",".join(value) if isinstance(value, list)
            else value for name, value in self.view.filter.items()})
        http_connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=self.load.patience)
        with contextlib.closing(http_connection):
            headers = {"Last-Event-ID": self.position} if self.position else {}
            http_connection.request("GET", f"/events/stream?{query}", headers=headers)
            answer = http_connection.getresponse()
            if answer.status == 503:
                return
            if answer.status != 200:
                raise Wrong(answer.status, answer.read())
            connection = self.begin()
            for message in server_sent(answer):
                self.take(connection, message)
                if self.is_done():
                    return


def server_sent(stream):
    """The messages of a text/event-stream whose data is JSON; an event has its position as its id."""
    fields = {}
    for line in stream:
        line = line.decode().rstrip("\r\n")
        if not line:
            if "data" in fields:
                data = json.loads(fields["data"])
                if fields.get("event", "event") == "event" and "position" not in data:
                    data = {"type": "event", "position": fields["id"], "event": data}
                if data.get("type") == "event" and fields.get("id") != data["position"]:
                    raise Wrong("the id of an event is its position", fields)
                yield {"type": fields.get("event", "event"), **data}
            fields = {}
            continue
        name, _, value = line.partition(":")
        fields[name] = value.removeprefix(" ")


class Load:
    """Publishers and subscribers at some gateways. `pause`: seconds between two requests of a publisher, at most;
    `patience`: without a byte, after which a connection is given up. Heartbeats must come more often."""

    def __init__(self, gateways, seed, publishers=2, subscribers=4, streams=0, pause=0.02, patience=10):
        self.gateways = gateways
        self.seed = seed
        self.pause = pause
        self.patience = patience
        self.is_stopping = threading.Event()
        self.is_over = threading.Event()
        self.end = None
        self.history = []
        self.publishers = [Publisher(self, number) for number in range(publishers)]
        filters = itertools.cycle(FILTERS)
        self.subscribers = [WebSocketSubscriber(self, f"s{number}", next(filters)) for number in range(subscribers)]
        self.subscribers += [EventSourceSubscriber(self, f"e{number}", next(filters)) for number in range(streams)]

    def wait_for(self, count=1, seconds=60):
        """Until so many more events are acknowledged."""
        before = self.acknowledged
        # It is printed only where that takes too long.
        eventually(lambda: self.acknowledged >= before + count, self, seconds)

    def __enter__(self):
        for subscriber in self.subscribers:
            subscriber.start()
        for subscriber in self.subscribers:
            assert subscriber.subscribed.wait(30), (subscriber.name, subscriber.failure)
        for publisher in self.publishers:
            publisher.start()
        return self

    def __exit__(self, *_):
        self.is_stopping.set()
        self.is_over.set()
        for worker in self.publishers + self.subscribers:
            if worker.is_alive():
                worker.join(self.patience + 10)

    def finish(self, seconds=60):
        """Ends the publishing, publishes a last event of every kind, and waits until every subscriber has what its
        filter lets through of them."""
        self.is_stopping.set()
        for publisher in self.publishers:
            publisher.join(self.patience + 10)
        last = Publisher(self, "last")
        deadline = time.monotonic() + seconds
        kinds = itertools.product(WATCHDOGS, SEVERITIES, SYMBOLS)
        kinds = [{"type": watchdog, "watchdog": watchdog, "severity": severity,
                  "asset": {"symbol": symbol, "asset_type": "crypto"} if symbol else None}
                 for watchdog, severity, symbol in kinds]
        for attempt in itertools.count():
            events = [one_event(f"last-{attempt}-{number}", last.dice, **kind) for number, kind in enumerate(kinds)]
            with contextlib.closing(last.connection()) as connection:
                if last.publish(connection, events) and last.attempts[events[0]["event_id"]].position:
                    break
            assert time.monotonic() < deadline, f"{self}: the last events are not taken within {seconds} s"
            time.sleep(PAUSE)
        self.publishers.append(last)
        acknowledged = [last.attempts[event["event_id"]] for event in events]
        self.end = lambda view: [one.position for one in acknowledged if passes(view.filter, one.event)][-1]
        for subscriber in self.subscribers:
            subscriber.join(max(0.1, deadline - time.monotonic()))
        self.is_over.set()
        for worker in self.publishers + self.subscribers:
            if worker.failure:
                raise AssertionError(f"{self}: {worker.name} failed") from worker.failure
        late = [subscriber.name for subscriber in self.subscribers if subscriber.is_alive()]
        assert not late, f"{self}: not told the last events within {seconds} s: {late}"
        return self

    def read_back(self, gateway):
        """What `GET /events` has since the load began: the view of somebody who comes when all is over."""
        view = View("GET /events", {})
        after = min((subscriber.view.connections[0].position for subscriber in self.subscribers), key=position_key)
        more = True
        while more:
            page = gateway.get_json(f"/events?after={after}&limit=1000")
            events = [(entry["position"], entry["event"]["event_id"], entry["event"]) for entry in page["events"]]
            view.connections.append(Connection(
                since=after, recovered=page["complete"], events=events,
                position=after if page["complete"] else page["earliest_position"]))
            after, more = page["position"], page["more"]
        self.history = [view]
        return self

    @property
    def acknowledged(self):
        return sum(publisher.acknowledged for publisher in self.publishers)

    @property
    def attempts(self):
        # Copies first: publishers may be at work.
        every = [dict(publisher.attempts) for publisher in self.publishers]
        return {event_id: attempt for attempts in every for event_id, attempt in attempts.items()}

    @property
    def views(self):
        return [subscriber.view for subscriber in self.subscribers] + self.history

    def violations(self):
        return check(self.attempts, self.views)

    def told(self, allowed=()):
        """What subscribers were told that they do not get: gaps, and positions that could not be resumed from, but
        for the reasons that are allowed."""
        return [(view.name, *missing) for view in self.views for missing in view.told(allowed)]

    def assert_good(self, losses_may_be_told=False, allowed=()):
        """Nothing is wrong, and nothing was lost even where that was said, unless it may have been. `allowed`: reasons
        for which whoever comes back may be told `recovered: false`."""
        violations = self.violations()
        told = [] if losses_may_be_told else self.told(allowed)
        assert not violations and not told, (
            f"{self}: {len(violations)} violations, first of them:\n" + "\n".join(map(str, violations[:10]))
            + f"\ntold losses: {told[:10]}")

    def assert_good_beside_others(self, **options):
        """The same beside events that the test published itself, of which the history knows nothing."""
        for view in self.views:
            for connection in view.connections:
                connection.events = [entry for entry in connection.events if entry[2]["description"] == "load"]
        self.assert_good(**options)

    def __str__(self):
        connections = sum(len(view.connections) for view in self.views)
        received = sum(len(view.events()) for view in self.views)
        return (f"seed {self.seed}: {len(self.attempts)} events attempted, {self.acknowledged} acknowledged, "
                f"{sum(p.refused for p in self.publishers)} requests refused, {sum(p.lost for p in self.publishers)} "
                f"unanswered; {len(self.subscribers)} subscribers, {connections} connections, {received} deliveries")
