"""What a ledger says about how long things took."""

from __future__ import annotations

import pytest

from chaos.bars import failed_elsewhere, heals_within, polite_refusals, resets, streams_stay
from chaos.ledger import Acked, Attempt, Connection, Delivered, Fault, Ledger, ListenerLog, Sent, ShownMessage
from chaos.timings import answers_during, detected_s, healed_s, lateness_s, percentile, resumed_s


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


def a_delivery(shown_at: float, *, acked_at: float, ready_at: float, faults: tuple[Fault, ...] = ()) -> Ledger:
    sent = Sent("talk", "student", "c1", 0.0, (Attempt(acked_at - 0.1, acked_at, "201"),))
    event = Delivered(1, shown_at, 1, ShownMessage("talk", "m1", 1))
    log = ListenerLog(
        "listener", "teacher", frozenset({"talk"}), 0, 0, (event,), (Connection(ready_at, ready_at, None, ""),)
    )
    return Ledger((sent,), (Acked("talk", "student", "c1", "m1", 1),), (), (log,), faults)


def test_lateness_lasts_from_the_acknowledgement_until_it_is_shown() -> None:
    assert lateness_s(a_delivery(5.5, acked_at=5.0, ready_at=1.0)) == [pytest.approx(0.5)]


def test_what_was_shown_before_it_was_acknowledged_is_not_late() -> None:
    assert lateness_s(a_delivery(4.9, acked_at=5.0, ready_at=1.0)) == [0.0]


def test_what_a_listener_missed_while_it_was_away_is_not_late() -> None:
    assert lateness_s(a_delivery(9.0, acked_at=5.0, ready_at=8.0)) == []


def test_lateness_during_a_fault_counts_what_was_acknowledged_meanwhile() -> None:
    during, outside = (
        a_delivery(12.0, acked_at=11.0, ready_at=1.0, faults=(OUTAGE,)),
        a_delivery(9.0, acked_at=8.0, ready_at=1.0, faults=(OUTAGE,)),
    )
    assert lateness_s(during, during="away") == [pytest.approx(1.0)]
    assert lateness_s(outside, during="away") == []


@pytest.mark.parametrize(("port", "failed"), [(7, 0), (8, 1)])
def test_only_the_connections_of_a_killed_worker_may_fail(port: int, failed: int) -> None:
    kill = Fault("kill -9 of a worker", 10.0, 10.1, cut=frozenset({7}))
    cut = Attempt(10.0, 10.05, "reset", port=port)
    requests, _ = failed_elsewhere(a_ledger(cut, faults=(kill,)))
    assert requests.value == failed


def test_an_attempt_from_after_the_kill_may_not_fail_though_its_port_is_the_same() -> None:
    kill = Fault("kill -9 of a worker", 10.0, 10.1, cut=frozenset({7}))
    requests, _ = failed_elsewhere(a_ledger(Attempt(10.2, 10.3, "reset", port=7), faults=(kill,)))
    assert requests.value == 1
