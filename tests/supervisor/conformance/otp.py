"""What Erlang/OTP's supervisors do, as a pure state machine: no clock, no tasks, no kernel.

The model is told that a worker ended by itself, and says which workers the supervisors then stop and start, in
order. The kernel is held to it step by step.

Rules 1 to 8 are OTP's (``supervisor.erl`` of OTP 27; design principles, "Supervisor Behaviour"):

1. Children start in the order of the list, each after the one before it is up. If one cannot start at boot,
   those already up are stopped in reverse and the supervisor itself has failed to start.
2. A temporary child is never restarted. When it ends or is stopped, its supervisor forgets it.
3. A transient child is restarted unless it ended with ``normal``, ``shutdown`` or ``(shutdown, term)``.
   A permanent child is always restarted.
4. What the strategy takes down with the child, it takes down in reverse order and starts again in order.
   That includes a transient sibling that had finished its work before.
5. A restart that fails in ``init`` counts as one more restart. It is tried again from the child that failed.
6. When more restarts than ``intensity`` fall within ``period_s``, a restart exactly ``period_s`` ago included,
   the supervisor stops its children in reverse and ends with ``shutdown``. Its own supervisor sees a child
   that ended, and applies rules 2 to 7 to it: escalation is nothing else.
7. When a significant child ends by itself and is not restarted, its supervisor ends with ``shutdown`` too: at
   once (``any_significant``), or once no significant child is left running (``all_significant``).
8. A supervisor that is started again starts from its list: forgotten children return, its counts are empty.

The last two are greenroom's own:

9. A supervisor also gives up when one child has been restarted more than ``failures_in_a_row_max`` times without
   being up for ``period_s`` in between: the loop that a window cannot see (erlang/otp#1287).
10. A dynamic supervisor has its children by key. It starts one when it is written to, stops them side by side,
    and forgets whichever it does not restart; one that fails in a row too often is forgotten as well.
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


class AutoShutdown(Enum):
    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


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
    significant: bool = False


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A supervisor of workers by key, all of one restart type."""

    name: str
    children_restart: Restart = Restart.PERMANENT
    intensity: int = 3
    period_s: float = 5.0
    failures_in_a_row_max: int = 13
    restart: Restart = Restart.PERMANENT
    significant: bool = False
    strategy: Strategy = Strategy.ONE_FOR_ONE
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER
    children: tuple[()] = ()


@dataclass(frozen=True, slots=True)
class Supervisor:
    name: str
    children: tuple[Worker | Supervisor | Dynamic, ...]
    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: int = 3
    period_s: float = 5.0
    failures_in_a_row_max: int = 13
    restart: Restart = Restart.PERMANENT
    significant: bool = False
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER


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
    spec: Worker | Supervisor | Dynamic
    path: str
    parent: _Node | None
    running: bool = False
    up_since: float = 0.0
    failures_in_a_row: int = 0
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
        self._now = 0.0

    # What happens. Each answers with the steps taken because of it.

    def boot(self) -> list[Step]:
        self._start(self._root)
        return self._taken_steps()

    def exit(self, path: str, reason: Exit, *, now: float) -> list[Step]:
        """The running worker at ``path`` ends by itself: what its supervisors do about it."""
        self._now = now
        node = self._node(path)
        assert node.running
        node.running = False
        self._child_ended(node, reason)
        return self._taken_steps()

    def write_to(self, dynamic: str, key: str, *, now: float) -> list[Step]:
        """A message for a key of a running dynamic supervisor. A first start that fails is not tried again."""
        self._now = now
        supervisor = self._node(dynamic)
        assert supervisor.running
        assert isinstance(supervisor.spec, Dynamic)
        if all(child.spec.name != key for child in supervisor.children):
            child = _Node(Worker(key, supervisor.spec.children_restart), f"{dynamic}/{key}", supervisor)
            if self._start(child):
                supervisor.children.append(child)
        return self._taken_steps()

    def stop(self, path: str) -> list[Step]:
        """An operator stops a child for good. It stays listed, unless it is one that would be forgotten."""
        node = self._node(path)
        self._stop(node)
        if node.parent is not None and self._is_forgotten(node):
            node.parent.children.remove(node)
        return self._taken_steps()

    def restart(self, path: str, *, now: float) -> list[Step]:
        """An operator restarts a child of any type, running or not, which is not counted. If it fails to start, it is
        from then on a child that failed."""
        self._now = now
        node = self._node(path)
        assert node.parent is not None
        self._stop(node)
        node.failures_in_a_row = 0
        if not self._start(node):
            self._child_ended(node, Exit.ERROR)
        return self._taken_steps()

    def shutdown(self) -> list[Step]:
        self._stop(self._root)
        return self._taken_steps()

    # How things stand.

    @property
    def is_up(self) -> bool:
        return self._root.running

    def running_workers(self) -> list[str]:
        """Paths of the workers that are up, in the order of the tree."""
        return [node.path for node in self._walk() if node.running and isinstance(node.spec, Worker)]

    def children(self) -> list[str]:
        """Paths of all but the root, running or not, that are not forgotten and whose supervisor runs."""
        return [node.path for node in self._walk() if node.parent is not None and node.parent.running]

    def running_dynamics(self) -> list[str]:
        return [node.path for node in self._walk() if node.running and isinstance(node.spec, Dynamic)]

    def starts(self, path: str) -> int:
        """How often the worker's ``init`` has begun."""
        return self._starts.get(path, 0)

    def intensity_used(self, *, now: float) -> dict[str, int]:
        """Restarts that count at this moment, by path of the running static supervisors."""
        return {
            node.path: sum(time >= now - node.spec.period_s for time in node.restart_times)
            for node in self._walk()
            if node.running and isinstance(node.spec, Supervisor)
        }

    # Rules.

    def _start(self, node: _Node) -> bool:
        node.restart_times = []
        if isinstance(node.spec, Worker):
            start = self._starts[node.path] = self.starts(node.path) + 1
            node.running = start not in self._failing_starts.get(node.path, ())
            self._steps.append(Step(Verb.START if node.running else Verb.FAIL, node.path))
        else:
            node.children = [_Node(child, f"{node.path}/{child.name}", node) for child in node.spec.children]
            node.running = all(self._start(child) for child in node.children)
            if not node.running:
                self._stop_children(node)
        node.up_since = self._now
        return node.running

    def _stop(self, node: _Node) -> None:
        if not node.running:
            return
        self._stop_children(node)
        node.running = False
        if isinstance(node.spec, Worker):
            self._steps.append(Step(Verb.STOP, node.path))

    def _stop_children(self, supervisor: _Node) -> None:
        for child in reversed(supervisor.children):
            self._stop(child)

    def _child_ended(self, child: _Node, reason: Exit) -> None:
        supervisor = child.parent
        if supervisor is None:
            return
        restart = child.spec.restart
        if restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and reason not in CLEAN_EXITS):
            self._restart(supervisor, child)
            return
        if self._is_forgotten(child):
            supervisor.children.remove(child)
        if child.spec.significant and self._is_auto_shutdown(supervisor):
            self._end(supervisor)

    def _is_forgotten(self, child: _Node) -> bool:
        assert child.parent is not None
        return child.spec.restart is Restart.TEMPORARY or isinstance(child.parent.spec, Dynamic)

    def _is_auto_shutdown(self, supervisor: _Node) -> bool:
        assert not isinstance(supervisor.spec, Worker)
        match supervisor.spec.auto_shutdown:
            case AutoShutdown.NEVER:
                return False
            case AutoShutdown.ANY_SIGNIFICANT:
                return True
            case AutoShutdown.ALL_SIGNIFICANT:
                return not any(child.running and child.spec.significant for child in supervisor.children)

    def _end(self, supervisor: _Node) -> None:
        self._stop(supervisor)
        self._child_ended(supervisor, Exit.SHUTDOWN)

    def _restart(self, supervisor: _Node, child: _Node) -> None:
        failed: _Node | None = child
        while failed is not None:
            if not self._tolerates(supervisor, failed):
                return
            affected = self._affected(supervisor, failed)
            for node in reversed(affected):
                self._stop(node)
                if node.spec.restart is Restart.TEMPORARY:
                    supervisor.children.remove(node)
            restarted = (node for node in affected if node.spec.restart is not Restart.TEMPORARY)
            failed = next((node for node in restarted if not self._start(node)), None)

    def _tolerates(self, supervisor: _Node, failed: _Node) -> bool:
        spec = supervisor.spec
        assert not isinstance(spec, Worker)
        was_up = failed.failures_in_a_row == 0 or failed.up_since <= self._now - spec.period_s
        failed.failures_in_a_row = 1 if was_up else failed.failures_in_a_row + 1
        is_hopeless = failed.failures_in_a_row > spec.failures_in_a_row_max
        if is_hopeless and isinstance(spec, Dynamic):
            supervisor.children.remove(failed)
            return False
        recent = [time for time in supervisor.restart_times if time >= self._now - spec.period_s]
        supervisor.restart_times = [*recent, self._now]
        if is_hopeless or len(supervisor.restart_times) > spec.intensity:
            self._end(supervisor)
            return False
        return True

    def _affected(self, supervisor: _Node, failed: _Node) -> list[_Node]:
        assert not isinstance(supervisor.spec, Worker)
        match supervisor.spec.strategy:
            case Strategy.ONE_FOR_ONE:
                return [failed]
            case Strategy.ONE_FOR_ALL:
                return list(supervisor.children)
            case Strategy.REST_FOR_ONE:
                return supervisor.children[supervisor.children.index(failed) :]

    def _taken_steps(self) -> list[Step]:
        steps, self._steps = self._steps, []
        return steps

    def _walk(self, node: _Node | None = None) -> Iterator[_Node]:
        node = node or self._root
        yield node
        for child in node.children:
            yield from self._walk(child)

    def _node(self, path: str) -> _Node:
        return next(node for node in self._walk() if node.path == path)
