"""Every bound of the serving loop, and where its number comes from."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import Final

BACKLOG: Final = 4096
"""Connections the kernel holds until they are accepted. With 100, a thousand clients that reconnect at once wait up to
29 s in retransmissions; with 4096 the slowest of them waits 2 s."""


DESCRIPTORS_RESERVED: Final = 64
"""File descriptors kept from connections: listeners, pipes to child processes, logs, files being read, and the few that
a library opens without asking."""


LOCAL_CONNECTIONS_MAX: Final = 64
"""Between the workers of one machine, in each direction: what operators ask of another worker, streams included."""


def room_for_connections(wanted: int, *, elsewhere: int) -> int:
    """Return how many connections there may be so that nothing else runs out of file descriptors.

    The soft limit is raised to the hard one first, as it is only low for programs that use select(2).

    Args:
        wanted: at most this many; at least 1 is returned.
        elsewhere: descriptors that others will need: the connections to databases.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
        except (OSError, ValueError):
            pass  # what there is has to do
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, soft - elsewhere - DESCRIPTORS_RESERVED))


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one server; seconds and bytes.

    Attributes:
        connections_max: open connections; beyond it new ones wait in the kernel's backlog, because a refusal (any
            answer but 200) would end a browser's EventSource for good. See :func:`room_for_connections`.
        local_connections_max: the same for listeners that only this machine reaches, which have a bound of their own.
        head_s: from the first byte of a request to the end of its headers.
        head_bytes_max: request line and headers together.
        bodies_bytes_max: bodies of all requests together, as far as the application was given them: 512 of the longest
            that greenroom takes. Beyond it they are not read on, within the time the application gives them.
        body_bytes_max: the longest body that the application takes, which refuses what is longer. As many of these as fit
            into a quarter of ``bodies_bytes_max`` can always be read to their end.
        keep_alive_s: silence between two requests of one connection.
        keep_alive_requests_max: requests of one connection, so that load spreads again after a scale-out.
        send_stall_s: without a single byte of progress while writing; afterwards the connection is cut.
        unacknowledged_s: TCP_USER_TIMEOUT: sent but not acknowledged, which ends peers that vanished while no task
            of ours is writing. A little longer than ``send_stall_s``: where a task is writing, that one ends the wait,
            and it is counted as what it is. A shorter one would cut, without a word, clients that change networks or
            wake up within the time that a slow reader is given anyway. A stop does not depend on it: our writes are
            cancelled, not shielded.
        send_buffer_bytes: SO_SNDBUF: what the kernel holds for a client that does not read. Left to itself it lets 3 MiB
            gather before a write finds out; with this, 100 KiB. A reader on the other side of the world (200 ms away)
            still gets 300 KiB a second.
        linger_s: how long to read on after an early refusal, so that the client gets to read it; closing with unread
            input makes the kernel send RST, which discards the answer (RFC 9112, 9.6).
        linger_bytes_max: how much to read on.
        ping_s: silence of a WebSocket's client, after which it is pinged.
        pong_s: how long it may then go on being silent. TCP_USER_TIMEOUT finds peers that vanished; this finds those whose
            kernel still answers for them.
        close_s: to write what is left and see a WebSocket's closing handshake through.
        abandoned_s: how long a request that changes something may go on after its client left.
        drain_s: bound of a graceful stop.
        drain_idle_s: how long new connections are accepted and idle ones kept in it: a request may be on its way, and
            a load balancer takes until its next probe to learn that we are leaving.
    """

    connections_max: int = 10_000
    local_connections_max: int = LOCAL_CONNECTIONS_MAX
    head_s: float = 5.0
    head_bytes_max: int = 16 * 1024
    bodies_bytes_max: int = 32 * 1024 * 1024
    body_bytes_max: int = 64 * 1024
    keep_alive_s: float = 5.0
    keep_alive_requests_max: int = 10_000
    send_stall_s: float = 10.0
    unacknowledged_s: float = 12.0
    send_buffer_bytes: int = 64 * 1024
    linger_s: float = 2.0
    linger_bytes_max: int = 1024 * 1024
    ping_s: float = 20.0
    pong_s: float = 10.0
    close_s: float = 3.0
    abandoned_s: float = 10.0
    drain_s: float = 10.0
    drain_idle_s: float = 1.0
