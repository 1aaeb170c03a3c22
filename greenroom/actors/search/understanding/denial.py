"""What is denied is never asked for: "not online", "except sundays", "no piano", "not in brooklyn".

1. A "not" denies what begins up to eight words behind it, if nothing but words like "want to do it on" stands between, and what is
   joined to that by an "or". A "but" does so right between two places: "in nyc but the bronx".
2. What is denied is turned around where its opposite can be asked for: the other of two, the other days and hours, another age,
   places and kinds of lessons to leave out. Where it can't, that is told.
3. Where it only need not be so ("doesn't have to be online", "not only on sundays") nothing is asked for.
4. Kinds of lessons are denied where one of their names, as it is and not one letter off, stands right behind the "not" ("no more piano").
   Of other words it is they that are denied, which is told, and not what follows: "no vegetarians cooking" asks for cooking.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
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
    BETWEEN_LESSON,
    BETWEEN_NEGATION,
    DEGREES,
    EXCEPTING,
    FILLER,
    NEED_NOT,
    NEGATED_VERBS,
    NEGATOR_PAIRS,
    NEGATORS,
    POLITE,
    SOFT_FILLER,
    VERB_NEGATORS,
    WISHES,
)
from greenroom.actors.search.understanding.line import Line
from greenroom.actors.search.understanding.service import Lexicon, Meanings, Phrase
from greenroom.actors.search.understanding.words import word_set
from greenroom.schema.search.understood import NoticeKind, PartKind, PriceBounds, When

WORDS_BETWEEN_MAX: Final = 8
"""Between "not" and what it denies."""

WORDS_DENIED_MAX: Final = 3
"""That name no kind of lesson; more are a sentence."""

_PREPOSITIONS: Final = word_set("in on at after before from between for until by")
"""What begins with one of these behind an "and" is a wish of its own: "not on monday and after 5"."""


@dataclass(frozen=True, slots=True)
class DeniedWords:
    """Neighbouring words that no claim has, with the "not" before them.

    Attributes:
        kinds: what they name; empty for no kind of lesson.
        is_polite: they say nothing, and nothing is to be told of them: "no rush", "not too fast".
    """

    first: int
    after: int
    kinds: Meanings = ()
    is_polite: bool = False


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
    for claim in claims:
        negator = None if claim.kind is PartKind.DENIED else _negator_before(line, claim.first)
        is_denied = negator is not None or (bool(denied) and _continues(line, denied[-1], claim))
        if not is_denied or claim.kind in (None, PartKind.DENIED):
            kept.append(claim)
            if claim.kind is not None or not is_denied:
                denied = []
            continue
        begin = claim.first if negator is None else negator
        turned = _turned_around(line, claim, begin, is_needless=_is_needless(line, begin, claim, denied))
        if isinstance(turned.meaning, ExceptTimes) and negator is None and denied[-1].after == claim.first:
            turned = replace(turned, meaning=replace(turned.meaning, goes_on=True))
        kept.append(turned)
        denied.append(turned)
    reading = _Words(line, kept, lexicon)
    words: list[DeniedWords] = []
    for at in range(len(line.atoms)):
        if (words and at < words[-1].after) or covers(kept, at):
            continue
        if (line.key(at), line.key(at + 1)) in NEGATOR_PAIRS and not covers(kept, at + 1):
            words.extend(reading.denied_after(at, at + 2))
        elif _is_negator(line, at):
            words.extend(reading.denied_after(at, at + 1))
    return Heeded(kept, words)


def without_denied_places(line: Line, placed: Iterable[Claim], taken: Sequence[bool]) -> Iterator[Claim]:
    """Claims of places; those that are denied turned around."""
    last: Claim | None = None
    is_excepting = False
    wanted: Claim | None = None
    for claim in placed:
        words = claim.meaning
        if not isinstance(words, PlaceWords):
            yield claim
            continue
        negator = _negator_before(line, claim.first)
        if negator is None and wanted is not None and _is_but_between(line, wanted, claim, words):
            negator = wanted.after
        if negator is not None and taken[negator]:
            negator = None
        if (
            words.is_outside
            or negator is not None
            or (last is not None and _lists_on(line, last, claim, words, is_excepting=is_excepting))
        ):
            begin = claim.first if negator is None else negator
            is_needless = negator is not None and _said_needless(line, begin, claim.first + 1)
            goes_on = negator is None and not words.is_outside
            is_excepting = (goes_on and is_excepting) or _is_excepting(line, begin)
            meaning = None if is_needless else DeniedPlace(words.text, goes_on=goes_on)
            last = Claim(None if is_needless else PartKind.DENIED, begin, claim.after, meaning, 20)
            yield last
        else:
            last, wanted = None, claim
            yield claim


def denied_kinds(words: Sequence[DeniedWords]) -> Meanings:
    """Kinds of lessons that are denied by name."""
    meant: dict[str, float] = {}
    for slug, weight in (meaning for denied in words for meaning in denied.kinds):
        meant[slug] = max(weight, meant.get(slug, 0.0))
    return tuple(meant.items())


def covers(claims: Iterable[Claim], at: int) -> bool:
    return any(claim.first <= at < claim.after for claim in claims)


def _negator_before(line: Line, first: int) -> int | None:
    """The "not" that denies what begins at an atom."""
    at = first - 1
    while at >= 0 and at >= first - 1 - WORDS_BETWEEN_MAX:
        if (line.key(at - 1), line.key(at)) in NEGATOR_PAIRS:
            return at - 1
        if _is_negator(line, at) or (line.key(at) == "but" and line.key(at - 1) in DAY_WORDS):
            return at
        if line.key(at) not in BETWEEN_NEGATION or line.atoms[at + 1].is_broken_off:
            return None
        at -= 1
    return None


def _is_negator(line: Line, at: int) -> bool:
    """Whether a word denies what follows: not the one of "why not salsa", nor of "nothing but piano"."""
    is_asking = line.key(at - 1) == "why" or (line.key(at), line.key(at + 1)) == ("nothing", "but")
    return line.key(at) in NEGATORS and not is_asking


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


def _lists_on(line: Line, denied: Claim, claim: Claim, words: PlaceWords, *, is_excepting: bool) -> bool:
    """Whether a place is denied with the one before: "brooklyn or queens", "brooklyn, queens"; but "not soho and in queens".

    ``is_excepting``: see :func:`_is_excepting`.
    """
    between = [line.key(at) for at in range(denied.after, claim.first)]
    if not between or between in (["&"], ["/"], ["and"]):
        return not words.is_led_to or (bool(between) and is_excepting)
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


def _is_excepting(line: Line, negator: int) -> bool:
    """Whether the denial that begins at an atom takes something out of a whole: "except", "apart from", "anywhere but"."""
    pair = (line.key(negator), line.key(negator + 1))
    return pair[1] != "not" and (pair[0] in EXCEPTING or pair in NEGATOR_PAIRS)


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


class _Words:
    """The words of a sentence that no claim has, as a "not" before them is read."""

    def __init__(self, line: Line, claims: Sequence[Claim], lexicon: Lexicon) -> None:
        self._line = line
        self._claims = claims
        self._lexicon = lexicon
        # Looked up once for each atom, however many a "not" stands before.
        self._found: dict[int, Phrase | None] = {}

    def denied_after(self, negator: int, at: int) -> Iterator[DeniedWords]:
        """What a "not" denies of the words from an atom on: "guitar, not bass or drums"."""
        line, begin = self._line, at
        while line.key(at) in BETWEEN_NEGATION | BETWEEN_LESSON and not (at > begin and self._is_broken_off(at)):
            at += 1
        between = [line.key(index) for index in range(begin, at)]
        if any(key in DEGREES for key in between):
            yield DeniedWords(negator, self._after_quality(at, is_told=between[-1] not in DEGREES), is_polite=True)
        elif line.key(at) in POLITE or self._is_of_no_strings(at):
            yield DeniedWords(negator, self._after_polite(at), is_polite=True)
        elif not self._is_needless(between) and self._is_denying(negator, between):
            if not self._is_manner(negator, at):
                yield from self._listed(negator, at, reaches=BETWEEN_LESSON.issuperset(between))
            elif (end := self._end(at)) > at:
                yield DeniedWords(negator, end)

    def _listed(self, negator: int, at: int, *, reaches: bool) -> Iterator[DeniedWords]:
        """What is denied from an atom on, and what an "or" joins to it. ``reaches``: kinds of lessons can be."""
        line, first = self._line, negator
        joining = ALTERNATIVES
        if _is_excepting(line, negator):
            joining = ALTERNATIVES | {"and", "&"}
        denied: DeniedWords | None = None
        while True:
            found = self._item(first, at, reaches=reaches)
            if found is None:
                break
            if denied is not None and bool(denied.kinds) == bool(found.kinds):
                denied = replace(denied, after=found.after, kinds=denied.kinds + found.kinds)
            else:
                if denied is not None:
                    yield denied
                denied = found
            if line.key(found.after) not in joining:
                break
            first, at = found.after, found.after + 1
        if denied is not None:
            yield denied

    def _item(self, first: int, at: int, *, reaches: bool) -> DeniedWords | None:
        """One thing that is denied, named from an atom on, with all before it from another one on; None if there is no word."""
        end = self._end(at)
        named = self._phrase(at)
        if reaches and named is not None:
            after = at + named.after
            while after < end and self._line.key(after) in SOFT_FILLER:
                after += 1
            if after >= end:
                return DeniedWords(first, after, named.meanings)
        if end == at:
            return None
        further = next((index for index in range(at + 1, end) if self._phrase(index) is not None), end)
        if self._names_lesson_but(range(first, end)):
            # "Guitar, no rock music": what that is nobody knows, but it is not what is looked for.
            return DeniedWords(first, end)
        if reaches and named is not None and at + named.after == further:
            return DeniedWords(first, further, named.meanings)
        # "No early piano": a word between, which is denied, and a kind of lesson that is not.
        return DeniedWords(first, further if named is None else at)

    def _phrase(self, at: int) -> Phrase | None:
        """The name of a kind of lesson, as it is, that begins at an atom."""
        if at not in self._found:
            self._found[at] = self._look_up(at)
        return self._found[at]

    def _look_up(self, at: int) -> Phrase | None:
        keys: list[str] = []
        for index in range(at, min(at + 5, len(self._line.atoms))):
            if covers(self._claims, index) or not self._line.atoms[index].is_word:
                break
            if keys and self._is_broken_off(index):
                break
            keys.append(self._line.key(index))
        phrase = next(self._lexicon.phrases(keys), None)
        if phrase is None or phrase.first > 0 or not phrase.is_exact:
            return None
        return None if FILLER.union(SOFT_FILLER).issuperset(keys[: phrase.after]) else phrase

    def _names_lesson_but(self, gone: range) -> bool:
        """Whether a kind of lesson is named outside of these atoms."""
        return any(self._phrase(at) is not None for at in range(len(self._line.atoms)) if at not in gone)

    def _end(self, at: int) -> int:
        """Where the words from an atom on end: at a break, at a word without meaning, or after a few."""
        line, end = self._line, at
        while (
            end < min(len(line.atoms), at + WORDS_DENIED_MAX)
            and line.atoms[end].is_word
            and line.key(end) not in FILLER
            and not covers(self._claims, end)
            and not (end > at and self._is_broken_off(end))
        ):
            end += 1
        return end

    def _after_quality(self, at: int, *, is_told: bool) -> int:
        """Where "not too fast" ends; ``is_told``: that of what comes before an atom is all: "not too early"."""
        return at + 1 if not is_told and self._end(at) > at and self._phrase(at) is None else at

    def _after_polite(self, at: int) -> int:
        while self._line.key(at) in POLITE or self._is_of_no_strings(at):
            at += 1
        return at

    def _is_of_no_strings(self, at: int) -> bool:
        """Whether "strings" are none of an instrument: "no strings attached"."""
        is_before_lesson = self._end(at) > at + 1 and self._phrase(at + 1) is not None
        return self._line.key(at) == "strings" and (is_before_lesson or self._line.key(at + 1) == "attached")

    def _is_manner(self, negator: int, at: int) -> bool:
        """Whether it says how to do what is asked for: "without reading music"."""
        return self._line.key(negator) == "without" and self._line.key(at).endswith("ing")

    def _is_needless(self, between: Collection[str]) -> bool:
        """Not so "don't need piano", other than "doesn't need to be piano"."""
        return any(key in NEED_NOT and (key != "need" or "be" in between) for key in between)

    def _is_denying(self, negator: int, between: Iterable[str]) -> bool:
        """Not so "I can't swim", where the lesson is just what is named; but "don't want swimming"."""
        line = self._line
        is_of_a_verb = line.key(negator) in VERB_NEGATORS or (
            line.key(negator) == "not" and line.key(negator - 1) in NEGATED_VERBS
        )
        return not is_of_a_verb or not WISHES.isdisjoint(between)

    def _is_broken_off(self, at: int) -> bool:
        return self._line.atoms[at].is_broken_off
