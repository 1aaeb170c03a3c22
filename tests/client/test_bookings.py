"""Booking with the client library."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random

import pytest
import trio

from greenroom.client import Greenroom, Refused, connect
from greenroom.schema.bookings import BookingStatus, BookingTense
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.events import BookingChanged
from greenroom.schema.ids import ServiceId, UserId
from greenroom.schema.records import Service
from tests.http.world import WAIT_S, World, a_world

SERVICE = ServiceId("01HSERVKE00000000000000000")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with a_world() as running:
        offered = Service(SERVICE, UserId(running.tomas.id), "Piano", "", 6_000, "USD", 60)
        await running.storage.directory.add_services([offered])
        yield running


@pytest.fixture
async def maya(world: World) -> AsyncIterator[Greenroom]:
    async with connect(world.url, token=world.maya.token, random=Random(1)) as client:
        yield client


async def test_a_lesson_from_booking_to_cancelling(world: World, maya: Greenroom) -> None:
    start = system_wall_clock() + timedelta(days=2)
    async with maya.events() as events:
        with trio.fail_after(WAIT_S):
            await events.wait_live()
            booked = await maya.book(world.tomas.id, SERVICE, start, duration_minutes=60, note="hi")
            about = await maya.send(booked.conversation_id, "This one", booking_id=booked.id)
            moved = await maya.reschedule_booking(booked.id, start + timedelta(days=1))
            [listed] = (await maya.bookings(state=BookingTense.UPCOMING)).items
            cancelled = await maya.cancel_booking(booked.id, reason="ill")
            seen = []
            while len(seen) < 3:
                event = await anext(events)
                if isinstance(event.data, BookingChanged):
                    seen.append((event.name, event.data.booking))

    assert about.booking_id == booked.id
    assert listed == moved
    assert cancelled.status is BookingStatus.CANCELLED
    assert await maya.booking(booked.id) == cancelled
    assert seen == [
        ("booking.created", booked),
        ("booking.rescheduled", moved),
        ("booking.cancelled", cancelled),
    ]


async def test_a_refusal_has_its_code(world: World, maya: Greenroom) -> None:
    start = system_wall_clock() + timedelta(days=2)
    booked = await maya.book(world.tomas.id, SERVICE, start, duration_minutes=60)

    with pytest.raises(Refused) as taken:
        await maya.book(world.tomas.id, SERVICE, start, duration_minutes=30)
    with pytest.raises(Refused) as early:
        async with connect(world.url, token=world.tomas.token) as tomas:
            await tomas.complete_booking(booked.id)

    assert (taken.value.code, early.value.code) == ("slot_taken", "booking_not_begun")
