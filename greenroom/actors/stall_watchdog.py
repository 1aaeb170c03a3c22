"""A thread that notices when the event loop is blocked, while it is, and says what blocks it.

A loop that is blocked can't report on itself. This is the one thread of the server's own: it only reads when the
loop's present turn began, and, when that is too long ago, which code the loop's thread is in.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from types import FrameType
from typing import Final

from greenroom.actors.loop_watch import LoopWatch

STALLS_MAX: Final = 20
FRAMES_MAX: Final = 40

LOOP_FRAME: Final = "unrolled_run"
"""Trio's own name of its loop. Should another release call it something else, stalls are reported without an owner."""


@dataclass(frozen=True, slots=True)
class Stall:
    """A turn of the loop that took too long.

    Attributes:
        at: when it was noticed, on the machine's own clock (``time.perf_counter``).
        for_ms: how long the turn had taken by then; it may have gone on.
        owner: the name of the task that ran, for actors their path; empty if it could not be told.
        stack: where the loop's thread was, outermost first, without values.
    """

    at: float
    for_ms: float
    owner: str
    stack: tuple[str, ...]


class StallWatchdog:
    """Keeps the last stalls and reports each once, from its own thread.

    Args:
        threshold_s: a turn that has taken this long is a stall.
        report: called in the watchdog's thread; must not raise.
    """

    def __init__(self, watch: LoopWatch, *, threshold_s: float, report: Callable[[Stall], None]) -> None:
        self.threshold_s = threshold_s
        self._watch = watch
        self._report = report
        self._stalls: deque[Stall] = deque(maxlen=STALLS_MAX)
        self._stop = threading.Event()

    @property
    def stalls(self) -> tuple[Stall, ...]:
        """The last ones, oldest first."""
        return tuple(self._stalls)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the calling thread's loop for the length of the block."""
        thread = threading.Thread(
            target=self._run, args=(threading.get_ident(),), name="stall watchdog", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(timeout=1.0)

    def _run(self, watched_thread: int) -> None:
        reported: float | None = None
        # A quarter of the threshold: a stall is noticed before it has lasted much longer than that.
        while not self._stop.wait(self.threshold_s / 4):
            began = self._watch.turn_began
            if began is None or began == reported:
                continue
            now = perf_counter()
            if now - began < self.threshold_s:
                continue
            reported = began
            stall = _look(sys._current_frames().get(watched_thread), now, now - began)
            self._stalls.append(stall)
            self._report(stall)


def _look(frame: FrameType | None, now: float, took_s: float) -> Stall:
    lines: list[str] = []
    if frame is not None:
        for entry in reversed(traceback.extract_stack(frame, limit=FRAMES_MAX)):
            if entry.name == LOOP_FRAME:
                break  # what is above is the same for every task
            lines.insert(0, f"{entry.filename}:{entry.lineno} in {entry.name}")
    return Stall(at=now, for_ms=1000 * took_s, owner=_owner(frame), stack=tuple(lines))


def _owner(frame: FrameType | None) -> str:
    """The name of the task that the loop's frame is stepping; trio.lowlevel.current_task works in its own thread only."""
    while frame is not None:
        if frame.f_code.co_name == LOOP_FRAME:
            return str(getattr(frame.f_locals.get("task"), "name", ""))
        frame = frame.f_back
    return ""
