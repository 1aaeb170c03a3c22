"""Requests at a fixed rate, whatever becomes of them: an open loop, so that a server that stalls can't hide it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import trio

from chaos.line import NO_HEADERS, Line, NoAnswer


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked again and again; ``name`` is what its figures go by."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """One request and what came of it: a status, or how the connection ended instead."""

    name: str
    at: float
    took_s: float
    answer: str
    code: str = ""
    has_retry_after: bool = False


class Probes:
    """Asks, and keeps what came of it.

    Args:
        timeout_s: longer than the server may ever take, so that it is never the harness that ends a call.
    """

    def __init__(self, port: int, *, timeout_s: float) -> None:
        self.made: list[Probe] = []
        self._port = port
        self._timeout_s = timeout_s
        self._free: list[Line] = []

    async def run(self, requests: Sequence[Request], *, per_s: float, for_s: float) -> None:
        """Ask the requests in turn at a fixed rate; returns when the last one is over."""
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for n in range(int(per_s * for_s)):
                await trio.sleep_until(began + n / per_s)
                nursery.start_soon(self.ask, requests[n % len(requests)])

    async def ask(self, request: Request) -> Probe:
        """Ask once, on a connection that nobody else uses meanwhile."""
        line = self._free.pop() if self._free else Line(self._port, timeout_s=self._timeout_s)
        at = trio.current_time()
        try:
            answer = await line.ask(request.method, request.path, headers=request.headers, body=request.body)
        except NoAnswer as exc:
            probe = Probe(request.name, at, trio.current_time() - at, str(exc))
        else:
            code = "" if answer.is_success else str(answer.problem().get("code", ""))
            took_s = trio.current_time() - at
            probe = Probe(request.name, at, took_s, str(answer.status), code, "retry-after" in answer.headers)
        self._free.append(line)
        self.made.append(probe)
        return probe

    def close(self) -> None:
        """Close all connections."""
        while self._free:
            self._free.pop().close()


def named(probes: Iterable[Probe], *names: str) -> list[Probe]:
    """Those of some requests."""
    return [probe for probe in probes if probe.name in names]
