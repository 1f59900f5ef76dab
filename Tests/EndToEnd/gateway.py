"""One gateway process of the built binary, with its own settings and ports, and what a test asks it over HTTP."""

import contextlib
import datetime
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

import schemas

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

WORKERS = ["fundamentals", "technical", "macro", "sentiment", "correlation", "risk", "news", "options"]


def workers(*names):
    """The settings by which only these workers run."""
    return {f"ENABLE_{name.upper()}_WORKER": str(name in names).lower() for name in WORKERS}


# Only what a test publishes, no process but the gateway's own, and no limit on requests but where a
# test is about it.
QUIET = {
    **workers(),
    "WATCHDOG_GLOBAL_ENABLED": "false",
    "FIML_DEV_ENDPOINTS": "true",
    "FIML_EVENT_LOOPS": "1",
    "FIML_WS_REQUESTS_PER_SECOND": "10000",
    "FIML_WS_REQUEST_BURST": "100000",
}


def binary():
    """The gateway under test: FIML_GATEWAY_BINARY, or the release build, or the debug build."""
    candidates = [REPOSITORY / ".build" / kind / "fiml-gateway" for kind in ("release", "debug")]
    if "FIML_GATEWAY_BINARY" in os.environ:
        candidates = [pathlib.Path(os.environ["FIML_GATEWAY_BINARY"])]
    for candidate in candidates:
        if candidate.exists():
            return str(candidate)
    raise RuntimeError(f"no gateway is built at {candidates}: run swift build -c release")


def faulty_worker():
    """A worker host that breaks down in the way that an asset's symbol says: THROW, HANG, SPIN, RUBBISH, NONSENSE,
    ALLOCATE, TRAP, EXIT, KILL. Of any other symbol it finds something."""
    candidates = [pathlib.Path(binary()).parent / "faulty-worker", REPOSITORY / ".build/debug/faulty-worker"]
    for candidate in candidates:
        if candidate.exists():
            return str(candidate)
    raise RuntimeError(f"no faulty worker is built at {candidates}: run swift build")


FAULTS = ["THROW", "HANG", "SPIN", "RUBBISH", "NONSENSE", "ALLOCATE", "TRAP", "EXIT", "KILL"]


def recording(folder, symbols):
    """A year of daily bars of each symbol, for `replay`: a worker is only asked where there are figures."""
    day = datetime.date(2024, 1, 1)
    files = []
    for symbol in symbols:
        rows = ["time,symbol,asset_type,open,high,low,close,volume"]
        for number in range(300):
            close = 100 + number % 17 + number / 50
            rows.append(
                f"{day + datetime.timedelta(days=number)},{symbol},equity,{close},{close + 1},{close - 1},{close},1000")
        files.append(pathlib.Path(folder) / f"{symbol}_daily.csv")
        files[-1].write_text("\n".join(rows) + "\n")
    return files


_ports = set()


def free_port():
    """A port that nobody has, and that stays its server's own while that is down: below the range from which the kernel
    takes the ports of outgoing connections, of which one could sit on it, or even connect to itself."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(1000):
        port = random.SystemRandom().randrange(max(1024, first - 16_000), first)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _ports:
                _ports.add(port)
                return port
    raise RuntimeError(f"no free port below {first}")


def eventually(condition, what, seconds=5.0):
    """Waits until a condition holds; it is asked often, so that a test takes no longer than what it tests."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


class Gateway:
    """Started by `start`, ended by `stop` or by leaving its `with`, whatever happens."""

    def __init__(self, folder, settings=None, tls=None, prefix=(), symbols=()):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        # Those of one test do not get in each other's way; one that is started again finds what it kept.
        own = {"FIML_PORT": str(self.port), "FIML_DATA_DIR": f"data-{self.port}"}
        self.settings = {**QUIET, **own, **(settings or {})}
        self.tls_port = None
        if tls:
            self.tls_port = free_port()
            self.settings |= {
                "FIML_TLS_PORT": str(self.tls_port),
                "FIML_TLS_CERT_FILE": str(tls.certificate),
                "FIML_TLS_KEY_FILE": str(tls.key),
            }
        self.prefix = list(prefix)
        self.command = ["replay", *recording(self.folder, symbols)] if symbols else ["serve"]
        self.process = None
        self.log_path = self.folder / f"gateway-{self.port}.log"

    # Life

    def spawn(self):
        """Starts the process, without waiting for it to serve."""
        environment = {"PATH": os.environ["PATH"], **self.settings}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, binary(), *self.command], cwd=self.folder, env=environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def start(self):
        self.spawn()
        try:
            eventually(self._serves, "GET /livez is answered", 20)
        except BaseException:
            self.stop()
            raise
        return self

    def _serves(self):
        assert self.process.poll() is None, f"the gateway ended at its start:\n{self.log}"
        try:
            return self.get("/livez").status == 200
        except OSError:
            return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def restart(self):
        """Killed with -9, and started again on what it stored, at the same port."""
        self.stop()
        return self.start()

    @contextlib.contextmanager
    def paused(self):
        """By SIGSTOP, in the meantime."""
        self.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(signal.SIGCONT)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=10):
        """The exit status."""
        return self.process.wait(seconds)

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def assert_alive(self):
        """The process is the one that was started, and answers."""
        assert self.process.poll() is None, f"the gateway ended with {self.process.returncode}:\n{self.log}"
        assert self.get("/livez").status == 200

    def assert_healthy(self):
        """It lives, and nothing in its log says that something broke."""
        self.assert_alive()
        assert '"level":"ERROR"' not in self.log, self.log

    # HTTP

    def request(self, method, path, body=None, headers=None, port=None, timeout=10):
        """One request on its own connection; the answer is checked against openapi.json."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            answer.content = answer.read()
        finally:
            connection.close()
        schemas.check_response(method, path, answer.status, answer.headers, answer.content)
        return answer

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def get_json(self, path):
        answer = self.get(path)
        assert answer.status == 200, answer.content
        return json.loads(answer.content)

    def post(self, events, status=201):
        """Publishes one event or a list of them; their positions."""
        body = json.dumps(events)
        answer = self.request("POST", "/events", body, {"Content-Type": "application/json"}, timeout=30)
        assert answer.status == status, answer.content
        document = json.loads(answer.content)
        return [entry["position"] for entry in document["events"]] if status == 201 else document

    def metric(self, name):
        """The sum of a metric's samples."""
        text = self.get("/metrics").content.decode()
        samples = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
        assert samples, f"no metric {name}"
        return sum(float(sample) for sample in samples)

    def sample(self, name, **labels):
        """One sample of a metric; 0 where it is not there."""
        text = self.get("/metrics").content.decode()
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        for found, value in re.findall(rf"^{name}\{{([^}}]*)\}} (\S+)$", text, re.MULTILINE):
            if set(found.split(",")) == wanted:
                return float(value)
        return 0.0

    def analyze(self, symbol, *agents, status=200, asset_type="equity", timeout=60, **more):
        """Asks for an analysis: the answer, as an object."""
        wanted = {"asset": {"symbol": symbol, "asset_type": asset_type}, **more}
        if agents:
            wanted["agents"] = agents
        answer = self.request(
            "POST", "/analysis", json.dumps(wanted), {"Content-Type": "application/json"}, timeout=timeout)
        assert answer.status == status, answer.content
        return json.loads(answer.content)

    def hosts(self):
        """The worker hosts by their types."""
        return {host["worker_type"]: host for host in self.get_json("/health/workers")["hosts"]}

    def worker(self, worker_id):
        return self.get_json(f"/workers/{worker_id}")

    def wait_for_workers(self):
        """Until all that are switched on run."""
        def ready():
            counts = self.get_json("/health")["workers"]
            return counts["total"] > 0 and counts["healthy"] == counts["total"]

        eventually(ready, "all workers are healthy", 30)
        return self

    def connections(self):
        return self.get_json("/connections")["connections"]

    # What it uses

    def resident(self):
        """Resident memory in bytes (proc_pid_status(5), VmRSS)."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    # Where it is

    def ws(self, path="/ws/events"):
        return f"ws://127.0.0.1:{self.port}{path}"

    def wss(self, path="/ws/events"):
        return f"wss://localhost:{self.tls_port}{path}"


def run_to_end(folder, settings, seconds=20, **options):
    """Starts a gateway that is expected to end by itself: exit status and what it said."""
    gateway = Gateway(folder, settings, **options)
    gateway.spawn()
    try:
        return gateway.wait(seconds), gateway.log
    finally:
        gateway.stop()


def terminate(gateway):
    gateway.signal(signal.SIGTERM)
