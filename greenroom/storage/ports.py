"""Ports: what actors may ask of storage. Postgres and the in-memory twin both stand behind them.

Every method may raise :class:`~greenroom.schema.errors.PoolExhausted` (no connection came free in time) or
:class:`~greenroom.schema.errors.StorageUnavailable` (the database is away); for a transaction that was committing, the
outcome is then unknown and the same client id settles it. No method holds a connection after it returned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from greenroom.schema.audit import AuditEntry, AuditId, AuditOutcome, AuditPageKey
from greenroom.schema.bookings import Booking, BookingPageKey, BookingTense, Slot
from greenroom.schema.idempotency import KeptAnswer, KnownRequest, RequestKey
from greenroom.schema.ids import BookingId, ConversationId, JobId, MessageId, SessionId, UserId
from greenroom.schema.outbox import Job, JobState, NewJob
from greenroom.schema.records import (
    Conversation,
    ConversationState,
    ConversationView,
    LockedConversation,
    Message,
    MessageEdit,
    MessageReaction,
    Participant,
    Service,
    Session,
    StoredEvent,
    StreamHead,
    SyncSnapshot,
    User,
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and the encoded argon2id hash of the password."""

    user: User
    password_hash: str


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that is good no more. ``has_expired``: it came to its end by itself, and nobody ended it before."""

    session_id: SessionId
    has_expired: bool


class Accounts(Protocol):
    """Users and their sessions."""

    async def create_user(self, user: User, password_hash: str) -> None:
        """Store a new user. E-mail addresses are compared without regard to case.

        Raises:
            EmailTaken: another user has the address; nothing was stored.
            Conflict: the id is taken; nothing was stored.
        """
        ...

    async def credentials(self, email: str) -> Credentials | None:
        """Find a user by e-mail address, without regard to case."""
        ...

    async def set_password_hash(self, user_id: UserId, password_hash: str) -> None:
        """Replace the stored hash (after its parameters were raised).

        Raises:
            UserNotFound: no such user.
        """
        ...

    async def user(self, user_id: UserId) -> User | None: ...

    async def create_session(self, session: Session) -> None:
        """Store a new session.

        Raises:
            UserNotFound: its user does not exist.
            Conflict: its id or token hash is taken.
        """
        ...

    async def session(self, token_hash: bytes) -> tuple[Session, User] | None:
        """Find a session and its user by the SHA-256 of the token, revoked and expired ones included."""
        ...

    async def session_by_id(self, session_id: SessionId) -> tuple[Session, User] | None:
        """Find a session and its user by the session's id, revoked and expired ones included."""
        ...

    async def ended_sessions(self, session_ids: Sequence[SessionId], now: datetime) -> list[EndedSession]:
        """Of these, those that are good no more at ``now``, in one query and no order.

        They were revoked, have expired, are unknown, or belong to a user who was deactivated.
        """
        ...

    async def revoke_session(self, session_id: SessionId, now: datetime) -> bool:
        """Mark a session revoked; False if it is unknown or was revoked before."""
        ...

    async def delete_sessions_expired_before(self, moment: datetime, *, limit: int) -> int:
        """Delete at most ``limit`` sessions that expired before ``moment``; return how many."""
        ...


@dataclass(frozen=True, slots=True)
class InstructorProfile:
    user: User
    services: tuple[Service, ...]


class Directory(Protocol):
    """Instructors and what they offer."""

    async def add_services(self, services: Sequence[Service]) -> None:
        """Store new services, all or none.

        Raises:
            UserNotFound: one of the instructors does not exist.
            Conflict: one of the ids is taken.
        """
        ...

    async def instructor(self, user_id: UserId) -> InstructorProfile | None:
        """Return an active instructor with services by (title, id); None for anybody else."""
        ...

    async def instructors_page(self, *, after: tuple[str, UserId] | None, limit: int) -> list[InstructorProfile]:
        """One page of active instructors by (display name, id), after the given key; two queries at any size."""
        ...


@dataclass(frozen=True, slots=True)
class ConversationPageKey:
    """Where a page of conversations ended. Newest activity first, ties by id descending."""

    last_message_at: datetime
    conversation_id: ConversationId


class Conversations(Protocol):
    """Plain reads of conversations and messages."""

    async def participants(self, conversation_id: ConversationId) -> tuple[UserId, UserId] | None:
        """Return (student, instructor), or None if there is no such conversation."""
        ...

    async def view(
        self, conversation_id: ConversationId, user_id: UserId, *, now: datetime
    ) -> ConversationView | None:
        """Return the conversation as ``user_id`` sees it; None for a stranger or an unknown id.

        Args:
            now: the moment from which on lessons are upcoming; so wherever a conversation is read.
        """
        ...

    async def page(
        self,
        user_id: UserId,
        *,
        state: ConversationState,
        before: ConversationPageKey | None,
        limit: int,
        now: datetime,
    ) -> list[ConversationView]:
        """One page of a user's conversations, newest activity first; two queries at any size."""
        ...

    async def total_unread(self, user_id: UserId) -> int:
        """Sum of the user's unread counts over conversations that are not trashed."""
        ...

    async def messages_before(
        self, conversation_id: ConversationId, before: int | None, *, limit: int
    ) -> list[Message]:
        """The ``limit`` newest messages with ``seq`` < ``before`` (None: the newest of all), returned oldest first."""
        ...

    async def messages_after(self, conversation_id: ConversationId, after: int, *, limit: int) -> list[Message]:
        """The ``limit`` oldest messages with ``seq`` > ``after``, oldest first."""
        ...

    async def conversation_of(self, message_id: MessageId) -> ConversationId | None:
        """Return the conversation a message is in, which it never leaves; None if there is no such message."""
        ...

    async def message(self, message_id: MessageId, user_id: UserId) -> Message | None:
        """Return a message of one of the user's conversations; None for a stranger or an unknown id."""
        ...

    async def edits(self, message_id: MessageId) -> list[MessageEdit]:
        """Former versions of a message, oldest first; none of a deleted one."""
        ...

    async def peers(self, user_ids: Sequence[UserId], *, limit: int) -> Mapping[UserId, Sequence[UserId]]:
        """For each user, the ``limit`` users they share the most recently active conversations with, in that order.

        One query for all; those who have no conversation are absent.
        """
        ...


class Bookings(Protocol):
    """Plain reads of bookings."""

    async def booking(self, booking_id: BookingId, user_id: UserId) -> Booking | None:
        """Return a booking of this user's, as student or instructor; None for a stranger or an unknown id."""
        ...

    async def page(
        self,
        user_id: UserId,
        *,
        tense: BookingTense | None,
        now: datetime,
        after: BookingPageKey | None,
        limit: int,
    ) -> list[Booking]:
        """One page of a user's bookings, as student or instructor: upcoming ones soonest first, else the latest first.

        Args:
            tense: which of them, at ``now``; None for all.
            after: the last one of the page before; exclusive.
        """
        ...


class Outbox(Protocol):
    """What is to be done, and by whom. All times are the database's own: workers need not agree on one.

    A claim is a lease: when it ends without having been settled, the job can be claimed again. So whoever claimed it
    before can't settle it any more; the claim is known by its worker and its number of attempts.
    """

    async def claim(
        self, worker: str, handlers: Sequence[str], *, limit: int, lease: timedelta, attempts_max: int
    ) -> list[Job]:
        """Claim up to ``limit`` due jobs of these handlers, longest due first.

        Of one aggregate and handler only the first job that is planned by now can be claimed; those behind it wait until it
        is done or dead. A job that was claimed ``attempts_max`` times and never settled is dead: it took its workers with it.
        """
        ...

    async def next_in(self, handlers: Sequence[str], *, within: timedelta) -> timedelta | None:
        """How long until the first pending job of these handlers is due and unclaimed; None if not ``within`` that time.

        Not negative. It may still not be claimable then, if it is behind another.
        """
        ...

    async def finish(self, job: Job) -> bool:
        """Note that a claimed job is done; False if it is no longer this claim's."""
        ...

    async def retry(self, job: Job, error: str, *, after: timedelta) -> bool:
        """Give a claimed job back, to be tried again; False if it is no longer this claim's."""
        ...

    async def bury(self, job: Job, error: str) -> bool:
        """Note that a claimed job is dead; False if it is no longer this claim's."""
        ...

    async def release(self, jobs: Sequence[Job]) -> int:
        """Give back claimed jobs that were not tried to their end, as if never claimed; return how many still were."""
        ...

    async def revive(self, job_id: JobId) -> Job | None:
        """Have a dead job tried again from now on, with all its attempts; None if there is no such dead job."""
        ...

    async def job(self, job_id: JobId) -> Job | None: ...

    async def page(self, *, state: JobState | None, before: int | None, limit: int) -> list[Job]:
        """One page, newest first; ``before`` is the ``place`` of the last one of the page before."""
        ...

    async def delete_done(self, *, older_than: timedelta, limit: int) -> int:
        """Delete at most ``limit`` jobs that were done longer ago; return how many."""
        ...


@dataclass(frozen=True, slots=True)
class OpenedConversation:
    """``created`` is False if the pair already had a conversation, whose id this then is."""

    conversation_id: ConversationId
    created: bool


@dataclass(frozen=True, slots=True)
class ClientKey:
    """What makes a send idempotent: the client's own id, per conversation and sender.

    A system message has no sender; its client id is the event it tells of.
    """

    conversation_id: ConversationId
    sender_id: UserId | None
    client_id: str


@dataclass(frozen=True, slots=True)
class MarkQuery:
    """Asks which ordinal among the messages ``reader_id`` got from the other lies at or below ``seq``."""

    conversation_id: ConversationId
    reader_id: UserId
    seq: int


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """A locked stream: its newest sequence, and the user's total unread."""

    last_seq: int
    total_unread: int


@dataclass(frozen=True, slots=True)
class Locked:
    """Rows that a transaction holds, and what they protect.

    Attributes:
        conversations: of those asked for, those that exist.
        streams: of both participants of each, and of the users asked for. Nobody else can change them, nor any of these
            users' unread counts, before this transaction has ended.
        sent: messages already stored under the client ids asked about.
        ordinals: for each mark asked about, the highest ``sender_ordinal`` at or below its seq (0: none); a stranger's
            is absent.
        messages: of those asked for, those that exist.
        bookings: of those asked for, those that exist; and those, not cancelled, that overlap a slot asked about.
    """

    conversations: Mapping[ConversationId, LockedConversation]
    streams: Mapping[UserId, StreamPosition]
    sent: Mapping[ClientKey, Message]
    ordinals: Mapping[MarkQuery, int]
    messages: Mapping[MessageId, Message]
    bookings: Mapping[BookingId, Booking] = field(default_factory=dict)


class WriteTransaction(Protocol):
    """One transaction of set-based statements, READ COMMITTED.

    Everybody locks in one order, so that none can deadlock: pairs being opened, then conversations in id order, streams in
    user id order last. So opening comes before locking, and each is done at most once, for everything the transaction
    needs; a breach raises :class:`~greenroom.storage.lock_ledger.LockRuleBroken`. Only locked (or just opened)
    conversations and locked streams may be written, and sequences go on where the locked row left them.

    Leaving the context normally commits; leaving it by an exception rolls everything back. Statements without a result
    may be sent together with a later one: their errors are then raised there, or on leaving, and always before anything
    was committed. After an error the transaction can only be rolled back.
    """

    async def open_conversations(self, wanted: Sequence[Conversation]) -> list[OpenedConversation]:
        """Insert each conversation with both participants, unless its pair of users has one already.

        Returns one record per element of ``wanted``, in order. Two racing transactions get one conversation.

        Raises:
            UserNotFound: the student or the instructor does not exist.
        """
        ...

    async def lock(
        self,
        *,
        conversations: Sequence[ConversationId] = (),
        users: Sequence[UserId] = (),
        keys: Sequence[ClientKey] = (),
        marks: Sequence[MarkQuery] = (),
        messages: Sequence[MessageId] = (),
        bookings: Sequence[BookingId] = (),
        slots: Sequence[Slot] = (),
    ) -> Locked:
        """Lock conversations, then the streams of their participants and of ``users``; read what they protect.

        One wait, however much is asked for. ``keys``, ``marks``, ``messages`` and ``bookings`` are of these conversations.
        A slot is of an instructor who has a part in one of them: whoever books an instructor's time holds the lock of the
        instructor's stream.
        """
        ...

    async def last_messages(self, ids: Sequence[ConversationId]) -> Mapping[ConversationId, Message]:
        """The newest message of each conversation that has one."""
        ...

    async def users(self, ids: Sequence[UserId]) -> Mapping[UserId, User]: ...

    async def upcoming_bookings(
        self, ids: Sequence[ConversationId], *, now: datetime, limit: int
    ) -> Mapping[ConversationId, Sequence[Booking]]:
        """The next ``limit`` lessons of each conversation that has any, soonest first."""
        ...

    async def save_bookings(self, bookings: Sequence[Booking]) -> None:
        """Insert bookings of locked conversations, or write what may change of them, in this order.

        Raises:
            SlotTaken: the instructor has another lesson at that time.
        """
        ...

    async def append_jobs(self, jobs: Sequence[NewJob]) -> None:
        """Write what is to follow, in this order; their aggregates are locked conversations.

        Raises:
            Conflict: an event's handler has a job already.
        """
        ...

    async def append_messages(self, messages: Sequence[Message]) -> None:
        """Insert messages with the sequences and ordinals they carry.

        Raises:
            Conflict: a sequence is not the next one, or a client id is taken, which the row locks rule out for callers
                that look before they write.
            ConversationNotFound: a sender is not a participant.
        """
        ...

    async def save_messages(self, messages: Sequence[Message]) -> None:
        """Write content, version and the moments of editing and deleting, of messages of locked conversations.

        A message that is deleted loses its former versions and its reactions.
        """
        ...

    async def append_edits(self, edits: Sequence[MessageEdit]) -> None:
        """Keep former versions of messages that are saved in this transaction.

        Raises:
            Conflict: a version is kept already.
        """
        ...

    async def add_reactions(self, reactions: Sequence[MessageReaction]) -> None:
        """Add reactions to messages of locked conversations; one that is there is passed over."""
        ...

    async def remove_reactions(self, reactions: Sequence[MessageReaction]) -> None:
        """Take reactions away; one that is not there is passed over."""
        ...

    async def save_conversations(self, conversations: Sequence[Conversation]) -> None:
        """Write ``last_seq`` and ``last_message_at`` of locked conversations, as absolute values."""
        ...

    async def save_participants(self, participants: Sequence[Participant]) -> None:
        """Write state and marks of participants of locked conversations, as absolute values."""
        ...

    async def append_events(self, events: Sequence[StoredEvent]) -> None:
        """Insert events of locked streams and raise each stream's ``last_seq`` to its newest event.

        Raises:
            Conflict: an event is not the next one of its stream.
        """
        ...


class Writes(Protocol):
    def transaction(self) -> AbstractAsyncContextManager[WriteTransaction]:
        """Open a write transaction; at most one await on a lock is bounded by the lock timeout."""
        ...


class Streams(Protocol):
    """Reads of users' event streams, and their retention."""

    async def epoch(self) -> str:
        """The name of this database's history, part of every cursor."""
        ...

    async def head(self, user_id: UserId) -> StreamHead:
        """Where the user's stream stands.

        Raises:
            UserNotFound: no such user.
        """
        ...

    async def heads(self, user_ids: Sequence[UserId]) -> Mapping[UserId, StreamHead]:
        """The heads of many users in one query; unknown users are absent."""
        ...

    async def events_after(self, user_id: UserId, after: int, *, limit: int) -> list[StoredEvent]:
        """The ``limit`` oldest kept events with ``seq`` > ``after``, in order, without a gap between them.

        If the first one is not ``after + 1``, the floor has passed ``after``. What was stored of a message that has been
        deleted since is told without its words.
        """
        ...

    async def snapshot(self, user_id: UserId, *, conversations_max: int, now: datetime) -> SyncSnapshot:
        """Conversations (newest activity first, trashed ones left out), total unread and head, from one snapshot.

        Raises:
            UserNotFound: no such user.
        """
        ...

    async def keep_events_since(self, moment: datetime, now: datetime) -> int:
        """Drop what is wholly older than ``moment``, raising the floors, and prepare storage for what comes after ``now``.

        Returns how many partitions were dropped. Safe to run on several workers at once.
        """
        ...


@dataclass(frozen=True, slots=True)
class Hint:
    """Says that a user's stream grew; ``events`` are contiguous and never empty. A hint may be lost: it is never the truth."""

    user_id: UserId
    epoch: str
    events: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """An event that is never stored. Of those with the same ``key``, only the latest matters."""

    user_ids: tuple[UserId, ...]
    name: str
    key: str
    data: str


@dataclass(frozen=True, slots=True)
class Revocation:
    """A session ended: its streams must close."""

    user_id: UserId
    session_id: SessionId


@dataclass(frozen=True, slots=True)
class GrownTo:
    """Says that a user's stream reached ``last_seq``, without the events: a hint that was too long for the wire."""

    user_id: UserId
    epoch: str
    last_seq: int


@dataclass(frozen=True, slots=True)
class Present:
    """A worker's word that these users are connected to it, good for ``lease_s`` seconds; 0: they no longer are."""

    worker: str
    user_ids: tuple[UserId, ...]
    lease_s: float


@dataclass(frozen=True, slots=True)
class RollCall:
    """``worker`` is new, or has missed something, and asks all others to say who is connected to them."""

    worker: str


BusNote = Hint | GrownTo | Ephemeral | Revocation | Present | RollCall


@dataclass(frozen=True, slots=True)
class BusBatch:
    """What arrived. ``is_suspect``: something before these notes may have been lost, so compare with the database."""

    notes: tuple[BusNote, ...]
    is_suspect: bool


class BusSubscription(Protocol):
    async def receive(self) -> BusBatch:
        """Wait for notes; bounded inside: what does not fit is dropped and the next batch says so."""
        ...


class Bus(Protocol):
    """The wire between workers: at most once, never the truth."""

    @property
    def is_up(self) -> bool:
        """Whether notes reach the other workers, as far as is known; if not, only the sweep finds what they did."""
        ...

    async def publish(self, notes: Sequence[BusNote]) -> None:
        """Hand notes to every subscriber, this worker's included. Never raises for a bus that is down."""
        ...

    def subscribe(self) -> AbstractAsyncContextManager[BusSubscription]: ...


class IdempotencyKeys(Protocol):
    """Requests that carry a key, and their answers."""

    async def claim(
        self, request: RequestKey, now: datetime, *, lease: timedelta, keep: timedelta
    ) -> KnownRequest | None:
        """Claim a key for this request: None if it is now the caller's to carry out, else what is known of it.

        A claim that was neither finished nor released, of the same fingerprint, can be taken over when ``lease`` has
        passed; any key can be used anew when ``keep`` has.

        Raises:
            RequestInProgress: others claim and release it all the time.
        """
        ...

    async def finish(self, request: RequestKey, answer: KeptAnswer) -> None:
        """Keep the answer of a claimed request."""
        ...

    async def release(self, request: RequestKey) -> None:
        """Forget a claimed request that has no answer: it may be tried again at once."""
        ...

    async def delete_before(self, moment: datetime, *, limit: int) -> int:
        """Delete at most ``limit`` keys of requests that began before ``moment``; return how many."""
        ...


class Audit(Protocol):
    """What operators did: written before the deed, settled once after it, never deleted here."""

    async def begin(self, entry: AuditEntry) -> None:
        """Store an action that is about to be taken, with the outcome ``BEGUN`` whatever the entry says.

        Raises:
            Conflict: the id is taken; nothing was stored.
        """
        ...

    async def settle(self, audit_id: AuditId, outcome: AuditOutcome, *, detail: str | None, now: datetime) -> bool:
        """Write how it ended; False if it is unknown or was settled before.

        Raises:
            Conflict: ``BEGUN`` is no end.
        """
        ...

    async def page(self, *, before: AuditPageKey | None, limit: int) -> list[AuditEntry]:
        """One page, newest first, ties by id descending; ``before`` is exclusive."""
        ...


class Health(Protocol):
    async def ping(self) -> None:
        """Prove that the database answers; raises Unavailable otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class Storage:
    """Everything the actors room is given."""

    accounts: Accounts
    directory: Directory
    conversations: Conversations
    writes: Writes
    streams: Streams
    bookings: Bookings
    outbox: Outbox
    idempotency: IdempotencyKeys
    audit: Audit
    bus: Bus
    health: Health


__all__ = [
    "Accounts",
    "Audit",
    "Bookings",
    "Bus",
    "BusBatch",
    "BusNote",
    "BusSubscription",
    "ClientKey",
    "ConversationPageKey",
    "Conversations",
    "Credentials",
    "Directory",
    "EndedSession",
    "Ephemeral",
    "GrownTo",
    "Health",
    "Hint",
    "IdempotencyKeys",
    "InstructorProfile",
    "Locked",
    "MarkQuery",
    "OpenedConversation",
    "Outbox",
    "Present",
    "Revocation",
    "RollCall",
    "Storage",
    "StreamPosition",
    "Streams",
    "WriteTransaction",
    "Writes",
]
