"""The model against the examples of OTP's manual: an oracle should be checked by something simpler than itself."""

from __future__ import annotations

from tests.supervisor.conformance.otp import Exit, Model, Restart, Strategy, Supervisor, Worker


def steps(text: str) -> list[str]:
    return [step.strip() for step in text.split(",") if step.strip()]


def three(strategy: Strategy, *, intensity: int = 3) -> Model:
    model = Model(Supervisor("s", (Worker("a"), Worker("b"), Worker("c")), strategy, intensity=intensity))
    assert list(map(repr, model.boot())) == steps("start /s/a, start /s/b, start /s/c")
    return model


def test_one_for_one_restarts_the_child_alone() -> None:
    assert list(map(repr, three(Strategy.ONE_FOR_ONE).exit("/s/b", Exit.ERROR, now=0))) == ["start /s/b"]


def test_rest_for_one_takes_the_later_ones_along() -> None:
    taken = three(Strategy.REST_FOR_ONE).exit("/s/b", Exit.ERROR, now=0)

    assert list(map(repr, taken)) == steps("stop /s/c, start /s/b, start /s/c")


def test_one_for_all_takes_everyone_along() -> None:
    taken = three(Strategy.ONE_FOR_ALL).exit("/s/b", Exit.ERROR, now=0)

    assert list(map(repr, taken)) == steps("stop /s/c, stop /s/a, start /s/a, start /s/b, start /s/c")


def test_intensity_is_the_number_of_restarts_allowed_within_the_period_its_edge_included() -> None:
    edge, outside = three(Strategy.ONE_FOR_ONE, intensity=1), three(Strategy.ONE_FOR_ONE, intensity=1)
    for model in (edge, outside):
        model.exit("/s/a", Exit.ERROR, now=0)

    edge.exit("/s/a", Exit.ERROR, now=5.0)
    outside.exit("/s/a", Exit.ERROR, now=5.1)

    assert (edge.is_up, outside.is_up) == (False, True)


def test_a_failed_restart_under_rest_for_one_is_tried_again_from_the_child_that_failed() -> None:
    model = Model(
        Supervisor("s", (Worker("a"), Worker("b"), Worker("c")), Strategy.REST_FOR_ONE),
        failing_starts={"/s/b": frozenset({2})},
    )
    model.boot()

    taken = model.exit("/s/a", Exit.ERROR, now=0)

    assert list(map(repr, taken)) == steps("stop /s/c, stop /s/b, start /s/a, fail /s/b, start /s/b, start /s/c")


def test_shutdown_of_a_transient_supervisor_is_where_escalation_ends() -> None:
    inner = Supervisor("inner", (Worker("a"),), intensity=0, restart=Restart.TRANSIENT)
    model = Model(Supervisor("s", (inner, Worker("b"))))
    model.boot()

    assert model.exit("/s/inner/a", Exit.ERROR, now=0) == []
    assert model.running_workers() == ["/s/b"]
