"""Play a list of cues to the model and to the kernel, and compare after each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from itertools import groupby

import trio
from trio.testing import wait_all_tasks_blocked

from greenroom.supervisor import ActorDied, RootExited, StartFailed, open_system
from tests.supervisor.conformance import otp
from tests.supervisor.conformance.stage import BUDGET_S, Enter, Leave, Stage


@dataclass(frozen=True, slots=True)
class End:
    """A running worker ends by itself. ``who`` counts through the running ones, and around."""

    who: int
    exit: otp.Exit
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Write:
    """A message for one of a few keys under a running dynamic supervisor."""

    who: int
    key: str
    after_s: float = 0.0


class Order(Enum):
    STOP = "stop"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Operate:
    """An operator gives an order about a child, be it a worker or a supervisor, running or not."""

    who: int
    order: Order
    after_s: float = 0.0


Cue = End | Write | Operate


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a rehearsal went, in the model and hence in the kernel."""

    steps: tuple[tuple[otp.Step, ...], ...]  # for boot, for each cue that found somebody, and for the end
    survived: bool

    def __str__(self) -> str:
        return "; ".join(
            " ".join(f"{verb.value}:{path.rpartition('/')[2]}" for verb, path in part) for part in self.steps
        )


async def rehearse(
    root: otp.Supervisor, cues: Sequence[Cue] = (), failing_starts: Mapping[str, frozenset[int]] | None = None
) -> Outcome:
    """Run kernel and model side by side; returns what both did.

    Raises:
        AssertionError: the kernel did something else than the model.
    """
    model = otp.Model(root, failing_starts=failing_starts)
    stage = Stage(failing_starts or {})
    dynamics = {f"{path}/" for path in _dynamic_paths(root, f"/{root.name}")}
    history: list[tuple[otp.Step, ...]] = []
    expected = model.boot()

    def compare(cue: object) -> None:
        taken = stage.taken_steps()
        assert _unordered(taken, dynamics) == _unordered(expected, dynamics), f"after {cue}, history {history}"
        assert sorted(stage.present) == sorted(model.running_workers()), f"after {cue}, history {history}"
        history.append(tuple(expected))

    last_cue: object = "boot"
    try:
        async with open_system(stage.spec(root)) as system:
            compare("boot")
            for cue in cues:
                await trio.sleep(cue.after_s)
                candidates = candidates_for(cue, model)
                if not candidates:
                    continue
                last_cue = cue
                path = candidates[cue.who % len(candidates)]
                now = system.now()
                match cue:
                    case End(exit=reason):
                        takes_s = BUDGET_S if reason is otp.Exit.BUDGET else 0.0
                        expected = model.exit(path, reason, now=now + takes_s)
                        system.address(path).tell(Leave(reason))
                        await trio.sleep(takes_s)
                    case Write(key=key):
                        expected = model.write_to(path, key, now=now)
                        system.address(f"{path}/{key}").tell(Enter())
                    case Operate(order=Order.STOP):
                        expected = model.stop(path)
                        await system.stop_child(path)
                    case Operate(order=Order.RESTART):
                        expected = model.restart(path, now=now)
                        with suppress(StartFailed, ActorDied):
                            await system.restart(path)
                await wait_all_tasks_blocked()  # cancelled here if the root gives up
                assert model.is_up, f"the root should have given up after {cue}, history {history}"
                compare(cue)
                used = model.intensity_used(now=system.now())
                shown = {path: system.inspect(path).node.intensity_used for path in used}
                assert shown == used, f"intensity shown {shown}, used {used}, after {cue}"
            last_cue = "shutdown"
            expected = model.shutdown()
    except (RootExited, StartFailed):
        survived = False
    else:
        survived = True
    assert survived == (last_cue == "shutdown")
    assert not model.is_up
    compare(last_cue)
    return Outcome(tuple(history), survived)


def candidates_for(cue: Cue, model: otp.Model) -> list[str]:
    match cue:
        case End():
            return model.running_workers()
        case Write():
            return model.running_dynamics()
        case Operate():
            return model.children()


def _dynamic_paths(supervisor: otp.Supervisor, path: str) -> Iterator[str]:
    for child in supervisor.children:
        if isinstance(child, otp.Dynamic):
            yield f"{path}/{child.name}"
        elif isinstance(child, otp.Supervisor):
            yield from _dynamic_paths(child, f"{path}/{child.name}")


def _unordered(steps: Sequence[otp.Step], dynamics: set[str]) -> list[otp.Step]:
    """The steps with those of one dynamic supervisor in a row sorted: it stops its children side by side."""

    def owner(step: otp.Step) -> str:
        parent = step.path.rpartition("/")[0] + "/"
        return parent if parent in dynamics else ""

    grouped = ((by, list(group)) for by, group in groupby(steps, key=owner))
    return [step for by, group in grouped for step in (sorted(group, key=repr) if by else group)]
