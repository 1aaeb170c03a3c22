"""What is essential and can't work."""

from __future__ import annotations

from collections.abc import Iterator

from greenroom.supervisor.child import Child
from greenroom.supervisor.hindrance import Hindrance, hindrance_of
from greenroom.supervisor.supervisor import Supervisor


def hindered_below(child: Child) -> Iterator[tuple[str, Hindrance]]:
    """What is essential and can't work: ``child``, or those below it."""
    if not child.is_essential:
        return
    hindrance = hindrance_of(child)
    if hindrance is not None:
        yield child.path, hindrance
    elif isinstance(child, Supervisor):
        for below in child.members():
            yield from hindered_below(below)
