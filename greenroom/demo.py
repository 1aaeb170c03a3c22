"""The demo marketplace: a few instructors and students with conversations that look lived in.

It is written by the server's own core, with its clock set back a few days, so that whatever holds for real data
(sequences, unread marks, events) holds for this too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import trio

from greenroom.actors.commands import FirstMessage
from greenroom.actors.core import Core, open_core
from greenroom.actors.identity import Identity
from greenroom.schema.ids import Ids, ServiceId, SessionId, UserId
from greenroom.schema.outbox import Job, JobHandler, JobState
from greenroom.schema.records import Role, Service, User
from greenroom.storage.passwords import Passwords
from greenroom.storage.ports import Storage

PASSWORD: Final = "greenroom-demo"  # noqa: S105 - printed for everybody to use
STUDENT_EMAIL: Final = "maya@example.com"
INSTRUCTOR_EMAIL: Final = "tomas@example.com"
OPERATOR_EMAIL: Final = "operator@example.com"

FOLLOW_UP_TIMEOUT_S: Final = 10.0
HISTORY_BEGINS_BEFORE: Final = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class _Instructor:
    email: str
    name: str
    services: tuple[tuple[str, str, int, int], ...]  # title, description, price in cents, minutes


INSTRUCTORS: Final = (
    _Instructor(
        INSTRUCTOR_EMAIL,
        "Tomás Herrera",
        (
            (
                "Piano for children",
                "First pieces, reading and rhythm for ages 6 to 12, at your home or mine.",
                7_000,
                45,
            ),
            (
                "Jazz piano",
                "Voicings, comping and a tune a week, for players who can read a lead sheet.",
                9_500,
                60,
            ),
        ),
    ),
    _Instructor(
        "ingrid@example.com",
        "Ingrid Sørensen",
        (("Violin, all levels", "Twenty years with the city orchestra; patient with beginners.", 8_500, 60),),
    ),
    _Instructor(
        "kwame@example.com",
        "Kwame Mensah",
        (
            ("Algebra and calculus", "From fractions to integrals, with problem sets in between.", 6_000, 60),
            ("SAT maths", "Eight weeks, two past papers a week.", 7_500, 90),
        ),
    ),
    _Instructor(
        "yuki@example.com",
        "Yuki Tanaka",
        (("Japanese conversation", "One hour, no English. Beginners get a list of rescue phrases.", 5_500, 60),),
    ),
    _Instructor(
        "amara@example.com",
        "Amara Okafor",
        (("Singing", "Breath, range and the song you always wanted to sing.", 8_000, 45),),
    ),
    _Instructor(
        "luca@example.com",
        "Luca Bianchi",
        (
            ("Swimming for adults", "For people who never learned and would rather nobody watched.", 6_500, 45),
            ("Open water", "Cold, sighting and currents, from May to September.", 9_000, 90),
        ),
    ),
    _Instructor(
        "priya@example.com",
        "Priya Raman",
        (("Python from zero", "Small programs that do something you need, from the first lesson.", 7_000, 60),),
    ),
    _Instructor(
        "claire@example.com",
        "Claire Dubois",
        (("French for travellers", "Markets, trains and how to complain politely.", 5_000, 45),),
    ),
)

STUDENTS: Final = (
    (STUDENT_EMAIL, "Maya Lindqvist"),
    ("daniel@example.com", "Daniel Osei"),
    ("sofia@example.com", "Sofia Marchetti"),
    ("jonas@example.com", "Jonas Weber"),
)


@dataclass(frozen=True, slots=True)
class _Talk:
    """Lines by student ("s") and instructor ("i"), with hours since the line before."""

    student: str
    instructor: str
    begins: timedelta
    lines: tuple[tuple[str, float, str], ...]
    student_has_read: bool = True
    instructor_has_read: bool = True


TALKS: Final = (
    _Talk(
        STUDENT_EMAIL,
        INSTRUCTOR_EMAIL,
        timedelta(hours=2),
        (
            (
                "s",
                0,
                "Hi Tomás! My son Elias is eight and has been picking out songs on a toy keyboard. Do you take beginners that age?",
            ),
            (
                "i",
                1.2,
                "Hello Maya, I do, most of my Saturday students are between seven and ten. Does he read any notes yet?",
            ),
            ("s", 0.4, "Not one. He plays by ear and gets cross when it sounds wrong."),
            ("i", 0.1, "Then he has the harder half already. We'd start with that and let the notes follow."),
            ("s", 20, "That sounds right for him. Would a Saturday morning work, somewhere near Park Slope?"),
            (
                "i",
                2.5,
                "Saturday 10:00 is free from next week. I can come to you, there's no need for a real piano at first.",
            ),
            ("s", 0.6, "10:00 is perfect. I'll talk to Elias tonight, he'll want to show you the Star Wars tune."),
            ("i", 40, "Tell him I expect the left hand too. See you both on Saturday!"),
            ("i", 0.05, "One more thing: please find him a chair he can sit high on. Two cushions also count."),
        ),
        student_has_read=False,
    ),
    _Talk(
        STUDENT_EMAIL,
        "yuki@example.com",
        timedelta(hours=30),
        (
            (
                "s",
                0,
                "Hello! I'm travelling to Kyoto in spring and would love to manage more than pointing at menus.",
            ),
            ("i", 3, "Hello Maya! Spring gives us time. Have you studied any Japanese before?"),
            ("s", 5, "Two semesters, fifteen years ago. I remember hiragana and shame."),
            ("i", 1, "Hiragana is more than most. The shame we can work on."),
        ),
    ),
    _Talk(
        "daniel@example.com",
        INSTRUCTOR_EMAIL,
        timedelta(hours=50),
        (
            (
                "s",
                0,
                "Hi, I play a bit of jazz guitar and want to understand chords from the keyboard side. Is your jazz class too much for me?",
            ),
            ("i", 4, "Not if you can name the notes of a G7. Can you?"),
            ("s", 0.3, "G B D F. I had to think, though."),
            ("i", 0.2, "Thinking is allowed. Bring a tune you like."),
            ("s", 22, "I'll bring Autumn Leaves, like everybody does."),
        ),
        instructor_has_read=False,
    ),
    _Talk(
        "sofia@example.com",
        "kwame@example.com",
        timedelta(hours=12),
        (
            ("s", 0, "My daughter has an algebra exam in three weeks. Is there any hope?"),
            ("i", 2, "Three weeks is plenty. What did the last test look like?"),
            ("s", 1, "Red, mostly."),
            ("i", 0.5, "Red is information. Send me a photo of it and we'll start there."),
        ),
    ),
    _Talk(
        "jonas@example.com",
        "luca@example.com",
        timedelta(hours=70),
        (
            ("s", 0, "I'm 41 and can't swim. There, I've said it."),
            ("i", 0.7, "Then you're my favourite kind of student. The pool is empty on Tuesday evenings."),
        ),
    ),
    _Talk(
        STUDENT_EMAIL,
        "amara@example.com",
        timedelta(hours=90),
        (("s", 0, "Hello Amara, do you also teach people who were told not to sing in the school choir?"),),
    ),
)


@dataclass(frozen=True, slots=True)
class _Lesson:
    """A lesson that was agreed on in a talk.

    Attributes:
        booked: when, since the beginning of the history.
        begins: counted from the day the demo is made, at 10:00 UTC; so is ``moved_to``.
    """

    student: str
    instructor: str
    service: str
    booked: timedelta
    begins: timedelta
    minutes: int
    note: str | None = None
    moved_to: timedelta | None = None
    is_called_off: bool = False


LESSONS: Final = (
    _Lesson(
        STUDENT_EMAIL,
        INSTRUCTOR_EMAIL,
        "Piano for children",
        timedelta(hours=27),
        timedelta(days=4),
        45,
        note="For Elias, eight, who plays by ear.",
    ),
    _Lesson(STUDENT_EMAIL, INSTRUCTOR_EMAIL, "Piano for children", timedelta(hours=27.1), timedelta(days=11), 45),
    _Lesson(
        STUDENT_EMAIL,
        "yuki@example.com",
        "Japanese conversation",
        timedelta(hours=40),
        timedelta(days=2),
        60,
        moved_to=timedelta(days=3, hours=8),
    ),
    _Lesson("daniel@example.com", INSTRUCTOR_EMAIL, "Jazz piano", timedelta(hours=77), timedelta(days=5), 60),
    _Lesson(
        "sofia@example.com",
        "kwame@example.com",
        "Algebra and calculus",
        timedelta(hours=16),
        timedelta(days=2, hours=6),
        90,
    ),
    _Lesson(
        "jonas@example.com",
        "luca@example.com",
        "Swimming for adults",
        timedelta(hours=71),
        timedelta(days=3),
        45,
        is_called_off=True,
    ),
)


class _SettableClock:
    def __init__(self, start: datetime) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        return self.moment


async def seed_demo(storage: Storage, *, passwords: Passwords, ids: Ids, now: datetime) -> bool:
    """Fill an empty marketplace; return False and change nothing if that was done before.

    The operator's account is made last: it marks that all the rest is there. Everything before it may be done twice,
    so a start that was interrupted is completed by the next one.
    """
    if await storage.accounts.credentials(OPERATOR_EMAIL) is not None:
        return False
    begin = now - HISTORY_BEGINS_BEFORE
    encoded = await passwords.hash(PASSWORD)
    users = await _add_people(storage, ids, encoded, begin)
    clock = _SettableClock(begin)
    seqs: dict[tuple[_Talk, int], int] = {}
    async with open_core(storage, passwords=passwords, ids=ids, wall=clock, seed=0) as core:
        for moment, step in _timeline(begin):
            clock.moment = min(moment, now)
            match step:
                case _Lesson():
                    await _book(core, storage, users, ids, step, now)
                case talk, index:
                    seqs[talk, index] = await _play(core, users, ids, talk, index)
        clock.moment = now
        for talk in TALKS:
            await _mark_read(core, users, ids, talk, seqs)
    await _add_person(storage, ids, encoded, OPERATOR_EMAIL, "The operator", Role.ADMIN, now)
    return True


async def _add_people(storage: Storage, ids: Ids, encoded: str, now: datetime) -> dict[str, User]:
    users = {}
    for instructor in INSTRUCTORS:
        user = await _add_person(storage, ids, encoded, instructor.email, instructor.name, Role.INSTRUCTOR, now)
        users[user.email] = user
        profile = await storage.directory.instructor(user.id)
        if profile is None or not profile.services:
            await storage.directory.add_services(
                [
                    Service(ServiceId(ids.ulid()), user.id, title, description, cents, "USD", minutes)
                    for title, description, cents, minutes in instructor.services
                ]
            )
    for email, name in STUDENTS:
        users[email] = await _add_person(storage, ids, encoded, email, name, Role.STUDENT, now)
    return users


async def _add_person(
    storage: Storage, ids: Ids, encoded: str, email: str, name: str, role: Role, now: datetime
) -> User:
    if found := await storage.accounts.credentials(email):
        return found.user
    user = User(UserId(ids.ulid()), email, name, role, is_active=True, created_at=now)
    await storage.accounts.create_user(user, encoded)
    return user


def _timeline(begin: datetime) -> list[tuple[datetime, tuple[_Talk, int] | _Lesson]]:
    """Every line of every talk, and every booking, in the order in which they happened."""
    said: list[tuple[datetime, tuple[_Talk, int] | _Lesson]] = [
        (begin + lesson.booked, lesson) for lesson in LESSONS
    ]
    for talk in TALKS:
        moment = begin + talk.begins
        for index, (_, hours, _) in enumerate(talk.lines):
            moment += timedelta(hours=hours)
            said.append((moment, (talk, index)))
    return sorted(said, key=lambda entry: entry[0])


async def _play(core: Core, users: dict[str, User], ids: Ids, talk: _Talk, index: int) -> int:
    """Say one line; return its seq."""
    who, _, line = talk.lines[index]
    sender, other = (talk.student, talk.instructor) if who == "s" else (talk.instructor, talk.student)
    first = FirstMessage(content=line, client_id=f"demo-{index}")
    opened = await core.messaging.open_conversation(_identity(users[sender], ids), users[other].id, first)
    assert opened.message is not None  # noqa: S101 - one was given
    return opened.message.seq


async def _book(
    core: Core, storage: Storage, users: dict[str, User], ids: Ids, lesson: _Lesson, now: datetime
) -> None:
    morning = now.replace(hour=10, minute=0, second=0, microsecond=0)
    student, instructor = users[lesson.student], users[lesson.instructor]
    profile = await storage.directory.instructor(instructor.id)
    assert profile is not None  # noqa: S101 - it was stored just before
    [service] = [service for service in profile.services if service.title == lesson.service]
    by_student, by_instructor = _identity(student, ids), _identity(instructor, ids)
    starts_at = morning + lesson.begins
    known = await core.bookings.bookings(by_student, tense=None, limit=100, cursor=None)
    begin = {starts_at, starts_at if lesson.moved_to is None else morning + lesson.moved_to}
    if any(booking.service_id == service.id and booking.starts_at in begin for booking in known.items):
        return  # by a start that was interrupted
    booked = await core.bookings.book(
        by_student,
        instructor_id=instructor.id,
        service_id=service.id,
        starts_at=starts_at,
        duration_minutes=lesson.minutes,
        note=lesson.note,
    )
    if lesson.moved_to is not None:
        await core.bookings.reschedule(by_instructor, booked.booking.id, starts_at=morning + lesson.moved_to)
    if lesson.is_called_off:
        await core.bookings.cancel(by_instructor, booked.booking.id, reason="The pool is closed that week, sorry!")
    await _until_followed_up(storage)


async def _until_followed_up(storage: Storage) -> None:
    """Wait until what follows from the bookings has happened; what is not done by then, the server will do."""
    with trio.move_on_after(FOLLOW_UP_TIMEOUT_S):
        while any(job.handler != JobHandler.REMINDER for job in await _pending(storage)):  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.05)


async def _pending(storage: Storage) -> list[Job]:
    return await storage.outbox.page(state=JobState.PENDING, before=None, limit=100)


async def _mark_read(
    core: Core, users: dict[str, User], ids: Ids, talk: _Talk, seqs: Mapping[tuple[_Talk, int], int]
) -> None:
    for who, email, other, has_read in (
        ("s", talk.student, talk.instructor, talk.student_has_read),
        ("i", talk.instructor, talk.student, talk.instructor_has_read),
    ):
        identity = _identity(users[email], ids)
        opened = await core.messaging.open_conversation(identity, users[other].id, None)
        conversation = opened.view.conversation
        await core.messaging.mark_delivered(identity, conversation.id, conversation.last_seq)
        # Whoever answered has read what came before the answer.
        answered = max((seqs[talk, n] for n, line in enumerate(talk.lines) if line[0] == who), default=0)
        read = conversation.last_seq if has_read else answered
        if read:
            await core.messaging.mark_read(identity, conversation.id, read)


def _identity(user: User, ids: Ids) -> Identity:
    return Identity(
        user=user, session_id=SessionId(ids.ulid()), expires_at=datetime.max.replace(tzinfo=user.created_at.tzinfo)
    )
