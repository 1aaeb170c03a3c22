"""Whether a text is a misspelt name, told by what had to be typed wrong for it.

Trigrams find candidates; they are no proof. A text as similar as 0.6 is right nine times of ten, between 0.45 and 0.6 eight, below it
a coin is as good; and one wrong letter in a short name costs more trigrams than a wrong word in a long one.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from rapidfuzz.distance import OSA

from greenroom.schema.search.place_names import compact

ALONE_MIN: Final = 0.6
"""Similarity from which a candidate is taken wherever it lies."""

LENGTH_MIN: Final = 5
"""Letters that a name has to have to be taken below ALONE_MIN."""

UNPLACED_LENGTH_MIN: Final = 7
"""The same where the city is not known, and then for a single error only: "brooklin" is as plain in any city."""

_DIGITS: Final = re.compile(r"\d+")
_ERRORS_BY_LENGTH: Final = ((4, 0), (6, 1), (10, 2))
_ERRORS_MAX: Final = 3


def is_misspelling(text: str, name: str, *, similarity: float, is_placed: bool) -> bool:
    """Whether so few letters differ that ``text`` can be meant as ``name``: in the whole, and in each word of as many.

    Args:
        similarity: of their trigrams: the lower it is, the fewer errors are allowed.
        is_placed: the city is known, so that few other names come into question.
    """
    if _DIGITS.findall(text) != _DIGITS.findall(name):
        # "11216" is no misspelt 11215, nor se16 se15.
        return False
    allowed = errors_allowed(name)
    if similarity < ALONE_MIN:
        allowed = min(allowed, max(1, allowed - 1)) if is_placed else 1
        if len(compact(name)) < (LENGTH_MIN if is_placed else UNPLACED_LENGTH_MIN):
            return False
    if errors_between(text, name) > allowed:
        return False
    words, names = _in_order(text, name), name.split()
    if len(words) != len(names):
        return True
    return all(
        OSA.distance(one, other) <= max(1, errors_allowed(other)) for one, other in zip(words, names, strict=True)
    )


def has_every_word(text: str, name: str) -> bool:
    """Whether each word of the name is in the text, with an error at most: "heights of brooklyn" has those of Brooklyn Heights."""
    words = text.split()
    return all(min((OSA.distance(word, part) for word in words), default=2) <= 1 for part in name.split())


def errors_between(text: str, name: str) -> int:
    """Letters left out, put in, replaced or swapped with their neighbour. Spaces count unless they are all that differs, the
    order of words does not. One in the first letter counts twice: people know how a name begins.

    Sources: optimal string alignment, after F. Damerau, Communications of the ACM 7, 1964; first letters after
    J. Pollock and A. Zamora, Communications of the ACM 27, 1984.
    """
    as_named = " ".join(_in_order(text, name))
    errors = min(OSA.distance(as_named, name), OSA.distance(compact(text), compact(name)))
    begins_otherwise = as_named[:1] != name[:1] and sorted(as_named[:2]) != sorted(name[:2])
    return errors + begins_otherwise


def errors_allowed(name: str) -> int:
    """How many typing errors still let this name be told from others: none below 4 letters, one below 6, two below 10, else three."""
    length = len(compact(name))
    return next((errors for below, errors in _ERRORS_BY_LENGTH if length < below), _ERRORS_MAX)


def _in_order(text: str, name: str) -> list[str]:
    """The words of ``text``, in the order of the words of ``name`` that they are most like; as they are if there are more or fewer."""
    words, names = text.split(), name.split()
    if len(words) != len(names) or words == names:
        return words
    left = list(words)
    ordered = []
    for other in names:
        nearest = min(left, key=partial(OSA.distance, other))
        left.remove(nearest)
        ordered.append(nearest)
    return ordered
