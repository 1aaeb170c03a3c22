"""Numbers that no rule claimed: which of them belong to the lesson's name.

A number alone says nothing of a lesson: "piano for 2 kids" looks for no "2". It is a word of the lesson where it is a part of its name ("11 plus",
"16 bar blues", "3d printing", "algebra 2", "grade 5 piano"); elsewhere it counts what stands behind it, or it is told that it can't be heeded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from greenroom.actors.search.understanding.line import Atom, Line
from greenroom.actors.search.understanding.service import Lexicon
from greenroom.actors.search.understanding.words import word_set

_MEASURES: Final = word_set(
    "string strings bar bars hand hands part parts ball card key keys note notes plus step"
)
"""Before these a number is a part of the name, whatever the word names by itself: "12 string guitar"."""

_COUNTED_UP: Final = word_set("level grade stage part book unit")
"""Behind these it is a part too, though some say nothing by themselves: "level 2 french"."""

_NUMBERED: Final = frozenset({"school", "test-prep", "languages", "coding"})
"""Groups of lessons whose courses have numbers: "calculus 2", "spanish 101"."""


def is_bare_number(atom: Atom) -> bool:
    """Whether it is a number in digits, and nothing else."""
    return atom.key.replace(".", "", 1).isdigit() and atom.words[0].text[0].isdigit()


def loose_numbers(line: Line, telling: Sequence[int], named: Collection[int], lexicon: Lexicon) -> set[int]:
    """Those of the words left for the lesson that are numbers and belong to none of the others.

    Args:
        telling: atoms left for the lesson, in order.
        named: those of them that are names of lessons.
    """
    numbers = [at for at in telling if at not in named and is_bare_number(line.atoms[at])]
    if not numbers:
        return set()
    words = set(telling).difference(numbers)
    return {at for at in numbers if not _belongs(line, at, words, named, lexicon)}


def _belongs(line: Line, at: int, words: Collection[int], named: Collection[int], lexicon: Lexicon) -> bool:
    atoms, before, behind = line.atoms, at - 1, at + 1
    if (behind < len(atoms) and atoms[behind].words[0].is_glued) or (at and atoms[at].words[0].is_glued):
        return True
    if (
        behind in words
        and not atoms[behind].is_broken_off
        and (behind not in named or line.key(behind) in _MEASURES)
    ):
        return True
    if line.key(before) in _COUNTED_UP and not atoms[at].is_broken_off:
        return True
    if before not in words or atoms[at].is_broken_off:
        return False
    return before not in named or _is_of_numbered_courses(line.key(before), lexicon)


def _is_of_numbered_courses(name: str, lexicon: Lexicon) -> bool:
    meanings = lexicon.meanings((name,))
    return meanings is None or any(lexicon.taxonomy.kinds[slug].group in _NUMBERED for slug, _ in meanings)
