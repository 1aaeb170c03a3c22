"""The demo's past: written by the server's own core, with its clock set back a few days.

So whatever holds for real data (sequences, unread marks, events) holds for this too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import trio

from greenroom.actors.commands import FirstMessage
from greenroom.actors.core import Core, open_core
from greenroom.actors.identity import Identity
from greenroom.demo.talks import LESSONS, TALKS, Lesson, Talk
from greenroom.schema.bookings import BookingStatus
from greenroom.schema.ids import Ids, SessionId
from greenroom.schema.outbox import Job, JobHandler, JobState
from greenroom.schema.records import User
from greenroom.storage.passwords import Passwords
from greenroom.storage.patience import patiently
from greenroom.storage.ports import Storage

FOLLOW_UP_TIMEOUT_S: Final = 10.0

HOME: Final = "America/New_York"
"""Where the demo's people live: their lessons begin at ten in the morning there."""


class _SettableClock:
    def __init__(self, start: datetime) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        return self.moment


async def live_through(
    storage: Storage, users: Mapping[str, User], *, passwords: Passwords, ids: Ids, begin: datetime, now: datetime
) -> None:
    """Have everything said and booked that the demo's people said and booked; may be done twice.

    Args:
        users: by e-mail address.
        begin: when the first of it happened.
    """
    clock = _SettableClock(begin)
    seqs: dict[tuple[Talk, int], int] = {}
    async with open_core(storage, passwords=passwords, ids=ids, wall=clock, seed=0) as core:
        for moment, step in _timeline(begin):
            clock.moment = min(moment, now)
            match step:
                case Lesson():
                    await patiently(partial(_book, core, storage, users, ids, step, now))
                    await _until_followed_up(storage)
                case talk, index:
                    seqs[talk, index] = await patiently(partial(_play, core, users, ids, talk, index))
        clock.moment = now
        for talk in TALKS:
            await _mark_read(core, users, ids, talk, seqs)


def _timeline(begin: datetime) -> list[tuple[datetime, tuple[Talk, int] | Lesson]]:
    """Every line of every talk, and every booking, in the order in which they happened."""
    said: list[tuple[datetime, tuple[Talk, int] | Lesson]] = [
        (begin + lesson.booked, lesson) for lesson in LESSONS
    ]
    for talk in TALKS:
        moment = begin + talk.begins
        for index, (_, hours, _) in enumerate(talk.lines):
            moment += timedelta(hours=hours)
            said.append((moment, (talk, index)))
    return sorted(said, key=lambda entry: entry[0])


async def _play(core: Core, users: Mapping[str, User], ids: Ids, talk: Talk, index: int) -> int:
    """Say one line; return its seq."""
    who, _, line = talk.lines[index]
    sender, other = (talk.student, talk.instructor) if who == "s" else (talk.instructor, talk.student)
    first = FirstMessage(content=line, client_id=f"demo-{index}")
    opened = await core.messaging.open_conversation(_identity(users[sender], ids), users[other].id, first)
    assert opened.message is not None  # noqa: S101 - one was given
    return opened.message.seq


async def _book(
    core: Core, storage: Storage, users: Mapping[str, User], ids: Ids, lesson: Lesson, now: datetime
) -> None:
    """Book one lesson, and do to it what became of it; goes on from where a start that was interrupted has come to."""
    morning = now.astimezone(ZoneInfo(HOME)).replace(hour=10, minute=0, second=0, microsecond=0)
    student, instructor = users[lesson.student], users[lesson.instructor]
    profile = await storage.directory.instructor(instructor.id)
    assert profile is not None  # noqa: S101 - it was stored just before
    [service] = [service for service in profile.services if service.title == lesson.service]
    by_student, by_instructor = _identity(student, ids), _identity(instructor, ids)
    begins = morning + lesson.begins
    if lesson.weekday is not None:
        begins += timedelta(days=(lesson.weekday - begins.weekday()) % 7)
    starts_at = begins.astimezone(UTC)
    known = await core.bookings.bookings(by_student, tense=None, limit=100, cursor=None)
    moved_to = None if lesson.moved_to is None else (morning + lesson.moved_to).astimezone(UTC)
    of_service = (booking for booking in known.items if booking.service_id == service.id)
    booking = next((booking for booking in of_service if booking.starts_at in {starts_at, moved_to}), None)
    if booking is None:
        booked = await core.bookings.book(
            by_student,
            instructor_id=instructor.id,
            service_id=service.id,
            starts_at=starts_at,
            duration_minutes=lesson.minutes,
            note=lesson.note,
        )
        booking = booked.booking
    if moved_to is not None and booking.starts_at != moved_to:
        await core.bookings.reschedule(by_instructor, booking.id, starts_at=moved_to)
    if lesson.is_called_off and booking.status is BookingStatus.BOOKED:
        await core.bookings.cancel(by_instructor, booking.id, reason="The pool is closed that week, sorry!")


async def _until_followed_up(storage: Storage) -> None:
    """Wait until what follows from the bookings has happened; what is not done by then, the server will do."""
    with trio.move_on_after(FOLLOW_UP_TIMEOUT_S):
        while any(job.handler != JobHandler.REMINDER for job in await _pending(storage)):  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.05)


async def _pending(storage: Storage) -> list[Job]:
    return await patiently(partial(storage.outbox.page, state=JobState.PENDING, before=None, limit=100))


async def _mark_read(
    core: Core, users: Mapping[str, User], ids: Ids, talk: Talk, seqs: Mapping[tuple[Talk, int], int]
) -> None:
    for who, email, other, has_read in (
        ("s", talk.student, talk.instructor, talk.student_has_read),
        ("i", talk.instructor, talk.student, talk.instructor_has_read),
    ):
        identity = _identity(users[email], ids)
        opened = await patiently(partial(core.messaging.open_conversation, identity, users[other].id, None))
        conversation = opened.view.conversation
        mark_delivered, mark_read = core.messaging.mark_delivered, core.messaging.mark_read
        await patiently(partial(mark_delivered, identity, conversation.id, conversation.last_seq))
        # Whoever answered has read what came before the answer.
        answered = max((seqs[talk, n] for n, line in enumerate(talk.lines) if line[0] == who), default=0)
        read = conversation.last_seq if has_read else answered
        if read:
            await patiently(partial(mark_read, identity, conversation.id, read))


def _identity(user: User, ids: Ids) -> Identity:
    return Identity(
        user=user, session_id=SessionId(ids.ulid()), expires_at=datetime.max.replace(tzinfo=user.created_at.tzinfo)
    )
