"""Who is let in follows from what is answered in time."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from greenroom.actors.search.admission import CUT_EVERY_S, Admission, SearchesBusy
from greenroom.schema.search.config import SearchConfig
from greenroom.schema.search.diagnostics import BudgetUse, Skip, SkipReason, StageName

CONFIG = SearchConfig()
IN_TIME = BudgetUse(limit_ms=500, used_ms=40, skipped=())
LATE = BudgetUse(limit_ms=500, used_ms=650, skipped=())
CUT_SHORT = BudgetUse(limit_ms=500, used_ms=500, skipped=(Skip(StageName.BURST2, SkipReason.TIMEOUT),))
WITHOUT_MODEL = BudgetUse(limit_ms=500, used_ms=450, skipped=(Skip(StageName.EMBEDDING, SkipReason.TIMEOUT),))


def let_in(admission: Admission) -> int:
    """How many are let in at once."""
    count = 0
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(admission.admitted(CONFIG))
            except SearchesBusy:
                return count
            count += 1


def under_load(admission: Admission, use: BudgetUse, *, times: int) -> None:
    with ExitStack() as stack:
        for _ in range(let_in(admission)):
            stack.enter_context(admission.admitted(CONFIG))
        for number in range(times):
            admission.answered(use, CONFIG, now=number * CUT_EVERY_S)


def test_without_load_as_many_are_let_in_as_are_set() -> None:
    assert let_in(Admission()) == 24


@pytest.mark.parametrize("use", [LATE, CUT_SHORT])
def test_answers_that_come_late_or_without_what_was_found_let_fewer_in(use: BudgetUse) -> None:
    admission = Admission()
    under_load(admission, use, times=5)

    assert let_in(admission) == 15


def test_slow_models_keep_nobody_out() -> None:
    admission = Admission()
    under_load(admission, WITHOUT_MODEL, times=50)

    assert let_in(admission) == 24


def test_searches_that_are_late_at_the_same_time_count_once() -> None:
    admission = Admission()
    with ExitStack() as stack:
        for _ in range(24):
            stack.enter_context(admission.admitted(CONFIG))
        for _ in range(20):
            admission.answered(LATE, CONFIG, now=1.0)

    assert let_in(admission) == 22


def test_a_search_that_is_slow_by_itself_keeps_nobody_out() -> None:
    admission = Admission()
    with admission.admitted(CONFIG):
        admission.answered(CUT_SHORT, CONFIG, now=1.0)

    assert let_in(admission) == 24


def test_the_soft_cap_is_let_in_however_bad_it_was_and_more_once_it_is_better() -> None:
    admission = Admission()
    under_load(admission, LATE, times=200)
    assert let_in(admission) == CONFIG.uncached_concurrency

    for _ in range(400):
        admission.answered(IN_TIME, CONFIG, now=0)
    assert let_in(admission) == 24
