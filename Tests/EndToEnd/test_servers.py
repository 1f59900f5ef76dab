"""The servers of the tests themselves: what the other tests believe of them."""

import contextlib
import os
import socket
import threading
import time

import pytest
from gateway import eventually
from proxy import Proxy
from servers import Postgres, Redis


def test_a_redis_keeps_what_it_answered_over_a_kill_and_its_port():
    with Redis() as redis:
        port = redis.port
        assert redis.cli("SET", "key", "value") == "OK"
        redis.restart()
        assert (redis.cli("GET", "key"), redis.port) == ("value", port)
        redis.flush()
        assert redis.cli("DBSIZE") == "0"
        redis.cli("SET", "key", "value")
        assert redis.empty().cli("DBSIZE") == "0"
        folder = redis.folder
    assert not folder.exists()


def test_a_redis_has_a_password_and_a_replica():
    with Redis(password="s3cret word", database=3) as first:
        with Redis(password="s3cret word", database=3, replicaof=f"127.0.0.1 {first.port}") as second:
            first.cli("SET", "key", "value")
            eventually(lambda: second.cli("GET", "key") == "value", "the replica has it", 30)
        first.password = None
        assert "NOAUTH" in first.cli("GET", "key", check=False)
        first.password = "s3cret word"


def test_a_postgres_wants_its_password_and_survives_a_kill():
    with Postgres() as postgres:
        postgres.psql("CREATE TABLE kept (number int)")
        postgres.psql("INSERT INTO kept VALUES (7)")
        postgres.restart()
        assert postgres.psql("SELECT number FROM kept") == "7"
        postgres.stop().start()
        assert postgres.psql("SELECT current_user, current_database()") == "fiml|fiml"
        right, postgres.password = postgres.password, "wrong"
        assert postgres.psql("SELECT 1", check=False) == ""
        postgres.password = right


@contextlib.contextmanager
def echo():
    """A server that sends back what comes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve(peer):
            with peer, contextlib.suppress(OSError):
                while data := peer.recv(65536):
                    peer.sendall(data)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_a_wire_passes_stalls_delays_and_is_cut_and_healed():
    with echo() as port, Proxy(port) as proxy:
        def connected():
            return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)

        with connected() as client:
            data = os.urandom(1 << 20)
            threading.Thread(target=client.sendall, args=[data]).start()
            received = b""
            while len(received) < len(data):
                received += client.recv(65536)
            assert received == data
            assert proxy.connections == 1

            proxy.delay(0.2)
            begin = time.monotonic()
            client.sendall(b"late")
            assert client.recv(4) == b"late" and time.monotonic() - begin >= 0.4
            proxy.heal()

            proxy.stall()
            client.sendall(b"held")
            client.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.recv(4)
            proxy.heal()
            client.settimeout(10)
            assert client.recv(4) == b"held"

            proxy.cut()
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b"", "the connection ended"
        with pytest.raises(ConnectionRefusedError):
            connected()
        proxy.heal()
        with connected() as client:
            client.sendall(b"again")
            assert client.recv(5) == b"again"
