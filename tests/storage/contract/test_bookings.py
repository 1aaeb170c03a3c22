"""What storage keeps of bookings, and what it never lets be; both twins alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import trio

from greenroom.schema.bookings import Booking, BookingPageKey, BookingStatus, BookingTense, Slot
from greenroom.schema.errors import Conflict, SlotTaken
from greenroom.schema.ids import BookingId, UserId
from greenroom.schema.records import Role
from greenroom.storage.lock_ledger import LockRuleBroken
from greenroom.storage.ports import Storage
from tests.storage.builders import (
    ANN,
    BEN,
    CLEO,
    NOW,
    a_booking,
    a_conversation,
    a_message,
    a_service,
    a_user,
    add_users,
    append_messages,
    conversation_id,
    open_all,
    save_bookings,
)

WAIT_S = 20
HOUR = timedelta(hours=1)
TOMORROW = NOW + timedelta(days=1)
ELA = UserId("01USERELA00000000000000000")


@pytest.fixture
async def storage(storage: Storage) -> Storage:
    """Ann and Cleo learn from Ben, Ann from Ela too."""
    await add_users(storage, ANN, BEN, CLEO)
    await storage.accounts.create_user(a_user(ELA, role=Role.INSTRUCTOR), "hash")
    await storage.directory.add_services([a_service(BEN), a_service(ELA, 2)])
    await open_all(storage, a_conversation(ANN, BEN, 1), a_conversation(CLEO, BEN, 2), a_conversation(ANN, ELA, 3))
    return storage


def cancelled(booking: Booking) -> Booking:
    return replace(booking, status=BookingStatus.CANCELLED, closed_by=booking.student_id, version=2)


async def read(storage: Storage, booking: Booking) -> Booking | None:
    return await storage.bookings.booking(booking.id, booking.student_id)


async def test_a_booking_is_the_two_users_and_nobody_elses(storage: Storage) -> None:
    booking = a_booking()
    await save_bookings(storage, booking)

    assert await storage.bookings.booking(booking.id, ANN) == booking
    assert await storage.bookings.booking(booking.id, BEN) == booking
    assert await storage.bookings.booking(booking.id, CLEO) is None
    assert await storage.bookings.booking(BookingId("01NOTHING00000000000000000"), ANN) is None


async def test_what_may_change_of_a_booking_changes_and_nothing_else(storage: Storage) -> None:
    booking = a_booking()
    await save_bookings(storage, booking)
    changed = replace(
        booking,
        starts_at=booking.starts_at + HOUR,
        ends_at=booking.ends_at + HOUR,
        status=BookingStatus.CANCELLED,
        version=2,
        updated_at=NOW + HOUR,
        closed_by=BEN,
        cancel_reason="I am ill.",
        reminded_version=1,
    )

    await save_bookings(storage, replace(changed, title="Violin", price_cents=1, note="x", student_id=CLEO))

    assert await read(storage, booking) == changed


@pytest.mark.parametrize(
    ("offset_minutes", "is_taken"), [(-60, False), (-59, True), (0, True), (59, True), (60, False)]
)
async def test_lessons_of_one_instructor_follow_on_each_other_but_never_overlap(
    storage: Storage, offset_minutes: int, is_taken: bool
) -> None:
    await save_bookings(storage, a_booking(1))
    other = a_booking(2, student_id=CLEO, conversation=2, starts_at=TOMORROW + timedelta(minutes=offset_minutes))

    if is_taken:
        with pytest.raises(SlotTaken):
            await save_bookings(storage, other)
        assert await read(storage, other) is None
    else:
        await save_bookings(storage, other)
        assert await read(storage, other) == other


async def test_the_time_of_a_cancelled_lesson_is_free(storage: Storage) -> None:
    first, other = a_booking(1), a_booking(2, student_id=CLEO, conversation=2)
    await save_bookings(storage, first)

    await save_bookings(storage, cancelled(first))
    await save_bookings(storage, other)

    assert await read(storage, other) == other
    with pytest.raises(SlotTaken):
        await save_bookings(storage, first)


async def test_another_instructor_has_another_time(storage: Storage) -> None:
    await save_bookings(storage, a_booking(1))
    other = a_booking(2, instructor_id=ELA, conversation=3, service=2)

    await save_bookings(storage, other)

    assert await read(storage, other) == other


async def test_of_bookings_that_race_for_overlapping_times_exactly_one_wins(storage: Storage) -> None:
    outcomes: list[str] = []

    async def race(number: int) -> None:
        is_ann = number % 2 == 0
        wanted = a_booking(
            number + 1,
            student_id=ANN if is_ann else CLEO,
            conversation=1 if is_ann else 2,
            starts_at=TOMORROW + timedelta(minutes=5 * number),
        )
        try:
            await save_bookings(storage, wanted)
            outcomes.append("booked")
        except SlotTaken:
            outcomes.append("taken")

    with trio.fail_after(WAIT_S):
        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(race, number)

    assert sorted(outcomes) == ["booked"] + ["taken"] * 7
    assert len(await storage.bookings.page(BEN, tense=None, now=NOW, after=None, limit=9)) == 1


async def test_whoever_asks_for_a_time_under_the_lock_sees_what_takes_it(storage: Storage) -> None:
    booking, freed = a_booking(1), a_booking(2, starts_at=TOMORROW + 2 * HOUR)
    await save_bookings(storage, booking, freed)
    await save_bookings(storage, cancelled(freed))

    async with storage.writes.transaction() as tx:
        wanted = Slot(BEN, TOMORROW + HOUR / 2, TOMORROW + 3 * HOUR)
        locked = await tx.lock(conversations=[conversation_id(2)], slots=[wanted])
        assert locked.bookings == {booking.id: booking}


async def test_a_booking_is_locked_with_its_own_conversation_only(storage: Storage) -> None:
    booking = a_booking()
    await save_bookings(storage, booking)

    async with storage.writes.transaction() as tx:
        locked = await tx.lock(conversations=[conversation_id(1)], bookings=[booking.id])
        assert locked.bookings == {booking.id: booking}
    async with storage.writes.transaction() as tx:
        assert (await tx.lock(conversations=[conversation_id(2)], bookings=[booking.id])).bookings == {}


async def test_a_booking_of_a_conversation_that_was_not_locked_is_refused(storage: Storage) -> None:
    async def act() -> None:
        async with storage.writes.transaction() as tx:
            await tx.lock(conversations=[conversation_id(2)])
            await tx.save_bookings([a_booking()])

    with pytest.raises(LockRuleBroken):
        await act()
    assert await read(storage, a_booking()) is None


@pytest.mark.parametrize(
    "changes", [{"version": 0}, {"status": BookingStatus.CANCELLED}, {"closed_by": ANN}, {"ends_at": TOMORROW}]
)
async def test_what_contradicts_itself_is_not_stored(storage: Storage, changes: dict[str, object]) -> None:
    with pytest.raises(Conflict):
        await save_bookings(storage, a_booking(**changes))  # type: ignore[arg-type]
    assert await read(storage, a_booking()) is None


async def test_a_message_can_be_about_a_booking_that_is_there(storage: Storage) -> None:
    booking = a_booking()
    await save_bookings(storage, booking)
    about = replace(a_message(), booking_id=booking.id)

    await append_messages(storage, about)

    assert await storage.conversations.message(about.id, ANN) == about
    with pytest.raises(Conflict):
        await append_messages(
            storage, replace(a_message(seq=2, ordinal=2), booking_id=BookingId("01NOTHING00000000000000000"))
        )


async def test_conversations_are_shown_with_their_next_five_lessons(storage: Storage) -> None:
    lessons = [a_booking(n, starts_at=TOMORROW + n * HOUR) for n in range(1, 8)]
    begun = a_booking(20, starts_at=NOW - HOUR / 2)
    over = a_booking(21, starts_at=NOW - 2 * HOUR)
    await save_bookings(storage, *reversed(lessons), begun, over, cancelled(a_booking(22)))

    expected = (begun, *lessons[:4])
    view = await storage.conversations.view(conversation_id(1), BEN, now=NOW)
    assert view is not None
    assert view.upcoming == expected
    snapshot = await storage.streams.snapshot(ANN, conversations_max=9, now=NOW)
    assert {v.conversation.id: v.upcoming for v in snapshot.conversations} == {
        conversation_id(1): expected,
        conversation_id(3): (),
    }
    async with storage.writes.transaction() as tx:
        await tx.lock(conversations=[conversation_id(1)])
        found = await tx.upcoming_bookings([conversation_id(1), conversation_id(2)], now=NOW, limit=2)
        assert found == {conversation_id(1): list(expected[:2])}


async def test_bookings_are_listed_page_by_page_in_each_tense(storage: Storage) -> None:
    ahead = [a_booking(n, starts_at=TOMORROW + n * HOUR) for n in range(3)]
    elsewhere = a_booking(9, instructor_id=ELA, conversation=3, service=2, starts_at=TOMORROW + HOUR)
    called_off = cancelled(a_booking(10, starts_at=TOMORROW + 5 * HOUR))
    given = a_booking(11, starts_at=NOW - 5 * HOUR, status=BookingStatus.COMPLETED, closed_by=BEN)
    forgotten = a_booking(12, starts_at=NOW - 3 * HOUR)
    await save_bookings(storage, *ahead, called_off, given, forgotten)
    await save_bookings(storage, elsewhere)

    async def pages(user_id: UserId, tense: BookingTense | None) -> list[Booking]:
        found: list[Booking] = []
        after: BookingPageKey | None = None
        while page := await storage.bookings.page(user_id, tense=tense, now=NOW, after=after, limit=2):
            found += page
            after = BookingPageKey(page[-1].starts_at, page[-1].id)
        return found

    upcoming = [ahead[0], ahead[1], elsewhere, ahead[2]]
    past = [called_off, forgotten, given]
    assert await pages(ANN, BookingTense.UPCOMING) == upcoming
    assert await pages(ANN, BookingTense.PAST) == past
    assert await pages(ANN, None) == [called_off, *reversed(upcoming), forgotten, given]
    assert await pages(BEN, BookingTense.UPCOMING) == ahead
    assert await pages(CLEO, None) == []
