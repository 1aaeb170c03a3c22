from __future__ import annotations

from greenroom.storage.bus_sequences import PUBLISHERS_MAX, Arrival, Sequences


def test_a_publisher_heard_from_its_first_payload_on_has_no_gap() -> None:
    heard = Sequences()
    assert [heard.note("a", 0, number, 0.0) for number in (1, 2, 3)] == [Arrival.NEXT] * 3


def test_a_publisher_first_heard_in_mid_speech_may_have_been_missed() -> None:
    assert Sequences().note("a", 0, 7, 0.0) is Arrival.AFTER_A_GAP


def test_a_hole_shows_at_the_next_payload_and_only_there() -> None:
    heard = Sequences()
    heard.note("a", 0, 1, 0.0)
    assert heard.note("a", 0, 3, 0.0) is Arrival.AFTER_A_GAP
    assert heard.note("a", 0, 4, 0.0) is Arrival.NEXT


def test_what_was_heard_before_is_stale() -> None:
    heard = Sequences()
    heard.note("a", 0, 5, 0.0)
    assert [heard.note("a", 0, number, 0.0) for number in (5, 4, 1)] == [Arrival.STALE] * 3


def test_publishers_and_channels_are_counted_apart() -> None:
    heard = Sequences()
    heard.note("a", 0, 1, 0.0)
    assert heard.note("a", 1, 1, 0.0) is Arrival.NEXT
    assert heard.note("b", 0, 1, 0.0) is Arrival.NEXT


def test_who_was_not_heard_since_is_named_once_and_forgotten() -> None:
    heard = Sequences()
    heard.note("a", 0, 1, 1.0)
    heard.note("b", 0, 1, 2.0)
    assert heard.fallen_silent(since=1.5) == {"a"}
    assert heard.fallen_silent(since=1.5) == set()
    assert heard.heard_at("b", 0) == 2.0


def test_who_said_farewell_is_not_missed() -> None:
    heard = Sequences()
    heard.note("a", 0, 1, 1.0)
    heard.forget("a", 0)
    assert heard.fallen_silent(since=9.0) == set()


def test_no_more_publishers_are_remembered_than_there_may_be() -> None:
    heard = Sequences()
    for number in range(PUBLISHERS_MAX + 5):
        heard.note(f"p{number}", 0, 1, 0.0)
    assert heard.heard_at("p4", 0) is None
    assert heard.heard_at("p5", 0) == 0.0
