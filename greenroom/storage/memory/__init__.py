"""The in-memory twin of Postgres: same ports, same semantics, open to inspection, and able to fail on purpose."""

from __future__ import annotations

from greenroom.storage.bus_local import LocalBus
from greenroom.storage.limits.local import LocalLimits
from greenroom.storage.memory.accounts import MemoryAccounts
from greenroom.storage.memory.audit import MemoryAudit
from greenroom.storage.memory.bookings import MemoryBookings
from greenroom.storage.memory.conversations import MemoryConversations
from greenroom.storage.memory.database import MemoryDatabase
from greenroom.storage.memory.directory import MemoryDirectory
from greenroom.storage.memory.faults import FaultPoint, Faults, Phase, no_faults
from greenroom.storage.memory.idempotency import MemoryIdempotencyKeys
from greenroom.storage.memory.outbox import MemoryOutbox
from greenroom.storage.memory.search.analytics import MemorySearchAnalytics
from greenroom.storage.memory.search.catalogue import MemoryCatalogue
from greenroom.storage.memory.search.configs import MemorySearchConfigs
from greenroom.storage.memory.search.evidence import MemoryAliasEvidence
from greenroom.storage.memory.search.gazetteer import MemoryGazetteer
from greenroom.storage.memory.search.index import MemorySearchIndex
from greenroom.storage.memory.search.log import MemorySearchLog
from greenroom.storage.memory.search.places import MemoryPlaces
from greenroom.storage.memory.search.retrieval import MemoryRetrieval
from greenroom.storage.memory.streams import MemoryStreams
from greenroom.storage.memory.tables import Tables
from greenroom.storage.memory.writes import MemoryWrites
from greenroom.storage.ports import Bus, RateLimits, Storage
from greenroom.storage.retrieval.rules import RetrievalRules


class MemoryHealth:
    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database

    async def ping(self) -> None:
        async with self._database.operation("health.ping"):
            pass

    @property
    def is_pressed(self) -> bool:
        return self._database.has_waiters


def memory_storage(
    database: MemoryDatabase | None = None,
    *,
    bus: Bus | None = None,
    limits: RateLimits | None = None,
    retrieval_rules: RetrievalRules | None = None,
) -> Storage:
    """Build a storage over ``database`` (a new one by default), ``bus`` (a :class:`LocalBus` by default) and ``limits``
    (this process's own by default).

    Several workers of a simulation share state by being given the same database and the same bus.
    """
    shared = database or MemoryDatabase()
    return Storage(
        accounts=MemoryAccounts(shared),
        directory=MemoryDirectory(shared),
        catalogue=MemoryCatalogue(shared),
        conversations=MemoryConversations(shared),
        writes=MemoryWrites(shared),
        streams=MemoryStreams(shared),
        bookings=MemoryBookings(shared),
        outbox=MemoryOutbox(shared),
        idempotency=MemoryIdempotencyKeys(shared),
        audit=MemoryAudit(shared),
        search_configs=MemorySearchConfigs(shared),
        places=MemoryPlaces(shared),
        gazetteer=MemoryGazetteer(shared),
        retrieval=MemoryRetrieval(shared, retrieval_rules),
        search_index=MemorySearchIndex(shared),
        search_log=MemorySearchLog(shared),
        search_analytics=MemorySearchAnalytics(shared),
        alias_evidence=MemoryAliasEvidence(shared),
        bus=bus or LocalBus(),
        health=MemoryHealth(shared),
        limits=limits or LocalLimits(),
    )


__all__ = ["FaultPoint", "Faults", "MemoryDatabase", "Phase", "Tables", "memory_storage", "no_faults"]
