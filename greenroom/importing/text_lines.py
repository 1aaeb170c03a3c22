"""Lines of a file, one at a time, with their numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, TypeVar

from greenroom.importing.faults import BadLine, LineFault

LINE_BYTES_MAX: Final = 2_000_000
"""Of a line: an instructor with the most of everything takes a quarter of it, a region with a long shore most."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

T = TypeVar("T")


def read_lines(file: BinaryIO, read: Callable[[str, int], T]) -> Iterator[T | BadLine]:
    """Every line that is not blank, as ``read`` takes its text and number; a line that it or we can't read, as what is wrong with it.

    Args:
        read: raises BadLine.
    """
    for number, line in _numbered_lines(file):
        try:
            if isinstance(line, BadLine):
                raise line
            yield read(_decoded(line, number), number)
        except BadLine as exc:
            yield exc


def _numbered_lines(file: BinaryIO) -> Iterator[tuple[int, bytes | BadLine]]:
    """Every line that is not blank, without its end; one that is too long is skipped, and said to be."""
    number = 0
    while line := file.readline(LINE_BYTES_MAX + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if len(line) > LINE_BYTES_MAX:
            while line and not line.endswith(b"\n"):
                line = file.readline(LINE_BYTES_MAX)
            yield number, BadLine(LineFault(number, "", f"is longer than {LINE_BYTES_MAX:,} bytes"))
        elif line.strip():
            yield number, line.rstrip(b"\r\n")


def _decoded(line: bytes, number: int) -> str:
    """
    Raises:
        BadLine: it is not UTF-8.
    """
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise BadLine(LineFault(number, "", f"is not UTF-8 (byte {exc.start + 1})")) from None
