"""What follows from bookings: once each, in order, whatever breaks in between. On the virtual clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.core import open_core
from greenroom.actors.core_settings import CoreSettings
from greenroom.actors.event_worker import (
    ATTEMPTS_MAX,
    BACKOFF_CAP_S,
    HANDLER_TIMEOUT_S,
    LEASE_S,
    backoff_s,
)
from greenroom.actors.identity import Identity
from greenroom.schema.bookings import Booking
from greenroom.schema.errors import StorageUnavailable
from greenroom.schema.ids import ConversationId, RandomIds, ServiceId
from greenroom.schema.outbox import Job, JobState
from greenroom.schema.records import Message, MessageKind, Role, Service
from greenroom.storage.mail import Mail, MailFailed
from greenroom.storage.memory import FaultPoint, Phase, memory_storage
from greenroom.storage.passwords import SimulatedPasswords
from tests.actors.world import World, a_world, data, listening

SERVICE = ServiceId("01HSERVKE00000000000000000")


class Post:
    """A mail server that keeps what it is given, once told to work."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.tries = 0
        self.hangs = False
        self.refuses = False

    async def send(self, mail: Mail) -> None:
        self.tries += 1
        if self.hangs:
            await trio.sleep_forever()
        if self.refuses:
            raise MailFailed("no")
        self.mails.append(mail)


@asynccontextmanager
async def a_school(post: Post | None = None, *, reminder_minutes: float = 24 * 60) -> AsyncIterator[World]:
    """A world in which Tomás offers piano."""
    settings = CoreSettings(reminder_lead=timedelta(minutes=reminder_minutes))
    async with a_world(mailer=post or Post(), settings=settings) as world:
        offered = Service(SERVICE, world.tomas.user.id, "Piano", "", 6_000, "USD", 60)
        await memory_storage(world.database).directory.add_services([offered])
        yield world


async def book(world: World, *, hours: float = 72, by: Identity | None = None) -> Booking:
    now = world.database.clock()
    booked = await world.core.bookings.book(
        by or world.maya,
        instructor_id=world.tomas.user.id,
        service_id=SERVICE,
        starts_at=now + timedelta(hours=hours),
        duration_minutes=60,
    )
    return booked.booking


def told(world: World, talk: ConversationId) -> list[Message]:
    kept = world.database.tables.messages.get(talk, [])
    return [message for message in kept if message.kind is MessageKind.SYSTEM]


def jobs(world: World, handler: str) -> list[Job]:
    return [job for job in world.database.tables.outbox.values() if job.handler == handler]


async def test_each_event_is_told_once_and_in_order(autojump_clock: MockClock) -> None:
    post = Post()
    async with a_school(post) as world:
        booking = await book(world)
        for hours in (80, 90):
            moment = world.database.clock() + timedelta(hours=hours)
            await world.core.bookings.reschedule(world.tomas, booking.id, starts_at=moment)
        await world.core.bookings.cancel(world.maya, booking.id, reason=None)
        await trio.sleep(5)

        verbs = [message.content.split()[1] for message in told(world, booking.conversation_id)]
        assert verbs == ["booked", "moved", "moved", "cancelled"]
        events = [job.event_id for job in jobs(world, "system_message")]
        assert [message.client_id for message in told(world, booking.conversation_id)] == events
        to_maya = [mail.subject.split(":")[0] for mail in post.mails if mail.to == "maya@example.com"]
        assert to_maya == ["Booked", "Moved", "Moved", "Cancelled"]
        assert len({mail.message_id for mail in post.mails}) == len(post.mails) == 8


async def test_what_is_committed_is_followed_up_without_waiting_for_the_next_poll(
    autojump_clock: MockClock,
) -> None:
    async with a_school() as world:
        await trio.sleep(10)
        started = trio.current_time()
        async with listening(world, world.tomas) as tomas:
            await book(world)
            await tomas.until(lambda c: bool(c.named("message.created")))

        assert trio.current_time() - started < 0.5
        assert data(tomas.named("message.created")[0])["unread_count"] == 0


@pytest.mark.parametrize("phase", list(Phase))
async def test_a_worker_that_can_not_settle_does_it_again_and_nobody_notices(
    autojump_clock: MockClock, phase: Phase
) -> None:
    async with a_school() as world:
        failures = 3

        async def failing(point: FaultPoint) -> None:
            nonlocal failures
            await trio.lowlevel.checkpoint()
            if point == FaultPoint("outbox.finish", phase) and failures:
                failures -= 1
                raise StorageUnavailable("gone")

        world.database.faults = failing
        booking = await book(world)
        await trio.sleep(LEASE_S * 4)

        assert failures == 0
        assert len(told(world, booking.conversation_id)) == 1
        assert [job.state for job in jobs(world, "system_message")] == [JobState.DONE]


async def test_a_worker_that_dies_before_the_effect_is_replaced_when_its_lease_ends(
    autojump_clock: MockClock,
) -> None:
    async with a_school() as world:
        await world.talk()
        before = world.database.faults
        died_at: list[float] = []

        async def dying(point: FaultPoint) -> None:
            await trio.lowlevel.checkpoint()
            has_claims = any(job.claimed_by for job in world.database.tables.outbox.values())
            if point == FaultPoint("outbox.claim", Phase.AFTER) and has_claims and len(died_at) < 2:
                died_at.append(trio.current_time())
                raise RuntimeError("killed")

        world.database.faults = dying
        booking = await book(world)
        await trio.sleep(0.5)
        world.database.faults = before
        assert len(died_at) == 2
        assert told(world, booking.conversation_id) == []
        async with listening(world, world.maya) as maya:
            await maya.until(lambda c: bool(c.named("message.created")))

        assert trio.current_time() - died_at[0] < 15


async def test_every_event_delivered_three_times_has_one_effect(autojump_clock: MockClock) -> None:
    async with a_school(reminder_minutes=55) as world:
        booking = await book(world, hours=1)
        for _ in range(3):
            await trio.sleep(600)
            rows = world.database.tables.outbox
            for place, job in rows.items():
                again = replace(job, state=JobState.PENDING, finished_at=None, attempts=0)
                rows[place] = again
        await trio.sleep(10)

        assert len(told(world, booking.conversation_id)) == 1
        names = [event.name for event in world.database.tables.events[world.maya.user.id]]
        assert names.count("booking.reminder") == 1
        assert len(jobs(world, "reminder")) == 1


async def test_an_event_nobody_can_read_is_dead_in_the_end_and_holds_up_nobody_else(
    autojump_clock: MockClock,
) -> None:
    async with a_school() as world:
        zoe = await world.join("zoe", Role.STUDENT)
        await trio.sleep(5)
        for path in ("/greenroom/event-worker", "/greenroom/mail-worker"):
            await world.core.system.suspend(path)
        bad = await book(world)
        for place, job in world.database.tables.outbox.items():
            world.database.tables.outbox[place] = replace(
                job, payload='{"type": "BookingExploded", "x": "' + "x" * 1_000_000 + '"}'
            )
        for path in ("/greenroom/event-worker", "/greenroom/mail-worker"):
            await world.core.system.resume(path)
        started = trio.current_time()
        async with listening(world, zoe) as listener:
            await book(world, hours=80, by=zoe)
            await listener.until(lambda c: bool(c.named("message.created")))
        assert trio.current_time() - started < 1
        await trio.sleep(BACKOFF_CAP_S * 3)

        [dead, fine] = jobs(world, "system_message")
        assert (dead.state, dead.attempts, dead.aggregate_id) == (JobState.DEAD, ATTEMPTS_MAX, bad.conversation_id)
        assert dead.last_error == "ValidationError"
        assert fine.state is JobState.DONE
        assert world.core.system.inspect("/greenroom/event-worker").node.restarts == 0


async def test_a_mail_server_that_hangs_is_given_up_and_delays_no_message(autojump_clock: MockClock) -> None:
    post = Post()
    post.hangs = True
    async with a_school(post) as world:
        booking = await book(world)
        await trio.sleep(0.5)
        assert len(told(world, booking.conversation_id)) == 1
        await trio.sleep(BACKOFF_CAP_S * 3)

        for job in (*jobs(world, "mail_student"), *jobs(world, "mail_instructor")):
            assert (job.state, job.attempts) == (JobState.DEAD, ATTEMPTS_MAX)
            assert job.last_error == f"it took longer than {HANDLER_TIMEOUT_S:g} s"
        assert post.tries == 2 * ATTEMPTS_MAX
    assert HANDLER_TIMEOUT_S < LEASE_S


async def test_mail_that_was_refused_for_a_while_arrives_later(autojump_clock: MockClock) -> None:
    post = Post()
    post.refuses = True
    async with a_school(post) as world:
        await book(world)
        await trio.sleep(3)
        post.refuses = False
        await trio.sleep(60)

        assert sorted(mail.to for mail in post.mails) == ["maya@example.com", "tomas@example.com"]


async def test_several_workers_share_the_work_and_do_nothing_twice(autojump_clock: MockClock) -> None:
    post = Post()
    async with (
        a_school(post) as world,
        open_core(
            memory_storage(world.database, bus=world.bus),
            passwords=SimulatedPasswords(),
            ids=RandomIds(Random("other"), world.database.clock),
            wall=world.database.clock,
            seed=2,
            mailer=post,
        ) as other,
    ):
        for n in range(20):
            await book(world, hours=100 + 2 * n)
        await trio.sleep(10)
        counted = [core.system.inspect("/greenroom/mail-worker").view["done"] for core in (world.core, other)]

    assert sum(counted) == len(post.mails) == len({mail.message_id for mail in post.mails}) == 40  # type: ignore[arg-type]


async def test_both_are_reminded_ahead_of_time_once(autojump_clock: MockClock) -> None:
    post = Post()
    async with a_school(post, reminder_minutes=50) as world:
        booking = await book(world, hours=1)
        await trio.sleep(10 * 60 - 5)
        assert _reminders(world) == []
        await trio.sleep(10)

        assert _reminders(world) == ["booking.reminder"] * 2
        assert sorted(m.to for m in post.mails if m.subject.startswith("Reminder: Piano")) == [
            "maya@example.com",
            "tomas@example.com",
        ]
        assert len(told(world, booking.conversation_id)) == 1


async def test_nobody_is_reminded_of_what_was_moved_or_called_off(autojump_clock: MockClock) -> None:
    async with a_school(reminder_minutes=50) as world:
        moved, cancelled = await book(world, hours=1), await book(world, hours=3)
        later = world.database.clock() + timedelta(hours=1.1)
        await world.core.bookings.reschedule(world.maya, moved.id, starts_at=later)
        await world.core.bookings.cancel(world.maya, cancelled.id, reason=None)
        await trio.sleep(15 * 60)
        assert _reminders(world) == []
        await trio.sleep(2 * 60)

        assert _reminders(world) == ["booking.reminder"] * 2


def _reminders(world: World) -> list[str]:
    users = (world.maya, world.tomas)
    events = [e for user in users for e in world.database.tables.events[user.user.id]]
    return [event.name for event in events if event.name == "booking.reminder"]


async def test_a_drained_worker_gives_back_what_it_had_in_hand(autojump_clock: MockClock) -> None:
    post = Post()
    post.hangs = True
    async with a_school(post) as world:
        await book(world)
        await trio.sleep(1)
        assert [job.claimed_by is None for job in jobs(world, "mail_student")] == [False]

    assert [(job.claimed_by, job.attempts) for job in jobs(world, "mail_student")] == [(None, 0)]


def test_the_pause_before_another_try_grows_to_a_cap_and_is_never_the_same() -> None:
    rng = Random(1)
    for attempts, most in [(1, 2.0), (2, 4.0), (5, 32.0), (20, BACKOFF_CAP_S)]:
        pauses = [backoff_s(attempts, rng) for _ in range(500)]
        assert 0 <= min(pauses) < most / 20
        assert most * 0.95 < max(pauses) <= most
