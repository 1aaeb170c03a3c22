"""What a supervisor's loop is yet to do: signals, handled one at a time, and commands, which somebody waits for.

Bounded by what can happen: a child has one end per incarnation and one delay at a time, a command has a task that waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable

from greenroom.supervisor.child import Child
from greenroom.supervisor.errors import ActorDied, ChildExists, StartFailed
from greenroom.supervisor.park_slot import ParkSlot
from greenroom.supervisor.reply_slot import ReplySlot
from greenroom.supervisor.timers import Timers

Signal = Callable[[], Awaitable[None]]


class SignalLane:
    """One supervisor's lane: what is put in wakes the loop that takes it out."""

    __slots__ = ("_answers", "_parking", "_signals")

    def __init__(self, parking: ParkSlot) -> None:
        self._parking = parking
        self._signals: deque[Signal] = deque()
        self._answers: dict[ReplySlot, None] = {}  # whose callers wait

    def put(self, signal: Signal) -> None:
        """Have the loop see to this, after what is in the lane already."""
        self._signals.append(signal)
        self._parking.wake()

    def take(self) -> Signal | None:
        """What is to be done next; None if nothing is."""
        return self._signals.popleft() if self._signals else None

    async def command(self, fn: Callable[[], Awaitable[Child]], timers: Timers) -> Child:
        """Have the loop call ``fn``, and wait for what it returns.

        Raises:
            ChildExists, StartFailed: what ``fn`` raised.
            ActorDied: the lane was cleared first.
        """
        answer = ReplySlot()

        async def execute() -> None:
            try:
                answer.send(await fn())
            except (ChildExists, StartFailed) as error:
                answer.fail(error)

        self._answers[answer] = None
        self.put(execute)
        try:
            await answer.wait(timers, float("inf"))
        finally:
            self._answers.pop(answer, None)
        child: Child = answer.result()
        return child

    def clear(self, error: Callable[[], ActorDied]) -> None:
        """Drop what is to be done, and fail whoever waits for some of it, each with an error of its own."""
        self._signals.clear()
        for answer in list(self._answers):
            answer.fail(error())
