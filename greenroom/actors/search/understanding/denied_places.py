"""Places where it must not be: "not in brooklyn", "in queens except astoria", "outside of london"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from greenroom.actors.search.understanding.claims import Claim, DeniedPlace, PlaceWords
from greenroom.actors.search.understanding.filler import ALTERNATIVES, BETWEEN_NEGATION
from greenroom.actors.search.understanding.line import Line
from greenroom.actors.search.understanding.negators import is_excepting, is_said_needless, negator_before
from greenroom.schema.search.understood import PartKind


def without_denied_places(line: Line, placed: Iterable[Claim], taken: Sequence[bool]) -> Iterator[Claim]:
    """Claims of places; those that are denied turned around."""
    last: Claim | None = None
    are_exceptions = False
    wanted: Claim | None = None
    for claim in placed:
        words = claim.meaning
        if not isinstance(words, PlaceWords):
            yield claim
            continue
        negator = negator_before(line, claim.first)
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
            meaning = None if is_needless else DeniedPlace(words.text, goes_on=goes_on)
            last = Claim(None if is_needless else PartKind.DENIED, begin, claim.after, meaning, 20)
            yield last
        else:
            last, wanted = None, claim
            yield claim


def _lists_on(line: Line, denied: Claim, claim: Claim, words: PlaceWords, *, are_exceptions: bool) -> bool:
    """Whether a place is denied with the one before: "brooklyn or queens", "brooklyn, queens"; but "not soho and in queens".

    ``are_exceptions``: see :func:`is_excepting`.
    """
    between = [line.key(at) for at in range(denied.after, claim.first)]
    if not between or between in (["&"], ["/"], ["and"]):
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
