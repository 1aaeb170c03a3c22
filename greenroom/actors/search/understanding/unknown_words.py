"""Words that were taken for the lesson and are the name of none, where no lesson has them either: "piano asdfgh".

Which words no lesson has, only the lessons tell, so this comes after the rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from greenroom.actors.search.understanding.service import Lexicon
from greenroom.actors.search.understanding.words import words
from greenroom.schema.search.understood import NoticeKind, Part, PartKind, Understood, noticed

_KEYBOARD: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qwertzuiop")
_RUN_MIN: Final = 5
"""Keys beside each other: "power" has four of them at most, and so has any word that means something."""

_RUNS: Final = frozenset(
    way[at : at + _RUN_MIN]
    for row in _KEYBOARD
    for way in (row, row[::-1])
    for at in range(len(row) - _RUN_MIN + 1)
)
_REPEATED: Final = re.compile(r"(\w)\1{3}")
_WITHOUT_VOWEL: Final = re.compile(r"[bcdfghjklmnpqrstvwxz]{4,}")


def is_at_random(word: str) -> bool:
    """Whether these letters are no word: one four times running, five keys side by side, or four and more without a vowel."""
    return (
        _REPEATED.search(word) is not None
        or _WITHOUT_VOWEL.fullmatch(word) is not None
        or any(word[at : at + _RUN_MIN] in _RUNS for at in range(len(word) - _RUN_MIN + 1))
    )


def unknown_told(understood: Understood, unknown: Sequence[str], *, lexicon: Lexicon) -> Understood:
    """The same with a notice for each run of words that mean nothing here.

    They are no piece of it any more either, unless nothing else says what the lesson is.

    Args:
        unknown: words of its ``service_text`` that no lesson has.
    """
    asked = words(understood.service_text)
    named = {
        at for phrase in lexicon.phrases([word.key for word in asked]) for at in range(phrase.first, phrase.after)
    }
    meaningless = {word.text for at, word in enumerate(asked) if at not in named and word.text in unknown}
    if not meaningless:
        return understood
    runs = [run for part in understood.parts if part.kind is PartKind.SERVICE for run in _runs(part, meaningless)]
    told = noticed(understood, NoticeKind.NOT_UNDERSTOOD, dict.fromkeys(run.text for run in runs))
    if len(meaningless) == len({word.text for word in asked}):
        return told
    return replace(told, parts=tuple(rest for part in told.parts for rest in _without(part, runs)))


def is_all_at_random(understood: Understood, unknown: Sequence[str]) -> bool:
    """Whether the lesson is nothing but letters at random, whose meaning would be near to something all the same."""
    asked = understood.service_text.split()
    return (
        bool(asked) and not understood.services and all(word in unknown and is_at_random(word) for word in asked)
    )


def _runs(part: Part, meaningless: set[str]) -> Iterator[Part]:
    """Neighbouring words of a part that are all meaningless."""
    first: int | None = None
    last = 0
    for word in words(part.text):
        if word.text not in meaningless:
            if first is not None:
                yield _cut(part, first, last)
            first = None
            continue
        first = word.start if first is None else first
        last = word.end
    if first is not None:
        yield _cut(part, first, last)


def _without(part: Part, runs: Sequence[Part]) -> Iterator[Part]:
    at = 0
    for run in runs:
        if part.start <= run.start and run.end <= part.end:
            yield from _trimmed(part, at, run.start - part.start)
            at = run.end - part.start
    yield from _trimmed(part, at, len(part.text))


def _trimmed(part: Part, start: int, end: int) -> Iterator[Part]:
    text = part.text[start:end]
    if text.strip():
        yield _cut(part, start + len(text) - len(text.lstrip()), start + len(text.rstrip()))


def _cut(part: Part, start: int, end: int) -> Part:
    return Part(part.kind, part.text[start:end], part.start + start, part.start + end)
