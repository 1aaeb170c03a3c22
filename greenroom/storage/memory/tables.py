"""What the in-memory twin has committed, by table. Tests may look; only the twin's ports write."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from greenroom.schema.audit import AuditEntry, AuditId
from greenroom.schema.bookings import UPCOMING_MAX, Booking
from greenroom.schema.catalogue import Profile, ServiceState
from greenroom.schema.idempotency import KnownRequest
from greenroom.schema.ids import BookingId, ConversationId, MessageId, ServiceId, SessionId, UserId
from greenroom.schema.outbox import Job
from greenroom.schema.records import (
    Conversation,
    ConversationState,
    ConversationView,
    Message,
    MessageEdit,
    Participant,
    Service,
    Session,
    StoredEvent,
    StreamHead,
    User,
)
from greenroom.schema.search.config import StoredConfig
from greenroom.schema.search.indexing import IndexedModel, IndexedText
from greenroom.schema.search.log import Click, QueryId, SearchDetails, SearchRecord
from greenroom.schema.search.places import Alias, AliasId, MappedRegion, RegionId
from greenroom.storage.lock_ledger import Pair
from greenroom.storage.ports import ClientKey, ConversationPageKey

ParticipantKey = tuple[ConversationId, UserId]


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A claimed key; :attr:`known` is what others are told of it."""

    known: KnownRequest
    claimed_until: datetime


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """An instructor's profile, and what files call the instructor."""

    profile: Profile
    external_id: str | None


@dataclass(slots=True)
class Tables:
    """Committed rows and the indexes over them."""

    users: dict[UserId, User] = field(default_factory=dict)
    password_hashes: dict[UserId, str] = field(default_factory=dict)
    emails: dict[str, UserId] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    sessions_by_token: dict[bytes, SessionId] = field(default_factory=dict)
    services: dict[ServiceId, Service] = field(default_factory=dict)
    """Retired ones included."""
    search_config: StoredConfig = field(default_factory=StoredConfig)
    service_states: dict[ServiceId, ServiceState] = field(default_factory=dict)
    """What is kept beside each service."""
    profiles: dict[UserId, ProfileRow] = field(default_factory=dict)
    conversations: dict[ConversationId, Conversation] = field(default_factory=dict)
    pairs: dict[Pair, ConversationId] = field(default_factory=dict)
    participants: dict[ParticipantKey, Participant] = field(default_factory=dict)
    conversations_of: dict[UserId, list[ConversationId]] = field(default_factory=dict)
    messages: dict[ConversationId, list[Message]] = field(default_factory=dict)
    """Per conversation, by ``seq``."""
    message_places: dict[MessageId, tuple[ConversationId, int]] = field(default_factory=dict)
    """Where each message is: its conversation and its index there."""
    edits: dict[MessageId, list[MessageEdit]] = field(default_factory=dict)
    """Former versions per message, oldest first."""
    sent: dict[ClientKey, MessageId] = field(default_factory=dict)
    streams: dict[UserId, StreamHead] = field(default_factory=dict)
    events: dict[UserId, list[StoredEvent]] = field(default_factory=dict)
    """Per user, by ``seq``; all above the stream's floor."""
    event_weeks: set[int] = field(default_factory=set)
    """Weeks that have a partition. Events of other weeks lie in the default partition."""
    idempotency_keys: dict[tuple[str, str], KeyRow] = field(default_factory=dict)
    """By owner and key."""
    audit: dict[AuditId, AuditEntry] = field(default_factory=dict)
    bookings: dict[BookingId, Booking] = field(default_factory=dict)
    bookings_of: dict[ConversationId, list[BookingId]] = field(default_factory=dict)
    outbox: dict[int, Job] = field(default_factory=dict)
    """By place."""
    outbox_place: int = 0
    """The last one given out."""
    regions: dict[RegionId, MappedRegion] = field(default_factory=dict)
    aliases: dict[AliasId, Alias] = field(default_factory=dict)
    region_embeddings: dict[tuple[str, RegionId], Sequence[float]] = field(default_factory=dict)
    """By model and region."""
    search_texts: dict[ServiceId, IndexedText] = field(default_factory=dict)
    """Services as they were indexed."""
    search_models: dict[str, IndexedModel] = field(default_factory=dict)
    search_vectors: dict[tuple[str, ServiceId], Sequence[float]] = field(default_factory=dict)
    """By model and service."""
    search_indexer: tuple[str, datetime] | None = None
    """Which worker indexes services, and until when."""
    searches: dict[QueryId, SearchRecord] = field(default_factory=dict)
    search_details: dict[QueryId, SearchDetails] = field(default_factory=dict)
    """Of those for which they are still kept."""
    search_clicks: dict[QueryId, list[Click]] = field(default_factory=dict)
    alias_learner: tuple[str, datetime] | None = None
    """Which worker learns names of places, and until when."""

    def messages_below(self, conversation_id: ConversationId, before: int | None, limit: int) -> list[Message]:
        kept = self.messages.get(conversation_id, [])
        end = len(kept) if before is None else bisect_left(kept, before, key=_message_seq)
        return kept[max(0, end - limit) : end]

    def messages_above(self, conversation_id: ConversationId, after: int, limit: int) -> list[Message]:
        kept = self.messages.get(conversation_id, [])
        start = bisect_right(kept, after, key=_message_seq)
        return kept[start : start + limit]

    def message(self, message_id: MessageId) -> Message | None:
        place = self.message_places.get(message_id)
        return None if place is None else self.messages[place[0]][place[1]]

    def events_above(self, user_id: UserId, after: int, limit: int) -> list[StoredEvent]:
        kept = self.events.get(user_id, [])
        start = bisect_right(kept, after, key=_event_seq)
        return kept[start : start + limit]

    def participants_of(self, user_id: UserId) -> Iterator[Participant]:
        """The user's own side of each of the user's conversations."""
        for conversation_id in self.conversations_of.get(user_id, []):
            yield self.participants[conversation_id, user_id]

    def newest_first(self, user_id: UserId) -> list[Conversation]:
        """All of the user's conversations in page order."""
        mine = (self.conversations[i] for i in self.conversations_of.get(user_id, []))
        return sorted(mine, key=lambda c: (c.last_message_at, c.id), reverse=True)

    def views(
        self,
        user_id: UserId,
        *,
        before: ConversationPageKey | None,
        states: Iterable[ConversationState],
        limit: int,
        now: datetime,
    ) -> list[ConversationView]:
        """The first ``limit`` of the user's conversations in these states, newest activity first."""
        wanted = frozenset(states)
        views: list[ConversationView] = []
        for conversation in self.newest_first(user_id):
            if len(views) == limit:
                break
            key = (conversation.last_message_at, conversation.id)
            if before is not None and key >= (before.last_message_at, before.conversation_id):
                continue
            if self.participants[conversation.id, user_id].state in wanted:
                views.append(self.view(conversation, user_id, now))
        return views

    def upcoming(
        self, conversation_id: ConversationId, now: datetime, limit: int = UPCOMING_MAX
    ) -> tuple[Booking, ...]:
        found = (self.bookings[i] for i in self.bookings_of.get(conversation_id, ()))
        return tuple(sorted((b for b in found if b.is_upcoming(now)), key=lambda b: (b.starts_at, b.id))[:limit])

    def view(self, conversation: Conversation, user_id: UserId, now: datetime) -> ConversationView:
        me = self.participants[conversation.id, user_id]
        kept = self.messages.get(conversation.id)
        return ConversationView(
            conversation=conversation,
            me=me,
            other=self.participants[conversation.id, me.peer_id],
            other_user=self.users[me.peer_id],
            last_message=kept[-1] if kept else None,
            upcoming=self.upcoming(conversation.id, now),
        )


def total_unread(participants: Iterable[Participant]) -> int:
    """Sum of unread counts, trashed conversations left out."""
    return sum(p.unread_count for p in participants if p.state is not ConversationState.TRASHED)


def _message_seq(message: Message) -> int:
    return message.seq


def _event_seq(event: StoredEvent) -> int:
    return event.seq
