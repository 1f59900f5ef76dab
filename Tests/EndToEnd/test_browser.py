"""A browser: a page of another origin subscribes, reads and publishes, and is kept out where its origin is not allowed.
Headless Chromium runs it, driven by the Chrome DevTools Protocol."""

import contextlib
import http.client
import http.server
import itertools
import json
import os
import shutil
import subprocess
import socket
import threading

import pytest
import schemas
from gateway import eventually
from subscriber import event
from websockets.sync.client import connect

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed, so no browser was tried")

PAGE = b"""<!doctype html>
<meta charset="utf-8">
<title>subscriber</title>
<script>
const gateway = location.search.slice(1);
const messages = [];
let closed = null;
const socket = new WebSocket(`ws://${gateway}/ws/events`, 'fiml.v1.json');
socket.onopen = () => socket.send(JSON.stringify({type: 'subscribe', id: 1, subscription_id: 'page'}));
socket.onmessage = message => messages.push(message.data);
socket.onclose = close => { closed = close.code; };

const told = [];
let source = null;
function listen(url) {
    source = new EventSource(url);
    for (const type of ['welcome', 'subscription_ack', 'event', 'replay_complete', 'heartbeat']) {
        source.addEventListener(type, block => told.push({type, data: block.data, id: block.lastEventId}));
    }
}

async function read() {
    const answer = await fetch(`http://${gateway}/events`);
    return {status: answer.status, body: await answer.json()};
}

async function publish(event) {
    const answer = await fetch(`http://${gateway}/events`, {
        method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(event)});
    return {status: answer.status, body: await answer.json()};
}

async function refusal(request) {
    try { await request; return null; } catch (error) { return error.name; }
}
</script>
"""


class PageServer(http.server.BaseHTTPRequestHandler):
    """Serves the page, from a port of its own: an origin of its own (RFC 6454 4)."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_):
        pass


class Page:
    """A tab of the browser with the page in it."""

    def __init__(self, browser_port, url):
        connection = http.client.HTTPConnection("127.0.0.1", browser_port, timeout=10)
        connection.request("PUT", f"/json/new?{url}")
        target = json.loads(connection.getresponse().read())
        connection.close()
        self.opened = contextlib.ExitStack()
        self.socket = self.opened.enter_context(
            connect(target["webSocketDebuggerUrl"], max_size=1 << 26, compression=None))
        self.numbers = itertools.count(1)
        self.call("Runtime.enable")
        eventually(lambda: self.run("typeof refusal == 'function'"), "the page is loaded", 10)

    def close(self):
        self.opened.close()

    def call(self, method, **parameters):
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (answer := json.loads(self.socket.recv(10))).get("id") != number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def run(self, script):
        """The value of a script, awaited where it is a promise."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def told(self, type):
        """What the page's EventSource has received of a type, each with the last event's id then."""
        received = [(schemas.check_message(block["data"]), block) for block in self.run("told")]
        assert all(message["type"] == block["type"] for message, block in received)
        return [(message, block["id"]) for message, block in received if block["type"] == type]

    def messages(self, type):
        """What the page's WebSocket has received of a type."""
        received = [schemas.check_message(text) for text in self.run("messages")]
        return [message for message in received if message["type"] == type]


class Network:
    """Between the browser and a gateway; what goes through it can be cut."""

    def __init__(self, port):
        self.gateway = ("127.0.0.1", port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = []
        self.connects = True
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                if not self.connects:
                    near.close()
                    continue
                far = socket.create_connection(self.gateway)
                self.open += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self.forward, args=ends, daemon=True).start()

    @staticmethod
    def forward(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def cut(self):
        """Nothing goes through any more, until `mend`."""
        self.connects = False
        while self.open:
            one = self.open.pop()
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def mend(self):
        self.connects = True

    def close(self):
        self.listener.close()
        self.cut()


@pytest.fixture
def network():
    built = []

    def build(gateway):
        built.append(Network(gateway.port))
        return built[-1]

    yield build
    for one in built:
        one.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """The port of its DevTools."""
    profile = tmp_path_factory.mktemp("chromium")
    with open(profile / "log", "wb") as log:
        process = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--no-proxy-server", "--remote-debugging-port=0",
             f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    active_port = profile / "DevToolsActivePort"

    def port():
        assert process.poll() is None, (profile / "log").read_text(errors="replace")
        return active_port.exists() and active_port.read_text().count("\n") and active_port.read_text()

    try:
        yield int(eventually(port, "chromium offers its DevTools", 20).splitlines()[0])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


@pytest.fixture(scope="module")
def origin():
    """Where the page is from."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), PageServer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def open_page(browser, origin):
    opened = []

    def open(gateway):
        opened.append(Page(browser, f"{origin}/?127.0.0.1:{gateway.port}"))
        return opened[-1]

    yield open
    for page in opened:
        page.close()


def preflights(gateway):
    return gateway.metric('http_requests_total(?=[{]method="OPTIONS")')


@pytest.mark.parametrize("allowed", ["*", "its own"])
def test_a_page_of_another_origin_subscribes_reads_and_publishes(start, open_page, origin, allowed):
    """Fetch 3.2 (CORS with preflight), RFC 6455 1.9 and 10.2"""
    gateway = start({"CORS_ORIGINS": origin if allowed == "its own" else "*"})
    before = preflights(gateway)
    page = open_page(gateway)
    assert page.run("location.origin") == origin
    eventually(lambda: page.messages("subscription_ack"), "the page has subscribed")
    assert page.run("socket.protocol") == "fiml.v1.json"

    by_others = gateway.post([event(description="of another \N{SNOWMAN}")])
    published = page.run(f"publish({json.dumps(event(description='of the page'))})")
    assert published["status"] == 201
    assert preflights(gateway) > before, "application/json is asked for first"
    positions = by_others + [entry["position"] for entry in published["body"]["events"]]

    eventually(lambda: len(page.messages("event")) == 2, "the page has both events")
    received = page.messages("event")
    assert [message["position"] for message in received] == positions
    assert [message["event"]["description"] for message in received] == ["of another \N{SNOWMAN}", "of the page"]

    read = page.run("read()")
    assert read["status"] == 200
    assert [entry["position"] for entry in read["body"]["events"]] == positions
    assert page.run("closed") is None
    gateway.assert_healthy()


def test_a_page_whose_origin_is_not_allowed_is_kept_out(start, open_page):
    gateway = start({"CORS_ORIGINS": "https://app.example.com"})
    page = open_page(gateway)
    eventually(lambda: page.run("closed") is not None, "the WebSocket has failed")
    assert page.run("closed") == 1006 and page.run("messages") == []
    assert page.run("refusal(read())") == "TypeError"
    before = preflights(gateway)
    assert page.run(f"refusal(publish({json.dumps(event())}))") == "TypeError"
    assert preflights(gateway) > before, "it has asked"
    assert gateway.get_json("/events")["events"] == [], "and it has not published"
    assert gateway.metric("websocket_connections") == 0


@pytest.mark.parametrize("allowed", ["*", "its own"])
def test_an_event_source_of_another_origin_comes_back_and_resumes_by_itself(
        start, open_page, network, origin, allowed):
    """WHATWG HTML 9.2.3: the browser sends what was the last event's id"""
    gateway = start({"CORS_ORIGINS": origin if allowed == "its own" else "*"})
    page = open_page(gateway)
    between = network(gateway)
    page.run(f"listen('http://127.0.0.1:{between.port}/events/stream?min_severity=medium&last=100')")
    eventually(lambda: page.told("replay_complete"), "the page is told")
    positions = gateway.post([event(description="first \N{SNOWMAN}"), event("low"), event("critical")])
    wanted = [positions[0], positions[2]]
    eventually(lambda: len(page.told("event")) == 2, "the page has both events")

    between.cut()
    eventually(lambda: page.run("source.readyState") == 0, "the browser has noticed")
    positions = gateway.post([event(), event("low"), event()])
    wanted += [positions[0], positions[2]]
    between.mend()
    eventually(lambda: len(page.told("replay_complete")) == 2, "the browser has come back", 30)
    wanted += gateway.post([event(description="after")])
    eventually(lambda: len(page.told("event")) == len(wanted), "the page has the rest")

    received = page.told("event")
    assert [message["position"] for message, _ in received] == wanted, "each once, in order"
    assert [last_event_id for _, last_event_id in received] == wanted
    assert received[0][0]["event"]["description"] == "first \N{SNOWMAN}"
    assert [ack["replaying"] for ack, _ in page.told("subscription_ack")] == [0, 2]
    assert page.run("source.readyState") == 1
    gateway.assert_healthy()


def test_an_event_source_whose_origin_is_not_allowed_is_kept_out(start, open_page):
    gateway = start({"CORS_ORIGINS": "https://app.example.com"})
    page = open_page(gateway)
    page.run(f"listen('http://127.0.0.1:{gateway.port}/events/stream')")
    eventually(lambda: page.run("source.readyState") == 2, "it has failed, for good")
    assert page.run("told") == [] and gateway.metric("event_streams") == 0
