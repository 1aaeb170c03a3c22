"""Who lives where: every path of a system, and the paths that need no life to be written to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from greenroom.supervisor.base_supervisor import BaseSupervisor
from greenroom.supervisor.cell import Cell
from greenroom.supervisor.child import Child
from greenroom.supervisor.errors import ActorRestarting, BrokenInvariant, NoSuchActor
from greenroom.supervisor.specs import AnySpec, DynamicSpec, SupervisorSpec, check_name
from greenroom.supervisor.status import Status

if TYPE_CHECKING:
    from greenroom.supervisor.system import ActorSystem

# What an asker is told to wait when its target's supervisor is starting and nothing better is known.
RETRY_AFTER_S = 0.1


class Registry:
    """All children by path. At most one per path, which is what makes an activation single-flight: it is looked up
    and entered without an await in between."""

    def __init__(self, system: ActorSystem) -> None:
        self._system = system
        self._children: dict[str, Child] = {}
        self._kinds: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._children)

    def __contains__(self, path: str) -> bool:
        return path in self._children

    def cells(self) -> Iterator[Cell]:
        """All actors, in the order their cells were made."""
        return (child for child in self._children.values() if isinstance(child, Cell))

    def children(self) -> Sequence[Child]:
        """All actors and supervisors as they are now, in the order they were made."""
        return tuple(self._children.values())

    def add(self, child: Child) -> None:
        """Enter a child under its path.

        Raises:
            BrokenInvariant: there is one already.
        """
        if child.path in self._children:
            raise BrokenInvariant(f"{child.path} exists twice")
        self._children[child.path] = child
        if isinstance(child, Cell):
            child.meter.kind.live += 1

    def remove(self, child: Child) -> None:
        """Forget a child; addresses that hold its cell look its path up again. Nothing if it is not there."""
        if self._children.pop(child.path, None) is child:
            child.is_retired = True
            if isinstance(child, Cell):
                child.meter.kind.live -= 1

    def find(self, path: str) -> Child | None:
        """Whatever is at this path, if anything."""
        return self._children.get(path)

    def child(self, path: str) -> Child:
        """Whatever is at this path.

        Raises:
            NoSuchActor: nothing is.
        """
        child = self._children.get(path)
        if child is None:
            raise NoSuchActor(path)
        return child

    def living_cell(self, path: str) -> Cell | None:
        """The actor at this path if an incarnation of it is alive; activates nothing."""
        child = self._children.get(path)
        return child if isinstance(child, Cell) and child.is_alive else None

    def resolve(self, path: str) -> Cell:
        """The actor at this path, activated if it is virtual.

        Raises:
            NoSuchActor: there is none and there can be none.
            ActorRestarting: the supervisor it would live under is not up.
            Overloaded: its supervisor holds all the children it may, or the system drains.
        """
        child = self._children.get(path)
        if isinstance(child, Cell):
            return child
        if child is not None:
            raise NoSuchActor(path, "is a supervisor")
        draining = self._system.turns_away(path)
        if draining is not None:
            raise draining
        parent, _, name = path.rpartition("/")
        owner = self._children.get(parent)
        cell = owner.resolve(name) if isinstance(owner, BaseSupervisor) and name else None
        if cell is None:
            raise self._absent(path)
        return cell

    def learn_kinds(self, spec: AnySpec, path: str) -> None:
        """Note where the dynamic supervisors of this spec live, so that their children can be found by kind.

        Raises:
            ValueError: a kind lives in two places.
        """
        if isinstance(spec, DynamicSpec):
            if self._kinds.setdefault(spec.kind, path) != path:
                raise ValueError(f"kind {spec.kind!r} has two dynamic supervisors")
        elif isinstance(spec, SupervisorSpec):
            for child in spec.children:
                self.learn_kinds(child, f"{path}/{child.name}")

    def kinds(self) -> Iterable[str]:
        """Kinds that have a dynamic supervisor."""
        return self._kinds.keys()

    def virtual_path(self, kind: str, key: str) -> str:
        """The path of a virtual actor.

        Raises:
            NoSuchActor: no dynamic supervisor has this kind.
            ValueError: the key cannot be a segment of a path.
        """
        check_name(key)
        parent = self._kinds.get(kind)
        if parent is None:
            raise NoSuchActor(f"{kind}/{key}", "no such kind")
        return f"{parent}/{key}"

    def _absent(self, path: str) -> NoSuchActor | ActorRestarting:
        """Missing for good, or only while a supervisor above it is not up."""
        above = path
        while above := above.rpartition("/")[0]:
            ancestor = self._children.get(above)
            if ancestor is None:
                continue
            if ancestor.state in (Status.STARTING, Status.RESTARTING, Status.BACKOFF):
                wait_s = ancestor.backoff_until - self._system.now()
                return ActorRestarting(path, max(wait_s, RETRY_AFTER_S))
            break
        return NoSuchActor(path)
