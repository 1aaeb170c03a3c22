"""One TCP connection: reading, writing and closing under deadlines.

Rules:

1. One task does it all: it reads a head, runs the application for it, and waits for the next head. A client that leaves
   meanwhile is noticed by :mod:`~greenroom.http.serving.hang_ups`.
2. While an answer is being made nothing is read but its request's body: what a client sends ahead waits in the kernel.
3. A write has a deadline for each bit of progress and no shield: one that was cut short, by the peer or by a
   cancellation, leaves the connection unusable, so it is closed.
4. We close by sending FIN first and reading on a little: closing with unread input makes the kernel send RST, which
   destroys an answer that is still on its way (RFC 9112, 9.6).
"""

from __future__ import annotations

import math
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import trio
from trio.lowlevel import checkpoint, wait_readable, wait_writable

from greenroom.http.serving.exchange import Exchange
from greenroom.http.serving.forwarded import Client
from greenroom.http.serving.request_head import (
    HEAD_END,
    Headers,
    Malformed,
    RequestHead,
    check_beginning,
    parse_head,
)
from greenroom.http.serving.response_head import render_head
from greenroom.http.serving.shared import Shared
from greenroom.http.serving.statistics import Fault
from greenroom.http.serving.websocket import WebSocket

READ_BYTES: Final = 16 * 1024
"""Per read: a whole head, or a piece of a body that can be cut into its chunks without copying too much of the rest."""


class Connection:
    """Serves one accepted connection. Make it, then await :meth:`run` once.

    Args:
        sock: not blocking; closed when :meth:`run` ends.

    Attributes:
        unread: what was received and not yet made use of: at most a head and READ_BYTES.
        address: our end of it.
    """

    __slots__ = (
        "_exchange", "_has_ended", "_is_broken", "_is_idle", "_peer", "_requests", "_sock", "_trusts_peer", "_waiting",
        "address", "shared", "unread",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, peer: Client, shared: Shared) -> None:
        self.shared = shared
        self.unread = b""
        self.address: Client = sock.getsockname()[:2]
        self._sock = sock
        self._peer = peer
        self._trusts_peer = shared.proxies.include(peer[0])
        self._requests = 0
        self._exchange: Exchange | WebSocket | None = None
        self._waiting = trio.CancelScope()  # while reading
        self._is_idle = False  # waiting for the first byte of a request: no answer of ours is on its way
        self._is_broken = False  # a write was cut short, or the peer is gone: nothing more may be written
        self._has_ended = False  # the peer sends no more

    async def run(self) -> None:
        """Serve until either side closes.

        Raises:
            Exception: a bug, or a group with one; the connection is closed nevertheless.
        """
        fd = self._sock.fileno()
        try:
            self.shared.hang_ups.watch(fd, self._note_hang_up)
            while await self._serve_request():
                pass
            if not self._is_broken and not self._is_idle:
                await self._linger()
        finally:
            self.shared.hang_ups.forget(fd)
            self._sock.close()

    def drain(self) -> None:
        """Close soon if no request is being read or answered, else after the answer.

        Not at once: a request may be on its way, and closing would lose it.
        """
        if self._is_idle:
            soon = trio.current_time() + self.shared.limits.drain_idle_s
            self._waiting.deadline = min(soon, self._waiting.deadline)

    # What an exchange asks of its connection.

    @property
    def may_go_on(self) -> bool:
        """Whether another request may follow, as far as we are concerned."""
        return not self.shared.is_draining and self._requests < self.shared.limits.keep_alive_requests_max

    def origin(self, headers: Headers) -> tuple[Client, str]:
        """The client and its scheme."""
        if self._trusts_peer:
            return self.shared.proxies.origin(self._peer, headers)
        return self._peer, "http"

    async def receive(
        self, deadline: float = math.inf, *, before: Callable[[], Awaitable[None]] | None = None
    ) -> bytes | None:
        """Receive what there is; empty once the peer sends no more, None at the deadline.

        Args:
            before: awaited when there is something, before it is taken from the kernel.
        """
        while True:
            with trio.CancelScope(deadline=deadline) as self._waiting:
                await wait_readable(self._sock)
            if before is not None:
                await before()
            try:
                received = self._sock.recv(READ_BYTES)
            except BlockingIOError:
                if self._waiting.cancelled_caught:
                    return None
                deadline = self._waiting.deadline  # it may have been moved
                continue
            except OSError:
                self._is_broken = True
                received = b""
            if not received:
                self._has_ended = True
            return received

    def wake(self) -> None:
        """End a :meth:`receive` that waits, as its deadline would."""
        self._waiting.deadline = -math.inf

    async def write(self, data: bytes) -> None:
        """Write all of it, or cut the connection and cancel the exchange.

        It does not always pass a checkpoint. Writers take turns: one at a time.
        """
        if self._is_broken:
            # An application that writes in a loop must come to where its cancellation reaches it.
            await checkpoint()
            return
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            await self._abort(Fault.LOST)
            return
        if sent < len(data):
            await self._write_rest(memoryview(data)[sent:])

    async def refuse(
        self, status: int, method: str | None, more_headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        """Answer instead of the application; the connection must be closed afterwards."""
        headers, body = self.shared.refusal(status)
        head = render_head(
            status,
            [*headers, *more_headers],
            date=self.shared.date(),
            method=method,
            version="1.1",
            keeps_alive=False,
            whole_body_bytes=len(body),
        )
        await self.write(head.data + body if head.has_body else head.data)

    def cut(self) -> None:
        """Close without ceremony."""
        self._is_broken = True

    # Requests.

    async def _serve_request(self) -> bool:
        """Serve one request; return whether another may follow."""
        try:
            received = await self._receive_head()
            if received is None:
                return False
            head = parse_head(received, self.shared.limits.head_bytes_max)
            if head.is_websocket and self.unread:
                raise Malformed(400, "bytes behind an upgrade that was not accepted yet")
        except Malformed as exc:
            self.shared.counters.count(Fault.HEAD_TIMEOUT if exc.status == 408 else Fault.MALFORMED)
            await self.refuse(exc.status, None)
            return False
        self._requests += 1
        counters = self.shared.counters
        counters.requests += 1
        counters.requests_in_flight += 1
        try:
            return await self._answer(head)
        finally:
            counters.requests_in_flight -= 1

    async def _answer(self, head: RequestHead) -> bool:
        if head.keeps_alive and not head.has_body and not self._has_ended and self.may_go_on:
            turned_away = self.shared.door(head)
            if turned_away is not None:
                await self.write(turned_away)
                return not self._is_broken
        is_websocket = head.is_websocket and head.target.partition(b"?")[0] in self.shared.websocket_paths
        exchange = WebSocket(self, head) if is_websocket else Exchange(self, head)
        self._exchange = exchange
        if self._has_ended:
            exchange.client_left()
        try:
            await exchange.run()
        finally:
            self._exchange = None
        return exchange.keeps_alive and not self._is_broken

    async def _receive_head(self) -> bytes | None:
        """Receive a head; None if there will be none, because the peer closed or was silent for too long.

        Raises:
            Malformed: it can't become one, or did not in time (408).
        """
        limits = self.shared.limits
        if self.unread:
            await checkpoint()  # a client that sends many requests at once takes its turn, too
        self._is_idle = not self.unread
        deadline = trio.current_time() + self._patience_s()
        while (end := self.unread.find(HEAD_END)) < 0:
            check_beginning(self.unread, limits.head_bytes_max)
            received = await self.receive(deadline)
            if not received and not self.unread:
                return None
            if received is None:
                raise Malformed(408, "the head did not come in time")
            if not received:
                raise Malformed(400, "the head was cut off")
            if self._is_idle:
                self._is_idle = False
                deadline = trio.current_time() + limits.head_s
            self.unread += received
        head, self.unread = self.unread[: end + 4], self.unread[end + 4 :]
        return head

    def _patience_s(self) -> float:
        limits = self.shared.limits
        if self.unread:
            return limits.head_s
        idle_s = limits.keep_alive_s if self._requests else limits.head_s
        return min(idle_s, limits.drain_idle_s) if self.shared.is_draining else idle_s

    def _note_hang_up(self) -> None:
        self._has_ended = True
        if self._exchange is not None:
            self._exchange.client_left()

    # Writing and closing.

    async def _write_rest(self, rest: memoryview) -> None:
        try:
            while rest:
                with trio.move_on_after(self.shared.limits.send_stall_s) as patience:
                    await wait_writable(self._sock)
                if patience.cancelled_caught:
                    await self._abort(Fault.STALLED)
                    return
                try:
                    rest = rest[self._sock.send(rest) :]
                except BlockingIOError:
                    continue
        except OSError:
            await self._abort(Fault.LOST)
        except trio.Cancelled:
            self._is_broken = True
            raise

    async def _abort(self, fault: Fault) -> None:
        """Cut the connection: its peer will never read the rest."""
        self.shared.counters.count(fault)
        self._is_broken = True
        if self._exchange is not None:
            self._exchange.cancel()
        await checkpoint()

    async def _linger(self) -> None:
        limits = self.shared.limits
        left = limits.linger_bytes_max
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            return
        deadline = trio.current_time() + limits.linger_s
        while left > 0 and (received := await self.receive(deadline)):
            left -= len(received)
