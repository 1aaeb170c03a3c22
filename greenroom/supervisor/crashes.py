"""Exceptions on their way out of a task: which must go on, which are a crash, and what is kept of a crash."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

import trio

from greenroom.supervisor.errors import BudgetExceeded
from greenroom.supervisor.exits import ExitReason

FRAMES_MAX = 8  # innermost frames kept of a traceback; enough to find the line, bounded for a deep recursion


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a traceback, as plain values."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


def split_fatal(error: BaseException) -> tuple[BaseException | None, BaseException | None]:
    """Part an exception into what must leave the task and what is a crash of the behaviour.

    Cancellation belongs to whoever cancelled; KeyboardInterrupt, SystemExit and Trio's own internal error belong to
    the whole program. All of these go on, out of whatever group they are in. The rest is the crash, without groups
    around a single exception.
    """
    if isinstance(error, BaseExceptionGroup):
        fatal, crash = error.split(_is_fatal)
        return _unwrap(fatal), _unwrap(crash)
    return (error, None) if _is_fatal(error) else (None, error)


def reason_of(crash: BaseException) -> ExitReason:
    """The exit reason a crash stands for."""
    if isinstance(crash, BudgetExceeded):
        return ExitReason.budget(crash.budget)
    return ExitReason.error(crash)


def trimmed_frames(traceback: TracebackType | None) -> tuple[Frame, ...]:
    """The innermost frames, outermost first, as plain values: a kept traceback would keep every local alive."""
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(Frame(code.co_filename, traceback.tb_lineno, code.co_qualname))
        traceback = traceback.tb_next
    return tuple(frames[-FRAMES_MAX:])


def _is_fatal(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return False  # look inside
    return not isinstance(error, Exception) or isinstance(error, trio.TrioInternalError)


def _unwrap(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
