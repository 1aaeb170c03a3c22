from __future__ import annotations

from greenroom.workers.losses import PAUSE_MAX_S, STEADY_S, Losses


def test_the_first_death_is_made_good_at_once() -> None:
    assert Losses().note(lived_s=STEADY_S) == 0.0


def test_deaths_in_a_row_are_waited_out_longer_and_longer_up_to_a_bound() -> None:
    losses = Losses()
    pauses = [losses.note(lived_s=0.5) for _ in range(12)]
    assert pauses[:5] == [0.0, 0.25, 0.5, 1.0, 2.0]
    assert max(pauses) == PAUSE_MAX_S


def test_a_worker_that_was_well_begins_a_new_row() -> None:
    losses = Losses()
    for _ in range(5):
        losses.note(lived_s=0.5)
    assert losses.note(lived_s=STEADY_S) == 0.0
