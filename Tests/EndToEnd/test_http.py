"""HTTP/1.1 (RFC 9110, RFC 9112) over bare sockets, and the API's paths."""

import json
import threading

import pytest
import sockets
from subscriber import event, position_key

GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


def request(method="GET", path="/livez", fields="", body=b""):
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}{fields}\r\n".encode() + body


def one_event():
    return json.dumps(event()).encode()


@pytest.fixture
def peer(gateway):
    with sockets.HTTP(gateway.port) as connected:
        yield connected


def test_a_connection_is_kept_for_further_requests(peer):
    for _ in range(3):
        peer.send(GET)
        assert peer.response().status == 200


def test_pipelined_requests_are_answered_in_order(peer):
    """RFC 9112 9.3.2"""
    peer.send(GET + request(path="/nothing") + request("POST", "/events", body=one_event()) + GET)
    assert [peer.response().status for _ in range(4)] == [200, 404, 201, 200]


def test_pipelined_publications_are_stored_and_answered_in_their_order(gateway, peer):
    def one(number, pad=0):
        return event(symbol="PIPE", description=str(number), data={"pad": "x" * pad})

    read, wrong = None, {"type": "nonsense"}
    many = [event(symbol="PIPE", description="many", data={"pad": "x" * 1000})] * 90
    asked = [one(0), one(1), wrong, one(2, 7000), read, *[one(n) for n in range(3, 100)], many, one(100), read]
    query = "/events?assets=PIPE&include_market_wide=false&limit=1000"
    threading.Thread(target=peer.send, args=(b"".join(
        request(path=query) if body is read
        else request("POST", "/events", "Content-Type: application/json\r\n", json.dumps(body).encode())
        for body in asked),)).start()
    answers = [peer.response() for _ in asked]
    assert [answer.status for answer in answers] == [
        400 if body is wrong else 200 if body is read else 201 for body in asked]
    stored = [entry["position"] for answer in answers if answer.status == 201
              for entry in json.loads(answer.body)["events"]]
    assert stored == sorted(stored, key=position_key)
    first, last = [[entry["event"]["description"] for entry in json.loads(answer.body)["events"]]
                   for answer in answers if answer.status == 200]
    assert first == ["0", "1", "2"], "what is read behind publications sees all of them, and none of the later"
    assert last == [*[str(n) for n in range(100)], *["many"] * 90, "100"]


def test_nothing_is_taken_behind_the_last_request(peer):
    fields = "Content-Type: application/json\r\n"
    peer.send(request("POST", "/events", fields, one_event())
              + request("POST", "/events", fields + "Connection: close\r\n", one_event())
              + request("POST", "/events", fields, one_event()))
    assert [peer.response().status for _ in range(2)] == [201, 201]
    assert peer.response() is None


def test_a_long_pipeline_is_answered_to_its_end(peer):
    peer.send(GET * 2000)
    assert all(peer.response().status == 200 for _ in range(2000))


def test_a_request_that_comes_byte_by_byte_is_answered(peer):
    for byte in request("POST", "/events", body=one_event()):
        peer.send(bytes([byte]))
    assert peer.response().status == 201


def test_connection_close_is_kept_to(peer):
    """RFC 9112 9.6"""
    peer.send(request(fields="Connection: close\r\n"))
    assert peer.response().status == 200 and peer.is_closed()


def test_http_1_0_is_answered_and_closed(peer):
    peer.send(b"GET /livez HTTP/1.0\r\n\r\n")
    assert peer.response().status == 200 and peer.is_closed()


def test_head_has_the_fields_of_get_and_no_content(peer):
    """RFC 9110 9.3.2"""
    peer.send(request("HEAD") + GET)
    head, get = peer.response(to_head=True), peer.response()
    assert head.headers["content-length"] == get.headers["content-length"] and head.status == 200


def test_a_chunked_body_is_taken(peer):
    """RFC 9112 7.1"""
    body = one_event()
    chunks = b"%x\r\n%s\r\n%x;name=value\r\n%s\r\n0\r\nTrailer: x\r\n\r\n" % (10, body[:10], len(body) - 10, body[10:])
    peer.send(request("POST", "/events", "Transfer-Encoding: chunked\r\n") + chunks + GET)
    assert [peer.response().status for _ in range(2)] == [201, 200]


def test_100_continue_comes_before_the_body(peer):
    """RFC 9110 10.1.1"""
    body = one_event()
    peer.send(request("POST", "/events", f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n"))
    assert peer.response().status == 100
    peer.send(body)
    assert peer.response().status == 201


@pytest.mark.parametrize("path", ["/nothing", "/Events", "/schemas/../settings", "/ws/echo/x"])
def test_an_unknown_path_is_404(gateway, path):
    assert gateway.get(path).status == 404


@pytest.mark.parametrize(("method", "path"), [
    ("DELETE", "/events"), ("PUT", "/livez"), ("POST", "/health"), ("PATCH", "/metrics")])
def test_a_wrong_method_is_405_with_allow(gateway, method, path):
    """RFC 9110 15.5.6"""
    answer = gateway.request(method, path)
    assert answer.status == 405 and "GET" in answer.headers["Allow"]


def test_another_content_type_is_415(gateway):
    assert gateway.request("POST", "/events", one_event(), {"Content-Type": "text/csv"}).status == 415


@pytest.mark.parametrize(("bytes", "status"), [
    (request("POST", "/events", "Content-Length: 99999999\r\n"), 413),
    (request("POST", "/events", "Content-Length: 18446744073709551617\r\n"), 413),
    (request(fields="X: " + "y" * 20_000 + "\r\n"), 431),
    (request(fields="".join(f"X{n}: y\r\n" for n in range(200))), 431),
    (request(path="/" + "x" * 9000), 414),
    (request(fields="Expect: magic\r\n"), 417),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
])
def test_what_is_over_a_limit_is_answered_and_closed(peer, bytes, status):
    peer.send(bytes)
    assert peer.response().status == status and peer.is_closed()


SMUGGLING = {
    "length and transfer-encoding": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "lengths that differ": b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "a list of lengths": b"Content-Length: 4, 5\r\n\r\nabcde",
    "negative length": b"Content-Length: -1\r\n\r\n",
    "plus sign": b"Content-Length: +4\r\n\r\nabcd",
    "folded field": b"X: a\r\n b\r\n\r\n",
    "space before colon": b"Content-Length : 4\r\n\r\nabcd",
    "bare LF": b"X: a\nContent-Length: 4\r\n\r\nabcd",
    "bare CR": b"X: a\rContent-Length: 4\r\n\r\nabcd",
    "NUL": b"X: a\0b\r\n\r\n",
    "chunked not last": b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunk size with sign": b"Transfer-Encoding: chunked\r\n\r\n+4\r\nabcd\r\n0\r\n\r\n",
    "chunk size with 0x": b"Transfer-Encoding: chunked\r\n\r\n0x4\r\nabcd\r\n0\r\n\r\n",
    "chunk size that overflows": b"Transfer-Encoding: chunked\r\n\r\n10000000000000004\r\nabcd\r\n0\r\n\r\n",
    "chunk longer than said": b"Transfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
    "chunk ended by LF": b"Transfer-Encoding: chunked\r\n\r\n4\nabcd\r\n0\r\n\r\n",
    "second Host": b"Host: b\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_where_smuggling_starts_it_is_400_and_the_rest_is_not_read(gateway, peer, name):
    """RFC 9112 11.2"""
    before = gateway.get_json("/events")["position"]
    peer.send(b"POST /events HTTP/1.1\r\nHost: a\r\n" + SMUGGLING[name] + request("POST", "/events", body=one_event()))
    assert peer.response().status == 400
    assert peer.is_closed()
    assert gateway.get_json("/events")["position"] == before


def test_a_client_that_ended_its_side_gets_its_answers(peer):
    peer.send(GET + request("POST", "/events", body=json.dumps([event(data={"p": "x" * 500})] * 200).encode()))
    peer.end()
    assert [peer.response().status for _ in range(2)] == [200, 201]
    assert peer.is_closed()


def test_time_limits_are_answered_408(start):
    """RFC 9110 15.5.9"""
    gateway = start({f"FIML_HTTP_{name}_TIMEOUT_SECONDS": "1" for name in ("HEADER", "BODY", "IDLE")})
    with sockets.HTTP(gateway.port) as head, sockets.HTTP(gateway.port) as body, sockets.HTTP(gateway.port) as idle:
        head.send(b"GET /livez HT")
        body.send(request("POST", "/events", "Content-Length: 10\r\n") + b"abc")
        assert head.response().status == 408 and head.is_closed()
        assert body.response().status == 408 and body.is_closed()
        assert idle.is_closed(), "an idle connection is closed without a word"


# Browsers: CORS (Fetch 3.2) and Origin (RFC 6455 10.2)


def test_cors_names_the_origin_and_preflight_allows_json(gateway):
    origin = {"Origin": "https://app.example.com"}
    assert gateway.get("/events", origin).headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    preflight = gateway.request("OPTIONS", "/events", headers={
        **origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"})
    assert preflight.status == 204
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "content-type" in preflight.headers["Access-Control-Allow-Headers"].lower()


def test_an_origin_that_is_not_allowed_is_403_and_gets_no_cors(start):
    gateway = start({"CORS_ORIGINS": "https://good.example"})
    upgrade = ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: {}\r\n")
    for origin, status in (("https://evil.example", 403), ("https://good.example", 101)):
        with sockets.HTTP(gateway.port) as peer:
            peer.send(request(path="/ws/events", fields=upgrade.format(origin)))
            assert peer.response().status == status
    assert gateway.get("/events", {"Origin": "https://evil.example"}).headers["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize(("fields", "status", "field"), [
    ("", 426, ("upgrade", "websocket")),
    ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", 426, ("sec-websocket-version", "13")),
    ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n", 400, None),
    ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n", 400, None),
])
def test_a_wrong_opening_handshake_is_answered(peer, fields, status, field):
    """RFC 6455 4.2, 4.4"""
    peer.send(request(path="/ws/events", fields=fields))
    answer = peer.response()
    assert answer.status == status
    assert field is None or answer.headers[field[0]] == field[1]


# POST /events and GET /events


def test_posted_events_can_be_read_back(gateway):
    positions = gateway.post([event(description="a"), event(description="b")])
    page = gateway.get_json("/events?limit=2")
    assert [entry["position"] for entry in page["events"]] == positions
    assert [entry["event"]["description"] for entry in page["events"]] == ["a", "b"]


@pytest.mark.parametrize("wrong", [
    {}, [], 5, [event(), {}], [event(), event(severity="hgh")], event(type="nothing"), event(description=""),
    event(timestamp="yesterday"), event(data=[]), event(data={"x": "y" * 9000}), event(unknown=1),
    event(assets=["a b"]), [event()] * 1001])
def test_what_is_wrong_is_refused_whole_and_nothing_is_stored(gateway, wrong):
    before = gateway.get_json("/events")["position"]
    gateway.post(wrong, status=400)
    assert gateway.get_json("/events")["position"] == before


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"nul", b'{"a":1}{}', b"[" * 5000])
def test_a_body_that_is_not_json_is_400(gateway, body):
    assert gateway.request("POST", "/events", body, {"Content-Type": "application/json"}).status == 400


def test_a_large_body_is_answered_and_told_whole(start, connect):
    # All at once it is more than half of what may wait for a client by default, when severities are shed.
    gateway = start({"FIML_WS_SEND_QUEUE_BYTES": "4194304"})
    client = connect(gateway)
    client.subscribe()
    batch = [event(data={"pad": "x" * 600}) for _ in range(900)]
    assert len(json.dumps(batch)) > 1 << 19
    positions = gateway.post(batch)
    assert [message["position"] for message in client.events(900)] == positions


def test_events_are_paged_by_after_until_and_limit(gateway):
    positions = gateway.post([event(symbol="PAGE", description=str(n)) for n in range(30)])
    query = "assets=PAGE&include_market_wide=false&limit=7"
    seen, after = [], positions[0]
    while True:
        page = gateway.get_json(f"/events?{query}&after={after}&until={positions[25]}")
        if not page["events"]:
            break
        seen += [entry["position"] for entry in page["events"]]
        after = page["position"]
    assert seen == positions[1:26]


def test_events_pass_the_filter_and_since(gateway):
    positions = gateway.post([event("low", symbol="F"), event("critical", symbol="F"), event("low", symbol="F")])
    page = gateway.get_json(f"/events?since={positions[0]}&severities=critical&assets=F")
    assert [entry["position"] for entry in page["events"]] == [positions[1]]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after=x", "until=x", "color=1",
                                   "severities=hgh", "min_severity=low&min_severity=high"])
def test_a_wrong_query_is_400(gateway, query):
    assert gateway.get("/events?" + query).status == 400


def test_events_outside_the_window_are_not_complete(start):
    gateway = start({"WATCHDOG_EVENT_PERSISTENCE": "false", "WATCHDOG_MAX_EVENTS_IN_MEMORY": "5"})
    first = gateway.post([event()])[0]
    gateway.post([event() for _ in range(10)])
    page = gateway.get_json(f"/events?after={first}")
    assert page["complete"] is False and len(page["events"]) == 5


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz", "/connections", "/openapi.json", "/asyncapi.json",
                                  "/schemas/event.schema.json", "/schemas/messages/event.schema.json"])
def test_what_tells_of_the_gateway_is_served(gateway, path):
    assert gateway.get_json(path)


def test_metrics_are_text_and_openmetrics(gateway):
    assert gateway.get("/metrics").headers["Content-Type"].startswith("text/plain")
    answer = gateway.get("/metrics", {"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")
