"""What is asked for instead of what is denied: of "not online" a lesson in person, of "not for kids" one for others."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from greenroom.actors.search.understanding.claims import Ages, Claim, ExceptAges, ExceptLevels, ExceptTimes, Untold
from greenroom.actors.search.understanding.line import Line
from greenroom.actors.search.understanding.words import word_set
from greenroom.schema.search.understood import NoticeKind, PriceBounds, When


def opposite_of(line: Line, claim: Claim, begin: int, *, is_needless: bool) -> Claim:
    """What denying something asks for instead; of what can't be turned around, a claim that says so."""
    if is_needless:
        return _of_nothing(claim, begin, None)
    if any(line.key(at) == "too" for at in range(begin, claim.first)):
        # "Not too early in the morning": how early that is nobody said.
        return _of_nothing(claim, begin, Untold(NoticeKind.NOT_HEEDED))
    match claim.meaning:
        case False if not _is_meeting(line, claim):
            # "Not at the teacher's place": somewhere else, which need not be online, and lessons don't tell whose place it is.
            return replace(claim, kind=None, first=begin, meaning=Untold(NoticeKind.NOT_HEEDED))
        case bool(is_online):
            return replace(claim, first=begin, meaning=not is_online)
        case frozenset(levels):
            return replace(claim, first=begin, meaning=ExceptLevels(levels))
        case Ages(bounds, is_exact):
            return replace(claim, first=begin, meaning=ExceptAges(bounds, is_exact))
        case PriceBounds(low, high, unit, currency) if (low is None or high is None) and not _is_plain(
            line, claim
        ):
            return replace(claim, first=begin, meaning=PriceBounds(high, low, unit, currency))
        case When() as when:
            return replace(claim, first=begin, meaning=ExceptTimes((when,)))
        case (When(), *_) as times:
            return replace(claim, first=begin, meaning=ExceptTimes(tuple(times)))
        case _:
            return _of_nothing(claim, begin, Untold(NoticeKind.NOT_HEEDED))


def _of_nothing(claim: Claim, begin: int, meaning: Untold | None) -> Claim:
    return replace(claim, kind=None, first=begin, meaning=meaning, settles=claim.kind)


_MEETING: Final = word_set("person inperson face f2f ftf irl life offline flesh physically")


def _is_meeting(line: Line, claim: Claim) -> bool:
    """Whether it says that one meets at all, other than at whose place."""
    return any(line.key(at) in _MEETING for at in range(claim.first, claim.after))


def _is_plain(line: Line, claim: Claim) -> bool:
    """Whether a price is no bound in its own words: of "not $50" nobody knows if less or more is wanted."""
    return all(not line.key(at).isalpha() for at in range(claim.first, claim.after))
