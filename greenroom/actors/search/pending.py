"""A stage that runs beside others: it is waited for as long as the budget allows, and left behind after that.

It runs as a background task of the search's actor, not in a nursery of the pipeline: a cancelled command of a database
that doesn't answer takes another 100 ms to give up, and the answer must not wait for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

import trio

from greenroom.models.ports import ModelError
from greenroom.schema.errors import DomainError

T = TypeVar("T")


class StartTask(Protocol):
    """:meth:`greenroom.supervisor.Context.start_task`."""

    def __call__(
        self, fn: Callable[..., Awaitable[object]], /, *args: object, name: str | None = None
    ) -> None: ...


class TooLate(Exception):
    """The stage did not end by its deadline."""


class Pending(Generic[T]):
    """What :func:`begin` returns. Its task is cancelled at the deadline, or with its actor."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._over = trio.Event()
        self._scope = trio.CancelScope(deadline=deadline)
        self._value: list[T] = []
        self._error: Exception | None = None

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    async def result(self, *, by: float | None = None) -> T:
        """Wait for its outcome, until its deadline or until ``by``, whichever comes first.

        Raises:
            TooLate: it has none by then. The task goes on if it was ``by`` that came first.
            ModelError, DomainError: it failed in a way that is expected.
        """
        with trio.move_on_at(self._deadline if by is None else min(by, self._deadline)):
            await self._over.wait()
        if self._error is not None:
            raise self._error
        if not self._value:
            raise TooLate
        return self._value[0]

    def abandon(self) -> None:
        """Cancel it: nobody needs it any more. Doing it twice, or when it is over, is fine."""
        self._scope.cancel()

    async def _run(self, fn: Callable[[], Awaitable[T]]) -> None:
        try:
            with self._scope:
                self._value.append(await fn())
        except (ModelError, DomainError) as error:
            self._error = error
        finally:
            self._over.set()


def begin(start_task: StartTask, fn: Callable[[], Awaitable[T]], *, deadline: float, name: str) -> Pending[T]:
    """Begin ``fn`` beside whatever else runs. Only expected failures are kept for whoever waits; a bug crashes the actor."""
    pending: Pending[T] = Pending(deadline)
    start_task(pending._run, fn, name=name)
    return pending


async def together(*fns: Callable[[], Awaitable[None]]) -> None:
    """Run some at the same time; the first that fails in a way that is expected ends the others.

    Raises:
        ModelError, DomainError: as itself, in no group.
    """
    failures: list[Exception] = []

    async def run(fn: Callable[[], Awaitable[None]]) -> None:
        try:
            await fn()
        except (ModelError, DomainError) as error:
            failures.append(error)
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for fn in fns:
            nursery.start_soon(run, fn)
    if failures:
        raise failures[0]
