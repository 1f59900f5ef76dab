"""Bare sockets that say exactly what a test wants said: HTTP byte by byte, WebSocket frame by frame."""

import base64
import dataclasses
import os
import socket
import struct

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


class Peer:
    """A TCP connection (or one that `wrap` has put TLS on) with a time limit on every read."""

    def __init__(self, port, timeout=10, wrap=None, receive_buffer=None):
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.connect(("127.0.0.1", port))
            if wrap:
                self.socket = wrap(self.socket)
        except BaseException:
            self.socket.close()
            raise
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def reset(self):
        """Ends the connection by RST: what a machine does that lost its power and came back."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def end(self):
        """Says that no more will be sent, and goes on reading."""
        self.socket.shutdown(socket.SHUT_WR)

    def is_closed(self):
        """Whether the other side ends the connection, without saying more."""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True


@dataclasses.dataclass
class Response:
    status: int
    headers: dict
    body: bytes


class HTTP(Peer):
    """Requests as bytes, answers taken apart."""

    def head(self):
        """The status and the fields of the next answer, or None where the connection ended instead."""
        line = self.file.readline()
        if not line:
            return None
        version, status, _ = line.split(b" ", 2)
        assert version == b"HTTP/1.1", line
        headers = {}
        while (line := self.file.readline()) != b"\r\n":
            name, _, value = line.decode("latin-1").rstrip("\r\n").partition(": ")
            headers[name.lower()] = value
        return int(status), headers

    def response(self, to_head=False):
        """The next answer, or None where the connection ended instead."""
        head = self.head()
        if head is None:
            return None
        status, headers = head
        has_body = not to_head and status >= 200 and status not in (204, 304)
        body = self.file.read(int(headers["content-length"])) if has_body else b""
        return Response(status, headers, body)


@dataclasses.dataclass
class Frame:
    opcode: int
    payload: bytes
    fin: bool = True
    rsv1: bool = False

    @property
    def close_code(self):
        assert self.opcode == CLOSE, self
        return struct.unpack("!H", self.payload[:2])[0]


def frame(opcode, payload=b"", fin=True, rsv=0, masked=True, length=None, length_bytes=None):
    """A frame as a client sends it (RFC 6455 5.2), and every wrong variety: `length` claims another length,
    `length_bytes` takes a longer form of it than needed."""
    length = len(payload) if length is None else length
    size = length_bytes if length_bytes is not None else (0 if length < 126 else 2 if length < 65536 else 8)
    short = {0: length, 2: 126, 8: 127}[size]
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode, (0x80 if masked else 0) | short])
    head += {0: b"", 2: struct.pack("!H", length & 0xFFFF), 8: struct.pack("!Q", length)}[size]
    if not masked:
        return head + payload
    key = os.urandom(4)
    mask = (key * (len(payload) // 4 + 1))[: len(payload)]
    masked_payload = (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(payload), "big")
    return head + key + masked_payload


class WebSocket(HTTP):
    """Past the opening handshake."""

    def __init__(self, port, path="/ws/echo", headers="", early=b"", **options):
        super().__init__(port, **options)
        key = base64.b64encode(os.urandom(16)).decode()
        self.send(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{headers}\r\n".encode() + early)
        self.handshake = self.response()
        assert self.handshake.status == 101, self.handshake

    def send_frame(self, opcode, payload=b"", **options):
        self.send(frame(opcode, payload, **options))

    def frame(self):
        """The next frame of the server, or None at the end."""
        head = self.file.read(2)
        if len(head) < 2:
            return None
        assert not head[1] & 0x80, "a server does not mask (RFC 6455 5.1)"
        length = head[1] & 0x7F
        if length == 126:
            length = struct.unpack("!H", self.file.read(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self.file.read(8))[0]
        payload = self.file.read(length)
        assert len(payload) == length, "a whole frame"
        return Frame(head[0] & 0x0F, payload, bool(head[0] & 0x80), bool(head[0] & 0x40))

    def frames_to_end(self):
        """All frames until the server ends the connection."""
        frames = []
        while (next := self.frame()) is not None:
            frames.append(next)
        return frames

    def close_code(self):
        """The code of the close frame that comes last; None where there is no close frame."""
        frames = self.frames_to_end()
        return frames[-1].close_code if frames and frames[-1].opcode == CLOSE and frames[-1].payload else None
