"""How long things took, as clients saw them: pure functions over a ledger, in seconds."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

from chaos.ledger import Attempt, Fault, Ledger, Sent


def percentile(values: Iterable[float], share: float) -> float:
    """The value that ``share`` of all values are below or at; 0.0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def detected_s(ledger: Ledger) -> list[float]:
    """Per fault: from its begin until the first client noticed, by a failed attempt or an ended stream.

    A fault that nobody noticed before the next one is left out.
    """
    noticed = sorted(
        [attempt.ended_at for attempt in _attempts(ledger) if not attempt.is_success]
        + [at.ended_at for log in ledger.listeners for at in log.connections if at.ended_at is not None]
    )
    took = []
    for fault, until in _with_ends(ledger.faults):
        at = bisect_left(noticed, fault.at)
        if at < len(noticed) and noticed[at] < until:
            took.append(noticed[at] - fault.at)
    return took


def healed_s(ledger: Ledger) -> list[float]:
    """Per fault: from when it was undone until the last sender had been answered with a 2xx again.

    Answers to attempts from before the fault do not count. A fault after which some sender was answered only behind the
    next one (or had nothing more to send) counts with those that were.
    """
    lines: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for sent in ledger.sent:
        lines[(sent.conversation_id, sent.sender_id)] += [a for a in sent.attempts if a.is_success]
    took = []
    for fault, until in _with_ends(ledger.faults):
        first = [
            line[at]
            for line in lines.values()
            if (at := max(bisect_left(line, fault.at, key=_begun), bisect_left(line, fault.over_at, key=_ended)))
            < len(line)
        ]
        healed = [max(0.0, attempt.ended_at - fault.over_at) for attempt in first if attempt.ended_at < until]
        if healed:
            took.append(max(healed))
    return took


def resumed_s(ledger: Ledger) -> list[float]:
    """Per stream that ended in or after a fault: from the fault's end until its listener had an event again."""
    took = []
    for fault, until in _with_ends(ledger.faults):
        for log in ledger.listeners:
            was_cut = any(c.ended_at is not None and fault.at <= c.ended_at < until for c in log.connections)
            back = [c.ready_at for c in log.connections if c.begun_at >= fault.at and c.ready_at is not None]
            if was_cut and back and back[0] < until:
                took.append(max(0.0, back[0] - fault.over_at))
    return took


def lateness_s(ledger: Ledger, *, during: str | None = None) -> list[float]:
    """Per message and listener: from its acknowledgement until it was shown, if that was on a connection that had been open.

    What a listener missed while it was away is left out; a message that was shown before it was acknowledged was not late.

    Args:
        during: counts only what was acknowledged while faults of this name lasted.
    """
    spans = [(fault.at, fault.over_at) for fault in ledger.faults if fault.what == during]
    acked_at = {
        (acked.conversation_id, acked.message_id): sent.attempts[-1].ended_at
        for acked, sent in zip(ledger.acked, _acknowledged(ledger), strict=True)
    }
    late = []
    for log in ledger.listeners:
        opened_at = [c.ready_at for c in log.connections if c.ready_at is not None]
        for event in log.delivered:
            if event.message is None:
                continue
            at = acked_at.get((event.message.conversation_id, event.message.message_id))
            if at is None or opened_at[event.connection - 1] > at:
                continue
            if during is None or any(begin <= at < end for begin, end in spans):
                late.append(max(0.0, event.at - at))
    return late


def answers_during(ledger: Ledger) -> list[Attempt]:
    """Attempts that began while a fault lasted."""
    return [
        attempt
        for attempt in _attempts(ledger)
        if any(fault.at <= attempt.at < fault.over_at for fault in ledger.faults)
    ]


def _acknowledged(ledger: Ledger) -> list[Sent]:
    """What was sent and acknowledged, in the order of the acknowledgements."""
    sent = {(s.conversation_id, s.sender_id, s.client_id): s for s in ledger.sent}
    return [sent[acked.conversation_id, acked.sender_id, acked.client_id] for acked in ledger.acked]


def _begun(attempt: Attempt) -> float:
    return attempt.at


def _ended(attempt: Attempt) -> float:
    return attempt.ended_at


def _attempts(ledger: Ledger) -> list[Attempt]:
    return [attempt for sent in ledger.sent for attempt in sent.attempts]


def _with_ends(faults: Sequence[Fault]) -> list[tuple[Fault, float]]:
    """Each fault with the begin of the next one."""
    begins = [*(fault.at for fault in faults), float("inf")]
    return list(zip(faults, begins[1:], strict=True))
