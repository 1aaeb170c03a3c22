"""Whom a lesson is for and nobody else, and by whom it is given.

1. Lessons tell ages. So "adults only" is a bound on whom they are for, as hard as any: nobody else may come, and what tells no ages is
   for anybody. Children are meant by "kids only" from the youngest on up to who is of age: nobody has a class from seven to twelve
   left out for who is thirteen.
2. Of a single learner ("only for my 8 year old") it can't be asked, which is told: no lesson is for eight years alone.
3. No lesson tells of the rest ("women only", "only for girls", "female teacher"). Nothing can be searched for by it, which is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from greenroom.actors.search.understanding.age import ADULT_FROM, KIDS
from greenroom.actors.search.understanding.claims import Ages, Claim, ExceptAges, Untold, covers
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.words import word_set
from greenroom.schema.search.understood import AgeBounds, NoticeKind, PartKind

EXCLUSIVE: Final = word_set("only exclusively strictly")
_OF_ONE: Final = word_set("my our a an his her their")
"""Words before a learner, not before an audience."""

_COMING: Final = word_set("allowed admitted permitted")

_CHILD_FREE: Final = pattern(r"(?:child|kid)_free")

_SEX: Final = r"(?: wom[ae]n | womens | ladys? | ladies | girls? | females? | m[ae]n | mens | boys? | males? | gentlem[ae]n )"
_TEACHER: Final = r"(?: teachers? | tutors? | instructors? | coach(?:es)? | trainers? )"
_UNTOLD: Final = (
    pattern(rf"(?:for_)?{_SEX}(?:_(?:and|or)_{_SEX})?_(?:only|exclusively)"),
    pattern(
        rf"(?:only|just|exclusively)_(?:for_)?{_SEX} | (?:all|same)_(?:-_)?(?:female|male|girls?|boys?|women|sex)"
    ),
    pattern(rf"(?:an?_|by_an?_)?(?:female|male|woman|lady|women)_{_TEACHER}(?:_only)?"),
    # "Female piano teacher": the words between are the lesson.
    pattern(rf"(?:an?_)?(?:female|male)(?=(?:_[a-z]+){{1,3}}_{_TEACHER}(?!\S))"),
)


def audience_claims(line: Line) -> Iterator[Claim]:
    """Every piece that says so by itself."""
    adults = AgeBounds(ADULT_FROM, None)
    for _, first, after in line.find(_CHILD_FREE):
        meaning = Ages(adults, is_exact=False, is_only=True, limits=adults)
        yield Claim(PartKind.AGE, first, after, meaning, 12)
    for rule in _UNTOLD:
        for _, first, after in line.find(rule):
            yield Claim(None, first, after, Untold(NoticeKind.NOT_HEEDED), 12)


def with_only(line: Line, claims: Sequence[Claim]) -> Iterator[Claim]:
    """The claims, those of ages with the word beside them that would have it be for nobody else: "adults only", "strictly for adults",
    "no kids allowed"."""
    for claim in claims:
        ages = claim.meaning
        if isinstance(ages, ExceptAges) and line.key(claim.after) in _COMING:
            yield replace(claim, after=claim.after + 1, meaning=replace(ages, is_only=True))
            continue
        if not isinstance(ages, Ages) or ages.is_only:
            yield claim
            continue
        is_before = line.key(claim.first - 1) in EXCLUSIVE and not covers(claims, claim.first - 1)
        is_before = is_before and not line.atoms[claim.first].is_broken_off
        is_just = (line.key(claim.first - 1), line.key(claim.first)) == ("just", "for")
        is_behind = line.key(claim.after) in EXCLUSIVE and not line.atoms[claim.after].is_broken_off
        # "For kids only on saturdays" may be said of the day, "kids only on saturdays" is said of kids.
        is_anothers = covers(claims, claim.after)
        is_behind = is_behind and not (is_anothers and line.key(claim.first) == "for")
        if not (is_before or is_just or is_behind):
            yield claim
            continue
        limits = None if _is_of_one(line, claim, ages.bounds) else _limits(ages)
        if is_just and limits is None:
            # "Just for my son" says no more than "for my son".
            yield claim
            continue
        yield replace(
            claim,
            first=claim.first - (is_before or is_just),
            after=claim.after + (is_behind and not is_anothers),
            meaning=replace(ages, is_only=True, limits=limits),
        )


def _is_of_one(line: Line, claim: Claim, bounds: AgeBounds) -> bool:
    is_called_so = any(line.key(at) in _OF_ONE for at in range(claim.first, claim.after))
    return is_called_so or bounds.min_years == bounds.max_years or bounds.are_together


def _limits(ages: Ages) -> AgeBounds:
    return AgeBounds(0, ADULT_FROM - 1) if ages.bounds == KIDS and not ages.is_exact else ages.bounds
