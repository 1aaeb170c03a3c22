"""The twin of the shared flights: those of several workers in one process, on Trio's clock."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import trio

from greenroom.schema.search.flights import Boarding, Landed, Lead, Sky


@dataclass(frozen=True, slots=True)
class _Entry:
    """``token`` is the leader's while it is aloft; ``body`` is what landed, for those who have at most ``within_s``."""

    until: float
    token: str | None = None
    body: bytes = b""
    within_s: float | None = None


class MemoryFlights:
    """Stands behind :class:`~greenroom.models.ports.Flights`. Shared by all workers of a simulation.

    What a leader's process would renew is never missed here: a lease holds for as long as the leader has.
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._tokens = count(1)
        self.is_up = True

    async def board(self, key: str, *, rest_s: float) -> Boarding:
        await trio.lowlevel.checkpoint()
        if not self.is_up:
            return Sky.UNSEEN
        found = self._found(key)
        if found is not None and found.token is not None:
            return Sky.ALOFT
        if found is not None and (found.within_s is None or rest_s <= found.within_s):
            return Landed(found.body)
        lead = Lead(key, str(next(self._tokens)))
        self._entries[key] = _Entry(trio.current_time() + rest_s, token=lead.token)
        return lead

    def land(self, lead: Lead, body: bytes, *, kept_s: float) -> None:
        self._entries[lead.key] = _Entry(trio.current_time() + kept_s, body=body)

    def fail(self, lead: Lead, body: bytes, *, kept_s: float, within_s: float | None = None) -> None:
        # Also where the lease has just lapsed: it does so at the moment in which a leader finds that its time is over.
        if self._found(lead.key) is None or self._is_led_by(lead):
            self._entries[lead.key] = _Entry(trio.current_time() + kept_s, body=body, within_s=within_s)

    def leave(self, lead: Lead) -> None:
        if self._is_led_by(lead):
            del self._entries[lead.key]

    def _is_led_by(self, lead: Lead) -> bool:
        found = self._found(lead.key)
        return found is not None and found.token == lead.token

    def _found(self, key: str) -> _Entry | None:
        found = self._entries.get(key)
        return found if found is not None and found.until > trio.current_time() else None
