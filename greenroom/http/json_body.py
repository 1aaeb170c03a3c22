"""Reading a JSON body: UTF-8, one meaning only, text that UTF-8 can hold, bounded in depth."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn, TypeVar

from pydantic import ValidationError

from greenroom.http.faults import MalformedBody, UnsupportedMediaType
from greenroom.http.problems import invalid_input
from greenroom.schema.errors import FieldError, InvalidInput
from greenroom.schema.request_models import Body

DEPTH_MAX: Final = 20
"""Ours nest two deep; this is what a parser may be asked to carry."""

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_JSON: Final = re.compile(r"application/json\s*(;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.IGNORECASE)

_ESCAPED_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half of a character above U+FFFF; most bodies hold none, and need no second look."""

B = TypeVar("B", bound=Body)


def parse_body(payload: bytes, content_type: str | None, model: type[B]) -> B:
    """Read and check a body.

    Raises:
        UnsupportedMediaType: it is not declared as JSON (in UTF-8).
        MalformedBody: it is not JSON, or not unambiguously.
        InvalidInput: it is JSON that ``model`` does not accept.
    """
    # What nearly everybody sends needs no pattern.
    if content_type != "application/json" and (
        content_type is None or _JSON.fullmatch(content_type.strip()) is None
    ):
        raise UnsupportedMediaType("Send application/json.")
    check_json(payload)
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        if any(fault["type"] == "json_invalid" for fault in error.errors(include_url=False)):
            raise MalformedBody("The body is not valid JSON.") from None
        raise invalid_input("body", error) from None


def check_json(payload: bytes) -> None:
    """Refuse what two JSON readers could understand differently, and what one could choke on.

    Raises:
        MalformedBody: not UTF-8, not JSON (NaN and Infinity are not), nested deeper than DEPTH_MAX, or an object
            with the same name twice (RFC 8259, 4: what that means is up to the reader).
        InvalidInput: a text holds a lone surrogate, which no UTF-8 can (RFC 8259, 8.2); the place is named.
    """
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedBody("The body is not UTF-8.") from None
    if _depth(text) > DEPTH_MAX:
        raise MalformedBody(f"The body is nested deeper than {DEPTH_MAX} levels.")
    try:
        value = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant)
    except ValueError:
        raise MalformedBody("The body is not valid JSON.") from None
    if _ESCAPED_SURROGATE.search(payload) is not None:
        _check_text(value, ("body",))


def _check_text(value: Any, loc: tuple[str | int, ...]) -> None:
    match value:
        case str() if not _is_text(value):
            raise InvalidInput(FieldError(loc, "must not contain lone surrogates"))
        case dict():
            for name, member in value.items():
                if not _is_text(name):  # nor could the answer name it
                    raise InvalidInput(FieldError(loc, "has a field whose name contains a lone surrogate"))
                _check_text(member, (*loc, name))
        case list():
            for place, item in enumerate(value):
                _check_text(item, (*loc, place))


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _depth(text: str) -> int:
    if text.count("[") + text.count("{") <= DEPTH_MAX:
        return 0  # it can't be deeper than it has brackets
    depth = deepest = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedBody("An object in the body has the same name twice.")
    return members


def _no_constant(name: str) -> NoReturn:
    raise MalformedBody(f"{name} is not JSON.")
