"""What the serving loop counts. Label sets are closed: no number here can grow with what clients send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Why a connection ended otherwise than by its own or our plain close."""

    MALFORMED = "malformed"
    """It did not speak HTTP/1.1 as we accept it, and was answered 4xx or 5xx; or not WebSocket, and was told why."""

    HEAD_TIMEOUT = "head_timeout"
    """It began a request and did not finish its headers in time."""

    STALLED = "stalled"
    """It stopped reading while we had something to send."""

    LOST = "lost"
    """The network ended it while we were sending."""

    SILENT = "silent"
    """A WebSocket that answered no ping."""

    CRASHED = "crashed"
    """An unexpected error of ours, contained in this connection."""

    APP_CRASHED = "app_crashed"
    """The application raised where it should have answered."""


@dataclass(frozen=True, slots=True)
class ServingStatistics:
    """Totals since start, but ``connections_open`` and ``requests_in_flight``, which are of this moment.

    ``accept_failures`` counts accepts that the kernel refused, for example for want of file descriptors.
    """

    connections_open: int
    connections_accepted: int
    requests_in_flight: int
    requests: int
    accept_failures: int
    faults: Mapping[Fault, int]


class ServingCounters:
    """The mutable counters behind :class:`ServingStatistics`; one per server, touched from one thread only."""

    def __init__(self) -> None:
        self.connections_open = 0
        self.connections_accepted = 0
        self.requests_in_flight = 0
        self.requests = 0
        self.accept_failures = 0
        self._faults = dict.fromkeys(Fault, 0)

    def count(self, fault: Fault) -> None:
        self._faults[fault] += 1

    def snapshot(self) -> ServingStatistics:
        return ServingStatistics(
            connections_open=self.connections_open,
            connections_accepted=self.connections_accepted,
            requests_in_flight=self.requests_in_flight,
            requests=self.requests,
            accept_failures=self.accept_failures,
            faults=dict(self._faults),
        )
