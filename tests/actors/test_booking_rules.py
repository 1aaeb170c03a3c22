"""The rules of bookings, decided without a database, an actor or a clock."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from greenroom.actors.batch import Circumstances, Known
from greenroom.actors.commands import (
    Booked,
    BookLesson,
    CancelBooking,
    Command,
    CompleteBooking,
    PostSystemMessage,
    RemindBooking,
    RescheduleBooking,
    SendMessage,
    Sent,
)
from greenroom.actors.draft import Draft
from greenroom.schema.bookings import (
    AHEAD_MAX,
    Booking,
    BookingEvent,
    BookingEventType,
    BookingStatus,
    Slot,
    price_of,
)
from greenroom.schema.errors import (
    BookingClosed,
    BookingNotBegun,
    BookingNotFound,
    ConversationNotFound,
    DomainError,
    InvalidInput,
    PermissionDenied,
    SlotTaken,
)
from greenroom.schema.ids import BookingId, ConversationId, EventId, RandomIds, ServiceId, UserId
from greenroom.schema.records import (
    Conversation,
    ConversationState,
    LockedConversation,
    MessageKind,
    Participant,
    Role,
    User,
)
from greenroom.storage.ports import Locked, OpenedConversation, StreamPosition

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
STUDENT, INSTRUCTOR = UserId("01HSTUDENT0000000000000000"), UserId("01HTEACHER0000000000000000")
STRANGER = UserId("01HSTRANGER000000000000000")
TALK = ConversationId("01HTA1K0000000000000000000")
SOON = NOW + timedelta(days=3)


def a_booking(number: int = 1, *, starts_at: datetime = SOON, **changes: object) -> Booking:
    booking = Booking(
        id=BookingId(f"01HB{number:022}"),
        conversation_id=TALK,
        student_id=STUDENT,
        instructor_id=INSTRUCTOR,
        service_id=ServiceId("01HSERVKE00000000000000000"),
        title="Piano",
        starts_at=starts_at,
        ends_at=starts_at + HOUR,
        status=BookingStatus.BOOKED,
        note=None,
        price_cents=8_000,
        currency="USD",
        version=1,
        created_at=NOW - HOUR,
        updated_at=NOW - HOUR,
    )
    return replace(booking, **changes)  # type: ignore[arg-type]


def drafted(
    *commands: Command,
    bookings: Sequence[Booking] = (),
    opened: bool | None = None,
    state: ConversationState = ConversationState.ACTIVE,
    now: datetime = NOW,
) -> Draft:
    """Apply commands; ``opened`` says whether the conversation is new to those that open one."""
    users = {
        u: User(u, "a@b.cd", u[3:7], Role.STUDENT, is_active=True, created_at=NOW) for u in (STUDENT, INSTRUCTOR)
    }
    openings = [] if opened is None else [OpenedConversation(TALK, opened)] * len(commands)
    conversation = LockedConversation(
        Conversation(TALK, STUDENT, INSTRUCTOR, 0, NOW, NOW),
        Participant(TALK, STUDENT, INSTRUCTOR, state),
        Participant(TALK, INSTRUCTOR, STUDENT),
    )
    streams = {STUDENT: StreamPosition(0, 0), INSTRUCTOR: StreamPosition(0, 0)}
    locked = Locked({TALK: conversation}, streams, {}, {}, {}, {booking.id: booking for booking in bookings})
    draft = Draft(
        Known(openings, locked, users, {}),
        Circumstances(RandomIds(Random(1), lambda: NOW), now, lambda _: False, timedelta(minutes=15)),
    )
    for command in commands:
        draft.apply(command)
    return draft


def book(starts_at: datetime = SOON, *, note: str | None = None, duration: timedelta = HOUR) -> BookLesson:
    slot = Slot(INSTRUCTOR, starts_at, starts_at + duration)
    return BookLesson(STUDENT, INSTRUCTOR, a_booking().service_id, "Piano", 8_000, "USD", slot, note)


def move(to: datetime, by: UserId = STUDENT) -> RescheduleBooking:
    return RescheduleBooking(TALK, by, a_booking().id, Slot(INSTRUCTOR, to, to + HOUR))


def cancel(by: UserId = STUDENT, reason: str | None = None) -> CancelBooking:
    return CancelBooking(TALK, by, a_booking().id, reason)


def complete(by: UserId = INSTRUCTOR) -> CompleteBooking:
    return CompleteBooking(TALK, by, a_booking().id)


def told(draft: Draft, user_id: UserId) -> list[str]:
    return [event.name for event in draft.batch.events if event.user_id == user_id]


def planned(draft: Draft) -> list[tuple[str, str]]:
    return [(job.type, job.handler) for job in draft.batch.jobs]


def assert_nothing_happened(draft: Draft, error: type[DomainError]) -> None:
    assert [type(reply) for reply in draft.replies] == [error]
    assert (draft.batch.bookings, draft.batch.jobs, draft.batch.events) == ([], [], [])


def test_a_lesson_is_booked_told_to_both_and_followed_up() -> None:
    draft = drafted(book(note="hi"), opened=True)

    [reply] = draft.replies
    assert isinstance(reply, Booked)
    assert reply.created
    assert draft.batch.bookings == [reply.booking]
    assert (reply.booking.status, reply.booking.version, reply.booking.note) == (BookingStatus.BOOKED, 1, "hi")
    assert told(draft, STUDENT) == told(draft, INSTRUCTOR) == ["conversation.created", "booking.created"]
    assert [handler for _, handler in planned(draft)] == [
        "system_message",
        "mail_student",
        "mail_instructor",
        "reminder",
    ]
    assert [job.planned_at for job in draft.batch.jobs] == [NOW, NOW, NOW, SOON - timedelta(hours=24)]
    assert len({job.event_id for job in draft.batch.jobs}) == 1
    event = BookingEvent.from_json(draft.batch.jobs[0].payload)
    assert (event.type, event.by, event.booking) == (BookingEventType.CREATED, STUDENT, reply.booking)


def test_who_books_on_short_notice_is_not_reminded() -> None:
    draft = drafted(book(NOW + HOUR), opened=False)

    assert [handler for _, handler in planned(draft)] == ["system_message", "mail_student", "mail_instructor"]


@pytest.mark.parametrize("starts_at", [NOW, NOW - HOUR, NOW + AHEAD_MAX + HOUR])
def test_a_lesson_begins_in_the_future_and_not_too_far_away(starts_at: datetime) -> None:
    for command, there in ((book(starts_at), []), (move(starts_at), [a_booking()])):
        draft = drafted(command, opened=False, bookings=there)
        assert_nothing_happened(draft, InvalidInput)
        [reply] = draft.replies
        assert isinstance(reply, InvalidInput)
        assert reply.errors[0].loc == ("body", "starts_at")


def test_a_refusal_leaves_a_conversation_that_was_opened_for_it_and_both_know() -> None:
    draft = drafted(book(NOW), opened=True)

    assert told(draft, STUDENT) == told(draft, INSTRUCTOR) == ["conversation.created"]
    assert draft.batch.bookings == []


def test_of_two_who_want_the_same_time_in_one_batch_the_first_gets_it() -> None:
    draft = drafted(book(), book(SOON + HOUR / 2), book(SOON + HOUR), opened=False)

    first, second, third = draft.replies
    assert isinstance(first, Booked)
    assert isinstance(second, SlotTaken)
    assert isinstance(third, Booked)


def test_a_time_given_back_in_a_batch_can_be_taken_in_it() -> None:
    draft = drafted(cancel(), book(note="mine"), bookings=[a_booking()], opened=False)

    assert [b.status for b in draft.batch.bookings] == [BookingStatus.CANCELLED, BookingStatus.BOOKED]


def test_booking_the_same_again_is_the_first_booking() -> None:
    draft = drafted(book(), bookings=[a_booking()], opened=False)

    assert draft.replies == [Booked(a_booking(), created=False)]
    assert (draft.batch.bookings, draft.batch.jobs, draft.batch.events) == ([], [], [])


def test_a_lesson_is_moved_by_either_and_keeps_its_length() -> None:
    for by in (STUDENT, INSTRUCTOR):
        draft = drafted(move(SOON + HOUR / 2, by), bookings=[a_booking()])

        [moved] = draft.batch.bookings
        assert (moved.starts_at, moved.duration_minutes, moved.version) == (SOON + HOUR / 2, 60, 2)
        assert told(draft, STUDENT) == told(draft, INSTRUCTOR) == ["booking.rescheduled"]
        event = BookingEvent.from_json(draft.batch.jobs[0].payload)
        assert (event.moved_from, event.by) == (SOON, by)


def test_moving_to_where_it_is_changes_nothing() -> None:
    draft = drafted(move(SOON), bookings=[a_booking()])

    assert draft.replies == [a_booking()]
    assert draft.batch.bookings == []


def test_a_lesson_is_not_moved_onto_another() -> None:
    there = [a_booking(), a_booking(2, starts_at=SOON + 2 * HOUR)]

    assert_nothing_happened(drafted(move(SOON + 1.5 * HOUR), bookings=there), SlotTaken)


def test_a_lesson_is_called_off_by_either_with_a_reason() -> None:
    draft = drafted(cancel(INSTRUCTOR, "ill"), bookings=[a_booking()])

    [cancelled] = draft.batch.bookings
    assert (cancelled.status, cancelled.closed_by, cancelled.cancel_reason) == (
        BookingStatus.CANCELLED,
        INSTRUCTOR,
        "ill",
    )
    assert json.loads(draft.batch.events[0].data)["booking"]["cancel_reason"] == "ill"


@pytest.mark.parametrize("command", [cancel(), move(SOON + HOUR)])
@pytest.mark.parametrize(
    "booking",
    [
        a_booking(status=BookingStatus.CANCELLED, closed_by=INSTRUCTOR),
        a_booking(status=BookingStatus.COMPLETED, closed_by=INSTRUCTOR),
        a_booking(starts_at=NOW),
    ],
)
def test_what_is_over_or_has_begun_is_not_changed(command: Command, booking: Booking) -> None:
    assert_nothing_happened(drafted(command, bookings=[booking]), BookingClosed)


def test_calling_off_again_what_one_called_off_changes_nothing() -> None:
    cancelled = a_booking(status=BookingStatus.CANCELLED, closed_by=STUDENT)

    assert drafted(cancel(), bookings=[cancelled]).replies == [cancelled]


def test_the_instructor_completes_a_lesson_that_has_begun_once() -> None:
    begun = a_booking(starts_at=NOW)
    draft = drafted(complete(), complete(), bookings=[begun])

    first, second = draft.replies
    assert (
        first
        == second
        == replace(begun, status=BookingStatus.COMPLETED, closed_by=INSTRUCTOR, version=2, updated_at=NOW)
    )
    assert told(draft, STUDENT) == ["booking.completed"]
    assert_nothing_happened(drafted(complete(STUDENT), bookings=[begun]), PermissionDenied)
    assert_nothing_happened(drafted(complete(), bookings=[a_booking()]), BookingNotBegun)
    cancelled = a_booking(status=BookingStatus.CANCELLED, closed_by=STUDENT)
    assert_nothing_happened(drafted(complete(), bookings=[cancelled]), BookingClosed)


def test_strangers_and_strange_bookings_are_not_found() -> None:
    for command in (cancel(STRANGER), move(SOON + HOUR, STRANGER), complete(STRANGER)):
        assert_nothing_happened(drafted(command, bookings=[a_booking()]), ConversationNotFound)
    elsewhere = a_booking(conversation_id=ConversationId("01HE15EWHERE00000000000000"))
    assert_nothing_happened(drafted(cancel(), bookings=[elsewhere]), BookingNotFound)


def test_both_are_reminded_once_of_a_lesson_that_is_still_the_same() -> None:
    remind = RemindBooking(TALK, a_booking().id, 1)
    draft = drafted(remind, remind, bookings=[a_booking()])

    assert draft.replies == [True, False]
    assert told(draft, STUDENT) == told(draft, INSTRUCTOR) == ["booking.reminder"]
    assert planned(draft) == [("BookingReminder", "mail_student"), ("BookingReminder", "mail_instructor")]
    for changed in (
        a_booking(version=2),
        a_booking(status=BookingStatus.CANCELLED, closed_by=STUDENT),
        a_booking(starts_at=NOW),
    ):
        late = drafted(remind, bookings=[changed])
        assert (late.replies, late.batch.events) == ([False], [])


def test_a_system_message_is_posted_once_per_event_and_counts_as_unread_for_nobody() -> None:
    event = EventId("01HEVENT000000000000000000")
    post = PostSystemMessage(TALK, event, "Booked.", a_booking().id)
    draft = drafted(post, SendMessage(TALK, STUDENT, "Great", None), post, state=ConversationState.ARCHIVED)

    first, _, again = draft.replies
    assert isinstance(first, Sent)
    assert again == replace(first, created=False)
    assert [(m.seq, m.kind, m.sender_ordinal) for m in draft.batch.messages] == [
        (1, MessageKind.SYSTEM, 0),
        (2, MessageKind.USER, 1),
    ]
    assert told(draft, STUDENT) == ["conversation.updated", "message.created", "message.created"]
    shown = [json.loads(e.data) for e in draft.batch.events if e.name == "message.created"]
    assert [(e["message"]["kind"], e["total_unread"]) for e in shown] == [
        ("system", 0),
        ("system", 0),
        ("user", 0),
        ("user", 1),
    ]


def test_a_message_is_about_a_booking_of_its_conversation() -> None:
    about = SendMessage(TALK, STUDENT, "This one", None, a_booking().id)

    [sent] = drafted(about, bookings=[a_booking()]).replies
    assert isinstance(sent, Sent)
    assert sent.message.booking_id == a_booking().id
    [refused] = drafted(about).replies
    assert isinstance(refused, InvalidInput)
    assert refused.errors[0].loc == ("body", "booking_id")


@pytest.mark.parametrize(("minutes", "cents"), [(45, 6_000), (60, 8_000), (15, 2_000), (50, 6_667), (480, 64_000)])
def test_a_longer_lesson_costs_more_in_proportion(minutes: int, cents: int) -> None:
    assert price_of(timedelta(minutes=minutes), price_cents=6_000, per=timedelta(minutes=45)) == cents
