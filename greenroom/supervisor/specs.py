"""What an author declares: children, supervisors, mailboxes, and every bound they live under.

Specs are frozen records without behaviour; all of them are checked when they are made, so a system that opens has
no impossible settings in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

from greenroom.supervisor.actor import Actor
from greenroom.supervisor.backoff import Backoff

# Levels of supervisors under the root. Each level multiplies how many restarts a fault can cause before the root
# gives up (three levels of the default intensity of 3 let an actor crash 4 ** 3 times), so a deep tree hides a crash
# loop; real trees have two to four.
DEPTH_MAX = 8


class Restart(Enum):
    """When a child that ended is started again (OTP's restart types)."""

    PERMANENT = "permanent"  # always
    TRANSIENT = "transient"  # unless it ended with normal, shutdown or (shutdown, detail)
    TEMPORARY = "temporary"  # never, not even when a sibling's fate restarts the others


class Strategy(Enum):
    """Which siblings share a child's restart (OTP's strategies)."""

    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"  # the child and those started after it


class AutoShutdown(Enum):
    """Whether a supervisor ends with ``shutdown`` when its significant children have ended by themselves."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


class OnRestart(Enum):
    """What becomes of queued mail when an actor restarts. The message in hand is never redelivered."""

    KEEP = "keep"
    DROP = "drop"
    CALLS_ONLY = "calls_only"  # keep asks, somebody waits for them; drop tells


@dataclass(frozen=True, slots=True)
class Overflow:
    """What a full mailbox does with the next message."""

    name: str
    key: Callable[[Any], object] | None = None

    REJECT: ClassVar[Overflow]  # refuse it: tell says REJECTED, ask raises Overloaded
    DROP_NEWEST: ClassVar[Overflow]  # drop it
    DROP_OLDEST: ClassVar[Overflow]  # drop the oldest queued message to make room
    BLOCK: ClassVar[Overflow]  # let ask and send wait for room until their deadline; tell is refused

    @staticmethod
    def CONFLATE(key: Callable[[Any], object]) -> Overflow:  # noqa: N802 - reads as its siblings do
        """Let the latest told message per ``key(message)`` win, for presence and the like.

        A told message replaces a queued one with the same key, full or not; ``key`` may return None for "never
        replace". When full and nothing can be replaced, the oldest message is dropped. Asks are never replaced.
        """
        return Overflow("conflate", key)


Overflow.REJECT = Overflow("reject")
Overflow.DROP_NEWEST = Overflow("drop_newest")
Overflow.DROP_OLDEST = Overflow("drop_oldest")
Overflow.BLOCK = Overflow("block")


@dataclass(frozen=True, slots=True)
class MailboxSpec:
    """Bounds of a mailbox.

    Args:
        capacity: messages; at least 1. A mailbox of 0 would turn every tell into a rendezvous and let two actors
            that tell each other deadlock.
        bytes_max: together, by ``size_of``; None for no bound on bytes. A message larger than this is refused.
        size_of: bytes of one message; the default counts text and bytes found in it.
    """

    capacity: int = 256
    overflow: Overflow = Overflow.REJECT
    bytes_max: int | None = None
    on_restart: OnRestart = OnRestart.KEEP
    size_of: Callable[[Any], int] | None = None

    def __post_init__(self) -> None:
        _require(self.capacity >= 1, "a mailbox holds at least one message")
        _require(self.bytes_max is None or self.bytes_max >= 1, "bytes_max is at least 1")


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much one incarnation may hold at a time; asking for more crashes it with ``budget(<name>)``."""

    tasks: int = 64
    timers: int = 1024
    monitors: int = 1024
    deferred: int = 1024


@dataclass(frozen=True, kw_only=True)
class _Conduct:
    """How one actor is run: what ChildSpec and DynamicSpec have in common.

    Args:
        shutdown_s: how long a stopping actor may go on with its queued mail before it is cancelled; 0 cancels at
            once. Shortened by the system's own deadline.
        init_timeout_s: bound of ``init()``.
        terminate_s: bound of ``terminate()``; the only time an actor runs shielded from cancellation.
        batch_max: messages handled per turn before other tasks get the thread, and the most that
            ``handle_batch`` is given.
        message_budget_s: an incarnation that handles one message for longer is ended with ``budget(message)``.
        cancellable: message types whose running handler is cancelled when its asker has given up. Only for
            handlers that change nothing; all others run to their end.
        passivate_after_s: an actor without mail for this long is stopped and its memory freed; None for never.
            The next message starts it again.
    """

    mailbox: MailboxSpec = field(default_factory=MailboxSpec)
    shutdown_s: float = 5.0
    init_timeout_s: float = 5.0
    terminate_s: float = 1.0
    batch_max: int = 64
    message_budget_s: float | None = None
    cancellable: tuple[type, ...] = ()
    passivate_after_s: float | None = None
    holdings: Holdings = field(default_factory=Holdings)

    def _check_conduct(self) -> None:
        _require(self.batch_max >= 1, "batch_max is at least 1")
        for name in ("shutdown_s", "init_timeout_s", "terminate_s"):
            bound = getattr(self, name)
            _require(bound >= 0 and math.isfinite(bound), f"{name} is a finite number of seconds")
        for name in ("message_budget_s", "passivate_after_s"):
            bound = getattr(self, name)
            _require(bound is None or bound > 0, f"{name} is positive or None")


@dataclass(frozen=True)
class ChildSpec(_Conduct):
    """One actor under a supervisor. ``start`` makes a fresh behaviour for every incarnation.

    ``kind`` groups actors in metrics and listings; the name when left empty.

    ``significant`` matters only to a supervisor with auto-shutdown, and only for a transient or temporary child.

    ``essential`` marks one without which the system can't do what it is there for: :meth:`ActorSystem.hindered` tells
    of it. It changes nothing about how the child is supervised.
    """

    name: str
    start: Callable[[], Actor[Any]]
    kind: str = ""
    restart: Restart = field(default=Restart.PERMANENT, kw_only=True)
    significant: bool = field(default=False, kw_only=True)
    essential: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        check_name(self.name)
        if not self.kind:
            object.__setattr__(self, "kind", self.name)
        self._check_conduct()
        _require(
            not (self.significant and self.restart is Restart.PERMANENT), "a permanent child cannot be significant"
        )


@dataclass(frozen=True, kw_only=True)
class _Tolerance:
    """How many restarts a supervisor stands for: more than ``intensity`` within ``period_s`` and it gives up.

    Args:
        consecutive_failures_max: how often one child may fail in a row, without staying up for ``period_s`` in
            between. Catches the loop the window cannot see because each round is slower than the window.
            None for ten more than the intensity.
    """

    intensity: int = 3
    period_s: float = 5.0
    backoff: Backoff = field(default_factory=Backoff)
    consecutive_failures_max: int | None = None

    def _check_tolerance(self) -> None:
        _require(self.intensity >= 0, "intensity is at least 0")
        _require(self.period_s > 0, "period_s is positive")
        _require(self.failures_in_a_row_max >= 0, "consecutive_failures_max is at least 0")

    @property
    def failures_in_a_row_max(self) -> int:
        given = self.consecutive_failures_max
        return self.intensity + 10 if given is None else given


@dataclass(frozen=True)
class SupervisorSpec(_Tolerance):
    """A supervisor over a fixed list of children, started left to right and stopped right to left.

    Args:
        start_timeout_s: bound on starting all children; each is bounded by its own as well.
        shutdown_s: bound on stopping all children; infinite by default, since each child has its own and the
            system's deadline bounds the whole.
        restart: how its own supervisor treats it. Leave it permanent: a supervisor that gives up exits with
            ``shutdown``, which does not restart a transient one.
    """

    name: str
    children: tuple[ChildSpec | SupervisorSpec | DynamicSpec, ...] = ()
    strategy: Strategy = field(default=Strategy.ONE_FOR_ONE, kw_only=True)
    restart: Restart = field(default=Restart.PERMANENT, kw_only=True)
    significant: bool = field(default=False, kw_only=True)
    auto_shutdown: AutoShutdown = field(default=AutoShutdown.NEVER, kw_only=True)
    start_timeout_s: float = field(default=math.inf, kw_only=True)
    shutdown_s: float = field(default=math.inf, kw_only=True)

    def __post_init__(self) -> None:
        check_name(self.name)
        object.__setattr__(self, "children", tuple(self.children))
        names = [child.name for child in self.children]
        _require(len(set(names)) == len(names), f"children of {self.name!r} have distinct names")
        _require(depth(self) <= DEPTH_MAX, f"supervisors nest at most {DEPTH_MAX} deep")
        self._check_tolerance()

    @property
    def kind(self) -> str:
        return "supervisor"

    @property
    def essential(self) -> bool:
        """As essential as those below."""
        return any(child.essential for child in self.children)


@dataclass(frozen=True)
class DynamicSpec(_Conduct, _Tolerance):
    """A supervisor over any number of like children, each with a key: one conversation, one user.

    ``(kind, key)`` is a virtual address: it needs no start, the first message activates the child, and there is
    never more than one alive per key. ``start`` makes the behaviour of a key.

    Args:
        partitions: failure domains. Restarts are counted per partition; one that goes over its intensity is
            stopped whole and counts as a single failure of the supervisor. 1 gives plain OTP counting.
        max_children: live children; a message that would activate one more is refused.
        restart: of the children; those that are not restarted are forgotten, and a later message activates them
            anew. The supervisor itself is permanent.
        essential: of the supervisor, as for a :class:`ChildSpec`; no single child is.
    """

    name: str
    kind: str
    start: Callable[[str], Actor[Any]]
    restart: Restart = field(default=Restart.TRANSIENT, kw_only=True)
    partitions: int = field(default=1, kw_only=True)
    max_children: int = field(default=100_000, kw_only=True)
    essential: bool = field(default=False, kw_only=True)
    # Many keys share one window, so the default is wider than a static supervisor's 3 in 5 s.
    intensity: int = field(default=100, kw_only=True)

    def __post_init__(self) -> None:
        check_name(self.name)
        _require(bool(self.kind), "a dynamic supervisor names the kind of its children")
        self._check_conduct()
        self._check_tolerance()
        _require(self.partitions >= 1, "there is at least one partition")
        _require(self.max_children >= 1, "max_children is at least 1")


AnySpec = ChildSpec | SupervisorSpec | DynamicSpec
ActorSpec = ChildSpec | DynamicSpec  # what an actor is run by; a dynamic supervisor's children share its spec


def check_name(name: str) -> None:
    """Refuse what cannot be one segment of a path.

    Raises:
        ValueError: empty, or has a slash in it.
    """
    _require(bool(name) and "/" not in name, f"{name!r} cannot be a segment of a path")


def depth(spec: AnySpec) -> int:
    """Levels of supervisors in this spec, itself included; 0 for an actor."""
    match spec:
        case SupervisorSpec():
            return 1 + max((depth(child) for child in spec.children), default=0)
        case DynamicSpec():
            return 1
        case _:
            return 0


def _require(condition: bool, text: str) -> None:
    if not condition:
        raise ValueError(text)
