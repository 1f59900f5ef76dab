"""Fixtures: gateways that are always ended, with what they logged beside a failure."""

import pytest
from certificates import Certificate
from gateway import Gateway
from subscriber import Subscriber


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Gateway) and value.log_path.exists():
                report.sections.append(("gateway log", value.log[-4000:]))
    return report


@pytest.fixture(scope="module")
def gateway(request, tmp_path_factory):
    """One gateway for a module; its settings are the module's SETTINGS, if it has some."""
    folder = tmp_path_factory.mktemp("gateway")
    with Gateway(folder, getattr(request.module, "SETTINGS", None)) as running:
        yield running
        running.assert_healthy()


@pytest.fixture
def start(tmp_path):
    """Starts gateways with settings of a test's own."""
    running = []

    def begin(settings=None, **options):
        running.append(Gateway(tmp_path, settings, **options))
        return running[-1].start()

    yield begin
    for one in running:
        one.stop()


@pytest.fixture
def connect():
    """Connects subscribers that are closed at the end."""
    connected = []

    def open(gateway, path="/ws/events", **options):
        connected.append(Subscriber(gateway.ws(path), **options))
        return connected[-1]

    yield open
    for one in connected:
        one.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate"), "first")
