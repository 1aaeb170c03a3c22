"""What can go wrong at the edge of an actor, by name.

``Refusal`` is for authors: an expected failure that is an answer. Everything else here is the kernel's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from greenroom.supervisor.exits import ExitReason


class Refusal(Exception):
    """Base of expected domain failures.

    A ``handle()`` that raises one answers with it: the asker sees exactly that exception and the actor goes on.
    Any other exception crashes the incarnation.
    """


class KernelError(Exception):
    """Base of what the kernel itself raises."""


class AskError(KernelError):
    """An ask that its target's behaviour did not answer. ``path`` is the target."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(f"{path}: {text}")
        self.path = path


class AskTimeout(AskError):
    """The deadline passed. Says where the time went: waiting in the mailbox, or in the handler.

    ``handler_s`` is None when no handler had started; ``target_state`` is the target's state at that moment.
    """

    def __init__(
        self, path: str, message_type: str, *, queue_s: float, handler_s: float | None, target_state: str
    ) -> None:
        where = "never handled" if handler_s is None else f"handled for {handler_s:.3f} s"
        super().__init__(
            path, f"no reply to {message_type} in time: queued {queue_s:.3f} s, {where}, target is {target_state}"
        )
        self.message_type = message_type
        self.queue_s = queue_s
        self.handler_s = handler_s
        self.target_state = target_state


class ActorDied(AskError):
    """The target's incarnation ended before it answered, or it is stopped. Raised at once, never after a timeout.

    The request may have been carried out in part: nothing is redelivered. After a crash the original exception is
    chained as the cause.
    """

    def __init__(self, path: str, reason: ExitReason) -> None:
        super().__init__(path, f"died before it answered: {reason}")
        self.reason = reason
        self.__cause__ = reason.exception


class Overloaded(AskError):
    """The target has no room: its mailbox is full, its supervisor holds all the children it may, or the system drains.

    ``retry_after_s`` is an estimate of when trying again makes sense. Nothing was done.
    """

    def __init__(self, path: str, retry_after_s: float, what: str = "mailbox is full") -> None:
        super().__init__(path, f"{what}, retry after {retry_after_s:.2f} s")
        self.retry_after_s = retry_after_s


class Draining(Overloaded):
    """The system is shutting down and takes nothing from outside any more; another process may."""

    def __init__(self, path: str, retry_after_s: float) -> None:
        super().__init__(path, retry_after_s, "the system drains")


class CallCycle(AskError):
    """The target already waits for the asker, so the answer could never come. ``chain`` shows the cycle."""

    def __init__(self, chain: Sequence[str]) -> None:
        super().__init__(chain[-1], "call cycle " + " -> ".join(chain))
        self.chain = tuple(chain)


class NoSuchActor(AskError):
    """Nothing answers to this path, and nothing can be activated for it."""

    def __init__(self, path: str, text: str = "no such actor") -> None:
        super().__init__(path, text)


class ActorRestarting(AskError):
    """The target is down and will not be back before the deadline, so waiting would be in vain. Nothing was done."""

    def __init__(self, path: str, retry_after_s: float) -> None:
        super().__init__(path, f"is restarting, retry after {retry_after_s:.2f} s")
        self.retry_after_s = retry_after_s


class BrokenInvariant(KernelError):
    """The kernel contradicts itself: a bug in it. Checked in production too, unlike an assertion."""


class MailboxFull(KernelError):
    """``send`` found no room before its deadline; the message was not enqueued. Also raised by a full stash."""

    def __init__(self, path: str, capacity: int) -> None:
        super().__init__(f"{path}: mailbox stayed full ({capacity} messages)")
        self.path = path


class BudgetExceeded(KernelError):
    """A behaviour asked for more tasks, timers, monitors or deferred replies than its spec allows."""

    def __init__(self, path: str, budget: str, limit: int) -> None:
        super().__init__(f"{path}: more than {limit} {budget}")
        self.path = path
        self.budget = budget
        self.limit = limit


class NotAnActor(KernelError):
    """The path leads to a supervisor, which this action does not apply to."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: is a supervisor, not an actor")
        self.path = path


class NotASupervisor(KernelError):
    """The path does not lead to a static supervisor, the only kind that children can be added to."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: is not a static supervisor")
        self.path = path


class ChildExists(KernelError):
    """A supervisor already has a child of this name."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: already exists")
        self.path = path


class StartFailed(KernelError):
    """A child failed while its supervisor booted, or a child started on demand did. The cause is chained."""

    def __init__(self, path: str, reason: ExitReason) -> None:
        super().__init__(f"{path}: failed to start: {reason}")
        self.path = path
        self.reason = reason
        self.__cause__ = reason.exception


class RootExited(KernelError):
    """The root supervisor gave up, so the system is gone. ``cause`` tells of the last escalation."""

    def __init__(self, path: str, reason: ExitReason, cause: str) -> None:
        super().__init__(f"{path}: root supervisor exited with {reason}" + (f" ({cause})" if cause else ""))
        self.path = path
        self.reason = reason
        self.cause = cause
