"""The worker processes of a server with several: what its log tells of them."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import trio

POLL_S: Final = 0.01
END_TIMEOUT_S: Final = 5.0


class Workers:
    """Reads the log of a server as far as it has been written.

    Args:
        count: how many places for workers there are; with one there is no other process, and nothing to read.
    """

    def __init__(self, log: Path, *, count: int) -> None:
        self.count = count
        self._log = log
        self._offset = 0
        self._pids: dict[str, int] = {}
        self._ready_at: dict[str, float] = {}
        self._events: Counter[str] = Counter()

    @staticmethod
    def environment() -> Mapping[str, str]:
        """What has the server write down what is read here."""
        return {
            "GREENROOM_LOG_LEVEL": "info",
            "GREENROOM_LOG_FORMAT": "json",
            "GREENROOM_ACCESS_LOG_LEVEL": "error",
        }

    def serving(self) -> dict[str, int]:
        """Process ids by place."""
        self._read()
        return dict(self._pids)

    def are_all_ready(self) -> bool:
        return self.count == 1 or len(self.serving()) == self.count

    def told(self, event: str) -> int:
        """How often the log has told of something."""
        self._read()
        return self._events[event]

    def lived_s(self, place: str) -> float:
        """How long ago the worker of a place was first seen to serve."""
        return trio.current_time() - self._ready_at[place]

    async def wait_told(self, event: str, count: int, *, within_s: float) -> bool:
        """Wait until the log has told of something so often; False if it does not in time."""
        with trio.move_on_after(within_s) as patience:
            while self.told(event) < count:  # noqa: ASYNC110 - a file sets no event
                await trio.sleep(POLL_S)
        return not patience.cancelled_caught

    async def wait_replaced(self, place: str, pid: int, *, within_s: float) -> bool:
        """Wait until another process than ``pid`` serves at a place; False if none does in time."""
        with trio.move_on_after(within_s) as patience:
            while self.serving()[place] == pid:  # noqa: ASYNC110
                await trio.sleep(POLL_S)
        return not patience.cancelled_caught

    def _read(self) -> None:
        if self.count == 1:
            return
        with suppress(FileNotFoundError), self._log.open("rb") as log:
            log.seek(self._offset)
            for line in log:
                if not line.endswith(b"\n"):
                    break  # half a line, as yet
                self._offset += len(line)
                if line.startswith(b"{"):
                    self._take(json.loads(line))

    def _take(self, said: Mapping[str, object]) -> None:
        event = str(said.get("event"))
        self._events[event] += 1
        if event == "worker_ready":
            place = str(said["worker"])
            self._pids[place] = int(str(said["pid"]))
            self._ready_at[place] = trio.current_time()


async def wait_stopped(pid: int) -> None:
    """Wait until a process that was sent SIGSTOP does nothing any more."""
    with trio.move_on_after(END_TIMEOUT_S):
        while _state(pid) not in {"T", "Z", ""}:
            await trio.lowlevel.checkpoint()


async def end_at_once(pid: int) -> None:
    """SIGKILL a process and wait until the kernel has closed what it had open."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    await wait_ended(pid)


async def wait_ended(pid: int) -> None:
    """Wait until the kernel has closed what a process that was killed had open."""
    with trio.move_on_after(END_TIMEOUT_S):
        while not _has_ended(pid):
            await trio.lowlevel.checkpoint()


def _has_ended(pid: int) -> bool:
    """Its first thread may be a zombie while another still has everything open."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return _state(pid) in {"Z", ""} and len(os.listdir(f"/proc/{pid}/task")) <= 1
    return True


def _state(pid: int) -> str:
    """One letter, as in proc_pid_stat(5); empty once it is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""
