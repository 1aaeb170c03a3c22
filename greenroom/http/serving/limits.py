"""Every bound of the serving loop, and where its number comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BACKLOG: Final = 4096
"""Connections the kernel holds until they are accepted. With 100, a thousand clients that reconnect at once wait up to
29 s in retransmissions; with 4096 the slowest of them waits 2 s."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one server; seconds and bytes.

    Attributes:
        connections_max: open connections; beyond it new ones wait in the kernel's backlog, because a refusal (any
            answer but 200) would end a browser's EventSource for good.
        head_s: from the first byte of a request to the end of its headers.
        head_bytes_max: request line and headers together.
        keep_alive_s: silence between two requests of one connection.
        keep_alive_requests_max: requests of one connection, so that load spreads again after a scale-out.
        send_stall_s: without a single byte of progress while writing; afterwards the connection is cut.
        unacknowledged_s: TCP_USER_TIMEOUT: sent but not acknowledged, however many layers hold the data.
        linger_s: how long to read on after an early refusal, so that the client gets to read it; closing with unread
            input makes the kernel send RST, which discards the answer (RFC 9112, 9.6).
        linger_bytes_max: how much to read on.
        abandoned_s: how long a request that changes something may go on after its client left.
        drain_s: bound of a graceful stop.
        drain_idle_s: how long idle connections stay open in it; a round trip, so that no request on its way is lost.
    """

    connections_max: int = 10_000
    head_s: float = 5.0
    head_bytes_max: int = 16 * 1024
    keep_alive_s: float = 5.0
    keep_alive_requests_max: int = 10_000
    send_stall_s: float = 10.0
    unacknowledged_s: float = 10.0
    linger_s: float = 2.0
    linger_bytes_max: int = 1024 * 1024
    abandoned_s: float = 10.0
    drain_s: float = 10.0
    drain_idle_s: float = 0.5
