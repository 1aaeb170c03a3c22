"""The whole server without HTTP: what clients, operators and simulations deal with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from greenroom.actors.actor_tree import actor_tree
from greenroom.actors.answering_once import AnsweringOnce
from greenroom.actors.audit_trail import AuditTrail
from greenroom.actors.authentication import Authentication
from greenroom.actors.booking_desk import BookingDesk
from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.directory import InstructorDirectory
from greenroom.actors.draining import Draining
from greenroom.actors.event_streams import EventStreams
from greenroom.actors.feeds import LocalFeeds
from greenroom.actors.limiting import Limiting
from greenroom.actors.lockout import Ladder, Lockout
from greenroom.actors.loop_watch import LoopWatch
from greenroom.actors.messaging import Messaging
from greenroom.actors.operating import Operating
from greenroom.actors.outbox_watch import OutboxBoard
from greenroom.actors.presence import PresenceBoard
from greenroom.actors.replay import Replay
from greenroom.actors.search.cities import Cities
from greenroom.actors.search.desk import SearchDesk
from greenroom.actors.search.learning.review import AliasReview
from greenroom.actors.search.log.reading import SearchHistory
from greenroom.actors.search.operating import SearchOperating
from greenroom.actors.search.room import SearchPlan, SearchRoom, build_search, plan_without_network
from greenroom.actors.sign_in import SignIn
from greenroom.actors.teaching import Teaching
from greenroom.actors.worker_state import WorkerState
from greenroom.schema.clock import WallClock
from greenroom.schema.errors import OutOfService
from greenroom.schema.ids import Ids
from greenroom.storage.captcha import Captcha
from greenroom.storage.mail import LogMailer, Mailer
from greenroom.storage.passwords import Passwords
from greenroom.storage.ports import Bus, Health, Storage
from greenroom.supervisor import ActorSystem, open_system


@dataclass(frozen=True, kw_only=True, slots=True)
class Core:
    """What there is to deal with; made by :func:`open_core`."""

    system: ActorSystem
    draining: Draining
    sign_in: SignIn
    messaging: Messaging
    bookings: BookingDesk
    streams: EventStreams
    directory: InstructorDirectory
    teaching: Teaching
    answering_once: AnsweringOnce
    operating: Operating
    search: SearchDesk
    cities: Cities
    searches: SearchHistory
    search_operating: SearchOperating
    alias_review: AliasReview
    search_room: SearchRoom
    board: PresenceBoard
    outbox: OutboxBoard
    limiting: Limiting
    loop: LoopWatch
    feeds: LocalFeeds
    health: Health
    bus: Bus

    @property
    def open_streams(self) -> int:
        """Connections that follow a stream on this worker."""
        return len(self.feeds)

    @property
    def is_degraded(self) -> bool:
        """Whether news from other workers may be late, as the bus is down."""
        return not self.bus.is_up

    async def ready(self) -> None:
        """Prove that requests can be served.

        Raises:
            Unavailable: the database is away, or an actor without which nothing works does not work.
        """
        hindered = self.system.hindered()
        if hindered:
            raise OutOfService("; ".join(f"{path} is {why.value}" for path, why in hindered) + ".")
        await self.health.ping()


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
    replay = Replay(storage.streams, epoch=await storage.streams.epoch())
    state, loop = WorkerState(ids.ulid(), replay), LoopWatch()
    limiting = Limiting(storage.limits, settings.limits)
    search_room = build_search(storage, search or plan_without_network(), wall=wall, worker=state.name)
    tree = actor_tree(storage, state, settings, search_room, mailer=mailer or LogMailer(), ids=ids, wall=wall)
    async with AsyncExitStack() as stack:
        stack.enter_context(loop.attached())
        system = await stack.enter_async_context(open_system(tree, seed=seed, wall=wall))
        trail = AuditTrail(storage.audit, ids=ids, wall=wall)
        core = Core(
            system=system,
            feeds=state.feeds,
            board=state.presence,
            outbox=state.outbox,
            draining=Draining(state.feeds, bound_s=settings.drain_timeout_s),
            health=storage.health,
            bus=storage.bus,
            sign_in=SignIn(
                system=system,
                accounts=storage.accounts,
                passwords=passwords,
                authentication=Authentication(accounts=storage.accounts, sessions=state.sessions, wall=wall),
                sessions=state.sessions,
                feeds=state.feeds,
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
                feeds=state.feeds,
                board=state.presence,
                alarms=state.alarms,
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
            answering_once=AnsweringOnce(storage.idempotency, wall=wall),
            operating=Operating(
                system=system,
                trail=trail,
                audit=storage.audit,
                outbox=storage.outbox,
                accounts=storage.accounts,
            ),
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
            core.draining.begin()
            await system.shutdown(core.draining.stop_budget_s)
