"""A sentence as the rules read it: numbers in digits, one space between words, and the way back to what was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from greenroom.actors.search.understanding.words import Word, word_set, words


@dataclass(frozen=True, slots=True)
class Atom:
    """The smallest piece a rule can claim: a word, or several that make one number ("twenty five", "5th").

    Attributes:
        key: how rules read it: ``25`` for "twenty five", ``3rd`` for "third".
        words: what it was made of, at least one.
    """

    key: str
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """Its words in normal form, with spaces where some were typed."""
        return "".join(
            word.text if word.is_glued and at else f" {word.text}" for at, word in enumerate(self.words)
        ).strip()

    @property
    def start(self) -> int:
        return self.words[0].start

    @property
    def end(self) -> int:
        return self.words[-1].end

    @property
    def is_broken_off(self) -> bool:
        return self.words[0].is_broken_off

    @property
    def is_word(self) -> bool:
        return self.key[0].isalnum()


class Line:
    """The atoms of a sentence, and their keys with a space between each as one string to match patterns on.

    Patterns match whole atoms: they begin and end where atoms do, or don't match.
    """

    def __init__(self, typed: str) -> None:
        self.typed = typed
        self.atoms: tuple[Atom, ...] = tuple(_atoms(words(typed)))
        self.text = " ".join(atom.key for atom in self.atoms)
        self._first: dict[int, int] = {}
        self._after: dict[int, int] = {}
        at = 0
        for index, atom in enumerate(self.atoms):
            self._first[at] = index
            at += len(atom.key)
            self._after[at] = index + 1
            at += 1

    def find(self, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], int, int]]:
        """Matches of a pattern from left to right without overlap, each with its first atom and the one after its last."""
        for match in pattern.finditer(self.text):
            first, after = self._first.get(match.start()), self._after.get(match.end())
            if first is not None and after is not None and first < after:
                yield match, first, after

    def key(self, index: int) -> str:
        """The key of an atom; empty outside of the line."""
        return self.atoms[index].key if 0 <= index < len(self.atoms) else ""

    def typed_part(self, first: int, after: int) -> tuple[str, int, int]:
        """The typed characters from an atom up to before another, and where they stand."""
        start, end = self.atoms[first].start, self.atoms[after - 1].end
        return self.typed[start:end], start, end


def pattern(text: str) -> re.Pattern[str]:
    """Compile a rule's pattern: whole atoms only; blanks in it are for people, ``_`` is a space."""
    spaced = text.replace("_", r"\ ")
    return re.compile(rf"(?<!\S)(?:{spaced})(?!\S)", re.VERBOSE)


_UNITS: Final = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS: Final = {
    word: 10 * number
    for number, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
} | {"fourty": 40}
_SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_ORDINALS: Final = {
    word: number
    for number, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
            "thirteenth",
            "fourteenth",
            "fifteenth",
            "sixteenth",
            "seventeenth",
            "eighteenth",
            "nineteenth",
        ],
        start=1,
    )
} | {"twentieth": 20, "thirtieth": 30}
_DECADES: Final = {
    word: f"{10 * number} s"
    for number, word in enumerate(
        ["twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties"], start=2
    )
}
_DIGITS_MAX: Final = 9
"""Longer numbers are names of something (telephones), not amounts."""


def _atoms(found: Sequence[Word]) -> Iterator[Atom]:
    at = 0
    while at < len(found):
        atom = (
            _ordinal(found, at)
            or _number(found, at)
            or _shorthand(found, at)
            or Atom(_DECADES.get(found[at].key, found[at].key), (found[at],))
        )
        at += len(atom.words)
        if atom.key != "-" or _joins_a_range(found, at - 1):
            yield atom


_SHORT: Final = {
    "u": "you",
    "ur": "your",
    "wknd": "weekend",
    "wkend": "weekend",
    "wknds": "weekends",
    "wkends": "weekends",
    "eve": "evening",
    "eves": "evenings",
    "nite": "night",
    "arvo": "afternoon",
}
_SHORT_WITH_DIGIT: Final = {
    ("b", "4"): "before",
    ("sum", "1"): "someone",
    ("some", "1"): "someone",
    ("any", "1"): "anyone",
    ("2", "day"): "today",
    ("2", "moro"): "tomorrow",
    ("2", "nite"): "tonight",
}
"""Written without a space: "b4", "sum1"."""


def _shorthand(found: Sequence[Word], at: int) -> Atom | None:
    """A word as it is written in messages: "b4", "wknd". "U12" is a team, "new year's eve" and "eve hill" may be names."""
    key, follower = found[at].key, found[at + 1] if at + 1 < len(found) else None
    if follower is not None and follower.is_glued and (meant := _SHORT_WITH_DIGIT.get((key, follower.key))):
        return Atom(meant, (found[at], follower))
    if key == "u" and any(
        word.key[0].isdigit() for word in (*found[max(at - 1, 0) : at], *found[at + 1 : at + 2])
    ):
        return None
    if key == "eve" and not (at and found[at - 1].key in _RANGE_ENDS):
        return None
    meant = _SHORT.get(key)
    return None if meant is None else Atom(meant, (found[at],))


_RANGE_ENDS: Final = word_set(
    "am pm noon midnight k usd eur gbp mon monday tue tues tuesday wed weds wednesday thu thur thurs thursday fri friday "
    "sat saturday sun sunday $ € £"
)


def _joins_a_range(found: Sequence[Word], at: int) -> bool:
    """Whether a hyphen stands between two ends of a range; between the parts of a compound word it says nothing."""
    if not 0 < at < len(found) - 1:
        return False
    return all(
        word.key[0].isdigit() or word.key in _RANGE_ENDS or word.key in _UNITS or word.key in _TENS
        for word in (found[at - 1], found[at + 1])
    )


def _number(found: Sequence[Word], at: int) -> Atom | None:
    """The longest number that begins here: "80", "twenty-five", "a hundred and ten", "2 thousand", "5th"."""
    first = found[at].key
    if first[0] in "0123456789.":
        if len(first) > _DIGITS_MAX or first[-1].isalpha():
            return None
        follower = found[at + 1].key if at + 1 < len(found) else ""
        if follower not in _SCALES:
            return Atom("0" + first if first[0] == "." else first, (found[at],))
        value, after = float(first) * _SCALES[follower], at + 2
        return Atom(f"{value:.10g}" if value < 10**_DIGITS_MAX else "very many", tuple(found[at:after]))
    start = at
    if first in ("a", "an", "hundred", "thousand"):
        at += first in ("a", "an")
        if at >= len(found) or found[at].key not in ("hundred", "thousand"):
            return None
        whole = 1
    else:
        below, after = _below_hundred(found, at)
        if below is None:
            return None
        whole, at = below, after
    total = 0
    while at < len(found):
        key = found[at].key
        if key in ("hundred", "thousand"):
            if key == "hundred":
                whole = whole * 100
            else:
                total, whole = total + whole * 1_000, 0
            at += 1
            continue
        more = at + 1 if key == "and" else at
        below, after = _below_hundred(found, more)
        if below is None or found[at - 1].key not in ("hundred", "thousand"):
            break
        whole, at = whole + below, after
    if total + whole >= 10**_DIGITS_MAX:
        return None
    return Atom(str(total + whole), tuple(found[start:at]))


def _below_hundred(found: Sequence[Word], at: int) -> tuple[int | None, int]:
    """A number word below a hundred that begins here, and where it ends."""
    if at >= len(found):
        return None, at
    key = found[at].key
    if key in _UNITS:
        return _UNITS[key], at + 1
    if key not in _TENS:
        return None, at
    at += 1
    after_hyphen = at + 1 if at < len(found) and found[at].key == "-" else at
    if after_hyphen < len(found) and 1 <= _UNITS.get(found[after_hyphen].key, 0) <= 9:
        return _TENS[key] + _UNITS[found[after_hyphen].key], after_hyphen + 1
    return _TENS[key], at


def _ordinal(found: Sequence[Word], at: int) -> Atom | None:
    """The ordinal that begins here: "third", "twenty-first"."""
    key = found[at].key
    if key in _ORDINALS:
        return Atom(_with_suffix(_ORDINALS[key]), (found[at],))
    if key not in _TENS:
        return None
    after = at + 2 if at + 1 < len(found) and found[at + 1].key == "-" else at + 1
    if after < len(found) and 1 <= _ORDINALS.get(found[after].key, 0) <= 9:
        return Atom(_with_suffix(_TENS[key] + _ORDINALS[found[after].key]), tuple(found[at : after + 1]))
    return None


def _with_suffix(number: int) -> str:
    suffix = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
