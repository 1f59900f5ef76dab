"""What the gateway sends, checked against the files of public-schema/ by an independent validator."""

import functools
import json
import pathlib
import re

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "public-schema"
BASE = "https://fiml.dev/schemas/v1/"


@functools.cache
def _registry():
    files = [json.loads(path.read_text()) for path in sorted((FOLDER / "schemas").rglob("*.json"))]
    return Registry().with_resources([(file["$id"], Resource.from_contents(file)) for file in files])


@functools.cache
def _validator(reference):
    return Draft202012Validator({"$ref": BASE + reference}, registry=_registry())


@functools.cache
def _openapi():
    return json.loads((FOLDER / "openapi.json").read_text())


def _check(reference, value):
    errors = [error for error in _validator(reference).iter_errors(value) if _matters(error)]
    errors.sort(key=lambda error: list(error.path))
    assert not errors, f"{reference}: {errors[0].message} at {list(errors[0].absolute_path)} in {value}"


def _matters(error):
    """The faulty worker finds none of what its type does: it names its process instead, as no other finding does."""
    if error.validator == "required":
        return "process" not in error.instance
    if error.validator != "anyOf":
        return True
    branches = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    return all(any(map(_matters, inner)) for inner in branches.values())


def check_message(text):
    """A text frame of the server, as an object that its type's schema allows."""
    _check_text(text)
    return json.loads(text)


@functools.lru_cache(10_000)
def _check_text(text):
    """One event reaches many subscribers in the same words: they are looked at once."""
    message = json.loads(text)
    assert (FOLDER / f"schemas/messages/{message['type']}.schema.json").exists(), message
    _check(f"messages/{message['type']}.schema.json", message)


@functools.cache
def _path_item(path):
    """What openapi.json says of a path, which may have a part that is named by a parameter."""
    for template, item in _openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return item
    return {}


def check_response(method, path, status, headers, body):
    """An HTTP answer: a problem where it is one, else what openapi.json says of that path, method and status."""
    media_type = (headers.get("Content-Type") or "").partition(";")[0]
    if method == "HEAD" or not body:
        return
    if status >= 400 and path.partition("?")[0] not in ("/health", "/health/db"):
        assert media_type == "application/problem+json", (status, media_type, body)
        problem = json.loads(body)
        _check("bodies/problem.schema.json", problem)
        assert problem["status"] == status
        return
    operation = _path_item(path.partition("?")[0].removeprefix("/dashboard")).get(method.lower())
    if operation is None:
        return
    contents = operation["responses"][str(status)]["content"]
    assert media_type in contents, f"{method} {path} answered {media_type}, documented are {list(contents)}"
    reference = contents[media_type].get("schema", {}).get("$ref", "")
    if media_type.endswith("json") and reference.startswith("schemas/"):
        _check(reference.removeprefix("schemas/"), json.loads(body))
