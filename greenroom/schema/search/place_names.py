"""The normal form of a place's name, and the ways in which one text may name a place inside another.

Stored names and searched texts go through the same function, so it may be bold: what two places never differ by is taken away.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

NAME_LENGTH_MAX: Final = 100
"""Characters of a normal form. A longer text names no place."""

SPLITS_MAX: Final = 6
"""Ways to split a text: a container of one to three words at either end."""

_APOSTROPHES: Final = re.compile("['\u2018\u2019\u02bc\u0060\u00b4]")
_NOT_A_WORD: Final = re.compile(r"[^\w]+|_+")

_LONG_FORMS: Final[dict[str, str]] = {
    "hts": "heights",
    "hgts": "heights",
    "sq": "square",
    "gdns": "gardens",
    "gdn": "garden",
    "pk": "park",
    "ave": "avenue",
    "av": "avenue",
    "blvd": "boulevard",
    "isl": "island",
    "bch": "beach",
    "vlg": "village",
    "ctr": "center",
    "terr": "terrace",
    "jct": "junction",
    "centre": "center",
    "harbour": "harbor",
    "theatre": "theater",
    "nbhd": "neighborhood",
    "neighbourhood": "neighborhood",
}
"""Read so wherever they stand. British spellings among them: a name is the same place in either."""

_LONG_FORMS_IN_FRONT: Final[dict[str, str]] = {
    "st": "saint",
    "ste": "sainte",
    "ft": "fort",
    "mt": "mount",
    "pt": "point",
    "n": "north",
    "s": "south",
    "e": "east",
    "w": "west",
}
"""Read so with a word behind them: "st george" is a saint, "14th st" a street."""

_LEFT_OUT_IN_FRONT: Final = frozenset({"the"})


def normal_place_name(text: str) -> str:
    """Return the form in which names of places are compared.

    NFKC and case-folded, accents off, apostrophes gone, any other punctuation a space, "&" read as "and", common short forms
    written out ("st george", "mt eden", "jackson hts", "upper e side"), a leading "the" dropped. Idempotent; empty
    if nothing is left.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    plain = _APOSTROPHES.sub("", plain).replace("&", " and ")
    words = _NOT_A_WORD.sub(" ", plain).split()
    while len(words) > 1 and words[0] in _LEFT_OUT_IN_FRONT:
        del words[0]
    return " ".join(_long_form(word, has_following=place + 1 < len(words)) for place, word in enumerate(words))


def compact(normal: str) -> str:
    """Without spaces: "parkslope" and "so ho" are as good as the names they stand for."""
    return normal.replace(" ", "")


@dataclass(frozen=True, slots=True)
class Split:
    """One way to read a text: ``rest`` is a place within ``container``. Both in normal form, neither empty."""

    rest: str
    container: str


def splits(normal: str) -> tuple[Split, ...]:
    """Ways to split a normal form into a place and what it lies in, shortest container first; at most SPLITS_MAX.

    "chinatown nyc", "sunnyside queens", "brooklyn park slope". Whether the container is one is for the names to say.
    """
    words = normal.split()
    found = []
    for length in range(1, min(3, len(words) - 1) + 1):
        found.append(Split(" ".join(words[:-length]), " ".join(words[-length:])))
        found.append(Split(" ".join(words[length:]), " ".join(words[:length])))
    return tuple(found)


def _long_form(word: str, *, has_following: bool) -> str:
    if has_following:
        word = _LONG_FORMS_IN_FRONT.get(word, word)
    return _LONG_FORMS.get(word, word)
