"""One instructor does not fill the page: of any ten in a row at most two are the same one's, as long as there are others."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from greenroom.actors.search.answer import Ranked

WINDOW: Final = 10
"""What is seen at a glance."""

SAME_MAX: Final = 2
"""Who gives two kinds of lessons that fit may be shown with both; more is an advertisement."""


def spread(ranked: Sequence[Ranked]) -> list[Ranked]:
    """The same in nearly the same order: each place has the best of those left whose instructor may be shown there.

    If nobody else is left, the best is shown all the same. At most some thousand steps for two hundred.
    """
    left, shown = list(ranked), []
    recent: deque[str] = deque(maxlen=WINDOW - 1)
    while left:
        counts = Counter(recent)
        place = next(
            (i for i, one in enumerate(left) if counts[one.candidate.instructor_id] < SAME_MAX),
            0,
        )
        chosen = left.pop(place)
        shown.append(chosen)
        recent.append(chosen.candidate.instructor_id)
    return shown
