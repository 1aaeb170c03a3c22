"""What could not be delivered."""

from __future__ import annotations

from typing import Self

from greenroom.schema.wire import Moment, Wire
from greenroom.supervisor import ActorSystem, DeadLetter


class DeadLetterOut(Wire):
    at: Moment | None
    path: str
    message: str
    reason: str
    trace_id: str

    @classmethod
    def of(cls, letter: DeadLetter, system: ActorSystem) -> Self:
        return cls(
            at=system.wall_time(letter.at),
            path=letter.path,
            message=letter.message_type,
            reason=letter.reason.value,
            trace_id=letter.trace_id,
        )


class DeadLettersOut(Wire):
    """``items`` are the newest, newest first; ``counts`` are since the start, by reason."""

    total: int
    counts: dict[str, int]
    items: list[DeadLetterOut]
