"""Listening sockets, with the options that connections accepted from them inherit, and a way to stop that loses nobody.

A listening socket can't be closed without a race: the kernel completes handshakes on its own, and closing resets every
connection it holds that was not accepted, although its client may have sent a request already. Only refusing new
handshakes first makes the queue finite. Linux has no call for that, but a socket filter that drops SYN segments does
it: those clients' SYN is sent again a second later and finds the next server, or a clean refusal.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence
from typing import ClassVar, Final

import structlog
import trio

from greenroom.http.serving.limits import BACKLOG, Limits

SO_ATTACH_FILTER: Final = 26
"""Of asm-generic/socket.h; Python has no name for it."""

_DROP_SYN: Final = b"".join(
    struct.pack("HBBI", *instruction)
    for instruction in (
        (0x30, 0, 0, 13),  # load the byte of the TCP header that has the flags (RFC 9293, 3.1)
        (0x54, 0, 0, 0x12),  # and 0x12: SYN and ACK
        (0x15, 0, 1, 0x02),  # SYN alone?
        (0x06, 0, 0, 0),  # then drop it
        (0x06, 0, 0, 0xFFFFFFFF),  # else take it
    )
)
"""A classic BPF program (https://docs.kernel.org/networking/filter.html)."""

_log = structlog.get_logger(__name__)


class Listener:
    """One listening socket.

    Attributes:
        is_local: only this machine's own processes reach it; bounded apart from what clients may open.
    """

    is_local: ClassVar[bool] = False

    def __init__(self, sock: socket.socket, *, limits: Limits) -> None:
        self.socket = sock
        sock.setblocking(False)
        sock.listen(BACKLOG)
        # Accepted connections inherit what is set here (socket(7), tcp(7)).
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.send_buffer_bytes)
        if sock.family in {socket.AF_INET, socket.AF_INET6}:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limits.unacknowledged_s * 1000))

    @property
    def address(self) -> str:
        """``host:port``, as bound."""
        host, port = self.socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def wait(self) -> None:
        """Wait until a connection can be accepted, or this is closed.

        Raises:
            trio.ClosedResourceError: it is closed.
        """
        await trio.lowlevel.wait_readable(self.socket)

    def accept_nowait(self) -> tuple[socket.socket, tuple[str, int]] | None:
        """Accept a connection, if there is one, with its peer's address.

        Raises:
            OSError: the kernel refuses, for example for want of file descriptors.
        """
        try:
            sock, address = self.socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None
        sock.setblocking(False)
        return sock, address[:2]

    def refuse_handshakes(self) -> None:
        """Let no new connection into the queue; those whose handshake has begun still come.

        It can't be undone, and holds for everybody who has this socket.
        """
        code = ctypes.create_string_buffer(_DROP_SYN)
        program = struct.pack("HP", len(_DROP_SYN) // 8, ctypes.addressof(code))
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        except OSError as exc:
            # Then a client may be reset in the instant of closing, as it would be by any other server.
            _log.warning("handshakes_not_refused", errno=exc.errno)

    async def aclose(self) -> None:
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Close it; doing so again is fine."""
        if self.socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self.socket)
            self.socket.close()


async def listen(host: str, port: int, *, limits: Limits) -> list[Listener]:
    """Open listeners on every address of ``host``.

    Args:
        host: a name or an address; a name with several addresses gives several listeners.
        port: 0 lets the kernel choose; see :attr:`Listener.address` for its choice.

    Raises:
        OSError: an address can't be bound; nothing stays open.
    """
    found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners: list[Listener] = []
    try:
        for family, kind, protocol, _, address in found:
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind(address)
                listeners.append(Listener(sock, limits=limits))
            except OSError:
                sock.close()
                raise
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def adopt(sockets: Sequence[socket.socket], *, limits: Limits) -> list[Listener]:
    """Serve sockets that somebody else bound (a parent process, a service manager)."""
    return [Listener(sock, limits=limits) for sock in sockets]
