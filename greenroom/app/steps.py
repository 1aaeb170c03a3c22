"""What is told to somebody who waits for a server to start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Protocol

import trio


class Steps(Protocol):
    """Told what is going on, for those who wait."""

    def step(self, what: str) -> AbstractContextManager[None]: ...

    async def watch(self) -> None: ...


@asynccontextmanager
async def watched(steps: Steps) -> AsyncIterator[None]:
    """Show the steps taken within the block."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(steps.watch)
        yield
        nursery.cancel_scope.cancel()
