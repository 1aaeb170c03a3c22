"""The words of a title that say what the thing is, apart from what they say of it."""

from __future__ import annotations

import re
from typing import Final

_ENDS: Final = re.compile(
    r"[:;(]|\s-{1,2}\s|\u2013|\b(?:for|with|without|in|of|from|to|by|on|at|after|before|under|over|who|that)\b",
    re.IGNORECASE,
)
_PARTS: Final = re.compile(r"[,/&+|]|\b(?:and|or)\b", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\W\d_][\w'\u2019]*")
_GENERIC: Final = frozenset(
    "lesson lessons class classes course courses workshop workshops tutoring tutor tutors coaching coach coaches training session "  # noqa: SIM905 - read as a line
    "sessions studio teacher teachers instruction instructor tuition clinic clinics club practice preparation prep".split()
)
"""All there is here is some of these; they say nothing of what is taught."""


def head_words(title: str) -> str:
    """The last word of what stands before the first preposition or colon, of each piece where things are listed: "table" of "coffee
    table with drawers", "singing" and "piano" of "singing & jazz piano for children", "guitar" of "guitar lessons".

    Source: English names a thing by the last noun of a compound (Huddleston and Pullum, "The Cambridge Grammar of the English
    Language", 2002, chapter 5).
    """
    heads = []
    for part in _PARTS.split(_ENDS.split(title, maxsplit=1)[0]):
        words = [word for word in _WORD.findall(part) if word.casefold() not in _GENERIC]
        heads += words[-1:]
    return " ".join(heads)
