"""A client of `GET /events/stream` that takes nothing on trust: the head, each chunk (RFC 9112 7.1) and each line
(WHATWG HTML 9.2.6) by its rule, every message by its schema."""

import dataclasses
import re

import schemas
import sockets


@dataclasses.dataclass
class Block:
    """What one block says; a comment alone says nothing."""
    type: str | None = None
    data: str | None = None
    id: str | None = None
    retry: int | None = None

    @property
    def message(self):
        message = schemas.check_message(self.data)
        assert message["type"] == self.type, "one name for both"
        return message


class EventStream(sockets.HTTP):
    """Accepted; `welcome` and `subscription_ack` are read."""

    def __init__(self, port, query="", last_event_id=None, version="1.1", before=b"", fields="", **options):
        super().__init__(port, **options)
        if last_event_id is not None:
            fields += f"Last-Event-ID: {last_event_id}\r\n"
        self.send(before + f"GET /events/stream{query} HTTP/{version}\r\nHost: localhost\r\n{fields}\r\n".encode())
        for _ in range(before.count(b"\r\n\r\n")):
            assert self.response().status == 200
        status, self.headers = self.head()
        assert status == 200 and "content-length" not in self.headers
        self.is_chunked = self.headers.get("transfer-encoding") == "chunked"
        self.last_event_id = last_event_id
        self.retry = None
        self.has_ended = False
        first = self.block()
        self.welcome = first.message
        assert first.retry is not None, "the delay is said first"
        self.ack = self.receive("subscription_ack")

    def chunk(self):
        """The content of the next chunk; None at the last one."""
        line = self.file.readline()
        assert re.fullmatch(rb"[1-9a-f][0-9a-f]*\r\n|0\r\n", line), line
        size = int(line, 16)
        content = self.file.read(size)
        assert len(content) == size and self.file.read(2) == b"\r\n"
        return content or None

    def lines(self):
        """Those of the next block, the empty one left out; None at the end of the content."""
        if self.is_chunked:
            content = self.chunk()
            if content is None:
                return None
            assert content.endswith(b"\n\n") and b"\n\n" not in content[:-1], "a chunk is one block"
            return content.decode().split("\n")[:-2]
        lines = []
        while (line := self.file.readline()) not in (b"\n", b""):
            assert line.endswith(b"\n")
            lines.append(line.decode()[:-1])
        assert line or not lines, "the content ends with a block"
        return lines or None

    def block(self):
        """The next block, a comment among them; None at the end, behind which the connection is closed."""
        lines = self.lines()
        if lines is None:
            assert self.is_closed()
            self.has_ended = True
            return None
        block = Block()
        for line in lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match name:
                case "":
                    pass
                case "id":
                    block.id = self.last_event_id = value
                case "retry":
                    block.retry = self.retry = int(value)
                case "event":
                    block.type = value
                case "data":
                    block.data = value if block.data is None else f"{block.data}\n{value}"
                case _:
                    raise AssertionError(line)
        return block

    def next(self):
        """The next message, comments left out; None at the end."""
        block = self.block()
        while block is not None and block.data is None:
            block = self.block()
        return block and block.message

    def receive(self, type, skip=("heartbeat", "status")):
        """The next message, which must be of that type; the others that may come at any time are left out."""
        while (message := self.next()) is not None and message["type"] != type:
            assert message["type"] in skip, message
        assert message is not None, f"the stream ended before {type}"
        return message

    def events(self, count):
        """The positions of the next so many events, each of which is the last event's id then."""
        positions = []
        for _ in range(count):
            positions.append(self.receive("event")["position"])
            assert self.last_event_id == positions[-1]
        return positions

    def replayed(self):
        """The positions of the events up to `replay_complete`, and that."""
        positions = []
        while (message := self.next())["type"] != "replay_complete":
            if message["type"] == "event":
                positions.append(message["position"])
        return positions, message

    def to_end(self):
        """All messages that are left."""
        messages = []
        while (message := self.next()) is not None:
            messages.append(message)
        return messages
