"""Ports: what actors may ask of storage. Postgres and the in-memory twin both stand behind them.

Every method may raise :class:`~greenroom.schema.errors.PoolExhausted` (no connection came free in time) or
:class:`~greenroom.schema.errors.StorageUnavailable` (the database is away); for a transaction that was committing, the
outcome is then unknown and the same client id settles it. No method holds a connection after it returned.
"""

from __future__ import annotations

from dataclasses import dataclass

from greenroom.storage.ports.accounts import Accounts, Credentials, EndedSession
from greenroom.storage.ports.audit import Audit
from greenroom.storage.ports.bookings import Bookings
from greenroom.storage.ports.bus import (
    Bus,
    BusBatch,
    BusNote,
    BusSubscription,
    Ephemeral,
    GrownTo,
    Hint,
    Present,
    Revocation,
    RollCall,
)
from greenroom.storage.ports.catalogue import Catalogue
from greenroom.storage.ports.conversations import ConversationPageKey, Conversations
from greenroom.storage.ports.directory import Directory, InstructorProfile
from greenroom.storage.ports.health import Health
from greenroom.storage.ports.idempotency import IdempotencyKeys
from greenroom.storage.ports.limits import LimitStatistics, RateLimits
from greenroom.storage.ports.outbox import Outbox
from greenroom.storage.ports.search import (
    AliasEvidence,
    Gazetteer,
    PlaceRows,
    Places,
    Retrieval,
    RowsWithin,
    SearchAnalytics,
    SearchConfigs,
    SearchIndex,
    SearchLog,
    VectorCount,
)
from greenroom.storage.ports.streams import Streams
from greenroom.storage.ports.writes import (
    ClientKey,
    Locked,
    MarkQuery,
    OpenedConversation,
    StreamPosition,
    Writes,
    WriteTransaction,
)


@dataclass(frozen=True, slots=True)
class Storage:
    """Everything the actors room is given."""

    accounts: Accounts
    directory: Directory
    catalogue: Catalogue
    conversations: Conversations
    writes: Writes
    streams: Streams
    bookings: Bookings
    outbox: Outbox
    idempotency: IdempotencyKeys
    audit: Audit
    search_configs: SearchConfigs
    places: Places
    gazetteer: Gazetteer
    retrieval: Retrieval
    search_index: SearchIndex
    search_log: SearchLog
    search_analytics: SearchAnalytics
    alias_evidence: AliasEvidence
    bus: Bus
    health: Health
    limits: RateLimits


__all__ = [
    "Accounts",
    "AliasEvidence",
    "Audit",
    "Bookings",
    "Bus",
    "BusBatch",
    "BusNote",
    "BusSubscription",
    "Catalogue",
    "ClientKey",
    "ConversationPageKey",
    "Conversations",
    "Credentials",
    "Directory",
    "EndedSession",
    "Ephemeral",
    "Gazetteer",
    "GrownTo",
    "Health",
    "Hint",
    "IdempotencyKeys",
    "InstructorProfile",
    "LimitStatistics",
    "Locked",
    "MarkQuery",
    "OpenedConversation",
    "Outbox",
    "PlaceRows",
    "Places",
    "Present",
    "RateLimits",
    "Retrieval",
    "Revocation",
    "RollCall",
    "RowsWithin",
    "SearchAnalytics",
    "SearchConfigs",
    "SearchIndex",
    "SearchLog",
    "Storage",
    "StreamPosition",
    "Streams",
    "VectorCount",
    "WriteTransaction",
    "Writes",
]
