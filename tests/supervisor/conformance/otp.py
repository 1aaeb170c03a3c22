"""What Erlang/OTP's supervisor does, as a pure state machine: no clock, no tasks, no kernel.

The model is told that a worker exited, and says which workers the supervisors then stop and start, in order.
The kernel is held to it step by step.

Rules, after ``supervisor.erl`` (OTP 27) and the design principles, chapter "Supervisor Behaviour":

1. Children start in the order of the list, each after the one before it is up. If one cannot start at boot,
   those already up are stopped in reverse and the supervisor itself has failed to start.
2. A temporary child is never restarted. When it exits or is stopped, its supervisor forgets it.
3. A transient child is restarted unless it exited with ``normal``, ``shutdown`` or ``(shutdown, term)``.
   A permanent child is always restarted.
4. What the strategy takes down with the child, it takes down in reverse order and starts again in order.
   That includes a transient sibling that had finished its work before.
5. A restart that fails in ``init`` counts as one more restart. It is tried again from the child that failed.
6. When more restarts than ``intensity`` fall within ``period_s``, a restart exactly ``period_s`` ago included,
   the supervisor stops its children in reverse and exits with ``shutdown``. Its own supervisor sees a child
   that exited, and applies rules 2 to 6 to it: escalation is nothing else.
7. A supervisor that is started again starts from its list: forgotten children return, its count is empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class Restart(Enum):
    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TEMPORARY = "temporary"


class Strategy(Enum):
    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"


class Exit(Enum):
    """Why a worker ended: the reasons that a restart type may tell apart."""

    NORMAL = "normal"
    SHUTDOWN = "shutdown"
    SHUTDOWN_TERM = "(shutdown, term)"
    ERROR = "error"
    KILLED = "killed"
    BUDGET = "budget"


CLEAN_EXITS = frozenset({Exit.NORMAL, Exit.SHUTDOWN, Exit.SHUTDOWN_TERM})


@dataclass(frozen=True, slots=True)
class Worker:
    name: str
    restart: Restart = Restart.PERMANENT


@dataclass(frozen=True, slots=True)
class Supervisor:
    name: str
    children: tuple[Worker | Supervisor, ...]
    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: int = 3
    period_s: float = 5.0
    restart: Restart = Restart.PERMANENT


class Verb(Enum):
    START = "start"
    FAIL = "fail"  # its init raised
    STOP = "stop"  # by its supervisor


class Step(NamedTuple):
    verb: Verb
    path: str

    def __repr__(self) -> str:
        return f"{self.verb.value} {self.path}"


@dataclass(slots=True, eq=False)
class _Node:
    spec: Worker | Supervisor
    path: str
    parent: _Node | None
    running: bool = False
    children: list[_Node] = field(default_factory=list)
    restart_times: list[float] = field(default_factory=list)


class Model:
    """One tree of supervisors and workers, and what happens in it.

    Args:
        failing_starts: by worker path, which of its starts fail in ``init``; the first start is number 1.
    """

    def __init__(self, root: Supervisor, *, failing_starts: Mapping[str, frozenset[int]] | None = None) -> None:
        self._root = _Node(root, f"/{root.name}", None)
        self._failing_starts = failing_starts or {}
        self._starts: dict[str, int] = {}
        self._steps: list[Step] = []

    def boot(self) -> list[Step]:
        self._start(self._root)
        return self._taken_steps()

    def exit(self, path: str, reason: Exit, *, now: float) -> list[Step]:
        """The running worker at ``path`` ends by itself: what its supervisors do about it."""
        node = next(node for node in self._walk(self._root) if node.path == path and node.running)
        node.running = False
        self._child_exited(node, reason, now)
        return self._taken_steps()

    def shutdown(self) -> list[Step]:
        self._stop(self._root)
        return self._taken_steps()

    @property
    def is_up(self) -> bool:
        return self._root.running

    def running_workers(self) -> list[str]:
        """Paths of the workers that are up, in the order of the tree."""
        return [node.path for node in self._walk(self._root) if node.running and isinstance(node.spec, Worker)]

    def starts(self, path: str) -> int:
        """How often the worker's ``init`` has begun."""
        return self._starts.get(path, 0)

    def intensity_used(self, path: str, *, now: float) -> int:
        node = next(node for node in self._walk(self._root) if node.path == path)
        assert isinstance(node.spec, Supervisor)
        return sum(time >= now - node.spec.period_s for time in node.restart_times)

    def _taken_steps(self) -> list[Step]:
        steps, self._steps = self._steps, []
        return steps

    def _walk(self, node: _Node) -> Iterator[_Node]:
        yield node
        for child in node.children:
            yield from self._walk(child)

    def _start(self, node: _Node) -> bool:
        if isinstance(node.spec, Worker):
            start = self._starts[node.path] = self.starts(node.path) + 1
            node.running = start not in self._failing_starts.get(node.path, ())
            self._steps.append(Step(Verb.START if node.running else Verb.FAIL, node.path))
            return node.running
        node.children = [_Node(child, f"{node.path}/{child.name}", node) for child in node.spec.children]
        node.restart_times = []
        node.running = all(self._start(child) for child in node.children)
        if not node.running:
            self._stop_children(node)
        return node.running

    def _stop(self, node: _Node) -> None:
        if not node.running:
            return
        self._stop_children(node)
        node.running = False
        if isinstance(node.spec, Worker):
            self._steps.append(Step(Verb.STOP, node.path))

    def _stop_children(self, node: _Node) -> None:
        for child in reversed(node.children):
            self._stop(child)

    def _child_exited(self, child: _Node, reason: Exit, now: float) -> None:
        supervisor = child.parent
        if supervisor is None:
            return
        match child.spec.restart:
            case Restart.TEMPORARY:
                supervisor.children.remove(child)
            case Restart.TRANSIENT if reason in CLEAN_EXITS:
                pass
            case _:
                self._restart(supervisor, child, now)

    def _restart(self, supervisor: _Node, failed: _Node | None, now: float) -> None:
        spec = supervisor.spec
        assert isinstance(spec, Supervisor)
        while failed is not None:
            recent = [time for time in supervisor.restart_times if time >= now - spec.period_s]
            supervisor.restart_times = [*recent, now]
            if len(supervisor.restart_times) > spec.intensity:
                self._stop(supervisor)
                self._child_exited(supervisor, Exit.SHUTDOWN, now)
                return
            affected = self._affected(supervisor, failed)
            for node in reversed(affected):
                self._stop(node)
                if node.spec.restart is Restart.TEMPORARY:
                    supervisor.children.remove(node)
            restarted = (node for node in affected if node.spec.restart is not Restart.TEMPORARY)
            failed = next((node for node in restarted if not self._start(node)), None)

    def _affected(self, supervisor: _Node, failed: _Node) -> list[_Node]:
        assert isinstance(supervisor.spec, Supervisor)
        match supervisor.spec.strategy:
            case Strategy.ONE_FOR_ONE:
                return [failed]
            case Strategy.ONE_FOR_ALL:
                return list(supervisor.children)
            case Strategy.REST_FOR_ONE:
                return supervisor.children[supervisor.children.index(failed) :]
