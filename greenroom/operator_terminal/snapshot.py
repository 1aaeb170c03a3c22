"""What was seen of one worker, or of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from greenroom.operator_terminal.view import View

Json = dict[str, Any]

RANKS: Final[Mapping[str, Callable[[Json], float]]] = MappingProxyType(
    {
        "depth": lambda actor: _mailbox(actor).get("depth", 0),
        "oldest": lambda actor: _mailbox(actor).get("oldest_ms", 0.0),
        "bytes": lambda actor: _mailbox(actor).get("bytes", 0),
        "busy": lambda actor: actor.get("busy_share", 0.0),
        "idle": lambda actor: actor.get("idle_ms", 0.0),
        "restarts": lambda actor: actor.get("restarts", 0),
        "handled": lambda actor: actor.get("handled", 0),
        "failed": lambda actor: actor.get("failed", 0),
    }
)
"""By which lists of several workers become one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one worker said: the tree or the ranked actors, the event loop, and how many letters are dead."""

    tree: Json
    ranked: list[Json] | None
    loop: Json
    dead_letters: int

    def facts(self) -> Json:
        shown: Json = {"tree": self.tree} if self.ranked is None else {"actors": self.ranked}
        return shown | {"loop": self.loop, "dead_letters": self.dead_letters}


@dataclass(frozen=True, slots=True)
class Worker:
    """One of several workers; of one that does not answer no more is known than its name."""

    name: str
    pid: int | None
    started_at: datetime | None
    seen: Seen | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was seen: of the one worker there is or was asked for, whose name is None, or of each."""

    workers: tuple[Worker, ...]
    alone: Seen | None = None

    @property
    def seen(self) -> list[Seen]:
        """Of each that answers."""
        found = [worker.seen for worker in self.workers if worker.seen is not None]
        return found if self.alone is None else [self.alone]

    def ranked(self, view: View) -> list[Json]:
        """The actors that stand out, of all workers; paths begin with the worker where there are several."""
        if self.alone is not None:
            return self.alone.ranked or []
        everybodys = [
            actor | {"path": f"{worker.name}:{actor['path']}"}
            for worker in self.workers
            if worker.seen is not None
            for actor in worker.seen.ranked or ()
        ]
        return sorted(everybodys, key=RANKS[view.sort or "depth"], reverse=True)[: view.limit]

    def as_json(self) -> str:
        if self.alone is not None:
            return json.dumps(self.alone.facts())
        return json.dumps({"workers": [self._facts(worker) for worker in self.workers]})

    @staticmethod
    def _facts(worker: Worker) -> Json:
        started_at = None if worker.started_at is None else worker.started_at.isoformat()
        about: Json = {"name": worker.name, "pid": worker.pid, "started_at": started_at}
        return about | {"answers": worker.seen is not None} | ({} if worker.seen is None else worker.seen.facts())


def _mailbox(actor: Json) -> Json:
    mailbox: Json = actor.get("mailbox") or {}
    return mailbox
