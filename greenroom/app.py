"""Where everything is put together: storage, the core's actors, HTTP, signals, and the order in which they stop.

Starting: Postgres (embedded unless a URL is given), migrations, the core, HTTP. Stopping, on SIGTERM or Ctrl-C, goes
the other way: readiness turns 503 and streams are told to come back elsewhere, a few at a time, connections finish what
they began, actors commit what is in their mailboxes, the pool closes, Postgres stops. A second signal cuts that short,
and so does the bound on all of it; nothing depends on an orderly stop, because starting is recovering.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom
from typing import Final, Protocol
from uuid import UUID

import structlog
import trio
from hypercorn.typing import ASGIFramework
from pydantic import SecretStr

from greenroom.actors.core import Core, CoreSettings, open_core
from greenroom.actors.limiting import HOUR_S, MINUTE_S, LimitPolicies
from greenroom.actors.search.board import SearchBoard
from greenroom.actors.search.learning.ballot import LearningRules
from greenroom.actors.search.room import SearchPlan
from greenroom.actors.stall_watchdog import Stall, StallWatchdog
from greenroom.http import sockets
from greenroom.http.app import Application, connection_refusal, create_app
from greenroom.http.metrics import CounterCollector, GaugeCollector, ServingCollector
from greenroom.http.serving import Limits, Listener, Server, TrustedProxies, listen, room_for_connections
from greenroom.http.serving.limits import LOCAL_CONNECTIONS_MAX
from greenroom.models.opening import open_models
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.errors import StorageUnavailable
from greenroom.schema.ids import Ids, RandomIds
from greenroom.schema.rate_limits import Policy
from greenroom.schema.settings import BadSettings, Settings
from greenroom.stop_bound import STOP_MORE_S, bounding_stop
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.bus_opening import BusKind, open_bus
from greenroom.storage.bus_shared import SharedBus
from greenroom.storage.captcha import DUMMY_SECRETS, Captcha, open_turnstile
from greenroom.storage.flights import open_flights
from greenroom.storage.limits.opening import open_limits
from greenroom.storage.mail import BadSmtpUrl, LogMailer, Mailer, SmtpMailer, SmtpServer
from greenroom.storage.passwords import Argon2Passwords, Passwords
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import Pool, PostgresOptions, open_pool, postgres_storage
from greenroom.storage.postgres.database_clock import open_database_clock
from greenroom.storage.postgres.embedded import open_embedded
from greenroom.storage.postgres.migrate import migrate
from greenroom.storage.redis import BadRedisUrl, RedisUrl
from greenroom.storage.retrieval.rules import RetrievalRules

KEY_FILE: Final = "admin-api-key"
"""In the data folder: the operator's key of a server that was given none."""

_log = structlog.get_logger(__name__)


class CannotStart(Exception):
    """A setting that can't be used here: an address that is taken, a folder that can't be written."""


class Steps(Protocol):
    """Told what is going on, for those who wait."""

    def step(self, what: str) -> AbstractContextManager[None]: ...

    async def watch(self) -> None: ...


class Seed(Protocol):
    """Fills an empty marketplace."""

    def __call__(self, storage: Storage, *, passwords: Passwords, ids: Ids, now: datetime) -> Awaitable[bool]: ...


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts requests."""

    url: str
    data_dir: Path
    warnings: tuple[str, ...] = ()


async def run_server(
    settings: Settings,
    *,
    steps: Steps,
    announce: Callable[[Running], None],
    seed: Seed | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain; returns when all has stopped in order.

    Args:
        announce: called once, when requests are served.
        seed: fills the marketplace before that.

    Raises:
        Unavailable: the database can't be reached at the start.
        CannotStart: the address can't be bound, or the data folder not be used.
    """
    make_data_dir(settings)
    settings = with_admin_api_key(settings)
    limits = serving_limits(settings)
    async with AsyncExitStack() as until_the_end:
        # Outside of everything that stops, so that a second signal and the bound hold until all has.
        watching = await until_the_end.enter_async_context(trio.open_nursery())
        until_the_end.callback(watching.cancel_scope.cancel)
        start_clock = until_the_end.enter_context(bounding_stop(settings.drain_timeout_s + STOP_MORE_S))
        async with watched(steps), AsyncExitStack() as stack:
            # Bound first: that the port is taken should be known before Postgres is started.
            listeners = await bind(settings, limits)
            for listener in listeners:
                stack.push_async_callback(listener.aclose)
            pool = await stack.enter_async_context(open_database(settings, steps))
            if seed is not None:
                await seed_marketplace(seed, pool.options, settings, steps)
            opened = await stack.enter_async_context(
                open_server(settings, pool=pool, listeners=listeners, limits=limits)
            )
            signals = until_the_end.enter_context(trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT))

            async def told_to_stop() -> bool:
                announce(running(settings, opened.server.addresses[0]))
                await signals.__anext__()
                start_clock()
                watching.start_soon(_exit_on_signal, signals)
                return False

            await serve_until(opened, told_to_stop)
    _log.info("stopped")


@dataclass(frozen=True, slots=True)
class OpenServer:
    """One worker, put together and not serving yet."""

    core: Core
    server: Server


@asynccontextmanager
async def open_server(
    settings: Settings,
    *,
    pool: Pool,
    listeners: list[Listener],
    limits: Limits,
    workers: int = 1,
    before: Callable[[Application], ASGIFramework] = lambda app: app,
) -> AsyncIterator[OpenServer]:
    """Put one worker together over a migrated database; leaving stops its actors and then its bus.

    Args:
        workers: how many there are on this machine.
        before: puts something before the application.

    Raises:
        BadSettings: the bus's settings can't be used together.
        Unavailable: the database can't be reached.
    """
    async with AsyncExitStack() as stack:
        # Not this machine's: were that stepped, sessions would end and streams lose their past before their time.
        wall = await stack.enter_async_context(open_database_clock(pool))
        ids = RandomIds(SystemRandom(), wall)
        kind, redis = bus_kind(settings, workers=workers)
        # Never the name of a worker before: what that one said must not pass for what this one says.
        worker = ids.ulid()
        bus = await stack.enter_async_context(
            open_bus(kind, pool=pool, redis=redis, worker=worker, rng=SystemRandom())
        )
        rates = await stack.enter_async_context(open_limits(kind, pool=pool, redis=redis, workers=workers))
        board = SearchBoard(settings.search.config())
        flights = None
        if settings.search.provider == "openai":
            # Any other embeds in less time than it would take to ask.
            flights = await stack.enter_async_context(open_flights(kind, pool=pool, redis=redis, token=ids.ulid))
        models = await stack.enter_async_context(
            open_models(settings.search, config=lambda: board.config, rng=SystemRandom(), flights=flights)
        )
        storage = postgres_storage(
            pool, bus=bus, limits=rates, retrieval_rules=RetrievalRules.from_settings(settings.search)
        )
        captcha = await stack.enter_async_context(a_captcha(settings, ids))
        core = await stack.enter_async_context(
            open_core(
                storage,
                passwords=make_passwords(settings),
                ids=ids,
                wall=wall,
                seed=SystemRandom().getrandbits(64),
                settings=core_settings(settings, worker=None if kind is BusKind.LOCAL else worker),
                mailer=make_mailer(settings),
                search=SearchPlan(
                    settings=settings.search, board=board, models=models, learning=learning_rules(settings)
                ),
                captcha=captcha,
            )
        )
        watchdog = stall_watchdog(core, settings)
        server = build_server(
            core,
            settings,
            ids=ids,
            pool=pool,
            bus=bus,
            listeners=listeners,
            limits=limits,
            watchdog=watchdog,
            before=before,
        )
        await stack.enter_async_context(settled(watchdog))
        yield OpenServer(core, server)


async def seed_marketplace(seed: Seed, options: PostgresOptions, settings: Settings, steps: Steps) -> None:
    """Fill an empty marketplace, before anybody serves it."""
    with steps.step("Filling the marketplace"):
        async with open_pool(options.for_loading()) as pool:
            await seed(
                postgres_storage(pool, bus=LocalBus()),
                passwords=make_passwords(settings),
                ids=RandomIds(SystemRandom(), system_wall_clock),
                now=system_wall_clock(),
            )


async def serve_until(opened: OpenServer, told_to_stop: Callable[[], Awaitable[bool]]) -> None:
    """Serve, and drain once ``told_to_stop``, which is called when requests are accepted, returns.

    Args:
        told_to_stop: says whether somebody else goes on accepting connections from the same sockets.
    """
    async with trio.open_nursery() as nursery:
        await nursery.start(opened.server.run)
        has_successor = await told_to_stop()
        _log.info("draining", streams=opened.core.open_streams)
        nursery.start_soon(opened.core.drain_streams)
        await opened.server.drain(has_successor=has_successor)
        nursery.cancel_scope.cancel()


def bus_kind(settings: Settings, *, workers: int) -> tuple[BusKind, RedisUrl | None]:
    """Choose the bus, and read the URL of Redis if there is one.

    Raises:
        BadSettings: the URL can't be used, or is missing.
    """
    redis = None
    if settings.redis_url is not None:
        try:
            redis = RedisUrl.parse(settings.redis_url.get_secret_value())
        except BadRedisUrl as exc:
            raise BadSettings(f"GREENROOM_REDIS_URL: {exc}") from None
    if settings.bus != "auto":
        kind = BusKind(settings.bus)
    elif redis is not None:
        kind = BusKind.REDIS
    else:
        kind = BusKind.POSTGRES if workers > 1 else BusKind.LOCAL
    if kind is BusKind.REDIS and redis is None:
        raise BadSettings("GREENROOM_REDIS_URL: must be set for GREENROOM_BUS=redis")
    if kind is BusKind.LOCAL and workers > 1:
        raise BadSettings("GREENROOM_BUS: local can't connect several workers")
    return kind, redis


def make_passwords(settings: Settings) -> Argon2Passwords:
    return Argon2Passwords(slots=settings.login_slots, queue_timeout_s=settings.login_queue_timeout_ms / 1000)


def make_mailer(settings: Settings) -> Mailer:
    """
    Raises:
        BadSettings: the URL of the mail server can't be used.
    """
    if settings.smtp_url is None:
        return LogMailer()
    try:
        server = SmtpServer.parse(settings.smtp_url.get_secret_value())
    except BadSmtpUrl as exc:
        raise BadSettings(f"GREENROOM_SMTP_URL: {exc}") from None
    return SmtpMailer(server, sender=settings.mail_from)


@asynccontextmanager
async def a_captcha(settings: Settings, ids: Ids) -> AsyncIterator[Captcha | None]:
    """Make what tells people from others; None if there is nobody to ask.

    Raises:
        BadSettings: a secret that passes everybody, on a server that others can reach.
    """
    if settings.turnstile_secret is None:
        yield None
        return
    secret = settings.turnstile_secret.get_secret_value()
    if secret in DUMMY_SECRETS and not settings.is_loopback:
        raise BadSettings("GREENROOM_TURNSTILE_SECRET: is one of Turnstile's own for tests")

    def key() -> str:
        return str(UUID(hex=ids.secret()[:32], version=4))

    hosts = settings.allowed_hosts
    async with open_turnstile(url=settings.turnstile_url, secret=secret, hosts=hosts, key=key) as turnstile:
        yield turnstile


YOUNG_OBJECTS_MAX: Final = 5_000
"""Looked through for garbage when there are more: as many as a handful of searches have in use, in some 8 ms."""

BUS_DESCRIPTORS_MAX: Final = 32
"""Connections that carry news between workers: a few, to each node of a cluster."""


def serving_limits(settings: Settings) -> Limits:
    connections_max = room_for_connections(
        settings.connections_max,
        elsewhere=settings.database_pool_size + BUS_DESCRIPTORS_MAX + 2 * LOCAL_CONNECTIONS_MAX,
    )
    if connections_max < settings.connections_max:
        _log.warning(
            "fewer_connections", connections_max=connections_max, reason="the limit of open files (ulimit -n)"
        )
    return Limits(connections_max=connections_max, drain_s=settings.drain_timeout_s)


def _spare_the_collector() -> None:
    """Have the garbage collector walk only what is made from now on, and only when there may be something to collect.

    What stands when a server begins to serve, stands until it ends: modules, models, routes. A full collection walks it
    every few seconds of load and stops everything meanwhile, for some 90 ms.

    By default it looks for garbage whenever 700 more objects stand than before. A single search has more than that while it
    runs, so under load it looked 55 times a second, at what was still in use: 6 % of a worker's time, 1.5 % now.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX, *gc.get_threshold()[1:])


def running(settings: Settings, address: str) -> Running:
    """Say where a server is reached, and what to mind about it."""
    warnings = []
    if not settings.is_loopback and settings.is_cookie_secure:
        warnings.append(
            "Reachable from other machines. Browsers keep the session cookie over HTTPS only: put a TLS proxy in front, "
            "or set GREENROOM_COOKIE_SECURE=false on a network you trust."
        )
    if not settings.is_loopback and settings.admin_api_key is None:
        warnings.append(
            "No operator's key: set GREENROOM_ADMIN_API_KEY to use `greenroom actors` and the operators' routes."
        )
    return Running(url=f"http://{_reachable(address)}", data_dir=settings.data_dir, warnings=tuple(warnings))


def make_data_dir(settings: Settings) -> None:
    """Make the folder for what this server keeps itself: its embedded Postgres, its own operator's key."""
    if settings.database_url is not None and not settings.is_loopback:
        return
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise CannotStart(f"GREENROOM_DATA_DIR: {settings.data_dir} can't be used: {exc.strerror or exc}") from exc


async def bind(settings: Settings, limits: Limits) -> list[Listener]:
    try:
        return await listen(settings.host, settings.port, limits=limits)
    except OSError as exc:
        raise CannotStart(f"GREENROOM_BIND: can't serve on {settings.bind}: {exc.strerror or exc}") from exc


def stall_watchdog(core: Core, settings: Settings) -> StallWatchdog | None:
    """Make what logs whatever blocks the event loop; None if that is switched off."""
    if settings.stall_threshold_ms == 0:
        return None
    return StallWatchdog(core.loop, threshold_s=settings.stall_threshold_ms / 1000, report=_log_stall)


@asynccontextmanager
async def settled(watchdog: StallWatchdog | None) -> AsyncIterator[None]:
    """Have the garbage collector spare what stands by now, and watch for stalls during the block.

    Nobody is served yet, so what the collector takes is no stall: the turn in which it ran is over before the watch begins.
    """
    _spare_the_collector()
    await trio.lowlevel.checkpoint()
    with nullcontext() if watchdog is None else watchdog.watching():
        yield


def _log_stall(stall: Stall) -> None:
    _log.warning("loop_blocked", task=stall.owner, for_ms=round(stall.for_ms), at=list(stall.stack[-12:]))


def build_server(
    core: Core,
    settings: Settings,
    *,
    ids: Ids,
    pool: Pool,
    bus: LocalBus | SharedBus,
    listeners: list[Listener],
    limits: Limits,
    watchdog: StallWatchdog | None = None,
    before: Callable[[Application], ASGIFramework] = lambda app: app,
) -> Server:
    """Put HTTP before a core, and something else before that if there is anything."""
    server: Server
    collectors = [
        ServingCollector(lambda: server.statistics()),
        GaugeCollector("greenroom_streams_open", "Streams open on this worker.", lambda: core.open_streams),
        *(
            GaugeCollector(f"greenroom_pool_{name}", f"Database pool: {text}.", _pool_reader(pool, name))
            for name, text in POOL_GAUGES.items()
        ),
        GaugeCollector("greenroom_bus_up", "Whether all other workers can be heard.", lambda: float(bus.is_up)),
        *(
            CounterCollector(f"greenroom_bus_{name}", f"Bus of this worker: {text}.", _bus_reader(bus, name))
            for name, text in BUS_COUNTERS.items()
        ),
    ]
    app = create_app(core, settings, ids=ids, collectors=collectors, watchdog=watchdog)
    server = Server(
        before(app),
        listeners,
        limits=limits,
        refusal=connection_refusal(settings, ids),
        websocket_paths=[sockets.PATH],
        proxies=TrustedProxies.parse(settings.trusted_proxies),
    )
    return server


POOL_GAUGES: Final = {
    "size": "connections there may be",
    "in_use": "connections in use",
    "idle": "connections at rest",
    "waiting": "callers waiting for a connection",
    "exhausted": "callers turned away since the start",
}


BUS_COUNTERS: Final = {
    "published": "notes handed over to be sent",
    "dropped": "notes dropped because a subscription was full, or the wire down or too slow",
    "received": "notes received from other workers",
    "unreadable": "payloads dropped that no worker of ours wrote",
    "suspicions": "times something may have been lost on the way in",
    "losses": "times the wire was lost",
}


@asynccontextmanager
async def open_database(settings: Settings, steps: Steps) -> AsyncIterator[Pool]:
    """Start or reach Postgres, bring its schema up to date, and open the pool."""
    async with AsyncExitStack() as stack:
        options = PostgresOptions.from_settings(settings, await _conninfo(settings, steps, stack))
        with steps.step("Migrating the database"):
            await _migrate(options)
        yield await stack.enter_async_context(open_pool(options))


@asynccontextmanager
async def open_database_for_loading(settings: Settings, steps: Steps) -> AsyncIterator[Pool]:
    """The same, with the long waits of one who writes much while no request waits."""
    async with open_database(settings, steps) as pool, open_pool(pool.options.for_loading()) as patient:
        yield patient


async def migrate_database(settings: Settings, *, steps: Steps) -> list[str]:
    """Apply what is missing of the schema; return the names of what was applied."""
    make_data_dir(settings)
    async with watched(steps), AsyncExitStack() as stack:
        options = PostgresOptions.from_settings(settings, await _conninfo(settings, steps, stack))
        return await _migrate(options)


async def _migrate(options: PostgresOptions) -> list[str]:
    try:
        return await migrate(options)
    except StorageUnavailable as exc:
        reason = " ".join(str(exc.__cause__ or exc).split())
        raise StorageUnavailable(f"The database can't be reached: {reason}") from exc


@asynccontextmanager
async def watched(steps: Steps) -> AsyncIterator[None]:
    """Show the steps taken within the block."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(steps.watch)
        yield
        nursery.cancel_scope.cancel()


async def _conninfo(settings: Settings, steps: Steps, stack: AsyncExitStack) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    with steps.step("Starting embedded Postgres"):
        return (await stack.enter_async_context(open_embedded(settings.data_dir / "postgres"))).conninfo


def learning_rules(settings: Settings) -> LearningRules:
    return LearningRules(users_min=settings.learn_aliases_users, is_automatic=settings.learn_aliases == "auto")


def core_settings(settings: Settings, *, worker: str | None = None) -> CoreSettings:
    return CoreSettings(
        session_life=timedelta(hours=settings.session_hours),
        event_retention=timedelta(days=settings.event_retention_days),
        search_retention=timedelta(days=settings.search_retention_days),
        edit_window=timedelta(minutes=settings.edit_window_minutes),
        reminder_lead=timedelta(hours=settings.reminder_hours),
        mail_domain=settings.mail_domain,
        conversation_idle_s=settings.conversation_idle_s,
        stream_idle_s=settings.stream_idle_s,
        drain_timeout_s=settings.drain_timeout_s,
        worker=worker,
        limits=limit_policies(settings),
        lockout_failures=settings.login_lockout_failures,
        captcha_failures=settings.login_captcha_failures,
    )


def limit_policies(settings: Settings) -> LimitPolicies:
    def policy(name: str, limit: int, window_s: int) -> Policy | None:
        return Policy(name, limit, window_s) if limit else None

    return LimitPolicies(
        requests=policy("requests", settings.limit_requests_per_minute, MINUTE_S),
        anonymous_requests=policy("anonymous-requests", settings.limit_anonymous_requests_per_minute, MINUTE_S),
        sends=policy("sends", settings.limit_sends_per_minute, MINUTE_S),
        typing=policy("typing", settings.limit_typing_per_minute, MINUTE_S),
        conversations=policy("conversations", settings.limit_conversations_per_hour, HOUR_S),
        bookings=policy("bookings", settings.limit_bookings_per_hour, HOUR_S),
        registrations=policy("registrations", settings.limit_registrations_per_hour, HOUR_S),
        logins_by_minute=policy("logins-by-minute", settings.limit_logins_per_minute, MINUTE_S),
        logins_by_hour=policy("logins-by-hour", settings.limit_logins_per_hour, HOUR_S),
        account_logins_by_minute=policy(
            "account-logins-by-minute", settings.limit_account_logins_per_minute, MINUTE_S
        ),
        account_logins_by_hour=policy("account-logins-by-hour", settings.limit_account_logins_per_hour, HOUR_S),
    )


def with_admin_api_key(settings: Settings) -> Settings:
    """Give a server on loopback that was told no operator's key one of its own, kept in its data folder.

    A server that others can reach gets none: whoever exposes it decides about its keys.
    """
    if settings.admin_api_key is not None or not settings.is_loopback:
        return settings
    path = settings.data_dir / KEY_FILE
    if _secret(path) is None:
        # Written aside and renamed, so that a crash in between can't leave half a key behind.
        draft = path.with_suffix(".new")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(f"{SystemRandom().getrandbits(192):048x}\n")
            draft.replace(path)
        except OSError as exc:
            raise CannotStart(f"GREENROOM_DATA_DIR: {path} can't be written: {exc.strerror or exc}") from exc
    return settings.model_copy(update={"admin_api_key": _secret(path)})


def read_admin_api_key(settings: Settings) -> str | None:
    """The operator's key that a server with these settings accepts; None if there is none."""
    if settings.admin_api_key is not None:
        return settings.admin_api_key.get_secret_value()
    key = _secret(settings.data_dir / KEY_FILE)
    return None if key is None else key.get_secret_value()


def _secret(path: Path) -> SecretStr | None:
    """The key in a file; None if there is no file or nothing in it."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return SecretStr(text) if text else None


def _pool_reader(pool: Pool, name: str) -> Callable[[], float]:
    return lambda: float(getattr(pool.statistics(), name))


def _bus_reader(bus: LocalBus | SharedBus, name: str) -> Callable[[], float]:
    # A local bus has no wire to lose anything on.
    return lambda: float(getattr(bus.statistics(), name, 0))


def _reachable(address: str) -> str:
    """An address to type into a browser for one that is bound."""
    return address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")  # noqa: S104


async def _exit_on_signal(signals: AsyncIterator[int]) -> None:
    await signals.__anext__()
    _log.warning("stopped at once by a second signal")
    os._exit(1)
