"""The ring of a stream's newest events."""

from __future__ import annotations

from collections.abc import Iterable

from greenroom.actors.ring import RING_BYTES, RING_EVENTS, Placed, Ring
from greenroom.schema.events import Frame


def events(numbers: Iterable[int], *, size: int = 10) -> list[Placed]:
    return [Placed(n, Frame(id=f"v1.e.{n}", event="x", data="{}"), size) for n in numbers]


def seqs(found: list[Placed] | None) -> list[int] | None:
    return None if found is None else [event.seq for event in found]


def test_it_tells_everything_after_a_place_that_it_reaches_back_to() -> None:
    ring = Ring()
    ring.extend(events(range(5, 9)))

    assert seqs(ring.after(4)) == [5, 6, 7, 8]
    assert seqs(ring.after(6)) == [7, 8]
    assert ring.after(8) == []
    assert ring.after(3) is None
    assert ring.after(9) is None
    assert Ring().after(0) is None


def test_it_is_bounded_in_number_and_lets_the_oldest_go() -> None:
    ring = Ring()
    ring.extend(events(range(1, RING_EVENTS * 3)))

    assert len(ring) == RING_EVENTS
    assert ring.after(RING_EVENTS * 2 - 2) is None
    assert seqs(ring.after(RING_EVENTS * 3 - 3)) == [RING_EVENTS * 3 - 2, RING_EVENTS * 3 - 1]


def test_it_is_bounded_in_bytes() -> None:
    ring = Ring()
    ring.extend(events(range(1, 10), size=RING_BYTES // 2))
    assert seqs(ring.after(7)) == [8, 9]
    ring.extend(events([10], size=RING_BYTES + 1))

    assert len(ring) == 0


def test_it_never_has_a_gap() -> None:
    ring = Ring()
    ring.extend(events([1, 2]))
    ring.extend(events([5, 6]))

    assert ring.after(2) is None
    assert seqs(ring.after(4)) == [5, 6]
