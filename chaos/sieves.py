"""Losing whole messages out of a stream of bytes: those that tell one worker what another one did.

Everything else on the connection, answers to commands among it, arrives. What is lost is lost without a word, as pub/sub may.
"""

from __future__ import annotations

from random import Random
from typing import Final

REDIS_MESSAGE: Final = b"*3\r\n$7\r\nmessage\r\n"
POSTGRES_NOTIFICATION: Final = ord("A")


class Loss:
    """How much is lost.

    Args:
        random: picks the messages.
        share: of all messages, 0 to 1; may be changed at any time, as may ``random``.

    Attributes:
        carried: messages that arrived.
        lost: messages that did not.
    """

    def __init__(self, random: Random, share: float = 0.0) -> None:
        self.random = random
        self.share = share
        self.carried = 0
        self.lost = 0

    def strikes(self) -> bool:
        """Decide on one message."""
        is_lost = self.random.random() < self.share
        self.lost += is_lost
        self.carried += not is_lost
        return is_lost


class RedisSieve:
    """For what a Redis sends on one connection. Source: "Redis serialization protocol specification", version 2."""

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._rest = b""

    def __call__(self, piece: bytes) -> bytes:
        data = self._rest + piece
        kept, at = [], 0
        while (end := _reply_end(data, at)) is not None:
            if not data.startswith(REDIS_MESSAGE, at) or not self._loss.strikes():
                kept.append(data[at:end])
            at = end
        self._rest = data[at:]
        return b"".join(kept)


class PostgresSieve:
    """For what a Postgres sends on one connection without encryption.

    Source: PostgreSQL manual, "Message Formats": a byte for the type, and the length of what follows it, in four.
    """

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        self._rest = b""

    def __call__(self, piece: bytes) -> bytes:
        data = self._rest + piece
        kept, at = [], 0
        while len(data) >= at + 5 and len(data) >= (end := at + 1 + int.from_bytes(data[at + 1 : at + 5], "big")):
            if data[at] != POSTGRES_NOTIFICATION or not self._loss.strikes():
                kept.append(data[at:end])
            at = end
        self._rest = data[at:]
        return b"".join(kept)


def _reply_end(data: bytes, at: int) -> int | None:
    """Where the reply that begins at ``at`` ends; None if not all of it is there."""
    line_end = data.find(b"\r\n", at)
    if line_end < 0:
        return None
    end = line_end + 2
    match data[at : at + 1]:
        case b"$":
            length = int(data[at + 1 : line_end])
            end = end if length < 0 else end + length + 2
            return end if end <= len(data) else None
        case b"*":
            for _ in range(max(0, int(data[at + 1 : line_end]))):
                inner = _reply_end(data, end)
                if inner is None:
                    return None
                end = inner
            return end
        case _:
            return end
