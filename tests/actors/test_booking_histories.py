"""What holds of bookings after any history of commands, however they raced."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import pairwise
from random import Random

import pytest
import trio
from trio.testing import MockClock

from greenroom.actors.identity import Identity
from greenroom.schema.bookings import BookingEventType, BookingStatus
from greenroom.schema.errors import DomainError
from greenroom.schema.ids import BookingId, ServiceId
from greenroom.schema.outbox import JobState
from greenroom.schema.records import MessageKind, Role, Service
from greenroom.storage.memory import memory_storage
from tests.actors.world import World, a_world

SERVICES = {"tomas": ServiceId("01HSERVKE00000000000000000"), "ada": ServiceId("01HSERVKE00000000000000001")}
COMMANDS = 60
TOLD = {kind.value for kind in BookingEventType if kind is not BookingEventType.REMINDER}


async def _command(world: World, people: dict[str, Identity], rng: Random) -> None:
    """One random thing that somebody does about lessons; a refusal is an answer like any other."""
    student = people[rng.choice(["maya", "zoe", "leo"])]
    teacher = rng.choice(["tomas", "ada"])
    starts_at = world.database.clock() + timedelta(minutes=rng.randint(-2, 40) * 15)
    known = sorted(world.database.tables.bookings)
    desk = world.core.bookings
    await trio.sleep(rng.random() * 600)
    try:
        if not known or rng.random() < 0.5:
            await desk.book(
                student,
                instructor_id=people[teacher].user.id,
                service_id=SERVICES[teacher],
                starts_at=starts_at,
                duration_minutes=rng.choice([15, 30, 45, 90]),
            )
            return
        booking_id: BookingId = rng.choice(known)
        anybody = people[rng.choice(sorted(people))]
        match rng.randrange(3):
            case 0:
                await desk.cancel(anybody, booking_id, reason=None)
            case 1:
                await desk.reschedule(anybody, booking_id, starts_at=starts_at)
            case _:
                await desk.complete(anybody, booking_id)
    except DomainError:
        pass


@pytest.mark.parametrize("seed", range(12))
async def test_no_two_lessons_overlap_and_the_messages_are_the_events(
    autojump_clock: MockClock, seed: int
) -> None:
    rng = Random(f"bookings/{seed}")
    async with a_world(seed=seed) as world:
        people = {"maya": world.maya, "tomas": world.tomas}
        for name, role in (("zoe", Role.STUDENT), ("leo", Role.STUDENT), ("ada", Role.INSTRUCTOR)):
            people[name] = await world.join(name, role)
        offered = [
            Service(service, people[name].user.id, "Lesson", "", 6_000, "USD", 60)
            for name, service in SERVICES.items()
        ]
        await memory_storage(world.database).directory.add_services(offered)
        async with trio.open_nursery() as nursery:
            for number in range(COMMANDS):
                nursery.start_soon(partial(_command, world, people, Random(f"{seed}/{number}/{rng.random()}")))
        await trio.sleep(120)

        tables = world.database.tables
        assert tables.bookings
        for name in SERVICES:
            kept = [
                b
                for b in tables.bookings.values()
                if b.instructor_id == people[name].user.id and b.status is not BookingStatus.CANCELLED
            ]
            kept.sort(key=lambda b: b.starts_at)
            assert all(one.ends_at <= next_.starts_at for one, next_ in pairwise(kept)), f"seed {seed}"
        for conversation_id, messages in tables.messages.items():
            jobs = [j for j in tables.outbox.values() if j.aggregate_id == conversation_id]
            events = list(dict.fromkeys(j.event_id for j in sorted(jobs, key=lambda j: j.place) if j.type in TOLD))
            told = [m.client_id for m in messages if m.kind is MessageKind.SYSTEM]
            assert told == events, f"seed {seed}"
            assert [m.seq for m in messages] == list(range(1, len(messages) + 1))
        assert {j.state for j in tables.outbox.values() if j.handler != "reminder"} == {JobState.DONE}
        changes = sum(b.version for b in tables.bookings.values())
        assert changes == len({j.event_id for j in tables.outbox.values() if j.type in TOLD}), f"seed {seed}"
