"""Names of places that are words, first names or short forms of something else before they are places.

In "violin bow technique" nobody means Bow, in "broadway singing lessons" nobody the street. Such names are places only where a
word leads to them: "in bow", "near broadway".
"""

from __future__ import annotations

from typing import Final

TELLING_LENGTH_MIN: Final = 3
"""Shorter names are short forms, of which only a few mean nothing else."""

_TELLING_SHORT_FORMS: Final = frozenset({"bk", "bx", "ny"})

_ORDINARY: Final = frozenset(
    [
        "abbey road",
        "angel",
        "archway",
        "austin",
        "avenue a",
        "bank",
        "barking",
        "barnes",
        "battery",
        "beverly",
        "borough",
        "bow",
        "broadway",
        "chatham",
        "chi",
        "church street",
        "city",
        "clearing",
        "clifton",
        "concord",
        "concourse",
        "country club",
        "custom house",
        "da bronx",
        "devon",
        "douglas",
        "downtown",
        "elephant",
        "embankment",
        "fashion district",
        "gotham",
        "ground zero",
        "hayes",
        "heath",
        "hillside",
        "howard",
        "hub",
        "lee",
        "logan",
        "loop",
        "loyola",
        "lp",
        "madison",
        "midway",
        "monument",
        "north park",
        "ocean breeze",
        "ord",
        "oval",
        "poplar",
        "rugby",
        "seaport",
        "seaside",
        "shaolin",
        "sheen",
        "slope",
        "spring creek",
        "square mile",
        "steinway",
        "stow",
        "sunset",
        "temple",
        "uptown",
        "utopia",
        "victoria",
        "village",
        "welling",
        "west end",
        "whetstone",
        "wicker",
        "woodrow",
    ]
)


_OPENING: Final = frozenset({"les"})
"""Also an article or a first name: "pour les enfants", "les paul"."""

_CLOSING: Final = frozenset({"chi"})
"""Ordinary words that are a city at the end of a wish: "guitar lessons chi"."""


def needs_a_word_before(name: str) -> bool:
    """Whether a name, in normal form, is a place only where "in", "near" or the like leads to it."""
    if len(name) < TELLING_LENGTH_MIN:
        return name not in _TELLING_SHORT_FORMS
    return name in _ORDINARY


def may_open_a_name(name: str) -> bool:
    """Whether, before a word that it may belong to, it is a place only where that word is a lesson's."""
    return name in _OPENING


def may_close_a_wish(name: str) -> bool:
    """Whether it is a place without a word before it where it comes last, right behind the lesson."""
    return name in _CLOSING
