"""Features of a GeoJSON file (RFC 7946), one at a time, without ever holding the whole file.

The text is looked at bracket by bracket, to find where a feature ends; only then is it read as JSON. So one that can't be read
does not take those after it along.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from greenroom.importing.faults import BadLine, FileUnusable, LineFault
from greenroom.importing.text_lines import read_lines

FEATURE_CHARACTERS_MAX: Final = 8_000_000
"""Of one feature: a coast of some hundred thousand corners."""

_READ_BYTES: Final = 65_536

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*("?)|[\[\]{}]', re.DOTALL)
"""A text, whose end is the group (missing where the buffer ends within it), or a bracket."""

_FEATURES: Final = re.compile(r"\s*:\s*\[")


@dataclass(frozen=True, slots=True)
class Feature:
    """``line`` is where it begins."""

    line: int
    members: dict[str, Any]


def features_of_lines(file: BinaryIO) -> Iterator[Feature | BadLine]:
    """Read a feature per line."""
    return read_lines(file, _feature)


def features_of_collection(file: BinaryIO) -> Iterator[Feature | BadLine]:
    """Read the features of a FeatureCollection.

    Raises:
        FileUnusable: it is none, is not UTF-8, ends before its end, or holds a feature longer than FEATURE_CHARACTERS_MAX.
    """
    text = _Window(file)
    _skip_to_features(text)
    while True:
        begin = text.next_bracket()
        if begin == "]":
            return
        if begin != "{":
            raise FileUnusable(f"line {text.line}: features must be objects")
        line = text.line
        try:
            yield _feature(text.rest_of_object(), line)
        except BadLine as exc:
            yield exc


def _feature(text: str, line: int) -> Feature:
    """
    Raises:
        BadLine: it is no feature.
    """
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        raise BadLine(LineFault(line, "", "is not valid JSON")) from None
    if not isinstance(members, dict) or members.get("type") != "Feature":
        raise BadLine(LineFault(line, "type", "must be Feature"))
    return Feature(line, members)


def _skip_to_features(text: _Window) -> None:
    """Go on to behind the bracket that opens ``features``."""
    if text.next_bracket() != "{":
        raise FileUnusable("a GeoJSON file begins with an object")
    depth = 1
    while depth:
        mark = text.next_mark()
        if mark in {"{", "["}:
            depth += 1
        elif mark in {"}", "]"}:
            depth -= 1
        elif depth == 1 and mark == '"features"' and text.skip(_FEATURES):
            return
    raise FileUnusable("the file has no features: it must be a GeoJSON FeatureCollection")


class _Window:
    """The part of the file that is being looked at."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self.line = 1
        """Where the last mark begins."""

    def next_mark(self) -> str:
        """The next text or bracket."""
        while True:
            match = _TOKEN.search(self._text, self._at)
            if match is not None and match.group(1) != "":
                self._forget(match.start())
                mark = match.group()
                self._at = len(mark)
                return mark
            if match is None:
                self._forget(len(self._text))
            self._read()

    def next_bracket(self) -> str:
        mark = self.next_mark()
        if mark.startswith('"'):
            raise FileUnusable(f"line {self.line}: a text stands where an object is expected")
        return mark

    def skip(self, pattern: re.Pattern[str]) -> bool:
        """Go on behind ``pattern`` if it comes next."""
        while (match := pattern.match(self._text, self._at)) is None:
            if self._text[self._at :].strip() not in {"", ":"}:
                return False
            self._read()
        self._at = match.end()
        return True

    def rest_of_object(self) -> str:
        """The object whose opening bracket was the last mark, to its end."""
        depth, at = 1, self._at
        while True:
            for match in _TOKEN.finditer(self._text, at):
                if match.group(1) == "":
                    at = match.start()
                    break
                at = match.end()
                mark = match.group()
                depth += (mark in "{[") - (mark in "}]") if len(mark) == 1 else 0
                if depth == 0:
                    whole = self._text[:at]
                    self._at = at
                    return whole
            self._read()

    def _forget(self, until: int) -> None:
        self.line += self._text.count("\n", 0, until)
        self._text = self._text[until:]
        self._at = 0

    def _read(self) -> None:
        if len(self._text) > FEATURE_CHARACTERS_MAX:
            raise FileUnusable(
                f"line {self.line}: what begins here is longer than {FEATURE_CHARACTERS_MAX:,} characters"
            )
        chunk = self._file.read(_READ_BYTES)
        try:
            more = self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError:
            raise FileUnusable(f"after line {self.line}: the file is not UTF-8") from None
        if not chunk:
            raise FileUnusable(f"after line {self.line}: the file ends too early")
        self._text += more
