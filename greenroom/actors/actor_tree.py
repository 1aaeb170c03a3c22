"""Which actors a worker runs, under which bounds, and in which order they start.

::

    greenroom                     one_for_one
    ├── committer                 writes everything durable, in groups
    ├── sweep                     finds what the bus lost
    ├── bus-relay                 the one bus subscription of this worker
    ├── event-worker              does what follows from changes: messages, reminders
    ├── mail-worker               the same for mails
    ├── outbox-watch              how much of that is to be done, and how late it is
    ├── presence                  who is connected
    ├── alarm-clock               wakes streams for their heartbeats
    ├── session-check             ends the streams of sessions that ended
    ├── retention                 drops what is too old
    ├── streams/<user>            one per connected user
    ├── conversations/<id>        one per conversation in use
    ├── search-board              keeps what searches go by up to date
    ├── search-log                keeps what was searched for
    ├── search-indexer            makes services findable by what they say now
    ├── alias-learner             learns names of places from what is opened
    ├── searches/<id>             one per search that runs
    └── readings/<hash>           one per sentence that a model reads, where there is one

They are stopped in the reverse of this order: when a worker drains, what conversations still have in their mailboxes
finds the committer alive.
"""

from __future__ import annotations

from typing import Final

from greenroom.actors.addresses import CONVERSATION, ROOT, STREAM
from greenroom.actors.alarms import AlarmClock
from greenroom.actors.bus_relay import BusRelay
from greenroom.actors.committer import BATCH_MAX, Committer
from greenroom.actors.conversation import Conversation
from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.event_handlers import EventHandlers
from greenroom.actors.event_worker import EventWorker, MakeHandles
from greenroom.actors.outbox_watch import OutboxWatch
from greenroom.actors.presence import BATCH_MAX as PRESENCE_BATCH_MAX
from greenroom.actors.presence import Presence, changed_user
from greenroom.actors.retention import Retention
from greenroom.actors.search.room import SearchRoom
from greenroom.actors.session_check import SessionCheck
from greenroom.actors.sweep import Sweep
from greenroom.actors.user_stream import UserStream
from greenroom.actors.worker_state import WorkerState
from greenroom.schema.clock import WallClock
from greenroom.schema.ids import ConversationId, Ids, UserId
from greenroom.storage.mail import Mailer
from greenroom.storage.ports import Storage
from greenroom.supervisor import ActorSystem, ChildSpec, DynamicSpec, MailboxSpec, Overflow, SupervisorSpec

PARTITIONS: Final = 8
"""Failure domains of each dynamic supervisor: a crash loop in one eighth of the conversations spares the others."""

PRESENCE_MAILBOX: Final = 10_000
"""One place per user whose connections changed."""

COMMITTER_MAILBOX: Final = 4_000
"""Commands that wait for a commit: at some thousands per second, about a second's worth."""

CHILDREN_MAX: Final = 50_000
"""Live conversations, and live streams, per worker; at about 6 KB each this is some hundred megabytes."""


def actor_tree(
    storage: Storage,
    state: WorkerState,
    settings: CoreSettings,
    search: SearchRoom,
    *,
    mailer: Mailer,
    ids: Ids,
    wall: WallClock,
) -> SupervisorSpec:
    """Declare one worker's actors; nothing runs yet."""

    def handlers(system: ActorSystem) -> EventHandlers:
        return EventHandlers(
            system=system, accounts=storage.accounts, mailer=mailer, mail_domain=settings.mail_domain
        )

    return SupervisorSpec(
        ROOT,
        (
            ChildSpec(
                "committer",
                lambda: Committer(
                    writes=storage.writes,
                    bus=storage.bus,
                    epoch=state.replay.epoch,
                    ids=ids,
                    wall=wall,
                    is_online=state.presence.is_online,
                    edit_window=settings.edit_window,
                    reminder_lead=settings.reminder_lead,
                ),
                mailbox=MailboxSpec(capacity=COMMITTER_MAILBOX),
                batch_max=BATCH_MAX,
                shutdown_s=settings.drain_timeout_s,
                essential=True,
            ),
            ChildSpec(
                "sweep", lambda: Sweep(streams=storage.streams, feeds=state.feeds, bus=storage.bus), essential=True
            ),
            ChildSpec(
                "bus-relay",
                lambda: BusRelay(bus=storage.bus, feeds=state.feeds, sessions=state.sessions),
                essential=True,
            ),
            _event_worker("event-worker", storage, state.name, lambda system: handlers(system).inside),
            _event_worker("mail-worker", storage, state.name, lambda system: handlers(system).mail),
            ChildSpec("outbox-watch", lambda: OutboxWatch(outbox=storage.outbox, board=state.outbox)),
            ChildSpec(
                "presence",
                lambda: Presence(
                    board=state.presence,
                    feeds=state.feeds,
                    conversations=storage.conversations,
                    bus=storage.bus,
                    wall=wall,
                    worker=settings.worker,
                ),
                mailbox=MailboxSpec(capacity=PRESENCE_MAILBOX, overflow=Overflow.CONFLATE(changed_user)),
                batch_max=PRESENCE_BATCH_MAX,
            ),
            ChildSpec("alarm-clock", lambda: AlarmClock(state.alarms)),
            ChildSpec(
                "session-check",
                lambda: SessionCheck(
                    accounts=storage.accounts, feeds=state.feeds, sessions=state.sessions, wall=wall
                ),
            ),
            ChildSpec(
                "retention",
                lambda: Retention(
                    streams=storage.streams,
                    accounts=storage.accounts,
                    idempotency=storage.idempotency,
                    outbox=storage.outbox,
                    search_log=storage.search_log,
                    wall=wall,
                    keep=settings.event_retention,
                    keep_searches=settings.search_retention,
                ),
            ),
            DynamicSpec(
                "streams",
                STREAM,
                lambda key: UserStream(
                    UserId(key),
                    replay=state.replay,
                    feeds=state.feeds,
                    idle_s=settings.stream_idle_s,
                ),
                max_children=CHILDREN_MAX,
                partitions=PARTITIONS,
                essential=True,
            ),
            DynamicSpec(
                "conversations",
                CONVERSATION,
                lambda key: Conversation(
                    ConversationId(key),
                    conversations=storage.conversations,
                    bus=storage.bus,
                    wall=wall,
                    is_alone=settings.worker is None,
                ),
                max_children=CHILDREN_MAX,
                partitions=PARTITIONS,
                essential=True,
                passivate_after_s=settings.conversation_idle_s,
            ),
            *search.children,
        ),
        # A worker whose actors crash more often than this is better replaced than nursed.
        intensity=10,
        period_s=10.0,
    )


def _event_worker(name: str, storage: Storage, worker: str, handles: MakeHandles) -> ChildSpec:
    # Not essential, though much is promised of it: what it is to do is stored, and another worker does it. To take this
    # one's requests away would help nobody. That jobs are late is told by the age of the oldest.
    return ChildSpec(
        name,
        lambda: EventWorker(outbox=storage.outbox, worker=f"{worker}/{name}", handles=handles),
        kind="event-worker",
        mailbox=MailboxSpec(capacity=4, overflow=Overflow.CONFLATE(type)),
    )
