"""What is denied is never asked for: "not online", "except sundays", "no piano", "not in brooklyn".

1. A "not" denies what begins up to eight words behind it, if nothing but words like "want to do it on" stands between, and what is
   joined to that by an "or".
2. What is denied is turned around where its opposite can be asked for: the other of two, the other days and hours, another age,
   places and kinds of lessons to leave out. Where it can't, that is told.
3. Where it only need not be so ("doesn't have to be online", "not only on sundays") nothing is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from greenroom.actors.search.understanding.claims import (
    Ages,
    Claim,
    DeniedPlace,
    ExceptAges,
    ExceptLevels,
    ExceptTimes,
    PlaceWords,
    Untold,
)
from greenroom.actors.search.understanding.daytime import DAY_WORDS
from greenroom.actors.search.understanding.filler import (
    ALTERNATIVES,
    BETWEEN_NEGATION,
    FILLER,
    NEED_NOT,
    NEGATED_VERBS,
    NEGATOR_PAIRS,
    NEGATORS,
    POLITE,
    VERB_NEGATORS,
    WISHES,
)
from greenroom.actors.search.understanding.line import Atom, Line
from greenroom.actors.search.understanding.service import Lexicon, Meanings
from greenroom.schema.search.understood import NoticeKind, PartKind, PriceBounds, When

WORDS_BETWEEN_MAX: Final = 8
"""Between "not" and what it denies."""

WORDS_DENIED_MAX: Final = 3
"""Of a lesson's name; longer ones are sentences."""


@dataclass(frozen=True, slots=True)
class Heeded:
    """
    Attributes:
        claims: those that stand, in order, denied ones turned around.
        words: for each atom, whether it is a word of a lesson that is denied.
    """

    claims: list[Claim]
    words: list[bool]


def heeded(line: Line, claims: Sequence[Claim]) -> Heeded:
    """Claims without what is denied, and the words that no claim has and that are denied."""
    kept: list[Claim] = []
    denied: list[Claim] = []
    for claim in claims:
        negator = None if claim.kind is PartKind.DENIED else _negator_before(line, claim.first)
        is_denied = negator is not None or (bool(denied) and _continues(line, denied[-1], claim))
        if not is_denied or claim.kind in (None, PartKind.DENIED):
            kept.append(claim)
            if claim.kind is not None or not is_denied:
                denied = []
            continue
        begin = claim.first if negator is None else negator
        kept.append(_turned_around(line, claim, begin, is_needless=_is_needless(line, begin, claim, denied)))
        denied.append(kept[-1])
    words = [False] * len(line.atoms)
    for at, atom in enumerate(line.atoms):
        if words[at] or covers(kept, at):
            continue
        if atom.key in NEGATORS:
            _deny_words_after(line, at, at + 1, kept, words)
        elif (atom.key, line.key(at + 1)) in NEGATOR_PAIRS and not covers(kept, at + 1):
            _deny_words_after(line, at, at + 2, kept, words)
    return Heeded(kept, words)


def without_denied_places(line: Line, placed: Iterable[Claim], taken: Sequence[bool]) -> Iterator[Claim]:
    """Claims of places; those that are denied turned around."""
    last: Claim | None = None
    for claim in placed:
        words = claim.meaning
        if not isinstance(words, PlaceWords):
            yield claim
            continue
        negator = _negator_before(line, claim.first)
        if negator is not None and taken[negator]:
            negator = None
        if words.is_outside or negator is not None or (last is not None and _lists_on(line, last, claim, words)):
            begin = claim.first if negator is None else negator
            is_needless = negator is not None and _said_needless(line, begin, claim.first + 1)
            meaning = None if is_needless else DeniedPlace(words.text)
            last = Claim(None if is_needless else PartKind.DENIED, begin, claim.after, meaning, 20)
            yield last
        else:
            last = None
            yield claim


def denied_kinds(line: Line, words: Sequence[bool], lexicon: Lexicon) -> tuple[Meanings, set[int]]:
    """Kinds of lessons that are denied by name, and the atoms that name them."""
    meant: dict[str, float] = {}
    atoms: set[int] = set()
    for run in marked_runs(words):
        told = [at for at in run if line.atoms[at].is_word]
        for phrase in lexicon.phrases([line.key(at) for at in told]):
            atoms.update(told[phrase.first : phrase.after])
            for slug, weight in phrase.meanings:
                meant[slug] = max(weight, meant.get(slug, 0.0))
    return tuple(meant.items()), atoms


def unheeded_words(line: Line, words: Sequence[bool], naming: set[int]) -> Iterator[range]:
    """Denied words that name no kind of lesson, and are more than politeness: "no homework", but not "no pressure"."""
    for run in marked_runs(words):
        if naming.isdisjoint(run) and not any(line.key(at) in POLITE for at in run):
            yield run


def covers(claims: Iterable[Claim], at: int) -> bool:
    return any(claim.first <= at < claim.after for claim in claims)


def marked_runs(marked: Sequence[bool]) -> Iterator[range]:
    """Neighbours that are marked."""
    first = 0
    for at in range(1, len(marked) + 1):
        if at == len(marked) or marked[at] != marked[first]:
            if marked[first]:
                yield range(first, at)
            first = at


def _negator_before(line: Line, first: int) -> int | None:
    """The "not" that denies what begins at an atom."""
    at = first - 1
    while at >= 0 and at >= first - 1 - WORDS_BETWEEN_MAX:
        if (line.key(at - 1), line.key(at)) in NEGATOR_PAIRS:
            return at - 1
        if line.key(at) in NEGATORS or (line.key(at) == "but" and line.key(at - 1) in DAY_WORDS):
            return at
        if line.key(at) not in BETWEEN_NEGATION or line.atoms[at + 1].is_broken_off:
            return None
        at -= 1
    return None


def _continues(line: Line, denied: Claim, claim: Claim) -> bool:
    """Whether a claim is denied with the one before: "on saturday or sunday", "monday mornings"."""
    between = [line.key(at) for at in range(denied.after, claim.first)]
    is_alternative = any(key in ALTERNATIVES for key in between)
    is_time_of_day = (
        not between
        and isinstance(denied.meaning, ExceptTimes)
        and isinstance(claim.meaning, When)
        and not line.atoms[claim.first].is_broken_off
    )
    return is_time_of_day or (is_alternative and all(key in ALTERNATIVES | BETWEEN_NEGATION for key in between))


def _lists_on(line: Line, denied: Claim, claim: Claim, words: PlaceWords) -> bool:
    """Whether a place is denied with the one before: "brooklyn or queens", "brooklyn, queens"; but "not soho and in queens"."""
    between = [line.key(at) for at in range(denied.after, claim.first)]
    if not between or between in (["&"], ["/"], ["and"]):
        return not words.is_led_to
    return any(key in ALTERNATIVES for key in between) and all(
        key in ALTERNATIVES | BETWEEN_NEGATION for key in between
    )


def _is_needless(line: Line, begin: int, claim: Claim, denied: Sequence[Claim]) -> bool:
    goes_on = bool(denied) and denied[-1].meaning is None and begin == claim.first
    # A rule's piece may hold these words itself: "only on weekends", "online only".
    is_partly = any(line.key(at) in ("only", "just") for at in range(claim.first, claim.after))
    return goes_on or is_partly or _said_needless(line, begin, claim.first)


def _said_needless(line: Line, begin: int, first: int) -> bool:
    """Whether it only need not be so: "not just", "doesn't have to be"."""
    return any(line.key(at) in NEED_NOT for at in range(begin, first))


def _turned_around(line: Line, claim: Claim, begin: int, *, is_needless: bool) -> Claim:
    """What denying something asks for instead; of what can't be turned around, a claim that says so."""
    if is_needless:
        return replace(claim, kind=None, first=begin, meaning=None)
    if any(line.key(at) == "too" for at in range(begin, claim.first)):
        # "Not too early in the morning": how early that is nobody said.
        return replace(claim, kind=None, first=begin, meaning=Untold(NoticeKind.NOT_HEEDED))
    match claim.meaning:
        case bool(is_online):
            return replace(claim, first=begin, meaning=not is_online)
        case frozenset(levels):
            return replace(claim, first=begin, meaning=ExceptLevels(levels))
        case Ages(bounds, is_exact):
            return replace(claim, first=begin, meaning=ExceptAges(bounds, is_exact))
        case PriceBounds(low, high, unit, currency) if low is None or high is None:
            return replace(claim, first=begin, meaning=PriceBounds(high, low, unit, currency))
        case When(relative=None, on=None) as when:
            return replace(claim, first=begin, meaning=ExceptTimes(when))
        case _:
            return replace(claim, kind=None, first=begin, meaning=Untold(NoticeKind.NOT_HEEDED))


def _deny_words_after(line: Line, negator: int, at: int, kept: list[Claim], words: list[bool]) -> None:
    """Deny the words of a lesson from an atom after a "not" on: "guitar, not bass". Up to a break or a word without meaning."""
    begin = at
    while at < len(line.atoms) and line.key(at) in BETWEEN_NEGATION:
        at += 1
    if not _denies_words(line, negator, line.atoms[begin:at]):
        return
    end = _end_of_denied(line, at, begin, kept)
    while (
        end > at
        and line.key(end) in ALTERNATIVES
        and (further := _end_of_denied(line, end + 1, begin, kept)) > end + 1
    ):
        end = further
    if end > at:
        words[negator:end] = [True] * (end - negator)


def _denies_words(line: Line, negator: int, between: Sequence[Atom]) -> bool:
    """Not so "I can't swim", where the lesson is just what is named; but "don't want swimming"."""
    is_of_a_verb = line.key(negator) in VERB_NEGATORS or (
        line.key(negator) == "not" and line.key(negator - 1) in NEGATED_VERBS
    )
    return not is_of_a_verb or any(atom.key in WISHES for atom in between)


def _end_of_denied(line: Line, at: int, begin: int, kept: list[Claim]) -> int:
    end = at
    while end < len(line.atoms) and end < at + WORDS_DENIED_MAX and not covers(kept, end):
        if (
            line.key(end) in FILLER
            or not line.atoms[end].is_word
            or (end > begin and line.atoms[end].is_broken_off)
        ):
            break
        end += 1
    return end
