"""Where on a message's way a worker ends, what it was told beforehand, and what it says at its end."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Final

FOLDER: Final = "CHAOS_ARMED"
"""The environment variable that names the folder of the plan and the journal."""

NTH: Final = "CHAOS_ARMED_NTH"
"""The variable that tells a worker how many were started before it."""

PASSES: Final = (60, 600)
"""How often a point is passed before the worker ends there: some seconds at some dozens of messages a second each, so that a
worker is mostly well, and old enough to hold streams."""


class Point(StrEnum):
    """A moment between receiving a message and having told the other workers of it, in order."""

    RECEIVED = "received"
    """By the conversation's actor."""
    DRAFTED = "drafted"
    """All rows are locked and the batch is decided; nothing of it was written."""
    WRITTEN = "written"
    """Postgres has carried out every statement of the batch but COMMIT."""
    COMMIT_SENT = "COMMIT sent"
    """Its outcome is unknown for ever to the worker."""
    COMMITTED = "committed"
    """Durable, and no sender has been told."""
    ANSWERED = "answered"
    """The answers are in the hands of the tasks that write them; none is on the wire."""
    ACKNOWLEDGED = "acknowledged"
    """The answers are on the wire, and nothing was published."""
    PUBLISHED = "published"
    """The bus has taken what the other workers are to know."""


@dataclass(frozen=True, slots=True)
class Charge:
    """Where one worker ends: when it passes ``point`` for the ``passes``-th time."""

    point: Point
    passes: int


@dataclass(frozen=True, slots=True)
class Blast:
    """What a worker wrote down right before it ended.

    Attributes:
        at: seconds of the system's monotonic clock, as :func:`time.perf_counter` counts them on Linux.
        cut: the clients' ports of the connections that it held.
    """

    pid: int
    point: Point
    passes: int
    at: float
    cut: tuple[int, ...]


def charge(seed: int, nth: int) -> Charge:
    """Draw the end of the ``nth`` worker of a run. Of as many workers in a row as there are points, each ends at another."""
    deck = list(Point)
    Random(f"{seed} deck {nth // len(deck)}").shuffle(deck)  # noqa: S311 - for replay, not for secrets
    passes = Random(f"{seed} passes {nth}").randint(*PASSES)  # noqa: S311
    return Charge(deck[nth % len(deck)], passes)


class Plan:
    """The seed of a run, in a file. While it is there workers are armed; without it they pass every point."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "plan"

    def arm(self, seed: int) -> None:
        """Have every worker draw its end, now or as soon as it passes a point."""
        written = self._path.with_suffix(".new")
        written.write_text(str(seed))
        written.replace(self._path)

    def disarm(self) -> None:
        self._path.unlink(missing_ok=True)

    def seed(self) -> int | None:
        """None while nobody is armed."""
        try:
            return int(self._path.read_text())
        except FileNotFoundError:
            return None


class Journal:
    """What workers wrote down at their end, in a file that all of them append to."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal"
        self._offset = 0

    def write(self, blast: Blast) -> None:
        """Append it by a single write, which the kernel does not mix with another's."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, json.dumps(asdict(blast)).encode() + b"\n")
        os.close(descriptor)

    def news(self) -> Sequence[Blast]:
        """What was written since this was last asked."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [_blast(line) for line in whole.splitlines()]


def _blast(line: bytes) -> Blast:
    said = json.loads(line)
    return Blast(said["pid"], Point(said["point"]), said["passes"], said["at"], tuple(said["cut"]))
