"""``python -m chaos.armed``: ``python -m greenroom``, with workers that have a fuse."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from itertools import count
from typing import Final

from chaos.armed.points import NTH
from greenroom import cli
from greenroom.workers import parent
from greenroom.workers.control import Control
from greenroom.workers.process import WorkerProcess

_numbers: Final = count()


class ArmedWorkerProcess(WorkerProcess):
    """Started as any worker is, but for the module that it runs and the number that it is given."""

    @classmethod
    def spawn(cls, listeners: Sequence[int]) -> WorkerProcess:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - a fixed command
                [sys.executable, "-m", "chaos.armed.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno(), *listeners],
                start_new_session=True,
                env=os.environ | {NTH: str(next(_numbers))},
            )
        return cls(process, Control(ours))


if __name__ == "__main__":
    parent.WorkerProcess = ArmedWorkerProcess  # type: ignore[attr-defined]
    cli.main()
