"""The committer alone, on an embedded Postgres with the durability it always has: every commit reaches the disk.

200 askers each send one message after the other, every message with a client id of its own, as the web page does. Three
loads: spread over 100 pairs of people; all into one conversation; and 500 students who all write to one instructor, whose
stream they have to share. No HTTP, and no conversation actor in front. The database is fresh and grows while it is
measured, and Postgres may not have looked at its statistics yet.

The committer takes what is pending into one transaction. It is held against:

- the same code given one command at a time (``batch_max=1``): a transaction per message on one connection;
- eight of those side by side, each with its own connection, which is what a server without a committer would do.

These have 16 askers, two for each connection: no writer ever waits for work, and more would only stand in line.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Final

import trio

from bench.figures import Figure, Work, operations_per_second
from greenroom.actors.actor_tree import COMMITTER_MAILBOX
from greenroom.actors.commands import OpenConversation, SendMessage
from greenroom.actors.committer import BATCH_MAX, Committer
from greenroom.schema.clock import system_wall_clock
from greenroom.schema.ids import ConversationId, RandomIds, UserId
from greenroom.schema.records import Role, User
from greenroom.storage.bus_local import LocalBus
from greenroom.storage.ports import Storage
from greenroom.storage.postgres import PostgresOptions, open_pool, postgres_storage
from greenroom.storage.postgres.embedded import open_embedded
from greenroom.storage.postgres.migrate import migrate
from greenroom.supervisor import Address, ChildSpec, MailboxSpec, SupervisorSpec, open_system

CONVERSATIONS: Final = 100
STUDENTS: Final = 500
"""Of the one instructor."""

ASKERS: Final = 200
"""As many as fit one batch, so that none waits for a second."""

LONE_ASKERS: Final = 16

LONE_WRITERS: Final = 8
TURN_S: Final = 0.8
ROUNDS: Final = 2
ASK_TIMEOUT_S: Final = 20.0

SPREAD: Final = f"committer, {CONVERSATIONS} conversations"
HOT: Final = "committer, one hot pair"
STAR: Final = f"committer, {STUDENTS} students of one instructor"
PER_MESSAGE: Final = "a transaction per message"
SIDE_BY_SIDE: Final = f"the same on {LONE_WRITERS} connections"
CONTENT: Final = "Is Saturday at ten still all right? I would like to go through the second movement again."

_ids = RandomIds(SystemRandom(), system_wall_clock)


@dataclass(frozen=True, slots=True)
class Pair:
    """A conversation and one who writes in it."""

    conversation_id: ConversationId
    student_id: UserId


async def committer_figures() -> list[Figure]:
    """All figures of the committer, about 35 s with the start of Postgres."""
    async with _storage() as storage, open_system(await _tree(storage)) as system:
        batching = [system.address("/bench/batching")]
        single = [system.address("/bench/single")]
        lone = [system.address(f"/bench/lone-{n}") for n in range(LONE_WRITERS)]
        pairs = await _gather_pairs(storage, batching[0])
        loads = {
            SPREAD: pairs,
            HOT: pairs[:1],
            STAR: await _gather_students(storage, batching[0]),
        }
        figures = []
        for load, to in loads.items():
            baselines = {
                PER_MESSAGE: _sending(single, to, LONE_ASKERS),
                SIDE_BY_SIDE: _sending(lone, to, LONE_ASKERS),
            }
            figures += await operations_per_second(
                load, "messages/s", _sending(batching, to, ASKERS), baselines, rounds=ROUNDS
            )
        return figures


@asynccontextmanager
async def _storage() -> AsyncIterator[Storage]:
    """An empty, migrated database in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="greenroom-bench-") as folder:
        async with open_embedded(Path(folder) / "postgres") as postgres:
            options = PostgresOptions(postgres.conninfo, pool_size=LONE_WRITERS)
            await migrate(options)
            async with open_pool(options) as pool:
                yield postgres_storage(pool, bus=LocalBus())


async def _tree(storage: Storage) -> SupervisorSpec:
    epoch = await storage.streams.epoch()

    def child(name: str, batch_max: int) -> ChildSpec:
        return ChildSpec(
            name,
            lambda: Committer(
                writes=storage.writes,
                bus=storage.bus,
                epoch=epoch,
                ids=_ids,
                wall=system_wall_clock,
                is_online=lambda user_id: False,
            ),
            mailbox=MailboxSpec(capacity=COMMITTER_MAILBOX),
            batch_max=batch_max,
        )

    lone = [child(f"lone-{n}", 1) for n in range(LONE_WRITERS)]
    return SupervisorSpec("bench", (child("batching", BATCH_MAX), child("single", 1), *lone))


async def _gather_pairs(storage: Storage, committer: Address[object]) -> list[Pair]:
    """Open conversations between people who have but one each."""
    return [
        await _open(committer, await _user(storage, f"student{n}", Role.STUDENT), instructor_id)
        for n in range(CONVERSATIONS)
        for instructor_id in [await _user(storage, f"teacher{n}", Role.INSTRUCTOR)]
    ]


async def _gather_students(storage: Storage, committer: Address[object]) -> list[Pair]:
    """Open the conversations of an instructor with very many students."""
    instructor_id = await _user(storage, "star", Role.INSTRUCTOR)
    return [
        await _open(committer, await _user(storage, f"one{n}", Role.STUDENT), instructor_id)
        for n in range(STUDENTS)
    ]


async def _open(committer: Address[object], student_id: UserId, instructor_id: UserId) -> Pair:
    opening = OpenConversation(student_id, instructor_id, student_id, None)
    opened = await committer.ask(opening, timeout=ASK_TIMEOUT_S)
    return Pair(opened.view.conversation.id, student_id)


async def _user(storage: Storage, name: str, role: Role) -> UserId:
    user = User(UserId(_ids.ulid()), f"{name}@example.com", name, role, True, system_wall_clock())
    await storage.accounts.create_user(user, "nobody signs in")
    return user.id


def _sending(committers: Sequence[Address[object]], pairs: Sequence[Pair], askers: int) -> Work:
    """Ask for a fixed time, a closed loop per asker; ends when the last of them was answered."""

    async def send() -> int:
        sent = 0
        until = trio.current_time() + TURN_S

        async def keep_sending(committer: Address[object], pair: Pair) -> None:
            nonlocal sent
            while trio.current_time() < until:
                message = SendMessage(pair.conversation_id, pair.student_id, CONTENT, _ids.ulid())
                await committer.ask(message, timeout=ASK_TIMEOUT_S)
                sent += 1

        async with trio.open_nursery() as nursery:
            for n in range(askers):
                # A conversation stays with one writer as far as it can, so that writers do not wait for each other.
                pair = n % len(pairs)
                writer = pair if len(pairs) > 1 else n
                nursery.start_soon(keep_sending, committers[writer % len(committers)], pairs[pair])
        return sent

    return send
