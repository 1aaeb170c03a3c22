"""A text as a dictionary would spell it: in small letters, names of many things as those of one."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[^\W\d_]+")
_LENGTH_MIN: Final = 4
"""Of a word whose "s" is taken for an ending: "bus", "gas" and "his" keep theirs."""


def plain_spelling(text: str) -> str:
    """The text with each word in small letters and without the ending of a plural: "Accent Chairs" is "accent chair".

    The S stemmer: "ies" is "y" unless after "a" or "e", any other "s" at the end falls off unless after "u" or "s". It takes nothing
    else for an ending, so what is left is mostly a word. What ends in "is" or "ics" is left alone besides: tennis and physics are no
    plurals, and "tenni" is no word.

    Source: D. Harman, "How effective is suffixing?", Journal of the American Society for Information Science 42 (1991), table 1.
    """
    return _WORD.sub(lambda found: _singular(found.group().lower()), text)


def _singular(word: str) -> str:
    if len(word) < _LENGTH_MIN or word.endswith(("us", "ss", "is", "ics")):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word.removesuffix("ies") + "y"
    return word.removesuffix("s")
