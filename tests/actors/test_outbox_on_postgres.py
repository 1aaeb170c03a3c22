"""What follows from bookings, with two workers over one real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random

import pytest
import trio

from greenroom.actors.core import Core, open_core
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.errors import SlotTaken
from greenroom.schema.ids import RandomIds, ServiceId
from greenroom.schema.outbox import JobHandler, JobState
from greenroom.schema.records import ConversationState, MessageKind, Role, Service
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.mail import Mail
from greenroom.storage.passwords import SimulatedPasswords
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage

WAIT_S = 20
SERVICE = ServiceId("01HSERVKE00000000000000000")
LESSONS = 12


class Post:
    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        await trio.lowlevel.checkpoint()
        self.mails.append(mail)


@pytest.fixture
async def storage(database: PostgresOptions) -> AsyncIterator[Storage]:
    async with open_pool(database) as pool:
        yield postgres_storage(pool, bus=LocalBus())


@asynccontextmanager
async def a_core(storage: Storage, post: Post, seed: int) -> AsyncIterator[Core]:
    ids = RandomIds(Random(seed), system_wall_clock)
    async with open_core(
        storage, passwords=SimulatedPasswords(), ids=ids, wall=system_wall_clock, seed=seed, mailer=post
    ) as core:
        yield core


async def test_two_workers_tell_and_mail_every_event_once_and_one_of_two_gets_a_time(storage: Storage) -> None:
    post, taken = Post(), []
    with trio.fail_after(WAIT_S):
        async with a_core(storage, post, 1) as one, a_core(storage, post, 2) as other:
            maya, zoe, tomas = [
                (
                    await one.sign_in.register(
                        email=f"{name}@example.com", password="correct horse", display_name=name, role=role
                    )
                ).identity
                for name, role in (("maya", Role.STUDENT), ("zoe", Role.STUDENT), ("tomas", Role.INSTRUCTOR))
            ]
            offered = Service(SERVICE, tomas.user.id, "Piano", "", 6_000, "USD", 60)
            await storage.directory.add_services([offered])
            start = system_wall_clock() + timedelta(days=3)

            async def book(core: Core, number: int) -> None:
                try:
                    await core.bookings.book(
                        maya if core is one else zoe,
                        instructor_id=tomas.user.id,
                        service_id=SERVICE,
                        starts_at=start + timedelta(hours=number),
                        duration_minutes=60,
                    )
                except SlotTaken:
                    taken.append(number)

            async with trio.open_nursery() as nursery:
                for number in range(LESSONS):
                    nursery.start_soon(book, one, number)
                    nursery.start_soon(book, other, number)
            while any(  # noqa: ASYNC110 - the outbox tells nobody that it is empty
                job.handler != JobHandler.REMINDER
                for job in await storage.outbox.page(state=JobState.PENDING, before=None, limit=200)
            ):
                await trio.sleep(0.05)

            assert sorted(taken) == list(range(LESSONS))
            talks = (
                await one.messaging.conversations(tomas, state=ConversationState.ACTIVE, limit=9, cursor=None)
            ).items
            told = [
                message.client_id
                for view in talks
                for message in await storage.conversations.messages_after(view.conversation.id, 0, limit=100)
                if message.kind is MessageKind.SYSTEM
            ]
            jobs = await storage.outbox.page(state=JobState.DONE, before=None, limit=200)
            events = {job.event_id for job in jobs}
            assert len(events) == LESSONS
            assert sorted(told, key=str) == sorted(events)
            assert {job.attempts for job in jobs} == {1}
            assert len(post.mails) == len({mail.message_id for mail in post.mails}) == 2 * LESSONS
