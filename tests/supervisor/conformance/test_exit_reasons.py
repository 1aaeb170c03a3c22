"""Each reason for an end, brought about for real: what it is called, and what it leads to."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from greenroom.supervisor import (
    INIT_TIMEOUT,
    KILLED,
    NORMAL,
    SHUTDOWN,
    SHUTDOWN_TIMEOUT,
    Actor,
    ActorSystem,
    ChildSpec,
    ExitKind,
    ExitReason,
    Holdings,
    Restart,
    RootExited,
    StartFailed,
    Strategy,
    SupervisorSpec,
    open_system,
)
from tests.supervisor.conformance.trees import patient
from tests.supervisor.scheduling import run_seeded

DRIVER = "/root/driver"


class Driver(Actor[str]):
    """Ends as it is told to, and notes how it was told of its end."""

    def __init__(self, ends: list[ExitReason], init_s: float = 0.0) -> None:
        self._ends = ends
        self._init_s = init_s

    async def init(self) -> None:
        await trio.sleep(self._init_s)

    async def handle(self, message: str) -> None:
        match message:
            case "normal":
                self.ctx.stop()
            case "shutdown":
                self.ctx.stop(SHUTDOWN)
            case "term":
                self.ctx.stop(ExitReason.shutdown("the day is done"))
            case "error":
                raise ValueError(message)
            case "work for ever":
                await trio.sleep_forever()
            case "hoard":
                for _ in range(10):
                    self.ctx.tell_after(60.0, "normal")
            case "background":
                self.ctx.start_task(self.fail)

    async def fail(self) -> None:
        raise ValueError("in the background")

    async def terminate(self, reason: ExitReason) -> None:
        self._ends.append(reason)


def last_exit(system: ActorSystem) -> str:
    return system.inspect(DRIVER).exits[-1].reason


@pytest.mark.parametrize(
    ("message", "kind", "detail", "restarts"),
    [
        ("normal", ExitKind.NORMAL, None, 0),
        ("shutdown", ExitKind.SHUTDOWN, None, 0),
        ("term", ExitKind.SHUTDOWN, "the day is done", 0),
        ("error", ExitKind.ERROR, "ValueError: error", 1),
        ("background", ExitKind.ERROR, "ValueError: in the background", 1),
        ("work for ever", ExitKind.BUDGET, "message", 1),
        ("hoard", ExitKind.BUDGET, "timers", 1),
    ],
)
def test_an_actor_that_ends_by_itself(message: str, kind: ExitKind, detail: object, restarts: int) -> None:
    ends: list[ExitReason] = []

    async def main() -> None:
        driver = ChildSpec(
            "driver",
            lambda: Driver(ends),
            restart=Restart.TRANSIENT,
            message_budget_s=1.0,
            holdings=Holdings(timers=5),
        )
        async with open_system(patient(driver)) as system:
            system.address(DRIVER).tell(message)
            await trio.sleep(2.0)
            assert [(end.kind, end.detail) for end in ends] == [(kind, detail)]
            assert last_exit(system) == str(ends[0])
            assert system.inspect(DRIVER).node.state == ("running" if restarts else "stopped")

    run_seeded(main, seed=1)


@pytest.mark.parametrize(
    ("shutdown_s", "message", "reason"),
    [
        (5.0, "", ExitReason.shutdown("stopped by an operator")),
        (5.0, "work for ever", SHUTDOWN_TIMEOUT),
        (0.0, "", KILLED),
        (0.0, "work for ever", KILLED),
    ],
)
def test_an_actor_that_is_stopped(shutdown_s: float, message: str, reason: ExitReason) -> None:
    ends: list[ExitReason] = []

    async def main() -> None:
        driver = ChildSpec("driver", lambda: Driver(ends), shutdown_s=shutdown_s)
        async with open_system(patient(driver)) as system:
            system.address(DRIVER).tell(message)
            await wait_all_tasks_blocked()
            await system.stop_child(DRIVER)
            assert trio.current_time() == (shutdown_s if reason == SHUTDOWN_TIMEOUT else 0.0)
            assert ends == [reason]
            await trio.sleep(60.0)
            assert system.inspect(DRIVER).node.state == "stopped", (
                "what an operator stopped stays so, permanent or not"
            )

    run_seeded(main, seed=1)


@pytest.mark.parametrize("restart", [Restart.PERMANENT, Restart.TRANSIENT])
def test_a_sibling_that_does_not_stop_in_time_is_cut_short_and_restarted_with_the_others(restart: Restart) -> None:
    ends: list[ExitReason] = []

    async def main() -> None:
        driver = ChildSpec("driver", lambda: Driver(ends), restart=restart, shutdown_s=2.0)
        culprit = ChildSpec("culprit", lambda: Driver([]))
        async with open_system(SupervisorSpec("root", (driver, culprit), strategy=Strategy.ONE_FOR_ALL)) as system:
            system.address(DRIVER).tell("work for ever")
            await wait_all_tasks_blocked()
            system.address("/root/culprit").tell("error")
            await trio.sleep(3.0)
            assert ends == [SHUTDOWN_TIMEOUT]
            assert system.inspect(DRIVER).node.state == "running"
            assert system.inspect(DRIVER).node.incarnation == 2

    run_seeded(main, seed=1)


def test_an_init_that_takes_too_long_fails_the_boot() -> None:
    ends: list[ExitReason] = []

    async def main() -> None:
        first = ChildSpec("first", lambda: Driver(ends))
        slow = ChildSpec("driver", lambda: Driver([], init_s=10.0), init_timeout_s=1.0)
        with pytest.raises(StartFailed) as failure:
            async with open_system(SupervisorSpec("root", (first, slow))):
                pytest.fail("it did not start")
        assert failure.value.path == DRIVER
        assert failure.value.reason == INIT_TIMEOUT
        assert trio.current_time() == 1.0
        assert len(ends) == 1

    run_seeded(main, seed=1)


def test_an_init_that_takes_too_long_on_a_restart_counts_as_one_more_restart() -> None:
    async def main() -> None:
        starts = iter([0.0])
        driver = ChildSpec("driver", lambda: Driver([], next(starts, 10.0)), init_timeout_s=1.0)
        async with open_system(SupervisorSpec("root", (driver,), intensity=2, period_s=60.0)) as system:
            system.address(DRIVER).tell("error")
            await trio.sleep_forever()

    with pytest.raises(RootExited, match="more than 2 restarts"):
        run_seeded(main, seed=1)


def test_the_end_of_a_system_names_its_first_cause() -> None:
    async def main() -> None:
        driver = ChildSpec("driver", lambda: Driver([]))
        root = SupervisorSpec("root", (SupervisorSpec("inner", (driver,), intensity=0),), intensity=0)
        async with open_system(root) as system:
            system.address("/root/inner/driver").tell("error")
            await trio.sleep_forever()

    with pytest.raises(RootExited, match="ValueError: error"):
        run_seeded(main, seed=1)


def test_normal_is_normal() -> None:
    assert NORMAL.is_clean
    assert ExitReason.shutdown("for a reason").is_clean
    assert not any(
        reason.is_clean for reason in (KILLED, INIT_TIMEOUT, SHUTDOWN_TIMEOUT, ExitReason.budget("message"))
    )
