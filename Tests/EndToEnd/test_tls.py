"""TLS 1.2 and 1.3 (RFC 5246, RFC 8446) against Python's and OpenSSL's own clients."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import types

import pytest
import sockets
from certificates import Certificate
from gateway import eventually, run_to_end
from subscriber import Subscriber, event

VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
SETTINGS = {"FIML_TLS_HANDSHAKE_TIMEOUT_SECONDS": "1"}
GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def files(tmp_path, certificate):
    """Copies of the certificate and its key, which a test may change."""
    paths = types.SimpleNamespace(certificate=tmp_path / "server.crt", key=tmp_path / "server.key")
    install(certificate, paths)
    return paths


def install(certificate, files):
    shutil.copy(certificate.certificate, files.certificate)
    shutil.copy(certificate.key, files.key)


@pytest.fixture
def secure(start, files):
    running = start(SETTINGS, tls=files)
    yield running
    running.assert_healthy()


def wrapper(context, session=None):
    return lambda plain: context.wrap_socket(plain, server_hostname="localhost", session=session)


def echo(peer, payload):
    """Sends a message and reads what comes back. One after the other: Python's TLS sockets take no two threads, and
    the gateway answers only once it has the whole message."""
    peer.send_frame(sockets.BINARY, payload)
    answer = peer.frame()
    received = answer.payload
    while not answer.fin:
        answer = peer.frame()
        received += answer.payload
    return received


def resumed(gateway, context, session):
    with sockets.HTTP(gateway.tls_port, wrap=wrapper(context, session)) as peer:
        peer.send(GET)
        assert peer.response().status == 200
        return peer.socket.session_reused


def session_of(gateway, context):
    """A session that can be resumed; under TLS 1.3 its ticket comes after the handshake."""
    with sockets.HTTP(gateway.tls_port, wrap=wrapper(context)) as peer:
        assert not peer.socket.session_reused
        peer.send(GET)
        assert peer.response().status == 200
        return peer.socket.session


@VERSIONS
def test_the_event_stream_is_carried(secure, certificate, version):
    with Subscriber(secure.wss(), ssl=certificate.client_context(version)) as subscriber:
        expected = {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version]
        assert subscriber.socket.version() == expected
        subscriber.subscribe()
        positions = [secure.post(event())[0] for _ in range(20)]
        assert [message["position"] for message in subscriber.events(20)] == positions


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_1_1_is_refused(secure, certificate):
    context = certificate.client_context()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match="(?i)protocol.version"):
        sockets.Peer(secure.tls_port, wrap=wrapper(context))


@VERSIONS
@pytest.mark.parametrize("offers", [["http/1.1"], ["h2", "http/1.1"]])
def test_alpn_selects_http_1_1(secure, certificate, version, offers):
    context = certificate.client_context(version)
    context.set_alpn_protocols(offers)
    with sockets.HTTP(secure.tls_port, wrap=wrapper(context)) as peer:
        assert peer.socket.selected_alpn_protocol() == "http/1.1"


@VERSIONS
def test_a_client_that_offers_only_h2_is_refused(secure, certificate, version):
    """RFC 7301 3.2"""
    context = certificate.client_context(version)
    context.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        sockets.Peer(secure.tls_port, wrap=wrapper(context))


@VERSIONS
def test_a_session_resumes(secure, certificate, version):
    context = certificate.client_context(version)
    assert resumed(secure, context, session_of(secure, context))


@VERSIONS
@pytest.mark.parametrize("size", [100 << 10, 1 << 20])
def test_large_messages_pass_both_ways(start, files, certificate, version, size):
    limits = {"FIML_WS_MAX_MESSAGE_BYTES": str(2 << 20), "FIML_WS_MAX_INFLATED_BYTES": str(2 << 20)}
    gateway = start(SETTINGS | limits, tls=files)
    with sockets.WebSocket(gateway.tls_port, wrap=wrapper(certificate.client_context(version))) as peer:
        for _ in range(2):
            payload = os.urandom(size)
            assert echo(peer, payload) == payload
    gateway.assert_healthy()


@VERSIONS
def test_many_small_records_pass(secure, certificate, version):
    with sockets.WebSocket(secure.tls_port, wrap=wrapper(certificate.client_context(version))) as peer:
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in sockets.frame(sockets.TEXT, b"byte by byte"):
            peer.send(bytes([byte]))
        assert peer.frame().payload == b"byte by byte"
        payloads = [b"%d" % number for number in range(2000)]
        for payload in payloads:
            peer.send_frame(sockets.TEXT, payload)
        assert [peer.frame().payload for _ in payloads] == payloads


@pytest.mark.parametrize("command", [b"K", b"k"])
def test_a_client_may_update_its_keys(secure, certificate, command):
    """RFC 8446 4.6.3; openssl-s_client(1): `k` updates the client's keys, `K` asks for the server's as well."""
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{secure.tls_port}", "-tls1_3", "-CAfile",
         certificate.certificate],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    guard = threading.Timer(15, client.kill)
    guard.start()
    try:
        for _ in range(3):
            client.stdin.write(GET)
            client.stdin.flush()
            read_until(client.stdout, b'}')
            client.stdin.write(command + b"\n")
            client.stdin.flush()
            read_until(client.stdout, b"KEYUPDATE")
        client.stdin.write(GET)
        client.stdin.flush()
        read_until(client.stdout, b"HTTP/1.1 200")
    finally:
        guard.cancel()
        client.kill()
        client.communicate()


def read_until(output, what):
    seen = b""
    while what not in seen:
        byte = output.read(1)
        assert byte, f"ended without {what}: {seen[-500:]}"
        seen += byte


@pytest.mark.parametrize("bytes", [
    b"\xff" * 4096, GET, b"\x16\x03\x01\xff\xff" + bytes(100), b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
    b"\x17\x03\x03\x00\x20" + bytes(32)], ids=["noise", "plain HTTP", "long record", "short hello", "early data"])
def test_what_is_no_handshake_ends_the_connection(secure, bytes):
    with sockets.Peer(secure.tls_port) as peer:
        peer.send(bytes)
        try:
            answer = peer.file.read()
        except ConnectionResetError:
            answer = b""
        assert b"HTTP/" not in answer


class Proxy:
    """Passes one connection on; once `tampers` is set, the last byte of what the client sends next is flipped."""

    def __init__(self, target):
        self.tampers = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.target = target
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        client, _ = self.listener.accept()
        server = socket.create_connection(("127.0.0.1", self.target))
        threading.Thread(target=self.copy, args=(server, client), daemon=True).start()
        self.copy(client, server)

    def copy(self, source, target):
        is_upstream = source.getpeername()[1] != self.target
        try:
            while data := bytearray(source.recv(65536)):
                if self.tampers and is_upstream:
                    data[-1] ^= 1
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            target.close()


@VERSIONS
def test_a_tampered_record_ends_the_connection(secure, certificate, version):
    """RFC 8446 5.2, RFC 5246 7.2.2: bad_record_mac"""
    proxy = Proxy(secure.tls_port)
    with sockets.WebSocket(proxy.port, wrap=wrapper(certificate.client_context(version))) as peer:
        assert echo(peer, b"whole") == b"whole"
        proxy.tampers = True
        peer.send_frame(sockets.TEXT, b"tampered")
        with pytest.raises((ssl.SSLError, ConnectionResetError), match="(?i)bad.record.mac|reset"):
            assert peer.frame() is None


@pytest.mark.parametrize("begun", [b"", b"\x16\x03\x01\x02\x00\x01\x00"], ids=["silence", "half a hello"])
def test_an_unfinished_handshake_times_out(secure, begun):
    with sockets.Peer(secure.tls_port, timeout=5) as peer:
        began = time.monotonic()
        peer.send(begun)
        assert peer.is_closed()
        assert 0.5 < time.monotonic() - began < 4


def reload(gateway, said):
    """Sends SIGHUP and waits for what is logged."""
    before = len(gateway.log)
    gateway.signal(signal.SIGHUP)
    return eventually(
        lambda: [line for line in gateway.log[before:].splitlines() if said in line], f"the log says {said}")


def serves(gateway, certificate):
    """Whether new connections are given that certificate."""
    try:
        sockets.Peer(gateway.tls_port, wrap=wrapper(certificate.client_context())).close()
        return True
    except ssl.SSLCertVerificationError:
        return False


@VERSIONS
def test_sighup_takes_the_new_certificate(secure, files, certificate, tmp_path, version):
    second = Certificate(tmp_path, "second")
    context = certificate.client_context(version)
    session = session_of(secure, context)
    with sockets.WebSocket(secure.tls_port, wrap=wrapper(context)) as peer:
        assert not serves(secure, second)
        install(second, files)
        secure.signal(signal.SIGHUP)
        eventually(lambda: serves(secure, second), "the new certificate is served")
        assert not serves(secure, certificate)
        assert echo(peer, b"goes on") == b"goes on"
        assert resumed(secure, context, session)


def test_a_bad_file_keeps_the_old_certificate(start, files, certificate):
    gateway = start(SETTINGS, tls=files)
    files.certificate.write_text("no certificate")
    assert reload(gateway, str(files.certificate))
    assert serves(gateway, certificate)


def test_a_wrong_file_fails_the_start(tmp_path, files):
    other = Certificate(tmp_path, "other")
    text = tmp_path / "text"
    text.write_text("neither")
    missing = tmp_path / "missing"
    for certificate, key, named in [
        (missing, files.key, missing), (files.certificate, missing, missing), (text, files.key, text),
        (files.certificate, text, text), (files.certificate, other.key, other.key)]:
        status, log = run_to_end(
            tmp_path, None, tls=types.SimpleNamespace(certificate=certificate, key=key))
        assert status > 0, log
        errors = [line for line in log.splitlines() if str(named) in line]
        assert len(errors) == 1, log
