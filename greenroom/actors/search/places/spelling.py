"""Whether a text is a misspelt name, told by what had to be typed wrong for it.

Trigrams find candidates; they are no proof. A text as similar as 0.6 is right nine times of ten, between 0.45 and 0.6 eight, below it
a coin is as good; and one wrong letter in a short name costs more trigrams than a wrong word in a long one.
"""

from __future__ import annotations

from typing import Final

from rapidfuzz.distance import OSA

from greenroom.schema.search.place_names import compact

ALONE_MIN: Final = 0.6
"""Similarity from which a candidate is taken wherever it lies."""

IN_CONTEXT_MIN: Final = 0.45
"""Similarity from which a candidate is taken if the city is known. Below it none is, whatever else speaks for it."""

_ERRORS_BY_LENGTH: Final = ((4, 0), (6, 1), (10, 2))
_ERRORS_MAX: Final = 3


def errors_between(text: str, name: str) -> int:
    """Letters left out, put in, replaced or swapped with their neighbour; spaces count, unless they are all that differs.

    Source: optimal string alignment, after F. Damerau, Communications of the ACM 7, 1964.
    """
    return min(OSA.distance(text, name), OSA.distance(compact(text), compact(name)))


def errors_allowed(name: str) -> int:
    """How many typing errors still let this name be told from others: none below 4 letters, one below 6, two below 10, else three."""
    length = len(compact(name))
    return next((errors for below, errors in _ERRORS_BY_LENGTH if length < below), _ERRORS_MAX)
