"""A check of values against the part of JSON Schema 2020-12 that the OpenAPI document uses.

Small on purpose, and strict: a keyword it does not know fails the test instead of being skipped.
"""

from __future__ import annotations

import re
from typing import Any

_IGNORED = {"title", "description", "default", "format", "$defs"}

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


_APPLIES_TO: dict[str, type] = {
    "pattern": str,
    "properties": dict,
    "required": dict,
    "additionalProperties": dict,
    "items": list,
}
"""Keywords that say nothing of values of another type."""


class Mismatch(AssertionError):
    """The value is not what the schema says."""


def check(value: Any, schema: dict[str, Any], document: dict[str, Any], at: str = "$") -> None:
    """Raise Mismatch unless ``value`` fits; references lead into ``document``."""
    for keyword, wanted in schema.items():
        if keyword in _APPLIES_TO and not isinstance(value, _APPLIES_TO[keyword]):
            continue
        match keyword:
            case "$ref":
                target: Any = document
                for step in wanted.removeprefix("#/").split("/"):
                    target = target[step]
                check(value, target, document, at)
            case "type":
                is_bool = isinstance(value, bool) and wanted != "boolean"
                _require(isinstance(value, _TYPES[wanted]) and not is_bool, at, f"{value!r} is no {wanted}")
            case "anyOf":
                _require(any(_fits(value, each, document) for each in wanted), at, f"{value!r} fits none of anyOf")
            case "enum":
                _require(value in wanted, at, f"{value!r} is none of {wanted}")
            case "const":
                _require(value == wanted, at, f"{value!r} is not {wanted!r}")
            case "pattern":
                _require(re.search(wanted, value) is not None, at, f"{value!r} does not match")
            case "properties":
                for name in wanted.keys() & value.keys():
                    check(value[name], wanted[name], document, f"{at}.{name}")
            case "required":
                _require(set(wanted) <= set(value), at, f"lacks {set(wanted) - set(value)}")
            case "additionalProperties":
                others = set(value) - set(schema.get("properties", ()))
                if wanted is False:
                    _require(not others, at, f"has {others} too")
                elif isinstance(wanted, dict):
                    for name in others:
                        check(value[name], wanted, document, f"{at}.{name}")
            case "items":
                for index, item in enumerate(value):
                    check(item, wanted, document, f"{at}[{index}]")
            case _ if keyword not in _IGNORED:
                raise NotImplementedError(keyword)


def _fits(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> bool:
    try:
        check(value, schema, document)
    except Mismatch:
        return False
    return True


def _require(holds: bool, at: str, otherwise: str) -> None:
    if not holds:
        raise Mismatch(f"{at}: {otherwise}")
