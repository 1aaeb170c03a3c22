"""Children that a tree leaves out, summed up: how many, and the worst of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from greenroom.supervisor.cell import Cell
from greenroom.supervisor.child import Child

COLLAPSED_LOOKED_AT_MAX = 2_000  # about a millisecond


@dataclass(frozen=True, slots=True)
class CollapsedKind:
    """Those of one kind among the children that were looked at: how many, and the worst of them."""

    kind: str
    count: int
    mailbox_depth_max: int
    oldest_ms_max: float
    restarts_max: int
    failed_max: int


@dataclass(frozen=True, slots=True)
class Collapsed:
    """Children left out of a tree: how many, and the worst among the first ``looked_at`` of them."""

    count: int
    looked_at: int
    mailbox_depth_max: int
    restarts: int
    failed: int
    kinds: tuple[CollapsedKind, ...]


def collapse(children: Iterator[Child], count: int) -> Collapsed | None:
    """Sum up children; a glance at the first thousands, so that a tree costs the same however many there are."""
    if count == 0:
        return None
    seen = list(islice(children, COLLAPSED_LOOKED_AT_MAX))
    cells = [child for child in seen if isinstance(child, Cell)]
    by_kind: dict[str, list[Child]] = {}
    for child in seen:
        by_kind.setdefault(child.kind, []).append(child)
    return Collapsed(
        count=count,
        looked_at=len(seen),
        mailbox_depth_max=max((len(cell.mailbox.queue) for cell in cells), default=0),
        restarts=sum(child.restarts for child in seen),
        failed=sum(cell.meter.failed for cell in cells),
        kinds=tuple(_collapse_kind(kind, alike) for kind, alike in by_kind.items()),
    )


def _collapse_kind(kind: str, alike: Sequence[Child]) -> CollapsedKind:
    cells = [child for child in alike if isinstance(child, Cell)]
    now = alike[0].system.now()
    return CollapsedKind(
        kind=kind,
        count=len(alike),
        mailbox_depth_max=max((len(cell.mailbox.queue) for cell in cells), default=0),
        oldest_ms_max=1000 * max((cell.mailbox.oldest_s(now) for cell in cells), default=0.0),
        restarts_max=max(child.restarts for child in alike),
        failed_max=max((cell.meter.failed for cell in cells), default=0),
    )
