"""What a ledger says about how long things took."""

from __future__ import annotations

import pytest

from chaos.bars import heals_within, polite_refusals, resets, streams_stay
from chaos.ledger import Attempt, Connection, Fault, Ledger, ListenerLog, Sent
from chaos.timings import answers_during, detected_s, healed_s, percentile, resumed_s


def a_ledger(
    *attempts: Attempt, connections: tuple[Connection, ...] = (), faults: tuple[Fault, ...] = ()
) -> Ledger:
    """One sender's attempts, one listener's connections, and what was done meanwhile."""
    log = ListenerLog("listener", "student", frozenset({"talk"}), 0, 0, (), connections)
    return Ledger((Sent("talk", "student", "c1", 0.0, attempts),), (), (), (log,), faults)


KILL = Fault("kill -9", at=10.0, over_at=10.0)
OUTAGE = Fault("away", at=10.0, over_at=15.0)


def test_a_fault_is_detected_by_the_first_attempt_that_fails_after_it_began() -> None:
    before, after = Attempt(8.0, 9.0, "503"), Attempt(9.9, 10.2, "reset")
    assert detected_s(a_ledger(before, after, faults=(KILL,))) == [pytest.approx(0.2)]


def test_a_fault_is_detected_by_a_stream_that_ends() -> None:
    cut = Connection(1.0, 1.1, ended_at=10.1, end="reset")
    assert detected_s(a_ledger(Attempt(12.0, 12.5, "503"), connections=(cut,), faults=(KILL,))) == [
        pytest.approx(0.1)
    ]


def test_a_fault_that_nobody_noticed_has_no_time_of_detection() -> None:
    assert detected_s(a_ledger(Attempt(11.0, 11.1, "201"), faults=(KILL,))) == []


def test_healing_lasts_from_the_end_of_the_fault_to_the_next_answer() -> None:
    refused, served = Attempt(11.0, 11.1, "503"), Attempt(16.0, 16.5, "201")
    assert healed_s(a_ledger(refused, served, faults=(OUTAGE,))) == [pytest.approx(1.5)]


def test_an_answer_to_an_attempt_from_before_the_fault_does_not_count_as_healed() -> None:
    late, served = Attempt(9.9, 10.05, "201"), Attempt(11.0, 12.0, "201")
    assert healed_s(a_ledger(late, served, faults=(KILL,))) == [pytest.approx(2.0)]


def test_healing_counts_the_sender_that_was_served_last() -> None:
    first = Sent("talk", "student", "c1", 0.0, (Attempt(10.5, 11.0, "201"),))
    last = Sent("talk", "teacher", "c1", 0.0, (Attempt(10.5, 13.0, "201"),))
    assert healed_s(Ledger((first, last), (), (), (), (KILL,))) == [pytest.approx(3.0)]


def test_a_cut_stream_has_resumed_at_its_first_event_on_a_new_connection() -> None:
    cut = Connection(1.0, 1.1, ended_at=10.0, end="reset")
    refused = Connection(10.5, None, ended_at=10.6, end="refused")
    again = Connection(11.0, 11.7, ended_at=None, end="")
    assert resumed_s(a_ledger(connections=(cut, refused, again), faults=(KILL,))) == [pytest.approx(1.7)]


def test_a_stream_that_was_not_cut_has_nothing_to_resume() -> None:
    assert resumed_s(a_ledger(connections=(Connection(1.0, 1.1, None, ""),), faults=(KILL,))) == []


def test_only_attempts_begun_during_a_fault_are_answers_during_it() -> None:
    during, after = Attempt(12.0, 20.0, "503"), Attempt(15.0, 15.1, "201")
    assert answers_during(a_ledger(during, after, faults=(OUTAGE,))) == [during]


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 3.0), (0.99, 4.0), (1.0, 4.0)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == value


def test_a_percentile_of_nothing_is_zero() -> None:
    assert percentile([], 0.99) == 0.0


def test_a_refusal_that_does_not_say_when_to_come_back_misses_its_bar() -> None:
    _, silent, other = polite_refusals(a_ledger(Attempt(0.0, 0.1, "503"), Attempt(0.2, 0.3, "503", 1.0)))
    assert (silent.value, silent.is_missed) == (1, True)
    assert not other.is_missed


def test_an_internal_error_misses_its_bar() -> None:
    *_, other = polite_refusals(a_ledger(Attempt(0.0, 0.1, "500")))
    assert other.is_missed


def test_resets_and_connections_closed_without_an_answer_miss_their_bar() -> None:
    ledger = a_ledger(*(Attempt(0.0, 0.1, answer) for answer in ("reset", "closed", "refused", "503")))
    assert resets(ledger).value == 2


def test_a_stream_that_ended_before_the_fault_is_no_concern_of_it() -> None:
    before, after = Connection(1.0, 1.1, 5.0, "closed"), Connection(6.0, 6.1, 11.0, "closed")
    assert streams_stay(a_ledger(connections=(before, after), faults=(KILL,))).value == 1


def test_healing_too_late_misses_its_bar() -> None:
    slow = a_ledger(Attempt(13.0, 14.0, "201"), faults=(KILL,))
    assert heals_within(slow, 3.0).is_missed
    assert not heals_within(slow, 4.0).is_missed
