"""Hostile clients. Whatever they do, the gateway answers, others miss nothing, and what was taken is given back."""

import contextlib
import json
import pathlib
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib

import pytest
import schemas
import sockets
from event_stream import EventStream
from gateway import eventually
from sockets import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame
from subscriber import Subscriber, delivered_before_mark, event

MEBIBYTE = 1 << 20
MESSAGE_LIMIT, INFLATED_LIMIT = 131_072, MEBIBYTE
SETTINGS = {
    "FIML_WS_MAX_MESSAGE_BYTES": str(MESSAGE_LIMIT), "FIML_WS_MAX_INFLATED_BYTES": str(INFLATED_LIMIT),
    # So that the memory of what is published is full before it is measured.
    "WATCHDOG_MAX_EVENTS_IN_MEMORY": "10",
}
ADDRESSES = [f"127.0.0.{number}" for number in range(2, 8)]
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
SUBSCRIBE = json.dumps({"type": "subscribe", "subscription_id": "s"}).encode()
UPGRADE = (b"GET /ws/events HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")


# What must hold after each attack


@contextlib.contextmanager
def publishing(gateway):
    """Publishes one event after the other meanwhile; the list of their positions is complete at the end."""
    positions, failures, ended = [], [], threading.Event()

    def publish():
        try:
            positions.extend(gateway.post([event()]))
            while not ended.wait(0.02):
                positions.extend(gateway.post([event()]))
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield positions
    finally:
        ended.set()
        thread.join()
    assert not failures, failures


# One well-behaved subscriber, and who asks for this.
CONNECTIONS = {"connections": 2, "websockets": 1, "subscriptions": 1, "distinct_filters": 1}


def await_only_the_witness(gateway):
    eventually(
        lambda: gateway.get_json("/connections").items() >= CONNECTIONS.items(),
        "nobody but the well-behaved subscriber is connected")


def assert_endured(gateway, attack, memory=MEBIBYTE):
    """Attacks twice, while events are published and a well-behaved subscriber listens. The first round lets buffers
    grow to their size; after the second, no more than `memory`, in bytes, may be in use beyond that."""
    with Subscriber(gateway.ws()) as witness:
        witness.subscribe()
        await_only_the_witness(gateway)
        descriptors, resident = gateway.descriptors(), []
        for _ in range(2):
            with publishing(gateway) as positions:
                attack()
            messages = delivered_before_mark(gateway, witness)
            assert [message["position"] for message in messages] == positions, "the well-behaved miss nothing"
            await_only_the_witness(gateway)
            eventually(lambda: gateway.descriptors() <= descriptors, "descriptors are closed")
            gateway.assert_healthy()
            resident.append(gateway.resident())
    assert resident[1] - resident[0] <= memory, "bytes more than after the first round"


def subscribed(gateway, **options):
    """A client of the event stream that has been welcomed and has subscribed to everything."""
    client = sockets.WebSocket(gateway.port, "/ws/events", **options)
    client.send_frame(TEXT, SUBSCRIBE)
    assert schemas.check_message(client.frame().payload)["type"] == "welcome"
    while schemas.check_message(client.frame().payload)["type"] != "subscription_ack":
        pass
    return client


def compressed(gateway):
    """A client that has negotiated permessage-deflate; what it receives is not inflated."""
    client = sockets.WebSocket(gateway.port, "/ws/events", DEFLATE)
    assert client.handshake.headers["sec-websocket-extensions"].startswith("permessage-deflate")
    return client


def frames_to_end(client):
    """All frames until the gateway ends the connection; a close frame is answered, so that it need not wait."""
    frames = []
    while (next := client.frame()) is not None:
        frames.append(next)
        if next.opcode == CLOSE:
            with contextlib.suppress(ConnectionError):
                client.send_frame(CLOSE, next.payload)
    return frames


def types(frames):
    return [schemas.check_message(one.payload)["type"] for one in frames if one.opcode == TEXT]


def close_codes(frames):
    return [one.close_code for one in frames if one.opcode == CLOSE]


# Frames that break a rule (RFC 6455)

WRONG_FRAMES = {
    "claims 2^62 bytes": (1009, frame(TEXT, b"x", length=1 << 62, length_bytes=8)),
    "claims 2^64 - 1 bytes": (1002, frame(TEXT, b"x", length=(1 << 64) - 1, length_bytes=8)),
    "one byte over the limit": (1009, frame(TEXT, b" " * (MESSAGE_LIMIT + 1))),
    "fragments over the limit": (
        1009, frame(TEXT, b" " * MESSAGE_LIMIT, fin=False) + frame(CONTINUATION, b" ")),
    "unmasked": (1002, frame(TEXT, SUBSCRIBE, masked=False)),
    "an unmasked ping": (1002, frame(PING, masked=False)),
    "RSV1 without an extension": (1002, frame(TEXT, SUBSCRIBE, rsv=4)),
    "RSV2": (1002, frame(TEXT, SUBSCRIBE, rsv=2)),
    "RSV3": (1002, frame(TEXT, SUBSCRIBE, rsv=1)),
    **{f"opcode {opcode:#x}": (1002, frame(opcode, b"x")) for opcode in (*range(3, 8), *range(11, 16))},
    "a length longer than needed": (1002, frame(TEXT, b"x", length_bytes=2)),
    "a 64-bit length longer than needed": (1002, frame(TEXT, b"x" * 200, length_bytes=8)),
    "not UTF-8": (1007, frame(TEXT, b'{"type":"\xff"}')),
    "UTF-8 cut off": (1007, frame(TEXT, b'"\xe2\x82')),
    "a surrogate": (1007, frame(TEXT, b'"\xed\xa0\x80"')),
    "overlong UTF-8": (1007, frame(TEXT, b'"\xc0\xaf"')),
    "not UTF-8 in a fragment, before the last": (1007, frame(TEXT, b"\xff", fin=False)),
    "a fragmented ping": (1002, frame(PING, b"a", fin=False)),
    "a fragmented close": (1002, frame(CLOSE, b"\x03\xe8", fin=False)),
    "a ping of 126 bytes": (1002, frame(PING, b"x" * 126)),
    "a continuation of nothing": (1002, frame(CONTINUATION, b"x")),
    "a message within a message": (1002, frame(TEXT, b"{", fin=False) + frame(TEXT, b"}")),
    "a close of one byte": (1002, frame(CLOSE, b"\x03")),
    **{f"close code {code}": (1002, frame(CLOSE, struct.pack("!H", code)))
       for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)},
    "a close reason that is not UTF-8": (1007, frame(CLOSE, b"\x03\xe8\xff")),
    "binary on a JSON connection": (1003, frame(BINARY, SUBSCRIBE)),
}


@pytest.mark.parametrize("name", WRONG_FRAMES)
def test_a_wrong_frame_closes_with_its_code(gateway, name):
    """RFC 6455 5.1 to 5.5, 7.4, 8.1, 10.4. What comes behind it is not answered."""
    code, wrong = WRONG_FRAMES[name]
    with subscribed(gateway) as client:
        with contextlib.suppress(ConnectionError):
            client.send(wrong)
            client.send(frame(TEXT, SUBSCRIBE))
        frames = frames_to_end(client)
    assert close_codes(frames) == [code] and frames[-1].opcode == CLOSE
    assert types(frames) == []


def test_wrong_frames_take_nothing_from_others(gateway):
    def attack():
        for code, wrong in WRONG_FRAMES.values():
            for _ in range(3):
                with subscribed(gateway) as client:
                    client.send(wrong)
                    assert close_codes(frames_to_end(client)) == [code]

    assert_endured(gateway, attack)


def test_what_is_cut_off_at_any_byte_is_not_taken_for_a_message(gateway):
    first = frame(TEXT, SUBSCRIBE[:20], fin=False) + frame(PING, b"ping")
    whole = first + frame(CONTINUATION, SUBSCRIBE[20:] + b" " * 126)

    def attack():
        for cut in range(len(whole)):
            with subscribed(gateway) as client:
                client.send(whole[:cut])
                client.end()
                frames = frames_to_end(client)
                assert set(types(frames)) <= {"event", "heartbeat"}
                assert sum(one.opcode == PONG for one in frames) == (cut >= len(first))

    assert_endured(gateway, attack)


# What claims or takes much


def test_a_length_that_is_claimed_takes_no_memory(gateway):
    """Buffers grow with what arrives. Two hundred clients claim the largest message allowed, and send a byte of it."""
    count = 200

    def attack():
        with contextlib.ExitStack() as opened:
            clients = [opened.enter_context(subscribed(gateway)) for _ in range(count)]
            resident = gateway.resident()
            for client in clients:
                client.send(frame(TEXT, b" ", length=MESSAGE_LIMIT, length_bytes=8))
            gateway.get("/livez")
            assert gateway.resident() - resident < count * MESSAGE_LIMIT / 10

    assert_endured(gateway, attack)


def peak(gateway):
    """The most that was resident since the last call, in bytes (proc_pid_status(5) VmHWM, proc_pid_clear_refs(5))."""
    folder = pathlib.Path(f"/proc/{gateway.process.pid}")
    line = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("VmHWM"))
    (folder / "clear_refs").write_text("5")
    return int(line.split()[1]) * 1024


def test_a_deflate_bomb_is_stopped_at_the_inflated_limit(gateway):
    """RFC 7692 8 leaves it to the receiver: 64 MiB of zeros in 64 KB, in fragments, below the limit of a message as
    received. Nobody who inflates it whole stays below four times the limit."""
    compressor = zlib.compressobj(9, wbits=-15)
    bomb = compressor.compress(bytes(64 * MEBIBYTE)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    bomb = bomb.removesuffix(b"\0\0\xff\xff")
    assert len(bomb) < MESSAGE_LIMIT
    pieces = [bomb[start:start + 1000] for start in range(0, len(bomb), 1000)]
    frames = b"".join(
        frame(CONTINUATION if number else TEXT, piece, fin=number == len(pieces) - 1, rsv=0 if number else 4)
        for number, piece in enumerate(pieces))

    def attack():
        for _ in range(20):
            with compressed(gateway) as client:
                client.send(frames)
                assert close_codes(frames_to_end(client)) == [1009]

    resident = gateway.resident()
    peak(gateway)
    assert_endured(gateway, attack)
    assert peak(gateway) - resident < 4 * INFLATED_LIMIT


# Who is slow, silent or gone


def test_headers_that_come_byte_by_byte_are_answered_408(start):
    """RFC 9110 15.5.9. The time counts from the first byte, so that one byte a time does not prolong it."""
    gateway = start({**SETTINGS, "FIML_HTTP_HEADER_TIMEOUT_SECONDS": "1"})

    def attack():
        with contextlib.ExitStack() as opened:
            clients = [opened.enter_context(sockets.HTTP(gateway.port)) for _ in range(50)]
            began, answered = time.monotonic(), []
            for byte in UPGRADE:
                for client in clients:
                    client.send(bytes([byte]))
                answered, _, _ = select.select([client.socket for client in clients], [], [], 0.05)
                if answered:
                    break
            assert answered and 0.9 < time.monotonic() - began < 3
            for client in clients:
                assert client.response().status == 408 and client.is_closed()

    assert_endured(gateway, attack)


def test_peers_that_never_answer_a_ping_are_closed_with_4201_and_dropped(start):
    """They answer nothing else either, so that the gateway must end the connection without them."""
    gateway = start({**SETTINGS, "FIML_WS_PING_SECONDS": "1", "FIML_WS_PONG_TIMEOUT_SECONDS": "1"})

    def attack():
        with contextlib.ExitStack() as opened:
            clients = [opened.enter_context(subscribed(gateway)) for _ in range(50)]
            for client in clients:
                frames = client.frames_to_end()
                opcodes = [one.opcode for one in frames if one.opcode != TEXT]
                assert opcodes == [PING, CLOSE] and frames[-1].close_code == 4201

    assert_endured(gateway, attack)


def test_clients_cut_by_rst_are_forgotten(gateway):
    """In the middle of a head, of a frame, and of what they are sent."""
    def attack():
        clients = [subscribed(gateway) for _ in range(200)]
        for number, client in enumerate(clients):
            if number % 2:
                client.send(frame(TEXT, SUBSCRIBE)[:9])
            client.reset()
        for cut in range(0, len(UPGRADE) + 1, 2):
            client = sockets.Peer(gateway.port)
            client.send(UPGRADE[:cut])
            client.reset()

    assert_endured(gateway, attack)


def test_event_streams_that_are_not_read_and_written_to_are_forgotten(gateway):
    def attack():
        clients = [EventStream(gateway.port, receive_buffer=4096) for _ in range(100)]
        for number, client in enumerate(clients):
            with contextlib.suppress(ConnectionError):
                client.send(b"GET /events/stream HTTP/1.1\r\nHost: a\r\n\r\n" * 500 + b"\0" * 100_000)
            client.reset() if number % 2 else client.close()

    assert_endured(gateway, attack)


HOLDER = """
import gateway, sys, test_hostile, time
running = gateway.Gateway(".")
running.port = int(sys.argv[1])
clients = [test_hostile.subscribed(running) for _ in range(200)]
print("held", flush=True)
time.sleep(60)
"""


def test_subscriptions_of_a_process_that_is_killed_are_forgotten(gateway):
    def attack():
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(gateway.port)], cwd=pathlib.Path(__file__).parent,
            stdout=subprocess.PIPE)
        try:
            assert holder.stdout.readline() == b"held\n"
            assert gateway.get_json("/connections")["subscriptions"] >= 200
        finally:
            holder.send_signal(signal.SIGKILL)
            holder.communicate()

    assert_endured(gateway, attack)


def test_ten_thousand_come_and_go(start):
    """From several addresses, so that none runs out of ports; some leave by FIN and some by RST, some before they say
    anything, some in the middle of a request, some once they are upgraded. Times are short, since a deadline keeps
    its few bytes until it has passed, whoever is gone; then 50 bytes lost by each client would show."""
    times = ("HTTP_IDLE_TIMEOUT", "HTTP_HEADER_TIMEOUT", "WS_PING", "WS_PONG_TIMEOUT")
    gateway = start({**SETTINGS, **{f"FIML_{name}_SECONDS": "1" for name in times}})

    def come_and_go(number):
        with socket.socket() as client:
            client.settimeout(10)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            client.bind((ADDRESSES[number % len(ADDRESSES)], 0))
            client.connect(("127.0.0.1", gateway.port))
            if number % 4:
                client.sendall(UPGRADE[:(40, len(UPGRADE), len(UPGRADE))[number % 4 - 1]])
            if number % 4 == 3:
                assert client.recv(4096).startswith(b"HTTP/1.1 101 ")
                client.sendall(frame(TEXT, SUBSCRIBE))
            if number % 8 < 4:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def attack():
        for number in range(10_000):
            come_and_go(number)

    assert_endured(gateway, attack, memory=MEBIBYTE // 2)


# Random bytes, the same each time


def random_head(source):
    """Bytes at random, or an opening handshake with some of its bytes changed."""
    if source.random() < 0.5:
        return source.randbytes(source.randrange(1, 2000))
    head = bytearray(UPGRADE)
    for _ in range(source.randrange(1, 8)):
        head[source.randrange(len(head))] = source.randrange(256)
    return bytes(head) + source.randbytes(source.randrange(100))


def random_frames(source):
    """Bytes at random, or frames with anything in any field."""
    if source.random() < 0.3:
        return source.randbytes(source.randrange(1, 2000))
    payloads = [b"", SUBSCRIBE, b"{}", b"\x03\xe8", source.randbytes(source.randrange(300))]
    return b"".join(
        frame(
            source.choice([TEXT, TEXT, CONTINUATION, PING, BINARY, source.randrange(16)]), source.choice(payloads),
            fin=source.random() < 0.8, rsv=source.choice([0, 0, 0, 4, source.randrange(8)]),
            masked=source.random() < 0.95)
        for _ in range(source.randrange(1, 12)))


def send_and_end(client, data):
    """Sends all of it and ends this side, unless the gateway has ended the connection before."""
    with contextlib.suppress(ConnectionError):
        client.send(data)
        client.end()


@pytest.mark.parametrize("seed", range(4))
def test_random_bytes_in_place_of_a_request_are_answered_as_http_or_not_at_all(gateway, seed):
    def attack():
        source = random.Random(seed)
        for _ in range(500):
            with sockets.Peer(gateway.port) as client:
                send_and_end(client, random_head(source))
                answer = client.file.read()
            assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5", b"HTTP/1.1 101 ")), answer
            assert not answer.startswith(b"HTTP/1.1 500"), answer

    assert_endured(gateway, attack)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("extensions", ["", DEFLATE], ids=["plain", "deflate"])
def test_random_bytes_in_place_of_frames_end_with_a_documented_close_code(gateway, seed, extensions):
    def attack():
        source = random.Random(seed)
        for _ in range(500):
            with sockets.WebSocket(gateway.port, "/ws/events", extensions) as client:
                send_and_end(client, random_frames(source))
                frames = client.frames_to_end()
            ends = [one for one in frames if one.opcode == CLOSE]
            assert len(ends) <= 1, "one close frame, or the connection just ends where the client's bytes did"
            assert {one.close_code for one in ends if one.payload} <= {1000, 1002, 1003, 1007, 1009}
            assert set(types(frames)) <= {"welcome", "subscription_ack", "event", "error", "heartbeat"}

    assert_endured(gateway, attack)
