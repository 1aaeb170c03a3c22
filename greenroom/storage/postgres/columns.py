"""Columns of a set-based statement: one array per column, in Postgres' binary form.

psycopg sends a list as text, for which it looks at every element for what must be escaped. Where the elements are JSON,
full of quotes, that took two thirds of the time of a whole batch. In binary an array is its elements behind their
lengths, and nothing is escaped.

Source: PostgreSQL, ``array_recv`` in ``src/backend/utils/adt/arrayfuncs.c``, ``timestamptz_recv`` in ``timestamp.c``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from struct import Struct, pack
from typing import Final

from psycopg import AsyncConnection
from psycopg.adapt import Dumper
from psycopg.pq import Format

_TEXT_OID, _TEXT_ARRAY_OID = 25, 1009
_BIGINT_OID, _BIGINT_ARRAY_OID = 20, 1016
_TIMESTAMPTZ_OID, _TIMESTAMPTZ_ARRAY_OID = 1184, 1185

_HEADER: Final = Struct("!iIIii")
"""Dimensions, whether there are NULLs, the elements' type, how many, and the index of the first."""

_EMPTY_HEADER: Final = Struct("!iII")
_length: Final = Struct("!i").pack
_NULL: Final = _length(-1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Texts(bytes):
    """A ``text[]``."""


class Bigints(bytes):
    """A ``bigint[]``."""


class Moments(bytes):
    """A ``timestamptz[]``."""


def texts(values: Iterable[str | None]) -> Texts:
    """
    Raises:
        UnicodeEncodeError: a lone surrogate, which no text in Postgres can hold.
    """
    encoded = [None if value is None else value.encode() for value in values]
    parts = [part for data in encoded for part in ((_NULL,) if data is None else (_length(len(data)), data))]
    return Texts(_header(_TEXT_OID, len(encoded), has_nulls=None in encoded) + b"".join(parts))


def bigints(values: Iterable[int]) -> Bigints:
    numbers = list(values)
    return Bigints(_header(_BIGINT_OID, len(numbers), has_nulls=False) + _eight_bytes_each(numbers))


def moments(values: Iterable[datetime | None]) -> Moments:
    """The moments are aware."""
    given = list(values)
    # All rows of a batch tend to be of one moment.
    parts: dict[datetime | None, bytes] = {None: _NULL}
    for at in set(given):
        if at is not None:
            parts[at] = _eight_bytes_each([(at - _EPOCH) // _MICROSECOND])
    return Moments(
        _header(_TIMESTAMPTZ_OID, len(given), has_nulls=None in given) + b"".join([parts[at] for at in given])
    )


def register_columns(connection: AsyncConnection[tuple[object, ...]]) -> None:
    """Let the connection's statements take columns as parameters."""
    connection.adapters.register_dumper(Texts, _TextsDumper)
    connection.adapters.register_dumper(Bigints, _BigintsDumper)
    connection.adapters.register_dumper(Moments, _MomentsDumper)


def _header(element_oid: int, count: int, *, has_nulls: bool) -> bytes:
    if not count:
        return _EMPTY_HEADER.pack(0, 0, element_oid)
    return _HEADER.pack(1, has_nulls, element_oid, count, 1)


def _eight_bytes_each(numbers: list[int]) -> bytes:
    return pack("!" + "iq" * len(numbers), *chain.from_iterable(zip(repeat(8), numbers)))


class _ColumnDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        return obj


class _TextsDumper(_ColumnDumper):
    oid = _TEXT_ARRAY_OID


class _BigintsDumper(_ColumnDumper):
    oid = _BIGINT_ARRAY_OID


class _MomentsDumper(_ColumnDumper):
    oid = _TIMESTAMPTZ_ARRAY_OID
