"""The Redis serialization protocol, version 2: bytes to replies, with a bound on each.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, Union

BULK_BYTES_MAX: Final = 1024 * 1024
"""A longer string is read over, not kept; ours have a sixteenth of it at most."""

LINE_BYTES_MAX: Final = 16 * 1024
ELEMENTS_MAX: Final = 100_000
DEPTH_MAX: Final = 8


class ProtocolBroken(Exception):
    """The other side does not speak the protocol; nothing after this can be read."""


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """A command was refused; ``text`` begins with a word in capitals."""

    text: str


@dataclass(frozen=True, slots=True)
class Oversized:
    """Stands for a string that was too long to keep."""

    bytes: int


Reply: TypeAlias = Union[bytes, int, ErrorReply, Oversized, list["Reply"], None]  # noqa: UP007 - it names itself


def encode(commands: Sequence[Sequence[bytes]]) -> bytes:
    """Write commands, one after the other."""
    parts: list[bytes] = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        for word in command:
            parts.append(b"$%d\r\n" % len(word))
            parts.append(word)
            parts.append(b"\r\n")
    return b"".join(parts)


@dataclass(slots=True)
class _Array:
    wanted: int
    elements: list[Reply]


class _Incomplete(Exception):
    """More bytes are needed."""


class Parser:
    """Takes bytes as they come and gives whole replies."""

    def __init__(self, *, bulk_bytes_max: int = BULK_BYTES_MAX) -> None:
        self._bulk_bytes_max = bulk_bytes_max
        self._buffer = bytearray()
        self._at = 0
        self._to_skip = 0
        self._skipped = Oversized(0)
        self._arrays: list[_Array] = []

    def feed(self, data: bytes) -> list[Reply]:
        """Take more bytes; return the replies they complete.

        Raises:
            ProtocolBroken: they are no replies.
        """
        self._buffer += data
        replies: list[Reply] = []
        try:
            while True:
                self._step(replies)
        except _Incomplete:
            del self._buffer[: self._at]
            self._at = 0
        return replies

    def _step(self, replies: list[Reply]) -> None:
        """Read one value, which may complete arrays that it is in."""
        if self._to_skip:
            self._skip()
            value: Reply = self._skipped
        else:
            line, after = self._line()
            kind, rest = line[:1], line[1:]
            match kind:
                case b"*":
                    self._at = after
                    wanted = _integer(rest)
                    if wanted > ELEMENTS_MAX or len(self._arrays) >= DEPTH_MAX:
                        raise ProtocolBroken("an array is too large")
                    if wanted > 0:
                        self._arrays.append(_Array(wanted, []))
                        return
                    value = [] if wanted == 0 else None
                case b"$":
                    value = self._bulk(_integer(rest), after)
                case b"+":
                    self._at, value = after, bytes(rest)
                case b":":
                    self._at, value = after, _integer(rest)
                case b"-":
                    self._at, value = after, ErrorReply(rest.decode("utf-8", "replace"))
                case _:
                    raise ProtocolBroken("an unknown kind of reply")
        while self._arrays:
            array = self._arrays[-1]
            array.elements.append(value)
            if len(array.elements) < array.wanted:
                return
            value = self._arrays.pop().elements
        replies.append(value)

    def _line(self) -> tuple[bytes, int]:
        end = self._buffer.find(b"\r\n", self._at, self._at + LINE_BYTES_MAX)
        if end < 0:
            if len(self._buffer) - self._at >= LINE_BYTES_MAX:
                raise ProtocolBroken("a line is too long")
            raise _Incomplete
        return bytes(self._buffer[self._at : end]), end + 2

    def _bulk(self, length: int, start: int) -> Reply:
        if length < 0:
            self._at = start
            return None
        if length > self._bulk_bytes_max:
            self._at = start
            self._to_skip, self._skipped = length + 2, Oversized(length)
            self._skip()
            return self._skipped
        end = start + length
        if len(self._buffer) < end + 2:
            raise _Incomplete
        if self._buffer[end : end + 2] != b"\r\n":
            raise ProtocolBroken("a string does not end where it should")
        self._at = end + 2
        return bytes(self._buffer[start:end])

    def _skip(self) -> None:
        available = min(self._to_skip, len(self._buffer) - self._at)
        self._at += available
        self._to_skip -= available
        if self._to_skip:
            raise _Incomplete


def _integer(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise ProtocolBroken("a number was expected") from None
