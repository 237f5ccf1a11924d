"""The description of the interface (OpenAPI 3.1), made from the routes and the types they take and give."""

import ast
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from http import HTTPStatus
from textwrap import dedent
from typing import Any

from pydantic import TypeAdapter

from web.live import Change, State
from web.problems import PROBLEM_TYPE, Problem
from web.routes import Route

VERSION = "1"
_REF = "#/components/schemas/{model}"
_ABOUT = (
    "The telephone side of a city's government hotline: agents, seats, the line, call-backs, talks. "
    "Times are milliseconds since the epoch (UTC), durations milliseconds. A list stands under `items`. "
    "Everything that is refused is a problem+json, which says why and what to do; "
    "an unknown path answers 404, an unknown method 405."
)


def described(routes: Sequence[Route], prefix: str) -> dict[str, Any]:
    """The whole description as plain data."""
    paths: dict[str, dict[str, Any]] = {}
    for entry in routes:
        paths.setdefault(entry.path, {})[entry.method.lower()] = _operation(entry)
    return {
        "openapi": "3.1.0",
        "info": {"title": "The open 12345", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": prefix}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": _content(PROBLEM_TYPE, _ref(Problem), "Why it is not done, and what to do.")},
        },
    }


def _schemas(routes: Sequence[Route]) -> dict[str, Any]:
    given = {entry.gives for entry in routes if _is_shown(entry)} | {State, Change, Problem}
    taken = {entry.body for entry in routes if entry.has_body}
    wanted: list[tuple[type, Any, TypeAdapter[Any]]] = [
        *((kind, "serialization", TypeAdapter(kind)) for kind in given),
        *((kind, "validation", TypeAdapter(kind)) for kind in taken),
    ]
    _, whole = TypeAdapter.json_schemas(wanted, ref_template=_REF)
    schemas: dict[str, Any] = dict(sorted(whole["$defs"].items()))
    for kind in {found for one in given for found in _with_parts(one)}:
        _complete(schemas[kind.__name__], kind)
    return schemas


def _is_shown(entry: Route) -> bool:
    return is_dataclass(entry.gives) and not entry.streams


def _with_parts(kind: type) -> Iterator[type]:
    """A dataclass and those in its fields."""
    yield kind
    for field in fields(kind):
        for part in _classes(field.type):
            yield from _with_parts(part)


def _classes(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type) and is_dataclass(annotation):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _classes(part)


def _complete(schema: dict[str, Any], kind: type) -> None:
    """What is shown has all its fields and no other, each with what the code says of it."""
    schema["additionalProperties"] = False
    if kind is not Problem:
        schema["required"] = list(schema["properties"])
    schema["description"] = " ".join((inspect.getdoc(kind) or "").split())
    if schema["description"].startswith(f"{kind.__name__}("):  # What dataclass writes where nothing is said.
        del schema["description"]
    for name, text in _field_docs(kind).items():
        schema["properties"][name]["description"] = text


def _field_docs(kind: type) -> dict[str, str]:
    """The text that follows each field of a dataclass."""
    body = ast.parse(dedent(inspect.getsource(kind))).body[0]
    if not isinstance(body, ast.ClassDef):
        raise TypeError(f"{kind} is no class in a file")
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _operation(entry: Route) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": entry.name,
        "summary": entry.summary.split(". ")[0].rstrip("."),
        "description": entry.summary,
        "tags": [entry.path.split("/")[1]],
        "x-roles": sorted(role.value for role in entry.roles),
        "responses": {
            str(entry.status): _success(entry),
            **{str(status): {"$ref": "#/components/responses/Problem"} for status in _refused(entry)},
        },
    }
    if entry.params.model_fields:
        told["parameters"] = list(_parameters(entry))
    if entry.has_body:
        needed = any(field.is_required() for field in entry.body.model_fields.values())
        told["requestBody"] = {"required": needed, "content": {"application/json": {"schema": _ref(entry.body)}}}
    return told


def _success(entry: Route) -> dict[str, Any]:
    if entry.gives is None:
        return {"description": "Done."}
    if entry.streams:
        schema: dict[str, Any] = {"type": "string"}
        told = "Events `state` and `change`; their data are `State` and `Change`."
        data = {"state": _ref(State), "change": _ref(Change)}
        return _content("text/event-stream", schema, told) | {"x-events": data}
    if entry.sounds:
        sound = {"type": "string", "contentMediaType": "audio/wav"}
        return _content("audio/wav", sound, "The audio, whole; a connection that breaks off says that it is not.")
    schema = _ref(entry.gives) if _is_shown(entry) else {"type": "object"}
    if entry.many:
        items = {"items": {"type": "array", "items": schema}}
        schema = {"type": "object", "properties": items, "required": ["items"], "additionalProperties": False}
    return _content("application/json", schema, "Done." if entry.method != "GET" else "What is there.")


def _refused(entry: Route) -> tuple[int, ...]:
    """The statuses with which this may be refused, beside success."""
    found = {401, 403, 408, 413, 415, 422, 429, 500, 503}
    if entry.in_path:
        found.add(HTTPStatus.NOT_FOUND)
    if entry.sounds:
        found.add(HTTPStatus.GONE)
    if entry.method != "GET":
        found |= {404, 409, 502, 504}
    return tuple(sorted(found))


def _parameters(entry: Route) -> Iterator[dict[str, Any]]:
    schema = entry.params.model_json_schema()
    for name, field in schema["properties"].items():
        told = {key: value for key, value in field.items() if key not in ("description", "title")}
        # What is left out cannot be null.
        choices = [choice for choice in told.pop("anyOf", ()) if choice != {"type": "null"}]
        told = choices[0] if choices else told
        parameter = {
            "name": name,
            "in": "path" if name in entry.in_path else "query",
            "required": name in schema.get("required", ()),
            "schema": told,
        }
        if "description" in field:
            parameter["description"] = field["description"]
        yield parameter


def _content(media: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {media: {"schema": schema}}}


def _ref(kind: type) -> dict[str, Any]:
    return {"$ref": _REF.format(model=kind.__name__)}
