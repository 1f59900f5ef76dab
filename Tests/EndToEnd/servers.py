"""Real servers of the tests' own: Debian's redis-server and postgresql, each on a free loopback port in a temporary
directory that goes with it, and `Proxy`, through which a gateway reaches one of them until the test cuts the wire.

    with Redis() as redis, Gateway(folder, redis.settings): ...
"""

import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

import pytest
from gateway import eventually, free_port


def program(name, package, *places):
    """Where a server's binary is. Without it the test is skipped, but never in CI, where it is always installed."""
    found = shutil.which(name) or next((path for place in places for path in sorted(glob.glob(place))), None)
    if found:
        return found
    reason = f"{name} is missing: apt-get install {package}"
    if os.environ.get("CI"):
        raise RuntimeError(reason)
    pytest.skip(reason)


class Server:
    """A process that a test may kill, pause and start again where it was; what it stores stays in between."""

    name = "server"
    user = None
    """The account it runs under where the tests are root's; None for theirs."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"fiml-{self.name}-"))
        self.port = free_port()
        self.process = None
        self.log_path = self.folder / "server.log"

    # Life

    def __enter__(self):
        try:
            self.prepare()
            for attempt in range(5):
                try:
                    return self.start()
                except PortTaken:
                    self.port = free_port()
            raise RuntimeError(f"{self.name}: no free port in 5 attempts\n{self.log}")
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def prepare(self):
        """What comes before the first start."""

    def start(self):
        """Starts it and waits until it answers, as nobody but it can."""
        assert self.process is None, f"{self.name} runs already"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.as_user(), *self.command()], cwd=self.folder, env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(self._is_up, f"{self.name} answers", 60)
        return self

    def _is_up(self):
        if self.process.poll() is not None:
            self.process = None
            if "ddress already in use" in self.log:
                raise PortTaken
            raise RuntimeError(f"{self.name} ended at its start:\n{self.log[-4000:]}")
        return self.answers()

    def kill(self):
        """By SIGKILL: nothing is said or written any more."""
        if not self.process:
            return self
        children = descendants(self.process.pid)
        self.process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self.process.wait(30)
        self.process = None
        eventually(lambda: not any(is_running(child) for child in children), f"{self.name}'s processes are gone", 30)
        return self

    def stop(self, number=signal.SIGTERM):
        """In order; what it stores is whole."""
        if self.process:
            self.process.send_signal(number)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None
        return self

    def restart(self):
        """Killed, and started again on what it stored, at the same port."""
        return self.kill().start()

    def pause(self):
        """By SIGSTOP: connections stay, the kernel still accepts some, and nothing is answered."""
        for number in [self.process.pid, *descendants(self.process.pid)]:
            os.kill(number, signal.SIGSTOP)
        return self

    def resume(self):
        """Goes on after `pause` as if no time had passed."""
        for number in [*descendants(self.process.pid), self.process.pid]:
            os.kill(number, signal.SIGCONT)
        return self

    @contextlib.contextmanager
    def paused(self):
        self.pause()
        try:
            yield
        finally:
            self.resume()

    @property
    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def as_user(self):
        """What a command is preceded by, so that it runs under the server's account."""
        if self.user is None or os.getuid() != 0:
            return []
        return [program("setpriv", "util-linux"), f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]

    def run(self, command, environment=None, seconds=30, check=True):
        """A command to its end: what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env={"PATH": os.environ["PATH"], "LC_ALL": "C", **(environment or {})},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)
        assert done.returncode == 0 or not check, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout.strip()


class PortTaken(Exception):
    """Somebody else was faster."""


class Redis(Server):
    """A Redis that has stored what it has answered (appendfsync always), unless told otherwise.

    `options` are its own: `Redis(maxmemory="10mb", replicaof=f"127.0.0.1 {first.port}")`.
    """

    name = "redis"

    def __init__(self, password=None, database=0, **options):
        self.binary = program("redis-server", "redis-server")
        self.client = program("redis-cli", "redis-tools")
        super().__init__()
        self.password = password
        self.database = database
        self.options = {"appendonly": "yes", "appendfsync": "always", "save": "", **options}

    @property
    def settings(self):
        """Those of a gateway that uses it."""
        return redis_settings(self.port, self.password, self.database)

    def through(self, proxy):
        """The same for a gateway that reaches it through a `Proxy`."""
        return redis_settings(proxy.port, self.password, self.database)

    def command(self):
        # Databases beyond the sixteen are a matter of a setting; a loopback without password needs no protection.
        options = {
            "bind": "127.0.0.1", "port": self.port, "dir": self.folder, "daemonize": "no", "logfile": '""',
            "protected-mode": "no", **self.options}
        if self.password:
            options |= {"requirepass": self.password, "masterauth": self.password}
        return [self.binary, *(word for name, value in options.items() for word in (f"--{name}", str(value)))]

    def answers(self):
        said = self.run(self._cli("INFO", "server"), self._secret, check=False)
        return f"process_id:{self.process.pid}" in said.split()

    def cli(self, *arguments, check=True):
        """What redis-cli prints for a command, in the database that the gateways use."""
        said = self.run(self._cli(*arguments), self._secret, check=check)
        assert not check or not said.startswith(("ERR", "WRONG", "NOAUTH", "(error)", "NOSCRIPT")), said
        return said

    def flush(self):
        """Everything gone, while it runs."""
        self.cli("FLUSHALL")
        return self

    def empty(self):
        """Killed, and started again on an empty directory."""
        self.kill()
        shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)
        (self.folder / "dump.rdb").unlink(missing_ok=True)
        return self.start()

    @property
    def _secret(self):
        return {"REDISCLI_AUTH": self.password} if self.password else {}

    def _cli(self, *arguments):
        # No prompt, no colours, one value a line: redis-cli's form where it writes to no terminal.
        return [self.client, "-h", "127.0.0.1", "-p", str(self.port), "-n", str(self.database),
                *(str(argument) for argument in arguments)]


def redis_settings(port, password=None, database=0):
    settings = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port), "REDIS_DB": str(database)}
    return settings | ({"REDIS_PASSWORD": password} if password else {})


class Postgres(Server):
    """A PostgreSQL cluster of its own, with one database and one user, who has a password.

    It refuses to run as root, so that it then runs as Debian's `postgres`.
    """

    name = "postgres"
    user = "postgres"
    places = "/usr/lib/postgresql/*/bin/"

    def __init__(self, password="se'cret \\word", database="fiml", role="fiml", **options):
        self.binary = program("postgres", "postgresql", self.places + "postgres")
        self.initdb = program("initdb", "postgresql", self.places + "initdb")
        self.client = program("psql", "postgresql-client", self.places + "psql")
        super().__init__()
        self.password = password
        self.database = database
        self.role = role
        # A test's cluster is thrown away with its machine, but it is killed, never the machine: fsync stays off.
        self.options = {"fsync": "off", "max_connections": "50", "shared_buffers": "16MB", **options}

    @property
    def settings(self):
        """Those of a gateway that uses it."""
        return self._settings(self.port)

    def through(self, proxy):
        """The same for a gateway that reaches it through a `Proxy`."""
        return self._settings(proxy.port)

    def _settings(self, port):
        return {
            "POSTGRES_HOST": "127.0.0.1", "POSTGRES_PORT": str(port), "POSTGRES_DB": self.database,
            "POSTGRES_USER": self.role, "POSTGRES_PASSWORD": self.password}

    def prepare(self):
        if self.as_user():
            account = pwd.getpwnam(self.user)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        secret = self.folder / "password"
        secret.write_text(self.password + "\n")
        if self.as_user():
            os.chown(secret, account.pw_uid, account.pw_gid)
        self.run([*self.as_user(), self.initdb, "-D", str(self.folder / "data"), "-U", self.role, "-A", "scram-sha-256",
                  f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync"], seconds=120)

    def command(self):
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", **self.options}
        return [self.binary, "-D", str(self.folder / "data"),
                *(word for name, value in options.items() for word in ("-c", f"{name}={value}"))]

    def start(self):
        super().start()
        if not self.psql(f"SELECT 1 FROM pg_database WHERE datname = '{self.database}'", database="postgres"):
            self.psql(f'CREATE DATABASE "{self.database}"', database="postgres")
        return self

    def stop(self, number=signal.SIGINT):
        """In order, without waiting for its clients ("fast shutdown")."""
        return super().stop(number)

    def answers(self):
        said = self.psql("SHOW data_directory", database="postgres", check=False)
        return said == str(self.folder / "data")

    def psql(self, sql, database=None, check=True):
        """What psql prints for a statement: rows as lines, columns parted by |."""
        return self.run(
            [self.client, "-h", "127.0.0.1", "-p", str(self.port), "-U", self.role, "-d", database or self.database,
             "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql],
            {"PGPASSWORD": self.password, "PGCONNECT_TIMEOUT": "10"}, check=check)


def descendants(pid):
    """Of a process, as proc(5) lists them."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            for child in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split():
                found += [int(child), *descendants(int(child))]
    return found


def is_running(pid):
    """Whether a process is there and not merely waiting to be collected."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
