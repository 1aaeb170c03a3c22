"""The whole server without HTTP: the actor tree and what clients, operators and simulations deal with.

::

    greenroom                     one_for_one
    ├── committer                 writes everything durable, in groups
    ├── event-worker              does what follows from changes: messages, reminders
    ├── mail-worker               the same for mails
    ├── outbox-watch              how much of that is to be done, and how late it is
    ├── sweep                     finds what the bus lost
    ├── bus-relay                 the one bus subscription of this worker
    ├── presence                  who is connected
    ├── alarm-clock               wakes streams for their heartbeats
    ├── session-check             ends the streams of sessions that ended
    ├── retention                 drops what is too old
    ├── search-board              keeps what searches go by up to date
    ├── search-log                keeps what was searched for
    ├── alias-learner             learns names of places from what is opened
    ├── search-indexer            makes services findable by what they say now
    ├── searches/<id>             one per search that runs
    ├── readings/<hash>           one per sentence that a model reads, where there is one
    ├── streams/<user>            one per connected user
    └── conversations/<id>        one per conversation in use

They are started in this order and stopped in the reverse: when a worker drains, what conversations still have in
their mailboxes finds the committer alive.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import trio

from greenroom.actors.addresses import CONVERSATION, ROOT, STREAM
from greenroom.actors.alarms import AlarmClock, Alarms
from greenroom.actors.answering_once import AnsweringOnce
from greenroom.actors.audit_trail import AuditTrail
from greenroom.actors.authentication import Authentication
from greenroom.actors.booking_desk import BookingDesk
from greenroom.actors.bus_relay import BusRelay
from greenroom.actors.committer import BATCH_MAX, EDIT_WINDOW, REMINDER_LEAD, Committer
from greenroom.actors.conversation import Conversation
from greenroom.actors.directory import InstructorDirectory
from greenroom.actors.event_handlers import EventHandlers
from greenroom.actors.event_streams import EventStreams
from greenroom.actors.event_worker import EventWorker, MakeHandles
from greenroom.actors.feeds import LocalFeeds
from greenroom.actors.limiting import Limiting, LimitPolicies
from greenroom.actors.lockout import Ladder, Lockout
from greenroom.actors.loop_watch import LoopWatch
from greenroom.actors.messaging import Messaging
from greenroom.actors.operating import Operating
from greenroom.actors.outbox_watch import OutboxBoard, OutboxWatch
from greenroom.actors.presence import BATCH_MAX as PRESENCE_BATCH_MAX
from greenroom.actors.presence import Presence, PresenceBoard, changed_user
from greenroom.actors.replay import Replay
from greenroom.actors.retention import Retention
from greenroom.actors.search.cities import Cities
from greenroom.actors.search.desk import SearchDesk
from greenroom.actors.search.learning.review import AliasReview
from greenroom.actors.search.log.reading import SearchHistory
from greenroom.actors.search.operating import SearchOperating
from greenroom.actors.search.room import SearchPlan, SearchRoom, build_search, plan_without_network
from greenroom.actors.session_cache import SessionCache
from greenroom.actors.session_check import SessionCheck
from greenroom.actors.sign_in import SignIn
from greenroom.actors.sweep import Sweep
from greenroom.actors.teaching import Teaching
from greenroom.actors.user_stream import UserStream
from greenroom.schema.clock import WallClock
from greenroom.schema.errors import OutOfService
from greenroom.schema.events import ClosingReason
from greenroom.schema.ids import ConversationId, Ids, UserId
from greenroom.storage.captcha import Captcha
from greenroom.storage.mail import LogMailer, Mailer
from greenroom.storage.passwords import Passwords
from greenroom.storage.ports import Bus, Health, Storage
from greenroom.supervisor import (
    ActorSystem,
    ChildSpec,
    DynamicSpec,
    MailboxSpec,
    Overflow,
    SupervisorSpec,
    open_system,
)

PARTITIONS: Final = 8
"""Failure domains of each dynamic supervisor: a crash loop in one eighth of the conversations spares the others."""

PRESENCE_MAILBOX: Final = 10_000
"""One place per user whose connections changed."""

COMMITTER_MAILBOX: Final = 4_000
"""Commands that wait for a commit: at some thousands per second, about a second's worth."""

CHILDREN_MAX: Final = 50_000
"""Live conversations, and live streams, per worker; at about 6 KB each this is some hundred megabytes."""

STREAMS_CLOSED_WITHIN_S: Final = 5.0
"""When draining: with what clients wait before they come back, thousands are spread over ten seconds."""

STREAMS_CLOSED_EVERY_S: Final = 0.05
STREAMS_CLOSED_AT_ONCE: Final = 10
"""At least: where there are few, they need not be kept for long."""

STOP_S_MIN: Final = 2.0
"""For actors to commit what they have, although connections took all of the time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CoreSettings:
    """What the core needs to be told, all with the defaults of the server."""

    session_life: timedelta = timedelta(hours=12)
    event_retention: timedelta = timedelta(days=28)
    search_retention: timedelta = timedelta(days=30)
    edit_window: timedelta = EDIT_WINDOW
    reminder_lead: timedelta = REMINDER_LEAD
    mail_domain: str = "localhost"
    """What the ids of mails end in."""

    conversation_idle_s: float = 60.0
    stream_idle_s: float = 30.0
    drain_timeout_s: float = 10.0
    worker: str | None = None
    """Names this process among several that share a bus; None if it is the only one."""

    limits: LimitPolicies = LimitPolicies()  # noqa: RUF009 - frozen
    lockout_failures: int = 0
    """From how many wrong passwords in a row on an account is locked; 0 for never."""

    captcha_failures: int = 3
    """After how many of them, if fewer, a sign-in needs a captcha, where there is one; only where accounts are locked."""


class Core:
    """What there is to deal with; made by :func:`open_core`."""

    def __init__(
        self,
        *,
        system: ActorSystem,
        feeds: LocalFeeds,
        health: Health,
        bus: Bus,
        drain_s: float,
        sign_in: SignIn,
        messaging: Messaging,
        bookings: BookingDesk,
        streams: EventStreams,
        directory: InstructorDirectory,
        teaching: Teaching,
        board: PresenceBoard,
        answering_once: AnsweringOnce,
        operating: Operating,
        search: SearchDesk,
        cities: Cities,
        searches: SearchHistory,
        search_operating: SearchOperating,
        alias_review: AliasReview,
        search_room: SearchRoom,
        outbox: OutboxBoard,
        limiting: Limiting,
        loop: LoopWatch,
    ) -> None:
        self.system = system
        self.sign_in = sign_in
        self.messaging = messaging
        self.bookings = bookings
        self.streams = streams
        self.directory = directory
        self.teaching = teaching
        self.board = board
        self.answering_once = answering_once
        self.operating = operating
        self.search = search
        self.cities = cities
        self.searches = searches
        self.search_operating = search_operating
        self.alias_review = alias_review
        self.search_room = search_room
        self.outbox = outbox
        self.limiting = limiting
        self.loop = loop
        self.is_draining = False
        self._drain_s = drain_s
        self._drain_by = math.inf
        self._feeds = feeds
        self._health = health
        self._bus = bus

    @property
    def open_streams(self) -> int:
        """Connections that follow a stream on this worker."""
        return len(self._feeds)

    @property
    def is_degraded(self) -> bool:
        """Whether news from other workers may be late, as the bus is down."""
        return not self._bus.is_up

    async def ready(self) -> None:
        """Prove that requests can be served.

        Raises:
            Unavailable: the database is away, or an actor without which nothing works does not work.
        """
        hindered = self.system.hindered()
        if hindered:
            raise OutOfService("; ".join(f"{path} is {why.value}" for path, why in hindered) + ".")
        await self._health.ping()

    def start_draining(self) -> None:
        """Tell every stream to close and to come back elsewhere. Doing it twice is fine."""
        self._drain_began()
        self._feeds.close_all(ClosingReason.DRAINING)

    async def drain_streams(self) -> None:
        """Do what :meth:`start_draining` does, a few streams at a time, so that they don't all come back in one instant.

        It takes at most STREAMS_CLOSED_WITHIN_S and half of the bound on draining. Cancelled, it leaves the rest open.
        """
        self._drain_began()
        self._feeds.close_newcomers(ClosingReason.DRAINING)
        waiting = self._feeds.everybodys()
        within_s = min(STREAMS_CLOSED_WITHIN_S, self._drain_s / 2)
        at_once = max(STREAMS_CLOSED_AT_ONCE, math.ceil(len(waiting) * STREAMS_CLOSED_EVERY_S / within_s))
        while waiting:
            for feed in waiting[-at_once:]:
                feed.close(ClosingReason.DRAINING)
            del waiting[-at_once:]
            await trio.sleep(STREAMS_CLOSED_EVERY_S)

    @property
    def stop_budget_s(self) -> float:
        """What draining has left of its bound for actors to stop in, and at least a little."""
        return max(STOP_S_MIN, self._drain_by - trio.current_time())

    def _drain_began(self) -> None:
        self.is_draining = True
        self._drain_by = min(self._drain_by, trio.current_time() + self._drain_s)


@asynccontextmanager
async def open_core(
    storage: Storage,
    *,
    passwords: Passwords,
    ids: Ids,
    wall: WallClock,
    seed: int,
    settings: CoreSettings | None = None,
    mailer: Mailer | None = None,
    search: SearchPlan | None = None,
    captcha: Captcha | None = None,
) -> AsyncIterator[Core]:
    """Run the server's actors; leaving the context commits what is in their mailboxes and stops them.

    Args:
        seed: of every random choice that is not a secret: jitter, backoff.
        captcha: tells people from others, where many wrong passwords were tried; None to do without.
        mailer: hands in mails; None to log that there would have been some.
        search: how is searched, and with which models; None for the defaults without any network.

    Raises:
        Unavailable: the database can't be reached at the start.
    """
    settings = settings or CoreSettings()
    epoch = await storage.streams.epoch()
    feeds, sessions, board, loop = LocalFeeds(), SessionCache(), PresenceBoard(), LoopWatch()
    outbox = OutboxBoard()
    limiting = Limiting(storage.limits, settings.limits)
    alarms, replay = Alarms(), Replay(storage.streams, epoch=epoch)
    # Never the name of a worker before, whose claims may still stand.
    worker = ids.ulid()
    plan = search or plan_without_network()
    search_room = build_search(storage, plan, wall=wall, worker=worker)

    def handlers(system: ActorSystem) -> EventHandlers:
        return EventHandlers(
            system=system,
            accounts=storage.accounts,
            mailer=mailer or LogMailer(),
            mail_domain=settings.mail_domain,
        )

    tree = SupervisorSpec(
        ROOT,
        (
            ChildSpec(
                "committer",
                lambda: Committer(
                    writes=storage.writes,
                    bus=storage.bus,
                    epoch=epoch,
                    ids=ids,
                    wall=wall,
                    is_online=board.is_online,
                    edit_window=settings.edit_window,
                    reminder_lead=settings.reminder_lead,
                ),
                mailbox=MailboxSpec(capacity=COMMITTER_MAILBOX),
                batch_max=BATCH_MAX,
                shutdown_s=settings.drain_timeout_s,
                essential=True,
            ),
            ChildSpec(
                "sweep", lambda: Sweep(streams=storage.streams, feeds=feeds, bus=storage.bus), essential=True
            ),
            ChildSpec(
                "bus-relay", lambda: BusRelay(bus=storage.bus, feeds=feeds, sessions=sessions), essential=True
            ),
            _event_worker("event-worker", storage, worker, lambda system: handlers(system).inside),
            _event_worker("mail-worker", storage, worker, lambda system: handlers(system).mail),
            ChildSpec("outbox-watch", lambda: OutboxWatch(outbox=storage.outbox, board=outbox)),
            ChildSpec(
                "presence",
                lambda: Presence(
                    board=board,
                    feeds=feeds,
                    conversations=storage.conversations,
                    bus=storage.bus,
                    wall=wall,
                    worker=settings.worker,
                ),
                mailbox=MailboxSpec(capacity=PRESENCE_MAILBOX, overflow=Overflow.CONFLATE(changed_user)),
                batch_max=PRESENCE_BATCH_MAX,
            ),
            ChildSpec("alarm-clock", lambda: AlarmClock(alarms)),
            ChildSpec(
                "session-check",
                lambda: SessionCheck(accounts=storage.accounts, feeds=feeds, sessions=sessions, wall=wall),
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
                    replay=replay,
                    feeds=feeds,
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
            *search_room.children,
        ),
        # A worker whose actors crash more often than this is better replaced than nursed.
        intensity=10,
        period_s=10.0,
    )
    async with AsyncExitStack() as stack:
        stack.enter_context(loop.attached())
        system = await stack.enter_async_context(open_system(tree, seed=seed, wall=wall))
        trail = AuditTrail(storage.audit, ids=ids, wall=wall)
        core = Core(
            system=system,
            feeds=feeds,
            health=storage.health,
            bus=storage.bus,
            drain_s=settings.drain_timeout_s,
            sign_in=SignIn(
                system=system,
                accounts=storage.accounts,
                passwords=passwords,
                authentication=Authentication(accounts=storage.accounts, sessions=sessions, wall=wall),
                sessions=sessions,
                feeds=feeds,
                bus=storage.bus,
                ids=ids,
                wall=wall,
                session_life=settings.session_life,
                limiting=limiting,
                lockout=Lockout(
                    storage.limits, Ladder(settings.lockout_failures), counts_anyway=captcha is not None
                ),
                captcha=captcha,
                captcha_failures=settings.captcha_failures,
            ),
            messaging=Messaging(
                system=system,
                accounts=storage.accounts,
                conversations=storage.conversations,
                limiting=limiting,
                wall=wall,
            ),
            bookings=BookingDesk(
                system=system,
                bookings=storage.bookings,
                conversations=storage.conversations,
                directory=storage.directory,
                limiting=limiting,
                wall=wall,
            ),
            streams=EventStreams(
                system=system,
                streams=storage.streams,
                replay=replay,
                feeds=feeds,
                board=board,
                alarms=alarms,
                wall=wall,
                rng=system.stream("event-streams"),
            ),
            directory=InstructorDirectory(storage.directory),
            teaching=Teaching(
                directory=storage.directory,
                catalogue=storage.catalogue,
                places=storage.places,
                ids=ids,
                wall=wall,
            ),
            board=board,
            answering_once=AnsweringOnce(storage.idempotency, wall=wall),
            operating=Operating(
                system=system,
                trail=trail,
                audit=storage.audit,
                outbox=storage.outbox,
                accounts=storage.accounts,
            ),
            outbox=outbox,
            limiting=limiting,
            search=search_room.desk(system, ids=ids, wall=wall),
            cities=Cities(storage.places),
            searches=search_room.searches(storage, wall=wall),
            alias_review=search_room.review(storage=storage, trail=trail, wall=wall),
            search_operating=search_room.operating(storage=storage, trail=trail, wall=wall),
            search_room=search_room,
            loop=loop,
        )
        try:
            yield core
        finally:
            core.start_draining()
            await system.shutdown(core.stop_budget_s)


def _event_worker(name: str, storage: Storage, worker: str, handles: MakeHandles) -> ChildSpec:
    # Not essential, though much is promised of it: what it is to do is stored, and another worker does it. To take this
    # one's requests away would help nobody. That jobs are late is told by the age of the oldest.
    return ChildSpec(
        name,
        lambda: EventWorker(outbox=storage.outbox, worker=f"{worker}/{name}", handles=handles),
        kind="event-worker",
        mailbox=MailboxSpec(capacity=4, overflow=Overflow.CONFLATE(type)),
    )
