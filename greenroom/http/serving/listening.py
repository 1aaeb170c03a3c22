"""Listening sockets, with the options that connections accepted from them inherit."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import trio

from greenroom.http.serving.limits import BACKLOG, Limits


async def listen(host: str, port: int, *, limits: Limits) -> list[trio.SocketListener]:
    """Open listeners on every address of ``host``.

    Args:
        host: a name or an address; a name with several addresses gives several listeners.
        port: 0 lets the kernel choose; see :attr:`~greenroom.http.serving.server.Server.addresses` for its choice.

    Raises:
        OSError: an address can't be bound; nothing stays open.
    """
    listeners = await trio.open_tcp_listeners(port, host=host, backlog=BACKLOG)
    for listener in listeners:
        set_options(listener.socket, limits)
    return listeners


def adopt(sockets: Sequence[socket.socket], *, limits: Limits) -> list[trio.SocketListener]:
    """Serve sockets that somebody else bound (a parent process, a service manager); they are listened on again."""
    listeners = []
    for sock in sockets:
        sock.listen(BACKLOG)
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(sock))
        set_options(listener.socket, limits)
        listeners.append(listener)
    return listeners


def set_options(sock: trio.socket.SocketType, limits: Limits) -> None:
    """Set what accepted connections inherit from their listening socket (tcp(7))."""
    if sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # Cuts a peer that vanished without a FIN, or keeps its window shut, even while no task of ours is writing.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limits.unacknowledged_s * 1000))
