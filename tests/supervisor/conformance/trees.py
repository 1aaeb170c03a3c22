"""Small trees for tests that are not about giving up, and what a closed system must not hold any more."""

from __future__ import annotations

from greenroom.supervisor import NO_BACKOFF, ActorSystem, Backoff, ChildSpec, DynamicSpec, SupervisorSpec


def patient(*children: ChildSpec | SupervisorSpec | DynamicSpec, backoff: Backoff = NO_BACKOFF) -> SupervisorSpec:
    """A root that restarts its children one by one for as long as the test goes on."""
    many = 1_000_000
    return SupervisorSpec("root", children, intensity=many, consecutive_failures_max=many, backoff=backoff)


def leftovers(system: ActorSystem) -> list[str]:
    """What a closed system still holds: actors, and timers that would fire."""
    timers = [f"timer at {at}" for at, _, entry in system.timers._heap if not entry.is_over]
    return [cell.path for cell in system.registry.cells()] + timers
