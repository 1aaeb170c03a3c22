"""Places where it must not be: "not in brooklyn", "in queens except astoria", "outside of london", "brooklyn is too far"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from greenroom.actors.search.understanding.claims import Claim, DeniedPlace, PlaceWords
from greenroom.actors.search.understanding.filler import (
    ALTERNATIVES,
    BETWEEN_NEGATION,
    FILLER,
    PLACE_NEGATORS,
    SOFT_FILLER,
)
from greenroom.actors.search.understanding.line import Line, pattern
from greenroom.actors.search.understanding.negators import is_excepting, is_said_needless, negator_before
from greenroom.actors.search.understanding.service import Lexicon
from greenroom.schema.search.understood import PartKind

UNKNOWN_WORDS_MAX: Final = 3
"""Of a place in a list that nobody knows; more are a sentence."""

_ANDS: Final = (["and"], ["&"], ["/"])

_COMPLAINT: Final = pattern(
    r"(?:(?:is|are|was|its|thats|would_be|seems|sounds|feels)_)? (?:(?:just|really|simply|all|way|a_bit|a_little|much|far|for_me)_){0,3} too_"
    r"(?: far | distant | remote | expensive | pricey | dear | crowded | busy | noisy | loud | hectic | dangerous | unsafe | long | much )"
    r"(?: _(?: away | out | off | to_(?:go|get_to|travel(?:_to)?|commute|reach) | a_(?:commute|journey|trip|trek|drive|ride)"
    r" | (?:for|from)_(?:me|us|here|my_(?:place|home|house)) ) ){0,2}"
    r" | (?:(?:does|do|will|would|is|are)_not | doesnt | dont | wont | wouldnt | isnt | arent | cant | cannot)_"
    r"(?: work | do | suit | possible | an_option | feasible | convenient | practical | reachable ) (?: _for_(?:me|us) | _(?:me|us) )?"
    r" | (?:is|are)_(?: no_(?:good|use|option|go) | out_of_(?:the_question|reach|my_way|the_way) | impossible | inconvenient ) (?: _for_(?:me|us) )?"
)
"""What is said of a place, behind it, where it must not be there."""


def without_denied_places(
    line: Line, placed: Iterable[Claim], taken: Sequence[bool], lexicon: Lexicon
) -> Iterator[Claim]:
    """Claims of places; those that are denied turned around, and what such a list has that is no known place."""
    last: Claim | None = None
    are_exceptions = False
    wanted: Claim | None = None
    claims = tuple(placed)
    begins = frozenset(claim.first for claim in claims)
    complaints = _complaints(line, claims, taken)
    for claim in claims:
        words = claim.meaning
        if not isinstance(words, PlaceWords):
            yield claim
            continue
        if claim in complaints:
            yield complaints[claim]
            continue
        negator = negator_before(line, claim.first, further=PLACE_NEGATORS)
        if negator is None and wanted is not None and _is_but_between(line, wanted, claim, words):
            negator = wanted.after
        if negator is not None and taken[negator]:
            negator = None
        if (
            words.is_outside
            or negator is not None
            or (last is not None and _lists_on(line, last, claim, words, are_exceptions=are_exceptions))
        ):
            begin = claim.first if negator is None else negator
            is_needless = negator is not None and is_said_needless(line, begin, claim.first + 1)
            goes_on = negator is None and not words.is_outside
            are_exceptions = (goes_on and are_exceptions) or is_excepting(line, begin)
            if is_needless:
                last = Claim(None, begin, claim.after, None, 20, settles=PartKind.PLACE)
            else:
                meaning = DeniedPlace(words.text, goes_on=goes_on)
                last = Claim(PartKind.DENIED, begin, claim.after, meaning, 20)
            yield last
            while not is_needless:
                further = _unknown_after(line, last.after, begins, taken, lexicon, are_exceptions=are_exceptions)
                if further is None:
                    break
                last = further
                yield last
        else:
            last, wanted = None, claim
            yield claim


def _complaints(line: Line, placed: Sequence[Claim], taken: Sequence[bool]) -> dict[Claim, Claim]:
    """The places of which a complaint is made right behind them, turned around: "brooklyn is too far", "queens or harlem won't work"."""
    found: dict[Claim, Claim] = {}
    for _, first, after in line.find(_COMPLAINT):
        at = next((at for at, claim in enumerate(placed) if claim.after == first), None)
        if at is None or any(taken[first:after]) or not _may_be_complained_of(line, placed[at]):
            continue
        # Of "queens and brooklyn is too far" only the second is; "are" is said of both.
        joining = (
            *(["or"], ["nor"], ["/"]),
            *((["and"], ["&"]) if line.key(first) in ("are", "arent", "dont") else ()),
        )
        begin = at
        while (
            begin > 0
            and [line.key(i) for i in range(placed[begin - 1].after, placed[begin].first)] in joining
            and _may_be_complained_of(line, placed[begin - 1])
        ):
            begin -= 1
        for number in range(begin, at + 1):
            claim = placed[number]
            words = claim.meaning
            if isinstance(words, PlaceWords):
                end = after if number == at else claim.after
                meaning = DeniedPlace(words.text, goes_on=number > begin)
                found[claim] = Claim(PartKind.DENIED, claim.first, end, meaning, 20)
    return found


def _may_be_complained_of(line: Line, claim: Claim) -> bool:
    """Whether a complaint is of the place itself, and not of what is far from it: "too far from astoria is no good"."""
    words = claim.meaning
    is_from_there = line.key(claim.first - 1) in ("from", "to", "of")
    return isinstance(words, PlaceWords) and not (words.is_near or words.is_outside or is_from_there)


def _unknown_after(
    line: Line,
    at: int,
    begins: frozenset[int],
    taken: Sequence[bool],
    lexicon: Lexicon,
    *,
    are_exceptions: bool,
) -> Claim | None:
    """What is denied with the place that ends at an atom and is no known place: "not in brooklyn or zanzibar".

    Behind a comma only if the list goes on behind it: in "not in brooklyn, kizomba" the second may be a lesson.
    """
    joined = line.key(at)
    is_listed = not (joined in ALTERNATIVES or (are_exceptions and joined in ("and", "&", "/")))
    first = at if is_listed else at + 1
    if is_listed and not (first < len(line.atoms) and line.atoms[first].is_broken_off):
        return None
    while line.key(first) in ("in", "at", "the") and first not in begins:
        first += 1
    end = first
    while (
        end < min(len(line.atoms), first + UNKNOWN_WORDS_MAX)
        and line.atoms[end].is_word
        and end not in begins
        and not taken[end]
        and line.key(end) not in FILLER
        and line.key(end) not in SOFT_FILLER
        and not (end > first and line.atoms[end].is_broken_off)
    ):
        end += 1
    phrase = next(lexicon.phrases([line.key(index) for index in range(first, end)]), None)
    if phrase is not None:
        end = first + phrase.first
    goes_on = line.key(end) in ("and", "or", "nor", "&", "/") and not taken[end]
    if end == first or line.key(first)[0].isdigit() or (is_listed and not goes_on):
        return None
    text = " ".join(line.atoms[index].text for index in range(first, end))
    return Claim(PartKind.DENIED, first, end, DeniedPlace(text, goes_on=True), 20)


def _lists_on(line: Line, denied: Claim, claim: Claim, words: PlaceWords, *, are_exceptions: bool) -> bool:
    """Whether a place is denied with the one before: "brooklyn or queens", "brooklyn, queens"; but "not soho and in queens".

    ``are_exceptions``: see :func:`is_excepting`.
    """
    between = [line.key(at) for at in range(denied.after, claim.first)]
    if not between or between in _ANDS:
        return not words.is_led_to or (bool(between) and are_exceptions)
    return any(key in ALTERNATIVES for key in between) and all(
        key in ALTERNATIVES | BETWEEN_NEGATION for key in between
    )


def _is_but_between(line: Line, wanted: Claim, claim: Claim, words: PlaceWords) -> bool:
    """Whether nothing but a "but" stands between two places, which doesn't lead to the second as another wish: "but in queens"."""
    is_of_anywhere = line.key(wanted.first) in ("anywhere", "everywhere")
    return (
        wanted.after + 1 == claim.first
        and line.key(wanted.after) == "but"
        and (not words.is_led_to or is_of_anywhere)
        and line.key(claim.after) != "only"
    )
