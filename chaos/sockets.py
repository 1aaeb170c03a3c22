"""What the kernel knows of the server's connections. Linux only."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

ESTABLISHED: Final = "01"


def unread_bytes(port: int) -> list[int]:
    """For every connection to ``port`` on IPv4: bytes written by the server that its peer has not taken.

    Source: proc_pid_net(5), "/proc/net/tcp".
    """
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, queues, *_ = line.split()
        if state == ESTABLISHED and int(local.rpartition(":")[2], 16) == port:
            found.append(int(queues.partition(":")[0], 16))
    return found


def held_by(pid: int, port: int) -> frozenset[int]:
    """The clients' ports of the connections to ``port`` that a process has accepted; none of a process that has ended."""
    inodes = _inodes(pid)
    return frozenset(peer for peer, inode in _accepted(port) if inode in inodes)


def holder(port: int, client_port: int, pids: Iterable[int]) -> int | None:
    """Which of some processes has accepted the connection of a client's port; None if it is still in the queue."""
    inodes = {inode for peer, inode in _accepted(port) if peer == client_port}
    return next((pid for pid in pids if inodes & _inodes(pid)), None)


def _accepted(port: int) -> list[tuple[int, str]]:
    """For every connection to ``port``: its client's port, and the inode of the server's socket."""
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, *rest = line.split()
        if int(local.rpartition(":")[2], 16) == port:
            found.append((int(remote.rpartition(":")[2], 16), rest[6]))
    return found


def _inodes(pid: int) -> set[str]:
    """Sockets that a process has open."""
    found = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with suppress(FileNotFoundError):
                kind, _, number = os.readlink(entry.path).partition(":")
                if kind == "socket":
                    found.add(number.strip("[]"))
    return found
