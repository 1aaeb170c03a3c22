"""Which operation a request is for: one walk along its path.

A path is looked up segment by segment in a tree of dictionaries: a literal first, else a placeholder, which takes one
segment that is not empty. A placeholder for what has slashes in it is tried last, and takes as much as is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from greenroom.http.operations import ActorPath, Operation

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_OPEN_ENDED: Final = r"([^/].*)"


_NONE: Final[frozenset[str]] = frozenset()


class Match(NamedTuple):
    """What a path leads to. (A tuple: one is made for each request.)

    Attributes:
        operation: None where the path is served, but not with this method.
        arguments: what stands in the path for each placeholder.
        methods: the path is served with.
    """

    operation: Operation | None
    arguments: dict[str, str]
    methods: frozenset[str]


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    placeholder: _Node | None = None
    place: _Place | None = None


@dataclass(slots=True)
class _Place:
    """Where a path ends: the names of its placeholders, and what is served there."""

    names: tuple[str, ...]
    operations: dict[str, Operation] = field(default_factory=dict)

    def add(self, operation: Operation) -> None:
        self.operations[operation.method] = operation
        # HEAD would open a stream that nobody reads and nothing ends.
        if operation.method == "GET" and not operation.opens_stream:
            self.operations["HEAD"] = operation


class Routes:
    """The table of all operations."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        self._served: set[tuple[str, str]] = set()
        self._open_ended: dict[str, tuple[re.Pattern[str], _Place]] = {}
        for operation in operations:
            self._place_of(operation).add(operation)
            self._served.add((operation.method, operation.path))
        # What says more of the path is tried before what says less.
        self._patterns = sorted(self._open_ended.values(), key=lambda entry: len(entry[0].pattern), reverse=True)

    def served(self) -> frozenset[tuple[str, str]]:
        """Every method and path, as they were declared."""
        return frozenset(self._served)

    def find(self, method: str, path: str) -> Match | None:
        """Find what serves ``path``; None if nothing does, whatever the method.

        Args:
            path: decoded.
        """
        methods: set[str] = set()
        for place, values in self._places(path):
            operation = place.operations.get(method)
            if operation is not None:
                return Match(operation, dict(zip(place.names, values, strict=True)), _NONE)
            methods.update(place.operations)
        return Match(None, {}, frozenset(methods)) if methods else None

    def _places(self, path: str) -> Iterator[tuple[_Place, Sequence[str]]]:
        """Every end that the path leads to, the most literal first."""
        yield from _walk(self._root, path.split("/"), 1, ())
        for pattern, place in self._patterns:
            match = pattern.fullmatch(path)
            if match is not None:
                yield place, match.groups()

    def _place_of(self, operation: Operation) -> _Place:
        names = tuple(_PLACEHOLDER.findall(operation.path))
        if any(operation.signature.path_parameters[name] is ActorPath for name in names):
            pattern = re.compile(_PLACEHOLDER.sub(_OPEN_ENDED, operation.path))
            return self._open_ended.setdefault(pattern.pattern, (pattern, _Place(names)))[1]
        node = self._root
        for segment in operation.path.split("/")[1:]:
            if _PLACEHOLDER.fullmatch(segment) is None:
                node = node.literals.setdefault(segment, _Node())
            else:
                node.placeholder = node.placeholder or _Node()
                node = node.placeholder
        node.place = node.place or _Place(names)
        return node.place


def _walk(
    node: _Node, segments: list[str], at: int, values: tuple[str, ...]
) -> Iterator[tuple[_Place, Sequence[str]]]:
    while at < len(segments):
        segment = segments[at]
        at += 1
        literal, placeholder = node.literals.get(segment), node.placeholder if segment else None
        if literal is None and placeholder is None:
            return
        if literal is None:
            node, values = placeholder, (*values, segment)  # type: ignore[assignment]
        elif placeholder is None:
            node = literal
        else:
            yield from _walk(literal, segments, at, values)
            node, values = placeholder, (*values, segment)
    if node.place is not None:
        yield node.place, values
