"""A client of the event stream on the independent `websockets` library; every message is checked by its schema."""

import asyncio
import contextlib
import itertools
import json
import time

import schemas
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

_numbers = itertools.count(1)


def event(severity="high", watchdog="price_anomaly", type=None, symbol="BTC", **more):
    """An event as POST /events takes it. `symbol=None` makes it market-wide."""
    asset = {"symbol": symbol, "asset_type": "crypto", "market": "CRYPTO"} if symbol else None
    number = next(_numbers)
    defaults = {
        "type": type or {"funding_rate": "funding_spike"}.get(watchdog, watchdog),
        "severity": severity,
        "watchdog": watchdog,
        "asset": asset,
        "description": f"event {number}",
        "data": {"number": number},
    }
    return {**defaults, **more}


def position_key(position):
    """Positions in their order."""
    return tuple(int(part) for part in position.split("-"))


class SealedSocket:
    """The library's asyncio client, one call at a time. Its threaded one reads and writes an SSL object from two
    threads at once, which Python before 3.13 does not survive."""

    def __init__(self, url, **options):
        self.loop = asyncio.new_event_loop()
        self.socket = self.loop.run_until_complete(connect_async(url, **options))

    def send(self, message):
        self.loop.run_until_complete(self.socket.send(message))

    def recv(self, timeout=10):
        return self.loop.run_until_complete(asyncio.wait_for(self.socket.recv(), timeout))

    def version(self):
        return self.socket.transport.get_extra_info("ssl_object").version()

    def close(self):
        self.loop.run_until_complete(self.socket.close())
        self.loop.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Subscriber:
    """Connected and welcomed. Heartbeats are left out of what is received but where they are asked for."""

    def __init__(self, url, timeout=10, **options):
        options.setdefault("subprotocols", ["fiml.v1.json"])
        options.setdefault("compression", None)
        options.setdefault("max_size", 1 << 26)
        options.setdefault("ping_interval", None)
        options.setdefault("max_queue", None)
        self.timeout = timeout
        self.opened = contextlib.ExitStack()
        open_socket = SealedSocket if "ssl" in options else connect
        self.socket = self.opened.enter_context(open_socket(url, **options))
        self.welcome = self.receive("welcome")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.opened.close()

    def send(self, message):
        self.socket.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    def next(self, timeout=None):
        """The next message, whatever it is."""
        text = self.socket.recv(timeout or self.timeout)
        assert isinstance(text, str), "messages are text frames"
        return schemas.check_message(text)

    def receive(self, type, timeout=None):
        """The next message, which must be of that type; heartbeats and what is told of a status before it are skipped."""
        message = self.next(timeout)
        while message["type"] in ("heartbeat", "status") and type != message["type"]:
            message = self.next(timeout)
        assert message["type"] == type, message
        return message

    def request(self, message, type):
        """Sends a request and waits for its answer."""
        self.send(message)
        answer = self.receive(type)
        if message.get("id") is not None:
            assert answer["id"] == message["id"], "an answer carries its request's id"
        return answer

    def subscribe(self, subscription_id="s", filter=None, **more):
        message = {"type": "subscribe", "id": next(_numbers), "subscription_id": subscription_id, **more}
        if filter is not None:
            message["filter"] = filter
        return self.request(message, "subscription_ack")

    def refused(self, message, code, id=None):
        """Sends what must be refused with that code; the error."""
        self.send(message)
        error = self.receive("error")
        assert error["error_code"] == code, error
        assert error.get("id") == id
        return error

    def events(self, count):
        """The next messages, which must be events."""
        return [self.receive("event") for _ in range(count)]

    def until(self, is_last, seconds=30):
        """Every message up to the first that `is_last` says yes to; that one is the last of the list."""
        messages = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            messages.append(self.next(max(0.01, end - time.monotonic())))
            if is_last(messages[-1]):
                return messages
        raise AssertionError(f"not within {seconds} s; last: {messages[-3:]}")

    def closing(self):
        """Reads to the end: messages, and the close frame that came (code, reason)."""
        messages = []
        try:
            while True:
                messages.append(self.next())
        except ConnectionClosed as closed:
            frame = closed.rcvd
            return messages, ((frame.code, frame.reason) if frame else None)


def subscribe_to_marks(*subscribers):
    """Lets `delivered_before_mark` tell when everything published before has arrived, whatever else is subscribed."""
    for subscriber in subscribers:
        condition = {"key": "metadata.mark", "cmp": "ex"}
        subscriber.subscribe("marks", {"event_types": ["exchange_outage"], "where": condition})


def delivered_before_mark(gateway, *subscribers):
    """Publishes a mark and reads up to it: the messages before, for each subscriber. Events arrive in the order of
    their positions, so what was published before the mark and is not among them was not delivered."""
    number = next(_numbers)
    mark = event("critical", "exchange_outage", symbol=None, metadata={"mark": number})
    gateway.post(mark)

    def is_mark(message):
        return message["type"] == "event" and message["event"]["metadata"].get("mark") == number

    results = [
        [message for message in subscriber.until(is_mark)[:-1] if message["type"] != "heartbeat"]
        for subscriber in subscribers
    ]
    return results[0] if len(results) == 1 else results


def descriptions(messages):
    return [message["event"]["description"] for message in messages if message["type"] == "event"]
