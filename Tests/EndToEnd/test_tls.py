"""TLS on its own port: versions, ALPN, resumption, records both ways, reloading, and what is no TLS at all."""

import json
import os
import signal
import ssl
import subprocess
import time

import pytest
from certificates import Certificate
from gateway import Gateway, eventually, run_to_end
from sockets import Peer
from subscriber import SealedSocket, Subscriber, event

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(scope="module")
def sealed(certificate, tmp_path_factory):
    settings = {"FIML_TLS_HANDSHAKE_TIMEOUT_SECONDS": "1"}
    with Gateway(tmp_path_factory.mktemp("tls"), settings, tls=certificate) as running:
        yield running
        running.assert_healthy()


def handshake(gateway, context):
    return Peer(gateway.tls_port, wrap=lambda raw: context.wrap_socket(raw, server_hostname="localhost"))


def get(peer, path="/livez"):
    peer.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return peer.file.readline()


@pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])
def test_events_reach_a_subscriber_over_each_version(sealed, certificate, version):
    with Subscriber(sealed.wss(), ssl=certificate.client_context(version)) as subscriber:
        subscriber.subscribe()
        positions = sealed.post([event() for _ in range(100)])
        assert [subscriber.receive("event")["position"] for _ in positions] == positions


@pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])
@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 100 << 10, 1 << 20])
def test_messages_of_any_size_go_both_ways(sealed, certificate, version, size):
    data = os.urandom(size)
    context = certificate.client_context(version)
    with SealedSocket(sealed.wss("/ws/echo"), ssl=context, compression=None, max_size=1 << 22) as client:
        client.send(data)
        assert client.recv(10) == data
        for number in range(50):
            client.send(f"small {number}")
        assert [client.recv(10) for _ in range(50)] == [f"small {number}" for number in range(50)]


def test_http_11_is_chosen_by_alpn_and_a_client_without_it_is_refused(sealed, certificate):
    context = certificate.client_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with handshake(sealed, context) as peer:
        assert peer.socket.selected_alpn_protocol() == "http/1.1"
    context.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        handshake(sealed, context)


@pytest.mark.parametrize("version", VERSIONS, ids=["1.2", "1.3"])
def test_a_session_is_resumed_also_after_the_certificate_was_read_anew(sealed, certificate, version):
    context = certificate.client_context(version)
    with handshake(sealed, context) as peer:
        assert get(peer).startswith(b"HTTP/1.1 200") and not peer.socket.session_reused
        session = peer.socket.session
    sealed.signal(signal.SIGHUP)
    eventually(lambda: "read anew" in sealed.log, "the certificate is read anew")

    def resumed(raw):
        return context.wrap_socket(raw, server_hostname="localhost", session=session)

    with Peer(sealed.tls_port, wrap=resumed) as peer:
        assert get(peer).startswith(b"HTTP/1.1 200") and peer.socket.session_reused


def test_a_client_changes_its_keys_and_asks_for_ours(sealed, certificate):
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{sealed.tls_port}", "-tls1_3", "-CAfile",
         certificate.certificate, "-crlf"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        for command in (b"K\n", b"k\n", b"K\n"):
            # s_client takes a command only as a line read by itself.
            client.stdin.write(command)
            client.stdin.flush()
            time.sleep(0.2)
        client.stdin.write(b"GET /livez HTTP/1.1\nHost: localhost\nConnection: close\n\n")
        client.stdin.flush()
        # It ends with its input, so that stays open until the gateway has closed the connection.
        client.wait(10)
        output = client.stdout.read()
    finally:
        client.kill()
    assert output.count(b"KEYUPDATE") == 3 and b"HTTP/1.1 200 OK" in output, output.decode(errors="replace")


def test_what_is_no_tls_is_cut_and_others_go_on(sealed, certificate):
    with Subscriber(sealed.wss(), ssl=certificate.client_context()) as subscriber:
        subscriber.subscribe()
        for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(2000), b"\x16\x03\x01\xff\xff" + bytes(70000)):
            with Peer(sealed.tls_port) as peer:
                try:
                    peer.send(garbage)
                    while peer.socket.recv(4096):
                        pass
                except ConnectionError:
                    pass
        sealed.post(event())
        subscriber.receive("event")


def test_half_a_handshake_times_out(sealed):
    with Peer(sealed.tls_port, timeout=4) as peer:
        peer.send(b"\x16\x03\x01\x02\x00\x01")
        assert peer.is_closed()


def test_a_changed_record_ends_its_connection_only(sealed, certificate):
    """A client of two memories, so that one bit can be flipped between it and the gateway."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = certificate.client_context(ssl.TLSVersion.TLSv1_3).wrap_bio(
        incoming, outgoing, server_hostname="localhost")
    with Peer(sealed.tls_port) as peer:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                peer.send(outgoing.read())
                incoming.write(peer.socket.recv(65536))
        client.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        sent = bytearray(outgoing.read())
        sent[-1] ^= 1
        peer.send(sent)
        with pytest.raises(ssl.SSLError, match="BAD_RECORD_MAC"):
            while True:
                received = peer.socket.recv(65536)
                assert received, "the client is told by an alert"
                incoming.write(received)
                try:
                    client.read()
                except ssl.SSLWantReadError:
                    pass
    assert sealed.get("/livez").status == 200


def test_a_new_certificate_is_for_newcomers_and_a_bad_one_changes_nothing(start, tmp_path, certificate):
    used = Certificate(tmp_path, "used")
    second = Certificate(tmp_path, "second")
    gateway = start(tls=used)
    old = used.client_context()
    with Subscriber(gateway.wss(), ssl=old) as subscriber:
        subscriber.subscribe()
        for target, source in ((used.certificate, second.certificate), (used.key, second.key)):
            target.write_bytes(source.read_bytes())
        gateway.signal(signal.SIGHUP)
        eventually(lambda: "read anew" in gateway.log, "the certificate is read anew")
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(gateway, old)
        with handshake(gateway, second.client_context()) as peer:
            assert get(peer).startswith(b"HTTP/1.1 200")
        used.certificate.write_text("no certificate")
        gateway.signal(signal.SIGHUP)
        eventually(lambda: "the certificate in use stays" in gateway.log, "the bad certificate is refused")
        assert str(used.certificate) in gateway.log
        with handshake(gateway, second.client_context()) as peer:
            assert get(peer).startswith(b"HTTP/1.1 200")
        gateway.post(event())
        subscriber.receive("event")


def test_files_that_do_not_serve_stop_the_start_with_their_names(tmp_path, certificate):
    other = Certificate(tmp_path, "other")
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    cases = [
        (certificate.certificate, other.key, other.key.name),
        (broken, certificate.key, broken.name),
        (certificate.certificate, broken, broken.name),
        (tmp_path / "missing.pem", certificate.key, "missing.pem"),
    ]
    for chain, key, named in cases:
        settings = {
            "FIML_TLS_PORT": "1", "FIML_TLS_CERT_FILE": str(chain), "FIML_TLS_KEY_FILE": str(key),
        }
        status, said = run_to_end(tmp_path, settings)
        errors = [line for line in said.splitlines() if "WARNING" not in line]
        assert status == 78 and len(errors) == 1 and named in errors[0], said


def test_events_are_json_text_over_tls_as_over_tcp(sealed, certificate, connect):
    plain = connect(sealed)
    plain.subscribe()
    with Subscriber(sealed.wss(), ssl=certificate.client_context()) as subscriber:
        subscriber.subscribe()
        sealed.post([event(description="x" * 1000) for _ in range(200)])
        same = [(json.dumps(plain.receive("event")), json.dumps(subscriber.receive("event"))) for _ in range(200)]
        assert all(one == other for one, other in same)
