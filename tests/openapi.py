"""LINE's published OpenAPI files as a judge of requests, answers and webhooks.

They are not part of this repository: LINE_OPENAPI_DIR names a folder that holds them
(https://github.com/line/line-openapi). Without it the tests that ask this judge are skipped.

    openapi.check_request("POST", "/v2/bot/message/push", body)     # AssertionError if LINE says no
    watcher = openapi.Watcher()
    Simulator(on_request=watcher)                                   # every request of a test
    assert watcher.problems == []
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import yaml
from jsonschema import Draft202012Validator

FILES = (
    "messaging-api.yml",
    "channel-access-token.yml",
    "insight.yml",
    "manage-audience.yml",
    "liff.yml",
)
# LINE Login has no such files; the simulator alone judges these.
LINE_LOGIN = {("POST", "/oauth2/v2.1/verify")}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PREFIX = "#/components/schemas/"


def folder() -> Path:
    """Where LINE's files are; skips the test that asks when nobody said."""
    given = os.environ.get("LINE_OPENAPI_DIR")
    if not given:
        pytest.skip("LINE_OPENAPI_DIR is not set: point it at a checkout of line/line-openapi")
    return Path(given)


def check_request(method: str, path: str, body: Any = None) -> None:
    """Whether LINE publishes such a request: path, query, and every property of the body.

    ``body`` is bytes, or what they stand for.

    :raises AssertionError: with everything that is wrong
    """
    problems = request_problems(method, path, body)
    assert not problems, "\n".join(problems)


def request_problems(method: str, path: str, body: Any = None) -> list[str]:
    """What is wrong with a request, in words."""
    bare, _, query = path.partition("?")
    if (method, bare) in LINE_LOGIN:
        return []
    found = _find(method, bare)
    if found is None:
        return [f"{method} {bare} is not published"]
    spec, operation = found
    problems = _query_problems(operation, query)
    contents = operation.get("requestBody", {}).get("content", {})
    if not contents:
        return problems + ([f"{method} {bare} takes no body"] if body else [])
    if not body and not operation["requestBody"].get("required"):
        return problems
    media = JSON if JSON in contents else FORM if FORM in contents else None
    if media is None:
        return problems
    try:
        value = _decoded(body, media)
    except ValueError as error:
        return [*problems, f"the body is not {media}: {error}"]
    return problems + spec.problems(contents[media]["schema"], value)


def check_answer(method: str, path: str, status: int, body: Any) -> None:
    """Whether LINE publishes such an answer.

    :raises AssertionError: with everything that is wrong
    """
    found = _find(method, path.partition("?")[0])
    assert found is not None, f"{method} {path} is not published"
    spec, operation = found
    answer = operation["responses"].get(str(status))
    if answer is None:
        assert status >= 400, f"{method} {path} never answers {status}"
        return
    schema = answer.get("content", {}).get(JSON, {}).get("schema")
    if schema is not None:
        problems = spec.problems(schema, _decoded(body, JSON), strict=False)
        assert not problems, "\n".join(problems)


def check_webhook(payload: Mapping[str, Any]) -> None:
    """Whether LINE publishes such a webhook.

    :raises AssertionError: with everything that is wrong
    """
    schema = {"$ref": PREFIX + "CallbackRequest"}
    problems = _spec("webhook.yml").problems(schema, payload)
    assert not problems, "\n".join(problems)


def message_problems(message: Any) -> list[str]:
    """What the published schemas have against one message object."""
    return _spec("messaging-api.yml").problems({"$ref": PREFIX + "Message"}, message)


def properties_of(name: str) -> set[str]:
    """Every property a published schema knows, those of its parents included."""
    return _spec("messaging-api.yml").properties(name)


def variants_of(name: str) -> dict[str, str]:
    """The types of a published schema: type to schema name."""
    schema = _spec("messaging-api.yml").schemas[name]
    mapping = schema["discriminator"]["mapping"]
    return {kind: str(target).removeprefix(PREFIX) for kind, target in mapping.items()}


class Watcher:
    """Give it to ``Simulator(on_request=…)``; afterwards ``problems`` should be empty.

    ``accepted_only`` overlooks what the simulator refused itself, for tests that mean to be wrong.
    Without LINE's files it sees nothing.
    """

    def __init__(self, *, accepted_only: bool = False) -> None:
        self._blind = not os.environ.get("LINE_OPENAPI_DIR")
        self._accepted_only = accepted_only
        self.problems: list[str] = []
        self.seen = 0
        if not self._blind:
            _paths()  # now: while a command runs, the environment is that of its shop

    def __call__(self, request: Any, answer: Any) -> None:
        """Judge one request."""
        refused = answer is not None and answer.status >= 400
        if self._blind or (self._accepted_only and refused):
            return
        self.seen += 1
        path = request.path + (f"?{request.query}" if request.query else "")
        for problem in request_problems(request.method, path, request.body):
            self.problems.append(f"{request.method} {path}: {problem}")


def _decoded(body: Any, media: str) -> Any:
    if not isinstance(body, bytes):
        return body
    if media == FORM:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    return json.loads(body)


def _query_problems(operation: Mapping[str, Any], query: str) -> list[str]:
    given = dict(parse_qsl(query, keep_blank_values=True))
    known = {
        parameter["name"]: parameter.get("required", False)
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }
    missing = [name for name, required in known.items() if required and name not in given]
    unknown = [name for name in given if name not in known]
    return [f"query: {name} is missing" for name in missing] + [
        f"query: {name} is unknown" for name in unknown
    ]


@cache
def _paths() -> list[tuple[str, re.Pattern[str], "Spec", dict[str, Any]]]:
    found = []
    for name in FILES:
        if not (folder() / name).exists():
            continue
        spec = _spec(name)
        for template, operations in spec.document["paths"].items():
            pattern = re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template)))
            for method, operation in operations.items():
                found.append((method.upper(), pattern, spec, operation))
    # a literal path before one with a placeholder
    found.sort(key=lambda entry: entry[1].pattern.count("[^/]+"))
    return found


def _find(method: str, path: str) -> tuple["Spec", dict[str, Any]] | None:
    for verb, pattern, spec, operation in _paths():
        if verb == method.upper() and pattern.fullmatch(path):
            return spec, operation
    return None


@cache
def _spec(name: str) -> "Spec":
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return Spec(yaml.load((folder() / name).read_text("utf-8"), loader))  # noqa: S506 - it is safe


@dataclass(eq=False)
class Spec:
    """One OpenAPI 3.0 file, made fit for a JSON Schema validator.

    Every schema exists twice: ``X`` refuses unknown properties and picks the variant that ``type``
    names; ``X.open`` is what other schemas build on.
    """

    document: dict[str, Any]

    def __post_init__(self) -> None:
        self.schemas: dict[str, Any] = self.document["components"]["schemas"]
        self._strict = dict(self._definitions(strict=True))
        self._loose = dict(self._definitions(strict=False))

    def problems(self, schema: Any, value: Any, *, strict: bool = True) -> list[str]:
        """What is wrong with a value; ``strict`` refuses properties nobody published."""
        root = {**_translated(schema), "$defs": self._strict if strict else self._loose}
        return [
            f"{error.json_path}: {error.message[:200]}"
            for error in Draft202012Validator(root).iter_errors(value)
        ]

    def properties(self, name: str) -> set[str]:
        """Every property of a schema and of those it builds on."""
        return set(self._properties({"$ref": PREFIX + name}))

    def _properties(self, schema: Mapping[str, Any]) -> Iterator[str]:
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"].removeprefix(PREFIX)]
        yield from schema.get("properties", ())
        for part in schema.get("allOf", ()):
            yield from self._properties(part)

    def _definitions(self, *, strict: bool) -> Iterator[tuple[str, Any]]:
        for name, schema in self.schemas.items():
            yield f"{name}.open", _translated(schema)
            if schema.get("discriminator"):
                yield name, self._choice(name, schema["discriminator"])
            elif strict and _is_closed(schema):
                yield name, {"$ref": f"#/$defs/{name}.open", "unevaluatedProperties": False}
            else:
                yield name, {"$ref": f"#/$defs/{name}.open"}

    def _choice(self, name: str, discriminator: Mapping[str, Any]) -> dict[str, Any]:
        key, mapping = discriminator["propertyName"], discriminator["mapping"]
        choices = [
            {
                "if": {"properties": {key: {"const": value}}, "required": [key]},
                "then": {"$ref": target.replace(PREFIX, "#/$defs/")},
            }
            for value, target in mapping.items()
        ]
        known = {"properties": {key: {"enum": list(mapping)}}, "required": [key]}
        return {"allOf": [{"$ref": f"#/$defs/{name}.open"}, known, *choices]}


def _is_closed(schema: Mapping[str, Any]) -> bool:
    has_parts = bool(schema.get("properties")) or "allOf" in schema
    return has_parts and "additionalProperties" not in schema


def _translated(schema: Any, *, building: bool = False) -> Any:
    """OpenAPI 3.0 to JSON Schema; ``building``: inside ``allOf``, where parents must stay open."""
    if isinstance(schema, list):
        return [_translated(part, building=building) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = schema["$ref"].replace(PREFIX, "#/$defs/")
        return {"$ref": f"{target}.open" if building else target}
    made: dict[str, Any] = {}
    for name, value in schema.items():
        if name in ("discriminator", "externalDocs", "example", "description", "title", "format"):
            continue
        if name == "properties":
            made[name] = {key: _translated(part) for key, part in value.items()}
        elif name == "nullable":
            continue
        else:
            made[name] = _translated(value, building=name == "allOf")
    if schema.get("nullable") and "type" in made:
        made["type"] = [made["type"], "null"]
    return made
