"""Rows of a CSV file (RFC 4180), by the names of its columns."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from greenroom.importing.faults import BadLine, FileUnusable, LineFault
from greenroom.importing.text_lines import LINE_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Row:
    """``cells`` that are not empty, trimmed, by column; ``line`` is where the row begins."""

    line: int
    cells: dict[str, str]


def rows(file: BinaryIO, *, columns: Collection[str], required: Collection[str]) -> Iterator[Row | BadLine]:
    """Read the rows below a header.

    Args:
        columns: those there may be, in any order; ``required`` those there must be.

    Raises:
        FileUnusable: the header is missing, or names a column that is none or is there twice; or a line is longer than
            LINE_BYTES_MAX.
    """
    reader = csv.reader(_lines(file), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
    except csv.Error as exc:
        raise FileUnusable(f"the header is no CSV: {exc}") from exc
    if header:
        header[0] = header[0].removeprefix("\ufeff".encode().decode("utf-8", "surrogateescape"))
    _check_header(header, columns, required)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader, None)
        except csv.Error as exc:
            yield BadLine(LineFault(line, "", f"is no CSV: {exc}"))
            continue
        if values is None:
            return
        if any(value.strip() for value in values):
            yield _row(header, values, line)


def _lines(file: BinaryIO) -> Iterator[str]:
    """What is no UTF-8 goes through as surrogates, so that the row can be told instead of the file given up."""
    number = 0
    while line := file.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > LINE_BYTES_MAX:
            raise FileUnusable(f"line {number} is longer than {LINE_BYTES_MAX:,} bytes")
        yield line.decode("utf-8", "surrogateescape")


def _check_header(header: list[str], columns: Collection[str], required: Collection[str]) -> None:
    if not header:
        raise FileUnusable("the file is empty: it needs a header that names its columns")
    if unknown := [name for name in header if name not in columns]:
        raise FileUnusable(f"the header names {unknown[0]!r}; columns are {', '.join(columns)}")
    if twice := [name for name in header if header.count(name) > 1]:
        raise FileUnusable(f"the header names {twice[0]} twice")
    if missing := [name for name in required if name not in header]:
        raise FileUnusable(f"the header lacks {', '.join(missing)}")


def _row(header: list[str], values: list[str], line: int) -> Row | BadLine:
    if len(values) > len(header):
        return BadLine(LineFault(line, "", f"has {len(values)} cells for {len(header)} columns"))
    cells = {name: value.strip() for name, value in zip(header, values, strict=False) if value.strip()}
    for name, value in cells.items():
        if any("\udc80" <= character <= "\udcff" for character in value):
            return BadLine(LineFault(line, name, "is not UTF-8"))
    return Row(line, cells)
