"""Noticing that clients left, with one task for all connections instead of one for each.

The kernel tells an epoll of its own when a peer closes its side (EPOLLRDHUP, epoll_ctl(2)); that epoll is a file
descriptor like any other, so Trio can wait for it. A connection needs no task that reads while an answer is being made.
"""

from __future__ import annotations

import select
from collections.abc import Callable

import trio


class HangUps:
    """Calls back, once, when the peer of a watched socket has closed its side or the connection broke."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._told: dict[int, Callable[[], None]] = {}

    def watch(self, fd: int, tell: Callable[[], None]) -> None:
        """Call ``tell`` when the peer is gone, which may already be so. ``tell`` must neither raise nor wait."""
        # Edge-triggered: it is told once, and a connection that lingers wakes nobody again and again.
        self._epoll.register(fd, select.EPOLLRDHUP | select.EPOLLET)
        self._told[fd] = tell

    def forget(self, fd: int) -> None:
        """Stop watching; call it before the descriptor is closed, because numbers are used again."""
        if self._told.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            await trio.lowlevel.wait_readable(self._epoll.fileno())
            for fd, _ in self._epoll.poll(0):
                tell = self._told.get(fd)
                if tell is not None:
                    tell()

    def close(self) -> None:
        self._epoll.close()
