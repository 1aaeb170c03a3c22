"""What the planner makes of the real statements, prepared once and kept, before it knows anything of the tables.

A plan is made when a session first runs a statement. On a young database that is before any statistics exist, or when
they say that everything is small enough to be read whole; the plan stays while the tables grow.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from greenroom.schema.bookings import BookingPageKey, BookingTense, Slot
from greenroom.schema.catalogue import ListedService, Listing, Offer, WeeklySlot
from greenroom.schema.ids import BookingId, RandomIds, SessionId, UserId
from greenroom.schema.outbox import JobState
from greenroom.schema.records import ConversationState
from greenroom.schema.search.aggregates import Span
from greenroom.schema.search.log import SearchesShown
from greenroom.schema.search.places import RegionId
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.ports import ClientKey, ConversationPageKey, MarkQuery, Storage
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage
from greenroom.storage.postgres.trio_connection import TrioConnection
from tests.storage.builders import (
    ANN,
    BEN,
    NOW,
    a_booking,
    a_conversation,
    a_job,
    a_service,
    a_session,
    add_users,
    append_jobs,
    conversation_id,
    open_all,
    save_bookings,
    send,
)
from tests.storage.search_builders import a_click, a_search, query_id

# Its plans come as notices, each with the text of its statement, whose first line is the statement's name.
TELL_PLANS = (
    "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c client_min_messages=log"
)
FEW = 51
"""Rows of a table when autovacuum first looks at it: one more than ``autovacuum_analyze_threshold``."""

STATEMENT = re.compile(r"-- (\w+):.*?\n([^\n]*\(cost=.*)", re.DOTALL)

Plans = dict[str, str]
"""By the name of the statement."""


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> Plans:
    plans: Plans = {}

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        if match := STATEMENT.search(diagnostic.message_primary or ""):
            plans[match[1]] = match[2]

    opening = TrioConnection.open

    async def open_and_listen(conninfo: str, *, timeout_s: float, prepare: bool) -> TrioConnection:
        connection = await opening(conninfo, timeout_s=timeout_s, prepare=prepare)
        connection.add_notice_handler(note)
        return connection

    monkeypatch.setattr(TrioConnection, "open", open_and_listen)
    return plans


@pytest.fixture(params=["young", "grown and never analysed", "analysed while small"])
async def storage(
    request: pytest.FixtureRequest, database: PostgresOptions, plans: Plans
) -> AsyncIterator[Storage]:
    """Ann and Ben have talked a little, and each of a few others has a session and a conversation with Ben."""
    others = [UserId(f"01OTHER{number:019}") for number in range(FEW)]
    async with open_pool(database) as pool:
        young = postgres_storage(pool, bus=LocalBus())
        await add_users(young, ANN, BEN, *others)
        for number, user_id in enumerate(others):
            await young.directory.add_services([a_service(BEN, number)])
            await young.accounts.create_session(a_session(user_id, number))
        await open_all(young, a_conversation(), *(a_conversation(u, BEN, n) for n, u in enumerate(others, 2)))
        await send(young, ANN, count=20, client_id="c")
        await send(young, BEN, count=20, client_id="c")
        if request.param == "grown and never analysed":
            await send(young, ANN, count=2_000, client_id="01M846YVWEMT5S3SFJ81G7ZK5E")
        if request.param == "analysed while small":
            await pool.run("ANALYZE", None)
    plans.clear()
    telling = replace(database, conninfo=make_conninfo(database.conninfo, options=TELL_PLANS))
    async with open_pool(telling) as pool:
        yield postgres_storage(pool, bus=LocalBus())


async def ask_on_sending(storage: Storage) -> None:
    async with storage.writes.transaction() as tx:
        target = conversation_id(1)
        locked = await tx.lock(
            conversations=[target],
            users=[ANN],
            keys=[ClientKey(target, ANN, "c-1")],
            marks=[MarkQuery(target, ANN, 5)],
        )
        await tx.last_messages([target])
        await tx.users([ANN, BEN])
        await tx.save_conversations([locked.conversations[target].conversation])
        await tx.save_participants([locked.conversations[target].student])


async def test_a_client_id_is_looked_up_by_itself_and_not_among_all_a_senders_messages(
    storage: Storage, plans: Plans
) -> None:
    await ask_on_sending(storage)

    assert "messages_client_key" in plans["sent_messages"]
    assert "client_id" in _condition_of("messages_client_key", plans["sent_messages"])


async def test_a_client_id_is_looked_up_by_itself_where_messages_were_counted_while_there_were_none(
    database: PostgresOptions, plans: Plans
) -> None:
    telling = replace(database, conninfo=make_conninfo(database.conninfo, options=TELL_PLANS))
    async with open_pool(telling) as pool:
        storage = postgres_storage(pool, bus=LocalBus())
        await add_users(storage, ANN, BEN)
        await open_all(storage, a_conversation())
        await pool.run("ANALYZE", None)

        await ask_on_sending(storage)

    assert "client_id" in _condition_of("messages_client_key", plans["sent_messages"])
    assert not _reads_an_index_whole(plans["sent_messages"])


async def test_an_ordinal_is_read_off_one_entry_of_its_index(storage: Storage, plans: Plans) -> None:
    await ask_on_sending(storage)

    assert "Index Only Scan Backward using messages_ordinals" in plans["ordinals_at"]


async def send_some(storage: Storage) -> None:
    await send(storage, ANN, count=3)


async def open_one(storage: Storage) -> None:
    await open_all(storage, a_conversation())


async def read_everything(storage: Storage) -> None:
    target = conversation_id(1)
    await storage.conversations.participants(target)
    await storage.conversations.view(target, ANN, now=NOW)
    after = ConversationPageKey(NOW + timedelta(days=1), target)
    await storage.conversations.page(ANN, state=ConversationState.ACTIVE, before=after, limit=20, now=NOW)
    await storage.conversations.total_unread(ANN)
    await storage.conversations.messages_before(target, 15, limit=10)
    await storage.conversations.messages_after(target, 15, limit=10)
    await storage.conversations.peers(ANN, limit=10)
    await storage.streams.heads([ANN, BEN])
    await storage.streams.events_after(ANN, 3, limit=10)
    await storage.streams.snapshot(ANN, conversations_max=10, now=NOW)
    await storage.accounts.credentials("ann@example.org")
    await storage.accounts.user(ANN)
    await storage.accounts.session(bytes(32))
    await storage.accounts.session_by_id(SessionId("01S"))
    await storage.directory.instructor(BEN)
    await storage.directory.instructors_page(after=("Ann", ANN), limit=10)
    await storage.directory.instructors_page(after=("Ann", ANN), limit=10, name="Benjamin")


BOOKINGS = 51
"""As many lessons of Ann's with Ben as autovacuum lets pass unseen, and thrice as many jobs."""


@pytest.fixture
async def booked(storage: Storage) -> Storage:
    """Lessons were booked, and what follows from them is done, dead, or still to be done."""
    for number in range(BOOKINGS):
        starts_at = NOW + timedelta(hours=2 * number)
        await save_bookings(storage, a_booking(number, starts_at=starts_at))
        handlers = ("system_message", "mail_student", "reminder")
        await append_jobs(
            storage,
            *(a_job(3 * number + n, event=number + 1, handler=handler) for n, handler in enumerate(handlers)),
        )
    for job in await storage.outbox.claim(
        "w", ["system_message"], limit=1, lease=timedelta(hours=1), attempts_max=8
    ):
        await storage.outbox.finish(job)
    for job in await storage.outbox.claim(
        "w", ["mail_student"], limit=1, lease=timedelta(hours=1), attempts_max=8
    ):
        await storage.outbox.bury(job, "no")
    return storage


async def book(storage: Storage) -> None:
    slot = Slot(BEN, NOW, NOW + timedelta(hours=1))
    async with storage.writes.transaction() as tx:
        target = conversation_id(1)
        locked = await tx.lock(conversations=[target], bookings=[BookingId(a_booking(1).id)], slots=[slot])
        await tx.upcoming_bookings([target], now=NOW, limit=2)
        await tx.save_bookings(list(locked.bookings.values())[:1])
        await tx.append_jobs([a_job(1_000, event=1_000)])


async def read_bookings(storage: Storage) -> None:
    await storage.bookings.booking(a_booking(1).id, ANN)
    for tense in (*BookingTense, None):
        after = BookingPageKey(NOW + timedelta(days=1), a_booking(1).id)
        await storage.bookings.page(ANN, tense=tense, now=NOW, after=after, limit=10)
    await storage.conversations.view(conversation_id(1), ANN, now=NOW)


async def do_jobs(storage: Storage) -> None:
    outbox, lease = storage.outbox, timedelta(hours=1)
    handlers = ["system_message", "reminder", "mail_student"]
    done, failed, hopeless = await outbox.claim("w", handlers, limit=4, lease=lease, attempts_max=8)
    await outbox.next_in(["mail_student"], within=timedelta(seconds=10))
    await outbox.finish(done)
    await outbox.retry(failed, "later", after=timedelta(seconds=1))
    await outbox.bury(hopeless, "never")
    await outbox.revive(hopeless.id)
    await outbox.release([hopeless])
    await outbox.delete_done(older_than=timedelta(0), limit=10)


async def watch_jobs(storage: Storage) -> None:
    await storage.outbox.figures()
    await storage.outbox.running(limit=10)
    await storage.outbox.job(a_job(1).id)
    for state in (*JobState, None):
        await storage.outbox.page(state=state, before=40, limit=10)


@pytest.mark.parametrize("act", [book, read_bookings, do_jobs, watch_jobs])
async def test_no_statement_on_lessons_and_what_follows_from_them_reads_a_table_whole(
    booked: Storage, plans: Plans, act: Callable[[Storage], Awaitable[None]]
) -> None:
    plans.clear()

    await act(booked)

    assert plans
    assert {name: plan for name, plan in plans.items() if "Seq Scan" in plan or _reads_an_index_whole(plan)} == {}


CATALOGUE = Listing(
    external_id="f-1",
    display_name="Fay",
    email="fay@example.org",
    areas=(RegionId("nyc/queens"),),
    availability=(WeeklySlot(1, 540, 720),),
    services=(
        ListedService(
            external_id="s", title="Flute", description="", price_cents=1, currency="USD", duration_minutes=30
        ),
    ),
)


async def import_listings(storage: Storage) -> None:
    ids = RandomIds(Random(1), lambda: NOW)
    for _ in range(2):
        await storage.catalogue.upsert([CATALOGUE], password_hash="-", ids=ids, now=NOW)


async def offer_lessons(storage: Storage) -> None:
    await storage.catalogue.profile(BEN)
    offer = Offer(bio="", home_city=None, timezone="UTC", services=(a_service(BEN, 1),), areas=(), availability=())
    await storage.catalogue.replace(BEN, offer, now=NOW)


@pytest.mark.parametrize("act", [import_listings, offer_lessons])
async def test_no_statement_on_what_is_offered_reads_a_table_whole(
    storage: Storage, plans: Plans, act: Callable[[Storage], Awaitable[None]]
) -> None:
    await act(storage)

    assert plans
    assert {name: plan for name, plan in plans.items() if "Seq Scan" in plan or _reads_an_index_whole(plan)} == {}


async def record_searches(storage: Storage) -> None:
    log = storage.search_log
    await log.add_searches([a_search(number) for number in range(1, FEW)])
    await log.add_clicks([a_click(number) for number in range(1, FEW)])


async def look_searches_up(storage: Storage) -> None:
    log = storage.search_log
    await log.get(query_id(1))
    for shown in (SearchesShown(), SearchesShown(is_degraded=True), SearchesShown(is_empty=True)):
        await log.page(shown, before=query_id(9), limit=10)
    await log.delete_details_before(NOW, limit=10)
    await log.delete_before(NOW, limit=10)


async def count_searches(storage: Storage) -> None:
    analytics, day = storage.search_analytics, Span(NOW, NOW + timedelta(days=1))
    await analytics.summary(day)
    await analytics.popular(day, limit=10)
    await analytics.without_results(day, limit=10)
    await analytics.latency(day)
    await analytics.degradation(day)
    await analytics.click_through(day)
    await analytics.tiers(day)
    await storage.alias_evidence.votes(since=NOW, users_min=2, names_max=10, limit=10)


async def test_figures_of_searches_are_read_from_indexes(storage: Storage, plans: Plans) -> None:
    await record_searches(storage)
    plans.clear()

    await count_searches(storage)

    # Planned anew each time: which index is best is up to how many rows there are.
    assert len(plans) > 10
    assert {name: plan for name, plan in plans.items() if "Seq Scan" in plan} == {}


@pytest.mark.parametrize("act", [record_searches, look_searches_up])
async def test_no_statement_on_searches_reads_a_table_whole(
    storage: Storage, plans: Plans, act: Callable[[Storage], Awaitable[None]]
) -> None:
    await record_searches(storage)
    plans.clear()

    await act(storage)

    assert plans
    assert {name: plan for name, plan in plans.items() if "Seq Scan" in plan or _reads_an_index_whole(plan)} == {}


@pytest.mark.parametrize("act", [ask_on_sending, send_some, open_one, read_everything])
async def test_no_statement_reads_a_table_whole(
    storage: Storage, plans: Plans, act: Callable[[Storage], Awaitable[None]]
) -> None:
    await act(storage)

    assert plans
    assert {name: plan for name, plan in plans.items() if "Seq Scan" in plan or _reads_an_index_whole(plan)} == {}


def _condition_of(index: str, plan: str) -> str:
    """The condition by which the plan looks into an index."""
    match = re.search(rf"{index}.*?Index Cond: (.*?)\n", plan + "\n", re.DOTALL)
    assert match is not None
    return match[1]


def _reads_an_index_whole(plan: str) -> bool:
    """Whether some index is read without a condition, or by one that all jobs that are pending fulfil."""
    lines = plan.splitlines()
    return any(
        re.search(r"Index (Only )?Scan|Bitmap Index Scan", line)
        and (
            "Index Cond" not in condition
            or re.search(r"Cond: \(\(?state( \|\| ''::text\))? = 'pending'::text\)$", condition)
        )
        for line, condition in pairwise([*lines, ""])
    )
