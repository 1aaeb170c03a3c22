"""Misspelt words of a lesson: which may be taken for another word, and what the sentence is then.

Lessons know how their words are written (:mod:`greenroom.storage.retrieval.spelling`), the sentence which of its words may be wrong:
none that rules understood, no place, no word of English, nobody's name, and nothing in quotation marks, by which one says "just so".
Names are told by a list of first names, by "with" and "by" in front of them, or by a capital letter amid small ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, pairwise
from typing import Final

from greenroom.actors.search.understanding.place import IsPlace
from greenroom.actors.search.understanding.proper_words import FIRST_NAMES, PROPER_WORDS
from greenroom.actors.search.understanding.service import AS_TYPED, Lexicon, match_services
from greenroom.actors.search.understanding.unknown_words import is_at_random
from greenroom.actors.search.understanding.words import Word, keys, word_set, words
from greenroom.schema.search.candidates import Spelling
from greenroom.schema.search.understood import Notice, NoticeKind, PartKind, Understood
from greenroom.storage.retrieval.spelling import LENGTH_MAX, LENGTH_MIN, meant_word

DOUBTFUL_MAX: Final = 4
"""Words of a sentence that are looked up. Who gets more of them wrong writes another language."""

_BEFORE_PEOPLE: Final = word_set("with by")

_QUOTED: Final = re.compile(
    r"\"[^\"]+\"|[\u201c\u201d\u201e\u00ab\u00bb][^\u201c\u201d\u00ab\u00bb]+[\u201c\u201d\u00ab\u00bb]"
)


def doubtful_words(
    typed: str,
    understood: Understood,
    *,
    lexicon: Lexicon,
    is_place: IsPlace,
    is_english: Callable[[str], bool],
) -> tuple[str, ...]:
    """Words of the lesson that may be misspelt, if no lesson has them; in small letters."""
    asked = words(understood.service_text)
    named = {
        at for phrase in lexicon.phrases([word.key for word in asked]) for at in range(phrase.first, phrase.after)
    }
    unnamed = {word.text for at, word in enumerate(asked) if at not in named}
    quoted = [match.span() for match in _QUOTED.finditer(typed)]
    named_people = _people(typed)
    doubtful = (
        word.text
        for word, start, end in _lesson_words(understood)
        if word.text in unnamed
        and word.text.isascii()
        and word.text.isalpha()
        and LENGTH_MIN <= len(word.text) <= LENGTH_MAX
        and not any(first < start and end < after for first, after in quoted)
        and start not in named_people
        and word.key not in AS_TYPED
        and word.key not in PROPER_WORDS
        and not is_place((word.key,))
        and not is_at_random(word.text)
        and not is_english(word.text)
    )
    return tuple(islice(dict.fromkeys(doubtful), DOUBTFUL_MAX))


def meant_words(spellings: Mapping[str, Sequence[Spelling]], *, is_place: IsPlace) -> dict[str, str]:
    """What each misspelt word was meant as. One that is nearest to a place's name was hardly meant as a lesson, so it stays."""
    meant = {written: meant_word(written, near) for written, near in spellings.items()}
    return {written: word for written, word in meant.items() if word is not None and not is_place((word,))}


def corrected(understood: Understood, meant: Mapping[str, str], *, lexicon: Lexicon) -> Understood:
    """The same with these words in the place of those that were written, which is told. Kinds of lessons follow; its pieces stay as
    they were typed. What is not wanted is meant by none: "shibri, not shibori"."""
    denied = _denied_words(understood)
    meant = {
        written: word
        for written, word in meant.items()
        if denied.isdisjoint(keys(word)) and not _is_denied_kind(word, understood, lexicon)
    }
    if not meant:
        return understood
    text = " ".join(meant.get(word, word) for word in understood.service_text.split())
    typed = {
        word.text: part.text[word.start : word.end]
        for part in understood.parts
        if part.kind is PartKind.SERVICE
        for word in words(part.text)
    }
    before, after = (match_services(keys(each), lexicon=lexicon) for each in (understood.service_text, text))
    wanted = tuple(guess for guess in after if guess.category not in understood.denied)
    notices = (Notice(NoticeKind.CORRECTED, typed.get(word, word), taken) for word, taken in meant.items())
    return replace(
        understood,
        service_text=text,
        services=understood.services if after == before else wanted,
        notices=(*understood.notices, *notices),
    )


def _denied_words(understood: Understood) -> set[str]:
    """Words that were denied, and that can't be searched without."""
    return {
        key for notice in understood.notices if notice.kind is NoticeKind.NOT_HEEDED for key in keys(notice.text)
    }


def _is_denied_kind(word: str, understood: Understood, lexicon: Lexicon) -> bool:
    """Whether all that a word names is denied."""
    kinds = {guess.category for guess in match_services(keys(word), lexicon=lexicon)}
    return bool(kinds) and kinds <= set(understood.denied)


def _people(typed: str) -> set[int]:
    """Where in the text words begin that are hardly anything but somebody's name: "piano with jude", "piano with Mia Glaz"."""
    found = words(typed)
    has_small = any(typed[word.start].islower() for word in found[1:])
    people = {word.start for word in found[1:] if has_small and typed[word.start].isupper()}
    for before, word in pairwise(found):
        follows_name = before.start in people and before.key in FIRST_NAMES
        if before.key in _BEFORE_PEOPLE or follows_name:
            people.add(word.start)
    return people


def _lesson_words(understood: Understood) -> Iterator[tuple[Word, int, int]]:
    """Words of the lesson's pieces, with where in the typed text they stand."""
    for part in understood.parts:
        if part.kind is PartKind.SERVICE:
            yield from ((word, part.start + word.start, part.start + word.end) for word in words(part.text))
