"""What a server is run on and with, where a fault needs something special."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chaos.armed.points import Journal, Plan
from chaos.proxy import Proxy
from chaos.redis import Redis
from chaos.sieves import Loss


class NotHere(Exception):
    """This machine can't do what the fault needs; ``str(error)`` says what is missing. Nothing was run."""


@dataclass(frozen=True, slots=True)
class Arms:
    """What workers that are to end themselves are told, and what they leave behind."""

    plan: Plan
    journal: Journal


@dataclass(frozen=True, slots=True)
class Launch:
    """What is special about a scenario's server; by default nothing.

    Attributes:
        module: what Python runs.
        data: its data folder, if not one beside its log.
        environment: variables it gets besides what the harness sets itself.
        proxy: on the way to its database.
        redis: what carries news between its workers.
        loss: how much of that news is lost on the way.
        clock: the file that says by how much its wall clock is wrong.
        database: the folder of its database's socket, if that is not an embedded one of its own.
        arms: of its workers, if they have any.
    """

    module: str = "greenroom"
    data: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    proxy: Proxy | None = None
    redis: Redis | None = None
    loss: Loss | None = None
    clock: Path | None = None
    database: Path | None = None
    arms: Arms | None = None


Prepare = Callable[[Path], AbstractAsyncContextManager[Launch]]
"""Makes what a server is to run on, given an empty folder; entered before the server starts, left when it has ended.

May raise NotHere.
"""


@asynccontextmanager
async def prepare_nothing(folder: Path) -> AsyncIterator[Launch]:
    """The server as it comes."""
    yield Launch()
