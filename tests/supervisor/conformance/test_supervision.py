"""Supervision as OTP has it: restart types, strategies, intensity, escalation, order.

The table says in so many words what must happen, and holds kernel and model to it. The walks then hold the kernel to
the model in trees, courses of events and schedules that nobody thought of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.supervisor.conformance.otp import (
    AutoShutdown,
    Dynamic,
    Exit,
    Restart,
    Strategy,
    Supervisor,
    Worker,
)
from tests.supervisor.conformance.rehearsal import Cue, End, Operate, Order, Outcome, Write, rehearse
from tests.supervisor.scheduling import examples, run_seeded, seeds

A, B, C = 0, 1, 2
ALL, REST, ONE = Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE, Strategy.ONE_FOR_ONE
PERMANENT, TRANSIENT, TEMPORARY = Restart.PERMANENT, Restart.TRANSIENT, Restart.TEMPORARY


def outcome(
    root: Supervisor, *cues: Cue, failing_starts: dict[str, set[int]] | None = None, seed: int = 1
) -> Outcome:
    failing = {path: frozenset(starts) for path, starts in (failing_starts or {}).items()}
    return run_seeded(rehearse, root, cues, failing, seed=seed)


def trio_of(strategy: Strategy, *restarts: Restart, intensity: int = 3) -> Supervisor:
    workers = (Worker(name, restart) for name, restart in zip("abc", restarts or 3 * (PERMANENT,), strict=True))
    return Supervisor("s", tuple(workers), strategy, intensity=intensity)


# Restart types.


@pytest.mark.parametrize(
    ("restart", "exits_that_restart"),
    [
        (PERMANENT, set(Exit)),
        (TRANSIENT, {Exit.ERROR, Exit.KILLED, Exit.BUDGET}),
        (TEMPORARY, set()),
    ],
    ids=lambda value: value.value if isinstance(value, Restart) else "",
)
@pytest.mark.parametrize("reason", list(Exit), ids=lambda reason: reason.value)
def test_a_restart_type_decides_by_the_reason(
    restart: Restart, reason: Exit, exits_that_restart: set[Exit]
) -> None:
    told = str(outcome(trio_of(ONE, restart, restart, restart), End(B, reason)))

    if reason in exits_that_restart:
        assert told == "start:a start:b start:c; start:b; stop:c stop:b stop:a"
    else:
        assert told == "start:a start:b start:c; ; stop:c stop:a"


# Strategies.


@pytest.mark.parametrize(
    ("strategy", "restarts", "who", "taken"),
    [
        (ONE, "ppp", B, "start:b"),
        (REST, "ppp", A, "stop:c stop:b start:a start:b start:c"),
        (REST, "ppp", B, "stop:c start:b start:c"),
        (REST, "ppp", C, "start:c"),
        (ALL, "ppp", A, "stop:c stop:b start:a start:b start:c"),
        (ALL, "ppp", B, "stop:c stop:a start:a start:b start:c"),
        (ALL, "ppp", C, "stop:b stop:a start:a start:b start:c"),
        # A temporary child goes down with the others and does not come back.
        (ALL, "ppt", A, "stop:c stop:b start:a start:b"),
        (REST, "ptp", A, "stop:c stop:b start:a start:c"),
        # Its own end is nobody else's business.
        (ALL, "ptp", B, ""),
        (REST, "tpp", A, ""),
    ],
)
def test_a_strategy_decides_who_shares_a_fate(strategy: Strategy, restarts: str, who: int, taken: str) -> None:
    types = [PERMANENT if letter == "p" else TEMPORARY for letter in restarts]

    told = outcome(trio_of(strategy, *types), End(who, Exit.ERROR))

    assert str(told).split("; ")[1] == taken


@pytest.mark.parametrize("strategy", [ALL, REST])
def test_a_transient_child_that_had_finished_is_started_again_with_its_siblings(strategy: Strategy) -> None:
    told = outcome(trio_of(strategy, PERMANENT, TRANSIENT, PERMANENT), End(B, Exit.NORMAL), End(A, Exit.ERROR))

    assert str(told).split("; ")[2] == "stop:c start:a start:b start:c"


# Order.


def test_nested_supervisors_start_depth_first_and_stop_in_reverse() -> None:
    inner = Supervisor("inner", (Worker("b"), Worker("c")))

    told = outcome(Supervisor("s", (Worker("a"), inner, Worker("d"))))

    assert str(told) == "start:a start:b start:c start:d; stop:d stop:c stop:b stop:a"


def test_a_boot_that_fails_stops_what_was_started_in_reverse() -> None:
    inner = Supervisor("inner", (Worker("b"), Worker("c"), Worker("d")))

    told = outcome(Supervisor("s", (Worker("a"), inner, Worker("e"))), failing_starts={"/s/inner/c": {1}})

    assert str(told) == "start:a start:b fail:c stop:b stop:a"
    assert not told.survived


# Intensity.


@pytest.mark.parametrize("intensity", [0, 1, 3])
def test_the_allowed_number_of_restarts_is_allowed_and_one_more_is_not(intensity: int) -> None:
    crash = End(A, Exit.ERROR)

    allowed = outcome(trio_of(ONE, intensity=intensity), *intensity * [crash])
    one_more = outcome(trio_of(ONE, intensity=intensity), *(intensity + 1) * [crash])

    assert (allowed.survived, one_more.survived) == (True, False)
    assert str(one_more).split("; ")[-1] == "stop:c stop:b"


@pytest.mark.parametrize(("after_s", "survived"), [(5.0, False), (5.25, True)])
def test_a_restart_exactly_one_period_ago_still_counts(after_s: float, survived: bool) -> None:
    told = outcome(trio_of(ONE, intensity=1), End(A, Exit.ERROR), End(B, Exit.ERROR, after_s=after_s))

    assert told.survived is survived


def test_the_end_of_a_temporary_child_is_no_restart() -> None:
    told = outcome(
        trio_of(ONE, TEMPORARY, TEMPORARY, PERMANENT, intensity=0), End(A, Exit.ERROR), End(A, Exit.ERROR)
    )

    assert told.survived


def test_a_group_that_restarts_together_counts_once() -> None:
    told = outcome(trio_of(ALL, intensity=2), End(A, Exit.ERROR), End(C, Exit.ERROR))

    assert told.survived


def test_a_restart_that_fails_to_start_counts_as_one_more() -> None:
    in_time = outcome(trio_of(ONE, intensity=3), End(A, Exit.ERROR), failing_starts={"/s/a": {2, 3}})
    too_often = outcome(trio_of(ONE, intensity=3), End(A, Exit.ERROR), failing_starts={"/s/a": {2, 3, 4}})

    assert str(in_time).split("; ")[1] == "fail:a fail:a start:a"
    assert str(too_often).split("; ")[1] == "fail:a fail:a fail:a stop:c stop:b"
    assert (in_time.survived, too_often.survived) == (True, False)


@pytest.mark.parametrize(
    ("strategy", "taken"),
    [
        (REST, "stop:c stop:b start:a fail:b start:b start:c"),
        (ALL, "stop:c stop:b start:a fail:b stop:a start:a start:b start:c"),
    ],
)
def test_a_sibling_that_fails_to_start_is_where_the_restart_is_tried_again(strategy: Strategy, taken: str) -> None:
    told = outcome(trio_of(strategy), End(A, Exit.ERROR), failing_starts={"/s/b": {2}})

    assert str(told).split("; ")[1] == taken


def test_failures_in_a_row_end_a_loop_too_slow_for_the_window() -> None:
    tree = Supervisor("s", (Worker("a"),), intensity=2, period_s=5.0, failures_in_a_row_max=4)
    crash_again, crash_after_a_rest = End(A, Exit.ERROR, after_s=3.0), End(A, Exit.ERROR, after_s=5.0)

    slow_loop = outcome(tree, *5 * [crash_again])
    with_a_rest = outcome(tree, *4 * [crash_again], crash_after_a_rest, crash_again)

    assert (slow_loop.survived, with_a_rest.survived) == (False, True)


# Escalation.


def nested(**settings: object) -> Supervisor:
    inner = Supervisor("inner", (Worker("b"), Worker("c")), intensity=0, **settings)  # type: ignore[arg-type]
    return Supervisor("s", (Worker("a"), inner, Worker("d")), intensity=1)


def test_a_supervisor_that_gives_up_is_restarted_by_its_own() -> None:
    told = outcome(nested(), End(B, Exit.ERROR))

    assert str(told).split("; ")[1] == "stop:c start:b start:c"
    assert told.survived


def test_escalation_reaches_the_root_level_by_level() -> None:
    told = outcome(nested(), End(B, Exit.ERROR), End(B, Exit.ERROR))

    assert str(told).split("; ")[2] == "stop:c stop:d stop:a"
    assert not told.survived


def test_a_restarted_supervisor_has_its_whole_intensity_again() -> None:
    inner = Supervisor("inner", (Worker("b"),), intensity=1)
    told = outcome(Supervisor("s", (inner,), intensity=1), *3 * [End(A, Exit.ERROR)])

    assert told.survived


def test_a_transient_supervisor_that_gives_up_stays_down() -> None:
    told = outcome(nested(restart=TRANSIENT), End(B, Exit.ERROR))

    assert str(told) == "start:a start:b start:c start:d; stop:c; stop:d stop:a"


def test_a_restarted_supervisor_has_its_temporary_children_again() -> None:
    inner = Supervisor("inner", (Worker("b"), Worker("t", TEMPORARY)), intensity=0)

    told = outcome(Supervisor("s", (inner,)), End(B, Exit.ERROR), End(A, Exit.ERROR))

    assert str(told) == "start:b start:t; ; start:b start:t; stop:t stop:b"


def test_a_supervisor_that_cannot_start_again_counts_as_failed_restarts_above() -> None:
    told = outcome(nested(), End(B, Exit.ERROR), failing_starts={"/s/inner/c": {2}})

    assert str(told).split("; ")[1] == "stop:c start:b fail:c stop:b stop:d stop:a"
    assert not told.survived


# Auto-shutdown.


def quorum(mode: AutoShutdown) -> Supervisor:
    workers = (Worker("b", TRANSIENT, significant=True), Worker("c", TEMPORARY, significant=True), Worker("d"))
    return Supervisor("s", (Supervisor("inner", workers, restart=TRANSIENT, auto_shutdown=mode), Worker("e")))


def test_a_supervisor_ends_with_any_significant_child() -> None:
    told = outcome(quorum(AutoShutdown.ANY_SIGNIFICANT), End(B, Exit.ERROR))

    assert str(told) == "start:b start:c start:d start:e; stop:d stop:b; stop:e"


def test_a_supervisor_ends_with_its_last_significant_child() -> None:
    told = outcome(
        quorum(AutoShutdown.ALL_SIGNIFICANT), End(A, Exit.ERROR), End(A, Exit.NORMAL), End(A, Exit.NORMAL)
    )

    assert str(told) == "start:b start:c start:d start:e; start:b; ; stop:d; stop:e"


# Dynamic supervisors.


def troupe(restart: Restart, **settings: int) -> Supervisor:
    return Supervisor("s", (Worker("a"), Dynamic("keys", restart, **settings)))


def test_writing_to_a_key_starts_it_once() -> None:
    told = outcome(troupe(PERMANENT), Write(0, "x"), Write(0, "y"), Write(0, "x"))

    assert str(told) == "start:a; start:x; start:y; ; stop:y stop:x stop:a"


@pytest.mark.parametrize(
    ("restart", "reason", "taken"),
    [
        (PERMANENT, Exit.NORMAL, "start:x"),
        (TRANSIENT, Exit.NORMAL, ""),
        (TRANSIENT, Exit.ERROR, "start:x"),
        (TEMPORARY, Exit.ERROR, ""),
    ],
)
def test_a_key_that_ended_is_restarted_by_its_type_or_forgotten(
    restart: Restart, reason: Exit, taken: str
) -> None:
    told = outcome(troupe(restart), Write(0, "x"), End(B, reason), Write(0, "x"))

    assert str(told).split("; ")[2:4] == [taken, "" if taken else "start:x"]


def test_a_first_start_that_fails_is_not_tried_again_until_the_next_message() -> None:
    told = outcome(troupe(PERMANENT), Write(0, "x"), Write(0, "x"), failing_starts={"/s/keys/x": {1}})

    assert str(told).split("; ")[1:3] == ["fail:x", "start:x"]


def test_keys_share_one_intensity_and_go_down_together() -> None:
    told = outcome(
        troupe(PERMANENT, intensity=1),
        Write(0, "x"),
        Write(0, "y"),
        End(B, Exit.ERROR),
        End(C, Exit.ERROR),
        Write(0, "y"),
    )

    # Their supervisor comes back without them: nobody has written to them yet.
    assert str(told) == "start:a; start:x; start:y; start:x; stop:x; start:y; stop:y stop:a"


def test_a_key_that_fails_in_a_row_is_forgotten_and_its_neighbours_go_on() -> None:
    told = outcome(
        troupe(PERMANENT, failures_in_a_row_max=1),
        Write(0, "x"),
        Write(0, "y"),
        End(B, Exit.ERROR),
        End(B, Exit.ERROR),
    )

    assert str(told) == "start:a; start:x; start:y; start:x; ; stop:y stop:a"


# Walks.

restarts = st.sampled_from([PERMANENT, PERMANENT, PERMANENT, TRANSIENT, TRANSIENT, TEMPORARY])
delays = st.sampled_from([0.0, 0.0, 0.0, 0.5, 2.5, 5.0, 5.25])


@st.composite
def supervisors(draw: st.DrawFn, name: str = "s", depth: int = 0) -> Supervisor:
    kinds = ["worker", "worker", "dynamic", "supervisor", "supervisor"] if depth < 2 else ["worker"]
    children: list[Worker | Supervisor | Dynamic] = []
    for index in range(draw(st.integers(2, 4))):
        child = f"{name}{index}"
        match draw(st.sampled_from(kinds)):
            case "supervisor":
                children.append(draw(supervisors(child, depth + 1)))
            case "dynamic":
                limits = {
                    "intensity": draw(st.integers(0, 3)),
                    "failures_in_a_row_max": draw(st.sampled_from([2, 13])),
                }
                children.append(Dynamic(child, draw(restarts), **limits))
            case _:
                restart = draw(restarts)
                children.append(
                    Worker(child, restart, significant=restart is not PERMANENT and draw(st.booleans()))
                )
    restart = PERMANENT if depth == 0 else draw(restarts)
    return Supervisor(
        name,
        tuple(children),
        draw(st.sampled_from(Strategy)),
        intensity=draw(st.integers(1, 6) if depth == 0 else st.integers(0, 3)),
        failures_in_a_row_max=draw(st.sampled_from([3, 13])),
        restart=restart,
        significant=restart is not PERMANENT and draw(st.booleans()),
        auto_shutdown=draw(st.sampled_from([AutoShutdown.NEVER, AutoShutdown.NEVER, *AutoShutdown])),
    )


def worker_paths(supervisor: Supervisor, above: str = "") -> Iterator[str]:
    path = f"{above}/{supervisor.name}"
    for child in supervisor.children:
        match child:
            case Supervisor():
                yield from worker_paths(child, path)
            case Worker():
                yield f"{path}/{child.name}"
            case Dynamic():
                yield from (f"{path}/{child.name}/{key}" for key in "xyz")


ends = st.builds(End, st.integers(0, 30), st.sampled_from(Exit), delays)
orders = st.builds(Operate, st.integers(0, 30), st.sampled_from(Order), delays)
writes = st.builds(Write, st.integers(0, 5), st.sampled_from("xyz"), delays)
failing = st.lists(st.tuples(st.integers(0, 50), st.sets(st.integers(2, 6), min_size=1, max_size=3)), max_size=4)


@given(
    root=supervisors(),
    cues=st.lists(st.one_of(ends, ends, ends, writes, orders), min_size=10, max_size=30),
    stage_fright=failing,
    seed=seeds,
)
@examples(70)
def test_the_kernel_does_what_the_model_does(
    root: Supervisor, cues: Sequence[Cue], stage_fright: list[tuple[int, set[int]]], seed: int
) -> None:
    paths = list(worker_paths(root))

    outcome(
        root, *cues, failing_starts={paths[who % len(paths)]: starts for who, starts in stage_fright}, seed=seed
    )
