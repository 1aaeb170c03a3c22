"""The OpenAPI 3.1 document, made from the operations that are served.

Source: https://spec.openapis.org/oas/v3.1.1.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

import greenroom
from greenroom.http.faults import HttpFault
from greenroom.http.idempotency import HEADER, REPLAYED
from greenroom.http.operations import ActorPath, Answer, Operation
from greenroom.http.problems import (
    CONNECTION_STATUSES,
    INTERNAL,
    MEDIA_TYPE,
    MODELS,
    Explanation,
    Kind,
    Problem,
    explain,
    explain_bare,
    kind_of,
)
from greenroom.http.signature import Access
from greenroom.schema.emoji import CODE_POINTS_MAX, Emoji
from greenroom.schema.ids import ULID_PATTERN

_REF: Final = "#/components/schemas/{model}"

Document = dict[str, Any]

_PATH_SCHEMAS: Final[Mapping[Any, Document]] = {
    ActorPath: {"type": "string"},
    Emoji: {"type": "string", "maxLength": CODE_POINTS_MAX, "description": "One emoji, percent-encoded."},
}
"""Of path parameters that are no ULIDs."""

ADMIN: Final = "/api/v1/admin/"
WORKERS: Final = f"{ADMIN}workers"

_WORKER: Final[Document] = {
    "name": "worker",
    "in": "query",
    "required": False,
    "schema": {"type": "string"},
    "description": "Where a server has several workers: the name of the one that is to answer, else whichever is asked first. "
    "The live stream also takes `all`.",
}
"""Taken by what stands before the workers' applications."""

_HEADERS: Final[Mapping[str, str]] = {
    "X-Request-Id": "Names this request in the server's log; a sane one that came with it is kept.",
    "Retry-After": "Seconds after which asking again makes sense; not with every problem of this status.",
    "RateLimit-Policy": 'The limit that was reached: `"sends";q=60;w=60` for 60 in 60 seconds.',
    "RateLimit": 'What is left of it, and in how many seconds there is more: `"sends";r=0;t=12`.',
    "WWW-Authenticate": "Which credentials are taken.",
    REPLAYED: "`true` on an answer that was given before, to the same request under the same key.",
}
"""Of answers."""

_HEADERS_BY_STATUS: Final[Mapping[int, tuple[str, ...]]] = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    429: ("Retry-After", "RateLimit-Policy", "RateLimit"),
    503: ("Retry-After",),
}

Schemas = Mapping[Any, Document]
"""JSON schemas by (model, mode)."""


def openapi_document(operations: Sequence[Operation], *, cookie: str) -> Document:
    """Describe every operation, with its parameters, bodies, answers and refusals."""
    schemas, components = models_json_schema(_models(operations), ref_template=_REF)
    paths: defaultdict[str, Document] = defaultdict(dict)
    for operation in operations:
        paths[operation.path][operation.method.lower()] = _describe(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "greenroom",
            "version": greenroom.__version__,
            "description": (greenroom.__doc__ or "").strip(),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": dict(paths),
        "components": {
            "schemas": components.get("$defs", {}),
            "headers": {
                name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in _HEADERS.items()
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "The access_token of a sign-in."},
                "cookie": {"type": "apiKey", "in": "cookie", "name": cookie},
                "ticket": {"type": "apiKey", "in": "query", "name": "ticket"},
                "operator": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def problem_kinds(operations: Iterable[Operation]) -> list[Kind]:
    """Every kind of problem the operations may answer with, by status and code."""
    kinds = {kind_of(refusal) for operation in operations for refusal in operation.refusals} | {INTERNAL}
    return sorted(kinds, key=lambda kind: (kind.status, kind.code))


def explanations(operations: Iterable[Operation]) -> list[Explanation]:
    """Explain every kind of problem that is ever sent, by status and code: those that operations name, with what is
    narrower than they name, and those that come before any operation.
    """
    named = {refusal for operation in operations for refusal in operation.refusals}
    narrower = {each for refusal in (*named, HttpFault) for each in _below(refusal)}
    explained = {bare.kind.code: bare for bare in map(explain_bare, CONNECTION_STATUSES)}
    # A class that inherits its code is the same problem for a client; the one that names the code explains it.
    for refusal in sorted({*named, *narrower, Exception}, key=lambda each: "code" in vars(each)):
        explanation = explain(refusal)
        explained[explanation.kind.code] = explanation
    return sorted(explained.values(), key=lambda each: (each.kind.status, each.kind.code))


def _below(base: type[BaseException]) -> set[type[BaseException]]:
    return {each for child in base.__subclasses__() for each in (child, *_below(child))}


def _models(operations: Sequence[Operation]) -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {
        (Problem, "serialization"): None,
        **{(model, "serialization"): None for model in MODELS.values()},
    }
    for operation in operations:
        for taken in (operation.signature.body, operation.signature.query):
            if taken is not None:
                models[taken, "validation"] = None
        for answer in operation.answers.values():
            if answer.model is not None:
                models[answer.model, "serialization"] = None
            for event in answer.events.values():
                models[event.model, "serialization"] = None
            for command in answer.commands.values():
                models[command.model, "validation"] = None
                if command.reply is not None:
                    models[command.reply, "serialization"] = None
    return list(models)


def _describe(operation: Operation, schemas: Schemas) -> Document:
    described: Document = {
        "operationId": operation.signature.name,
        "tags": [operation.tag],
        "summary": operation.signature.summary,
        "security": _security(operation),
        "responses": _responses(operation, schemas),
    }
    if operation.signature.description:
        described["description"] = operation.signature.description
    if parameters := _parameters(operation):
        described["parameters"] = parameters
    if operation.signature.body is not None:
        schema = schemas[operation.signature.body, "validation"]
        described["requestBody"] = {
            "required": not operation.signature.is_body_optional,
            "content": {"application/json": {"schema": schema}},
        }
    return described


def _security(operation: Operation) -> list[Document]:
    match operation.access:
        case Access.ANYBODY:
            return []
        case Access.USER:
            names = ["bearer", "cookie", *(["ticket"] if operation.takes_ticket else [])]
        case Access.OPERATOR | Access.SCRAPER:
            names = ["operator", "bearer", "cookie"]
    return [{name: []} for name in names]


def _parameters(operation: Operation) -> list[Document]:
    parameters: list[Document] = []
    for name, kind in operation.signature.path_parameters.items():
        schema = _PATH_SCHEMAS.get(kind, {"type": "string", "pattern": ULID_PATTERN})
        parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
    headers = dict(operation.headers)
    if operation.is_keyed:
        headers[HEADER] = (
            "Names this request; sent again under it within 24 hours, it is answered as the first time. "
            "1 to 64 letters, digits and . _ : -"
        )
    for name, meaning in headers.items():
        header = {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
        parameters.append({**header, "description": meaning})
    if operation.signature.query is not None:
        shape = operation.signature.query.model_json_schema(mode="validation", ref_template=_REF)
        for name, schema in shape["properties"].items():
            required = name in shape.get("required", ())
            parameter = {"name": name, "in": "query", "required": required, "schema": schema}
            if "description" in schema:
                parameter["description"] = schema.pop("description")
            if schema.get("type") == "array":
                # Each parameter is given once, its values parted by commas.
                parameter |= {"style": "form", "explode": False}
            parameters.append(parameter)
    if operation.path.startswith(ADMIN) and operation.path != WORKERS:
        parameters.append(_WORKER)
    if operation.takes_ticket:
        parameters.append(
            {
                "name": "Last-Event-ID",
                "in": "header",
                "required": False,
                "schema": {"type": "string"},
                "description": "The newest cursor: come back after it. It wins over both parameters.",
            }
        )
    return parameters


def _responses(operation: Operation, schemas: Schemas) -> Document:
    headers = _headers("X-Request-Id")
    replayed = _headers(REPLAYED) if operation.is_keyed else {}
    responses: Document = {}
    for status, answer in sorted(operation.answers.items()):
        responses[str(status)] = {"description": answer.description, "headers": headers | replayed}
        if answer.media_type is not None:
            schema = {"type": "string"} if answer.model is None else schemas[answer.model, "serialization"]
            responses[str(status)]["content"] = {answer.media_type: {"schema": schema}}
        responses[str(status)] |= _traffic(answer, schemas)
    by_status: defaultdict[int, list[Kind]] = defaultdict(list)
    for kind in problem_kinds([operation]):
        by_status[kind.status].append(kind)
    for status, kinds in by_status.items():
        model = MODELS.get(status, Problem)
        responses[str(status)] = {
            "description": "; ".join(f"`{kind.code}`: {kind.title}" for kind in kinds),
            "headers": headers | _headers(*_HEADERS_BY_STATUS.get(status, ())),
            "content": {MEDIA_TYPE: {"schema": schemas[model, "serialization"]}},
        }
    return responses


def _headers(*names: str) -> Document:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _traffic(answer: Answer, schemas: Schemas) -> Document:
    """What goes over an answer that does not end. OpenAPI 3.1 has no words for it, so the names are ours (4.9, "x-")."""
    traffic: Document = {}
    if answer.events:
        traffic["x-events"] = {
            name: {
                "nature": event.nature.value,
                "description": event.meaning,
                "data": schemas[event.model, "serialization"],
            }
            for name, event in answer.events.items()
        }
    if answer.commands:
        traffic["x-commands"] = {
            name: {
                "description": command.meaning,
                "command": schemas[command.model, "validation"],
                "reply": {"type": "null"} if command.reply is None else schemas[command.reply, "serialization"],
            }
            for name, command in answer.commands.items()
        }
    return traffic
