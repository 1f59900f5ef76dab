"""The files in public-schema/ are valid, agree with each other, and every example holds.

Run with `python3 -m pytest Tests/Schema`; needs what Tests/requirements.txt names.
"""

import json
import pathlib
import re
import warnings

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "public-schema"
BASE = "https://fiml.dev/schemas/v1/"

SCHEMAS = {
    path.relative_to(FOLDER / "schemas").as_posix(): json.loads(path.read_text())
    for path in sorted((FOLDER / "schemas").rglob("*.json"))
}
REGISTRY = Registry().with_resources(
    [(schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()]
)
OPENAPI = json.loads((FOLDER / "openapi.json").read_text())
ASYNCAPI = json.loads((FOLDER / "asyncapi.json").read_text())

APPLE = {"symbol": "AAPL", "asset_type": "equity"}
FINDING = SCHEMAS["bodies/analysis_result.schema.json"]["examples"][0]


def validator(reference):
    """For a reference below schemas/, such as `event.schema.json`."""
    return Draft202012Validator({"$ref": BASE + reference}, registry=REGISTRY)


def references(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            elif key not in ("examples", "example"):
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def inline(document):
    """A copy in which references to files below schemas/ are absolute."""
    text = json.dumps(document)
    return json.loads(text.replace('"$ref": "schemas/', f'"$ref": "{BASE}'))


@pytest.mark.parametrize("path", SCHEMAS)
def test_a_schema_is_valid_and_its_references_lead_somewhere(path):
    schema = SCHEMAS[path]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == BASE + path
    assert schema["title"] and schema["description"]
    resolver = REGISTRY.resolver(base_uri=schema["$id"])
    for reference in references(schema):
        resolver.lookup(reference)
        file = reference.partition("#")[0]
        assert not file or ((FOLDER / "schemas" / path).parent / file).is_file(), "also as a file on disk"


@pytest.mark.parametrize("path", [path for path in SCHEMAS if path != "common.schema.json"])
def test_examples_of_a_schema_hold(path):
    assert SCHEMAS[path]["examples"]
    for example in SCHEMAS[path]["examples"]:
        validator(path).validate(example)


@pytest.mark.parametrize("name", SCHEMAS["common.schema.json"]["$defs"])
def test_examples_of_a_common_part_hold(name):
    part = SCHEMAS["common.schema.json"]["$defs"][name]
    for example in part.get("examples", []):
        validator(f"common.schema.json#/$defs/{name}").validate(example)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("messages/ping.schema.json", {"type": "pong"}),
        ("messages/ping.schema.json", {"type": "ping", "extra": 1}),
        ("messages/ping.schema.json", {"type": "ping", "id": 1.5}),
        ("messages/ping.schema.json", {"type": "ping", "id": "x" * 65}),
        ("messages/subscribe.schema.json", {"type": "subscribe"}),
        ("messages/subscribe.schema.json", {"type": "subscribe", "subscription_id": "a\nb"}),
        ("messages/subscribe.schema.json", {"type": "subscribe", "subscription_id": "a", "since": "1-0", "last": 1}),
        ("messages/subscribe.schema.json", {"type": "subscribe", "subscription_id": "a", "last": 1001}),
        ("messages/update_subscription.schema.json", {"type": "update_subscription", "subscription_id": "a"}),
        ("messages/analyze.schema.json", {"type": "analyze"}),
        ("messages/analyze.schema.json", {"type": "analyze", "asset": {"symbol": "A"}}),
        ("messages/analyze.schema.json", {"type": "analyze", "asset": APPLE, "wait": True}),
        ("messages/analyze.schema.json", {"type": "analyze", "asset": APPLE, "agents": []}),
        ("messages/analyze.schema.json", {"type": "analyze", "asset": APPLE, "agents": ["astrology"]}),
        ("messages/analyze.schema.json", {"type": "analyze", "asset": APPLE, "agents": ["risk", "risk"]}),
        ("messages/health.schema.json", {"type": "health", "scope": "cache"}),
        ("messages/health.schema.json", {"type": "health", "scope": "workers", "extra": 1}),
        ("messages/health.schema.json", {"type": "health", "scope": "workers", "summary": {}}),
        ("bodies/analysis_request.schema.json", {"asset": APPLE, "agent": ["risk"]}),
        ("bodies/analysis_request.schema.json", {"asset": APPLE, "wait": "no"}),
        ("bodies/analysis_batch_request.schema.json", {"assets": []}),
        ("bodies/analysis_batch_request.schema.json", {"assets": [APPLE] * 51}),
        ("bodies/analysis_result.schema.json", {**FINDING, "score": None}),
        ("bodies/analysis_result.schema.json", {**FINDING, "score": 10.1}),
        ("bodies/analysis_result.schema.json", {**FINDING, "status": "failed"}),
        ("bodies/analysis_result.schema.json", {**FINDING, "indicators": {}}),
        ("bodies/analysis_result.schema.json", {name: FINDING[name] for name in FINDING if name != "trend"}),
        ("bodies/db_health.schema.json", {"status": "healthy", "timestamp": "2026-11-24T05:24:01.123Z"}),
        ("bodies/db_health.schema.json", {"status": "down", "timestamp": "2026-11-24T05:24:01.123Z"}),
        ("filter.schema.json", {"severity": ["high"]}),
        ("filter.schema.json", {"severities": []}),
        ("filter.schema.json", {"severities": ["hgh"]}),
        ("filter.schema.json", {"watchdogs": ["funding_spike"]}),
        ("filter.schema.json", {"event_types": ["funding_rate"]}),
        ("filter.schema.json", {"assets": ["*BTC"]}),
        ("filter.schema.json", {"where": {}}),
        ("filter.schema.json", {"where": {"key": "price", "cmp": "ex"}}),
        ("filter.schema.json", {"where": {"key": "data.", "cmp": "ex"}}),
        ("filter.schema.json", {"where": {"key": "type", "cmp": "ge", "val": 1}}),
        ("filter.schema.json", {"where": {"key": "type", "cmp": "eq"}}),
        ("filter.schema.json", {"where": {"key": "type", "cmp": "in", "val": "x"}}),
        ("filter.schema.json", {"where": {"key": "type", "cmp": "ex", "val": "x"}}),
        ("filter.schema.json", {"where": {"op": "not", "nodes": [{"key": "type", "cmp": "ex"}] * 2}}),
        ("event_input.schema.json", {"type": "flash_crash", "severity": "high", "watchdog": "price_anomaly"}),
        ("messages/subscription_ack.schema.json", {
            "type": "subscription_ack", "subscription_id": "a", "position": "1-0", "recovered": False,
            "replaying": 0, "timestamp": "2026-11-24T05:24:01.123Z"}),
        ("common.schema.json#/$defs/position", "01-0"),
        ("common.schema.json#/$defs/timestamp", "2026-11-24T05:24:01Z"),
    ],
)
def test_what_is_wrong_is_refused(path, value):
    assert not validator(path).is_valid(value)


def test_openapi_is_valid():
    OpenAPIV31SpecValidator(OPENAPI, base_uri=(FOLDER / "openapi.json").as_uri()).validate()


def test_examples_of_openapi_hold():
    def contents(node):
        if isinstance(node, dict):
            if "schema" in node and "examples" in node:
                yield node
            for value in node.values():
                yield from contents(value)
        elif isinstance(node, list):
            for value in node:
                yield from contents(value)

    checked = 0
    for content in contents(inline(OPENAPI)):
        for example in content["examples"].values():
            Draft202012Validator(content["schema"], registry=REGISTRY).validate(example["value"])
            checked += 1
    assert checked > 10


def test_openapi_takes_every_member_of_a_filter():
    names = {parameter["name"] for parameter in OPENAPI["components"]["parameters"].values()}
    assert set(SCHEMAS["filter.schema.json"]["properties"]) <= names


def test_asyncapi_is_valid():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the models shadow names of their base class
        from asyncapi3 import AsyncAPI3

    AsyncAPI3.model_validate(ASYNCAPI)


def test_references_of_asyncapi_lead_somewhere():
    for reference in references(ASYNCAPI):
        file, _, pointer = reference.partition("#")
        node = json.loads((FOLDER / file).read_text()) if file else ASYNCAPI
        for name in pointer.split("/")[1:]:
            node = node[name]


def test_asyncapi_has_every_message_and_its_examples_hold():
    messages = ASYNCAPI["components"]["messages"]
    assert {f"messages/{name}.schema.json" for name in messages} == {
        path for path in SCHEMAS if path.startswith("messages/")
    }
    assert set(ASYNCAPI["channels"]["events"]["messages"]) == set(messages)
    for name, message in inline(messages).items():
        for example in message["examples"]:
            Draft202012Validator(message["payload"]["schema"], registry=REGISTRY).validate(example["payload"])
            assert example["payload"]["type"] == name


def documented():
    """Every JSON value in the fenced `json` blocks of the project's Markdown files."""
    for path in sorted(REPOSITORY.rglob("*.md")):
        if any(part.startswith(".") for part in path.relative_to(REPOSITORY).parts):
            continue
        for block in re.findall(r"^```json\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL):
            yield path.relative_to(REPOSITORY).as_posix(), block


@pytest.mark.parametrize(("path", "block"), list(documented()))
def test_examples_in_the_documents_hold(path, block):
    try:
        values = [json.loads(block)]
    except json.JSONDecodeError:
        values = [json.loads(line) for line in block.splitlines() if line.strip()]
    for value in values:
        name = f"messages/{value.get('type')}.schema.json" if isinstance(value, dict) else None
        if name in SCHEMAS:
            validator(name).validate(value)
