"""Identifiers: ULIDs in their canonical 26-character form.

A ULID names a thing and is unique; it never orders anything. Order is kept by ``seq``.
Source: https://github.com/ulid/spec
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Final, NewType, Protocol

UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)
ServiceId = NewType("ServiceId", str)
BookingId = NewType("BookingId", str)
EventId = NewType("EventId", str)
JobId = NewType("JobId", str)

# Crockford's alphabet without I, L, O, U; a first character above 7 would overflow 128 bits.
ULID_PATTERN: Final = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$"
_ULID: Final = re.compile(ULID_PATTERN)


# Crockford's digits two by two: as many as ten bits have values.
_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = tuple(high + low for high in _DIGITS for low in _DIGITS)


def _base32(number: int, *, pairs: int) -> str:
    """The lowest ``10 * pairs`` bits of ``number`` as twice as many digits."""
    return "".join([_PAIRS[number >> 10 * place & 1023] for place in range(pairs - 1, -1, -1)])


def is_ulid(text: str) -> bool:
    """Say whether ``text`` is a canonical (upper-case, 26 characters) ULID."""
    return _ULID.match(text) is not None


class Ids(Protocol):
    """Port: where new identifiers and secrets come from, so that a simulation can draw them from its seed."""

    def ulid(self) -> str:
        """Return a fresh ULID stamped with the current wall time."""
        ...

    def secret(self) -> str:
        """Return 256 bits of randomness, hex-encoded (64 characters), fit to be a bearer token."""
        ...


class RandomIds:
    """Ids drawn from a random source and a wall clock.

    Production passes ``secrets.SystemRandom()``; a simulation passes a seeded ``random.Random``.
    """

    def __init__(self, random: Random, now: Callable[[], datetime]) -> None:
        self._random = random
        self._now = now

    def ulid(self) -> str:
        milliseconds = int(self._now().timestamp() * 1000)
        return _base32(milliseconds, pairs=5) + _base32(self._random.getrandbits(80), pairs=8)

    def secret(self) -> str:
        return f"{self._random.getrandbits(256):064x}"
