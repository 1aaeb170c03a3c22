"""What a "not" denies of the words that no rule claims: kinds of lessons by name, and words that nobody can search without.

Kinds of lessons are denied where one of their names, as it is and not one letter off, stands right behind the "not" ("no more piano").
Of other words it is they that are denied, which is told, and not what follows: "no vegetarians cooking" asks for cooking.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from greenroom.actors.search.understanding.claims import Claim, covers
from greenroom.actors.search.understanding.filler import (
    ALTERNATIVES,
    BETWEEN_LESSON,
    BETWEEN_NEGATION,
    DEGREES,
    FILLER,
    NEED_NOT,
    NEGATED_VERBS,
    NEGATOR_PAIRS,
    POLITE,
    SOFT_FILLER,
    VERB_NEGATORS,
    WISHES,
)
from greenroom.actors.search.understanding.line import Line
from greenroom.actors.search.understanding.negators import is_excepting, is_negator
from greenroom.actors.search.understanding.service import Lexicon, Meanings, Phrase

WORDS_DENIED_MAX: Final = 3
"""That name no kind of lesson; more are a sentence."""


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


def denied_words(line: Line, claims: Sequence[Claim], lexicon: Lexicon) -> Iterator[DeniedWords]:
    """All that is denied and that none of these claims has, in order."""
    reading = _Words(line, claims, lexicon)
    after = 0
    for at in range(len(line.atoms)):
        if at < after or covers(claims, at):
            continue
        found: Iterable[DeniedWords] = ()
        if (line.key(at), line.key(at + 1)) in NEGATOR_PAIRS and not covers(claims, at + 1):
            found = reading.denied_after(at, at + 2)
        elif is_negator(line, at):
            found = reading.denied_after(at, at + 1)
        for denied in found:
            after = denied.after
            yield denied


def denied_kinds(words: Sequence[DeniedWords]) -> Meanings:
    """Kinds of lessons that are denied by name."""
    meant: dict[str, float] = {}
    for slug, weight in (meaning for denied in words for meaning in denied.kinds):
        meant[slug] = max(weight, meant.get(slug, 0.0))
    return tuple(meant.items())


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
        if is_excepting(line, negator):
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
