"""The normal form of a sentence, and its words with their places in the text as it was typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SETTLES_AFTER: Final = 4
"""Rounds of folding. Case folding can undo composition and the other way round; two rounds settle all of Unicode 15."""


def normal_form(text: str) -> str:
    """NFKC, case-folded, without control and invisible characters, spaces single and none at the ends. Idempotent.

    Source: toNFKC_Casefold, The Unicode Standard 3.13.
    """
    for _ in range(_SETTLES_AFTER):
        folded = " ".join(_visible(unicodedata.normalize("NFKC", text).casefold()).split())
        if folded == text:
            break
        text = folded
    return text


def word_set(text: str) -> frozenset[str]:
    """Words of a list that is written with spaces between them."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Word:
    """A run of letters, a number or a sign.

    Attributes:
        text: in normal form.
        key: as rules compare it: also without accents and apostrophes, a number without the commas of thousands.
        start, end: its characters in the typed text, the end exclusive.
        is_glued: nothing stands between it and the word before.
        is_broken_off: punctuation that ends a phrase stands between it and the word before.
    """

    text: str
    key: str
    start: int
    end: int
    is_glued: bool
    is_broken_off: bool


def words(typed: str) -> list[Word]:
    """The words of a sentence in order. Emoji, punctuation and scripts' marks that are none of them are passed over."""
    folded, starts, ends = _folded(typed)
    found: list[Word] = []
    last = 0
    for match in _WORD.finditer(folded):
        between = folded[last : match.start()]
        text = match.group()
        if found and starts[match.start()] < found[-1].end:
            # One character that folds to several words ("¼") is only the first of them: no character is of two words.
            continue
        found.append(
            Word(
                text=text,
                key=_key(text),
                start=starts[match.start()],
                end=ends[match.end() - 1],
                is_glued=bool(found) and not between,
                is_broken_off=_BREAK.search(between) is not None
                and not (between[0] == "." and found and found[-1].key in _SHORTENED),
            )
        )
        last = match.end()
    return found


def keys(text: str) -> tuple[str, ...]:
    """The words of a name as rules compare them, signs left out: ``Bedford-Stuyvesant`` is two."""
    return tuple(word.key for word in words(text) if word.key[0].isalnum())


_LETTER: Final = r"[^\W\d_]"
_HYPHENS: Final = "\u2010\u2011\u2013\u2014\u2212"
"""What people paste for a hyphen: hyphens, dashes and the minus sign."""

_WORD: Final = re.compile(
    # Names that hold signs, "a.m." and "l.e.s." with their points, dates with points, "42nd".
    rf"c\+\+|c\#|d&d(?!{_LETTER})|[ap]\.m\b\.?|(?<!{_LETTER})(?:[a-z]\.){{2,}}(?:[a-z]\b)?|[0-9]{{1,4}}(?:st|nd|rd|th)(?!{_LETTER})"
    r"|[0-9]{1,2}\.[0-9]{1,2}\.(?:[0-9]{4}|[0-9]{2})(?![0-9.])"
    # A comma before cents, where a currency says that it is one.
    r"|(?<=[$€£])[0-9]+,[0-9]{2}(?![0-9])|(?<=[$€£] )[0-9]+,[0-9]{2}(?![0-9])|[0-9]+,[0-9]{2}(?=\s?(?:€|eur))"
    r"|[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?(?![0-9])|[0-9]+(?:\.[0-9]+)?|(?<![^\W_])\.[0-9]+"
    rf"|{_LETTER}[^\W\d_]*(?:['\u2019]{_LETTER}+)*"
    rf"|[$€£+\-{_HYPHENS}/:<>=~&@]"
)
_BREAK: Final = re.compile(r"[,;.!?()\[\]|\n…]")
_SHORTENED: Final = word_set("st mt ft dr mr mrs ms ave blvd e w n s")
"""After these a point ends no phrase: "st. george"."""
_SIGNS: Final = str.maketrans(dict.fromkeys(_HYPHENS, "-"))


def _key(text: str) -> str:
    if text.isascii():
        if text[0].isdigit():
            return text[:-3] + "." + text[-2:] if text[-3:-2] == "," else text.replace(",", "")
        return text if text[0] == "." else text.replace("'", "").replace(".", "")
    if len(text) == 1:
        return text.translate(_SIGNS)
    plain = unicodedata.normalize("NFD", text.replace("'", "").replace("\u2019", ""))
    return unicodedata.normalize("NFC", "".join(char for char in plain if not unicodedata.combining(char))) or text


def _visible(text: str) -> str:
    """Control characters become spaces; invisible ones (joiners, marks of direction) go."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_seen(char) for char in text)


def _seen(char: str) -> str:
    match unicodedata.category(char):
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Cf" | "Cs" | "Cn" | "Co":
            return ""
        case _:
            return char


def _folded(typed: str) -> tuple[str, list[int], list[int]]:
    """The text folded, with the typed characters that each folded one comes from: begin, and end exclusive.

    A letter and the marks on it are folded together, since they may become one.
    """
    if typed.isascii():
        size = len(typed)
        return _visible(typed).lower(), list(range(size)), list(range(1, size + 1))
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(typed):
        part = _visible(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed[start:end]).casefold()))
        parts.append(part)
        starts.extend([start] * len(part))
        ends.extend([end] * len(part))
    return "".join(parts), starts, ends


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not unicodedata.combining(text[at]):
            yield start, at
            start = at
