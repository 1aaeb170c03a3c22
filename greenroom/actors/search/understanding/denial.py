"""What is denied is never asked for: "not online", "except sundays", "no piano", "not in brooklyn".

1. A "not" denies what begins up to eight words behind it, if nothing but words like "want to do it on" stands between, and what is
   joined to that by an "or" (``negators``). A "but" does so right between two places: "in nyc but the bronx" (``denied_places``).
2. What is denied is turned around where its opposite can be asked for (``opposites``): the other of two, the other days and hours,
   another age, places and kinds of lessons to leave out. Where it can't, that is told.
3. Where it only need not be so ("doesn't have to be online", "online not required", "not only on sundays") nothing is asked for.
4. What no rule claims is denied as words (``denied_words``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from greenroom.actors.search.understanding.busy_times import BusyTimes
from greenroom.actors.search.understanding.claims import Claim, DeniedPlace, ExceptTimes
from greenroom.actors.search.understanding.denied_words import DeniedWords, denied_words
from greenroom.actors.search.understanding.filler import ALTERNATIVES, BETWEEN_NEGATION, DEGREES, NEGATORS
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.negators import is_excepting, is_said_needless, negator_before
from greenroom.actors.search.understanding.opposites import opposite_of
from greenroom.actors.search.understanding.service import Lexicon
from greenroom.actors.search.understanding.spoken_times import has_day, has_time
from greenroom.actors.search.understanding.words import word_set
from greenroom.schema.search.understood import PartKind, When

_PREPOSITIONS: Final = word_set("in on at after before from between for until by")
"""What begins with one of these behind an "and" is a wish of its own: "not on monday and after 5"."""


_NEEDLESS: Final = pattern(
    r"(?:(?:is|are|its|thats)_)?not_(?:strictly_|really_|absolutely_)?(?:required|necessary|needed|essential|mandatory|a_must)"
    r" | (?:isnt|arent)_(?:strictly_|really_|absolutely_)?(?:required|necessary|needed|essential|mandatory|a_must)"
)
"""Behind what only need not be so."""


@dataclass(frozen=True, slots=True)
class Heeded:
    """
    Attributes:
        claims: those that stand, in order, denied ones turned around.
        words: those that are denied and no claim has, in order.
    """

    claims: list[Claim]
    words: list[DeniedWords]


def heeded(line: Line, claims: Sequence[Claim], lexicon: Lexicon) -> Heeded:
    """Claims without what is denied, and the words that no claim has and that are denied."""
    kept: list[Claim] = []
    denied: list[Claim] = []
    busy = BusyTimes(line)
    needless = {first: after for _, first, after in line.find(_NEEDLESS)}
    for at, claim in enumerate(claims):
        if (extent := busy.extent(claim)) is not None:
            denied = [opposite_of(line, claim, extent[0], is_needless=False)]
            kept.append(replace(denied[0], after=extent[1]))
            continue
        if claim.kind not in (None, PartKind.DENIED) and _is_said_of(line, needless, claims, at):
            turned = opposite_of(line, claim, claim.first, is_needless=True)
            kept.append(replace(turned, after=needless[claim.after]))
            denied = []
            continue
        negator = None if claim.kind is PartKind.DENIED else negator_before(line, claim.first)
        if negator is not None and _is_day_after_quality(line, negator, claim):
            negator = None
        is_denied = negator is not None or (
            bool(denied)
            and (_continues(line, denied[-1], claim) or _lists_times(line, denied[-1], claims[at : at + 2]))
        )
        if not is_denied or claim.kind in (None, PartKind.DENIED):
            kept.append(claim)
            if claim.kind is not None or not is_denied:
                denied = [claim] if _lets_go_on(line, claim, denied) else []
            continue
        begin = claim.first if negator is None else negator
        turned = opposite_of(line, claim, begin, is_needless=_is_needless(line, begin, claim, denied))
        if isinstance(turned.meaning, ExceptTimes) and negator is None and denied[-1].kind is PartKind.WHEN:
            turned = replace(turned, meaning=replace(turned.meaning, goes_on=True))
        kept.append(turned)
        denied.append(turned)
    return Heeded(kept, list(denied_words(line, kept, lexicon)))


def _is_said_of(line: Line, needless: Mapping[int, int], claims: Sequence[Claim], at: int) -> bool:
    """Whether it stands right behind a claim that this one only need not be so: "online not required"."""
    begin = claims[at].after
    end = needless.get(begin)
    return (
        end is not None
        and not line.atoms[begin].is_broken_off
        and (at + 1 == len(claims) or end <= claims[at + 1].first)
        # "Online not required on sundays", "not needed before 5" go on.
        and (end == len(line.atoms) or line.atoms[end].is_broken_off or not line.atoms[end].is_word)
    )


def _lets_go_on(line: Line, claim: Claim, denied: Sequence[Claim]) -> bool:
    """Whether an "or" behind a place goes on denying: "not in brooklyn or on sundays", but "outside of brooklyn or online"."""
    if not isinstance(claim.meaning, DeniedPlace):
        return False
    is_not = line.key(claim.first) in NEGATORS and not is_excepting(line, claim.first)
    return is_not or (claim.meaning.goes_on and bool(denied))


def _continues(line: Line, denied: Claim, claim: Claim) -> bool:
    """Whether a claim is denied with the one before: "on saturday or sunday", "monday mornings"."""
    between = [line.key(at) for at in range(denied.after, claim.first)]
    is_alternative = any(key in ALTERNATIVES for key in between)
    if between in (["and"], ["&"]) and line.key(claim.first) not in _PREPOSITIONS:
        of_learners = {PartKind.AGE, PartKind.LEVEL}
        is_alike = {denied.kind, claim.kind} <= of_learners and line.key(denied.first) == "no"
        return is_alike or (denied.kind is claim.kind and claim.kind in of_learners | {PartKind.WHEN})
    is_time_of_day = (
        not between
        and isinstance(denied.meaning, ExceptTimes)
        and isinstance(claim.meaning, When)
        and not line.atoms[claim.first].is_broken_off
    )
    return is_time_of_day or (is_alternative and all(key in ALTERNATIVES | BETWEEN_NEGATION for key in between))


def _lists_times(line: Line, denied: Claim, following: Sequence[Claim]) -> bool:
    """Whether a day stands amid those of a list that are denied: the second of "not today, tomorrow or friday"."""
    match following:
        case [claim, last]:
            return (
                claim.kind is last.kind is denied.kind is PartKind.WHEN
                and denied.after == claim.first
                and line.atoms[claim.first].is_broken_off
                and line.key(claim.first) not in _PREPOSITIONS
                and [line.key(at) for at in range(claim.after, last.first)] in (["or"], ["nor"])
            )
        case _:
            return False


def _is_day_after_quality(line: Line, negator: int, claim: Claim) -> bool:
    """Whether a day is asked for, of which is said how it should be: "not too late tomorrow"."""
    is_of_days = isinstance(claim.meaning, When) and has_day(claim.meaning) and not has_time(claim.meaning)
    return is_of_days and any(line.key(at) in DEGREES for at in range(negator, claim.first))


def _is_needless(line: Line, begin: int, claim: Claim, denied: Sequence[Claim]) -> bool:
    goes_on = bool(denied) and denied[-1].meaning is None and begin == claim.first
    # A rule's piece may hold these words itself: "only on weekends", "online only".
    is_partly = any(line.key(at) in ("only", "just") for at in range(claim.first, claim.after))
    # Or stand behind it: "not adults only".
    is_partly = is_partly or (line.key(claim.after) == "only" and not line.atoms[claim.after].is_broken_off)
    return goes_on or is_partly or is_said_needless(line, begin, claim.first)
