"""Postgres behind the ports."""

from __future__ import annotations

from greenroom.storage.limits.local import LocalLimits
from greenroom.storage.ports import Bus, RateLimits, Storage
from greenroom.storage.postgres.accounts import PostgresAccounts
from greenroom.storage.postgres.audit import PostgresAudit
from greenroom.storage.postgres.bookings import PostgresBookings
from greenroom.storage.postgres.conversations import PostgresConversations
from greenroom.storage.postgres.directory import PostgresDirectory
from greenroom.storage.postgres.health import PostgresHealth
from greenroom.storage.postgres.idempotency import PostgresIdempotencyKeys
from greenroom.storage.postgres.options import PostgresOptions
from greenroom.storage.postgres.outbox import PostgresOutbox
from greenroom.storage.postgres.pool import Pool, PoolStatistics, open_pool
from greenroom.storage.postgres.search.analytics import PostgresSearchAnalytics
from greenroom.storage.postgres.search.catalogue import PostgresCatalogue
from greenroom.storage.postgres.search.configs import PostgresSearchConfigs
from greenroom.storage.postgres.search.evidence import PostgresAliasEvidence
from greenroom.storage.postgres.search.gazetteer import PostgresGazetteer
from greenroom.storage.postgres.search.index import PostgresSearchIndex
from greenroom.storage.postgres.search.log import PostgresSearchLog
from greenroom.storage.postgres.search.places import PostgresPlaces
from greenroom.storage.postgres.search.retrieval import PostgresRetrieval
from greenroom.storage.postgres.streams import PostgresStreams
from greenroom.storage.postgres.writes import PostgresWrites
from greenroom.storage.retrieval.rules import RetrievalRules


def postgres_storage(
    pool: Pool, *, bus: Bus, limits: RateLimits | None = None, retrieval_rules: RetrievalRules | None = None
) -> Storage:
    """Build a storage over an open pool of a migrated database, and the bus that connects its workers.

    Args:
        limits: this process's own by default.
    """
    return Storage(
        accounts=PostgresAccounts(pool),
        directory=PostgresDirectory(pool),
        catalogue=PostgresCatalogue(pool),
        conversations=PostgresConversations(pool),
        writes=PostgresWrites(pool),
        streams=PostgresStreams(pool),
        bookings=PostgresBookings(pool),
        outbox=PostgresOutbox(pool),
        idempotency=PostgresIdempotencyKeys(pool),
        audit=PostgresAudit(pool),
        search_configs=PostgresSearchConfigs(pool),
        places=PostgresPlaces(pool),
        gazetteer=PostgresGazetteer(pool),
        retrieval=PostgresRetrieval(pool, retrieval_rules),
        search_index=PostgresSearchIndex(pool),
        search_log=PostgresSearchLog(pool),
        search_analytics=PostgresSearchAnalytics(pool),
        alias_evidence=PostgresAliasEvidence(pool),
        bus=bus,
        health=PostgresHealth(pool),
        limits=limits or LocalLimits(),
    )


__all__ = ["Pool", "PoolStatistics", "PostgresOptions", "open_pool", "postgres_storage"]
