"""Judges a ledger: a pure function from what was seen to what was broken.

There is no client-side filter between a listener and its log. A cursor is good for each later event exactly once, so a
repetition counts even where a forgiving client would hide it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chaos.ledger import Acked, Delivered, Ledger, ListenerLog, Persisted

PROMISES: Final = ("lost", "undelivered", "dup_rows", "dup_shown", "gaps", "reorders", "phantoms")
"""The counts of a verdict that have to be zero."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts over a whole ledger.

    Attributes:
        sent: messages that were begun.
        acked: messages that were answered with a 2xx.
        persisted: messages that the API returns in the end. At least ``acked``: a message can be stored although its
            answer was cut off and its sender gave up.
        delivered: messages shown, summed over listeners.
        lost: acknowledged, but not stored as it was acknowledged (same id, same seq).
        undelivered: stored, but not shown to a listener of that conversation; summed over listeners.
        dup_rows: stored a second time: a client_id, a message id or a place in a conversation occurs again.
        dup_shown: shown a second time to the same listener: a place in its stream or a message occurs again.
        gaps: missing places between the first and the last, in conversations and in listeners' streams; and resets.
        reorders: shown after something that comes later in its stream or conversation; or acknowledged behind a message
            that its sender began only afterwards.
        phantoms: shown but not stored, or stored but sent by nobody.
    """

    sent: int
    acked: int
    persisted: int
    delivered: int
    lost: int
    undelivered: int
    dup_rows: int
    dup_shown: int
    gaps: int
    reorders: int
    phantoms: int

    @property
    def broken(self) -> dict[str, int]:
        """The promises that were not kept, and how often."""
        return {name: count for name in PROMISES if (count := getattr(self, name))}


def check(ledger: Ledger) -> Verdict:
    """Hold a ledger against the promises."""
    return Verdict(
        sent=len(ledger.sent),
        acked=len(ledger.acked),
        persisted=len(ledger.persisted),
        delivered=sum(event.message is not None for log in ledger.listeners for event in log.delivered),
        lost=_lost(ledger),
        undelivered=sum(_undelivered(log, ledger.persisted) for log in ledger.listeners),
        dup_rows=_dup_rows(ledger.persisted),
        dup_shown=sum(_dup_shown(log.delivered) for log in ledger.listeners),
        gaps=_conversation_gaps(ledger.persisted) + sum(_stream_gaps(log) for log in ledger.listeners),
        reorders=_acked_reorders(ledger.acked) + sum(_shown_reorders(log.delivered) for log in ledger.listeners),
        phantoms=_phantoms(ledger),
    )


def _lost(ledger: Ledger) -> int:
    kept = {
        (row.conversation_id, row.sender_id, row.client_id, row.message_id, row.seq) for row in ledger.persisted
    }
    return sum(
        (ack.conversation_id, ack.sender_id, ack.client_id, ack.message_id, ack.seq) not in kept
        for ack in ledger.acked
    )


def _undelivered(log: ListenerLog, persisted: Iterable[Persisted]) -> int:
    shown = {event.message.message_id for event in log.delivered if event.message is not None}
    owed = {row.message_id for row in persisted if row.conversation_id in log.conversation_ids}
    return len(owed - shown)


def _dup_rows(persisted: Iterable[Persisted]) -> int:
    seen: set[tuple[object, ...]] = set()
    count = 0
    for row in persisted:
        keys: set[tuple[object, ...]] = {("id", row.message_id), ("seq", row.conversation_id, row.seq)}
        if row.client_id is not None:
            keys.add(("client_id", row.conversation_id, row.sender_id, row.client_id))
        count += not keys.isdisjoint(seen)
        seen |= keys
    return count


def _dup_shown(delivered: Iterable[Delivered]) -> int:
    seen: set[tuple[str, object]] = set()
    count = 0
    for event in delivered:
        keys: set[tuple[str, object]] = {("stream", event.stream_seq)}
        if event.message is not None:
            keys.add(("message", event.message.message_id))
        count += not keys.isdisjoint(seen)
        seen |= keys
    return count


def _conversation_gaps(persisted: Iterable[Persisted]) -> int:
    places: dict[str, set[int]] = {}
    for row in persisted:
        places.setdefault(row.conversation_id, set()).add(row.seq)
    return sum(max(seqs) - len(seqs) for seqs in places.values())


def _stream_gaps(log: ListenerLog) -> int:
    seqs = {event.stream_seq for event in log.delivered if event.stream_seq > log.start}
    missing = max(seqs) - log.start - len(seqs) if seqs else 0
    return missing + log.resets


def _shown_reorders(delivered: Iterable[Delivered]) -> int:
    """A repetition is not counted again here."""
    furthest: Counter[str] = Counter()
    seen: set[tuple[str, int]] = set()
    count = 0
    for event in delivered:
        places = [("", event.stream_seq)]
        if event.message is not None:
            places.append((event.message.conversation_id, event.message.seq))
        count += any(place not in seen and place[1] < furthest[place[0]] for place in places)
        for line, seq in places:
            furthest[line] = max(furthest[line], seq)
        seen.update(places)
    return count


def _acked_reorders(acked: Iterable[Acked]) -> int:
    furthest: Counter[tuple[str, str]] = Counter()
    count = 0
    for ack in acked:
        line = (ack.conversation_id, ack.sender_id)
        count += ack.seq < furthest[line]
        furthest[line] = max(furthest[line], ack.seq)
    return count


def _phantoms(ledger: Ledger) -> int:
    begun = {(sent.conversation_id, sent.sender_id, sent.client_id) for sent in ledger.sent}
    kept = {row.message_id for row in ledger.persisted}
    shown = {event.message.message_id for log in ledger.listeners for event in log.delivered if event.message}
    sent_by_nobody = sum(
        (row.conversation_id, row.sender_id, row.client_id) not in begun for row in ledger.persisted
    )
    return len(shown - kept) + sent_by_nobody
