"""Why an incarnation ended.

The vocabulary is OTP's (`sup_princ`, `gen_server`), with the kernel's own bounds given names: a start, a stop or a
budget that ran out is a reason, so that an operator never has to guess it from a traceback.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class ExitKind(Enum):
    """The kinds of end."""

    NORMAL = "normal"  # the behaviour finished its work
    SHUTDOWN = "shutdown"  # it was told to stop, or a supervisor gave up
    ERROR = "error"  # an exception left the behaviour
    KILLED = "killed"  # its scope was cancelled without a kinder step first
    INIT_TIMEOUT = "init_timeout"  # init() took longer than the spec allows
    SHUTDOWN_TIMEOUT = "shutdown_timeout"  # told to stop, it did not in time
    BUDGET = "budget"  # it used more than the spec allows; `detail` names which budget
    NOPROC = "noproc"  # only in a Down: there was nobody to watch


@dataclass(frozen=True, slots=True)
class ExitReason:
    """Why an incarnation ended. Two reasons are equal when kind and detail are.

    ``detail`` is free for :meth:`shutdown` (OTP's ``{shutdown, Term}``), the name of the budget for
    :meth:`budget`, and the exception's text for :meth:`error`.
    """

    kind: ExitKind
    detail: object = None
    exception: BaseException | None = field(default=None, compare=False, repr=False)

    @classmethod
    def error(cls, exception: BaseException) -> ExitReason:
        """For an exception that left the behaviour; its text is the detail, itself is kept beside it."""
        return cls(ExitKind.ERROR, f"{type(exception).__name__}: {exception}", exception)

    @classmethod
    def shutdown(cls, detail: object) -> ExitReason:
        """An orderly end, with something to say about it."""
        return cls(ExitKind.SHUTDOWN, detail)

    @classmethod
    def budget(cls, name: str) -> ExitReason:
        """For more than the spec allows of what ``name`` names."""
        return cls(ExitKind.BUDGET, name)

    @property
    def is_clean(self) -> bool:
        """True for normal, shutdown and (shutdown, detail): the exits a transient child is not restarted after."""
        return self.kind in (ExitKind.NORMAL, ExitKind.SHUTDOWN)

    def __str__(self) -> str:
        return self.kind.value if self.detail is None else f"{self.kind.value}({self.detail})"


NORMAL = ExitReason(ExitKind.NORMAL)
SHUTDOWN = ExitReason(ExitKind.SHUTDOWN)
KILLED = ExitReason(ExitKind.KILLED)
INIT_TIMEOUT = ExitReason(ExitKind.INIT_TIMEOUT)
SHUTDOWN_TIMEOUT = ExitReason(ExitKind.SHUTDOWN_TIMEOUT)
NOPROC = ExitReason(ExitKind.NOPROC)
