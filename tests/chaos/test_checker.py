"""The checker finds what is planted into a good ledger, each fault under its own name, and nothing in a good one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.checker import PROMISES, check
from chaos.ledger import Acked, Attempt, Delivered, Ledger, ListenerLog, Persisted, Sent, ShownMessage

TALK = "talk"
STUDENT = "student"
INSTRUCTOR = "instructor"
MESSAGES = 6


def a_good_ledger() -> Ledger:
    """Six messages by one sender, shown to both; both streams open with an event that brings no message."""
    numbers = range(1, MESSAGES + 1)
    return Ledger(
        sent=tuple(
            Sent(
                TALK,
                STUDENT,
                f"c{n}",
                at=float(n),
                attempts=(Attempt(n, n + 0.1, "503"), Attempt(n + 0.2, n + 0.3, "201")),
            )
            for n in numbers
        ),
        acked=tuple(Acked(TALK, STUDENT, f"c{n}", f"m{n}", n) for n in numbers),
        persisted=tuple(Persisted(TALK, STUDENT, f"c{n}", f"m{n}", n) for n in numbers),
        listeners=(a_log(STUDENT, start=0), a_log(INSTRUCTOR, start=40)),
    )


def a_log(user: str, *, start: int) -> ListenerLog:
    opening = Delivered(start + 1, at=0.0, connection=1, message=None)
    messages = (
        Delivered(start + 1 + n, at=float(n), connection=1 + n // 3, message=ShownMessage(TALK, f"m{n}", n))
        for n in range(1, MESSAGES + 1)
    )
    return ListenerLog(user, user, frozenset({TALK}), start, resets=0, delivered=(opening, *messages))


def with_events(ledger: Ledger, *delivered: Delivered) -> Ledger:
    """The ledger with another log for its first listener."""
    first, *rest = ledger.listeners
    return replace(ledger, listeners=(replace(first, delivered=delivered), *rest))


def broken(**counts: int) -> dict[str, int]:
    return counts


def test_a_good_ledger_breaks_nothing() -> None:
    verdict = check(a_good_ledger())
    assert verdict.broken == {}
    assert (verdict.sent, verdict.acked, verdict.persisted, verdict.delivered) == (6, 6, 6, 12)


def test_an_empty_ledger_breaks_nothing() -> None:
    assert check(Ledger((), (), (), ())).broken == {}


def test_a_message_that_was_stored_without_its_answer_arriving_is_no_fault() -> None:
    good = a_good_ledger()
    assert check(replace(good, acked=good.acked[:-1])).broken == {}


def test_an_acknowledged_message_that_is_not_stored_is_lost() -> None:
    good = a_good_ledger()
    unsaid = with_events(good, *good.listeners[0].delivered[:-1])
    unsaid = replace(unsaid, listeners=(unsaid.listeners[0], replace(good.listeners[1], delivered=())))
    verdict = check(replace(unsaid, persisted=good.persisted[:-1], listeners=unsaid.listeners[:1]))
    assert verdict.broken == broken(lost=1)


@pytest.mark.parametrize("other", [{"message_id": "m9"}, {"seq": 9}])
def test_a_message_that_is_stored_otherwise_than_acknowledged_is_lost(other: dict[str, str | int]) -> None:
    good = a_good_ledger()
    acked = (*good.acked[:-1], replace(good.acked[-1], **other))  # type: ignore[arg-type]
    assert check(replace(good, acked=acked)).broken == broken(lost=1)


def test_a_client_id_that_is_stored_twice_is_a_duplicate_row() -> None:
    good = a_good_ledger()
    again = replace(good.persisted[-1], message_id="m7", seq=7)
    verdict = check(replace(good, persisted=(*good.persisted, again), listeners=()))
    assert verdict.broken == broken(dup_rows=1)


def test_a_place_that_is_taken_twice_is_a_duplicate_row() -> None:
    good = a_good_ledger()
    sent = (*good.sent, Sent(TALK, INSTRUCTOR, "c1", 0.0, (Attempt(0.0, 0.1, "reset"),)))
    twin = Persisted(TALK, INSTRUCTOR, "c1", "m7", 6)
    verdict = check(replace(good, sent=sent, persisted=(*good.persisted, twin), listeners=()))
    assert verdict.broken == broken(dup_rows=1)


def test_an_event_that_comes_again_is_a_duplicate_delivery() -> None:
    good = a_good_ledger()
    events = good.listeners[0].delivered
    assert check(with_events(good, *events, replace(events[-1], connection=9))).broken == broken(dup_shown=1)


def test_a_message_that_comes_again_as_another_event_is_a_duplicate_delivery() -> None:
    good = a_good_ledger()
    events = good.listeners[0].delivered
    again = replace(events[-1], stream_seq=events[-1].stream_seq + 1)
    assert check(with_events(good, *events, again)).broken == broken(dup_shown=1)


def test_a_stored_message_that_was_not_shown_at_the_end_is_undelivered() -> None:
    good = a_good_ledger()
    assert check(with_events(good, *good.listeners[0].delivered[:-1])).broken == broken(undelivered=1)


def test_a_stored_message_that_was_skipped_is_undelivered_and_a_gap() -> None:
    good = a_good_ledger()
    events = good.listeners[0].delivered
    assert check(with_events(good, *events[:3], *events[4:])).broken == broken(undelivered=1, gaps=1)


def test_a_place_missing_in_a_stream_is_a_gap_although_every_message_came() -> None:
    good = a_good_ledger()
    assert check(with_events(good, *good.listeners[0].delivered[1:])).broken == broken(gaps=1)


def test_a_place_missing_in_a_conversation_is_a_gap() -> None:
    good = a_good_ledger()
    stored = good.persisted[:2] + good.persisted[3:]
    verdict = check(replace(good, acked=(), persisted=stored, listeners=()))
    assert verdict.broken == broken(gaps=1)


def test_a_cursor_that_could_not_be_served_is_a_gap() -> None:
    good = a_good_ledger()
    first, second = good.listeners
    assert check(replace(good, listeners=(replace(first, resets=1), second))).broken == broken(gaps=1)


def test_two_events_that_changed_places_are_a_reorder() -> None:
    good = a_good_ledger()
    events = good.listeners[0].delivered
    assert check(with_events(good, *events[:2], events[3], events[2], *events[4:])).broken == broken(reorders=1)


def test_two_messages_that_changed_places_in_a_stream_are_a_reorder() -> None:
    good = a_good_ledger()
    events = list(good.listeners[0].delivered)
    earlier, later = events[2], events[3]
    events[2:4] = [replace(earlier, message=later.message), replace(later, message=earlier.message)]
    assert check(with_events(good, *events)).broken == broken(reorders=1)


def test_acknowledgements_against_the_order_of_sending_are_a_reorder() -> None:
    good = a_good_ledger()
    acked = (good.acked[1], good.acked[0], *good.acked[2:])
    assert check(replace(good, acked=acked)).broken == broken(reorders=1)


def test_a_message_that_was_shown_but_is_not_stored_is_a_phantom() -> None:
    good = a_good_ledger()
    verdict = check(replace(good, acked=good.acked[:-1], persisted=good.persisted[:-1]))
    assert verdict.broken == broken(phantoms=1)


def test_a_stored_message_that_nobody_sent_is_a_phantom() -> None:
    good = a_good_ledger()
    assert check(replace(good, sent=good.sent[:-1])).broken == broken(phantoms=1)


def test_every_promise_is_a_count_of_the_verdict() -> None:
    verdict = check(a_good_ledger())
    assert all(getattr(verdict, name) == 0 for name in PROMISES)
