"""JSON schemas in words and rows of a table: what a field holds, and within which bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from greenroom.schema.fields import SEQ_MAX
from greenroom.schema.ids import ULID_PATTERN

Schema = Mapping[str, Any]

DEPTH_MAX: Final = 4
"""Levels of a body that are spelt out; ours nest two deep."""

_NULL: Final = {"type": "null"}


@dataclass(frozen=True, slots=True)
class Field:
    """A row about a field or parameter; ``type`` and ``bounds`` are HTML.

    Attributes:
        name: with the names around it, as in ``message.content``.
    """

    name: str
    type: str
    is_required: bool
    bounds: str
    description: str


class SchemaWords:
    """Reads schemas that may refer to ``components`` of the same document."""

    def __init__(self, components: Mapping[str, Schema]) -> None:
        self._components = components

    def fields(self, schema: Schema, *, within: str = "", depth: int = DEPTH_MAX) -> Iterator[Field]:
        """Iterate over the fields of an object, with those of the objects inside it."""
        shape = self._resolve(schema)
        for name, member in shape.get("properties", {}).items():
            path = f"{within}{name}"
            yield self.field(path, member, is_required=name in shape.get("required", ()))
            inner = self._resolve(_without_null(member)[0])
            if "properties" in inner and depth > 1:
                yield from self.fields(inner, within=f"{path}.", depth=depth - 1)

    def members(self, schema: Schema) -> Iterator[Field]:
        """Iterate over the fields of an object, those of objects inside it left to their own tables."""
        yield from self.fields(schema, depth=1)

    def field(self, name: str, schema: Schema, *, is_required: bool) -> Field:
        return Field(name, self.type(schema), is_required, self.bounds(schema), schema.get("description", ""))

    def type(self, schema: Schema) -> str:
        """Say what a value may be: its type, the shape it has, or the values there are."""
        inner, is_nullable = _without_null(schema)
        words = self._type(inner)
        return f"{words} or null" if is_nullable else words

    def bounds(self, schema: Schema) -> str:
        """Say within which bounds a value has to be, and what it is when it is left out."""
        inner, _ = _without_null(schema)
        return "; ".join((*_bounds(self._resolve(inner)), *_default(schema)))

    def description(self, schema: Schema) -> str:
        return str(self._resolve(schema).get("description", ""))

    def _type(self, schema: Schema) -> str:
        match schema:
            case {"$ref": str(reference)}:
                target = self._resolve(schema)
                return self._type(target) if "enum" in target else _link(reference) if target else "any JSON"
            case {"enum": list(values)}:
                return " or ".join(f"<code>{escape(str(value))}</code>" for value in values)
            case {"const": value}:
                return f"<code>{escape(str(value))}</code>"
            case {"anyOf": list(choices)}:
                return " or ".join(dict.fromkeys(map(self._type, choices)))
            case {"type": "array", "items": items}:
                return f"list of {self._type(items)}"
            case {"type": "object", "additionalProperties": Mapping() as values}:
                return f"object of {self._type(values)}"
            case {"type": str(name)}:
                return escape(name)
        return "any JSON"

    def _resolve(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self._components[schema["$ref"].rpartition("/")[2]]
        return schema


def _link(reference: str) -> str:
    name = escape(reference.rpartition("/")[2])
    return f'<a href="#shape-{name}">{name}</a>'


def _without_null(schema: Schema) -> tuple[Schema, bool]:
    """What a value may be besides null, and whether it may be null."""
    choices = schema.get("anyOf", [schema])
    left = [choice for choice in choices if choice != _NULL]
    if len(left) == len(choices):
        return schema, False
    return (left[0] if len(left) == 1 else {"anyOf": left}), True


def _bounds(schema: Schema) -> Iterator[str]:
    yield from _range(schema.get("minLength"), schema.get("maxLength"), "characters")
    yield from _range(schema.get("minItems"), schema.get("maxItems"), "items")
    yield from _range(schema.get("minimum"), schema.get("maximum"), "")
    if "exclusiveMinimum" in schema:
        yield f"more than {_number(schema['exclusiveMinimum'])}"
    match schema:
        case {"pattern": pattern} if pattern == ULID_PATTERN:
            yield "a ULID"
        case {"pattern": str(pattern)}:
            yield f"<code>{escape(pattern)}</code>"
        case {"format": "email"}:
            yield "an e-mail address"
        case {"format": "password"}:
            pass
        case {"format": str(name)}:
            yield escape(name)


def _range(low: float | None, high: float | None, unit: str) -> Iterator[str]:
    match low, high:
        case None, None:
            return
        case None, top:
            words = f"at most {_number(top)}"
        case bottom, None:
            words = f"at least {_number(bottom)}"
        case bottom, top:
            words = f"{_number(bottom)} to {_number(top)}"
    yield f"{words} {unit}".strip()


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if value == SEQ_MAX:
        return "2<sup>53</sup> &minus; 1"
    return f"{int(value):,}" if value == int(value) else str(value)


def _default(schema: Schema) -> Iterator[str]:
    default = schema.get("default")
    if default is not None and default not in ("", []):
        yield f"<code>{escape(str(default).lower() if isinstance(default, bool) else str(default))}</code> if left out"
