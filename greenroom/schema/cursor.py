"""The stream cursor: ``v1.<epoch>.<seq>``, opaque to clients.

``epoch`` names one history of the database: it changes when a restore or a failover may have lost commits, so that a
cursor from another history is recognised instead of being compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

CURSOR_LENGTH_MAX: Final = 40
EPOCH_PATTERN: Final = r"[A-Za-z0-9]{1,16}"
_CURSOR: Final = re.compile(rf"^v1\.(?P<epoch>{EPOCH_PATTERN})\.(?P<seq>0|[1-9][0-9]{{0,17}})$")


class MalformedCursor(ValueError):
    """The text is not a cursor this server ever gave out."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one user's stream: everything up to and including ``seq`` has been seen (0: nothing yet)."""

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"v1.{self.epoch}.{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Read a cursor back.

        Raises:
            MalformedCursor: longer than 40 characters, another version, or not of the form above.
        """
        match = _CURSOR.match(text) if len(text) <= CURSOR_LENGTH_MAX else None
        if match is None:
            raise MalformedCursor("not a cursor of this server")
        return cls(epoch=match["epoch"], seq=int(match["seq"]))
