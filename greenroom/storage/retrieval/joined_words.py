"""Words that some write apart and others as one: "wood working", "ball room", "pre algebra"."""

from __future__ import annotations

import re
from itertools import islice, pairwise
from typing import Final

PART_MIN: Final = 3
"""Letters of either part: "on line" and "to day" are hardly ever meant as one in the words for a lesson."""

JOINED_MAX: Final = 16
"""Pairs of one sentence. Each is looked up; the words for a lesson are mostly fewer than six."""

_WORD: Final = re.compile(r"[^\W\d_]+")


TELLING_MIN: Final = 3
"""Letters from which on a word is told to be in no text; of shorter ones hardly anybody misses anything."""


def telling_words(text: str) -> list[str]:
    """The words, as spaces part them, of which it may be told that no text has them."""
    return [word for word in dict.fromkeys(text.split()) if len(word) >= TELLING_MIN and _WORD.search(word)]


def joined_words(text: str) -> str:
    """Each two neighbouring words as one, with spaces between: "woodworking workingclass" of "wood working class".

    Neighbours have nothing but spaces or a hyphen between them. Which of these are words, the titles and categories there are have to
    say.
    """
    words = [found for found in _WORD.finditer(text) if len(found.group()) >= PART_MIN]
    joined = (
        one.group() + other.group()
        for one, other in pairwise(words)
        if text[one.end() : other.start()].strip() in ("", "-")
    )
    return " ".join(islice(joined, JOINED_MAX))
