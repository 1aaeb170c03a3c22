"""Where a "not" stands, and what it may reach."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from greenroom.actors.search.understanding.daytime import DAY_WORDS
from greenroom.actors.search.understanding.filler import (
    BETWEEN_NEGATION,
    EXCEPTING,
    NEED_NOT,
    NEGATOR_PAIRS,
    NEGATORS,
)
from greenroom.actors.search.understanding.line import Line

WORDS_BETWEEN_MAX: Final = 8
"""Between "not" and what it denies."""


def negator_before(line: Line, first: int, *, further: Collection[str] = ()) -> int | None:
    """The "not" that denies what begins at an atom; ``further`` are words that deny it too."""
    at = first - 1
    while at >= 0 and at >= first - 1 - WORDS_BETWEEN_MAX:
        if (line.key(at - 1), line.key(at)) in NEGATOR_PAIRS:
            return at - 1
        if is_negator(line, at) or line.key(at) in further:
            return at
        if line.key(at) == "but" and line.key(at - 1) in DAY_WORDS:
            return at
        if line.key(at) not in BETWEEN_NEGATION or line.atoms[at + 1].is_broken_off:
            return None
        at -= 1
    return None


def is_negator(line: Line, at: int) -> bool:
    """Whether a word denies what follows: not the one of "why not salsa", nor of "nothing but piano"."""
    is_asking = line.key(at - 1) == "why" or (line.key(at), line.key(at + 1)) == ("nothing", "but")
    return line.key(at) in NEGATORS and not is_asking


def is_excepting(line: Line, negator: int) -> bool:
    """Whether the denial that begins at an atom takes something out of a whole: "except", "apart from", "anywhere but"."""
    pair = (line.key(negator), line.key(negator + 1))
    return pair[1] != "not" and (pair[0] in EXCEPTING or pair in NEGATOR_PAIRS)


def is_said_needless(line: Line, begin: int, first: int) -> bool:
    """Whether it only need not be so: "not just", "doesn't have to be"."""
    return any(line.key(at) in NEED_NOT for at in range(begin, first))
