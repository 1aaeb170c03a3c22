"""Watching: one Down per monitor, whoever ends first and however often the watched one comes back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked

from greenroom.supervisor import (
    NOPROC,
    Actor,
    Address,
    ChildSpec,
    Down,
    DynamicSpec,
    ExitKind,
    ExitReason,
    MonitorRef,
    Restart,
    SupervisorSpec,
    open_system,
)
from tests.supervisor.conformance.trees import leftovers, patient
from tests.supervisor.scheduling import examples, run_seeded, seeds

WATCHERS = ("/root/watchers/v", "/root/watchers/w")
# One that always comes back, one that never does, a virtual one, and one that nobody ever was.
VIRTUAL = "/root/stars/nova"
STARS = ("/root/phoenix", "/root/comet", VIRTUAL, "/root/nobody")


class Deed(Enum):
    WATCH = "watch"
    UNWATCH = "unwatch"
    END_STAR = "end star"
    CRASH_STAR = "crash star"
    CRASH_WATCHER = "crash watcher"
    WAKE_STAR = "wake star"


@dataclass(frozen=True, slots=True)
class Act:
    deed: Deed
    watcher: str
    star: str
    which: int  # of the watcher's monitors, for UNWATCH
    settles: bool  # wait until all is quiet before the next act


@dataclass(slots=True)
class Logbook:
    """All monitors ever made by one incarnation of a watcher, and what came of them."""

    refs: list[MonitorRef] = field(default_factory=list)
    unwatched: set[MonitorRef] = field(default_factory=set)
    downs: list[Down] = field(default_factory=list)
    is_closed: bool = False  # the watcher's incarnation is over


class Watcher(Actor[Act]):
    def __init__(self, logbooks: list[Logbook], addresses: dict[str, Address[object]]) -> None:
        self._logbook = Logbook()
        self._addresses = addresses
        logbooks.append(self._logbook)

    async def handle(self, act: Act) -> None:
        match act.deed:
            case Deed.WATCH:
                self._logbook.refs.append(self.ctx.monitor(self._addresses[act.star]))
            case Deed.UNWATCH if self._logbook.refs:
                ref = self._logbook.refs[act.which % len(self._logbook.refs)]
                self.ctx.demonitor(ref)
                if all(down.ref != ref for down in self._logbook.downs):
                    self._logbook.unwatched.add(ref)
            case Deed.CRASH_WATCHER:
                raise ValueError(act)

    async def handle_down(self, down: Down) -> None:
        assert not self._logbook.is_closed
        self._logbook.downs.append(down)

    async def terminate(self, reason: ExitReason) -> None:
        self._logbook.is_closed = True


class Star(Actor[Act]):
    """Keeps a public record of its ends, one after the other."""

    def __init__(self, ends: dict[str, list[ExitKind]]) -> None:
        self._ends = ends

    async def handle(self, act: Act) -> None:
        match act.deed:
            case Deed.END_STAR:
                self.ctx.stop()
            case Deed.CRASH_STAR:
                raise ValueError(act)

    async def terminate(self, reason: ExitReason) -> None:
        self._ends[self.ctx.path].append(reason.kind)


async def night(acts: Sequence[Act]) -> None:
    logbooks: list[Logbook] = []
    ends: dict[str, list[ExitKind]] = defaultdict(list)
    addresses: dict[str, Address[object]] = {}

    def star() -> Star:
        return Star(ends)

    def watcher() -> Watcher:
        return Watcher(logbooks, addresses)

    watchers = SupervisorSpec(
        "watchers",
        (ChildSpec("v", watcher), ChildSpec("w", watcher)),
        intensity=1000,
        consecutive_failures_max=1000,
    )
    root = patient(
        watchers,
        ChildSpec("phoenix", star),
        ChildSpec("comet", star, restart=Restart.TEMPORARY),
        DynamicSpec("stars", "star", lambda _key: star(), restart=Restart.TEMPORARY),
    )
    async with open_system(root) as system:
        for path in (*WATCHERS, *STARS):
            addresses[path] = system.address(path)
        for act in acts:
            is_for_watcher = act.deed in (Deed.WATCH, Deed.UNWATCH, Deed.CRASH_WATCHER)
            addresses[act.watcher if is_for_watcher else act.star].tell(act)
            if act.settles:
                await wait_all_tasks_blocked()
        await trio.sleep(3600.0)

        shown = [node.path for node in (await system.rank()).actors]
        watching = sorted(path for watcher in WATCHERS for path in system.inspect(watcher).watching)
        watched = sorted(path for path in shown for _ in system.inspect(path).watched_by)
        assert watching == watched
        assert watching == sorted(ref.path for logbook in logbooks for ref in still_open(logbook))
        for logbook in logbooks:
            check_downs(logbook, ends)
    assert leftovers(system) == []


def still_open(logbook: Logbook) -> list[MonitorRef]:
    if logbook.is_closed:
        return []
    over = {down.ref for down in logbook.downs} | logbook.unwatched
    return [ref for ref in logbook.refs if ref not in over]


def check_downs(logbook: Logbook, ends: dict[str, list[ExitKind]]) -> None:
    heard = [down.ref for down in logbook.downs]
    assert len(heard) == len(set(heard)), "a monitor brought two Downs"
    assert not set(heard) & logbook.unwatched, "a Down came for what was not watched any more"
    assert set(heard) <= set(logbook.refs)
    for down in logbook.downs:
        ref, kind = down.ref, down.reason.kind
        assert down.address.path == ref.path
        if ref.incarnation == 0:
            assert down.reason == NOPROC
        elif ref.path == VIRTUAL:
            assert kind in ends[ref.path]  # a key that was forgotten counts its incarnations anew
        else:
            assert kind is ends[ref.path][ref.incarnation - 1]


acts = st.builds(
    Act,
    deed=st.sampled_from([Deed.WATCH, Deed.WATCH, *Deed]),
    watcher=st.sampled_from(WATCHERS),
    star=st.sampled_from(STARS),
    which=st.integers(0, 5),
    settles=st.booleans(),
)


@given(acts=st.lists(acts, min_size=5, max_size=30), seed=seeds)
@examples(80)
def test_a_monitor_brings_one_down_unless_it_is_taken_back(acts: list[Act], seed: int) -> None:
    run_seeded(night, acts, seed=seed)
